"""Facial parts as regions of a crop, for every scheme: made from the scheme's groups and the landmarks themselves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from workbench.landmarks import Scheme

REST = "rest"
"""Everything that belongs to no part: forehead, cheeks, hair, background."""
REACH = 0.055
"""How far a part reaches beyond its landmarks, in parts of the diagonal of the landmarks' box."""
_PARTS = {
    "eyes": ("eyes",),
    "brows": ("brows",),
    "nose": ("nose",),
    "mouth": ("outer_lip", "inner_lip"),
    "jaw": ("jaw",),
}
_MOST = 5
_SOLID = ("nose", "mouth")


@dataclass(frozen=True)
class Parts:
    """A crop cut into regions that leave nothing out.

    Attributes:
        names: of the P regions, :data:`REST` the last: six where a scheme has eyes, brows, nose, mouth and jaw.
        kinds: for each the part of ``landmarks.PARTS`` whose colour it has.
        mask: (S, S) uint8, index of the region of every pixel.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    mask: np.ndarray

    def coalition(self, present: np.ndarray) -> np.ndarray:
        """(S, S) bool: the pixels of the regions that are absent from (P,) bool."""
        return ~np.asarray(present, bool)[self.mask]

    def mean(self, values: np.ndarray) -> np.ndarray:
        """(P,) mean over each region of a map (h, w) that covers the crop; 0 for a region without a pixel."""
        rows, columns = (np.arange(len(self.mask)) * side // len(self.mask) for side in values.shape)
        fine = values[np.ix_(rows, columns)].ravel()
        count = np.bincount(self.mask.ravel(), minlength=len(self.names))
        total = np.bincount(self.mask.ravel(), weights=fine, minlength=len(self.names))
        return np.asarray(total / np.maximum(count, 1))


def facial_parts(scheme: Scheme, points: np.ndarray, size: int) -> Parts:
    """Cut a crop into facial parts: every pixel goes to the nearest part within :data:`REACH`, or to the rest.

    Nose and mouth are the convex hulls of their landmarks, closed lines what they enclose, other lines themselves. A
    scheme without such parts is cut by its first five groups, one without groups into quarters of the landmarks' box.

    Args:
        points: (N, 2) landmarks in pixels of the crop.
        size: side S of the crop in pixels.
    """
    found: list[tuple[str, str, np.ndarray]] = []
    for name, kinds in _PARTS.items():
        groups = [group for group in scheme.groups if group.part in kinds]
        alone = [i for i, part in enumerate(scheme.part_of) if part in kinds]
        if not groups and not alone:
            continue
        if name in _SOLID:
            away = hull_distance(points[sorted({*alone, *(i for g in groups for i in g.indices)})], size)
        else:
            away = _nearest([_group_distance(points[list(g.path)], g.closed, size) for g in groups], size)
        found.append((name, kinds[0], away))
    if not found:
        found = [
            (g.name, g.part, _group_distance(points[list(g.path)], g.closed, size)) for g in scheme.groups[:_MOST]
        ]
    if not found:
        return _quarters(points, size)
    reach = REACH * float(np.linalg.norm(np.ptp(points, axis=0))) or size / 16
    away = np.stack([distance for _, _, distance in found])
    mask = np.where(away.min(0) <= reach, away.argmin(0), len(found)).astype(np.uint8)
    return Parts((*(n for n, _, _ in found), REST), (*(k for _, k, _ in found), "other"), mask)


def _quarters(points: np.ndarray, size: int) -> Parts:
    low, high = points.min(0), points.max(0)
    middle = (low + high) / 2
    y, x = np.mgrid[:size, :size]
    inside = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
    mask = np.where(inside, (x >= middle[0]) + 2 * (y >= middle[1]), 4).astype(np.uint8)
    names = tuple(f"{tall} image {wide}" for tall in ("upper", "lower") for wide in ("left", "right"))
    return Parts((*names, REST), ("other",) * 5, mask)


def hull_distance(points: np.ndarray, size: int) -> np.ndarray:
    """(S, S) distance in pixels from the convex hull of (N, 2) points; 0 inside."""
    corners = _hull(points)
    return _group_distance(np.concatenate([corners, corners[:1]]), len(corners) > 2, size)


def _nearest(distances: list[np.ndarray], size: int) -> np.ndarray:
    return np.min(distances, axis=0) if distances else np.full((size, size), np.inf)


def _group_distance(path: np.ndarray, closed: bool, size: int) -> np.ndarray:
    """(S, S) distance from a line through (M, 2) points; 0 inside a closed one."""
    y, x = np.mgrid[:size, :size].astype(np.float64)
    best = np.hypot(x - path[0, 0], y - path[0, 1])
    inside = np.zeros((size, size), bool)
    for (ax, ay), (bx, by) in pairwise(path):
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy or 1.0), 0, 1)
        best = np.minimum(best, np.hypot(x - ax - t * dx, y - ay - t * dy))
        if closed and ay != by:
            inside ^= ((ay > y) != (by > y)) & (x < dx * (y - ay) / dy + ax)
    return np.where(inside, 0.0, best)


def _hull(points: np.ndarray) -> np.ndarray:
    """Corners of the convex hull in order (Andrew's monotone chain)."""
    ordered = np.unique(np.asarray(points, np.float64), axis=0)
    if len(ordered) < 3:
        return ordered

    def half(path: np.ndarray) -> list[np.ndarray]:
        out: list[np.ndarray] = []
        for p in path:
            while len(out) > 1 and _turn(out[-2], out[-1], p) <= 0:
                out.pop()
            out.append(p)
        return out[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
