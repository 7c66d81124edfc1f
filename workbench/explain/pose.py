"""Head pose, face confidence, and the distance heatmap that gates what both are read from (ATPN, Fig. 3.1 and 3.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import TraceError
from workbench.explain.facts import Facts, named
from workbench.explain.occlusion import gated
from workbench.landmarks.geometry import rotation

if TYPE_CHECKING:
    from workbench.reading import Reading

ANGLES = ("yaw", "pitch", "roll")
AXES = ("image right", "up", "where the nose points")
"""The three directions of the head that are drawn, and what they are in a face that looks into the camera."""
PHOTO, BEFORE, HEATMAP, AFTER = "photo", "before", "heatmap", "after"
TITLES = {
    PHOTO: "Photograph and pose",
    BEFORE: "Features before",
    HEATMAP: "Distance heatmap H",
    AFTER: "Features after, × H",
}
"""The panels of the row, from left to right."""


@dataclass(frozen=True)
class Pose:
    """What one reading tells of the head's pose.

    Attributes:
        angles: (3,) yaw, pitch, roll in degrees.
        axes: (3, 3) unit vectors of :data:`AXES`, with x to image right, y down, z away from the camera.
        origin: (2,) from where they are drawn, normalised: the middle of the nose's landmarks, or of all.
        confidence: probability of a face.
        threshold, floor: confidence above which a face counts as tracked, and the heatmap's least value (Eq. 3.1).
        maps: "before" and "after" (C, h, w), "heatmap" (h, w).
        tensors: their keys in the trace; "" of the photograph.
        errors: angle -> mean absolute error in degrees on the card's test faces.
    """

    angles: np.ndarray
    axes: np.ndarray
    origin: np.ndarray
    confidence: float
    threshold: float
    floor: float
    maps: dict[str, np.ndarray]
    tensors: dict[str, str]
    errors: dict[str, float]

    def picture(self, key: str, channel: int | None = None) -> np.ndarray:
        """(h, w) of a map; of features one channel, or the mean of the absolute values of all."""
        values = self.maps[key]
        if values.ndim == 2:
            return values
        return np.asarray(np.abs(values).mean(0) if channel is None else values[channel])


def pose(reading: Reading) -> Pose:
    """Find it in a reading that recorded maps and features.

    Raises:
        TraceError: the model gives no pose or no confidence, or the trace holds no gated features.
    """
    answer = reading.alignment
    if answer.pose is None or answer.confidence is None:
        raise TraceError(f"{reading.model_name} tells no head pose; choose a model that does.")
    found = gated(reading.trace)
    radians = answer.pose[0].cpu().numpy().astype(np.float64)
    tensors = {PHOTO: "", BEFORE: found.before, HEATMAP: found.maps[-1], AFTER: found.after}
    nose = [i for i, part in enumerate(reading.scheme.part_of) if part == "nose"]
    points = reading.points()
    rows = {str(row["metric"]): row for row in reading.metrics}
    return Pose(
        np.degrees(radians),
        head_axes(radians),
        (points[nose] if nose else points).mean(0),
        float(answer.confidence[0]),
        float(reading.config.get("threshold", 0.7)),
        float(reading.config.get("floor", 0.0)),
        {k: reading.trace[n].at(batch=0).numpy().astype(np.float32) for k, n in tensors.items() if n},
        tensors,
        {a: float(rows[m]["value"]) for a in ANGLES if (m := f"{a} mean absolute error") in rows},
    )


def head_axes(radians: np.ndarray) -> np.ndarray:
    """(3, 3) the directions of :data:`AXES` of a head with yaw, pitch and roll (3,)."""
    right, up, nose = np.eye(3)[0], -np.eye(3)[1], -np.eye(3)[2]
    return np.stack([right, up, nose]) @ rotation(radians).T


def pose_facts(
    reading: Reading, found: Pose, key: str = PHOTO, *, span: tuple[float, float] | None = None,
    channel: int | None = None, landmark: int | None = None,
) -> Facts:  # fmt: skip
    """Facts of ``system_captions.POSE``.

    Args:
        key: of :data:`TITLES`, or "row" for all of them.
        span: where the scale begins and ends; None for the photograph.
        channel: of the features; None for all of them together.
    """
    features = key in (BEFORE, AFTER, "row")
    shape = found.maps[AFTER].shape
    return {
        "key": key,
        "tensor": ", ".join(filter(None, found.tensors.values())) if key == "row" else found.tensors[key] or None,
        "yaw": round(float(found.angles[0]), 1),
        "pitch": round(float(found.angles[1]), 1),
        "roll": round(float(found.angles[2]), 1),
        "confidence": round(found.confidence, 4),
        "threshold": found.threshold,
        "floor": found.floor,
        "features": features,
        "channel": channel if features else None,
        "channels": shape[0],
        "rows": shape[1],
        "columns": shape[2],
        "low": span[0] if span else None,
        "high": span[1] if span else None,
        "landmark": named(reading.scheme, landmark),
        "widget": False,
    }
