"""What tracking did over time: how a face was found, how much its landmarks tremble, and the whole in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError
from workbench.explain.pose import ANGLES

if TYPE_CHECKING:
    from workbench.explain.facts import Facts
    from workbench.tracking import FilmReading, TrackedFrame

STATES = ("detected", "tracked", "lost")
AWAY = "away"
"""The state of a further face before it turned up, which no count holds."""


@dataclass(frozen=True)
class Timeline:
    """Tracked frames as arrays over T frames.

    Attributes:
        states: of :data:`STATES` or :data:`AWAY`, one a frame.
        searched: bool (T,), whether the detector ran.
        confidence: (T,).
        angles: (T, 3) yaw, pitch, roll in degrees, NaN where there are none.
        jitter: (T,) see :func:`jitter`.
    """

    states: tuple[str, ...]
    searched: np.ndarray
    confidence: np.ndarray
    angles: np.ndarray
    jitter: np.ndarray

    def caption(self, threshold: float) -> str:
        """How often the face was detected, tracked and lost, and how much it trembled."""
        counts = {state: self.states.count(state) for state in STATES}
        parts = [
            f"{len(self.states)} frames: {counts['tracked']} tracked from the frame before, "
            f"{counts['detected']} found by the detector, {counts['lost']} lost",
            f"tracked above a confidence of {threshold:g}",
            "angles in degrees, positive to image right, up, clockwise on the screen",
        ]
        if np.isfinite(self.jitter).any():
            parts.append(
                "jitter: mean distance of the landmarks from midway between the frames before and after, in % of the "
                f"face's longer side; {np.nanmean(self.jitter):.2f} % on average"
            )
        return " · ".join(parts)


def timeline(frames: Sequence[TrackedFrame]) -> Timeline:
    """Tracked frames as arrays. Raises DataError when there is none."""
    if not frames:
        raise DataError("There is no tracked frame to show: give a video with at least one.")
    none = np.full(3, np.nan)
    return Timeline(
        tuple(frame.state for frame in frames),
        np.array([frame.searched for frame in frames]),
        np.array([frame.confidence for frame in frames], float),
        np.stack([none if frame.pose is None else np.degrees(frame.pose) for frame in frames]),
        jitter([frame.landmarks for frame in frames]),
    )


def jitter(places: Sequence[np.ndarray | None]) -> np.ndarray:
    """How much landmarks tremble: even motion leaves nothing.

    Args:
        places: landmarks (N, 2) of each frame, None where the face was lost.

    Returns:
        (T,) mean distance of the landmarks from midway between those of the frame before and the frame after, in
        percent of the longer side of their tight box; NaN at both ends and beside a lost frame.
    """
    out = np.full(len(places), np.nan)
    for k in range(1, len(places) - 1):
        before, now, after = places[k - 1], places[k], places[k + 1]
        if before is None or now is None or after is None:
            continue
        side = float(np.ptp(now, axis=0).max())
        if side > 0:
            out[k] = 100 * np.linalg.norm(now - (before + after) / 2, axis=1).mean() / side
    return out


def row(frame: TrackedFrame) -> dict[str, Any]:
    """One frame in plain values: seconds, angles in degrees, landmarks in pixels of the frame; ``time`` where the film
    tells it, ``file`` where the frame has a file of its own."""
    pose = [None] * 3 if frame.pose is None else [round(float(v), 2) for v in np.degrees(frame.pose)]
    return {
        "frame": frame.index,
        **({} if frame.time is None else {"time": round(frame.time, 3)}),
        **({"file": frame.name} if frame.name else {}),
        "state": frame.state,
        "searched": frame.searched,
        "confidence": round(float(frame.confidence), 4),
        "yaw": pose[0],
        "pitch": pose[1],
        "roll": pose[2],
        "landmarks": None if frame.landmarks is None else frame.landmarks.round(2).tolist(),
    }


def flat(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with their landmarks as x0, y0, x1, ... (empty where the face is lost), for CSV."""
    count = max((len(one["landmarks"]) for one in rows if one["landmarks"]), default=0)
    names = [f"{axis}{i}" for i in range(count) for axis in "xy"]
    out = []
    for one in rows:
        facts = {name: value for name, value in one.items() if name != "landmarks"}
        points = [v for point in one["landmarks"] or [] for v in point] or [None] * len(names)
        out.append({**facts, **dict(zip(names, points, strict=True))})
    return out


def tracking_facts(reading: FilmReading, frame: int = 0, face: int = 0) -> Facts:
    """The facts of ``system_captions.TRACKING`` for one frame of a film and one face."""
    frames = reading.faces[face]
    one, found = frames[frame], timeline(frames)
    angles, trembles = found.angles[frame], float(found.jitter[frame])
    shown = reading.picture(frame).width
    return {
        "frame": frame,
        "frames": len(frames),
        "cut": reading.cut,
        "time": one.time,
        "file": one.name or None,
        "face": face + 1,
        "faces": len(reading.faces),
        "state": one.state,
        "read": one.region is not None,
        "confidence": round(one.confidence, 4),
        "threshold": reading.threshold,
        **dict(zip(ANGLES, (None if np.isnan(v) else round(float(v), 2) for v in angles), strict=True)),
        "jitter": None if np.isnan(trembles) else round(trembles, 4),
        **{state: found.states.count(state) for state in STATES},
        "shown": None if shown == reading.size[0] else shown,
        "wide": reading.size[0],
    }
