"""What maps over the face do where something covers it: AODN's spatial gate and kept-signal map (Eq. 4, 6, 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import TraceError

MAPS = {"attention.gate.spatial": "spatial gate P'", "attention.plain": "visibility map P''"}
"""AODN's single-channel maps: tap -> what it is."""


@dataclass(frozen=True)
class InsideOutside:
    """Mean of a map under an occluder and beside it; NaN where there is nothing to average.

    Attributes:
        inside, outside: means weighted by how much of each cell is covered, and by how much is not.
    """

    inside: float
    outside: float


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
    return InsideOutside(_mean(cells, weight), _mean(cells, 1 - weight))


def _mean(values: np.ndarray, weight: np.ndarray) -> float:
    total = float(weight.sum())
    return float((values * weight).sum() / total) if total > 0 else float("nan")
