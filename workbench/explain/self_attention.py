"""The facial structure prior for the eye: the mask, and what attention leaks from landmarks to the background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.errors import TraceError
from workbench.explain.caption_tables import PRIOR
from workbench.explain.captions import Fact, compose, number


@dataclass(frozen=True)
class Prior:
    """The facial structure prior on a map (Eq 3-5).

    Attributes:
        mask: (H, W), sum of the landmarks' Gaussians; above 1 where they crowd.
        neighbourhood: (H, W) bool, NEI: where the mask is positive.
        caption: sigma, R and the part of the map that NEI covers.
    """

    mask: np.ndarray
    neighbourhood: np.ndarray
    caption: str

    @property
    def share(self) -> float:
        """Part of the map inside the neighbourhood."""
        return float(self.neighbourhood.mean())

    @property
    def chance(self) -> float:
        """What a uniform attention leaks from every landmark: the part of the map outside the neighbourhood."""
        return 1 - float(self.neighbourhood.mean())


@dataclass(frozen=True)
class Leak:
    """What attention from the landmarks' neighbourhoods spends on the background.

    Attributes:
        values: (N,) in [0, 1], NaN for a landmark whose square holds no cell of the map.
        caption: their mean in words.
    """

    values: np.ndarray
    caption: str

    @property
    def mean(self) -> float:
        """Over the landmarks that have a value; NaN when none has."""
        known = self.values[np.isfinite(self.values)]
        return float(known.mean()) if known.size else float("nan")


def landmark_masks(points: np.ndarray, size: int, sigma: float, radius: float) -> np.ndarray:
    """One Gaussian a landmark, cut to a square (Eq 3).

    Args:
        points: (N, 2) in [0, 1] of the crop; cell i of the map has its centre at (i + 0.5) / size.
        size: side of the map.
        sigma: in cells.
        radius: R, half the square's side in cells, its border included.

    Returns:
        (N, size, size).
    """
    offset = np.arange(size) - (np.asarray(points, float)[..., None] * size - 0.5)  # (N, 2, size)
    axis = np.where(np.abs(offset) <= radius, np.exp(-(offset**2) / (2 * sigma**2)), 0.0)
    return axis[:, 1, :, None] * axis[:, 0, None, :]


def structure_prior(points: np.ndarray, size: int, sigma: float = 1.0, radius: float = 3.0) -> Prior:
    """The prior mask of a face and its neighbourhood (Eq 4-5); arguments as in :func:`landmark_masks`."""
    mask = landmark_masks(points, size, sigma, radius).sum(0)
    inside = mask > 0
    facts: dict[str, Fact] = {"sigma": sigma, "radius": radius, "share": round(100 * float(inside.mean()))}
    caption = compose(PRIOR, facts)
    return Prior(mask, inside, caption)


def background_share(attention: np.ndarray, neighbourhood: np.ndarray) -> np.ndarray:
    """What each position's attention spends outside the neighbourhood.

    Args:
        attention: (H, W, H, W), query first; raw products count by their absolute value.
        neighbourhood: (H, W) bool.

    Returns:
        (H, W), a part of the row's sum: in [0, 1]; 0 for a row of zeros.
    """
    weights = np.abs(_checked(attention))
    total = weights.sum((-2, -1))
    outside = np.tensordot(weights, (~neighbourhood).astype(weights.dtype), 2)
    return np.divide(outside, total, out=np.zeros_like(total), where=total > 0)


def leaked_mass(attention: np.ndarray, points: np.ndarray, sigma: float = 1.0, radius: float = 3.0) -> Leak:
    """Leaked mass per landmark: the mean of :func:`background_share` over its square, weighted by its Gaussian.

    Args:
        attention: (H, W, H, W) as recorded, query first.
        points: (N, 2) landmarks in [0, 1] of the crop.
        sigma, radius: of the prior, in cells of the attention's map.

    Raises:
        TraceError: the array is not the attention of a square map.
    """
    size = _checked(attention).shape[0]
    masks = landmark_masks(points, size, sigma, radius)
    share = background_share(attention, masks.sum(0) > 0)
    weight = masks.sum((1, 2))
    values = np.full(len(masks), np.nan)
    np.divide((masks * share).sum((1, 2)), weight, out=values, where=weight > 0)
    leak = Leak(values, "")
    mean = number(leak.mean)
    caption = f"attention leaking from {len(masks)} landmark neighbourhoods to the background: {mean} on average"
    return Leak(values, caption)


def attention_from(attention: np.ndarray, x: float, y: float) -> np.ndarray:
    """What one place of the face attends to.

    Args:
        attention: (H, W, H, W), query first.
        x, y: the place in [0, 1] of the crop; outside it the nearest cell is taken.

    Returns:
        (H, W), the row of the cell the place lies in.
    """
    size = _checked(attention).shape[0]
    column, row = (int(np.clip(np.floor(v * size), 0, size - 1)) for v in (x, y))
    return attention[row, column]


def _checked(attention: np.ndarray) -> np.ndarray:
    shape = attention.shape
    if len(shape) != 4 or len(set(shape)) != 1:
        raise TraceError(
            f"Spatial attention has the axes query_y, query_x, key_y, key_x of one square map, not the shape {shape}; "
            "pick one face with at(batch=0)."
        )
    return attention
