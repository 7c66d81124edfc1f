"""A model over a data set: what counts, what is left out, and that the report tells of it."""

from __future__ import annotations

import csv
import json
import warnings
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from tests.synthetic import write_synthetic
from workbench.cli import app
from workbench.errors import DataError
from workbench.evaluation import evaluate, sigma_under_occlusion
from workbench.evaluation.dataset import batches, load_faces
from workbench.models import load_model, preset, save_checkpoint
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel

OFF = 3.0  # crop pixels
INNER = (*range(27, 36), 37, 38, 40, 41, 43, 44, 46, 47, *range(48, 56), *range(60, 68))
"""Points inside the box of the others that no normaliser but the pupils' needs: the crop stays without them."""


class Knowing(FaceModel):
    """Answers the labels of a folder's test faces, in their order, ``OFF`` pixels to the right; sigma is 1.

    ``faces`` are those that it will be asked for, by default all.
    """

    def __init__(self, folder, faces=slice(None)) -> None:
        super().__init__()
        self.config = preset("dslpt-68-compact")
        self.register_buffer("mean_shape", torch.rand(68, 2))
        ((_, crops),) = batches(self, load_faces(self, folder, None, "test", False))
        self.answer = crops.points[faces] * self.input_size + torch.tensor([OFF, 0.0])

    def forward(self, images):
        # The first stored pixels tell faces apart no better than their order does.
        answer = self.answer[: len(images)]
        return Alignment(
            answer, variance=torch.ones(1, 1, len(images), 68, 2), rects=torch.ones(1, len(images), 68, 4)
        )


def edited(folder, change):
    """A drawn set whose test rows have gone through ``change(number, points, row)``."""
    path = folder / "annotations.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    for number, row in enumerate(r for r in rows if r[1] == "test"):
        points = [row[2 + 2 * i : 4 + 2 * i] for i in range(68)]
        change(number, points, row)
        row[2:] = [v for p in points for v in p]
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
    return folder


def without(*missing):
    def change(number, points, row):
        for i in missing:
            points[i] = ["nan", "nan"]

    return change


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_synthetic(tmp_path_factory.mktemp("whole") / "drawn", train=1, test=5)


@pytest.fixture
def folder(tmp_path):
    return write_synthetic(tmp_path / "drawn", train=1, test=5)


def test_missing_points_are_no_part_of_the_error(whole, folder) -> None:
    model = Knowing(whole)
    full = evaluate(model, whole, progress=False)
    assert full.nme == pytest.approx(OFF / distances(model, whole))
    part = evaluate(model, edited(folder, without(*INNER)), progress=False)
    assert part.nme == pytest.approx(full.nme, rel=1e-4)
    assert part.left_out == () and ", 0 left out" not in part.text()


def distances(model, folder):
    """(M,) between the outer eye corners, crop pixels."""
    ((_, crops),) = batches(model, load_faces(model, folder, None, "test", False))
    return ((crops.points[:, 36] - crops.points[:, 45]).norm(dim=-1) * model.input_size).numpy()


def test_missing_points_are_never_covered(whole, folder) -> None:
    edited(folder, without(*INNER))
    report = sigma_under_occlusion(Knowing(whole), folder, side=0.5, draws=64)
    assert report.covered_error == pytest.approx(100 * OFF / 128, rel=1e-4)


def test_faces_that_cannot_be_measured_are_told_of(whole, folder) -> None:
    def change(number, points, row):
        if number == 1:
            points[45] = ["nan", "nan"]
        if number == 3:
            points[45] = points[36]

    full = evaluate(Knowing(whole), whole, progress=False)
    edited(folder, change)
    (folder / "crops" / "drawn_0005.png").write_bytes(b"no picture")
    model = Knowing(whole, faces=[0, 2])
    report = evaluate(model, folder, progress=False)
    assert report.nme == pytest.approx(full.nme[[0, 2]])
    assert report.files == ("drawn_0001.png", "drawn_0003.png")
    unreadable, missing, coinciding = report.left_out
    assert "drawn_0005.png cannot be read" in unreadable
    assert missing == "drawn_0002.png has no inter-ocular distance: its points are missing or coincide."
    assert coinciding.startswith("drawn_0004.png has no inter-ocular distance")
    told = report.to_dict()
    assert (told["faces"], told["left_out"]) == (2, 3)
    assert "(2 faces, 3 left out)" in report.text()
    assert {row["faces"] for row in report.metrics()} == {2}
    assert len(evaluate_by(folder, "box").nme) == 4


def evaluate_by(folder, normaliser):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return evaluate(load_model("slpt-68", device="cpu"), folder, normaliser=normaliser, progress=False)


def test_a_set_of_which_no_face_can_be_measured_asks_for_another_normaliser(folder) -> None:
    edited(folder, without(36))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match="None of the 5 faces .* inter-ocular .* another with --normaliser"):
            evaluate(load_model("slpt-68", device="cpu"), folder, progress=False)
    assert len(evaluate_by(folder, "box").nme) == 5


def test_crops_are_prepared_as_the_model_wants_them(whole) -> None:
    class Own(Knowing):
        def normalise(self, images):
            return 7 - images

        def forward(self, images):
            self.seen = images
            return super().forward(images)

    model = Own(whole)
    ((_, crops),) = batches(model, load_faces(model, whole, None, "test", False))
    assert crops.images.min() >= 0 and 0.8 < crops.images.max() <= 1
    evaluate(model, whole, progress=False)
    assert torch.equal(model.seen, 7 - crops.images)


def test_the_shell_tells_what_is_left_out_in_its_own_words(folder) -> None:
    (folder / "crops" / "drawn_0002.png").write_bytes(b"no picture")
    answer = CliRunner().invoke(app, ["evaluate", "--data", str(folder), "--model", "slpt-68"])
    assert answer.exit_code == 0, answer.output
    assert "(4 faces, 1 left out)" in answer.stdout
    assert "Left out (1):\n  The picture" in answer.stderr and "drawn_0002.png" in answer.stderr
    assert "Warning" not in answer.output and ".py" not in answer.output


@pytest.mark.slow
def test_the_shell_measures_what_a_card_tells_beside_the_error(tmp_path) -> None:
    folder = write_synthetic(tmp_path / "w300_68", train=1, test=3)
    command = ["evaluate", "--card", "--data", str(folder), "--model"]
    answer = CliRunner().invoke(app, [*command, "scc-68", "--json"])
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    row = told["card"][0]
    assert 0 < abs(row["value"] - told["nme_percent"]) < 1
    known = next(m for m in load_model("scc-68", device="cpu").card.metrics if m["metric"] == row["metric"])
    assert {**known, "faces": 3, "value": row["value"]} == row
    line = CliRunner().invoke(app, [*command, "scc-68"]).stdout.splitlines()[1]
    assert line == f"{row['metric']}: {row['value']:g} % (w300_68 test, 3 faces, labels own)"


def test_a_model_without_a_recipe_has_no_card_to_repeat(whole, tmp_path) -> None:
    model = load_model("slpt-68", device="cpu")
    for card in (None, replace(model.card, recipe="")):
        path = save_checkpoint(model, tmp_path / f"mine-{card is None}", card)
        answer = CliRunner().invoke(app, ["evaluate", "--card", "--data", str(whole), "--model", str(path)])
        assert answer.exit_code == 2
        assert "no card that names its recipe" in answer.stderr
