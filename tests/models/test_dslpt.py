"""SLPT and DSLPT: geometry by hand, counts by the papers, equality with an independent loop and under tracing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.models import reference
from workbench.errors import CheckpointError, SettingsError, UnknownNameError
from workbench.models import build, preset
from workbench.models.dslpt import PatchTransformerConfig, published_name
from workbench.models.patches import patch_rectangles, sample_patches, size_scale
from workbench.models.zoo import count_multiply_accumulates, count_parameters
from workbench.tracing import record


def tiny(**changes):
    config = replace(
        preset("dslpt-68-compact"),
        landmarks=7,
        scheme="user7",
        dim=32,
        heads=4,
        layers=2,
        ffn=64,
        input_size=64,
    )
    config = replace(config, **changes)
    torch.manual_seed(3)
    shape = torch.rand(config.landmarks, 2) * 0.6 + 0.2
    return build(config, shape).eval()


# The published models' counts: millions of parameters, giga multiply-accumulates, 98 points at 256 pixels.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameters", "compute"),
    [
        ("dslpt-98-w18", 19.349, 7.775),
        ("dslpt-98-lite", 13.254, 6.017),
        ("slpt-98-lite", 13.194, 6.081),
        ("dslpt-98-resnet34", 31.06, 8.04),
        ("dslpt-98-resnet50", 33.47, 8.71),
    ],
)
def test_counts_of_the_papers(name: str, parameters: float, compute: float) -> None:
    model = build(name, torch.rand(98, 2))
    digits = 3 if "resnet" not in name else 2
    assert round(count_parameters(model) / 1e6, digits) == parameters
    tolerance = 0.001 if "resnet" not in name else 0.01
    assert count_multiply_accumulates(model) / 1e9 == pytest.approx(compute, rel=tolerance)


def test_slpt_s_rectangle_shrinks_at_the_border_and_dslpt_s_shifts() -> None:
    centres, half = torch.tensor([[[0.5, 0.05], [0.97, 0.5]]]), torch.full((1, 2, 1), 0.125)
    corner, size = patch_rectangles(centres, half, "shrink")
    assert torch.allclose(corner, torch.tensor([[[0.375, 0.0], [0.845, 0.375]]]))
    assert torch.allclose(size, torch.tensor([[[0.25, 0.175], [0.155, 0.25]]]))
    corner, size = patch_rectangles(centres, half, "shift")
    assert torch.allclose(corner, torch.tensor([[[0.375, 0.0], [0.75, 0.375]]]))
    assert torch.allclose(size, torch.full((1, 2, 2), 0.25))


def test_sampling_reads_the_pixels_that_the_digest_names() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8).contiguous()  # value = x
    corner, size = torch.tensor([[[0.25, 0.25]]]), torch.tensor([[[0.5, 0.5]]])
    aligned = sample_patches([ramp], corner, size, 3, "aligned")[0, 0, 0, 0]
    assert torch.allclose(aligned, torch.tensor([0.25, 0.5, 0.75]) * 7)
    half = sample_patches([ramp], corner, size, 3, "half_pixel")[0, 0, 0, 0]
    assert torch.allclose(half, torch.tensor([0.25, 0.5, 0.75]) * 8 - 0.5)
    edge = sample_patches([ramp], torch.zeros(1, 1, 2), torch.ones(1, 1, 2), 3, "half_pixel")[0, 0, 0, 0]
    assert torch.allclose(edge, torch.tensor([0.0, 3.5, 7.0]))


def test_size_rule_has_a_floor_an_active_part_and_a_ceiling() -> None:
    v = torch.tensor([0.01, 0.05, 0.2])
    assert torch.allclose(size_scale(v, "variance"), torch.tensor([0.5, 0.6, 0.7]))
    assert torch.allclose(size_scale(torch.tensor([0.0025]), "deviation"), torch.tensor([0.6]))


@pytest.mark.parametrize(("name", "system"), [("slpt-98-lite", "slpt"), ("dslpt-98-lite", "dslpt")])
def test_equal_to_an_independent_loop_over_all_stages(name: str, system: str) -> None:
    config = replace(preset(name), landmarks=9, scheme="user9", layers=2, input_size=128)
    torch.manual_seed(5)
    shape = torch.rand(9, 2)  # some patches meet the border
    model = build(config, shape).eval()
    with torch.no_grad():
        # Spread the answers, so that the second and third stages look elsewhere and variances meet the clamp.
        model.head.mean.weight.mul_(3)
        if model.head.variance is not None:
            model.head.variance.weight.mul_(0.7)
            model.head.variance.bias.fill_(-3.2)
        image = torch.randn(1, 3, 128, 128)
        answer = model(image)
        feature = model.backbone(image)[0][0]
    state = {published_name(k, model.config): v for k, v in model.state_dict().items()}
    landmarks, variances = reference.run(system, state, feature, shape, 2, config.heads)
    assert torch.allclose(answer.stages[:, :, 0] / 128, torch.stack(landmarks), atol=1e-4)
    if system == "dslpt":
        assert torch.allclose(answer.variance[:, :, 0], torch.stack(variances), atol=1e-4)
        sizes = answer.rects[1:, 0, :, 2] / answer.rects[:-1, 0, :, 2]
        assert sizes.min() < 0.69 and sizes.max() > 0.51  # the dynamic rule was at work
    else:
        assert answer.variance is None


def test_an_alignment_has_the_promised_shapes() -> None:
    model = tiny()
    answer = model(torch.randn(2, 3, 64, 64))
    assert answer.landmarks.shape == (2, 7, 2)
    assert answer.stages.shape == answer.variance.shape == (3, 2, 2, 7, 2)
    assert answer.rects.shape == (3, 2, 7, 4)
    assert torch.equal(answer.landmarks, answer.stages[-1, -1])
    assert answer.sigma().shape == (2, 7, 2)
    expected = answer.variance[-1, -1].sqrt() * answer.rects[-1, ..., 2:]
    assert torch.allclose(answer.sigma(), expected)


@pytest.mark.parametrize("likelihood", ["gaussian", "laplace", None])
@pytest.mark.parametrize("backbone", ["pyramid18", "resnet34", "hrnet_w18_lite"])
def test_every_variant_learns(backbone: str, likelihood: str | None) -> None:
    from workbench.training.losses import patch_loss

    model = tiny(backbone=backbone, likelihood=likelihood, dim=32).train()
    points = torch.rand(2, 7, 2) * 64
    answer = model(torch.randn(2, 3, 64, 64))
    valid = torch.ones(2, 7, dtype=torch.bool)
    loss = patch_loss(answer, points, valid, likelihood, (0.2, 0.3, 0.5), floor=None, distance=torch.full((2,), 20.0))
    loss.backward()
    lacking = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not lacking
    assert torch.isfinite(loss)


def test_traced_equals_untraced_and_what_is_recorded_is_what_was_used() -> None:
    model, images = tiny(), torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        plain = model(images)
        with record(model) as trace:
            traced = model(images)
    assert (plain.stages - traced.stages).abs().max() < 1e-5 * 64
    assert (plain.variance - traced.variance).abs().max() < 1e-5
    for i in range(2):
        for kind in ("self", "cross"):
            entry = trace[f"relation.layers.{i}.{kind}"]
            assert entry.shape == {"stage": 3, "batch": 2, "head": 4, "query_landmark": 7, "key_landmark": 7}
            assert torch.allclose(entry.tensor.sum(-1), torch.ones(3, 2, 4, 7), atol=1e-5)
    assert trace["relation.structure"].shape == {"batch": 1, "landmark": 7, "encoding": 32}
    assert trace["patches.rects"].axes == ("stage", "batch", "landmark", "rect")
    assert torch.allclose(trace["patches.rects"].tensor * 64, traced.rects)
    assert trace["patches.features"].shape["channel"] == 32
    assert trace["maps.0"].axes == ("batch", "channel", "y", "x")


def test_in_the_first_layer_of_each_stage_self_attention_ignores_the_picture() -> None:
    model = tiny()
    with torch.no_grad(), record(model, only="relation.layers.0.self") as trace:
        model(torch.randn(1, 3, 64, 64))
    weights = trace["relation.layers.0.self"].tensor
    assert torch.allclose(weights[0], weights[2])  # T starts at zero in every stage (thesis 5.2.1)


def test_cross_attention_weights_reproduce_the_layer_s_output() -> None:
    model = tiny()
    layer = model.relation.layers[0]
    memory, query = torch.randn(1, 7, 32), model.relation.landmark_query
    position = model.relation.structure_encoding
    with torch.no_grad():
        x = layer.norm2(torch.randn(1, 7, 32))
        with record(model, only="relation.layers.0.cross") as trace:
            out = layer.multihead_attn(x + query, memory + position, memory, layer.cross)
        weights = trace["relation.layers.0.cross"].at(stage=0, batch=0).tensor
        w, b = layer.multihead_attn.in_proj_weight[64:], layer.multihead_attn.in_proj_bias[64:]
        values = (memory[0] @ w.T + b).reshape(7, 4, 8)
        mixed = torch.einsum("hqk,khd->qhd", weights, values).reshape(7, 32)
        assert torch.allclose(layer.multihead_attn.out_proj(mixed), out[0], atol=1e-5)


def test_a_mean_face_of_another_size_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"\(68, 2\)"):
        build("dslpt-68-compact", torch.rand(98, 2))


def test_points_do_not_depend_on_the_rest_of_the_batch() -> None:
    model, images = tiny(), torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        together, alone = model(images).landmarks[1], model(images[1:2]).landmarks[0]
    np.testing.assert_allclose(together.numpy(), alone.numpy(), atol=1e-3)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"rectangle": "shrnk"}, UnknownNameError),
        ({"size_rule": "text"}, UnknownNameError),
        ({"likelihood": "normal"}, UnknownNameError),
        ({"stages": 0}, SettingsError),
        ({"stages": None}, SettingsError),
        ({"input_size": 1.5}, SettingsError),
        ({"half_size": "wide"}, SettingsError),
        ({"size_limits": (0.5,)}, SettingsError),
        ({"scheme": 5}, SettingsError),
        ({"deep_head": 1}, SettingsError),
    ],
)
def test_a_switch_or_a_count_that_cannot_be_is_refused(wrong, error) -> None:
    with pytest.raises(error, match=next(iter(wrong))):
        PatchTransformerConfig(**wrong)
    assert PatchTransformerConfig(likelihood=None).likelihood is None
    with pytest.raises(UnknownNameError, match="'deviation'"):
        size_scale(torch.tensor([0.03]), "text")
    with pytest.raises(UnknownNameError, match="'shift'"):
        patch_rectangles(torch.rand(1, 2, 2), torch.rand(1, 2, 1), "move")
