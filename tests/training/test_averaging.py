"""The kept weights forget where the training started."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from workbench.training import get_recipe
from workbench.training.averaging import MovingAverage


def averaged(model: torch.nn.Module, callback: MovingAverage):
    """The averaged model and a function that takes one training step's average."""
    average = AveragedModel(model, **callback._kwargs, use_buffers=True)

    def step() -> None:
        callback.on_train_batch_start(None, None, None, 0)
        average.update_parameters(model)

    return average.module, step


def test_the_decay_grows_to_its_full_value() -> None:
    model = torch.nn.BatchNorm1d(1)
    mean, step = averaged(model, MovingAverage(0.9))
    expected = 0.0
    for n in range(1, 200):
        with torch.no_grad():
            model.weight.fill_(float(n))
            model.num_batches_tracked.fill_(n)
        step()
        decay = min(0.9, (n - 1) / (9 + n))
        expected = decay * expected + (1 - decay) * n
        assert mean.weight.item() == pytest.approx(expected, rel=1e-5)
    assert mean.num_batches_tracked.item() == 199


def test_a_short_training_keeps_nothing_of_its_random_start_nor_a_phase_of_the_one_before() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    callback = MovingAverage(0.997, starts=(0, 3))
    mean, step = averaged(model, callback)
    for epoch, value in enumerate((1.0, 1.0, 1.0, 5.0)):
        callback.on_train_epoch_start(SimpleNamespace(current_epoch=epoch), None)
        for _ in range(50):
            with torch.no_grad():
                model.weight.fill_(value)
            step()
    assert mean.weight.item() == pytest.approx(5.0)


def test_the_steps_of_a_phase_survive_an_interruption() -> None:
    first, second = MovingAverage(0.9), MovingAverage(0.9)
    for _ in range(7):
        first.on_train_batch_start(None, None, None, 0)
    second.load_state_dict(first.state_dict())
    assert second.steps == 7


@pytest.mark.parametrize(("name", "starts"), [("dslpt-68", (0, 24, 60, 72)), ("slpt-68", (0,))])
def test_a_recipe_knows_where_its_phases_begin(name, starts) -> None:
    assert get_recipe(name).starts == starts
