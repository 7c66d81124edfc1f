"""ATPN: sizes, the distance heatmap, the branches, and what its taps see."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from workbench.errors import CheckpointError, UnknownNameError
from workbench.models import build, load_model
from workbench.models.atpn import PRESETS, SYSTEM, Multiview, distance_heatmap
from workbench.models.backbones.mobilenet import Gate, InvertedResidual, MobileNetV3, Row, coordinates
from workbench.models.zoo import count_multiply_accumulates, count_parameters, save_checkpoint
from workbench.tracing import record

SMALL = replace(
    PRESETS["atpn-68"],
    landmarks=5,
    scheme="five",
    input_size=64,
    stem=8,
    backbone=("k3 e8 c8 re", "k3 s2 e16 c8 re", "k5 s2 e16 c12 se re", "k5 s2 e24 c16 se hs"),
    width=8,
    views=(4, 2, 2),
    vector=24,
    branch=("k3 s2 e16 c12 se hs", "k3 e24 c12 hs"),
)


def small(**changes):
    torch.manual_seed(0)
    model = build(replace(SMALL, **changes), torch.rand(5, 2)).eval()
    for module in model.modules():  # statistics as after training, so that nothing passes through unchanged
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model


@pytest.fixture(scope="module")
def paper():
    return build("atpn-98", torch.rand(98, 2)).eval()


@pytest.mark.slow
def test_the_printed_sizes_are_met_within_one_per_cent(paper) -> None:
    alone = build("atpn-98-landmarks", torch.rand(98, 2))
    assert count_parameters(alone) == pytest.approx(1.1e6, rel=0.01)
    assert count_multiply_accumulates(alone) == pytest.approx(0.06e9, rel=0.01)
    tracking = build("atpn-98-tracking", torch.rand(98, 2))
    more = count_parameters(tracking) - count_parameters(alone)
    work = count_multiply_accumulates(tracking) - count_multiply_accumulates(alone)
    assert more == pytest.approx(0.19e6, rel=0.01)
    assert work == pytest.approx(0.017e9, rel=0.01)
    # 1.1 and 0.06 are rounded as printed, so any size from 1.05 to 1.15 M would agree; ours also rounds to them.
    assert f"{count_parameters(alone) / 1e6:.1f}" == "1.1" and f"{work / 1e9:.3f}" == "0.017"
    assert set(SYSTEM.printed_sizes) <= set(PRESETS)
    assert count_parameters(paper) - count_parameters(tracking) == pytest.approx(more, abs=100)


def test_the_heatmap_of_two_landmarks_by_hand() -> None:
    # Landmarks at (1, 0) and (6, 4) on a grid 8 wide and 5 high.
    heat = distance_heatmap(torch.tensor([[[1.0, 0.0], [6.0, 4.0]]]), 5, 8)[0]
    assert heat[0, 1] == pytest.approx(1) and heat[4, 6] == pytest.approx(1)
    assert heat[0, 2] == pytest.approx(1 / math.sqrt(2))
    assert heat[1, 2] == pytest.approx(1 / math.sqrt(1 + math.sqrt(2)))
    assert heat[0, 3] == pytest.approx(1 / math.sqrt(3))
    assert heat[0, 4] == pytest.approx(0.5)  # distance 3: the floor is reached just there
    assert heat[0, 7] == 0.5  # nearest landmark at sqrt(17)
    assert heat[4, 1] == 0.5
    lower = distance_heatmap(torch.tensor([[[1.0, 0.0]]]), 5, 8, floor=0.0)[0]
    assert lower[4, 1] == pytest.approx(1 / math.sqrt(5))
    assert heat.min() == 0.5


def test_the_heatmap_keeps_gradients_from_the_landmarks() -> None:
    model = small().train()
    model(torch.randn(2, 3, 64, 64)).confidence.sum().backward()
    assert model.landmark.offset.weight.grad is None
    assert model.backbone.stem[0].weight.grad is not None


def test_a_block_reads_its_line() -> None:
    assert Row.parse("k5 s2 e72 c40 se hs") == Row(5, 2, 72, 40, True, "hs")
    assert Row.parse("k3 e16 c16 re") == Row(3, 1, 16, 16, False, "re")
    for wrong in ("k3 e16", "k3 e16 c16 xx", "kk e16 c16"):
        with pytest.raises(UnknownNameError):
            Row.parse(wrong)


def test_a_block_against_a_plain_computation() -> None:
    torch.manual_seed(1)
    block = InvertedResidual(6, Row(3, 1, 16, 6, True, "hs")).eval()
    x = torch.randn(2, 6, 5, 5)

    def norm(y, bn):
        return (y - bn.running_mean[:, None, None]) / (bn.running_var[:, None, None] + bn.eps).sqrt()

    def swish(y):
        return y * (y + 3).clamp(0, 6) / 6

    with torch.no_grad():
        wide = swish(norm(torch.einsum("oi,bihw->bohw", block.expand[0].weight[:, :, 0, 0], x), block.expand[1]))
        padded, deep = F.pad(wide, (1, 1, 1, 1)), torch.zeros_like(wide)
        for i in range(3):
            for j in range(3):
                deep += block.depthwise[0].weight[:, 0, i, j][:, None, None] * padded[:, :, i : i + 5, j : j + 5]
        deep = norm(deep, block.depthwise[1])
        gate = block.gate
        hidden = torch.relu(deep.mean((2, 3)) @ gate.reduce.weight[:, :, 0, 0].T + gate.reduce.bias)
        weight = ((hidden @ gate.expand.weight[:, :, 0, 0].T + gate.expand.bias + 3) / 6).clamp(0, 1)
        deep = swish(deep * weight[:, :, None, None])
        out = x + norm(torch.einsum("oi,bihw->bohw", block.project[0].weight[:, :, 0, 0], deep), block.project[1])
        assert torch.allclose(block(x), out, atol=1e-5)


def test_squeeze_is_a_quarter_in_eighths() -> None:
    assert Gate(72).reduce.out_channels == 16  # 72 / 4 = 18
    assert Gate(240).reduce.out_channels == 64  # 60
    assert Gate(16).reduce.out_channels == 8


def test_the_backbone_gives_strides_four_to_sixteen(paper) -> None:
    sizes = [tuple(m.shape[1:]) for m in paper.backbone(torch.zeros(1, 3, 112, 112))]
    assert sizes == [(24, 28, 28), (40, 14, 14), (112, 7, 7)]
    assert isinstance(paper.backbone, MobileNetV3) and paper.backbone.last == [3, 6, 10]  # the fourth block, thesis


def test_coordinates_run_from_minus_one_to_one() -> None:
    c = coordinates(torch.zeros(2, 7, 3, 5))
    assert c.shape == (2, 2, 3, 5)
    assert torch.equal(c[1, 0, 2], torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0]))
    assert torch.equal(c[0, 1, :, 4], torch.tensor([-1.0, 0.0, 1.0]))


def test_multiview_sees_three_five_and_seven_cells() -> None:
    torch.manual_seed(0)
    block = Multiview(8, (4, 2, 2)).eval()
    for conv in block.convs:
        torch.nn.init.constant_(conv[0].weight, 0.1)
    x = torch.ones(1, 8, 15, 15)
    touched = x.clone()
    touched[0, 0, 7, 7] = 5
    with torch.no_grad():
        change = (block(touched) - block(x)).abs()[0]
    reach = [int((change[c] > 1e-6).any(0).sum()) for c in (1, 4, 6)]
    assert reach == [3, 5, 7]
    with pytest.raises(CheckpointError, match="add up"):
        Multiview(8, (4, 2, 1))


def test_at_first_the_landmarks_are_the_mean_face() -> None:
    model = small()
    out = model(torch.randn(2, 3, 64, 64))
    assert (out.landmarks / 64 - model.mean_shape).abs().max() < 0.05
    model.landmark.offset.weight.data.zero_()
    model.landmark.offset.bias.data.copy_(torch.arange(10) / 100)
    moved = model(torch.randn(1, 3, 64, 64)).landmarks[0] / 64 - model.mean_shape
    assert torch.allclose(moved, torch.arange(10).view(5, 2) / 100, atol=1e-6)  # S1 = S0 + offset


def test_an_alignment_has_pose_and_confidence_in_their_bounds() -> None:
    model = small()
    model.pose.out.weight.data.mul_(1e4)
    out = model(torch.randn(3, 3, 64, 64))
    assert out.landmarks.shape == (3, 5, 2) and out.pose.shape == (3, 3) and out.confidence.shape == (3,)
    assert out.pose.abs().max() <= math.pi + 1e-6 and out.pose.abs().max() > 3
    assert ((out.confidence > 0) & (out.confidence < 1)).all()
    assert out.stages is None


def test_pose_and_confidence_by_hand() -> None:
    model = small()
    for branch, bias in ((model.pose, [0.0, 1.0, -0.5]), (model.tracking, [0.0, 2.0])):
        branch.out.weight.data.zero_()
        branch.out.bias.data.copy_(torch.tensor(bias))
    out = model(torch.randn(1, 3, 64, 64))
    np.testing.assert_allclose(out.pose[0].detach(), [0, math.pi * math.tanh(1), -math.pi * math.tanh(0.5)], atol=1e-5)
    assert float(out.confidence[0].detach()) == pytest.approx(1 / (1 + math.exp(-2)))


def test_traced_equals_untraced_and_the_gate_is_heat_times_features() -> None:
    model, images = small(), torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        plain = model(images)
        with record(model) as trace:
            traced = model(images)
    for a, b in ((plain.landmarks, traced.landmarks), (plain.pose, traced.pose)):
        assert (a - b).abs().max() < 1e-5
    heat, low, gated = (trace[name].tensor for name in ("heatmap", "levels.0", "gated"))
    assert torch.allclose(gated, low * heat[:, None])
    cells = traced.landmarks / 4  # stride 4: a cell is a quarter of a pixel's number
    assert torch.allclose(heat, distance_heatmap(cells, 16, 16), atol=1e-6)
    assert trace["heatmap"].axes == ("batch", "y", "x")
    assert trace["landmark.coordinates"].shape == {"batch": 2, "channel": 2, "y": 4, "x": 4}
    assert [trace[f"landmark.maps.{i}"].shape["x"] for i in range(3)] == [16, 8, 4]
    for name in ("landmark.state", "tracking.features", "pose.features", "backbone.blocks.2.gate.weights"):
        assert trace[name].axes == ("batch", "channel")


def test_branches_can_be_left_out() -> None:
    out = small(branches=())(torch.randn(1, 3, 64, 64))
    assert out.pose is None and out.confidence is None
    assert small(branches=("pose",))(torch.randn(1, 3, 64, 64)).confidence is None
    with pytest.raises(UnknownNameError, match="eyes"):
        small(branches=("eyes",))
    with pytest.raises(CheckpointError, match=r"\(5, 2\)"):
        build(SMALL, torch.rand(6, 2))


def test_every_weight_learns() -> None:
    model = small().train()
    out = model(torch.randn(2, 3, 64, 64))
    (out.landmarks.sum() + out.pose.sum() + out.confidence.sum()).backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None]


def test_a_saved_model_comes_back_with_its_blocks(tmp_path) -> None:
    model, images = small(), torch.randn(1, 3, 64, 64)
    path = save_checkpoint(model, tmp_path / "small")
    again = load_model(path, device="cpu")
    assert asdict(again.config) == asdict(model.config)
    with torch.no_grad():  # stored in half precision
        assert (again(images).landmarks - model(images).landmarks).abs().max() < 0.1
