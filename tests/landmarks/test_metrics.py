from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import DataError, UnknownNameError
from workbench.landmarks import get_scheme, user_scheme
from workbench.landmarks.metrics import auc, ced, failure_rate, nme, normaliser_distances, nrmse

SQUARE = user_scheme("square", 4, eye_corners=(0, 1), pupils=((0, 2), (1, 3)))
TRUTH = np.array([[[0.0, 0.0], [30.0, 40.0], [0.0, 10.0], [30.0, 10.0]]])  # box 30 x 40


@pytest.mark.parametrize(
    ("normaliser", "distance"),
    [
        ("inter_ocular", 50.0),  # (0,0)-(30,40)
        ("inter_pupil", np.hypot(30, 20)),  # (0,5)-(30,25)
        ("box", np.sqrt(1200.0)),
        ("diagonal", 50.0),
        (25.0, 25.0),
    ],
)
def test_normalisers(normaliser: str | float, distance: float) -> None:
    pred = TRUTH + np.array([3.0, 4.0])  # every point 5 px off
    assert normaliser_distances(TRUTH, SQUARE, normaliser)[0] == pytest.approx(distance)
    assert nme(pred, TRUTH, SQUARE, normaliser)[0] == pytest.approx(5.0 / distance)


def test_given_distances_and_boxes() -> None:
    pred = TRUTH + np.array([3.0, 4.0])
    assert nme(pred, TRUTH, np.array([10.0]))[0] == pytest.approx(0.5)
    assert nme(pred, TRUTH, None, "box", boxes=[[0, 0, 4, 25]])[0] == pytest.approx(0.5)
    assert nme(pred, TRUTH, None, "diagonal", boxes=[[0, 0, 3, 4]])[0] == pytest.approx(1.0)


def test_missing_points_are_left_out() -> None:
    truth, pred = TRUTH.copy(), TRUTH.copy()
    truth[0, 3] = np.nan
    pred[0, 2] += (0.0, 6.0)
    assert nme(pred, truth, SQUARE)[0] == pytest.approx(6.0 / 3 / 50)
    assert normaliser_distances(truth, None, "box")[0] == pytest.approx(np.sqrt(1200.0))
    truth[0, 0] = np.nan  # an eye corner: nothing to normalise by
    assert np.isnan(nme(pred, truth, SQUARE)[0])
    assert np.isnan(nme(pred, np.full_like(truth, np.nan), SQUARE, "box")[0])


def test_a_prediction_that_is_not_finite_is_a_failure() -> None:
    pred = TRUTH.copy()
    pred[0, 1, 0] = np.nan
    errors = nme(pred, TRUTH, SQUARE)
    assert np.isinf(errors[0])
    assert failure_rate(errors) == 1.0
    assert auc(errors) == 0.0


def test_builtin_eye_corners_are_used() -> None:
    for name, (i, j) in {"ibug68": (36, 45), "wflw98": (60, 72), "cofw29": (8, 9)}.items():
        truth = np.zeros((1, get_scheme(name).count, 2))
        truth[0, j, 0] = 80.0
        assert nme(truth + np.array([0.0, 4.0]), truth, name)[0] == pytest.approx(0.05)
        assert i != j


def test_summaries_by_hand() -> None:
    errors = [0.02, 0.05, 0.10, 0.20]
    assert failure_rate(errors) == 0.25  # 0.10 is not above 0.10
    assert failure_rate(errors, 0.05) == 0.5
    assert auc(errors, 0.1) == pytest.approx((0.8 + 0.5 + 0.0 + 0.0) / 4)
    assert auc(errors, 0.2) == pytest.approx((0.9 + 0.75 + 0.5 + 0.0) / 4)
    assert auc([0.0, 0.0]) == 1.0
    x, y = ced(errors, 0.2, 5)  # 0, .05, .1, .15, .2
    np.testing.assert_allclose(x, [0.0, 0.05, 0.1, 0.15, 0.2])
    np.testing.assert_allclose(y, [0.0, 0.5, 0.75, 0.75, 1.0])


def test_auc_is_the_integral_of_the_curve() -> None:
    errors = np.random.default_rng(0).gamma(2.0, 0.02, 500)
    x, y = ced(errors, 0.1, 200_001)
    assert auc(errors, 0.1) == pytest.approx(np.trapezoid(y, x) / 0.1, abs=1e-5)


def test_faces_without_error_do_not_count() -> None:
    assert failure_rate([np.nan, 0.2, 0.0]) == 0.5
    with pytest.raises(DataError, match="no error"):
        auc([np.nan])
    with pytest.raises(DataError, match="threshold"):
        failure_rate([0.1], 0.0)
    with pytest.raises(DataError, match="finite"):
        failure_rate([0.1], np.inf)


def test_clear_errors() -> None:
    flat = np.zeros((1, 4, 2))
    with pytest.raises(DataError, match="Face 0 has a inter_ocular distance of 0 px"):
        nme(flat, flat, SQUARE)
    with pytest.raises(DataError, match="above zero"):
        nme(TRUTH, TRUTH, [0.0])
    with pytest.raises(UnknownNameError, match="inter_ocular"):
        nme(TRUTH, TRUTH, SQUARE, "ocular")
    with pytest.raises(DataError, match="needs the landmark scheme"):
        nme(TRUTH, TRUTH)
    with pytest.raises(DataError, match="has no eye corners"):
        nme(np.zeros((1, 5, 2)), np.zeros((1, 5, 2)), "five")
    with pytest.raises(DataError, match="has no pupils"):
        nme(TRUTH, TRUTH, user_scheme("bare", 4), "inter_pupil")
    with pytest.raises(DataError, match="differ in shape"):
        nme(TRUTH, TRUTH[:, :3], SQUARE)
    with pytest.raises(DataError, match="68 landmarks, but the faces have 4"):
        nme(TRUTH, TRUTH, "ibug68")
    with pytest.raises(DataError, match="2 normalising distances for 1"):
        nme(TRUTH, TRUTH, [1.0, 2.0])


def test_a_length_of_zero_can_be_left_out_instead() -> None:
    faces = np.concatenate([np.zeros((1, 4, 2)), TRUTH])
    for normaliser in ("inter_ocular", "inter_pupil", "box", "diagonal"):
        flat, whole = normaliser_distances(faces, SQUARE, normaliser, strict=False)
        assert np.isnan(flat) and whole > 0


def test_nrmse_as_printed_divides_the_frobenius_norm_by_the_number_of_points() -> None:
    pred = TRUTH.copy()
    pred[0, 0] += (3.0, 4.0)
    pred[0, 2] += (0.0, 12.0)
    assert nrmse(pred, TRUTH, SQUARE)[0] == pytest.approx(13.0 / (4 * 50))
    assert nme(pred, TRUTH, SQUARE)[0] == pytest.approx(17.0 / (4 * 50))
    even = TRUTH + np.array([3.0, 4.0])
    assert nrmse(even, TRUTH, np.array([10.0]))[0] == pytest.approx(0.5 / np.sqrt(4))
    missing = TRUTH.copy()
    missing[0, 3] = np.nan
    assert nrmse(pred, missing, SQUARE)[0] == pytest.approx(13.0 / (3 * 50))
    pred[0, 1, 0] = np.nan
    assert np.isinf(nrmse(pred, TRUTH, SQUARE)[0])
