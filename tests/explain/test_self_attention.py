"""The prior mask and leaked attention, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.errors import TraceError
from workbench.explain.self_attention import (
    attention_from,
    background_share,
    landmark_masks,
    leaked_mass,
    structure_prior,
)


def test_a_mask_by_hand() -> None:
    prior = structure_prior(np.array([[0.5, 0.5]]), 5, sigma=1.0, radius=1.0)
    side, corner = math.exp(-0.5), math.exp(-1.0)
    expected = np.zeros((5, 5))
    expected[1:4, 1:4] = [[corner, side, corner], [side, 1.0, side], [corner, side, corner]]
    assert np.allclose(prior.mask, expected)
    assert prior.neighbourhood.sum() == 9
    assert prior.share == 9 / 25
    assert "36 %" in prior.caption


def test_masks_add_up_and_x_is_the_column() -> None:
    points = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.5]])
    prior = structure_prior(points, 5, sigma=2.0, radius=0.0)
    expected = np.zeros((5, 5))
    expected[0, 4], expected[2, 0] = 2.0, 1.0
    assert np.allclose(prior.mask, expected)
    assert landmark_masks(points, 5, 2.0, 0.0).shape == (3, 5, 5)


def uniform(size: int) -> np.ndarray:
    return np.full((size,) * 4, 1 / size**2)


def test_uniform_attention_leaks_what_the_background_covers() -> None:
    points = np.array([[0.5, 0.5], [0.1, 0.1]])
    share = structure_prior(points, 5, 1.0, 1.0).share
    leak = leaked_mass(uniform(5), points, 1.0, 1.0)
    assert np.allclose(leak.values, 1 - share)
    assert leak.mean == pytest.approx(1 - share)


def test_the_leak_is_weighted_by_each_landmark_s_gaussian() -> None:
    attention = np.zeros((3, 3, 3, 3))
    attention[..., 1, 1] = 1.0  # all look at the middle
    attention[1, 1] = 0.0
    attention[1, 1, 0, 2] = 1.0  # and the middle at a corner
    points = np.array([[0.5, 0.5]])
    assert leaked_mass(attention, points, 1.0, 0.0).values[0] == pytest.approx(1.0)
    beside = leaked_mass(attention, np.array([[0.5 + 0.5 / 3, 0.5]]), 1.0, 0.5)  # half-way to the cell on the right
    assert beside.values[0] == pytest.approx(0.5)


def test_raw_products_count_by_their_absolute_value() -> None:
    attention = np.zeros((2, 2, 2, 2))
    attention[0, 0] = [[1.0, -3.0], [0.0, 0.0]]
    share = background_share(attention, np.array([[True, False], [False, False]]))
    assert np.allclose(share, [[0.75, 0.0], [0.0, 0.0]])


def test_a_landmark_outside_the_map_has_no_leak() -> None:
    leak = leaked_mass(uniform(4), np.array([[0.5, 0.5], [3.0, 3.0]]), 1.0, 1.0)
    assert np.isnan(leak.values[1])
    assert np.isfinite(leak.mean)
    assert math.isnan(leaked_mass(uniform(4), np.array([[3.0, 3.0]])).mean)


def test_a_place_s_attention_is_its_cell_s_row() -> None:
    attention = np.arange(16.0).reshape(2, 2, 2, 2)
    assert np.array_equal(attention_from(attention, 0.9, 0.1), attention[0, 1])
    assert np.array_equal(attention_from(attention, -1.0, 2.0), attention[1, 0])


def test_another_array_gets_a_sentence() -> None:
    with pytest.raises(TraceError, match="query_y"):
        leaked_mass(np.zeros((2, 3, 2, 3)), np.zeros((1, 2)))
    with pytest.raises(TraceError, match=r"at\(batch=0\)"):
        attention_from(np.zeros((1, 2, 2, 2, 2)), 0.5, 0.5)


def test_chance_is_what_a_uniform_attention_leaks() -> None:
    rng = np.random.default_rng(0)
    points, uniform = rng.uniform(0.3, 0.7, (5, 2)), np.full((8, 8, 8, 8), 1 / 64)
    prior = structure_prior(points, 8, 0.5, 1.5)
    assert 0 < prior.chance < 1
    np.testing.assert_allclose(leaked_mass(uniform, points, 0.5, 1.5).values, prior.chance)
