"""What takes the place of pixels that are covered: the baseline of every attribution."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from workbench.attribution.parts import hull_distance
from workbench.errors import unknown

FILLS = {
    "blur": "a blur of the face",
    "grey": "mid grey",
    "face": "the face's mean colour",
    "black": "black",
    "white": "white",
}
"""Name -> how captions call it."""
_FLAT = {"grey": 128, "black": 0, "white": 255}


def filled(crop: np.ndarray, fill: str, points: np.ndarray) -> np.ndarray:
    """What the crop is replaced by, (S, S, 3) uint8.

    Args:
        crop: (S, S, 3) uint8.
        fill: one of :data:`FILLS`; "blur" is a Gaussian of S/12 pixels, "face" the mean colour inside the landmarks'
            convex hull.
        points: (N, 2) landmarks in pixels of the crop.

    Raises:
        UnknownNameError: no such fill.
    """
    if fill not in FILLS:
        raise unknown("fill", fill, FILLS)
    if fill == "blur":
        return np.asarray(Image.fromarray(crop).filter(ImageFilter.GaussianBlur(crop.shape[0] / 12)))
    if fill == "face":
        inside = hull_distance(points, crop.shape[0]) <= 0
        colour = crop[inside].mean(0) if inside.any() else crop.mean((0, 1))
        return np.broadcast_to(np.round(colour).astype(np.uint8), crop.shape).copy()
    return np.full_like(crop, _FLAT[fill])
