"""Edits ready to use with ``intervene``: small named objects, each with a caption that says what it does.

Axes are named as the tap names them (``"key_landmark"``, ``"head"``, ``"batch"``). An edit returns the shape it was
given and is differentiable in the values that it keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from workbench.errors import TraceError
from workbench.tracing.tap import Edit, Site, caption_of
from workbench.tracing.trace import NamedTensor, Trace


class Captioned(Protocol):
    """An edit that says what it does."""

    @property
    def caption(self) -> str: ...

    def __call__(self, value: NamedTensor, site: Site) -> Tensor: ...


@dataclass(frozen=True)
class Identity:
    """Changes nothing; attention that is otherwise fused is computed explicitly."""

    caption: str = "unchanged"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        return value.tensor


@dataclass(frozen=True)
class Zero:
    """Every value becomes 0: the mechanism is removed."""

    caption: str = "set to zero"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        return torch.zeros_like(value.tensor)


@dataclass(frozen=True)
class One:
    """Every value becomes 1: a gate that lets everything pass."""

    caption: str = "set to one"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        return torch.ones_like(value.tensor)


@dataclass(frozen=True)
class Scale:
    """Every value times ``factor``."""

    factor: float

    @property
    def caption(self) -> str:
        return f"times {self.factor:g}"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        return value.tensor * self.factor


@dataclass(frozen=True)
class Uniform:
    """Equal weights over the keys: each query's weights become their mean over the keys that it can attend to (those
    that are not exactly 0), so that their sum stays.

    Raises:
        TraceError: the tap has no key axis, or no axes of the names given.
    """

    keys: tuple[str, ...] = ()

    @property
    def caption(self) -> str:
        return "uniform over the keys"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        axes = self.keys or tuple(a for a in value.axes if a.startswith("key") or a in ("y", "x", "branch"))
        if not axes:
            raise TraceError(f"{site.path} has no keys (its axes are {', '.join(value.axes)}); name the axes.")
        dims = [value.dim(axis) for axis in axes]
        reached = (value.tensor != 0).to(value.tensor.dtype)
        total = value.tensor.sum(dims, keepdim=True)
        return reached * total / reached.sum(dims, keepdim=True).clamp(min=1)


@dataclass(frozen=True)
class Scramble:
    """Entries along an axis change places by a random permutation: over ``"batch"`` every face gets another face's.

    Over a batch no face keeps its own (a random cycle); along other axes the permutation is unrestricted.

    Raises:
        TraceError: the tap has no such axis, or it has one entry only, so that nothing can change places.
    """

    axis: str = "batch"
    seed: int = 0

    @property
    def caption(self) -> str:
        return f"scrambled over {'faces' if self.axis == 'batch' else self.axis.replace('_', ' ') + 's'}"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        dim = value.dim(self.axis)
        size = value.tensor.shape[dim]
        if size < 2:
            raise TraceError(f"{site.path} has one entry along '{self.axis}', so there is nothing to scramble.")
        order = torch.randperm(size, generator=torch.Generator().manual_seed(self.seed))
        if self.axis == "batch":
            source = torch.empty_like(order)
            source[order] = order.roll(1)
        else:
            source = order
        return value.tensor.index_select(dim, source.to(value.tensor.device))


@dataclass(frozen=True)
class Keep:
    """Only these entries of an axis (heads, rows, columns, channels) stay; the others become 0. Nothing is
    renormalised.

    Raises:
        TraceError: the tap has no such axis or entry.
    """

    axis: str
    indices: tuple[int, ...]

    @property
    def caption(self) -> str:
        return f"{self.axis.replace('_', ' ')} {_listed(self.indices)} kept, the rest zero"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        return value.tensor * _mask(value, self.axis, self.indices, site)


class Drop(Keep):
    """These entries of an axis become 0, the others stay. Nothing is renormalised; arguments and errors as for
    :class:`Keep`."""

    @property
    def caption(self) -> str:
        return f"{self.axis.replace('_', ' ')} {_listed(self.indices)} set to zero"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        return value.tensor * (1 - _mask(value, self.axis, self.indices, site))


@dataclass(frozen=True)
class DropEdges:
    """The weights of (query, key) pairs become 0 in every head. Nothing is renormalised.

    Raises:
        TraceError: the tap's last two axes are not queries and keys, or there is no such pair.
    """

    pairs: tuple[tuple[int, int], ...]
    keep: bool = False
    """Keep these pairs and drop all others instead."""

    @property
    def caption(self) -> str:
        said = ", ".join(f"{q} to {k}" for q, k in self.pairs[:3])
        said += f" and {len(self.pairs) - 3} more" if len(self.pairs) > 3 else ""
        return f"edges {said} kept, the rest zero" if self.keep else f"edges {said} set to zero"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        if not (value.axes[-2].startswith("query") and value.axes[-1].startswith("key")):
            raise TraceError(f"{site.path} has no edges: its axes are {', '.join(value.axes)}.")
        rows, columns = value.tensor.shape[-2:]
        mask = value.tensor.new_zeros(rows, columns)
        for q, k in self.pairs:
            if not (0 <= q < rows and 0 <= k < columns):
                raise TraceError(f"{site.path} has {rows} queries and {columns} keys, so there is no edge {q} to {k}.")
            mask[q, k] = 1
        return value.tensor * (mask if self.keep else 1 - mask)


@dataclass(frozen=True)
class Replace:
    """The value that another reading recorded at the same tap (activation patching).

    Args:
        source: a trace of the same model, recorded with this tap. Its batch must hold one face, which every face is
            given, or as many as the batch that is edited.
        said: what the caption calls it.

    Raises:
        TraceError: the trace lacks the tap, or its shape does not fit.
    """

    source: Trace = field(repr=False)
    said: str = "replaced by another face's"

    @property
    def caption(self) -> str:
        return self.said

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        other = _recorded(self.source, site)
        return _fitted(other.tensor, value, site)


@dataclass(frozen=True)
class Mean:
    """The mean over the faces of a reference trace: the mechanism no longer tells one face from another.

    Args:
        reference: a trace of the same model over a batch of faces.

    Raises:
        TraceError: the trace lacks the tap, or its shape does not fit.
    """

    reference: Trace = field(repr=False)

    @property
    def caption(self) -> str:
        return "frozen to its mean over a set of faces"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        other = _recorded(self.reference, site)
        return _fitted(other.tensor.mean(other.dim("batch"), keepdim=True), value, site)


@dataclass(frozen=True)
class Shuffle:
    """Entries along some axes, taken together, change places by one random permutation: places of a map, keys.

    Raises:
        TraceError: the tap has no such axes, or one entry only along them.
    """

    axes: tuple[str, ...]
    seed: int = 0

    @property
    def caption(self) -> str:
        return f"scrambled over {_places(self.axes)}"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        dims = [value.dim(axis) for axis in self.axes]
        ends = list(range(-len(dims), 0))
        moved = value.tensor.movedim(dims, ends)
        flat = moved.flatten(-len(dims))
        if flat.shape[-1] < 2:
            raise TraceError(f"{site.path} has one entry along {_places(self.axes)}: there is nothing to scramble.")
        order = torch.randperm(flat.shape[-1], generator=torch.Generator().manual_seed(self.seed))
        return flat[..., order.to(flat.device)].reshape(moved.shape).movedim(ends, dims)


@dataclass(frozen=True)
class Level:
    """Every value becomes the mean along some axes, so that what it was there for can no longer be told."""

    axes: tuple[str, ...]

    @property
    def caption(self) -> str:
        return f"its mean over {_places(self.axes)} everywhere"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        dims = [value.dim(axis) for axis in self.axes]
        return value.tensor.mean(dims, keepdim=True).expand_as(value.tensor)


@dataclass(frozen=True)
class Within:
    """Another edit, of some entries of axes only (one head, one query, one edge); the rest stays. Nothing is
    renormalised.

    Args:
        edit: of the whole tensor; what it makes of the entries is taken over.
        at: (axis, entry) pairs; entries along several axes must all match.

    Raises:
        TraceError: the tap has no such axis or entry.
    """

    edit: Edit
    at: tuple[tuple[str, int], ...]

    @property
    def caption(self) -> str:
        where = ", ".join(f"{axis.replace('_', ' ')} {entry}" for axis, entry in self.at)
        return f"{where}: {caption_of(self.edit)}" if where else caption_of(self.edit)

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        chosen = torch.ones((), dtype=torch.bool, device=value.tensor.device)
        for axis, entry in self.at:
            chosen = chosen & _mask(value, axis, [entry], site).bool()
        return torch.where(chosen, self.edit(value, site), value.tensor)


@dataclass(frozen=True)
class OnStage:
    """Another edit, in one stage only (the call of a shared module, from 0)."""

    edit: Edit
    stage: int

    @property
    def caption(self) -> str:
        return f"stage {self.stage + 1}: {caption_of(self.edit)}"

    def __call__(self, value: NamedTensor, site: Site) -> Tensor:
        return self.edit(value, site) if site.call == self.stage else value.tensor


def freeze(trace: Trace) -> Replace:
    """The value that the uncovered face had: what an occluder changes elsewhere stays, this mechanism does not
    answer."""
    return Replace(trace, "frozen to the value of the uncovered face")


def _mask(value: NamedTensor, axis: str, indices: Sequence[int], site: Site) -> Tensor:
    """1 at some entries of an axis, shaped to multiply the value."""
    dim = value.dim(axis)
    size = value.tensor.shape[dim]
    for index in indices:
        if not -size <= index < size:
            raise TraceError(f"{site.path} has {size} entries along '{axis}', so there is no entry {index}.")
    mask = value.tensor.new_zeros(size)
    mask[list(indices)] = 1
    return mask.view([-1 if d == dim else 1 for d in range(value.tensor.ndim)])


def _recorded(trace: Trace, site: Site) -> NamedTensor:
    """The entry of a trace for one call of a tap."""
    entry = trace[site.path]
    if "stage" not in entry.axes:
        return entry
    stages = entry.shape["stage"]
    if site.call >= stages:
        raise TraceError(f"The trace has {stages} stages of {site.path}, so stage {site.call + 1} cannot be replaced.")
    return entry.at(stage=site.call)


def _fitted(other: Tensor, value: NamedTensor, site: Site) -> Tensor:
    here = value.tensor
    if other.shape[1:] != here.shape[1:] or other.shape[0] not in (1, here.shape[0]):
        raise TraceError(
            f"The trace holds {site.path} with the shape {tuple(other.shape)}, but {tuple(here.shape)} is needed."
        )
    return other.to(here.device, here.dtype).expand_as(here)


def _places(axes: Sequence[str]) -> str:
    return " and ".join(axis.replace("_", " ") for axis in axes)


def _listed(indices: Iterable[int]) -> str:
    return ", ".join(map(str, indices))
