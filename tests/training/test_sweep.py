"""The papers' ablations: their rows are printed ones, their switches switch, and a sweep stops, goes on and tells."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from tests.synthetic import write_synthetic
from workbench.cli.train import placed
from workbench.data.augment import AugmentedBatch
from workbench.errors import SettingsError, UnknownNameError
from workbench.explain import to_markdown
from workbench.landmarks import get_scheme
from workbench.models import build, load_model, preset
from workbench.models.dslpt import sines
from workbench.training import get_recipe
from workbench.training.ablations import ABLATIONS, Ablation, Trial, get_ablation
from workbench.training.recipes import Phase
from workbench.training.run import training_of
from workbench.training.sweep import gathered, keep, metric_words, sweep


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_row_is_one_of_the_paper_s_and_every_trial_can_be_configured(name: str, tmp_path) -> None:
    ablation = ABLATIONS[name]
    found = gathered(ablation, tmp_path, get_recipe(ablation.recipe), seeds=(1,))
    rows = [row for trial in ablation.trials for row, _ in trial.rows]
    assert [row.name for row in found.rows] == rows + [row for row, _ in ablation.not_here]
    assert all(row.paper > 0 and not row.ours and row.note for row in found.rows)
    folders = [trial.name for trial in ablation.trials]
    assert len(set(folders)) == len(folders) and not any("/" in folder for folder in folders)
    base = get_recipe(ablation.recipe)
    for trial in ablation.trials:
        recipe = ablation.recipe_of(trial)
        config = recipe.config
        assert all(getattr(config, key) == value for key, value in trial.config.items())
        assert len(recipe.stage_weights) == getattr(config, "stages", 3) and recipe.phases
        assert replace(recipe, changes=(), phases=base.phases, notes=base.notes, stage_weights=base.stage_weights,
                       point_norm=2, sets=base.sets, data=base.data) == base  # fmt: skip


def test_what_aodn_prints_as_nrmse_stands_beside_the_nme_whose_size_it_has(tmp_path) -> None:
    found = gathered(get_ablation("aodn-modules"), tmp_path, get_recipe("aodn-68"), seeds=(1,))
    heads = list(found.table()[0])
    assert heads[1] == "NME inter-ocular %, here" and heads[3] == "NRMSE x100, AODN Table 5"


def test_some_tables_hold_what_the_papers_print() -> None:
    """Numbers copied from the papers by hand."""
    for name, row, value in (
        ("slpt-encoding", "no encoding", 4.16), ("dslpt-attention", "no MSA no MCA", 4.27),
        ("atpn-pose", "feature sharing", 1.71), ("aodn-modules", "BRNet", 7.21), ("chs-parts", "4HG", 4.44),
    ):  # fmt: skip
        found = gathered(get_ablation(name), "/nowhere", get_recipe(get_ablation(name).recipe), seeds=(1,))
        assert {r.name: r.paper for r in found.rows}[row] == value


def _ready(system: str, config):
    torch.manual_seed(0)
    model = build(config, torch.rand(config.landmarks, 2) * 0.6 + 0.2)
    recipe = next(r for a in ABLATIONS.values() if (r := get_recipe(a.recipe)).config.system == system)
    if system in ("slpt", "dslpt"):
        recipe = replace(recipe, stage_weights=(1 / config.stages,) * config.stages)
    return training_of(system)(model, get_scheme(config.scheme), recipe)


SMALL = {
    "slpt": {"dim": 16, "heads": 2, "layers": 2, "ffn": 16, "input_size": 64},
    "dslpt": {"dim": 16, "heads": 2, "layers": 2, "ffn": 16, "input_size": 64},
    "chs": {"input_size": 64, "cascades": 1},
}
SWITCHED = [
    *(("slpt", {"attention": kind}) for kind in ("none", "msa", "mca")),
    ("dslpt", {"encoding": "sine"}),
    ("dslpt", {"encoding": "none"}),
    ("dslpt", {"likelihood": None, "size_rule": "halve"}),
    *(("chs", {"selection": kind}) for kind in ("unguided", "none", "cbam", "sk")),
    ("chs", {"adaptive": False}),
    ("aodn", {"geometry_aware": False, "attentive": False, "low_rank": False}),
    ("aodn", {"geometry_aware": False}),
    ("aodn", {"attentive": False, "merge": "sum"}),
    *(
        ("atpn", {"low_level": a, "multiview": b, "coordconv": c, "branches": ()})
        for a, b, c in ((False, False, False), (True, False, False), (True, True, False))
    ),
]

# What only an attention that is not there would read.
IDLE = {
    "none": {"relation.landmark_query", "relation.structure_encoding"},
    "msa": {"relation.structure_encoding"},
}


@pytest.mark.parametrize(("system", "changes"), SWITCHED, ids=str)
def test_a_model_without_a_part_still_learns_with_all_that_is_left(system: str, changes: dict) -> None:
    config = replace(preset(f"{system}-68-compact"), **SMALL.get(system, {}), **changes)
    module = _ready(system, config)
    model, side = module.model, config.input_size
    points, known = torch.rand(2, 68, 2) * 0.6 + 0.2, torch.ones(2, 68, dtype=torch.bool)
    batch = AugmentedBatch(
        torch.rand(2, 3, side, side), points, known, ~known, torch.zeros(2, side, side, dtype=torch.bool)
    )
    with torch.random.fork_rng():
        module.model_loss(module.model_input(batch.images), batch).backward()
    still = {n for n, p in model.named_parameters() if p.requires_grad and p.grad is None}
    assert still == IDLE.get(changes.get("attention", ""), set())
    whole = sum(p.numel() for p in build(preset(f"{system}-68-compact"), model.mean_shape).parameters())
    assert sum(p.numel() for p in model.parameters()) != whole or "likelihood" in changes or "adaptive" in changes
    answer = model.eval()(torch.zeros(1, 3, side, side))
    assert answer.landmarks.shape == (1, 68, 2) and torch.isfinite(answer.landmarks).all()


def test_sines_by_hand() -> None:
    values = sines(2, 4)
    assert values[0].tolist() == [0, 1, 0, 1]
    expected = [0.841471, 0.540302, 0.01, 0.99995]  # sin 1, cos 1, sin 0.01, cos 0.01
    assert values[1].tolist() == pytest.approx(expected, abs=1e-5)


def test_without_attention_no_landmark_hears_of_another() -> None:
    config = replace(preset("slpt-68-compact"), **SMALL["slpt"], attention="none")
    torch.manual_seed(0)
    relation = build(config, torch.rand(68, 2)).eval().relation
    patches = torch.rand(1, 68, 16)
    other = patches.clone()
    other[0, 7] += 1
    with torch.no_grad():
        moved = (relation(patches, relation.structure_encoding) - relation(other, relation.structure_encoding)).abs()
    assert moved[-1, 0].amax(-1).nonzero().flatten().tolist() == [7]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("sweep")
    write_synthetic(root / "drawn", train=8, test=4)
    return root


def _tiny():
    return replace(
        get_recipe("slpt-68"), sets=("drawn",), test="drawn", batch=4, start=None, precision="32-true",
        phases=(Phase(1, 1e-3),), changes=tuple(SMALL["slpt"].items()),
    )  # fmt: skip


class Stopped(Exception):
    """As if the machine had been taken away."""


@pytest.mark.slow
def test_a_sweep_stops_goes_on_and_ends_in_both_columns(folder, tmp_path) -> None:
    ablation = replace(
        get_ablation("slpt-stages"),
        trials=tuple(t for t in get_ablation("slpt-stages").trials if t.name in ("1-stages", "2-stages")),
    )
    heard: list[str] = []

    def stop(line: str) -> None:
        heard.append(line)
        if len(heard) == 2:
            raise Stopped

    with pytest.raises(Stopped):
        sweep(ablation, folder, tmp_path, recipe=_tiny(), told=stop, progress=False)
    first = tmp_path / "1-stages-20240" / "result.json"
    half = gathered(ablation, tmp_path, _tiny(), seeds=(20240,))
    assert [row.note for row in half.rows] == ["", "not trained yet", "not trained yet"]
    at = first.stat().st_mtime_ns

    found = sweep(ablation, folder, tmp_path, recipe=_tiny(), progress=False)
    assert first.stat().st_mtime_ns == at  # not trained again
    assert [row.name for row in found.rows] == [row for t in ablation.trials for row, _ in t.rows]
    one, early, late = (row.ours[0] for row in found.rows)
    model = load_model(tmp_path / "2-stages-20240" / "slpt-68-2-stages.safetensors", device="cpu")
    assert model.config.stages == 2 and "stages = 2" in " ".join(model.card.notes)
    assert model.card.metrics[0]["value"] == pytest.approx(late, abs=1e-3)  # its last stage is its answer
    assert one > 0 and early != late and found.rows[2].parameters == sum(p.numel() for p in model.parameters())

    table = found.table()
    assert list(table[0]) == ["row", "NME inter-ocular %, here", "deviation over seeds",
                              "NME inter-ocular %, SLPT Table 4.5", "parameters", "note"]  # fmt: skip
    assert table[0]["NME inter-ocular %, SLPT Table 4.5"] == 4.79
    assert "4 faces of drawn test" in found.caption() and "cannot" in found.caption()
    kept = list(keep(found, tmp_path))
    assert [path.name for path in kept] == ["table.csv", "table.md", "table.json"]
    assert json.loads(kept[2].read_text(encoding="utf-8"))["rows"] == table
    assert to_markdown(table) in kept[1].read_text(encoding="utf-8")

    with pytest.raises(SettingsError, match="trial of other settings"):
        sweep(ablation, folder, tmp_path, recipe=replace(_tiny(), batch=2), only=["1-stages"], progress=False)
    two = sweep(ablation, folder, tmp_path, recipe=_tiny(), seeds=(20240, 7), only=["1-stages"], progress=False)
    assert len(two.rows[0].ours) == 2 and two.rows[0].mean == pytest.approx(sum(two.rows[0].ours) / 2)
    assert two.rows[0].deviation == pytest.approx(abs(two.rows[0].ours[0] - two.rows[0].ours[1]) / 2**0.5)
    assert "2 seeds, their mean" in two.caption()


def test_a_trial_that_the_recipe_s_model_cannot_be_built_for_is_a_note(folder, tmp_path) -> None:
    heard: list[str] = []
    found = sweep("ssfa-place", folder, tmp_path, only=["location-a", "a-and-b"], told=heard.append, progress=False)
    notes = {row.name: row.note for row in found.rows}
    assert "not with ssfa-68: Location A lies behind HRNet's branches" in notes["location A"]
    assert notes["location B"] == "not trained yet" and not heard and not list(tmp_path.iterdir())


def test_what_cannot_be_swept_gets_a_sentence(folder, tmp_path, monkeypatch) -> None:
    with pytest.raises(UnknownNameError, match="slpt-stages"):
        sweep("slpt-stage", folder, tmp_path)
    with pytest.raises(SettingsError, match="trains DSLPT"):
        sweep("slpt-stages", folder, tmp_path, recipe="dslpt-68")
    with pytest.raises(UnknownNameError, match="1-stages"):
        sweep("slpt-stages", folder, tmp_path, only=["1-stage"])
    wrong = Ablation(
        name="x", title="X", system="SLPT", table="Table 4.5", recipe="slpt-68", metric="NME_inter_ocular_%",
        dataset="WFLW", trials=(Trial("odd", (("1 stages, read at stage 1", ""),), {"colour": "red"}),),
    )  # fmt: skip
    with pytest.raises(SettingsError, match="no setting 'colour'"):
        sweep(wrong, folder, tmp_path, recipe=_tiny(), progress=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SettingsError, match="--only"):
        sweep("slpt-stages", folder, tmp_path)
    assert metric_words("NRMSE_x100") == "NRMSE x100"


def test_a_device_is_told_as_everywhere() -> None:
    assert placed("auto", "gpu", "4") == ("gpu", "4")
    assert placed("cuda:1", "auto", "auto") == ("gpu", "1,")
    assert placed("cuda", "auto", "2") == ("gpu", "2") and placed("mps", "auto", "auto") == ("mps", "auto")
    with pytest.raises(SettingsError, match="not both"):
        placed("cpu", "gpu", "auto")
    with pytest.raises(SettingsError, match="no device 'gpu'"):
        placed("gpu", "auto", "auto")
