"""The Pose view's data: head axes, face confidence, and the features before and after the distance heatmap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.explain.pose import ANGLES, AXES, TITLES, pose
from workbench.explain.system_captions import POSE
from workbench.reading import Reading
from workbench.widgets.board import board, packed
from workbench.widgets.payload import Payload, rounded
from workbench.widgets.selection import Entry, Table, resolve

SELECTION: Table = (
    Entry("map", "photo"),  # what the large face shows
    Entry("channel", index="channel", none="all of them"),  # of the features
    Entry("landmark", index="landmark", none="all of them"),
    Entry("axes", True),
    Entry("points", True),
)


def pose_payload(reading: Reading, selection: Mapping[str, Any] | None = None) -> Payload:
    """What the ``pose`` widget shows.

    Args:
        reading: with the axes that the view records.
        selection: entries of :data:`SELECTION` to start from.

    Raises:
        TraceError: the model gives no pose, or the selection names what is not there.
    """
    found = pose(reading)
    meta, blobs = board(reading, "pose", POSE)
    told, more = packed("pose", found.maps)
    bounds = {"map": list(TITLES), "channel": len(found.maps["after"]), "landmark": reading.scheme.count}
    meta |= {
        "arrays": told,
        "titles": TITLES,
        "tensors": found.tensors,
        "names": list(ANGLES),
        "angles": [round(float(a), 1) for a in found.angles],
        "directions": list(AXES),
        "axes": rounded(found.axes),
        "origin": rounded(found.origin),
        "confidence": round(found.confidence, 4),
        "threshold": found.threshold,
        "floor": found.floor,
        "errors": found.errors,
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, selection, bounds)},
    }
    return {"meta": meta, "blobs": blobs | more}
