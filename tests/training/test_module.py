"""The training module on its own: fresh views at every step and process, and what a start brings along."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from workbench.landmarks import get_scheme
from workbench.models import build
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel
from workbench.training.module import AlignmentTraining
from workbench.training.recipes import Phase, Recipe

RECIPE = Recipe(name="x", preset="p", scheme="ibug68", sets=(), test="t", phases=(Phase(4, 1e-3),))


class Still(FaceModel):
    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(landmarks=68, input_size=32, scheme="ibug68")
        self.register_buffer("mean_shape", torch.rand(68, 2))

    def forward(self, images):
        return Alignment(torch.zeros(len(images), 68, 2))


class Seeing(AlignmentTraining):
    """Keeps what the model is shown."""

    def model_loss(self, images, batch):
        self.seen = images
        return images.new_zeros(())


@pytest.fixture
def show(monkeypatch):
    """(step, rank) -> the crops that a training shows its model then."""
    torch.manual_seed(0)
    batch = (
        torch.randint(0, 256, (2, 3, 40, 40), dtype=torch.uint8),
        8 + 24 * torch.rand(2, 68, 2),
        torch.ones(2, 68, dtype=torch.bool),
    )
    module = Seeing(Still(), get_scheme("ibug68"), RECIPE)
    monkeypatch.setattr(module, "log", lambda *_, **__: None)

    def run(step: int, rank: int = 0, world: int = 1) -> torch.Tensor:
        trainer = SimpleNamespace(global_step=step, global_rank=rank, world_size=world, current_epoch=0)
        monkeypatch.setattr(module, "_trainer", trainer)
        module.training_step(batch, 0)
        return module.seen

    return run


def test_every_step_shows_other_views_and_the_same_step_the_same(show) -> None:
    assert torch.equal(show(0), show(0))
    assert not torch.equal(show(0), show(1))


def test_no_two_processes_share_a_view(show) -> None:
    views = [show(step, rank, world=2) for step in (0, 1) for rank in (0, 1)]
    assert not any(torch.equal(a, b) for i, a in enumerate(views) for b in views[:i])


def test_a_start_brings_weights_but_not_its_mean_face() -> None:
    torch.manual_seed(0)
    source, model = (build("dslpt-68-compact", torch.rand(68, 2)) for _ in range(2))
    own = model.mean_shape.clone()
    AlignmentTraining(model, get_scheme("ibug68"), RECIPE).inherit(source)
    assert torch.equal(model.mean_shape, own) and not torch.equal(own, source.mean_shape)
    theirs = source.state_dict()
    for name, tensor in model.state_dict().items():
        assert name == "mean_shape" or torch.equal(tensor, theirs[name]), name
