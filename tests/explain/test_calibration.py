"""Coverage, its promise and the scalar that mends it, against numbers worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from workbench import explain
from workbench.errors import TraceError
from workbench.explain import CalibrationReport, Coverage

REPORT = CalibrationReport(
    likelihood="laplace",
    scales=(1.2, 0.9),
    fitted="drawn test: 6 faces",
    measured="two-fold",
    promise=(0.757, 0.941, 0.986),
    rows=(
        Coverage("stage 1", 10, (0.5, 0.8, 0.9), (0.75, 0.95, 0.99), 1.5, 1.1),
        Coverage("stage 2", 10, (0.7, 0.9, 0.95), (0.74, 0.93, 0.98), 1.2, 1.0),
        Coverage("rectangle of 30%", 4, (0.3, 0.4, 0.5), (0.4, 0.5, 0.6), 2.0, 3.0),
    ),
    expected=(0.25, 0.5, 0.75),
    observed=(0.2, 0.4, 0.7),
    recalibrated=(0.24, 0.5, 0.76),
    bins=((0.5, 0.6), (1.0, 0.9), (2.0, 2.4)),
    rank=0.45,
    rank_within=0.24,
    elsewhere=({"data": "other test", "faces": 9, "scales": [1.5, 1.4], "coverage": [[0.9, 1, 1], [0.9, 1, 1]]},),
    data="drawn",
    split="test",
    labels="own",
    faces=6,
)


def test_calibration_of_a_true_gaussian_and_an_overconfident_one() -> None:
    rng = np.random.default_rng(0)
    sigma = rng.uniform(1, 3, 20000)
    errors = sigma * rng.standard_normal(20000)
    good = explain.calibration(errors, sigma)
    assert good.gap < 0.01
    assert "68% of 20000" in good.caption
    assert explain.calibration(errors, sigma / 2).observed[9] < good.expected[9] - 0.2


def test_calibration_of_a_true_laplace() -> None:
    errors = np.random.default_rng(1).laplace(scale=2 / np.sqrt(2), size=50_000)
    good = explain.calibration(errors, np.full(50_000, 2.0), likelihood="laplace")
    assert good.gap < 0.005
    assert "of a calibrated Laplace distribution 76%" in good.caption
    assert explain.calibration(errors, np.full(50_000, 2.0)).gap > 0.04


def test_the_promise_of_both_likelihoods() -> None:
    gauss = [explain.promise(k) for k in (1, 2, 3)]
    np.testing.assert_allclose(gauss, [0.6827, 0.9545, 0.9973], atol=1e-4)  # erf(k / sqrt 2)
    laplace = [explain.promise(k, "laplace") for k in (1, 2, 3)]
    np.testing.assert_allclose(laplace, [0.7569, 0.9409, 0.9856], atol=1e-4)  # 1 - exp(-sqrt(2) k)


def test_coverage_by_hand() -> None:
    errors, sigma = np.array([0.5, -1.0, 2.5, 9.0, np.nan]), np.array([1.0, 1.0, 1.0, 2.0, 1.0])
    assert explain.coverage(errors, sigma).tolist() == [0.5, 0.5, 0.75]  # scores 0.5, 1, 2.5, 4.5
    assert explain.coverage(errors, sigma, (1.0,), scale=5).tolist() == [1.0]


@pytest.mark.parametrize("law", ["laplace", "gaussian"])
def test_the_scale_undoes_a_wrong_sigma(law: str) -> None:
    rng = np.random.default_rng(3)
    errors = rng.laplace(scale=2 / np.sqrt(2), size=40_000) if law == "laplace" else 2 * rng.standard_normal(40_000)
    assert explain.fit_scale(errors, np.full(40_000, 0.5), law) == pytest.approx(4, rel=0.02)


def test_the_scale_is_where_excess_and_lack_meet() -> None:
    score = np.repeat([0.5, 1.5], [1, 1])  # half of the errors at 0.5 sigma, half at 1.5
    scale = explain.fit_scale(score, np.ones(2), "laplace", (1.0, 2.0))
    gap = explain.coverage(score, np.ones(2), (1.0, 2.0), scale * 1.001) - [0.7569, 0.9409]
    assert max(abs(gap)) <= 0.26  # 0.5 and 1 are the nearest that two errors can give to 0.757 and 0.941
    assert 0.75 <= scale < 1.5


def test_ranks_with_ties_and_unknown_values() -> None:
    assert explain.rank_correlation(np.array([1, 2, 3, np.nan]), np.array([10, 20, 90, 1])) == pytest.approx(1)
    # ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5 / sqrt(4.5 * 5)
    found = explain.rank_correlation(np.array([1, 2, 2, 3]), np.array([1, 2, 3, 4]))
    assert found == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    assert np.isnan(explain.rank_correlation(np.ones(3), np.arange(3)))


def test_correlation_within_a_landmark_leaves_out_how_landmarks_differ() -> None:
    sigma = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    errors = np.array([[3.0, 30.0], [2.0, 20.0], [1.0, 10.0]])
    assert explain.rank_within(errors, sigma) == pytest.approx(-1)
    assert explain.rank_correlation(errors, sigma) > 0.5


def test_bins_by_hand() -> None:
    found = explain.spread_bins(np.array([3.0, -4.0, 1.0, 1.0]), np.array([5.0, 5.0, 1.0, 1.0]), bins=2)
    np.testing.assert_allclose(found, [[1, 1], [5, np.sqrt(12.5)]])


def test_a_report_goes_onto_a_card_and_back() -> None:
    told = json.loads(json.dumps(REPORT.to_card()))
    assert CalibrationReport.from_card(told) == REPORT
    with pytest.raises(TraceError, match="tells no calibration"):
        CalibrationReport.from_card({})


def test_the_verdict_looks_at_the_stages_alone() -> None:
    assert REPORT.gap == pytest.approx(0.017)
    assert "is enough" in REPORT.verdict() and "1.7 points after" in REPORT.verdict()
    assert "promises 25% is the worst: it covers 24%" in REPORT.verdict()
    rows = (replace(REPORT.rows[0], recalibrated=(0.75, 0.98, 0.99)), *REPORT.rows[1:])
    assert "cannot keep the promise" in replace(REPORT, rows=rows).verdict()


def test_calibration_by_hand() -> None:
    found = explain.calibration(np.array([0.5, -2.0, np.nan]), np.array([1.0, 1.0, 1.0]), levels=1)
    assert found.expected.tolist() == [0.5]
    assert found.observed.tolist() == [0.5]  # radius of the 50 % interval is 0.674
    assert found.count == 2
    with pytest.raises(TraceError, match="one shape"):
        explain.calibration(np.ones(2), np.ones(3))
