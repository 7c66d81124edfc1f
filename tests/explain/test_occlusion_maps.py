from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from workbench.errors import TraceError
from workbench.explain.occlusion_maps import (
    cover_effect,
    inside_outside,
    mask_coverage,
    reading_effect,
    rectangle_coverage,
    single_map,
)
from workbench.tracing import NamedTensor, Trace


def reading(values) -> SimpleNamespace:
    trace = Trace()
    trace["attention.gate.spatial"] = NamedTensor(torch.tensor([values]), ("batch", "y", "x"))
    trace["hybrid"] = NamedTensor(torch.zeros(1, 3, 2, 2), ("batch", "channel", "y", "x"))
    return SimpleNamespace(trace=trace)


def test_a_rectangle_covers_whole_and_broken_cells() -> None:
    # Four cells a side; x from the middle of the second cell to the end of the third, y the top quarter and a half.
    coverage = rectangle_coverage((4, 4), (0.375, 0.0, 0.75, 0.375))
    expected = np.zeros((4, 4))
    expected[0], expected[1] = (0, 0.5, 1, 0), (0, 0.25, 0.5, 0)
    assert np.allclose(coverage, expected)
    assert rectangle_coverage((2, 3), (-1, -1, 2, 2)).tolist() == [[1, 1, 1], [1, 1, 1]]
    assert not rectangle_coverage((2, 2), (2, 2, 3, 3)).any()


@pytest.mark.parametrize("wrong", [(0, 0, 1), (0.5, 0, 0.4, 1), (0, float("nan"), 1, 1)])
def test_what_is_no_rectangle_is_refused(wrong) -> None:
    with pytest.raises(TraceError, match="x0, y0, x1, y1"):
        rectangle_coverage((2, 2), wrong)


def test_a_mask_covers_what_it_covers() -> None:
    mask = np.zeros((8, 8), bool)
    mask[:4, :2] = True
    assert mask_coverage((2, 2), mask).tolist() == [[0.5, 0], [0, 0]]
    assert np.allclose(mask_coverage((4, 4), mask), rectangle_coverage((4, 4), (0, 0, 0.25, 0.5)))
    with pytest.raises(TraceError, match="cannot be laid"):
        mask_coverage((3, 3), mask)


def test_means_inside_and_outside() -> None:
    values = np.array([[1.0, 3.0], [5.0, 7.0]])
    found = inside_outside(values, [[1, 0.5], [0, 0]])
    assert found.inside == pytest.approx((1 + 1.5) / 1.5)
    assert found.outside == pytest.approx((1.5 + 5 + 7) / 2.5)
    assert found.area == pytest.approx(1.5 / 4)
    assert found.ratio == pytest.approx(found.inside / found.outside)
    everywhere = inside_outside(values, np.ones((2, 2)))
    assert everywhere.inside == 4 and np.isnan(everywhere.outside)
    with pytest.raises(TraceError):
        inside_outside(values, np.ones((2, 3)))


def test_the_effect_of_covering() -> None:
    before, after = np.full((2, 2), 0.5), np.array([[0.1, 0.5], [0.6, 0.5]])
    coverage = rectangle_coverage((2, 2), (0, 0, 0.5, 0.5))
    effect = cover_effect(before, after, coverage, "gate")
    assert np.allclose(effect.difference, [[-0.4, 0], [0.1, 0]])
    assert effect.limit == pytest.approx(0.4)
    assert effect.change == pytest.approx(-0.4 - 0.1 / 3)
    assert "0.500 -> 0.100" in effect.caption and effect.caption.startswith("gate")


def test_two_readings_by_rectangle_and_by_mask() -> None:
    before, after = reading([[0.5, 0.5], [0.5, 0.5]]), reading([[0.5, 0.2], [0.5, 0.5]])
    by_rectangle = reading_effect(before, after, (0.5, 0, 1, 0.5))
    mask = np.zeros((4, 4), bool)
    mask[:2, 2:] = True
    by_mask = reading_effect(before, after, mask)
    assert by_rectangle.after.inside == pytest.approx(0.2) and by_rectangle.after.outside == pytest.approx(0.5)
    assert by_rectangle.after == by_mask.after
    assert "spatial gate" in by_rectangle.caption
    with pytest.raises(TraceError, match="y and x alone"):
        single_map(before, "hybrid")
    with pytest.raises(TraceError, match="holds no"):
        single_map(before, "attention.plain")
