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


@dataclass(frozen=True)
class LeakAccount:
    """Where what leaks from the landmarks' neighbourhoods goes, on average over the landmarks; parts of 1.

    Attributes:
        mean: all that leaks.
        chance: what attention leaks that is uniform over the keys that can be reached (a border that nobody may attend
            to is none).
        sink: of ``mean`` what the one cell takes that takes most.
        cell: (row, column) of that cell.
        inside: of ``mean`` what stays within the convex hull of the landmarks.
        loss: L_pr (Eq 6), with the mask's weights as training has it.
    """

    mean: float
    chance: float
    sink: float
    cell: tuple[int, int]
    inside: float
    loss: float


def leak_account(
    attention: np.ndarray, points: np.ndarray, sigma: float = 1.0, radius: float = 3.0
) -> LeakAccount | None:
    """The account; None where no landmark lies on the map. Arguments as of :func:`leaked_mass`."""
    weights = np.abs(_checked(attention)).astype(np.float64)
    size = len(weights)
    masks = landmark_masks(points, size, sigma, radius)
    own = masks.sum((1, 2))
    known = own > 0
    if not known.any():
        return None
    near = masks.sum(0) > 0
    rows = weights / np.maximum(weights.sum((-2, -1), keepdims=True), 1e-30)
    parts = (masks[known] / own[known, None, None]).mean(0)  # (H, W), sums to 1
    into = np.tensordot(parts, rows, 2) * ~near
    reached = weights.sum((0, 1)) > 0
    cell = np.unravel_index(int(into.argmax()), into.shape)
    shares = (rows * ~near).sum((-2, -1))
    return LeakAccount(
        mean=float(into.sum()),
        chance=float((reached & ~near).sum() / reached.sum()),
        sink=float(into[cell]),
        cell=(int(cell[0]), int(cell[1])),
        inside=float(into[face_outline(points, size)].sum()),
        loss=float((masks.sum(0) * shares)[near].sum() / near.sum()),
    )


def face_outline(points: np.ndarray, size: int) -> np.ndarray:
    """(size, size) bool: cells whose centre lies in the convex hull of landmarks (N, 2) in [0, 1] of the crop."""
    hull = _hull(np.asarray(points, float))
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    inside = np.ones((size, size), bool)
    for (x0, y0), (x1, y1) in zip(hull, np.roll(hull, -1, 0), strict=True):
        inside &= (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0
    return inside


def _hull(points: np.ndarray) -> np.ndarray:
    """The corners of the convex hull, one way round (monotone chains)."""
    order = points[np.lexsort((points[:, 1], points[:, 0]))]

    def chain(given: np.ndarray) -> list[np.ndarray]:
        out: list[np.ndarray] = []
        for p in given:
            while len(out) > 1 and np.cross(np.append(out[-1] - out[-2], 0), np.append(p - out[-1], 0))[2] <= 0:
                out.pop()
            out.append(p)
        return out[:-1]

    return np.array([*chain(order), *chain(order[::-1])])


@dataclass(frozen=True)
class Factors:
    """An attention matrix as the product of two narrow ones: weights = exp(left right), or left right.

    Attributes:
        left: (queries, rank) float32.
        right: (rank, keys) float32; 0 where nobody may look.
        reached: (keys,) bool.
        log: whether the product is the logarithm of the weights.
        departure: the largest difference from the matrix itself.
    """

    left: np.ndarray
    right: np.ndarray
    reached: np.ndarray
    log: bool
    departure: float

    def weights(self) -> np.ndarray:
        """(queries, keys)."""
        product = self.left @ self.right
        return np.asarray(np.exp(product) * self.reached if self.log else product)


def factorised(matrix: np.ndarray, log: bool = True, most: int = 64, tolerance: float = 1e-4) -> Factors | None:
    """An attention matrix in factors: the logarithm of a softmax over products of C' channels has rank C' + 1.

    Args:
        matrix: (queries, keys) as recorded; columns of zeros are keys that nobody may look at.
        log: whether rows are a softmax.
        most: the widest factors that are tried.
        tolerance: the largest difference that is allowed, in parts of the largest weight.

    Returns:
        None where the matrix is of no such form.
    """
    matrix = np.asarray(matrix, np.float64)
    reached = np.abs(matrix).sum(0) > 0
    used = matrix[:, reached]
    if not used.size or (log and used.min() <= 0):
        return None
    target = np.log(used) if log else used
    drawn = np.random.default_rng(0).standard_normal((target.shape[1], min(most + 8, *target.shape)))
    basis, _ = np.linalg.qr(target @ drawn)
    u, s, v = np.linalg.svd(basis.T @ target, full_matrices=False)
    rank = max(1, int((s > 1e-6 * s[0]).sum()))
    if rank > most:
        return None
    right = np.zeros((rank, len(reached)), np.float32)
    root = np.sqrt(s[:rank])
    right[:, reached] = root[:, None] * v[:rank]
    found = Factors((basis @ u[:, :rank] * root).astype(np.float32), right, reached, log, 0.0)
    departure = float(np.abs(found.weights() - matrix).max())
    if departure > tolerance * float(np.abs(matrix).max()):
        return None
    return Factors(found.left, found.right, reached, log, departure)


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
