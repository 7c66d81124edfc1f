"""What a study has found, and the file that keeps it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import TraceError
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace

FORMAT = "workbench-study-1"
FACE = "face."


@dataclass(frozen=True)
class Study:
    """What a study found.

    Attributes:
        tensors: ``mean/PATH`` and ``deviation/PATH`` of a tap; ``distance/PATH``, how far weights between landmarks
            reach on average, in inter-ocular distances; ``leak/PATH``, what its attention between places spends on the
            background; ``error`` (landmark) in per cent of the inter-ocular distance, ``sigma`` (stage, landmark) in
            parts of the crop; ``targets`` (stage, landmark, y, x), labels counted by their place in the patch, and
            ``inside`` (stage, landmark), their share within it; ``face.nme``, ``face.sigma`` (face).
        meta: model, checkpoint, data, split, labels, faces, files, left_out, scheme, ``uniform`` (the distance of
            weights that are all alike), ``bins`` and ``reach`` of the histogram.
    """

    tensors: Trace
    meta: Mapping[str, Any]

    @property
    def faces(self) -> int:
        """How many were read."""
        return int(self.meta["faces"])

    def words(self) -> str:
        """Of what this is the mean."""
        labels = f", labels {self.meta['labels']}" if self.meta["labels"] != "own" else ""
        return f"{self.faces} faces of {self.meta['data']} {self.meta['split']}{labels}"

    def distances(self) -> dict[str, np.ndarray]:
        """Path -> (stage, head) mean distance in inter-ocular distances; axes that there are not have length 1."""
        out = {}
        for name, entry in self.tensors.items():
            if name.startswith("distance/"):
                values = entry.numpy()
                values = values if "stage" in entry.axes else values[None]
                out[name.removeprefix("distance/")] = values if "head" in entry.axes else values[..., None]
        return out

    def on(self, reading: Reading) -> Reading:
        """A reading whose trace holds the means of this study, so that every view of weights shows them.

        Args:
            reading: of any face by the same model, which lends its outline.

        Raises:
            TraceError: it was read by a model with other weights.
        """
        theirs = reading.trace.meta.get("checkpoint", "")
        if theirs != self.meta["checkpoint"]:
            raise TraceError(
                f"The study of {self.meta['model']} is of other weights than those that read this face; make it anew."
            )
        trace = Trace()
        trace.meta = dict(reading.trace.meta)
        for name, entry in self.tensors.items():
            if name.startswith("mean/"):
                at = 1 if entry.axes[:1] == ("stage",) else 0
                axes = (*entry.axes[:at], "batch", *entry.axes[at:])
                trace[name.removeprefix("mean/")] = NamedTensor(entry.tensor.float().unsqueeze(at), axes)
        return replace(reading, face=replace(reading.face, name=f"mean of {self.words()}"), trace=trace)

    def rows(self) -> list[dict[str, Any]]:
        """One row a face: its file and what was measured of it."""
        columns = {n.removeprefix(FACE): e.numpy() for n, e in self.tensors.items() if n.startswith(FACE)}
        return [
            {"file": file, **{name: round(float(values[i]), 6) for name, values in columns.items()}}
            for i, file in enumerate(self.meta["files"])
        ]

    def text(self) -> str:
        """A few lines for a terminal."""
        error = 100 * float(self.tensors["face.nme"].numpy().mean())
        lines = [f"{self.meta['model']} on {self.words()}: NME {error:.2f} % inter-ocular"]
        for path, values in self.distances().items():
            reach = ", ".join(f"{v:.2f}" for v in values.mean(-1))
            lines.append(f"  {path:<28} reaches {reach} inter-ocular distances on average")
        if self.distances():
            lines.append(f"  {'uniform weights':<28} would reach {self.meta['uniform']:.2f}")
        for name, entry in self.tensors.items():
            if name.startswith("leak/"):
                lines.append(
                    f"  {name.removeprefix('leak/'):<28} leaks {100 * float(entry.numpy()):.1f} %, uniform attention "
                    f"{100 * self.meta['chance']:.1f} %"
                )
        if "inside" in self.tensors:
            held = ", ".join(f"{100 * v:.1f} %" for v in self.tensors["inside"].numpy().mean(-1))
            lines.append(f"  {'labels inside their patches':<28} {held}")
        return "\n".join(lines)

    def save(self, path: str | Path) -> Path:
        """Write one safetensors file; an older one is replaced only by a whole one. Raises TraceError."""
        return write(self.tensors, self.meta, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Study:
        """Read a file of :meth:`save`. Raises TraceError: it is none."""
        trace = Trace.load(path)
        if trace.meta.get("study") != FORMAT:
            raise TraceError(f"{Path(path).name} is a trace of a face, not a study of a set.")
        return cls(trace, trace.meta)


def write(tensors: Trace, meta: Mapping[str, Any], path: Path) -> Path:
    """Tensors and what they are into one file, at once. Raises TraceError."""
    tensors.meta = dict(meta)
    aside = path.with_name(f"{path.stem}.{os.getpid()}.safetensors")
    try:
        tensors.save(aside)
        os.replace(aside, path)
    except OSError as error:
        raise TraceError(f"The study could not be written to {path}: {error}.") from None
    finally:
        aside.unlink(missing_ok=True)
    return path
