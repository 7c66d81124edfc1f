"""The Prompts view's data: where each point of a structure prompt looks, its path over the layers, and the plane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.explain.caption_tables import PROMPTS
from workbench.explain.captions import as_meta
from workbench.explain.prompts import FAR, LATTICE, looks, plane_of, prompts_facts
from workbench.reading import Reading
from workbench.widgets.inside import scaled_half
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, luts, photo, rounded
from workbench.widgets.selection import Entry, Table, resolve

if TYPE_CHECKING:
    from workbench.shaping import ShapeReading

SELECTION: Table = (
    Entry("landmark", index="landmark", none="none"),
    Entry("layer", -1, index="layer"),
    Entry("head", index="head", none="the mean of all"),
    Entry("opacity", 0.75, between=(0, 1)),
    Entry("scale", "map", ("map", "all")),  # colours reach to the largest weight here, or of all maps of this point
    Entry("paths", True),  # whether every point's way over the layers is drawn, not the chosen one's alone
)


def prompts_payload(
    reading: Reading,
    selection: Mapping[str, Any] | None = None,
    beside: Reading | None = None,
    lattice: ShapeReading | None = None,
) -> Payload:
    """What the ``prompts`` widget shows: the weights (head, landmark, y, x) of every layer as float16.

    Args:
        reading: whose trace holds where each landmark looks.
        selection: entries of :data:`SELECTION` to start from; the landmark in the middle by default.
        beside: the same face read with another convention's prompt.
        lattice: ``explain.prompts.lattice_points`` found on the face.

    Raises:
        TraceError: the trace does not hold that, or the selection names what is not there.
    """
    layers, plane, points = looks(reading), plane_of(reading), reading.points()
    bounds = {"landmark": reading.scheme.count, "layer": len(layers), "head": min(len(v) for _, v in layers)}
    middle = int(np.linalg.norm(points - points.mean(0), axis=1).argmin())
    shown, blobs = [], {}
    for at, (path, values) in enumerate(layers):
        blobs[f"look.{at}"], unit = scaled_half(values)
        shown.append({"path": path, "shape": list(values.shape), "unit": unit})
    facts = prompts_facts(reading, lattice=lattice is not None, beside=beside)
    meta = {
        "face": face_meta(reading.scheme),
        "points": rounded(points),
        "path": rounded(reading.trajectory(), 4),
        "layers": shown,
        "plane": {
            "after": rounded(plane.after),
            "before": None if plane.before is None else rounded(plane.before),
            "away": rounded(getattr(reading, "away", np.zeros(len(points))), 4),
        },
        "beside": None
        if beside is None
        else {
            "face": face_meta(beside.scheme),
            "points": rounded(beside.points()),
            "after": rounded(plane_of(beside).after),
        },
        "lattice": None
        if lattice is None
        else {
            "side": LATTICE,
            "plane": rounded(lattice.drawing.points),
            "points": rounded(lattice.points()),
            "away": rounded(lattice.away, 4),
        },
        "far": FAR,
        "size": reading.input_size,
        "caption": as_meta(PROMPTS),
        "facts": {**facts, "widget": True},
        "title": f"{reading.card_title or reading.model_name}, {reading.face.name}",
        "stem": reading.stem("prompts"),
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, {"landmark": middle, **(selection or {})}, bounds)},
    }
    crop = photo(reading.face.crop(max(PHOTO_SIDE, reading.input_size)))
    return {"meta": meta, "blobs": {"photo": crop, **blobs, **luts("inferno")}}
