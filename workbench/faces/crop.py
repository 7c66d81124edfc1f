"""The crop: a box around the landmarks, a square around the box, a small picture, and the way back.

The rule of SLPT, DSLPT and TUFA: the square has `CROP_FACTOR` times the longer side of the landmarks' tight box,
shares its centre, and is warped to size x size pixels so that its centre lands on (size/2, size/2). Pixel centres lie
at integers in the photograph and in the crop, so a crop pixel is size x normalised with no half-pixel term.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from workbench.errors import ImageError
from workbench.landmarks.geometry import CROP_FACTOR, apply, invert

__all__ = ["CROP_FACTOR", "Box", "apply", "check_box", "crop_affine", "invert", "sample", "square", "tight_box"]

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the photograph."""

_SMALLEST_BOX = 4.0  # pixels: less holds no face


def tight_box(points: ArrayLike) -> Box:
    """The smallest box around landmarks (N, 2); NaN points are left out.

    Raises `ImageError` when no point is known.
    """
    array = np.asarray(points, float).reshape(-1, 2)
    known = array[np.isfinite(array).all(1)]
    if not len(known):
        raise ImageError("No landmark is known, so there is no box around them.")
    (x0, y0), (x1, y1) = known.min(0), known.max(0)
    return float(x0), float(y0), float(x1), float(y1)


def four_numbers(box: Sequence[float] | np.ndarray) -> Box:
    """A box as four floats. Raises `ImageError` when it is something else."""
    try:
        x0, y0, x1, y1 = (float(value) for value in box)
    except (TypeError, ValueError):
        raise ImageError(f"A box is four numbers x0, y0, x1, y1, not {box!r}.") from None
    return x0, y0, x1, y1


def check_box(box: Sequence[float] | np.ndarray, width: int, height: int) -> Box:
    """The box as four floats, if it can hold a face of a width x height photograph.

    A box may reach outside the photograph (a face cut by its border), but its centre may not.

    Raises `ImageError` when it has not four finite numbers, is reversed or empty, or lies outside.
    """
    x0, y0, x1, y1 = four_numbers(box)
    if not all(math.isfinite(value) for value in (x0, y0, x1, y1)):
        raise ImageError("A box needs finite numbers x0, y0, x1, y1: draw it again.")
    if x1 <= x0 or y1 <= y0:
        raise ImageError("The box is empty or reversed: x0, y0 is its upper left corner, x1, y1 its lower right one.")
    if max(x1 - x0, y1 - y0) < _SMALLEST_BOX:
        raise ImageError(f"The box is too small: draw one of at least {_SMALLEST_BOX:.0f} pixels around the face.")
    if not (-0.5 <= (x0 + x1) / 2 <= width - 0.5 and -0.5 <= (y0 + y1) / 2 <= height - 0.5):
        raise ImageError(f"The box lies outside the photograph of {width} x {height} pixels: draw it on the face.")
    if max(x1 - x0, y1 - y0) > 4 * max(width, height):
        raise ImageError("The box is far larger than the photograph: draw it around the face.")
    return x0, y0, x1, y1


def square(box: Sequence[float], factor: float = CROP_FACTOR) -> tuple[np.ndarray, float]:
    """Centre (2,) and side, in photo pixels, of the square that is cropped for a box."""
    x0, y0, x1, y1 = box
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2]), factor * max(x1 - x0, y1 - y0)


def crop_affine(box: Sequence[float], factor: float = CROP_FACTOR, size: int = 256) -> np.ndarray:
    """The (2, 3) map from photo pixels to crop pixels: `square` onto 0..size, centre onto (size/2, size/2)."""
    centre, side = square(box, factor)
    scale = size / side
    return np.column_stack([np.eye(2) * scale, size / 2 - centre * scale])


def sample(photo: Image.Image, affine: ArrayLike, size: int | tuple[int, int] = 256) -> np.ndarray:
    """The crop under a (2, 3) map from photo to crop pixels, rotation and shear allowed.

    Bilinear; black outside the photograph, as in the papers' zero border. Where a crop pixel spans two or more photo
    pixels they are averaged first, so that a large photo does not alias.

    Args:
        photo: RGB.
        affine: photo pixels -> crop pixels.
        size: the crop's side, or (width, height).

    Returns:
        uint8 (height, width, 3).
    """
    width, height = (size, size) if isinstance(size, int) else size
    back = invert(affine)
    corners = apply(back, [(-1, -1), (width, -1), (-1, height), (width, height)])
    low = np.clip(np.floor(corners.min(0)) - 2, 0, photo.size).astype(int)
    high = np.clip(np.ceil(corners.max(0)) + 3, 0, photo.size).astype(int)
    if (high <= low).any():
        return np.zeros((height, width, 3), np.uint8)
    step = max(1, int(math.sqrt(abs(np.linalg.det(back[:, :2]))) + 1e-6))  # photo pixels along a crop pixel
    region = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    part = photo.reduce(step, region) if step > 1 else photo.crop(region)
    # Pillow counts from pixel corners: there, a pixel's centre lies half a pixel further.
    linear = back[:, :2]
    shift = (back[:, 2] + 0.5 - linear @ [0.5, 0.5] - low) / step
    (a, b), (d, e) = linear / step
    coefficients = (float(a), float(b), float(shift[0]), float(d), float(e), float(shift[1]))
    crop = part.transform(
        (width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR, fillcolor=(0, 0, 0)
    )
    return np.array(crop)
