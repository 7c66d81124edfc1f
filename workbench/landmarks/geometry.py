"""Shapes and the maps between them. A map is a (2, 3) matrix: ``p' = M[:, :2] @ p + M[:, 2]``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError

if TYPE_CHECKING:
    from workbench.landmarks.scheme import Scheme

CROP_FACTOR = 1.2
"""Side of the papers' crop over the longer side of the landmarks' tight box (SLPT, DSLPT)."""


def square_crop(points: ArrayLike, factor: float = CROP_FACTOR) -> tuple[np.ndarray, float]:
    """The papers' crop: a square around the tight box of the landmarks.

    Args:
        points: (N, 2) in pixels; NaN points are left out.
        factor: side over the longer side of the box.

    Returns:
        The centre (2,) and the side, both in pixels.

    Raises:
        DataError: when no point is known or all coincide.
    """
    known = _rows(points)
    low, high = known.min(0), known.max(0)
    side = factor * float((high - low).max())
    if not side > 0:
        raise DataError("All landmarks lie on one spot, so there is no face to crop.")
    return (low + high) / 2, side


def mean_shape(points: ArrayLike | Sequence[ArrayLike], extent: float = 1 / CROP_FACTOR) -> np.ndarray:
    """The mean face that a regression starts from.

    Each face is first put into its own crop (centre of its tight box at 0.5, longer side ``extent``), the
    crops are averaged, and the average is centred on 0.5 with its longer side scaled to ``extent`` again: the
    rule that gives the arrays shipped with SLPT and DSLPT.

    Args:
        points: faces (M, N, 2) in any pixels, or a list of (N, 2); NaN points are left out of the mean.
        extent: longer side of the result.

    Returns:
        (N, 2) in [0, 1] crop coordinates.

    Raises:
        DataError: when there is no face, or when a landmark is missing in all of them.
    """
    crops = []
    for face in points:  # type: ignore[union-attr]
        centre, side = square_crop(face, 1 / extent)
        crops.append((np.asarray(face, float) - centre) / side)
    if not crops:
        raise DataError("A mean shape needs at least one face.")
    stack = np.stack(crops)
    missing = np.flatnonzero(np.isnan(stack).any(-1).all(0))
    if len(missing):
        raise DataError(f"Landmark {missing[0]} is missing in every face, so it has no mean.")
    mean = np.nanmean(stack, axis=0)
    centre, side = square_crop(mean, 1 / extent)
    return (mean - centre) / side + 0.5


def similarity(src: ArrayLike, dst: ArrayLike) -> np.ndarray:
    """The rotation, uniform scale and shift that bring ``src`` onto ``dst`` with least squares, never a
    mirror.

    Args:
        src, dst: (N, 2); pairs with a NaN are left out.

    Returns:
        (2, 3) map (Umeyama 1991, Eqs. 40-42, in its two-dimensional closed form).

    Raises:
        DataError: when the shapes differ or ``src`` has fewer than two distinct points.
    """
    a, b = _pairs(src, dst)
    mean_a, mean_b = a.mean(0), b.mean(0)
    za, zb = ((p - m) @ np.array([1.0, 1j]) for p, m in ((a, mean_a), (b, mean_b)))
    spread = float((np.abs(za) ** 2).sum())
    if len(a) < 2 or spread <= 1e-18 * max(1.0, float(np.abs(a).max()) ** 2):
        raise DataError("A similarity needs at least two distinct points.")
    factor = (np.conj(za) * zb).sum() / spread
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([linear, mean_b - linear @ mean_a])


def affine(src: ArrayLike, dst: ArrayLike) -> np.ndarray:
    """The (2, 3) affine map that brings ``src`` (N, 2) onto ``dst`` (N, 2) with least squares; NaN pairs left
    out.

    Raises:
        DataError: when the shapes differ or the points of ``src`` lie on one line.
    """
    a, b = _pairs(src, dst)
    centre = a.mean(0)
    solution, _, rank, _ = np.linalg.lstsq(np.column_stack([a - centre, np.ones(len(a))]), b, rcond=1e-9)
    if rank < 3:
        raise DataError("An affine map needs at least three points that are not on one line.")
    linear = solution[:2].T
    return np.column_stack([linear, solution[2] - linear @ centre])


def apply(matrix: ArrayLike, points: ArrayLike) -> np.ndarray:
    """Map points (..., 2) with a (2, 3) matrix."""
    m = np.asarray(matrix, float)
    return np.asarray(points, float) @ m[:, :2].T + m[:, 2]


def invert(matrix: ArrayLike) -> np.ndarray:
    """The inverse (2, 3) of a (2, 3) map.

    Raises:
        DataError: when the map flattens the plane.
    """
    m = np.asarray(matrix, float)
    try:
        linear = np.linalg.inv(m[:, :2])
    except np.linalg.LinAlgError as error:
        raise DataError("The map flattens the plane, so it cannot be inverted.") from error
    return np.column_stack([linear, -linear @ m[:, 2]])


def rotation(angles: np.ndarray) -> np.ndarray:
    """Yaw, pitch, roll (..., 3) in radians -> rotations (..., 3, 3) = Rz(roll) Rx(-pitch) Ry(-yaw).

    Axes: x to image right, y down, z away from the camera. Positive: turned to image right, looking up, turned
    clockwise on the screen.
    """
    yaw, pitch, roll = np.moveaxis(np.asarray(angles, float), -1, 0)
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (-yaw, -pitch, roll))
    ry = np.stack([cy, zero, sy, zero, one, zero, -sy, zero, cy], -1).reshape(*yaw.shape, 3, 3)
    rx = np.stack([one, zero, zero, zero, cp, -sp, zero, sp, cp], -1).reshape(*yaw.shape, 3, 3)
    rz = np.stack([cr, -sr, zero, sr, cr, zero, zero, zero, one], -1).reshape(*yaw.shape, 3, 3)
    return rz @ rx @ ry


def hull(points: ArrayLike) -> np.ndarray:
    """Corners (H, 2) of the convex hull of (N, 2) points, going round one way (monotone chain); fewer than three when
    the points lie on a line."""
    order = sorted({(float(x), float(y)) for x, y in np.asarray(points, float)})
    if len(order) < 3:
        return np.array(order).reshape(-1, 2)

    def half(way: list[tuple[float, float]]) -> list[tuple[float, float]]:
        out: list[tuple[float, float]] = []
        for p in way:
            while len(out) > 1 and _turn(out[-2], out[-1], p) <= 0:
                out.pop()
            out.append(p)
        return out[:-1]

    return np.array(half(order) + half(order[::-1]))


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def inside(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(N,) whether points lie in a convex polygon of :func:`hull`, its edge included."""
    if len(corners) < 3:
        return np.zeros(len(points), bool)
    step = np.roll(corners, -1, axis=0) - corners
    to = points[:, None] - corners[None]
    return (step[None, :, 0] * to[..., 1] - step[None, :, 1] * to[..., 0] >= -1e-9).all(1)


def rotation_angles(rotation: np.ndarray) -> np.ndarray:
    """The inverse of :func:`rotation`: rotations (..., 3, 3) -> yaw, pitch, roll (..., 3) in radians."""
    r = np.asarray(rotation, float)
    yaw = np.arctan2(r[..., 2, 0], r[..., 2, 2])
    pitch = -np.arcsin(np.clip(r[..., 2, 1], -1, 1))
    roll = np.arctan2(-r[..., 0, 1], r[..., 1, 1])
    return np.stack([yaw, pitch, roll], -1)


def _rows(points: ArrayLike) -> np.ndarray:
    array = np.asarray(points, float)
    if array.ndim != 2 or array.shape[1] != 2:
        raise DataError(f"A face must have the shape (N, 2), not {array.shape}.")
    known = array[np.isfinite(array).all(1)]
    if not len(known):
        raise DataError("The face has no known landmark.")
    return known


def _pairs(src: ArrayLike, dst: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(src, float), np.asarray(dst, float)
    if a.shape != b.shape or a.ndim != 2 or a.shape[1] != 2:
        raise DataError(f"Two shapes (N, 2) of equal length are needed, not {a.shape} and {b.shape}.")
    known = np.isfinite(a).all(1) & np.isfinite(b).all(1)
    if not known.any():
        raise DataError("The two shapes have no known landmark in common.")
    return a[known], b[known]


def twins(a: Scheme, a_shape: np.ndarray, b: Scheme, b_shape: np.ndarray) -> list[int]:
    """For each landmark of scheme ``a`` the nearest of the same drawn group in ``b``, -1 without one.

    Args:
        a_shape, b_shape: mean faces (N, 2) of the two schemes, in any unit; they are laid over each other by the
            centres of the groups that both schemes have (at least three).
    """
    own, others = {g.name: g for g in a.groups}, {g.name: g for g in b.groups}
    shared = [name for name in own if name in others]
    found = [-1] * a.count
    if len(shared) < 3:
        return found
    a_centres, b_centres = (
        np.stack([shape[list(groups[name].indices)].mean(0) for name in shared])
        for shape, groups in ((a_shape, own), (b_shape, others))
    )
    placed = apply(similarity(a_centres, b_centres), a_shape)
    for name in reversed(shared):
        there = np.array(others[name].indices)
        for i in own[name].indices:
            found[i] = int(there[np.linalg.norm(b_shape[there] - placed[i], axis=1).argmin()])
    return found
