from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import TraceError
from workbench.explain.occlusion_maps import inside_outside, mask_coverage


def test_a_mask_covers_what_it_covers() -> None:
    mask = np.zeros((8, 8), bool)
    mask[:4, :2] = True
    assert mask_coverage((2, 2), mask).tolist() == [[0.5, 0], [0, 0]]
    assert mask_coverage((4, 4), mask).tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [0] * 4, [0] * 4]
    with pytest.raises(TraceError, match="cannot be laid"):
        mask_coverage((3, 3), mask)


def test_means_inside_and_outside() -> None:
    values = np.array([[1.0, 3.0], [5.0, 7.0]])
    found = inside_outside(values, [[1, 0.5], [0, 0]])
    assert found.inside == pytest.approx((1 + 1.5) / 1.5)
    assert found.outside == pytest.approx((1.5 + 5 + 7) / 2.5)
    everywhere = inside_outside(values, np.ones((2, 2)))
    assert everywhere.inside == 4 and np.isnan(everywhere.outside)
    with pytest.raises(TraceError):
        inside_outside(values, np.ones((2, 3)))
