"""A model over a whole set: means by hand, going on after an interruption, and what is told of it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import workbench as wb
from tests.synthetic import write_synthetic
from workbench.cli import app
from workbench.data import open_dataset
from workbench.errors import DataError, TraceError
from workbench.evaluation import evaluate
from workbench.evaluation.dataset import batches, load_faces
from workbench.evaluation.moments import Moments
from workbench.evaluation.study import BINS, REACH, Study, study
from workbench.explain import attention_stack
from workbench.tracing import record

studying = import_module("workbench.evaluation.study")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_synthetic(tmp_path_factory.mktemp("set") / "drawn", train=2, test=7)


@pytest.fixture(scope="module")
def dslpt():
    return wb.load_model("dslpt-68", device="cpu")


@pytest.fixture(scope="module")
def found(dslpt, folder) -> Study:
    return study(dslpt, folder, progress=False)


def test_moments_are_those_of_all_values_in_whatever_batches() -> None:
    values = np.random.default_rng(0).normal(3, 2, (11, 4))
    values[2, 1] = values[7, 3] = np.nan
    running = Moments.like((4,))
    for part in (values[:3], values[3:4], values[4:]):
        running.add(part)
    np.testing.assert_allclose(running.mean, np.nanmean(values, 0))
    np.testing.assert_allclose(running.deviation, np.nanstd(values, 0))
    assert running.count.tolist() == [11, 10, 11, 10]
    nothing = Moments.like(())
    nothing.add(np.array([np.nan, np.nan]))
    assert nothing.mean == nothing.deviation == 0


def test_means_and_distances_are_those_of_all_faces(dslpt, folder, found) -> None:
    path = "relation.layers.1.cross"
    packed = load_faces(dslpt, folder, None, "test", False)
    (_, crops), = batches(dslpt, packed)  # fmt: skip
    with torch.inference_mode(), record(dslpt, only=path) as trace:
        answer = dslpt(dslpt.prepare(crops.images))
    weights = trace[path].numpy().astype(np.float64)  # (stage, B, head, N, N)
    np.testing.assert_allclose(found.tensors[f"mean/{path}"].numpy(), weights.mean(1), atol=1e-6)
    np.testing.assert_allclose(found.tensors[f"deviation/{path}"].numpy(), weights.std(1), atol=1e-6)
    points = answer.landmarks.double().numpy() / 128
    truth = crops.points.double().numpy()
    eyes = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=-1)
    apart = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1) / eyes[:, None, None]
    by_hand = np.einsum("sbhqk,bqk->sbh", weights, apart).mean(1) / 68
    np.testing.assert_allclose(found.distances()[path], by_hand, rtol=1e-4)
    assert found.meta["uniform"] == pytest.approx(apart.mean(), abs=1e-5)


def test_errors_are_those_that_evaluate_measures(dslpt, folder, found) -> None:
    report = evaluate(dslpt, folder, progress=False)
    assert [row["file"] for row in found.rows()] == list(report.files)
    np.testing.assert_allclose([row["nme"] for row in found.rows()], report.nme, atol=2e-6)
    assert f"NME {100 * report.nme.mean():.2f} %" in found.text()
    assert "relation.layers.1.cross" in found.text() and "uniform weights" in found.text()
    assert {"file", "nme", "sigma"} == set(found.rows()[0])


def test_labels_are_counted_where_they_lie_in_their_patch(found) -> None:
    counts, inside = found.tensors["targets"].numpy(), found.tensors["inside"].numpy()
    assert counts.shape == (3, 68, BINS, BINS)
    edge = round(REACH / (1 + 2 * REACH) * BINS)
    # The patch's border does not fall between two cells.
    assert (counts[..., edge + 1 : -edge - 1, edge + 1 : -edge - 1].sum((-2, -1)) <= 7 * inside + 1e-6).all()
    assert (
        7 * inside <= counts[..., edge - 1 : BINS - edge + 1, edge - 1 : BINS - edge + 1].sum((-2, -1)) + 1e-6
    ).all()
    assert inside.min() >= 0 and inside.max() <= 1


def test_an_interrupted_study_goes_on_and_ends_alike(dslpt, folder, found, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(studying, "CHUNK", 3)
    chunks: list[int] = []
    whole = studying.pack

    def packed(dataset, **options):
        chunks.append(len(dataset))
        if len(chunks) == 2:
            raise KeyboardInterrupt
        return whole(dataset, **options)

    monkeypatch.setattr(studying, "pack", packed)
    out = tmp_path / "drawn.safetensors"
    with pytest.raises(KeyboardInterrupt):
        study(dslpt, folder, out=out, progress=False)
    part = tmp_path / "drawn.part.safetensors"
    assert part.is_file() and not out.exists()
    again = study(dslpt, folder, out=out, progress=False)
    assert chunks == [3, 3, 3, 1]  # never more at a time; the first three are not read twice
    assert sorted(file.name for file in tmp_path.iterdir()) == ["drawn.safetensors"]
    kept = Study.load(out)
    assert kept.meta["files"] == again.meta["files"] == found.meta["files"]
    for name, entry in found.tensors.items():
        np.testing.assert_allclose(kept.tensors[name].numpy(), entry.numpy(), atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_what_was_kept_of_other_weights_or_is_damaged_is_not_taken_up(
    dslpt, folder, found, tmp_path, monkeypatch
) -> None:
    out, part = tmp_path / "s.safetensors", tmp_path / "s.part.safetensors"
    part.write_bytes(b"no file")
    assert study(dslpt, folder, out=out, progress=False).faces == 7
    monkeypatch.setattr(studying, "CHUNK", 3)
    other = wb.load_model("slpt-68", device="cpu")
    running = studying._Running(other, open_dataset(folder, scheme=other.scheme, split="test"), None)
    running.done = 3
    running.state().save(part)
    assert study(dslpt, folder, out=out, progress=False).meta["files"] == found.meta["files"]


def test_its_means_are_drawn_by_every_view_of_weights(dslpt, found) -> None:
    reading = wb.read(dslpt, wb.sample_face("astronaut"))
    mean = found.on(reading)
    np.testing.assert_allclose(
        attention_stack(mean, "cross")[:, 1], found.tensors["mean/relation.layers.1.cross"].numpy(), atol=1e-7
    )
    assert "mean of 7 faces of drawn test" in wb.figures.relations(mean).layout.meta["title"]
    with pytest.raises(TraceError, match="other weights"):
        found.on(wb.read(wb.load_model("slpt-68", device="cpu"), wb.sample_face("astronaut")))


@pytest.mark.slow
def test_pictures_say_of_what_they_are(found) -> None:
    said = wb.figures.study(found).layout.meta["caption"]
    assert "7 faces of drawn test" in said and "stage 3 of 3" in said and "layer 1 of MSA" in said
    assert f"{found.meta['uniform']:.3g}" in said
    shown = wb.figures.study_targets(found, landmark=8, stage=1)
    assert "stage 2 of 3" in shown.layout.meta["caption"]
    with pytest.raises(TraceError):
        wb.figures.study(found, stage=3)


@pytest.mark.slow
def test_a_leak_is_what_the_card_s_measure_tells(folder) -> None:
    from workbench.training.ssfa import measure_leak

    model = wb.load_model("ssfa-68", device="cpu")
    rows = {row["metric"]: row["value"] for row in measure_leak(model, folder)}
    found = study(model, folder, progress=False)
    (leak,) = (e.numpy() for n, e in found.tensors.items() if n.startswith("leak/"))
    assert leak == pytest.approx(rows["mean attention mass leaked from landmark neighbourhoods"], abs=1e-4)
    assert found.meta["chance"] == pytest.approx(rows["the same of uniform attention"], abs=1e-4)
    with pytest.raises(TraceError, match="no weights between landmarks"):
        wb.figures.study(found)
    with pytest.raises(TraceError, match="reads no patches"):
        wb.figures.study_targets(found)


@pytest.mark.slow
def test_the_shell_writes_what_is_asked_for(folder, tmp_path) -> None:
    names = {"--out": "s.safetensors", "--figure": "f.svg", "--targets": "t.html", "--faces": "rows.csv"}
    given = [part for name, file in names.items() for part in (name, str(tmp_path / file))]
    answer = CliRunner().invoke(app, ["study", str(folder), "--model", "dslpt-68", *given])
    assert answer.exit_code == 0, answer.output
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names.values())
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 8
    wrong = CliRunner().invoke(app, ["study", str(folder), "--figure", str(tmp_path / "f.gif")])
    assert wrong.exit_code == 2 and "use .png or .svg or .html" in wrong.stderr


def test_nothing_to_study_is_one_sentence(dslpt, folder, tmp_path) -> None:
    with pytest.raises(DataError):
        study(dslpt, tmp_path, progress=False)
    with pytest.raises(TraceError, match="written as .safetensors"):
        study(dslpt, folder, out=tmp_path / "s.npz", progress=False)
    path = wb.read(dslpt, wb.sample_face("astronaut")).trace.save(tmp_path / "trace.safetensors")
    with pytest.raises(TraceError, match="not a study"):
        Study.load(path)
