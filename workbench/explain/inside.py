"""What a trace holds, told by the names of its axes, and one picture of it as an array with a caption.

A view asks for a tensor by its name and never counts dimensions: :func:`inner_maps` says what each one is,
:func:`stack` brings it into one layout for its kind, :func:`pick` takes what is shown. Nothing is smoothed or
rescaled; where a mean or a maximum was taken, the caption says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.errors import TraceError, UnknownNameError
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

GRIDS = ("grid", "channels", "landmarks", "landmark_to_map", "spatial_attention", "patches")
"""Kinds that are pictures over the crop (or, "patches", over each landmark's patch)."""
_KINDS: dict[tuple[str, ...], tuple[str, str]] = {
    ("y", "x"): ("grid", "one map of the face"),
    ("channel", "y", "x"): ("channels", "feature maps, one a channel"),
    ("landmark", "y", "x"): ("landmarks", "one map a landmark"),
    ("head", "landmark", "y", "x"): ("landmark_to_map", "where each landmark looks"),
    ("query_y", "query_x", "key_y", "key_x"): ("spatial_attention", "where each place looks"),
    ("landmark", "channel", "y", "x"): ("patches", "features of each landmark's patch"),
    ("head", "query_landmark", "key_landmark"): ("landmark_pairs", "who listens to whom"),
    ("query_landmark", "key_landmark"): ("landmark_pairs", "weights of the graph's edges"),
    ("head", "query_token", "key_token"): ("table", "which token listens to which"),
    ("channel",): ("bars", "one number a channel"),
    ("branch", "channel"): ("bars", "what each branch gives to a channel"),
    ("landmark", "rect"): ("boxes", "patches that were read"),
    ("landmark", "xy"): ("points", "positions of the landmarks"),
    ("node", "xy"): ("points", "positions of the graph's nodes"),
}
_PLANE = 2.0
"""Positions beyond this are pixels of the crop, not parts of its side."""
_TABLE = ("table", "a table of numbers")


class Axed(Protocol):
    """A recorded tensor (``NamedTensor``) or a tap that would record one: what has named axes."""

    @property
    def axes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Map:
    """One recorded tensor and how it can be looked at.

    Attributes:
        name: its key in the trace, the tap's path.
        kind: "grid", "channels", "landmarks", "landmark_to_map", "spatial_attention", "patches",
            "landmark_pairs", "bars", "boxes", "points" or "table".
        axes: their names, batch and stage left out.
        words: what it is.
    """

    name: str
    kind: str
    axes: tuple[str, ...]
    words: str


@dataclass(frozen=True)
class Stack:
    """A tensor in the layout of its kind; two axes come first, stage and head, of length 1 where there are none.

    Attributes:
        map: what it is.
        values: float32. Grids (stage, head, item, h, w), an item being a channel or a landmark; "landmark_pairs"
            (stage, head, N, N), rows are queries; "bars" (stage, 1, branch, channel); "table" (stage,
            head, row, column); "boxes" (stage, 1, N, 4) as x0, y0, width, height; "points" (stage, 1, N, 2).
        done: what was computed on the way, "" for nothing.
    """

    map: Map
    values: np.ndarray
    done: str = ""

    @property
    def stages(self) -> int:
        return self.values.shape[0]

    @property
    def heads(self) -> int:
        return self.values.shape[1]


@dataclass(frozen=True)
class Picture:
    """What is shown of a tensor: the array, and a caption that names the tensor and what was done."""

    values: np.ndarray
    caption: str


def inner_maps(source: Reading | Mapping[str, Axed]) -> list[Map]:
    """What a reading (or a trace, or a model's taps) holds, in the order of the network.

    Args:
        source: a reading, a trace, or ``taps(model)``, which costs no forward pass.
    """
    entries: Mapping[str, Axed] = source if isinstance(source, Mapping) else source.trace
    return [kind_of(name, entry.axes) for name, entry in entries.items()]


def kind_of(name: str, axes: tuple[str, ...]) -> Map:
    """How a tensor of these axes is looked at."""
    own = tuple(axis for axis in axes if axis not in ("batch", "stage"))
    kind, words = _KINDS.get(own, _TABLE)
    return Map(name, kind, own, words)


def stack(reading: Reading, name: str) -> Stack:
    """A tensor of a reading in the layout of its kind.

    Attention between places becomes what each place receives (a mean over the queries), features of patches the mean
    of their absolute values over the channels, positions in crop pixels parts of the side; ``done`` says so.

    Raises:
        TraceError: the reading has no such tensor, or it holds values that are not finite.
    """
    named = reading.trace[name].at(batch=0)
    if "stage" not in named.axes:
        named = type(named)(named.tensor[None], ("stage", *named.axes))
    found, done = kind_of(name, named.axes), ""
    values: NDArray[Any] = named.numpy().astype(np.float32)
    if not np.isfinite(values).all():
        raise TraceError(f"{name} holds values that are not numbers; read another face or choose another tensor.")
    if found.kind == "spatial_attention":
        values, done = values.mean((1, 2)), f"mean over all {values.shape[1] * values.shape[2]} queries"
    elif found.kind == "patches":
        values, done = np.abs(values).mean(2), f"mean of the absolute values of {values.shape[2]} channels"
    elif found.kind == "points" and np.abs(values).max() > _PLANE:
        values, done = values / reading.input_size, f"pixels divided by the crop's {reading.input_size}"
    elif found.kind == "table":
        values = values.reshape(len(values), -1, *values.shape[-2:]) if values.ndim > 2 else values[:, None, None]
    ranks = {"bars": 4, "boxes": 4, "points": 4, "landmark_pairs": 4, "table": 4}
    while values.ndim < ranks.get(found.kind, 5):
        values = values[:, None]
    return Stack(found, values, done)


def pick(reading: Reading, name: str, stage: int = -1, head: int | None = None, item: int | None = None) -> Picture:
    """What is shown of a tensor.

    Args:
        stage: for a tensor that was recorded once a stage.
        head: None takes the mean over the heads.
        item: a channel or a landmark of a grid; None takes, over all of them, the mean of the absolute values
            (channels), the largest value (landmarks) or the mean (where each landmark looks). A landmark's row of
            "landmark_pairs".

    Returns:
        Grids (h, w), or (N, h, w) for patches with no item; otherwise the layout of :class:`Stack` without its first
        two axes, "landmark_pairs" with an item (N,).

    Raises:
        TraceError: the tensor, the stage, the head or the item is not there.
    """
    found = stack(reading, name)
    check_index("stage", stage, found.stages)
    words = [name, *([f"stage {stage % found.stages + 1} of {found.stages}"] if found.stages > 1 else [])]
    if head is not None:
        check_index("head", head, found.heads)
    values = found.values[stage]
    if found.heads > 1:
        words.append(f"mean of {found.heads} heads" if head is None else f"head {head % found.heads + 1}")
    values = values.mean(0) if head is None else values[head]
    words += [found.done] if found.done else []
    if found.map.kind in GRIDS:
        values, said = _one(values, found.map.kind, item, reading)
        words.append(said)
    elif item is not None and found.map.kind == "landmark_pairs":
        check_index("landmark", item, len(values))
        values = values[item]
        words.append(f"from {reading.scheme.label(item % len(values))} ({item % len(values)})")
    return Picture(values, " · ".join(word for word in words if word))


def _one(values: np.ndarray, kind: str, item: int | None, reading: Reading) -> tuple[np.ndarray, str]:
    """One map of (item, h, w), or all of them together, and what that is in words."""
    count = len(values)
    if kind in ("grid", "spatial_attention"):
        return values[0], ""
    thing = "channel" if kind == "channels" else "landmark"
    if item is not None:
        check_index(thing, item, count)
        label = "" if kind == "channels" else f", {reading.scheme.label(item % count)}"
        return values[item], f"{thing} {item % count}{label}"
    if kind == "channels":
        return np.abs(values).mean(0), f"mean of the absolute values of {count} channels"
    if kind == "landmarks":
        return values.max(0), f"largest of {count} landmarks"
    if kind == "landmark_to_map":
        return values.mean(0), f"mean of {count} landmarks"
    return values, f"{count} landmarks, each in its patch"


def find(maps: list[Map], name: str) -> Map:
    """The map of that name. Raises UnknownNameError, naming what there is."""
    for found in maps:
        if found.name == name:
            return found
    known = ", ".join(m.name for m in maps) or "nothing"
    raise UnknownNameError(f"This model records no '{name}'; it records {known}.")


def first_choice(maps: list[Map]) -> str:
    """The tensor that says most at first sight: attention over the face, then maps of landmarks, relations, features;
    of each kind the last, nearest to the answer.

    Raises:
        TraceError: there is none.
    """
    order = ("spatial_attention", "landmark_to_map", "landmarks", "landmark_pairs", "grid", "channels")
    if not maps:
        raise TraceError("This model has no taps, so there is nothing to look at inside it.")
    return min(reversed(maps), key=lambda m: order.index(m.kind) if m.kind in order else len(order)).name


def map_rows(
    reading: Reading, name: str, stage: int = -1, head: int | None = None, item: int | None = None
) -> list[dict[str, float | int | str]]:
    """The numbers of :func:`pick` as rows for a CSV file; raises as it does."""
    shown, kind = pick(reading, name, stage, head, item).values, stack(reading, name).map.kind
    known: dict[str, tuple[str, ...]] = {
        "bars": ("branch", "channel"),
        "landmark_pairs": ("query", "key"),
        "boxes": ("landmark", "part"),
        "points": ("landmark", "axis"),
        "table": ("row", "column"),
    }
    names = known.get(kind, ("y", "x"))
    names = ("landmark", *names) if kind == "patches" and shown.ndim == 3 else names
    named: list[dict[str, float | int | str]] = []
    for index in np.ndindex(shown.shape):
        row: dict[str, float | int | str] = dict(zip(names[-len(index) :], map(int, index), strict=True))
        named.append({**row, "value": float(f"{shown[index]:.6g}")})
    return named
