"""The Relations explorer's data: every weight between landmarks of a reading, and the face it belongs to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.explain import can_roll, relation_kind, relation_kinds, rollout
from workbench.explain.caption_tables import RELATIONS
from workbench.explain.captions import as_meta
from workbench.figures import palette
from workbench.reading import Reading
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, half, luts, photo, rounded
from workbench.widgets.selection import Entry, Table, resolve

_AXES = ("stage", "layer", "head")

SELECTION: Table = (
    Entry("kind"),
    Entry("stage", -1, index="stage"),
    Entry("layer", 0, index="layer"),
    Entry("head", index="head", none="the mean of all"),
    Entry("landmark", index="landmark", none="all of them"),
    Entry("topk", 3, between=(0, math.inf)),  # partners of each landmark, 0 for all
    Entry("threshold", 0.0, between=(0, 1)),  # a weight
    # best: one arrow to the strongest partner, thesis Fig. 4.6; heads: the lines of every head, one colour each
    Entry("mode", "lines", ("lines", "best", "heads")),
    Entry("part", ""),  # a facial part whose landmarks alone draw lines; "" for all
    Entry("direction", "query", ("query", "key")),
    Entry("own", False),  # whether weights of a landmark on itself are drawn
    Entry("scale", "map", ("map", "all")),  # colours reach to the largest weight of this map, or of all maps
)


def relations_payload(reading: Reading, selection: Mapping[str, Any] | None = None) -> Payload:
    """What the ``relations`` widget shows: weights (stage, layer, head, query, key) of each kind, as float16.

    Args:
        reading: whose trace holds weights between landmarks; at most 32 MB of them fit a page.
        selection: entries of :data:`SELECTION` to start from; the rest keep their defaults.

    Raises:
        TraceError: the trace holds no such weights, or the selection names what the reading does not have.
    """
    relation_kind(reading)
    kinds = relation_kinds(reading)
    weights = {kind.name: reading.attention(kind.name) for kind in kinds}
    rolled = can_roll(reading)
    if rolled:
        stack = np.stack([rollout(reading, stage).weights for stage in range(reading.stages)])
        weights["rollout"] = stack[:, None, None]
    sizes = {name: values.shape for name, values in weights.items()}
    stages, n = max(size[0] for size in sizes.values()), reading.scheme.count
    bounds: dict[str, Any] = {
        "kind": list(weights),
        **{axis: {"by": "kind", "of": {k: size[i] for k, size in sizes.items()}} for i, axis in enumerate(_AXES)},
        "landmark": n,
        "topk": n,
        "part": ["", *dict.fromkeys(reading.scheme.part_of)],
    }
    bounds["layer"] |= {"first": {kind.name: kind.first for kind in kinds}}  # not one that is idle
    meta = {
        "face": face_meta(reading.scheme),
        "points": [rounded(reading.points(stage if stages == reading.stages else -1)) for stage in range(stages)],
        "kinds": [
            {
                "name": k.name,
                "title": k.title,
                "unit": k.unit,
                "paths": list(k.paths),
                "idle": list(k.idle),
                "even": list(k.even),
                "rolled": False,
                "shape": list(sizes[k.name][:4]),
            }
            for k in kinds
        ]
        + ([_rolled(reading, list(sizes["rollout"][:4]))] if rolled else []),
        "parts": {part: palette.PART_NAMES[part] for part in dict.fromkeys(reading.scheme.part_of)},
        "heads_in": list(palette.HEADS),
        "signed": "difference" in reading.trace.meta,
        "caption": as_meta(RELATIONS),
        "title": f"{reading.card_title or reading.model_name}, {reading.face.name}",
        "stem": reading.stem("relations"),
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, selection, bounds)},
    }
    blobs = {f"attention.{kind}": half(values) for kind, values in weights.items()}
    side = max(PHOTO_SIDE, reading.input_size)
    return {"meta": meta, "blobs": {"photo": photo(reading.face.crop(side)), **blobs, **luts("inferno", "diverging")}}


def _rolled(reading: Reading, shape: list[int]) -> dict[str, Any]:
    """The rollout as a kind of its own, of one layer and head."""
    return {
        "name": "rollout",
        "title": "rollout",
        "unit": "share",
        "paths": [f"attention rollout over {reading.layers} layers (Abnar and Zuidema 2020)"],
        "idle": [],
        "even": [],
        "rolled": True,
        "shape": shape,
    }
