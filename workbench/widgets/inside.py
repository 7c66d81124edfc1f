"""The Inside view's data: one recorded tensor, the face it belongs to, and the landmarks' trajectory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.errors import TraceError
from workbench.explain.caption_tables import INSIDE
from workbench.explain.captions import as_meta
from workbench.explain.inside import GRIDS, Stack, stack
from workbench.reading import Reading
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, half, luts, photo, rounded
from workbench.widgets.selection import Entry, Table, resolve

SELECTION: Table = (
    Entry("stage", index="stage", none="the last"),
    Entry("head", index="head", none="the mean of all"),
    Entry("landmark", index="landmark", none="all of them"),
    Entry("channel", index="channel", none="all of them"),
    Entry("step", index="step", none="the answer"),  # of the trajectory, 0 the mean shape
    Entry("opacity", 0.7, between=(0, 1)),
    # Colours reach from 0, or from the least ("range"), to the largest value of this map, or of all of this tensor.
    Entry("scale", "map", ("map", "range", "all")),
    Entry("topk", 3, between=(0, math.inf)),  # lines a landmark, 0 for all
    Entry("points", True),
)
LARGEST = 12_000_000
"""Values that one page takes (24 MB as float16)."""
_ATTENTION = ("landmark_to_map", "spatial_attention", "landmark_pairs")


def inside_payload(reading: Reading, name: str, selection: Mapping[str, Any] | None = None) -> Payload:
    """What the ``inside`` widget shows: one tensor as float16 in the layout of ``explain.inside.Stack``.

    Args:
        reading: whose trace holds the tensor.
        name: its key in the trace; "" shows the landmarks and their trajectory alone.
        selection: entries of :data:`SELECTION` to start from.

    Raises:
        TraceError: there is no such tensor, it is too large for a page, or the selection names what is not there.
    """
    steps, ends = _trajectory(reading)
    meta: dict[str, Any] = {
        "face": face_meta(reading.scheme),
        "steps": steps,
        "ends": ends,
        "tensor": None,
        "signed": "difference" in reading.trace.meta,
        "caption": as_meta(INSIDE),
        "title": f"{reading.card_title or reading.model_name}, {reading.face.name}",
        "stem": reading.stem(name.replace(".", "-") or "trajectory"),
        "bounds": {"landmark": reading.scheme.count, "step": len(steps)},
    }
    side = max(PHOTO_SIDE, reading.input_size)
    blobs = {"photo": photo(reading.face.crop(side)), **luts("inferno", "diverging", "cividis")}
    if name:
        found = stack(reading, name)
        blobs["values"], unit = scaled_half(found.values)
        meta["tensor"] = _tensor(found, unit, reading)
        meta["bounds"] |= {"stage": found.stages, "head": found.heads}
        if meta["tensor"]["items"] == "channel":
            meta["bounds"]["channel"] = found.values.shape[2]
    meta["state"] = {"selection": resolve(SELECTION, selection, meta["bounds"])}
    return {"meta": meta, "blobs": blobs}


def scaled_half(values: np.ndarray) -> tuple[bytes, float]:
    """Values as float16 after a division by a power of two, and that power.

    The largest one then lies near 2**14, so that 11 significant bits are kept down to a 2**28th of it.
    """
    top = float(np.abs(values).max(initial=0.0))
    unit = 2.0 ** (int(np.floor(np.log2(top))) - 14) if top > 0 else 1.0
    return half(np.asarray(values, np.float64) / unit), unit


def _trajectory(reading: Reading) -> tuple[list[dict[str, Any]], list[int]]:
    """The trajectory as {text, points}, and after which step each stage ends; one step for a single answer."""
    if reading.alignment.stages is None:
        return [{"text": "the answer", "points": rounded(reading.points())}], [0]
    path, layers = reading.trajectory(), reading.layers
    words = ["mean face"]
    for step in range(len(path) - 1):
        layer = f", layer {step % layers + 1}" if layers > 1 else ""
        words.append(f"stage {step // layers + 1} of {reading.stages}{layer}")
    steps = [{"text": text, "points": rounded(points)} for text, points in zip(words, path, strict=True)]
    return steps, [layers * (stage + 1) for stage in range(reading.stages)]


def _tensor(found: Stack, unit: float, reading: Reading) -> dict[str, Any]:
    if found.values.size > LARGEST:
        raise TraceError(
            f"{found.map.name} holds {found.values.size / 1e6:.0f} million values, too many for a page: take another."
        )
    kind = found.map.kind
    out: dict[str, Any] = {
        "name": found.map.name,
        "kind": "grid" if kind == "spatial_attention" else kind,
        "words": found.map.words,
        "axes": list(found.map.axes),
        "shape": list(found.values.shape),
        "unit": unit,
        "done": found.done,
        "value": _value(kind, "difference" in reading.trace.meta),
        "items": ""
        if kind not in GRIDS or kind in ("grid", "spatial_attention")
        else "channel"
        if kind == "channels"
        else "landmark",
    }
    rects = reading.alignment.rects
    if kind == "patches" and rects is not None and rects.shape[0] == found.stages:
        out["rects"] = rounded(reading.rects())
    return out


def _value(kind: str, change: bool) -> str:
    value = "attention weight" if kind in _ATTENTION else "value"
    return f"change of {value}" if change else value
