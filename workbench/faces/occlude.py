"""Covering a part of a crop, to see what the network does without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageFilter

from workbench.errors import ImageError

FILLS = {"grey": (128, 128, 128), "black": (0, 0, 0), "white": (255, 255, 255), "skin": (205, 160, 130)}
SHAPES = ("rectangle", "ellipse", "hand")
SPECIAL_FILLS = ("noise", "blur")

_PALM = (0.53, 0.74, 0.27, 0.26)  # centre and half axes of an ellipse in the unit square
_FINGERS = (  # root, tip and half width of each, thumb first
    (0.34, 0.80, 0.07, 0.52, 0.07),
    (0.36, 0.62, 0.25, 0.17, 0.07),
    (0.47, 0.58, 0.43, 0.07, 0.07),
    (0.59, 0.58, 0.62, 0.10, 0.07),
    (0.71, 0.63, 0.80, 0.24, 0.06),
)


@dataclass(frozen=True)
class Occluder:
    """A patch over a crop; x, y is its upper left corner and all lengths are in [0, 1] of the crop.

    Attributes:
        x, y, width, height: geometry; it may reach outside.
        fill: "grey", "black", "white", "skin", "noise" or "blur".
        shape: "rectangle", "ellipse" or "hand" (a palm with five fingers that point up).

    Raises:
        ImageError: a number that is not finite, a negative size, an unknown fill or shape.
    """

    x: float
    y: float
    width: float
    height: float
    fill: str = "grey"
    shape: str = "rectangle"

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.width, self.height)
        if not np.isfinite(numbers).all() or self.width <= 0 or self.height <= 0:
            raise ImageError("An occluder needs finite numbers and a positive size: draw it again.")
        if self.fill not in (*FILLS, *SPECIAL_FILLS):
            raise ImageError(f"There is no fill '{self.fill}'; choose one of {', '.join((*FILLS, *SPECIAL_FILLS))}.")
        if self.shape not in SHAPES:
            raise ImageError(f"There is no occluder '{self.shape}'; choose one of {', '.join(SHAPES)}.")

    def covers(self, points: ArrayLike) -> np.ndarray:
        """Which of the points (N, 2), in [0, 1] of the crop, lie under it: bool (N,)."""
        p = np.asarray(points, float)
        u = (p[:, 0] - self.x) / self.width
        v = (p[:, 1] - self.y) / self.height
        if self.shape == "ellipse":
            return (2 * u - 1) ** 2 + (2 * v - 1) ** 2 <= 1
        if self.shape == "hand":
            return _hand(u, v)
        return (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)


def occlude(crop: np.ndarray, occluder: Occluder, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Paint an occluder over a crop.

    Args:
        crop: uint8 (S, S, 3); it is not changed.
        occluder: what to paint.
        seed: of the noise, so that the same occluder always looks the same.

    Returns:
        The painted crop, and the mask, bool (S, S).
    """
    size = crop.shape[0]
    rows, columns = np.mgrid[:size, :size]
    mask = occluder.covers(np.stack([columns, rows], -1).reshape(-1, 2) / size).reshape(size, size)
    if occluder.fill == "noise":
        paint = np.random.default_rng(seed).integers(0, 256, crop.shape, dtype=np.uint8)
    elif occluder.fill == "blur":
        paint = np.asarray(Image.fromarray(crop).filter(ImageFilter.GaussianBlur(size / 16)))
    else:
        paint = np.broadcast_to(np.array(FILLS[occluder.fill], np.uint8), crop.shape)
    return np.where(mask[..., None], paint, crop), mask


def _hand(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Which points of the unit square lie on a hand: an ellipse and five rounded bars."""
    x, y, a, b = _PALM
    inside = ((u - x) / a) ** 2 + ((v - y) / b) ** 2 <= 1
    for x0, y0, x1, y1, half in _FINGERS:
        along = ((u - x0) * (x1 - x0) + (v - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
        along = np.clip(along, 0, 1)
        inside |= (u - x0 - along * (x1 - x0)) ** 2 + (v - y0 - along * (y1 - y0)) ** 2 <= half**2
    return inside
