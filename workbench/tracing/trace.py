"""What one forward pass left behind: tensors with named axes, and a file format for them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from workbench.errors import MissingEntryError, TraceError
from workbench.files import from_json, replacing

FORMAT = "workbench-trace-1"


@dataclass(frozen=True)
class NamedTensor:
    """A tensor whose axes have names, so that no view ever counts dimensions.

    Attributes:
        tensor: the values.
        axes: one name an axis, in order.
    """

    tensor: Tensor
    axes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.tensor.ndim != len(self.axes):
            raise TraceError(f"{len(self.axes)} axis names {self.axes} for shape {tuple(self.tensor.shape)}.")

    @property
    def shape(self) -> dict[str, int]:
        """Axis name -> length, in order."""
        return dict(zip(self.axes, self.tensor.shape, strict=True))

    def dim(self, axis: str) -> int:
        """Position of an axis. Raises TraceError for a name this tensor does not have."""
        if axis not in self.axes:
            raise TraceError(f"There is no axis '{axis}' here; the axes are {', '.join(self.axes)}.")
        return self.axes.index(axis)

    def at(self, **index: int) -> NamedTensor:
        """Pick one entry of each named axis (negative counts from the end); those axes go."""
        out = self
        for axis, i in index.items():
            dim = out.dim(axis)
            size = out.tensor.shape[dim]
            if not -size <= i < size:
                raise TraceError(f"Axis '{axis}' has {size} entries, so {i} is out of range.")
            out = NamedTensor(out.tensor.select(dim, i), out.axes[:dim] + out.axes[dim + 1 :])
        return out

    def mean(self, *axes: str) -> NamedTensor:
        """Arithmetic mean over the named axes; those axes go. Raises TraceError where none is named."""
        return self._over("mean", axes, lambda values, dim: values.mean(dim))

    def sum(self, *axes: str) -> NamedTensor:
        """Sum over the named axes; those axes go. Raises TraceError where none is named."""
        return self._over("sum", axes, lambda values, dim: values.sum(dim))

    def max(self, *axes: str) -> NamedTensor:
        """Largest value along the named axes; those axes go. Raises TraceError where none is named."""
        return self._over("max", axes, lambda values, dim: values.amax(dim))

    def _over(self, name: str, axes: tuple[str, ...], reduce: Callable[[Tensor, int], Tensor]) -> NamedTensor:
        if not axes:
            here = " or ".join(f'"{axis}"' for axis in self.axes)
            raise TraceError(
                f"Say over which axes, such as {name}({here}); of all values together: .numpy().{name}()."
            )
        out = self
        for axis in axes:
            dim = out.dim(axis)
            out = NamedTensor(reduce(out.tensor, dim), out.axes[:dim] + out.axes[dim + 1 :])
        return out

    def __getitem__(self, index: Any) -> np.ndarray:
        """The values at an index, as NumPy counts; :meth:`at` picks by name and keeps the names."""
        return self.numpy()[index]

    def __len__(self) -> int:
        if not self.axes:
            raise TypeError("a single value has no length")
        return len(self.tensor)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy) if copy else np.asarray(self.numpy(), dtype=dtype)

    def __float__(self) -> float:
        return float(self.tensor)

    def numpy(self) -> np.ndarray:
        """The values as a NumPy array (float32 for half types), on the CPU."""
        tensor = self.tensor.detach().cpu()
        return tensor.float().numpy() if tensor.is_floating_point() else tensor.numpy()

    def __repr__(self) -> str:
        sizes = ", ".join(f"{axis}={size}" for axis, size in self.shape.items())
        return f"NamedTensor({sizes}; {str(self.tensor.dtype).removeprefix('torch.')})"


def check_index(what: str, index: int, size: int) -> int:
    """``index`` counted from the front. Raises TraceError when there is no such stage, layer, head, ..."""
    if not -size <= index < size:
        things = what if size == 1 else f"{what}s"
        be = "is" if size == 1 else "are"
        raise TraceError(
            f"There {be} {size} {things}, so there is no {what} {index} (counted from 0 as Python does; the shell "
            "counts from 1)."
        )
    return index % size


class Trace(MutableMapping[str, NamedTensor]):
    """Tap path -> :class:`NamedTensor`, plus ``meta`` (model, checkpoint, crop affine: plain JSON values)."""

    def __init__(self) -> None:
        self._entries: dict[str, NamedTensor] = {}
        self.meta: dict[str, Any] = {}

    def __getitem__(self, name: str) -> NamedTensor:
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(self._entries) or "nothing"
            raise MissingEntryError(f"The trace holds no '{name}'; it holds {known}.") from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __setitem__(self, name: str, value: NamedTensor) -> None:
        self._entries[name] = value

    def __delitem__(self, name: str) -> None:
        self[name]
        del self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        model = self.meta.get("model")
        return f"<Trace of {len(self)} tensors{f' by {model}' if model else ''}: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        def row(name: str, entry: NamedTensor) -> str:
            axes = ", ".join(f"{axis} {size}" for axis, size in entry.shape.items())
            size = entry.tensor.numel() * entry.tensor.element_size() / 2**20
            left = "style='text-align:left'"
            return f"<tr><td {left}><code>{escape(name)}</code></td><td {left}>{axes}</td><td>{size:.2f} MB</td></tr>"

        rows = "".join(row(*item) for item in self.items())
        said = escape("; ".join(f"{path} {', '.join(done)}" for path, done in self.meta.get("edits", {}).items()))
        under = f"<caption>under an edit: {said}</caption>" if said else ""
        return f"<table>{under}<thead><tr><th>tap</th><th>axes</th><th>size</th></tr></thead>{rows}</table>"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write a safetensors file: the tensors as they are, axes and ``meta`` in the header.

        Raises:
            TraceError: the folder does not exist or cannot be written, or ``meta`` holds more than plain values.
        """
        target = Path(path)
        if target.suffix != ".safetensors":
            raise TraceError(f"A trace is written as .safetensors, so {target.name} needs another name.")
        if not os.path.isdir(target.parent):
            raise TraceError(f"The trace could not be written: there is no folder {target.parent}.")
        # Cloned, for entries may share memory, which the format does not allow.
        tensors = {name: entry.tensor.detach().cpu().contiguous().clone() for name, entry in self.items()}
        try:
            header = {
                "format": FORMAT,
                "axes": json.dumps({name: entry.axes for name, entry in self.items()}),
                "meta": json.dumps(self.meta),
            }
            with replacing(target) as part:
                save_file(tensors, str(part), metadata=header)
        except (OSError, SafetensorError, TypeError) as error:  # TypeError: values in meta that JSON does not know
            raise TraceError(f"The trace could not be written to {target}: {error}.") from None
        return target

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Trace:
        """Read a file written by :meth:`save`.

        Raises:
            TraceError: no such file, a damaged file, or a safetensors file that is not a trace.
        """
        source = Path(path)
        if not os.path.isfile(source):
            raise TraceError(f"There is no trace file at {source}.")
        trace = cls()
        try:
            with safe_open(str(source), framework="pt") as file:
                header = file.metadata() or {}
                if header.get("format") != FORMAT:
                    raise TraceError(f"{source.name} is a safetensors file but not a workbench trace.")
                axes = from_json(header["axes"])
                trace.meta = dict(from_json(header["meta"]))
                for name in axes:
                    trace[name] = NamedTensor(file.get_tensor(name), tuple(axes[name]))
        except TraceError:
            raise
        except (OSError, SafetensorError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise TraceError(f"{source.name} is damaged and cannot be read as a trace ({error}).") from None
        return trace
