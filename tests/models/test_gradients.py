"""Gradients of a model in evaluation are derivatives of its answer: attributions rest on them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from workbench.faces import sample_face
from workbench.models import load_model
from workbench.models.systems import SYSTEMS

SHIPPED = {"dslpt": "dslpt-68", "slpt": "slpt-68", "scc": "scc-68", "ssfa": "ssfa-68", "aodn": "aodn-68",
           "atpn": "atpn-68", "chs": "chs-68", "tufa": "tufa"}  # fmt: skip


def test_every_system_is_checked() -> None:
    assert set(SHIPPED) == set(SYSTEMS)


@pytest.mark.slow
@pytest.mark.parametrize("system", SHIPPED)
@pytest.mark.parametrize("landmark", [8, 30, 48])
def test_the_slope_is_that_of_a_finite_difference(system: str, landmark: int) -> None:
    model = load_model(SHIPPED[system], device="cpu")
    crop = torch.from_numpy(sample_face("astronaut").crop(model.input_size)).permute(2, 0, 1)[None]
    images = model.prepare(crop)

    def answer(x: Tensor) -> Tensor:
        return model(x).landmarks[0, landmark, 0]

    held = images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(answer(held), held)
    direction = gradient / gradient.norm()
    with torch.no_grad():
        steps = [0.0005, 0.001, 0.002]
        slopes = [float(answer(images + s * direction) - answer(images - s * direction)) / (2 * s) for s in steps]
    slope = sorted(slopes)[1]
    assert float(gradient.norm()) == pytest.approx(slope, rel=0.15)
