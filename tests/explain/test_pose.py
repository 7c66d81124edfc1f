"""Head pose: the axes of a turned head by hand, what gates what, and the angles' errors on the card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from workbench.errors import TraceError
from workbench.explain.pose import head_axes, pose
from workbench.models.alignment import Alignment
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace


def posed_reading(angles: tuple[float, float, float] = (0.3, -0.1, 0.2), confidence: float = 0.8) -> Reading:
    """A drawn face with a pose, and features of 4 channels times a heatmap."""
    torch.manual_seed(0)
    plain, trace = synthetic_reading(68, attention=False), Trace()
    low, heat = torch.randn(1, 4, 6, 6), 0.5 + 0.5 * torch.rand(1, 6, 6)
    trace["low"] = NamedTensor(low, ("batch", "channel", "y", "x"))
    trace["state"] = NamedTensor(torch.rand(1, 9), ("batch", "channel"))
    trace["heat"] = NamedTensor(heat, ("batch", "y", "x"))
    trace["gated"] = NamedTensor(low * heat[:, None], ("batch", "channel", "y", "x"))
    alignment = Alignment(
        plain.alignment.landmarks, pose=torch.tensor([angles]), confidence=torch.tensor([confidence])
    )  # fmt: skip
    metrics = ({"metric": "yaw mean absolute error", "value": 1.9}, {"metric": "NME inter-ocular", "value": 4.0})
    return replace(plain, trace=trace, alignment=alignment, metrics=metrics, config={"threshold": 0.7, "floor": 0.5})


def test_the_axes_of_a_head_that_looks_into_the_camera() -> None:
    np.testing.assert_allclose(head_axes(np.zeros(3)), [[1, 0, 0], [0, -1, 0], [0, 0, -1]], atol=1e-12)


@pytest.mark.parametrize(
    ("angles", "which", "place"),
    [
        ((np.pi / 6, 0, 0), 2, (0.5, 0)),  # turned to image right: so points the nose
        ((0, np.pi / 6, 0), 2, (0, -0.5)),  # looking up: the nose goes up the picture
        ((0, 0, np.pi / 6), 1, (0.5, -np.sqrt(0.75))),  # clockwise: the top of the head goes right
    ],
)
def test_the_axes_of_a_turned_head(angles: tuple[float, ...], which: int, place: tuple[float, float]) -> None:
    axes = head_axes(np.array(angles))
    np.testing.assert_allclose(axes[which, :2], place, atol=1e-9)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)


def test_a_reading_tells_pose_confidence_and_what_the_heatmap_gates() -> None:
    found = pose(posed_reading())
    np.testing.assert_allclose(np.radians(found.angles), [0.3, -0.1, 0.2], atol=1e-6)
    assert {k: v for k, v in found.tensors.items() if v} == {"before": "low", "heatmap": "heat", "after": "gated"}
    np.testing.assert_allclose(found.maps["before"] * found.maps["heatmap"], found.maps["after"], rtol=1e-6)
    np.testing.assert_allclose(found.picture("after"), np.abs(found.maps["after"]).mean(0))
    assert (found.threshold, found.floor, found.errors) == (0.7, 0.5, {"yaw": 1.9})
    with pytest.raises(TraceError, match="no head pose"):
        pose(synthetic_reading(68))
