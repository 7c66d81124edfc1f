"""How far predicted landmarks are from the truth: NME, failure rate, area under the curve, the curve itself.

Definitions: the common protocol of 300-W, WFLW and COFW, as the SLPT and DSLPT papers report it. All values
are fractions (0.04, not 4 %).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError, UnknownNameError
from workbench.landmarks.scheme import Scheme
from workbench.landmarks.schemes import get_scheme

NORMALISERS = ("inter_ocular", "inter_pupil", "box", "diagonal")
Floats = np.ndarray


def normaliser_distances(
    truth: ArrayLike,
    scheme: str | int | Scheme | None = None,
    normaliser: str | float = "inter_ocular",
    *,
    boxes: ArrayLike | None = None,
    strict: bool = True,
) -> Floats:
    """The length that errors are divided by, one a face.

    Args:
        truth: (B, N, 2) true landmarks in pixels, NaN where missing.
        scheme: needed for ``inter_ocular`` (between the outer eye corners) and ``inter_pupil``.
        normaliser: one of :data:`NORMALISERS` or a fixed length in pixels. ``box`` is sqrt(width * height),
            ``diagonal`` the diagonal of the box.
        boxes: (B, 4) x0, y0, x1, y1 in pixels for the two box normalisers; else the tight box of the true
            landmarks.
        strict: False makes a length of zero NaN instead of an error.

    Returns:
        (B,) pixels; NaN for a face whose truth lacks the points that are needed.

    Raises:
        UnknownNameError: for another normaliser.
        DataError: when the scheme has no such points, or when the length of a face is zero.
    """
    points = _faces(truth, "true")
    if isinstance(normaliser, str):
        distances = _named(points, scheme, normaliser, boxes)
    else:
        distances = np.full(len(points), float(normaliser))
    if not strict:
        distances = np.where(distances > 0, distances, np.nan)
    return _positive(distances, len(points), str(normaliser))


def nme(
    pred: ArrayLike,
    truth: ArrayLike,
    scheme: str | int | Scheme | ArrayLike | None = None,
    normaliser: str | float = "inter_ocular",
    *,
    boxes: ArrayLike | None = None,
) -> Floats:
    """Normalised mean error: the mean over landmarks of ||p - g|| / d, one a face.

    Args:
        pred: (B, N, 2) predicted landmarks in pixels.
        truth: (B, N, 2) true landmarks in the same pixels; points with a NaN are left out of the mean.
        scheme: the landmark scheme, or (B,) distances d in pixels that replace the normaliser.
        normaliser, boxes: as in :func:`normaliser_distances`.

    Returns:
        (B,) fractions. A prediction that is not finite makes its face's error infinite, so that it counts as
        a failure; a face with no true landmark (or none to normalise by) is NaN and is left out by the
        summaries.

    Raises:
        DataError: when the shapes differ or a length is zero.
    """
    errors, counts, distances = _point_errors(pred, truth, scheme, normaliser, boxes)
    means = np.divide(errors.sum(-1), counts, out=np.full(len(counts), np.nan), where=counts > 0)
    return means / distances


def nrmse(
    pred: ArrayLike,
    truth: ArrayLike,
    scheme: str | int | Scheme | ArrayLike | None = None,
    normaliser: str | float = "inter_ocular",
    *,
    boxes: ArrayLike | None = None,
) -> Floats:
    """The NRMSE as AODN prints it (Eq. 15): ||P - G||_F / (N d), the length of all errors taken as one vector.

    With equal errors at N points it is :func:`nme` divided by sqrt(N). The values that papers report under this name
    are of the size of the NME, so compare with them by that one.

    Args:
        pred, truth, scheme, normaliser, boxes: as in :func:`nme`; missing points are left out of the norm and of N.

    Returns:
        (B,) fractions; infinite and NaN as in :func:`nme`.

    Raises:
        DataError: as :func:`nme`.
    """
    errors, counts, distances = _point_errors(pred, truth, scheme, normaliser, boxes)
    norms = np.linalg.norm(errors, axis=-1)
    return np.divide(norms, counts, out=np.full(len(counts), np.nan), where=counts > 0) / distances


def failure_rate(nmes: ArrayLike, threshold: float = 0.1) -> float:
    """FR: the share of faces whose error is above ``threshold`` (both fractions). NaN errors are left out.

    Raises:
        DataError: when no face has an error or the threshold is not positive.
    """
    return float((_measured(nmes, threshold) > threshold).mean())


def auc(nmes: ArrayLike, threshold: float = 0.1) -> float:
    """AUC: (1 / threshold) times the integral of the CED from 0 to ``threshold``; 1 is perfect.

    The empirical CED is a step function, so the integral is exact: each face adds the part of the interval to
    the right of its error, that is max(0, 1 - nme / threshold), and the AUC is the mean of these.

    Raises:
        DataError: as :func:`failure_rate`.
    """
    return float(np.maximum(0.0, 1.0 - _measured(nmes, threshold) / threshold).mean())


def ced(nmes: ArrayLike, threshold: float = 0.1, n: int = 201) -> tuple[Floats, Floats]:
    """The cumulative error distribution.

    Returns:
        x: (n,) errors from 0 to ``threshold``; y: (n,) share of faces whose error is at most x.

    Raises:
        DataError: as :func:`failure_rate`.
    """
    values = np.sort(_measured(nmes, threshold))
    if n < 2:
        raise DataError(f"A curve needs at least 2 points, not {n}.")
    x = np.linspace(0.0, threshold, n)
    return x, np.searchsorted(values, x, side="right") / len(values)


def _point_errors(
    pred: ArrayLike, truth: ArrayLike, scheme: object, normaliser: str | float, boxes: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Distance of every point (B, N), zero where the truth is missing; known points (B,); normalisers (B,)."""
    guess, points = _faces(pred, "predicted"), _faces(truth, "true")
    if guess.shape != points.shape:
        raise DataError(f"Predicted landmarks {guess.shape} and true landmarks {points.shape} differ in shape.")
    if scheme is None or isinstance(scheme, (str, int, Scheme)):
        distances = normaliser_distances(points, scheme, normaliser, boxes=boxes)
    else:
        distances = _positive(np.asarray(scheme, float).reshape(-1), len(points), "given")
    known = np.isfinite(points).all(-1)
    guess = np.where(np.isfinite(guess), guess, np.inf)
    errors = np.where(known, np.linalg.norm(guess - np.where(known[..., None], points, 0.0), axis=-1), 0.0)
    return errors, known.sum(-1), distances


def _named(points: Floats, scheme: object, normaliser: str, boxes: ArrayLike | None) -> Floats:
    if normaliser not in NORMALISERS:
        raise UnknownNameError(
            f"There is no normaliser '{normaliser}'; use one of {', '.join(NORMALISERS)} or a number."
        )
    if normaliser in ("box", "diagonal"):
        width, height = _box_sides(points, boxes)
        return np.sqrt(width * height) if normaliser == "box" else np.hypot(width, height)
    if not isinstance(scheme, (str, int, Scheme)):
        raise DataError(f"The {normaliser} distance needs the landmark scheme; pass one, such as 'ibug68'.")
    scheme = get_scheme(scheme)
    if points.shape[1] != scheme.count:
        raise DataError(f"Scheme '{scheme.name}' has {scheme.count} landmarks, but the faces have {points.shape[1]}.")
    if normaliser == "inter_pupil":
        if scheme.pupils is None:
            raise DataError(f"Scheme '{scheme.name}' has no pupils; use the normaliser 'box'.")
        a, b = (points[:, list(eye)].mean(axis=1) for eye in scheme.pupils)
    else:
        if scheme.eye_corners is None:
            raise DataError(f"Scheme '{scheme.name}' has no eye corners; use the normaliser 'inter_pupil' or 'box'.")
        a, b = (points[:, i] for i in scheme.eye_corners)
    return np.linalg.norm(a - b, axis=-1)


def _box_sides(points: Floats, boxes: ArrayLike | None) -> tuple[Floats, Floats]:
    if boxes is not None:
        given = np.asarray(boxes, float)
        if given.shape != (len(points), 4):
            raise DataError(f"Boxes must have the shape ({len(points)}, 4), not {given.shape}.")
        width, height = given[:, 2] - given[:, 0], given[:, 3] - given[:, 1]
        wrong = np.flatnonzero((width <= 0) | (height <= 0))
        if len(wrong):
            raise DataError(f"The box of face {wrong[0]} is empty; give x0, y0, x1, y1 with x0 < x1 and y0 < y1.")
        return width, height
    known = np.isfinite(points).all(-1, keepdims=True)
    span = np.where(known, points, -np.inf).max(1) - np.where(known, points, np.inf).min(1)
    span = np.where(known.any(1), span, np.nan)
    return span[:, 0], span[:, 1]


def _faces(points: ArrayLike, which: str) -> Floats:
    array = np.asarray(points, float)
    if array.ndim != 3 or array.shape[-1] != 2:
        raise DataError(f"The {which} landmarks must have the shape (faces, landmarks, 2), not {array.shape}.")
    return array


def _positive(distances: Floats, count: int, name: str) -> Floats:
    if distances.shape != (count,):
        raise DataError(f"There are {len(distances)} normalising distances for {count} faces; give one a face.")
    wrong = np.flatnonzero(~((distances > 0) | np.isnan(distances)))
    if len(wrong):
        raise DataError(f"Face {wrong[0]} has a {name} distance of {distances[wrong[0]]:g} px; it must be above zero.")
    return distances


def _measured(nmes: ArrayLike, threshold: float) -> Floats:
    if not 0 < threshold < np.inf:
        raise DataError(f"The threshold must be above zero and finite, not {threshold}.")
    values = np.asarray(nmes, float).reshape(-1)
    values = values[~np.isnan(values)]
    if not len(values):
        raise DataError("There is no error to summarise: give at least one face with true landmarks.")
    return values
