"""Two readings in one frame and on one scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from workbench.explain.compared import laid_onto, reach
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace

PLAIN = synthetic_reading(68)


def other(points: np.ndarray) -> Reading:
    """A reading whose landmarks lie at (68, 2) normalised."""
    landmarks = torch.tensor(points * PLAIN.input_size, dtype=torch.float32)[None]
    return replace(PLAIN, alignment=replace(PLAIN.alignment, landmarks=landmarks, stages=None))


def test_a_face_that_is_only_turned_scaled_and_shifted_differs_in_nothing() -> None:
    turned = 0.5 * PLAIN.points() @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + [0.6, 0.2]
    np.testing.assert_allclose(laid_onto(other(turned), PLAIN).points(), PLAIN.points(), atol=1e-5)


def test_what_is_left_is_the_shape_and_no_uncertainty_of_another_frame() -> None:
    shape = PLAIN.points()
    shape[30, 1] += 0.05
    laid = laid_onto(other(shape), PLAIN)
    apart = np.linalg.norm(laid.points() - PLAIN.points(), axis=1)
    assert apart.argmax() == 30 and apart[30] == pytest.approx(0.05, abs=0.01)
    assert laid.alignment.variance is None and laid.face is PLAIN.face


def test_a_common_scale_reaches_as_far_as_both_and_leaves_out_the_diagonal() -> None:
    def weights(values: list[list[float]]) -> Reading:
        trace = Trace()
        trace["graph"] = NamedTensor(torch.tensor([values]), ("batch", "query_landmark", "key_landmark"))
        trace["map"] = NamedTensor(torch.tensor([values]), ("batch", "y", "x"))
        return replace(PLAIN, trace=trace)

    both = [weights([[0.9, 0.2], [0.1, 0.0]]), weights([[0.0, 0.3], [-0.4, 0.0]])]
    assert reach(both, "graph") == pytest.approx((-0.4, 0.3))
    assert reach(both, "map") == pytest.approx((-0.4, 0.9))
