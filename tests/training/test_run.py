"""Training end to end on the drawn set: it learns, stops, goes on, and leaves a checkpoint with a card."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from workbench.data import write_synthetic
from workbench.errors import DataError, UnknownNameError
from workbench.evaluation import SIDES, evaluate, sigma_under_occlusion
from workbench.landmarks import get_scheme
from workbench.models import build, load_model
from workbench.training import get_recipe, train
from workbench.training.folders import set_folder
from workbench.training.patches import PatchTransformerTraining
from workbench.training.recipes import Phase


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    write_synthetic(root / "drawn", train=16, test=8)
    return root


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """Four epochs, interrupted after two and resumed."""
    recipe = replace(
        get_recipe("dslpt-68"),
        sets=("drawn",),
        test="drawn",
        batch=4,
        ema=0.5,
        precision="32-true",
    )
    out = tmp_path_factory.mktemp("out")
    warmup = Phase(2, 2e-3, task="heatmaps")
    train(replace(recipe, phases=(warmup,)), folder, out, progress=False)
    assert torch.load(out / "last.ckpt", weights_only=False)["global_step"] == 8
    recipe = replace(recipe, phases=(warmup, Phase(1, 1e-3), Phase(1, 5e-4, "cover")))
    path = train(recipe, folder, out, resume=True, progress=False)
    return recipe, out, path


def test_a_recipe_leaves_a_checkpoint_a_card_and_a_state_to_resume(trained, folder) -> None:
    recipe, out, path = trained
    model = load_model(path, device="cpu")
    card = model.card
    assert card is not None
    assert path.stat().st_size <= 12_000_000
    assert (card.name, card.scheme, card.seed, card.epochs) == ("dslpt-68", "ibug68", recipe.seed, 4)
    assert card.sha256 == model.checkpoint
    names = [m["metric"] for m in card.metrics]
    assert "NME inter-ocular" in names and "sigma ratio covered / uncovered, rectangle of 30%" in names
    assert torch.load(out / "last.ckpt", weights_only=False)["global_step"] == card.steps == 16
    assert list((out / "logs").rglob("metrics.csv"))


def test_the_card_s_numbers_are_what_evaluate_measures(trained, folder) -> None:
    _, _, path = trained
    model = load_model(path, device="cpu")
    rows = {m["metric"]: m["value"] for m in model.card.metrics}
    report = evaluate(model, folder / "drawn", progress=False)
    assert report.to_dict()["nme_percent"] == pytest.approx(rows["NME inter-ocular"], abs=1e-3)
    assert len(report.nme) == len(report.files)
    assert "NME" in report.text()
    for side in SIDES:
        ratio = sigma_under_occlusion(model, folder / "drawn", side=side).ratio
        assert ratio == pytest.approx(rows[f"sigma ratio covered / uncovered, rectangle of {side:.0%}"], abs=1e-3)


def test_the_same_seed_gives_the_same_weights(folder, tmp_path) -> None:
    recipe = replace(
        get_recipe("dslpt-68"),
        sets=("drawn",),
        test="drawn",
        batch=8,
        phases=(Phase(1, 1e-3),),
        precision="32-true",
    )
    first, second = (load_model(train(recipe, folder, tmp_path / n, progress=False)) for n in ("a", "b"))
    for (name, a), b in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_what_is_missing_gets_a_sentence(folder, tmp_path) -> None:
    with pytest.raises(UnknownNameError, match="dslpt-68"):
        train("nothing", folder, tmp_path)
    with pytest.raises(DataError, match="w300_68"):
        train("dslpt-68", folder, tmp_path)
    assert set_folder(folder / "drawn", "drawn") == folder / "drawn"


def test_a_model_is_not_measured_on_other_landmarks(trained, folder) -> None:
    with pytest.raises(DataError):
        evaluate(load_model(trained[2], device="cpu"), folder / "drawn", labels="pseudo98", progress=False)


def test_another_scheme_inherits_all_that_is_not_a_landmark_s_own() -> None:
    torch.manual_seed(0)
    source = build("dslpt-68-compact", torch.rand(68, 2))
    model = build("dslpt-98-compact", torch.rand(98, 2))
    shape = model.mean_shape.clone()
    PatchTransformerTraining(model, get_scheme("wflw98"), get_recipe("dslpt-98")).inherit(source)
    assert torch.equal(model.mean_shape, shape)
    assert torch.equal(model.embed.weight, source.embed.weight)
    nearest = (shape[5] - source.mean_shape).norm(dim=-1).argmin()
    assert torch.equal(model.relation.landmark_query[0, 5], source.relation.landmark_query[0, nearest])
