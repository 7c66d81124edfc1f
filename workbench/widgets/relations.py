"""The Relations explorer's data: every attention weight of a reading, and the face it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.errors import TraceError
from workbench.explain.caption_tables import RELATIONS
from workbench.explain.captions import as_meta
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, half, luts, photo, rounded

KINDS = ("cross", "self")
DEFAULTS: Mapping[str, Any] = {
    "kind": "cross",
    "stage": -1,
    "layer": 0,
    "head": None,
    "landmark": None,
    "topk": 3,
    "threshold": 0.0,
    "mode": "lines",
    "direction": "query",
    "own": False,
    "scale": "map",
}
"""State key ``selection`` of the widget, with its defaults.

kind "cross" | "self"; stage, layer from 0 (-1 the last); head from 0 or None for their mean; landmark from 0 or
None; topk partners of each landmark (0: all); threshold a weight; mode "lines" | "best" (one arrow to the strongest
partner, thesis Fig. 4.6); direction "query" | "key"; own whether weights of a landmark on itself are drawn; scale
"map" (colours reach to this map's largest weight) | "all" (to the largest of all stages, layers and heads).
"""
_CHOICES = {"mode": ("lines", "best"), "direction": ("query", "key"), "scale": ("map", "all")}


def relations_payload(reading: Reading, selection: Mapping[str, Any] | None = None) -> Payload:
    """What the ``relations`` widget shows: attention (stage, layer, head, query, key) of each kind, as float16.

    Args:
        reading: of a system whose trace holds ``relation.layers.*``; at most 32 MB of weights fit a page.
        selection: entries of :data:`DEFAULTS` to start from; the rest keep their defaults.

    Raises:
        TraceError: the trace holds no attention, or the selection names what the reading does not have.
    """
    weights = {kind: reading.attention(kind) for kind in KINDS if f"relation.layers.0.{kind}" in reading.trace}
    if not weights:
        raise TraceError(f"The reading of {reading.model_name} holds no attention; read with its relation taps.")
    shape = next(iter(weights.values())).shape
    stages, layers, heads, n = shape[:4]
    chosen = _resolve(dict(selection or {}), list(weights), {"stage": stages, "layer": layers, "head": heads}, n)
    meta = {
        "face": face_meta(reading.scheme),
        "points": [rounded(reading.points(stage)) for stage in range(stages)],
        "kinds": list(weights),
        "shape": [stages, layers, heads, n],
        "tensor": "relation.layers.{layer}.{kind}",
        "caption": as_meta(RELATIONS),
        "title": f"{reading.card_title or reading.model_name}, {reading.face.name}",
        "state": {"selection": chosen},
    }
    blobs = {f"attention.{kind}": half(values) for kind, values in weights.items()}
    side = max(PHOTO_SIDE, reading.input_size)
    return {"meta": meta, "blobs": {"photo": photo(reading.face.crop(side)), **blobs, **luts("inferno")}}


def as_sent(reading: Reading) -> Reading:
    """The reading with its attention rounded to float16, as the widget holds it: what is saved agrees with it."""
    trace = Trace()
    trace.meta = reading.trace.meta
    for name, entry in reading.trace.items():
        held = NamedTensor(entry.tensor.half().double(), entry.axes) if name.endswith(KINDS) else entry
        trace[name] = held
    return replace(reading, trace=trace)


def _resolve(given: dict[str, Any], kinds: list[str], sizes: dict[str, int], n: int) -> dict[str, Any]:
    """The selection with its defaults, negative indices counted from the end, everything within its range."""
    unknown = given.keys() - DEFAULTS.keys()
    if unknown:
        raise TraceError(f"A selection has no '{sorted(unknown)[0]}'; it has {', '.join(DEFAULTS)}.")
    chosen = {**DEFAULTS, "kind": kinds[0], **given}
    for name, choices in {**_CHOICES, "kind": tuple(kinds)}.items():
        if chosen[name] not in choices:
            raise TraceError(f"The {name} '{chosen[name]}' is not there; choose {' or '.join(choices)}.")
    for name, size in {**sizes, "landmark": n}.items():
        value = chosen[name]
        if value is None and name in ("head", "landmark"):
            continue
        if value is None or not -size <= value < size:
            raise TraceError(f"The reading has {size} {name}s (0 to {size - 1}), so {name} {value} is not there.")
        chosen[name] = int(value) % size
    chosen["topk"] = int(np.clip(chosen["topk"], 0, n))
    chosen["threshold"] = float(np.clip(chosen["threshold"], 0, 1))
    chosen["own"] = bool(chosen["own"])
    return chosen
