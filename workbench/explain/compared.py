"""Two readings side by side: one scale for the maps of both, and both answers in one frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from workbench.axes import LANDMARK_PAIRS, own
from workbench.landmarks.geometry import apply, similarity

if TYPE_CHECKING:
    from workbench.reading import Reading


def reach(readings: list[Reading], name: str) -> tuple[float, float]:
    """From where to where the values of a tensor go in several readings, zero included; weights between landmarks
    without those of a landmark on itself."""
    low, high = 0.0, 0.0
    for reading in readings:
        entry = reading.trace[name]
        values = entry.numpy()
        if own(entry.axes) in LANDMARK_PAIRS:
            values = np.where(np.eye(values.shape[-1], dtype=bool), 0, values)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    return low, high


def laid_onto(reading: Reading, other: Reading) -> Reading:
    """A reading of another face as if it were of ``other``'s: its landmarks turned, scaled and shifted onto the
    other's with least squares, so that what differs is the shape alone. Its uncertainty, in another face's pixels,
    goes.

    Raises:
        DataError: the readings do not have the same landmarks.
    """
    moved = apply(similarity(reading.points(), other.points()), reading.points()) * other.input_size
    answer = torch.tensor(moved, dtype=torch.float32)[None]
    alignment = replace(reading.alignment, landmarks=answer, stages=None, variance=None, pose=None)
    return replace(reading, face=other.face, input_size=other.input_size, alignment=alignment)
