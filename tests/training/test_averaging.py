"""The kept weights forget where the training started."""

from __future__ import annotations

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from workbench.training.averaging import MovingAverage


def test_the_decay_grows_to_its_full_value() -> None:
    model = torch.nn.BatchNorm1d(1)
    average = AveragedModel(model, **MovingAverage(0.9)._kwargs, use_buffers=True)
    expected = 0.0
    for step in range(1, 200):
        with torch.no_grad():
            model.weight.fill_(float(step))
            model.num_batches_tracked.fill_(step)
        average.update_parameters(model)
        if step == 1:
            expected = 1.0
        else:
            n = step - 1
            decay = min(0.9, (1 + n) / (10 + n))
            expected = decay * expected + (1 - decay) * step
        assert average.module.weight.item() == pytest.approx(expected, rel=1e-5)
    assert average.module.num_batches_tracked.item() == 199


def test_a_short_training_keeps_little_of_its_random_start() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    average = AveragedModel(model, **MovingAverage(0.997)._kwargs)
    values = [1.0] + [0.0] * 550
    for value in values:
        with torch.no_grad():
            model.weight.fill_(value)
        average.update_parameters(model)
    assert average.module.weight.item() < 1e-6
