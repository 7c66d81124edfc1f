from __future__ import annotations

import json

import pytest
import torch
from typer.testing import CliRunner

from tests.synthetic import write_synthetic
from workbench.cli import app
from workbench.errors import TraceError
from workbench.evaluation import SIDES, sigma_under_occlusion
from workbench.models import preset
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel
from workbench.models.scc import zscore_bgr


class Doubting(FaceModel):
    """Answers the crop's corner; sigma is 2 pixels on the first batch and 4 on later ones."""

    def __init__(self, sure: bool = False) -> None:
        super().__init__()
        self.config, self.sure = preset("dslpt-68-compact"), sure
        self.register_buffer("mean_shape", torch.rand(68, 2))
        self.calls: list[torch.Tensor] = []

    def forward(self, images):
        sigma = torch.full((1, 1, len(images), 68, 2), 4.0 if self.calls else 2.0)
        self.calls.append(images.clone())
        rects = torch.ones(1, len(images), 68, 4)
        return Alignment(rects[0, ..., 2:] - 1, variance=None if self.sure else sigma**2, rects=rects)


def test_every_draw_is_compared_with_the_clear_face(tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=2, test=6)
    model = Doubting()
    report = sigma_under_occlusion(model, tmp_path / "drawn", draws=3)
    assert len(model.calls) == 4
    plain, *painted = model.calls
    assert all(not torch.equal(plain, one) for one in painted)
    assert not torch.equal(painted[0], painted[1])
    assert report.ratio == pytest.approx(2.0)
    assert report.clear == pytest.approx(100 * 2 / model.input_size)
    assert report.covered_error == pytest.approx(report.clear_error)
    assert 0 < report.points < 3 * 6 * 68
    assert "ratio 2.000" in report.text() and "3 a face" in report.text()
    again = sigma_under_occlusion(Doubting(), tmp_path / "drawn", draws=3)
    assert again == report
    assert sigma_under_occlusion(Doubting(), tmp_path / "drawn", draws=3, seed=1).points != report.points


def test_a_model_without_uncertainty_gets_a_sentence(tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=2, test=2)
    with pytest.raises(TraceError, match="predicts no uncertainty"):
        sigma_under_occlusion(Doubting(sure=True), tmp_path / "drawn")


@pytest.mark.slow
def test_the_shell_tells_it_too(tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=2, test=2)
    command = ["evaluate", "--data", str(tmp_path / "drawn"), "--occluded", "--json"]
    answer = CliRunner().invoke(app, [*command, "--model", "dslpt-68"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    for one, side in zip(found["occluded"], SIDES, strict=True):
        assert one["ratio"] == pytest.approx(one["covered"] / one["clear"])
        assert (one["side"], one["draws"]) == (side, 8)
    assert found["occluded"][0]["points"] < found["occluded"][2]["points"]


def test_painted_faces_are_prepared_as_the_model_wants_them(tmp_path) -> None:
    """A model that z-scores each crop must not get ImageNet's numbers in an occlusion probe."""

    class Scored(Doubting):
        def prepare(self, crops):
            return zscore_bgr(crops.float())

    write_synthetic(tmp_path / "drawn", train=2, test=3)
    model = Scored()
    sigma_under_occlusion(model, tmp_path / "drawn", draws=2)
    assert len(model.calls) == 3
    for seen in model.calls:
        assert seen.mean((2, 3)).abs().max() < 1e-4
        assert (seen.std((2, 3), correction=0) - 1).abs().max() < 1e-3
