"""An optimised model answers, and shows inside, what the model says as it was loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from workbench import load_model
from workbench.errors import CheckpointError, SettingsError
from workbench.evaluation.speed import crops
from workbench.models import list_models
from workbench.models.backbones import build_backbone
from workbench.models.base import FaceModel
from workbench.models.optimise import foldable, optimise
from workbench.models.selective import LandmarkBlocks
from workbench.models.zoo import save_checkpoint
from workbench.tracing import edits, intervene, record

NAMES = [card.name for card in list_models()]


def _pair(name: str) -> tuple[FaceModel, FaceModel, Tensor]:
    plain, quick = load_model(name, device="cpu"), load_model(name, device="cpu", optimise=True)
    return plain, quick, plain.prepare(crops(plain.input_size, 2))


@pytest.mark.parametrize("name", NAMES)
def test_answers_and_taps_are_as_before(name: str) -> None:
    plain, quick, images = _pair(name)
    with torch.inference_mode():
        with record(plain) as before:
            expected = plain(images)
        with record(quick) as after:
            found = quick(images)
        untraced = quick(images)
    torch.testing.assert_close(found.landmarks, expected.landmarks, rtol=0, atol=1e-4)
    torch.testing.assert_close(untraced.landmarks, expected.landmarks, rtol=0, atol=1e-4)
    assert list(after) == list(before)
    for key, entry in before.items():
        assert after[key].axes == entry.axes
        scale = max(1.0, float(entry.tensor.abs().max()))
        torch.testing.assert_close(after[key].tensor, entry.tensor, rtol=0, atol=2e-4 * scale, msg=key)


@pytest.mark.parametrize("name", ["dslpt-68", "ssfa-68", "chs-68"])
def test_edits_do_the_same(name: str) -> None:
    plain, quick, images = _pair(name)
    tap = {"dslpt-68": "relation.layers.*.cross", "ssfa-68": "attention.weights", "chs-68": "select.weights"}[name]
    with torch.inference_mode():
        with record(plain) as trace:
            plain(images)
        tap = tap if any(tap.split("*")[0] in key for key in trace) else next(iter(trace))
        answers = []
        for model in (plain, quick):
            with intervene(model, {tap: edits.Zero()}):
                answers.append(model(images).landmarks)
    torch.testing.assert_close(*answers, rtol=0, atol=1e-3)


def _stirred(module: nn.Module) -> nn.Module:
    """Norms that change what they see, as trained ones do."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, std=0.1)
            nn.init.normal_(part.running_mean, std=0.1)
            nn.init.uniform_(part.running_var, 0.5, 2)
    return module.eval()


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (build_backbone("hrnet_w18_lite", 64, deep_head=True), (1, 3, 64, 64)),
        (build_backbone("resnet50", 64), (1, 3, 64, 64)),
        (LandmarkBlocks(3, 6, 4, 2), (1, 3, 6, 5, 5)),
    ],
    ids=["hrnet", "resnet50", "landmark blocks"],
)
def test_every_pair_is_a_convolution_and_the_norm_of_its_output(module: nn.Module, shape: tuple[int, ...]) -> None:
    """What a norm reads is the very tensor that the convolution before it gave."""
    _stirred(module)
    given: dict[int, Tensor] = {}
    seen = []
    for parent, conv, norm in foldable(module):
        first, second = parent.get_submodule(conv), parent.get_submodule(norm)
        first.register_forward_hook(lambda own, _, out: given.__setitem__(id(own), out))
        second.register_forward_pre_hook(lambda _, args, own=first: seen.append(given[id(own)] is args[0]))
    module(torch.randn(shape))
    norms = sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())
    assert len(seen) == norms and all(seen)


def test_a_norm_before_its_convolution_stays() -> None:
    from workbench.models.backbones.hourglass import ParallelBlock

    assert list(foldable(ParallelBlock(8, 16))) == []


def test_an_optimised_model_is_for_reading_only(tmp_path: Path) -> None:
    model = load_model("dslpt-68", device="cpu", optimise=True)
    with pytest.raises(SettingsError, match="optimised for reading"):
        model.train()
    with pytest.raises(CheckpointError, match="optimised for reading"):
        save_checkpoint(model, tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_where_nothing_compiles_the_model_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no compiler")

    model = load_model("dslpt-68", device="cpu")
    images = model.prepare(crops(model.input_size, 1))
    with torch.inference_mode():
        expected = model(images).landmarks
        monkeypatch.setattr(torch, "compile", refuse)
        torch.testing.assert_close(optimise(model, compiled=True)(images).landmarks, expected, rtol=0, atol=1e-4)
