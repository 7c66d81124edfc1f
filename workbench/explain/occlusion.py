"""What covers a face and what a network makes of it (AODN, Fig. 13): maps, gates, and what a low rank recovers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.axes import CHANNELS, FACE_MAP, FEATURES, PRODUCTS, RECOVERED, SINGULAR, Axes, own
from workbench.errors import TraceError
from workbench.explain.facts import Facts, named
from workbench.explain.occlusion_maps import InsideOutside, inside_outside

if TYPE_CHECKING:
    from workbench.reading import Reading
    from workbench.tracing import Trace

PHOTO, VISIBLE, SPATIAL, BEFORE, AFTER = "photo", "visible", "spatial", "before", "after"
TITLES = {
    PHOTO: "Photograph",
    VISIBLE: "Visible, P''",
    SPATIAL: "Spatial gate, P'",
    BEFORE: "Before attention",
    AFTER: "After attention",
}
"""The panels of the row, from left to right, and what stands above each."""


@dataclass(frozen=True)
class Gated:
    """Two feature maps of one size with what gates the second one between them, as keys of a trace.

    Attributes:
        before, after: (C, h, w).
        maps: gates over the face, (h, w); ``channels``: gates over the channels, (C,).
    """

    before: str
    after: str
    maps: tuple[str, ...]
    channels: tuple[str, ...]


def gated(trace: Trace) -> Gated:
    """What gates stand between which features, told by order and size alone: the last gate over the face, the first
    features recorded after it, the last features of the same size before it, and all gates that lie between.

    Raises:
        TraceError: the trace holds no such gate or no features on both sides of it.
    """
    names = list(trace)
    axes = {name: own(trace[name].axes) for name in names}
    sizes = {name: tuple(trace[name].at(batch=0).numpy().shape) for name in names}
    last = max((k for k, name in enumerate(names) if axes[name] == FACE_MAP), default=-1)
    later = [name for name in names[last + 1 :] if axes[name] == FEATURES and sizes[name][1:] == sizes[names[last]]]
    if last < 0 or not later:
        raise TraceError("The trace holds no gate over the face with features that it gates; choose another model.")
    after = later[0]
    first = [k for k in range(last) if axes[names[k]] == FEATURES and sizes[names[k]] == sizes[after]]
    if not first:
        raise TraceError("The trace holds no features from before the gate; choose another model.")
    between = names[first[-1] + 1 : last + 1]
    return Gated(
        names[first[-1]],
        after,
        tuple(n for n in between if axes[n] == FACE_MAP and sizes[n] == sizes[after][1:]),
        tuple(n for n in between if axes[n] == CHANNELS and sizes[n] == sizes[after][:1]),
    )


@dataclass(frozen=True)
class Occlusion:
    """What one reading tells of what is covered. Arrays are float32.

    Attributes:
        tensors: key of :data:`TITLES` -> key of the trace; the photograph has none, and a network without a spatial
            gate beside the map of what is visible lacks that.
        maps: key -> (h, w) of the maps, (C, h, w) of the features.
        gate, gate_tensor: (C,) the channel gate, and its key of the trace; None and "" without one.
        products, products_tensor: (A, A, h, w) the geometry channels A_i times B_j; None and "".
        singular, recovered, low_rank: (R,), (R + 1, N, 2) normalised, and the keys of both in the trace; None and "".
    """

    tensors: dict[str, str]
    maps: dict[str, np.ndarray]
    gate: np.ndarray | None
    gate_tensor: str
    products: np.ndarray | None
    products_tensor: str
    singular: np.ndarray | None
    recovered: np.ndarray | None
    low_rank: str

    def picture(self, key: str, channel: int | None = None) -> np.ndarray:
        """(h, w) of a map; of features one channel, or the mean of the absolute values of all."""
        values = self.maps[key]
        if values.ndim == 2:
            return values
        return np.abs(values).mean(0) if channel is None else values[channel]


def occlusion(reading: Reading) -> Occlusion:
    """Find it in a reading that recorded maps, features, gates, products and ranks.

    Raises:
        TraceError: the answer has no map of what is visible, or the trace no gated features.
    """
    if reading.alignment.visible is None:
        raise TraceError(f"{reading.model_name} does not tell what of a face is visible; choose a model that does.")
    visible = reading.alignment.visible[0].cpu().numpy().astype(np.float32)
    found = gated(reading.trace)
    others = [n for n in found.maps if not np.array_equal(_values(reading, n), visible)]
    own_tap = [n for n in found.maps if n not in others]
    tensors = {VISIBLE: own_tap[0] if own_tap else "alignment.visible", BEFORE: found.before, AFTER: found.after}
    if others:
        tensors[SPATIAL] = others[-1]
    maps = {VISIBLE: visible, **{k: _values(reading, n) for k, n in tensors.items() if k != VISIBLE}}
    gate, products = (found.channels or ("",))[0], _first(reading, PRODUCTS)
    table = _values(reading, products) if products else None
    side = round(len(table) ** 0.5) if table is not None else 0
    singular, recovered = _first(reading, SINGULAR), _first(reading, RECOVERED)
    return Occlusion(
        tensors={key: tensors.get(key, "") for key in TITLES if key == PHOTO or key in tensors},
        maps=maps,
        gate=_values(reading, gate) if gate else None,
        gate_tensor=gate,
        products=None if table is None else table.reshape(side, side, *table.shape[1:]),
        products_tensor=products,
        singular=_values(reading, singular) if singular and recovered else None,
        recovered=_values(reading, recovered) if singular and recovered else None,
        low_rank=f"{singular}, {recovered}" if singular and recovered else "",
    )


def effective_rank(singular: np.ndarray) -> float:
    """exp of the entropy of the singular values as shares of their sum (Roy and Vetterli 2007), two digits kept."""
    share = singular[singular > 0].astype(np.float64) / float(singular.sum())
    return round(float(np.exp(-(share * np.log(share)).sum())), 1)


Box = tuple[float, float, float, float]
"""x, y of the upper left corner, width, height, in [0, 1] of the crop."""


def coverage(shape: tuple[int, ...], box: Box) -> np.ndarray:
    """How much of each cell of a map (h, w) a rectangle covers, in [0, 1]."""
    x, y, width, height = box

    def along(count: int, low: float, long: float) -> np.ndarray:
        edges = np.arange(count + 1) / count
        return np.clip(np.minimum(edges[1:], low + long) - np.maximum(edges[:-1], low), 0, None) * count

    h, w = shape[-2:]
    return np.outer(along(h, y, height), along(w, x, width))


def under(found: Occlusion, plain: Occlusion, box: Box) -> dict[str, tuple[InsideOutside, InsideOutside]]:
    """Means of each map over the face under an occluder and beside it: key -> (covered reading, plain reading)."""
    out = {}
    for key in (VISIBLE, SPATIAL):
        if key in found.maps:
            cells = coverage(found.maps[key].shape, box)
            out[key] = inside_outside(found.maps[key], cells), inside_outside(plain.maps[key], cells)
    return out


def occlusion_facts(
    reading: Reading, found: Occlusion, key: str = VISIBLE, *, span: tuple[float, float] | None = None,
    mode: str = "with", channel: int | None = None, product: int | None = None, rank: int | None = None,
    landmark: int | None = None, occluder: str | None = None, covered: float = 0.0,
) -> Facts:  # fmt: skip
    """Facts of ``system_captions.OCCLUSION``.

    Args:
        key: of :data:`TITLES`, "products", or "row" for all of :data:`TITLES` side by side.
        span: where the scale begins and ends; None for the photograph.
        mode: "with" or "without" the occluder, or the "difference" of both.
        channel: of the features; None for all of them together.
        product: A_i times B_j as i times A plus j; None for all of them together.
        rank: that M is cut to; None for all of it.
        occluder, covered: what covers the crop, and its share of it in [0, 1].
    """
    side = 0 if found.products is None else len(found.products)
    features = key in (BEFORE, AFTER, "row")
    if key == "products":
        tensor, shape = found.products_tensor, () if found.products is None else found.products.shape
    elif key == "row":
        tensor, shape = ", ".join(filter(None, found.tensors.values())), found.maps[AFTER].shape
    else:
        tensor, shape = found.tensors[key], found.maps[key].shape if key in found.maps else ()
    rows, columns = shape[-2:] or (0, 0)
    total = 0 if found.singular is None else len(found.singular)
    return {
        "tensor": tensor or None,
        "key": key,
        "features": features,
        "channel": channel if features else None,
        "channels": shape[0] if features else None,
        "row": None if product is None else product // side,
        "column": None if product is None else product % side,
        "products": side * side,
        "rows": rows,
        "columns": columns,
        "low": span[0] if span else None,
        "high": span[1] if span else None,
        **scale_facts(key, mode if occluder else "plain"),
        "mode": mode if occluder else "plain",
        "occluder": occluder,
        "covered": float(f"{100 * covered:.2g}") if occluder else None,
        "rank": None if rank is None or rank >= total else rank,
        "ranks": total,
        "landmark": named(reading.scheme, landmark),
        "widget": False,
    }


def scale_facts(key: str, mode: str) -> Facts:
    """What the scale of a map is, and which cells are opaque."""
    if mode == "difference":
        return {"scale": "change", "opaque": "larger"}
    whole = key == VISIBLE
    return {
        "scale": "row" if key == "row" else "whole" if whole else "map" if mode == "plain" else "both",
        "opaque": "smaller" if whole else "larger",
    }


def _first(reading: Reading, axes: Axes) -> str:
    return next((name for name, entry in reading.trace.items() if own(entry.axes) == axes), "")


def _values(reading: Reading, name: str) -> np.ndarray:
    return reading.trace[name].at(batch=0).numpy().astype(np.float32)
