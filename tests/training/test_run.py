"""Training end to end on the drawn set: it learns, stops, goes on, and leaves a checkpoint with a card."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from tests.synthetic import write_synthetic
from workbench.data.augment import AugmentedBatch
from workbench.errors import CheckpointError, DataError, SettingsError, UnknownNameError
from workbench.evaluation import SIDES, evaluate, sigma_under_occlusion
from workbench.explain import CalibrationReport
from workbench.landmarks import get_scheme
from workbench.models import ModelCard, build, load_model, preset
from workbench.training import get_recipe, train
from workbench.training.folders import set_folder
from workbench.training.patches import PatchTransformerTraining
from workbench.training.recipes import Phase

pytestmark = pytest.mark.slow

SMALL = (("dim", 32), ("heads", 2), ("layers", 2), ("ffn", 64), ("input_size", 64))
"""What makes the compact models small: what is tested here is the way from a recipe to a checkpoint."""


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
        changes=SMALL,
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


def test_the_card_tells_how_far_its_sigma_keeps_its_promise(trained) -> None:
    report = CalibrationReport.from_card(load_model(trained[2], device="cpu").card.calibration)
    assert len(report.scales) == 3 and report.faces == 8
    assert [row.where for row in report.rows[:3]] == ["stage 1", "stage 2", "stage 3"]


def test_a_fold_is_left_out_and_told(folder, tmp_path) -> None:
    recipe = replace(get_recipe("slpt-68"), sets=("drawn",), test="drawn", batch=4, start=None, precision="32-true")
    recipe = replace(recipe, changes=SMALL)
    path = train(replace(recipe, phases=(Phase(1, 1e-3),)), folder, tmp_path, leave_out=(1, 4), progress=False)
    card = load_model(path, device="cpu").card
    assert card.left_out == (1, 4) and "--leave-out 1/4" in card.command and card.calibration == {}
    assert 0 < int(card.data.split()[1]) < 16
    with pytest.raises(SettingsError, match="no fold 5/4"):
        train(recipe, folder, tmp_path, leave_out=(5, 4), progress=False)


def test_a_backbone_of_its_own_to_start_from(folder, tmp_path, monkeypatch) -> None:
    """Not trained (no epochs) and not measured, so that what was taken is seen."""
    from workbench.training import run

    told = []
    monkeypatch.setattr(run, "finish", lambda *given: told.append(given))
    recipe = replace(
        get_recipe("dslpt-68-paper"), preset="dslpt-68-resnet34", sets=("drawn",), test="drawn", precision="32-true"
    )
    theirs = {
        key.removeprefix("backbone."): torch.rand_like(tensor) if tensor.is_floating_point() else tensor
        for key, tensor in build("dslpt-68-resnet34", torch.rand(68, 2)).state_dict().items()
        if key.startswith("backbone.") and ".reduce." not in key
    }
    start = str(tmp_path / "resnet34.pth")
    torch.save(theirs, start)
    train(recipe, folder, tmp_path, start=start, epochs=0, progress=False)
    (module, *_, extra, _, _), = told  # fmt: skip
    assert all(torch.equal(v, theirs[k]) for k, v in module.model.backbone.state_dict().items() if k in theirs)
    assert extra[-2:] == ["--start", start]
    with pytest.raises(CheckpointError, match="does not fit the backbone"):
        train(replace(recipe, preset="dslpt-68-lite"), folder, tmp_path, start=start, progress=False)


@pytest.mark.parametrize("system", ["slpt", "dslpt"])
@pytest.mark.parametrize("stages", [1, 2, 4])
def test_another_number_of_stages_trains_with_as_many_weights_or_is_refused(system: str, stages: int) -> None:
    config = replace(preset(f"{system}-68-compact"), stages=stages, dim=32, heads=2, layers=2, ffn=32, input_size=64)
    model, scheme, recipe = build(config, torch.rand(68, 2)), get_scheme(68), get_recipe(f"{system}-68")
    with pytest.raises(SettingsError, match=f"give it stage_weights of {stages} numbers"):
        PatchTransformerTraining(model, scheme, recipe)
    module = PatchTransformerTraining(model, scheme, replace(recipe, stage_weights=(1 / stages,) * stages))
    points, known = torch.rand(2, 68, 2), torch.ones(2, 68, dtype=torch.bool)
    batch = AugmentedBatch(torch.rand(2, 3, 64, 64), points, known, ~known, torch.zeros(2, 64, 64, dtype=torch.bool))
    module.model_loss(module.model_input(batch.images), batch).backward()
    still = [n for n, p in model.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())]
    assert all(name.startswith("relation.layers.0.") for name in still), still  # its states are zero still
    assert model.eval()(torch.zeros(1, 3, 64, 64)).stages.shape[0] == stages


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
    recipe = replace(get_recipe("slpt-68"), sets=("drawn",), test="drawn", batch=8, start=None, precision="32-true")
    recipe = replace(recipe, phases=(Phase(1, 1e-3),), changes=SMALL)
    first, second = (load_model(train(recipe, folder, tmp_path / n, progress=False, whole=False)) for n in ("a", "b"))
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
    torch.manual_seed(0)
    build("dslpt-68-compact", torch.rand(68, 2))
    fresh = build("dslpt-98-compact", torch.rand(98, 2))
    for name in ("structure_encoding", "landmark_query"):
        assert torch.equal(getattr(model.relation, name), getattr(fresh.relation, name))
    tied = build("dslpt-68-compact-tied", torch.rand(68, 2))
    PatchTransformerTraining(tied, get_scheme("ibug68"), get_recipe("dslpt-68-tied")).inherit(source)
    assert tied.relation.landmark_query.shape == (1, 1, 128)


def test_several_processes_share_the_steps(folder, tmp_path) -> None:
    script = tmp_path / "two.py"
    script.write_text(
        f"""
from dataclasses import replace
from workbench.training import get_recipe, train
from workbench.training.recipes import Phase

phases = (Phase(1, 2e-3, task="heatmaps"), Phase(1, 1e-3))  # each leaves parameters of the other without a gradient
recipe = replace(get_recipe("dslpt-68"), sets=("drawn",), test="drawn", batch=4, precision="32-true", phases=phases)
recipe = replace(recipe, changes={SMALL!r})
print(train(recipe, {str(folder)!r}, {str(tmp_path / "out")!r}, accelerator="cpu", progress=False, whole=False))
"""
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=360, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    card = ModelCard.load(tmp_path / "out" / "dslpt-68.json")
    assert card.steps == 4  # 16 faces in batches of 4, on two processes, twice


def test_a_state_of_another_recipe_is_not_resumed(trained, folder, tmp_path) -> None:
    recipe, out, _ = trained
    with pytest.raises(CheckpointError, match="a training of 'dslpt-68', not of 'other'"):
        train(replace(recipe, name="other"), folder, out, resume=True, progress=False)
    state = (out / "last.ckpt").read_bytes()
    (tmp_path / "last.ckpt").write_bytes(state[: len(state) // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        train(recipe, folder, tmp_path, resume=True, progress=False)


@pytest.mark.parametrize(
    "settings",
    [{"accelerator": "abacus"}, {"devices": "many"}, {"devices": 0}, {"precision": "7-bit"}, {"seed": -1}],
)
def test_settings_that_cannot_be_met_get_a_sentence(settings, folder, tmp_path) -> None:
    with pytest.raises(SettingsError):
        train("dslpt-68", folder, tmp_path / "out", progress=False, **settings)
    assert not (tmp_path / "out").exists()


def test_a_file_is_no_folder_for_the_result(folder, tmp_path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        train("dslpt-68", folder, tmp_path / "out")


def test_a_face_without_eye_corners_does_not_break_slpt(folder) -> None:
    torch.manual_seed(0)
    recipe = get_recipe("slpt-68")
    model = build(recipe.preset, torch.rand(68, 2))
    training = PatchTransformerTraining(model, get_scheme("ibug68"), recipe)
    points, valid = torch.rand(2, 68, 2), torch.ones(2, 68, dtype=torch.bool)
    points[0, [36, 45]], valid[0, [36, 45]] = 0.0, False
    batch = AugmentedBatch(torch.zeros(0), points, valid, torch.zeros_like(valid), torch.zeros(0))
    loss = training.model_loss(torch.randn(2, 3, 128, 128), batch)
    assert torch.isfinite(loss)
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_training_stops_where_the_loss_is_lost(trained, folder, tmp_path, monkeypatch) -> None:
    def lost(self, images, batch):
        return images.sum() * float("nan")

    monkeypatch.setattr(PatchTransformerTraining, "phase_loss", lost)
    with pytest.raises(DataError, match="not finite"):
        train(trained[0], folder, tmp_path, progress=False)
