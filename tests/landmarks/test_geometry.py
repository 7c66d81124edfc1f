from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.landmarks.geometry import affine, apply, invert, mean_shape, similarity, square_crop

POINTS = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [1.0, 5.0]])


def test_square_crop_by_hand() -> None:
    centre, side = square_crop([[10, 20], [30, 60], [np.nan, np.nan]])
    assert centre.tolist() == [20.0, 40.0]
    assert side == pytest.approx(48.0)
    assert square_crop([[0, 0], [10, 4]], factor=1.0)[1] == 10.0


def test_mean_shape_by_hand() -> None:
    wide = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 4.0]])
    twice = 2 * wide + 100.0
    mean = mean_shape([wide, twice], extent=1.0)
    np.testing.assert_allclose(mean, [[0.0, 0.3], [1.0, 0.3], [0.5, 0.7]])
    mean = mean_shape(np.stack([wide, twice]))
    np.testing.assert_allclose((mean.max(0) - mean.min(0)).max(), 1 / 1.2)
    np.testing.assert_allclose((mean.max(0) + mean.min(0)) / 2, 0.5)


def test_mean_shape_with_missing_points() -> None:
    a = np.array([[0.0, 0.0], [10.0, 0.0], [np.nan, np.nan], [5.0, 10.0]])
    b = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 5.0], [5.0, 10.0]])
    np.testing.assert_allclose(mean_shape([a, b], 1.0), b / 10)
    with pytest.raises(DataError, match="Landmark 2 is missing"):
        mean_shape([a])
    with pytest.raises(DataError, match="at least one face"):
        mean_shape([])


def test_similarity_recovers_a_known_map() -> None:
    angle = np.deg2rad(30.0)
    linear = 1.5 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    known = np.column_stack([linear, [7.0, -3.0]])
    found = similarity(POINTS, apply(known, POINTS))
    np.testing.assert_allclose(found, known, atol=1e-12)
    target = apply(known, POINTS)
    target[1] = np.nan
    np.testing.assert_allclose(similarity(POINTS, target), known, atol=1e-12)


def test_similarity_never_mirrors() -> None:
    found = similarity(POINTS, POINTS * [-1.0, 1.0])
    assert np.linalg.det(found[:, :2]) >= 0
    np.testing.assert_allclose(found[0, 0], found[1, 1])
    np.testing.assert_allclose(found[0, 1], -found[1, 0])


def test_similarity_is_least_squares() -> None:
    rng = np.random.default_rng(0)
    target = POINTS + rng.normal(0, 0.3, POINTS.shape)
    best = similarity(POINTS, target)
    error = ((apply(best, POINTS) - target) ** 2).sum()
    for step in np.eye(4) * 1e-3:
        a, b = best[0, 0] + step[0], best[1, 0] + step[1]
        near = np.array([[a, -b, best[0, 2] + step[2]], [b, a, best[1, 2] + step[3]]])
        assert ((apply(near, POINTS) - target) ** 2).sum() > error


def test_affine_and_inverse() -> None:
    known = np.array([[1.2, 0.3, 5.0], [-0.1, 0.8, -2.0]])
    np.testing.assert_allclose(affine(POINTS, apply(known, POINTS)), known, atol=1e-12)
    np.testing.assert_allclose(apply(invert(known), apply(known, POINTS)), POINTS, atol=1e-12)
    assert apply(known, np.zeros((2, 3, 2))).shape == (2, 3, 2)


def test_degenerate_shapes_are_named() -> None:
    with pytest.raises(DataError, match="two distinct"):
        similarity(np.ones((3, 2)), POINTS[:3])
    with pytest.raises(DataError, match="one line"):
        affine([[0, 0], [1, 1], [2, 2]], POINTS[:3])
    with pytest.raises(DataError, match="cannot be inverted"):
        invert([[1, 1, 0], [1, 1, 0]])
    with pytest.raises(DataError, match="one spot"):
        square_crop([[3, 3], [3, 3]])
    with pytest.raises(DataError, match="no known landmark"):
        square_crop([[np.nan, np.nan]])
    with pytest.raises(DataError, match="equal length"):
        similarity(POINTS, POINTS[:2])
