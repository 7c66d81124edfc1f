"""The Attribution view's data: maps of one landmark or of all, what facial parts have of them, and the face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.explain.captions import as_meta
from workbench.explain.why_captions import ATTRIBUTION
from workbench.figures import palette
from workbench.figures.attribution import MOST, parts_title, scale_of, unit_words
from workbench.reading import Reading
from workbench.widgets.inside import scaled_half
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, luts, photo, rounded
from workbench.widgets.selection import Entry, Table, resolve

if TYPE_CHECKING:
    from workbench.attribution import Attribution

SELECTION: Table = (
    Entry("landmark", index="landmark", none="none"),
    Entry("opacity", 0.7, between=(0, 1)),
    Entry("scale", None, (None, "max", "most"), none="the map's own"),
    Entry("points", True),
)
_OWN = ("landmark", "sum", "total", "near", "all")
"""Facts of a caption that differ between landmarks."""


def attribution_payload(reading: Reading, selection: Mapping[str, Any] | None = None) -> Payload:
    """What the ``attribution`` widget shows: maps as float16, the value of each part, and the parts' regions.

    Args:
        reading: an ``AttributionReading``; one without attributions, or any other, shows the face alone, to choose a
            landmark on.
        selection: entries of :data:`SELECTION` to start from.

    Raises:
        TraceError: the selection names what is not there.
    """
    found: dict[int, Attribution] = getattr(reading, "attributions", {})
    bounds = {"landmark": reading.scheme.count}
    given = {"landmark": getattr(reading, "chosen", None), **(selection or {})}
    meta: dict[str, Any] = {
        "face": face_meta(reading.scheme),
        "points": rounded(reading.points()),
        "title": f"{reading.card_title or reading.model_name}, {reading.face.name}",
        "stem": reading.stem("attribution"),
        "caption": as_meta(ATTRIBUTION),
        "maps": None,
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, given, bounds)},
    }
    blobs = {
        "photo": photo(reading.face.crop(max(PHOTO_SIDE, reading.input_size))),
        **luts("inferno", "diverging"),
    }
    if found:
        first = next(iter(found.values()))
        parts = first.parts
        values = np.stack([one.values for one in found.values()])
        blobs["parts"], part_unit = scaled_half(values)
        blobs["regions"] = np.ascontiguousarray(parts.mask).tobytes()
        meta["maps"] = {
            "landmarks": list(found),
            "shape": list(first.map.shape),
            "size": first.input_size,
            "unit": 1.0,
            "partUnit": part_unit,
            "byPart": first.how.parts,
            "names": list(parts.names),
            "colours": [palette.shade(kind) for kind in parts.kinds],
            "title": parts_title(first),
            "method": first.how.title,
            "legend": unit_words(first),
            "scale": scale_of(first),
            "most": MOST,
            "facts": {**{k: v for k, v in first.facts().items() if k not in _OWN}, "widget": True},
            "each": [{k: v for k, v in one.facts().items() if k in _OWN} for one in found.values()],
        }
        if not first.how.parts:
            blobs["values"], meta["maps"]["unit"] = scaled_half(np.stack([one.map for one in found.values()]))
    return {"meta": meta, "blobs": blobs}
