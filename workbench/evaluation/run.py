"""What one evaluation has found, face by face, and the file that keeps it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from workbench.errors import DataError, UnknownNameError
from workbench.landmarks import Scheme, get_scheme, user_scheme
from workbench.landmarks.metrics import auc, failure_rate

FORMAT = "workbench-run-1"
THUMBS, PLACES = "thumbs", "thumbs.at"


@dataclass(frozen=True)
class Run:
    """Errors of one model on one part of a data set.

    Attributes:
        arrays: one row a measured face. Always ``nme`` (M,), fractions; ``points`` and ``truth`` (M, N, 2) in [0, 1]
            of the crop, truth NaN where missing; ``length`` (M,), what errors are divided by, in sides of the crop;
            ``frame`` (M, 3), the crop's centre and side in the picture's pixels. Where there are some: ``sigma``
            (M, N, 2) in sides of the crop; ``stages`` (M, stage, layer), NME of every intermediate answer; ``inside``
            (M, stage), share of labels in their patches; ``covered`` (M, N), 1 covered, 0 seen, -1 not told; ``pose``
            and ``pose.truth`` (M, 3) yaw, pitch, roll in degrees; ``confidence`` (M,).
        meta: plain values: model, checkpoint, data, folder, format, split, subset, labels, scheme, normaliser,
            threshold, factor, flip, convention, files, groups (indices into ``names``), sequences, left_out, seconds,
            device, precision.
    """

    arrays: Mapping[str, np.ndarray]
    meta: Mapping[str, Any]
    source: Path | None = field(default=None, compare=False)

    def __len__(self) -> int:
        return len(self.nme)

    @property
    def nme(self) -> np.ndarray:
        """(M,) one fraction a measured face."""
        return self.arrays["nme"]

    @property
    def files(self) -> tuple[str, ...]:
        """(M,) names, in the same order."""
        return tuple(self.meta["files"])

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence for every face that could not be measured: a line or picture that cannot be read, no landmarks,
        or not the points that the normaliser needs."""
        return tuple(self.meta["left_out"])

    @property
    def model(self) -> str:
        """Name of the measured model."""
        return str(self.meta["model"])

    @property
    def scheme(self) -> Scheme:
        """Of the measured landmarks."""
        name, count = str(self.meta["scheme"]), self.arrays["points"].shape[1]
        try:
            return get_scheme(name)
        except UnknownNameError:
            return user_scheme(name, count)

    @property
    def errors(self) -> np.ndarray:
        """(M, N) distance of every point to its label as a fraction of the normaliser, NaN where there is none."""
        apart = np.linalg.norm(self.arrays["points"] - self.arrays["truth"], axis=-1)
        return apart / self.arrays["length"][:, None]

    def part(self) -> str:
        """Split and subset in words."""
        return " ".join(name for name in (self.meta["split"], self.meta["subset"]) if name)

    def names(self) -> list[str]:
        """Subsets that at least one measured face belongs to."""
        return sorted({name for groups in self.groups() for name in groups})

    def groups(self) -> list[list[str]]:
        """(M,) the subsets of every face."""
        names = self.meta["names"]
        return [[names[i] for i in row] for row in self.meta["groups"]]

    def only(self, faces: np.ndarray) -> Run:
        """Some of the faces: a mask (M,) or indices."""
        chosen = np.flatnonzero(faces) if faces.dtype == bool else faces
        arrays = {k: v[chosen] for k, v in self.arrays.items() if k not in (THUMBS, PLACES)}
        listed = {k: [self.meta[k][i] for i in chosen] for k in ("files", "groups", "sequences")}
        return Run(arrays, {**self.meta, **listed})

    def within(self, subset: str) -> Run:
        """The faces of one subset. Raises DataError: no measured face belongs to it."""
        chosen = np.array([subset in groups for groups in self.groups()], bool)
        if not chosen.any():
            raise DataError(
                f"No face of this run is in '{subset}'; there are {', '.join(self.names()) or 'no subsets'}."
            )
        return self.only(chosen)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: NME and FR in per cent, AUC as a fraction."""
        at = float(self.meta["threshold"])
        told = {
            "model": self.model,
            "data": self.meta["data"],
            "split": self.meta["split"],
            "labels": self.meta["labels"] or "own",
            "faces": len(self),
            "left_out": len(self.left_out),
            "normaliser": self.meta["normaliser"],
            "nme_percent": round(100 * float(np.mean(self.nme)), 4),
            "failure_rate_percent": round(100 * float(failure_rate(self.nme, at)), 4),
            "auc": round(float(auc(self.nme, at)), 4),
            "threshold": at,
        }
        plain = {"subset": "", "factor": 1.2, "flip": False, "convention": "", "precision": "32"}
        return told | {name: self.meta[name] for name, usual in plain.items() if self.meta.get(name, usual) != usual}

    def text(self) -> str:
        """One line for a terminal."""
        d, at = self.to_dict(), float(self.meta["threshold"])
        labels = f", labels {self.meta['labels']} (machine-made)" if self.meta["labels"] else ""
        lost = f", {len(self.left_out)} left out" if self.left_out else ""
        asked = ", ".join(
            words
            for words, there in (
                (f"convention {d.get('convention')}", "convention" in d),
                (f"crop {d.get('factor')} x the box", "factor" in d),
                ("mean with the mirrored face", "flip" in d),
                (f"{d.get('precision')}", "precision" in d),
            )
            if there
        )
        return (
            f"{self.model} on {d['data']} {self.part()} ({d['faces']} faces{lost}{labels}{asked and ', ' + asked}): "
            f"NME {d['nme_percent']:.2f} % {str(d['normaliser']).replace('_', '-')}, "
            f"FR@{at:.2f} {d['failure_rate_percent']:.2f} %, AUC@{at:.2f} {d['auc']:.3f}"
        )

    def metrics(self) -> list[dict[str, Any]]:
        """Rows for a model card."""
        d = self.to_dict()
        base = {k: d[k] for k in ("data", "split", "labels", "faces")}
        at = f"{d['threshold']:.2f}"
        return [
            {
                **base,
                "metric": f"NME {d['normaliser'].replace('_', '-')}",
                "value": d["nme_percent"],
                "unit": "%",
            },
            {**base, "metric": f"FR@{at}", "value": d["failure_rate_percent"], "unit": "%"},
            {**base, "metric": f"AUC@{at}", "value": d["auc"], "unit": ""},
        ]

    def save(self, path: str | Path) -> Path:
        """Write one safetensors file; an older one is replaced only by a whole one. Raises DataError."""
        target = Path(path)
        if target.suffix != ".safetensors" or not target.parent.is_dir():
            raise DataError(f"A run is written as .safetensors into a folder that is there, not to {target}.")
        small = {k: v.astype(np.float32) if v.dtype == np.float64 else v for k, v in self.arrays.items()}
        aside = target.with_name(f"{target.stem}.{os.getpid()}.part")
        try:
            kept = {k: np.ascontiguousarray(v) for k, v in small.items()}
            save_file(kept, str(aside), metadata={"run": FORMAT, "meta": json.dumps(dict(self.meta))})
            os.replace(aside, target)
        except (OSError, SafetensorError) as error:
            raise DataError(f"The run could not be written to {target} ({error}).") from None
        finally:
            aside.unlink(missing_ok=True)
        return target

    @classmethod
    def load(cls, path: str | Path) -> Run:
        """Read a file of :meth:`save`; its small pictures stay there until they are asked for. Raises DataError."""
        source = Path(path)
        try:
            with safe_open(str(source), framework="np") as file:
                about = file.metadata() or {}
                if about.get("run") != FORMAT:
                    raise DataError(f"{source.name} is no run; `workbench evaluate --out` writes one.")
                arrays = {k: file.get_tensor(k) for k in file.keys() if k != THUMBS}  # noqa: SIM118
                meta = json.loads(about["meta"])
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise (
                error if isinstance(error, DataError) else DataError(f"{source} is no run, or damaged ({error}).")
            ) from None
        for name in ("nme", "points", "truth", "length", "frame"):
            if name not in arrays or len(arrays[name]) != len(meta.get("files", ())):
                raise DataError(
                    f"{source.name} is damaged: '{name}' does not fit its {len(meta.get('files', ()))} files."
                )
        return cls(arrays, meta, source)

    @property
    def pictures(self) -> bool:
        """Whether small pictures of the crops were kept."""
        return PLACES in self.arrays

    def thumbs(self, faces: list[int]) -> list[bytes]:
        """Small pictures (JPEG) of some faces. Raises DataError: none were kept, or the file is gone."""
        if not self.pictures:
            raise DataError("This run keeps no pictures; make it anew with `workbench evaluate --thumbnails`.")
        at = self.arrays[PLACES]
        if THUMBS in self.arrays:
            return [self.arrays[THUMBS][at[i] : at[i + 1]].tobytes() for i in faces]
        try:
            with safe_open(str(self.source), framework="np") as file:
                blob = file.get_slice(THUMBS)
                return [np.asarray(blob[int(at[i]) : int(at[i + 1])]).tobytes() for i in faces]
        except (OSError, SafetensorError, TypeError) as error:
            raise DataError(f"The pictures of {self.source} cannot be read ({error}).") from None
