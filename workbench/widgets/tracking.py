"""The Tracking view's data: the frames of a film once, and what was found of every face in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import TraceError
from workbench.explain.captions import as_meta
from workbench.explain.pose import ANGLES, AXES, head_axes
from workbench.explain.system_captions import TRACKING
from workbench.explain.timeline import timeline
from workbench.figures.timeline import ANGLE_COLOURS, STATE_COLOURS
from workbench.reading import Reading
from workbench.widgets.board import exact
from workbench.widgets.payload import Payload, face_meta
from workbench.widgets.selection import Entry, Table, resolve

if TYPE_CHECKING:
    from workbench.tracking import FilmReading, TrackedFrame

SELECTION: Table = (
    Entry("frame", 0, index="frame"),
    Entry("face", 0, index="face"),  # whose numbers are told
    Entry("axes", True),
    Entry("points", True),
)


def tracking_payload(reading: Reading, selection: Mapping[str, Any] | None = None) -> Payload:
    """What the ``tracking`` widget shows. Landmarks and axes travel as float32, ``points.K`` (T, N, 2) in pixels of
    the frames and ``axes.K`` (T, 3, 3) with what is not there as NaN; ``frames`` holds the JPEGs one after the other.

    Args:
        reading: a ``FilmReading``.
        selection: entries of :data:`SELECTION` to start from.

    Raises:
        TraceError: another reading, or the selection names what is not there.
    """
    if not hasattr(reading, "pictures"):
        raise TraceError("This reading is of one face: follow a film first.")
    film: FilmReading = reading  # type: ignore[assignment]
    bounds = {"frame": len(film.pictures), "face": len(film.faces)}
    blobs = {"frames": b"".join(film.pictures)}
    for k, frames in enumerate(film.faces):
        none = np.full((film.scheme.count, 2), np.nan)
        blobs[f"points.{k}"] = exact(np.stack([none if f.landmarks is None else f.landmarks for f in frames]))
        still = np.full((3, 3), np.nan)
        blobs[f"axes.{k}"] = exact(np.stack([still if f.pose is None else head_axes(f.pose) for f in frames]))
    small, first = film.picture(0).size, film.faces[0]
    nose = [i for i, part in enumerate(film.scheme.part_of) if part == "nose"]
    meta = {
        "face": face_meta(film.scheme),
        "nose": nose or list(range(film.scheme.count)),
        "lengths": [len(picture) for picture in film.pictures],
        "size": list(film.size),
        "shown": small[0] if small != film.size else None,
        "times": None if first[0].time is None else [round(f.time or 0.0, 4) for f in first],
        "files": [f.name for f in first] if first[0].name else None,
        "searched": [f.searched for f in first],
        "faces": [_series(frames) for frames in film.faces],
        "names": list(ANGLES),
        "directions": list(AXES),
        "states": STATE_COLOURS,
        "angleColours": list(ANGLE_COLOURS.values()),
        "threshold": film.threshold,
        "cut": film.cut,
        "caption": as_meta(TRACKING),
        "title": f"{film.card_title or film.model_name}, {film.film}",
        "stem": film.stem("tracking"),
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, selection, bounds)},
    }
    return {"meta": meta, "blobs": blobs}


def _series(frames: tuple[TrackedFrame, ...]) -> dict[str, Any]:
    """One face over time; None for what is not there."""
    found = timeline(frames)

    def plain(values: np.ndarray, digits: int) -> list[Any]:
        return [None if np.isnan(v) else round(float(v), digits) for v in values]

    return {
        "states": list(found.states),
        "confidence": [None if f.region is None else round(f.confidence, 4) for f in frames],  # of what was read
        "angles": [plain(found.angles[:, k], 2) for k in range(3)],
        "jitter": plain(found.jitter, 4),
        "regions": [None if f.region is None else [round(v, 2) for v in f.region] for f in frames],
    }
