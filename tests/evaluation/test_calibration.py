"""The calibration of a whole set: a model whose errors are known, folds, the card and the shell."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from tests.evaluation.test_occlusion import Doubting
from tests.synthetic import write_synthetic
from workbench.cli import app
from workbench.cli.calibrate import _told
from workbench.errors import DataError, SettingsError, TraceError
from workbench.evaluation import calibrate
from workbench.explain import CalibrationReport
from workbench.models import ModelCard, load_model
from workbench.models.alignment import Alignment
from workbench.paths import share


class Guessing(Doubting):
    """Stage by stage the same answer with a Laplace error around it; sigma is right in stage 1, a third in stage 2."""

    def forward(self, images):
        rng = np.random.default_rng(int(1e6 * images.abs().mean()) % 2**31)
        error = torch.tensor(rng.laplace(scale=3 / np.sqrt(2), size=(1, len(images), 68, 2))).float()
        points = self.truth[: len(images)] + error[0]
        variance = torch.tensor([9.0, 1.0])[:, None, None, None, None].expand(2, 1, len(images), 68, 2)
        return Alignment(
            points, stages=points.expand(2, 1, -1, -1, -1), variance=variance, likelihood="laplace",
            rects=torch.ones(2, len(images), 68, 4),
        )  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration") / "drawn"
    write_synthetic(folder, train=12, test=12)
    return folder


@pytest.fixture
def guessing(drawn, monkeypatch):
    from workbench.evaluation import calibration

    model, plain = Guessing(), calibration.batches

    def watched(network, packed, **more):
        for part, crops in plain(network, packed, **more):
            network.truth = crops.points * network.input_size
            yield part, crops

    monkeypatch.setattr(calibration, "batches", watched)
    return model


def test_scalars_undo_what_is_wrong_and_leave_what_is_right(guessing, drawn) -> None:
    report = calibrate(guessing, drawn, sides=(0.4,), draws=2)
    assert report.scales == pytest.approx((1, 3), rel=0.12)
    assert report.promise == pytest.approx((0.7569, 0.9409, 0.9856), abs=1e-4)
    assert [row.where for row in report.rows] == ["stage 1", "stage 2", "rectangle of 40%"]
    first, second, under = report.rows
    assert first.observed == pytest.approx(report.promise, abs=0.04)
    assert second.observed[0] == pytest.approx(1 - np.exp(-np.sqrt(2) / 3), abs=0.04)
    assert second.recalibrated == pytest.approx(report.promise, abs=0.04)
    assert first.count == 12 * 68 * 2 and 0 < under.count < 2 * first.count
    assert under.recalibrated == pytest.approx(report.promise, abs=0.06)
    assert first.sigma == pytest.approx(100 * 3 / guessing.input_size)
    assert (report.likelihood, report.faces, report.data) == ("laplace", 12, "drawn")
    assert "never seen in training" in report.fitted and "two-fold" in report.measured


def test_what_is_fitted_on_a_half_is_measured_on_the_other(guessing, drawn, monkeypatch) -> None:
    """A fit that answers with the mean of its errors shows which faces it was given."""
    from workbench.evaluation import calibration

    given = []
    monkeypatch.setattr(calibration, "fit_scale", lambda errors, *_: given.append(len(errors)) or float(len(given)))
    report = calibrate(guessing, drawn, sides=())
    assert given == [12, 12, 6, 6, 6, 6]
    assert report.scales == (1, 2)


def test_folds_are_read_on_what_they_have_not_seen(guessing, drawn) -> None:
    folds = [Guessing() for _ in range(2)]
    for k, fold in enumerate(folds):
        fold.name, fold.card = f"fold{k}", replace(load_model("dslpt-68", device="cpu").card, left_out=(k + 1, 2))
    report = calibrate(guessing, drawn, folds=folds, sides=())
    assert report.fitted.startswith("12 training faces") and "2 folds" in report.fitted
    assert report.scales == pytest.approx((1, 3), rel=0.12)
    with pytest.raises(SettingsError, match="different ones of one division"):
        calibrate(guessing, drawn, folds=[folds[0], folds[0]], sides=())
    folds[0].card = replace(folds[0].card, left_out=())
    with pytest.raises(SettingsError, match="--leave-out"):
        calibrate(guessing, drawn, folds=folds, sides=())


def test_one_face_and_no_uncertainty_are_one_sentence(tmp_path) -> None:
    write_synthetic(tmp_path / "one", train=2, test=1)
    with pytest.raises(DataError, match="two at least"):
        calibrate(Doubting(), tmp_path / "one")
    write_synthetic(tmp_path / "few", train=2, test=2)
    with pytest.raises(TraceError, match="nothing to calibrate"):
        calibrate(Doubting(sure=True), tmp_path / "few")


@pytest.mark.slow
def test_the_shell_writes_the_card_beside_the_weights(drawn, tmp_path) -> None:
    for ending in ("json", "safetensors"):
        shutil.copy(share("checkpoints") / f"dslpt-68.{ending}", tmp_path)
    model = str(tmp_path / "dslpt-68.safetensors")
    answer = CliRunner().invoke(app, ["calibrate", "--data", str(drawn), "--model", model, "--write", "--json"])
    assert answer.exit_code == 0, answer.output
    card = ModelCard.load(tmp_path / "dslpt-68.json")
    assert len(card.calibration["scales"]) == 3
    assert load_model(model, device="cpu").card == card
    assert json.loads(answer.stdout) == card.calibration
    text = _told(CalibrationReport.from_card(card.calibration))
    assert "promise, laplace" in text and "stage 3" in text
