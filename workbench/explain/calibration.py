"""Does a predicted spread keep its promise? Coverage, one scalar that mends it, and what it cannot mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import NormalDist
from typing import Any

import numpy as np

from workbench.errors import TraceError
from workbench.explain.captions import number

LEVELS = (1.0, 2.0, 3.0)
"""Radii in standard deviations at which a card tells the coverage."""
TOLERANCE = 0.03
"""How far a coverage may lie from its promise and still count as calibrated."""


@dataclass(frozen=True)
class Calibration:
    """Does the predicted spread match the errors?

    Attributes:
        expected: (levels,) share of errors that central intervals should cover.
        observed: (levels,) share that they did cover.
        gap: mean absolute difference.
        count: number of errors.
        caption: the result in words.
    """

    expected: np.ndarray
    observed: np.ndarray
    gap: float
    count: int
    caption: str


@dataclass(frozen=True)
class Coverage:
    """Shares of errors within 1, 2 and 3 sigma, axis by axis.

    Attributes:
        where: of which answers and points, such as "stage 3" or "rectangle of 30%" (points under one).
        count: number of errors.
        observed: as predicted.
        recalibrated: with the sigma multiplied by a scale that was fitted on other faces.
        sigma, error: means over the same points, in per cent of the crop's side.
    """

    where: str
    count: int
    observed: tuple[float, ...]
    recalibrated: tuple[float, ...]
    sigma: float
    error: float


@dataclass(frozen=True)
class CalibrationReport:
    """What a card tells of a model's uncertainty; made by ``workbench.evaluation.calibrate``.

    Attributes:
        likelihood: whose promise it is, "laplace" or "gaussian".
        scales: by what the sigma of each stage is multiplied.
        fitted: on what they were fitted.
        measured: how the recalibrated coverage was measured, on faces that its scale has not seen.
        promise: shares that the likelihood promises within 1, 2 and 3 sigma.
        rows: the stages one after the other, then points under painted rectangles (last stage).
        expected, observed, recalibrated: the reliability curve of the last stage.
        bins: (bins, 2), faces' points of the last stage in equal groups by sigma: root mean square of the recalibrated
            sigma and of the error per axis, in per cent of the crop's side.
        rank, rank_within: Spearman correlation of sigma and error, over all points of the last stage and as the mean
            over landmarks, each over its own faces.
        elsewhere: comparisons: scales fitted on another data set, and the coverage here with them.
        data, split, labels, faces: where it was measured.
    """

    likelihood: str
    scales: tuple[float, ...]
    fitted: str
    measured: str
    promise: tuple[float, ...]
    rows: tuple[Coverage, ...]
    expected: tuple[float, ...]
    observed: tuple[float, ...]
    recalibrated: tuple[float, ...]
    bins: tuple[tuple[float, float], ...]
    rank: float
    rank_within: float
    elsewhere: tuple[dict[str, Any], ...]
    data: str
    split: str
    labels: str
    faces: int

    @property
    def gap(self) -> float:
        """Largest distance of a stage's recalibrated coverage from the promise at 1, 2 and 3 sigma."""
        stages = self.rows[: len(self.scales)]
        return max(abs(a - b) for row in stages for a, b in zip(row.recalibrated, self.promise, strict=True))

    def verdict(self) -> str:
        """Whether one scalar a stage is enough, in a sentence."""
        before = max(
            abs(a - b) for r in self.rows[: len(self.scales)] for a, b in zip(r.observed, self.promise, strict=True)
        )
        ends = f"off by up to {100 * self.gap:.1f} points after recalibration, {100 * before:.1f} before"
        promised, kept = max(
            zip(self.expected, self.recalibrated, strict=True), key=lambda pair: abs(pair[0] - pair[1])
        )
        rest = f"On the whole curve the interval that promises {promised:.0%} is the worst: it covers {kept:.0%}."
        if self.gap <= TOLERANCE:
            return f"One scalar a stage is enough at 1, 2 and 3 σ, where coverage is {ends}. {rest}"
        return f"One scalar a stage cannot keep the promise at 1, 2 and 3 σ at once: coverage is {ends}. {rest}"

    def count_words(self) -> str:
        """Where it was measured, such as "w300_68 test, 224 faces"."""
        labels = "" if self.labels == "own" else f", labels {self.labels}"
        return f"{self.data} {self.split}{labels}, {self.faces} faces"

    def caption(self) -> str:
        """What was fitted on what, how it was measured, and what one scalar leaves as it is."""
        clauses = [
            f"{self.count_words()}: share of errors within 1, 2, 3 σ of each axis, in %, as predicted → recalibrated, "
            "and the mean σ as predicted in % of the crop",
            f"σ of stages 1 to {len(self.scales)} × {_listed(self.scales)}, fitted on {self.fitted}",
            f"recalibrated shares: {self.measured}",
            *(
                f"fitted on {one['data']} instead ({one['faces']} faces): × {_listed(one['scales'])}, which here "
                f"covers {_listed([100 * share for share in one['coverage'][-1]])} % in the last stage"
                for one in self.elsewhere
            ),
            f"rank correlation of σ and error: {self.rank:.2f} over all points, "
            f"{self.rank_within:.2f} within one landmark",
        ]
        return " · ".join(clauses)

    def table(self) -> list[dict[str, str]]:
        """One row a stage, or an occluder, for a page: shares in per cent as predicted → recalibrated."""
        told = [("promise", [f"{100 * share:.1f}" for share in self.promise], "")]
        for row in self.rows:
            pairs = zip(row.observed, row.recalibrated, strict=True)
            told.append(
                (row.where, [f"{100 * a:.1f}\u00a0→\u00a0{100 * b:.1f}" for a, b in pairs], f"{row.sigma:.2f}")
            )
        heads = [f"{number(level)} σ" for level in LEVELS]
        return [
            {"faces": where, **dict(zip(heads, shares, strict=True)), "σ, %": mean} for where, shares, mean in told
        ]

    def to_card(self) -> dict[str, Any]:
        """Plain values, rounded, for ``ModelCard.calibration``."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_card(cls, told: Mapping[str, Any]) -> CalibrationReport:
        """Of ``ModelCard.calibration``. Raises TraceError where that tells nothing, or something else."""
        try:
            values: dict[str, Any] = {f.name: _tuples(told[f.name]) for f in fields(cls)}
            values["rows"] = tuple(Coverage(**{k: _tuples(v) for k, v in row.items()}) for row in values["rows"])
            return cls(**values)
        except (KeyError, TypeError):
            raise TraceError(
                "This model's card tells no calibration; `workbench calibrate --write` puts it there."
            ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def _listed(values: Sequence[float]) -> str:
    return ", ".join(map(number, values))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def law(likelihood: str | None) -> str:
    """The distribution that a model was trained to predict."""
    return "Laplace distribution" if likelihood == "laplace" else "Gaussian"


def promise(level: float, likelihood: str | None = "gaussian") -> float:
    """P(|error| < level sigma) on one axis: erf(level / sqrt 2) of a Gaussian, 1 - exp(-sqrt(2) level) of a Laplace
    distribution, whose scale is sigma / sqrt 2."""
    if likelihood == "laplace":
        return float(1 - np.exp(-np.sqrt(2) * level))
    return 2 * NormalDist().cdf(level) - 1


def scores(errors: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """(K,) sorted |error| / sigma of the pairs that are known.

    Raises:
        TraceError: the shapes differ or nothing is left to compare.
    """
    e, s = np.abs(np.asarray(errors, float)).ravel(), np.asarray(sigma, float).ravel()
    if e.shape != s.shape:
        raise TraceError(f"Errors and sigma must have one shape, not {np.shape(errors)} and {np.shape(sigma)}.")
    known = np.isfinite(e) & np.isfinite(s) & (s > 0)
    if not known.any():
        raise TraceError("Calibration needs at least one landmark with a known error and a sigma above zero.")
    return np.sort(e[known] / s[known])


def coverage(
    errors: np.ndarray, sigma: np.ndarray, levels: Sequence[float] = LEVELS, scale: float = 1.0
) -> np.ndarray:
    """(levels,) share of errors within ``level * scale * sigma``, axis by axis.

    Args:
        errors, sigma: (...), one shape and unit; NaN pairs are left out.

    Raises:
        TraceError: as :func:`scores`.
    """
    return _within(scores(errors, sigma), np.asarray(levels) * scale)


def _within(score: np.ndarray, radius: np.ndarray) -> np.ndarray:
    return np.asarray(np.searchsorted(score, radius, side="right") / len(score))


def fit_scale(
    errors: np.ndarray, sigma: np.ndarray, likelihood: str | None, levels: Sequence[float] = LEVELS
) -> float:
    """The one scalar whose coverage lies nearest to the promise: its largest distance over ``levels`` is least.

    Coverage rises with the scale, so the largest excess rises and the largest lack falls; they meet at the answer,
    which bisection finds.

    Raises:
        TraceError: as :func:`scores`.
    """
    score, radius = scores(errors, sigma), np.asarray(levels)
    wanted = np.array([promise(level, likelihood) for level in levels])
    low, high = 1e-3, 1e3
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        gap = _within(score, middle * radius) - wanted
        low, high = (low, middle) if gap.max() > -gap.min() else (middle, high)
    return float(np.sqrt(low * high))


def calibration(
    errors: np.ndarray, sigma: np.ndarray, levels: int = 19, likelihood: str | None = "gaussian"
) -> Calibration:
    """Coverage of central intervals, axis by axis: a calibrated prediction has the share p in its p-interval.

    Args:
        errors: (...), prediction minus truth, signed or not.
        sigma: predicted standard deviations, same shape and unit; NaN pairs are left out.
        levels: how many equal steps between 0 and 1.
        likelihood: whose intervals: "gaussian", or "laplace" with the scale sigma / sqrt(2).

    Raises:
        TraceError: the shapes differ or nothing is left to compare.
    """
    score = scores(errors, sigma)
    expected = np.arange(1, levels + 1) / (levels + 1)
    if likelihood == "laplace":
        radius = -np.log1p(-expected) / np.sqrt(2)
    else:
        radius = np.array([NormalDist().inv_cdf((1 + p) / 2) for p in expected])
    observed = _within(score, radius)
    gap = float(np.abs(observed - expected).mean())
    caption = (
        f"{_within(score, np.ones(1))[0]:.0%} of {len(score)} errors lie within one sigma "
        f"(of a calibrated {law(likelihood)} {promise(1, likelihood):.0%}) · mean gap {number(gap)}"
    )
    return Calibration(expected, observed, gap, len(score), caption)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation of two sets of values of one shape, ties at their mean rank, NaN pairs left out; NaN
    where one of them does not vary."""
    a, b = np.ravel(a), np.ravel(b)
    known = np.isfinite(a) & np.isfinite(b)
    if known.sum() < 2:
        return float("nan")
    first, second = _ranks(a[known]), _ranks(b[known])
    if not first.std() or not second.std():
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, many = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(many)
    return np.asarray((ends - (many - 1) / 2)[place])


def rank_within(errors: np.ndarray, sigma: np.ndarray) -> float:
    """Mean over landmarks of the rank correlation over faces: (M, N) and (M, N) -> one number.

    Landmarks differ in both, which by itself correlates all points; within a landmark only the faces differ.
    """
    each = np.array([rank_correlation(e, s) for e, s in zip(errors.T, sigma.T, strict=True)])
    return float(each[np.isfinite(each)].mean()) if np.isfinite(each).any() else float("nan")


def spread_bins(errors: np.ndarray, sigma: np.ndarray, bins: int = 10) -> np.ndarray:
    """(bins, 2): root mean square of sigma and of the error in groups of equal size, smallest sigma first.

    A calibrated prediction has both alike in every group (error-based calibration, Levi et al. 2019).

    Raises:
        TraceError: as :func:`scores`.
    """
    e, s = np.ravel(errors), np.ravel(sigma)
    scores(e, s)
    known = np.isfinite(e) & np.isfinite(s)
    order = np.argsort(s[known], kind="stable")
    groups = np.array_split(np.stack([s[known], e[known]], 1)[order], min(bins, len(order)))
    return np.stack([np.sqrt((group**2).mean(0)) for group in groups])
