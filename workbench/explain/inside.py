"""What a trace holds, told by the names of its axes, and one picture of it as an array with a caption.

A view asks for a tensor by its name and never counts dimensions: :func:`inner_maps` says what each one is,
:func:`stack` brings it into one layout for its kind, :func:`pick` takes what is shown. Nothing is smoothed or
rescaled; where a mean or a maximum was taken, the caption says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.axes import own
from workbench.errors import TraceError, UnknownNameError
from workbench.explain.caption_tables import INSIDE_TENSOR
from workbench.explain.captions import compose
from workbench.explain.facts import Facts
from workbench.tracing import Axed, check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

GRIDS = ("grid", "channels", "landmarks", "landmark_to_map", "spatial_attention", "patches")
"""Kinds that are pictures over the crop (or, "patches", over each landmark's patch)."""
_KINDS: dict[tuple[str, ...], tuple[str, str]] = {
    ("y", "x"): ("grid", "one map of the face"),
    ("channel", "y", "x"): ("channels", "feature maps, one a channel"),
    ("product", "y", "x"): ("channels", "products of two views, one map a pair of their channels"),
    ("landmark", "y", "x"): ("landmarks", "one map a landmark"),
    ("head", "landmark", "y", "x"): ("landmark_to_map", "where each landmark looks"),
    ("query_y", "query_x", "key_y", "key_x"): ("spatial_attention", "where each place looks"),
    ("landmark", "channel", "y", "x"): ("patches", "features of each landmark's patch"),
    ("head", "query_landmark", "key_landmark"): ("landmark_pairs", "who listens to whom"),
    ("query_landmark", "key_landmark"): ("landmark_pairs", "weights of the graph's edges"),
    ("head", "query_token", "key_token"): ("table", "which token listens to which"),
    ("node", "neighbour"): ("table", "edge weights as learned, the same for every face"),
    ("landmark", "neighbour"): ("table", "the mean of a landmark's neighbours less itself, as a matrix"),
    ("landmark", "encoding"): ("table", "structure encodings, one a landmark"),
    ("channel",): ("bars", "one number a channel"),
    ("cascade",): ("bars", "parameters of the model that stops after each cascade"),
    ("rank",): ("bars", "singular values, a property of the weights"),
    ("branch", "channel"): ("bars", "what each branch gives to a channel"),
    ("landmark", "rect"): ("boxes", "patches that were read"),
    ("landmark", "xy"): ("points", "positions of the landmarks"),
    ("rank", "landmark", "xy"): ("table", "the answer of every rank"),
    ("node", "xy"): ("points", "positions of the graph's nodes"),
}
_PLANE = 2.0
"""Positions beyond this are pixels of the crop, not parts of its side."""
_TABLE = ("table", "a table of numbers")


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
    kind, words = _KINDS.get(own(axes), _TABLE)
    return Map(name, kind, own(axes), words)


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
    if head is not None:
        check_index("head", head, found.heads)
    values = found.values[stage].mean(0) if head is None else found.values[stage][head]
    row = item is not None and found.map.kind == "landmark_pairs"
    if found.map.kind in GRIDS:
        values = _one(values, found.map.kind, item)
    elif row and item is not None:
        values = values[check_index("landmark", item, len(values))]
    facts = inside_facts(reading, found, stage, head, item)
    return Picture(values, compose(INSIDE_TENSOR, facts) + (f" · row of {facts['landmark']}" if row else ""))


def _one(values: np.ndarray, kind: str, item: int | None) -> np.ndarray:
    """One map of (item, h, w), or all of them together."""
    if kind in ("grid", "spatial_attention"):
        return values[0]
    if item is not None:
        return values[check_index("channel" if kind == "channels" else "landmark", item, len(values))]
    if kind == "channels":
        return np.abs(values).mean(0)
    if kind == "landmarks":
        return values.max(0)
    return values.mean(0) if kind == "landmark_to_map" else values


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


def inside_facts(
    reading: Reading, held: Stack, stage: int = -1, head: int | None = None, item: int | None = None, *,
    span: tuple[float, float] | None = None, scale: str = "map", top_k: int | None = 3, below: bool = False,
) -> Facts:  # fmt: skip
    """Facts of ``caption_tables.INSIDE``, of a figure that shows a tensor with the answer.

    Args:
        stage, head, item: as ``explain.inside.pick`` takes them.
        span: where the scale begins and ends, None without one.
        scale: "map", "range" or "all", see ``figures.inside``.
        top_k: lines of each landmark, None for all.
        below: whether values lie below the scale.
    """
    kind, shape = held.map.kind, held.values.shape
    count = shape[2]
    is_map, lines = len(shape) == 5, kind == "landmark_pairs"
    item = None if item is None else item % count
    of_landmark = item is not None and (lines or kind in ("landmarks", "landmark_to_map", "patches"))
    known = item is not None and item < reading.scheme.count
    steps = f", layer {reading.layers}" if reading.layers > 1 else ""
    several = reading.alignment.stages is not None
    return {
        "tensor": held.map.name,
        "points": reading.scheme.count,
        "trajectory": f"stage {reading.stages} of {reading.stages}{steps}" if several else None,
        "words": held.map.words,
        "stage": stage % held.stages + 1 if held.stages > 1 else None,
        "stages": held.stages,
        "head": None if head is None or held.heads == 1 else head % held.heads + 1,
        "heads": held.heads if held.heads > 1 else None,
        "done": held.done,
        "kind": "grid" if kind == "spatial_attention" else kind,
        "channel": item if kind == "channels" else None,
        "count": count,
        "landmark": f"{reading.scheme.label(item) if known else 'point'} ({item})" if of_landmark and item is not None
        else None,
        "topk": top_k or 0,
        "rows": shape[3] if is_map else None,
        "columns": shape[4] if is_map else None,
        "low": span[0] if span else None,
        "high": span[1] if span else None,
        "scale": "map" if scale == "range" and not is_map else scale,
        "below": below,
        "widget": False,
    }  # fmt: skip
