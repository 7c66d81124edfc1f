"""Covering a part of a crop, to see what the network does without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw, ImageFilter

from workbench.errors import ImageError

FILLS = {"grey": (128, 128, 128), "black": (0, 0, 0), "white": (255, 255, 255), "skin": (205, 160, 130)}
SHAPES = ("rectangle", "ellipse")
SPECIAL_FILLS = ("noise", "blur")


@dataclass(frozen=True)
class Occluder:
    """A patch over a crop; x, y is its upper left corner and all lengths are in [0, 1] of the crop.

    Attributes:
        x, y, width, height: geometry; it may reach outside.
        fill: "grey", "black", "white", "skin", "noise" or "blur".
        shape: "rectangle" or "ellipse".

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
    o = occluder
    box = [o.x * size, o.y * size, (o.x + o.width) * size, (o.y + o.height) * size]
    canvas = Image.new("1", (size, size))
    draw = ImageDraw.Draw(canvas)
    (draw.ellipse if o.shape == "ellipse" else draw.rectangle)(box, fill=1)
    mask = np.asarray(canvas)
    if o.fill == "noise":
        paint = np.random.default_rng(seed).integers(0, 256, crop.shape, dtype=np.uint8)
    elif o.fill == "blur":
        paint = np.asarray(Image.fromarray(crop).filter(ImageFilter.GaussianBlur(size / 16)))
    else:
        paint = np.broadcast_to(np.array(FILLS[o.fill], np.uint8), crop.shape)
    return np.where(mask[..., None], paint, crop), mask
