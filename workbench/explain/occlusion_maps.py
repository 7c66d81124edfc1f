"""What maps over the face do where something covers it: AODN's spatial gate and kept-signal map (Eq. 4, 6, 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import TraceError

if TYPE_CHECKING:
    from workbench.reading import Reading

MAPS = {"attention.gate.spatial": "spatial gate P'", "attention.plain": "kept signal P''"}
"""AODN's single-channel maps: tap -> what it is."""


@dataclass(frozen=True)
class InsideOutside:
    """Mean of a map under an occluder and beside it; NaN where there is nothing to average.

    Attributes:
        inside, outside: means weighted by how much of each cell is covered, and by how much is not.
        area: covered part of the map, in [0, 1].
    """

    inside: float
    outside: float
    area: float

    @property
    def ratio(self) -> float:
        """Inside over outside; below one where the map turns away from what is covered."""
        return self.inside / self.outside if self.outside else float("nan")


@dataclass(frozen=True)
class CoverEffect:
    """A map before and after something covers the face.

    Attributes:
        difference: (h, w), after minus before, in the map's own unit.
        limit: its largest absolute value, for a scale centred on zero.
        before, after: means inside and outside the covered part.
        caption: what was compared, in words.
    """

    difference: np.ndarray
    limit: float
    before: InsideOutside
    after: InsideOutside
    caption: str

    @property
    def change(self) -> float:
        """By how much more the inside changed than the outside: negative where the map turns away."""
        return (self.after.inside - self.before.inside) - (self.after.outside - self.before.outside)


def rectangle_coverage(shape: tuple[int, int], rectangle: ArrayLike) -> np.ndarray:
    """How much of each cell of a map lies in a rectangle.

    Args:
        shape: (h, w) of the map, which spans the whole crop.
        rectangle: x0, y0, x1, y1 in [0, 1] of the crop; parts outside the crop do not count.

    Returns:
        (h, w) in [0, 1], exact.

    Raises:
        TraceError: not four finite numbers in order.
    """
    corners = np.asarray(rectangle, float).reshape(-1)
    if corners.shape != (4,) or not np.isfinite(corners).all() or (corners[2:] < corners[:2]).any():
        raise TraceError(f"A rectangle needs x0, y0, x1, y1 with x0 <= x1 and y0 <= y1, not {corners.tolist()}.")
    x0, y0, x1, y1 = corners
    return np.outer(_overlap(shape[0], y0, y1), _overlap(shape[1], x0, x1))


def mask_coverage(shape: tuple[int, int], mask: ArrayLike) -> np.ndarray:
    """How much of each cell of a map a mask covers.

    Args:
        shape: (h, w) of the map, which spans the whole crop.
        mask: bool (S, S) over the crop, as :func:`workbench.faces.occlude.occlude` returns it; S is a multiple of h
            and w.

    Returns:
        (h, w) in [0, 1].

    Raises:
        TraceError: a mask whose size is no multiple of the map's.
    """
    covered = np.asarray(mask, float)
    if covered.ndim != 2 or covered.shape[0] % shape[0] or covered.shape[1] % shape[1]:
        raise TraceError(
            f"A mask of shape {covered.shape} cannot be laid over a map of {shape[0]} x {shape[1]} cells."
        )
    rows, columns = covered.shape[0] // shape[0], covered.shape[1] // shape[1]
    return covered.reshape(shape[0], rows, shape[1], columns).mean((1, 3))


def inside_outside(values: ArrayLike, coverage: ArrayLike) -> InsideOutside:
    """Means of a map (h, w) weighted by ``coverage`` (h, w) and by one minus it.

    Raises:
        TraceError: shapes that differ.
    """
    cells, weight = np.asarray(values, float), np.asarray(coverage, float)
    if cells.ndim != 2 or cells.shape != weight.shape:
        raise TraceError(f"A map {cells.shape} and a coverage {weight.shape} must have the same two axes.")
    return InsideOutside(_mean(cells, weight), _mean(cells, 1 - weight), float(weight.mean()))


def cover_effect(before: ArrayLike, after: ArrayLike, coverage: ArrayLike, what: str = "the map") -> CoverEffect:
    """What covering a part of the face does to a map.

    Args:
        before, after: (h, w), the map of the face as it is and of the same face covered.
        coverage: (h, w), see :func:`rectangle_coverage` and :func:`mask_coverage`.
        what: name of the map, for the caption.

    Raises:
        TraceError: shapes that differ.
    """
    first, second = inside_outside(before, coverage), inside_outside(after, coverage)
    difference = np.asarray(after, float) - np.asarray(before, float)
    caption = (
        f"{what}, covered minus uncovered; mean under the occluder {first.inside:.3f} -> {second.inside:.3f}, "
        f"beside it {first.outside:.3f} -> {second.outside:.3f}"
    )
    return CoverEffect(difference, float(np.abs(difference).max()), first, second, caption)


def reading_effect(
    before: Reading, after: Reading, coverage_of: ArrayLike, tap: str = "attention.gate.spatial"
) -> CoverEffect:
    """:func:`cover_effect` of two readings of one crop, uncovered and covered.

    Args:
        before, after: readings whose traces hold ``tap`` with the axes y, x.
        coverage_of: x0, y0, x1, y1 in [0, 1] of the crop, or a bool mask (S, S) over it.
        tap: which map.

    Raises:
        TraceError: a trace without the tap, a tap that is no single-channel map, an occluder that does not fit.
    """
    first, second = single_map(before, tap), single_map(after, tap)
    shape = (first.shape[0], first.shape[1])
    flat = np.asarray(coverage_of).ndim == 1
    coverage = rectangle_coverage(shape, coverage_of) if flat else mask_coverage(shape, coverage_of)
    return cover_effect(first, second, coverage, f"{MAPS.get(tap, 'map')} ({tap})")


def single_map(reading: Reading, tap: str) -> np.ndarray:
    """A recorded map (h, w) of the reading's face. Raises TraceError when the tap is missing or has other axes."""
    entry = reading.trace[tap]
    if entry.axes != ("batch", "y", "x"):
        raise TraceError(f"'{tap}' has the axes {', '.join(entry.axes)}; a map over the face has y and x alone.")
    return entry.at(batch=0).numpy()


def _overlap(count: int, low: float, high: float) -> np.ndarray:
    """Part of each of ``count`` equal cells of [0, 1] that lies between ``low`` and ``high``."""
    edges = np.arange(count + 1) / count
    return np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None) * count


def _mean(values: np.ndarray, weight: np.ndarray) -> float:
    total = float(weight.sum())
    return float((values * weight).sum() / total) if total > 0 else float("nan")
