from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.synthetic import write_synthetic
from workbench.errors import UnknownNameError
from workbench.evaluation.occlusion_maps import MapReport, maps_under_occlusion
from workbench.models import build, preset
from workbench.models.base import FaceModel
from workbench.tracing import Tap


class Dimming(FaceModel):
    """A map that shows a crop's own brightness, and one that never changes."""

    def __init__(self) -> None:
        super().__init__()
        self.config = preset("aodn-68-compact")
        self.bright, self.still = Tap("y", "x"), Tap("y", "x")
        self.register_buffer("mean_shape", torch.rand(68, 2))

    def forward(self, images):
        self.bright(torch.nn.functional.avg_pool2d(images.mean(1), 16) + 10)
        self.still(torch.ones(len(images), 4, 4))


def test_by_hand() -> None:
    report = MapReport(
        {"gate": (0.5, 0.25)}, {"gate": (0.4, 0.5)}, {"gate": 0.75}, {"gate": 0.9}, 3, "drawn", "test", "own"
    )
    assert report.change("gate") == pytest.approx(0.5 / 1.25 - 1)
    assert [row["value"] for row in report.metrics()] == [0.5, 0.25, -60.0, 75.0, 0.9]


def test_what_is_beside_the_rectangle_stays_and_a_constant_map_does_not_change(tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=2, test=6)
    report = maps_under_occlusion(Dimming(), tmp_path / "drawn", ("bright", "still"))
    assert report.inside["still"] == report.outside["still"] == (1.0, 1.0)
    assert report.change("still") == 0
    inside, outside = report.inside["bright"], report.outside["bright"]
    assert abs(inside[1] - inside[0]) > 10 * abs(outside[1] - outside[0])
    with pytest.raises(UnknownNameError):
        maps_under_occlusion(Dimming(), tmp_path / "drawn", ("nothing",))


def test_a_model_with_pixels_of_its_own_sees_those_when_covered_too(tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=2, test=3)
    config = replace(preset("scc-68-compact"), pixels="zscore_bgr")
    model, seen = build(config, torch.rand(68, 2)).eval(), []
    model.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    report = maps_under_occlusion(model, tmp_path / "drawn", ("nodes.gate2.spatial",))
    assert len(seen) == 2 and not torch.equal(*seen)
    for images in seen:
        assert images.mean((2, 3)).abs().max() < 1e-4
        assert (images.std((2, 3), correction=0) - 1).abs().max() < 1e-3
    assert set(report.inside) == {"nodes.gate2.spatial"}
