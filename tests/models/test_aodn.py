"""AODN: its size by the paper, its modules by hand and by plain loops, and what a pass leaves to look at."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from workbench.errors import CheckpointError
from workbench.models.aodn import AODN, PRESETS, Geometry, OcclusionAttention, signed_root, smooth_basis
from workbench.models.zoo import count_multiply_accumulates, count_parameters
from workbench.tracing import record
from workbench.training.losses import soft_argmax

PAPER, COMPACT = PRESETS["aodn-68-resnet18"], PRESETS["aodn-68-compact"]
SMALL = dict(landmarks=5, scheme="user5", input_size=64, width=8, geometry=3, rank=6)


def tiny(base=PAPER, **changes) -> AODN:
    config = replace(base, **{**SMALL, "point_maps": 8 if base.point_maps else 0, **changes})
    torch.manual_seed(2)
    return AODN(config, torch.rand(config.landmarks, 2) * 0.6 + 0.2).eval()


def test_the_paper_s_size() -> None:
    model = AODN(PAPER, torch.rand(68, 2))
    assert count_parameters(model) == pytest.approx(6.46e6, rel=0.01)
    assert count_multiply_accumulates(model) / 1e9 == pytest.approx(1.65, rel=0.01)
    # 7 x 7 places of 256 + 256 channels, read by 96 columns.
    assert model.structure_matrix.shape == (49 * 512, 96)


def test_the_compact_preset_fits_twelve_megabytes() -> None:
    assert 2 * count_parameters(AODN(COMPACT, torch.rand(68, 2))) < 12e6


def test_geometry_multiplies_every_pair_of_channels_in_place() -> None:
    model = tiny()
    z = torch.randn(2, 32, 4, 4)
    with torch.no_grad():
        a, b, products = model.geometry.a(z), model.geometry.b(z), model.geometry(z)
    for i in range(3):
        for j in range(3):
            assert torch.equal(products[:, 3 * i + j], a[:, i] * b[:, j])


def test_pooled_geometry_lays_the_mean_of_the_products_at_every_place() -> None:
    everywhere, pooled = Geometry(tiny().config).eval(), Geometry(tiny(outer="pooled").config).eval()
    pooled.load_state_dict(everywhere.state_dict())
    z = torch.randn(2, 32, 4, 5)
    with torch.no_grad():
        expected = everywhere(z).mean((2, 3), keepdim=True).expand(-1, -1, 4, 5)
        assert torch.allclose(pooled(z), expected, atol=1e-6)


def test_signed_root_and_channel_norm() -> None:
    x = torch.tensor([-4.0, 0.0, 9.0], requires_grad=True)
    root = signed_root(x)
    assert torch.allclose(root, torch.tensor([-2.0, 0.0, 3.0]), atol=0.011)
    root.sum().backward()
    assert torch.isfinite(x.grad).all()
    model = tiny(channel_norm=True, signed_root=True)
    with torch.no_grad():
        lengths = model.geometry(torch.randn(2, 32, 4, 4)).norm(dim=1)
    assert ((lengths - 1).abs() < 1e-5).logical_or(lengths == 0).all()


@pytest.mark.parametrize("weighs", ["kept", "all"])
@pytest.mark.parametrize("merge", ["product", "sum"])
def test_attention_is_channel_then_place_then_the_weighed_signal(merge: str, weighs: str) -> None:
    torch.manual_seed(0)
    module = OcclusionAttention(tiny(merge=merge, weighs=weighs).config).eval()
    z = torch.rand(1, 32, 3, 4)
    with torch.no_grad():
        merged, spatial, plain, seen = module(z)
        level = torch.einsum("c,chw->hw", module.plain_map.weight[0, :, 0, 0], z[0]) + module.plain_map.bias
        weighed = z[0] * level.sigmoid()
        assert torch.allclose(seen[0], weighed if weighs == "all" else z[0], atol=1e-5)
        x = module.block(seen)[0]
        first, last = module.gate.mlp[0].weight, module.gate.mlp[2].weight
        assert first.shape == (32 // 8, 32)
        votes = [last @ (first @ pooled).clamp_min(0) for pooled in (x.mean((1, 2)), x.amax((1, 2)))]
        x = torch.sigmoid(votes[0] + votes[1])[:, None, None] * x
        kernel, bias = module.gate.conv.weight[0], module.gate.conv.bias
        assert kernel.shape == (2, 7, 7)
        views = torch.nn.functional.pad(torch.stack([x.mean(0), x.amax(0)]), (3, 3, 3, 3))
        gate = torch.zeros(3, 4)
        for row in range(3):
            for column in range(4):
                gate[row, column] = (views[:, row : row + 7, column : column + 7] * kernel).sum() + bias
        gate = gate.sigmoid()
        expected = gate * x * weighed if merge == "product" else gate * x + weighed
    assert torch.allclose(spatial[0], gate, atol=1e-5)
    assert torch.allclose(plain[0], level.sigmoid(), atol=1e-5)
    assert torch.allclose(merged[0], expected, atol=1e-5)


def test_the_answer_is_linear_in_the_code_and_the_code_in_the_hybrid_map() -> None:
    model = tiny()
    with torch.no_grad(), record(model) as trace:
        answer = model(torch.randn(2, 3, 64, 64)).landmarks
    pooled = torch.nn.functional.max_pool2d(trace["hybrid"].tensor, 2).flatten(1)
    code = pooled @ model.structure_matrix
    assert torch.allclose(trace["code"].tensor, code, atol=1e-5)
    points = (code @ model.fc.weight.T + model.fc.bias).view(2, 5, 2)
    assert torch.allclose(answer, 64 * points, atol=1e-3)


@pytest.mark.parametrize("base", [PAPER, COMPACT])
def test_traced_equals_untraced_and_every_tap_has_its_shape(base) -> None:
    model = tiny(base)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        plain = model(images)
        with record(model) as trace:
            traced = model(images)
    assert torch.allclose(plain.landmarks, traced.landmarks, atol=1e-5)
    side = model.config.map_size
    assert side == (8 if base.small_stem else 4)
    shapes = {
        "features": {"batch": 2, "channel": 32, "y": side, "x": side},
        "geometry.map": {"batch": 2, "product": 9, "y": side, "x": side},
        "attention.gate.channel": {"batch": 2, "channel": 32},
        "attention.gate.spatial": {"batch": 2, "y": side, "x": side},
        "attention.plain": {"batch": 2, "y": side, "x": side},
        "attention.weighted": {"batch": 2, "channel": 32, "y": side, "x": side},
        "hybrid": {"batch": 2, "channel": 41, "y": side, "x": side},
        "code": {"batch": 2, "channel": 6},
        "recovered": {"batch": 2, "rank": 7, "landmark": 5, "xy": 2},
        "singular": {"batch": 1, "rank": 6},
    }
    if base.point_maps:
        shapes["point_maps"] = {"batch": 2, "landmark": 5, "y": side, "x": side}
        assert torch.allclose(traced.heatmaps, trace["point_maps"].tensor)
    else:
        assert traced.heatmaps is None
    assert {name: entry.shape for name, entry in trace.items()} == shapes


@pytest.mark.parametrize("base", [PAPER, COMPACT])
def test_every_parameter_gets_a_gradient(base) -> None:
    model = tiny(base).train()
    model(torch.randn(3, 3, 64, 64)).landmarks.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


def test_the_smooth_basis_is_orthonormal_and_its_first_way_moves_all_points_together() -> None:
    points = torch.rand(20, 2)
    basis = smooth_basis(points, 6)
    assert torch.allclose(basis.T @ basis, torch.eye(6), atol=1e-5)
    assert (basis[:, 0] > 0).all() or (basis[:, 0] < 0).all()
    assert smooth_basis(points, 50).shape == (20, 20)


def test_with_every_smooth_way_the_compact_model_starts_as_a_soft_argmax() -> None:
    model = tiny(COMPACT, rank=10)  # five landmarks, two axes: nothing is lost
    with torch.no_grad():
        found = model.read(torch.randn(2, 3, 64, 64))
    assert torch.allclose(found.points, soft_argmax(found.logits), atol=1e-5)
    few = tiny(COMPACT, rank=4)
    with torch.no_grad():
        # What the code does not reach stays at the mean face.
        flat = few.fc(few.low_rank(torch.full((1, 5 * 64), few.config.map_gain / 64))).view(5, 2)
        basis = smooth_basis(few.mean_shape, 2)
        centred = few.mean_shape - 0.5
    assert torch.allclose(flat, few.mean_shape - basis @ (basis.T @ centred), atol=1e-5)


def test_the_spectrum_is_that_of_m() -> None:
    model = tiny()
    with torch.no_grad():
        model.low_rank.weight.zero_()
        model.low_rank.weight[range(6), range(6)] = torch.tensor([3.0, -2.0, 1.0, 0.5, 0.0, 0.0])
    assert torch.allclose(model.spectrum(), torch.tensor([3.0, 2.0, 1.0, 0.5, 0.0, 0.0]))


@pytest.mark.parametrize("base", [PAPER, COMPACT])
def test_what_a_rank_answers_is_what_the_model_answers_with_that_much_of_m(base) -> None:
    model = tiny(base)
    torch.nn.init.normal_(model.fc.weight)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        with record(model, only=["recovered", "singular"]) as trace:
            whole = model(images).landmarks / 64
        found = trace["recovered"].tensor
        assert torch.allclose(trace["singular"].tensor[0], model.spectrum(), rtol=1e-4, atol=1e-5)
        assert torch.allclose(found[:, 6], whole, atol=1e-4)
        assert torch.allclose(found[:, 0], model.fc.bias.view(5, 2).expand(2, -1, -1))
        left, sizes, right = torch.linalg.svd(model.structure_matrix, full_matrices=False)
        for rank in (1, 3):
            model.low_rank.weight.copy_((left[:, :rank] * sizes[:rank] @ right[:rank]).T)
            assert torch.allclose(model(images).landmarks / 64, found[:, rank], atol=1e-4)


def test_a_mean_face_that_does_not_fit_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"\(68, 2\)"):
        AODN(PAPER, torch.rand(29, 2))
