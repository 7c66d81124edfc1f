"""Mean and deviation of what comes in batches."""

from __future__ import annotations

import numpy as np


class Moments:
    """Mean and deviation of arrays that come in batches (Chan et al. 1979), in float64.

    Values that are NaN are left out, entry by entry.
    """

    def __init__(self, count: np.ndarray, mean: np.ndarray, squares: np.ndarray) -> None:
        self.count, self.mean, self.squares = count, mean, squares

    @classmethod
    def like(cls, shape: tuple[int, ...]) -> Moments:
        """Of no array yet."""
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape))

    def add(self, values: np.ndarray) -> None:
        """Take in a batch (B, ...)."""
        known = np.isfinite(values)
        count = known.sum(0)
        some = np.maximum(count, 1)
        mean = np.where(known, values, 0).sum(0, dtype=np.float64) / some
        squares = np.where(known, (values - mean) ** 2, 0).sum(0, dtype=np.float64)
        self.merge(Moments(count, mean, squares))

    def merge(self, other: Moments) -> None:
        """Take in what another has taken in."""
        total = self.count + other.count
        share = other.count / np.maximum(total, 1)
        apart = other.mean - self.mean
        self.squares = self.squares + other.squares + apart**2 * self.count * share
        self.mean = self.mean + apart * share
        self.count = total

    @property
    def deviation(self) -> np.ndarray:
        """Over all that was taken in (divided by their number)."""
        return np.sqrt(self.squares / np.maximum(self.count, 1))
