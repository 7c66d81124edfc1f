"""What evaluate is asked for: subsets, crops, conventions, mirrors, comparisons, and the report of it all."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tests.synthetic import write_synthetic
from workbench.cli import app
from workbench.errors import DataError, SettingsError, UnknownNameError
from workbench.evaluation import Run, evaluate, papers
from workbench.evaluation.report import html_report
from workbench.models import load_model
from workbench.models.alignment import Alignment


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = write_synthetic(tmp_path_factory.mktemp("set") / "drawn", train=1, test=6)
    path = place / "annotations.csv"
    head, *rows = path.read_text().splitlines()
    flags = [f"{head},light", *(f"{row},{'dark' if i % 2 else 'bright'}" for i, row in enumerate(rows))]
    path.write_text("\n".join(flags))
    return place


@pytest.fixture(scope="module")
def slpt():
    return load_model("slpt-68", device="cpu")


@pytest.fixture(scope="module")
def whole(slpt, folder):
    return evaluate(slpt, folder, thumbnails=True, progress=False)


def test_a_subset_is_measured_by_itself(slpt, folder, whole) -> None:
    part = evaluate(slpt, folder, subset="light=dark", progress=False)
    assert part.files == whole.within("light=dark").files and len(part) == 3
    np.testing.assert_allclose(part.nme, whole.within("light=dark").nme, atol=1e-6)
    assert "drawn test light=dark (3 faces)" in part.text() and part.to_dict()["subset"] == "light=dark"


def test_batches_and_their_order_change_nothing(slpt, folder, whole) -> None:
    one = evaluate(slpt, folder, batch=1, progress=False)
    assert one.files == whole.files
    np.testing.assert_allclose(one.nme, whole.nme, atol=1e-6)


def test_errors_are_those_of_the_points(whole) -> None:
    np.testing.assert_allclose(np.nanmean(whole.errors, 1), whole.nme, atol=1e-9)
    np.testing.assert_allclose(whole.arrays["stages"][:, -1, -1], whole.nme, atol=1e-6)
    assert ((whole.arrays["inside"] >= 0) & (whole.arrays["inside"] <= 1)).all()


def test_a_wider_crop_is_asked_for_and_told(slpt, folder, whole) -> None:
    wide = evaluate(slpt, folder, factor=1.5, progress=False)
    np.testing.assert_allclose(wide.arrays["frame"][:, 2], 1.25 * whole.arrays["frame"][:, 2])
    assert not np.allclose(wide.nme, whole.nme, atol=1e-4) and "crop 1.5 x the box" in wide.text()
    with pytest.raises(SettingsError, match="cuts the face"):
        evaluate(slpt, folder, factor=0.9, progress=False)


def test_the_mirrored_answer_lies_on_the_same_face(slpt, folder, whole) -> None:
    flipped = evaluate(slpt, folder, flip=True, progress=False)
    assert 0 < np.abs(flipped.nme - whole.nme).max() < 0.1
    apart = np.linalg.norm(flipped.arrays["points"] - whole.arrays["points"], axis=-1)
    assert apart.mean() < 0.03  # a wrong pair would lie half a face away


def test_a_model_that_answers_symmetrically_gains_nothing_by_a_mirror(folder) -> None:
    model = load_model("slpt-68", device="cpu")
    shape = model.mean_shape.clone()
    mirrored = shape[list(model.scheme.flip)] * torch.tensor([-1.0, 1.0]) + torch.tensor([127 / 128, 0.0])
    places = (shape + mirrored) / 2

    def forward(images):
        return Alignment((places * 128).expand(len(images), -1, -1))

    model.forward = forward  # type: ignore[method-assign]
    plain, flipped = (evaluate(model, folder, flip=flip, progress=False) for flip in (False, True))
    np.testing.assert_allclose(plain.arrays["points"], flipped.arrays["points"], atol=1e-6)


def test_tufa_is_asked_for_any_convention_it_knows(tmp_path, folder) -> None:
    tufa = load_model("tufa", device="cpu")
    rng = np.random.default_rng(0)
    shape = tufa.prompt("cofw29").detach().numpy()
    rows = [["a.png", "test", *(f"{v:.2f}" for v in (20 + 80 * shape + rng.normal(0, 1, (29, 2))).reshape(-1))]]
    head = ["file", "subset", *(f"{a}{i}" for i in range(29) for a in "xy")]
    place = tmp_path / "twenty-nine"
    (place / "crops").mkdir(parents=True)
    (place / "crops" / "a.png").write_bytes((folder / "crops" / "drawn_0001.png").read_bytes())
    (place / "annotations.csv").write_text("\n".join(",".join(row) for row in [head, *rows]))
    with pytest.raises(DataError, match="--convention: .*cofw29"):
        evaluate(tufa, place, progress=False)
    found = evaluate(tufa, place, convention="29", factor=1.32, progress=False)
    assert found.arrays["points"].shape == (1, 29, 2) and found.scheme.name == "cofw29"
    assert found.meta["convention"] == "cofw29" and "convention cofw29" in found.text()
    with pytest.raises(UnknownNameError, match="has learned no 'aflw19'"):
        evaluate(tufa, place, convention="aflw19", progress=False)


def test_the_sets_own_box_measures_where_there_is_one(slpt, folder) -> None:
    with pytest.raises(DataError, match="given-box distance needs"):
        evaluate(slpt, folder, normaliser="given-box", progress=False)
    with pytest.raises(UnknownNameError, match="no normaliser 'nose'"):
        evaluate(slpt, folder, normaliser="nose", progress=False)


def test_small_pictures_are_kept_only_when_asked_for(slpt, folder, whole, tmp_path) -> None:
    again = Run.load(whole.save(tmp_path / "run.safetensors"))
    assert "thumbs" not in again.arrays  # they stay in the file
    first, last = again.thumbs([0, 5])
    assert first == whole.thumbs([0])[0] and first[:2] == last[:2] == b"\xff\xd8" and first != last
    assert not evaluate(slpt, folder, progress=False).pictures


def test_the_report_holds_everything_and_fetches_nothing(whole, slpt, folder) -> None:
    page = html_report(whole, slpt.card)
    assert len(page) < 5_000_000
    for title in (
        "Cumulative error",
        "Beside the papers",
        "Worst and best",
        "Error by landmark",
        "mechanisms",
        "Speed",
    ):
        assert title in page
    assert not re.search(r"(src|href)=\"(?!data:)|url\(|<script|http-equiv=\"refresh", page)
    assert "image/jpeg" not in page and "holds no photograph" in page
    worst = whole.files[int(np.argmax(whole.nme))]
    assert page.index(worst) < page.index("Best")
    with_pictures = html_report(whole, photographs=True)
    assert with_pictures.count("data:image/jpeg;base64,") == 12
    bare = replace(whole, arrays={k: v for k, v in whole.arrays.items() if not k.startswith("thumbs")})
    with pytest.raises(DataError, match="keeps no pictures"):
        html_report(bare, photographs=True)
    hostile = replace(whole, meta={**whole.meta, "files": ['<img src=x onerror="a">'] * len(whole)})
    assert "<img" not in html_report(hostile)


def test_the_papers_rows_come_with_their_source_and_what_differs(whole) -> None:
    rows = papers.beside(whole)
    assert rows and all(row.dataset == "300W" and row.subset == "full" and row.table for row in rows)
    assert [r.value for r in rows] == sorted(r.value for r in rows)
    said = papers.differences(whole)
    assert (
        said[0] == "Other faces: this run measured 6 of drawn test, the papers the full test part of 300W (689 faces)."
    )
    meta = {
        **whole.meta,
        "format": "pts",
        "labels": "pseudo98",
        "factor": 1.3,
        "flip": True,
        "left_out": ["x is missing."],
    }
    words = " ".join(papers.differences(replace(whole, meta=meta)))
    for part in ("Another number of faces: 6 here, 689", "machine-made", "1.3 times", "mirror", "1 faces could not"):
        assert part in words
    assert {row.dataset for row in papers.beside(replace(whole, meta={**whole.meta, "subset": "common"}))} == {"300W"}


def test_the_shell_compares_keeps_and_reports(folder, tmp_path: Path) -> None:
    run, page = tmp_path / "slpt.safetensors", tmp_path / "report.html"
    base = ["evaluate", "--data", str(folder), "--device", "cpu"]
    kept = CliRunner().invoke(app, [*base, "--model", "slpt-68", "--out", str(run)])
    assert kept.exit_code == 0, kept.output
    asked = [*base, "--model", "dslpt-68", "--against", str(run), "--report", str(page), "--details", "--json"]
    answer = CliRunner().invoke(app, asked)
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["against"][0]["NME % b"] == pytest.approx(100 * Run.load(run).nme.mean(), abs=1e-3)
    assert {"subsets", "parts", "stages", "landmarks"} <= set(told["tables"])
    assert "dslpt-68 (a) against slpt-68 (b)" in page.read_text(encoding="utf-8")
    wrong = CliRunner().invoke(app, [*base, "--report", str(tmp_path / "no" / "page.html")])
    assert wrong.exit_code == 2 and "folder that is there" in wrong.stderr


def test_bench_tells_loading_model_and_metrics_apart(folder) -> None:
    answer = CliRunner().invoke(
        app, ["bench", "--data", str(folder), "--model", "slpt-68", "--device", "cpu", "--json"]
    )
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["faces"] == 6 and set(told["images_a_second"]) == {"loading", "model", "metrics", "all"}
    assert all(value > 0 for value in told["images_a_second"].values())
