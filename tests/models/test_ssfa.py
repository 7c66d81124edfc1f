"""SSFA: counts of the paper, attention by explicit loops, the authors' baseline, tracing, decoding by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.models import reference_hrnet
from workbench.errors import CheckpointError
from workbench.models import load_model
from workbench.models.decoding import centre_of_mass, quarter_pixel
from workbench.models.ssfa import (
    PRESETS,
    SSFA,
    SYSTEM,
    ChannelAttention,
    SelfAttention,
    SpatialAttention,
    SSFAConfig,
    infer_config,
)
from workbench.models.zoo import count_multiply_accumulates, count_parameters
from workbench.tracing import record


def tiny(**changes) -> SSFA:
    config = replace(PRESETS["ssfa-68-compact"], scheme="user7", landmarks=7, input_size=64, inner=6, bottleneck=5)
    torch.manual_seed(3)
    config = replace(config, **changes)
    return SSFA(config, torch.rand(config.landmarks, 2)).eval()


def opened(module: torch.nn.Module, gamma: float = 0.7) -> torch.nn.Module:
    for name, p in module.named_parameters():
        if name.endswith("gamma"):
            p.data.fill_(gamma)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameters", "compute"),
    [
        ("ssfa-98-baseline", 9.66, 4.69),
        ("ssfa-98-budget", 9.67, 4.99),
        ("ssfa-98-literal", 9.753, 10.130),
        ("ssfa-68-compact", 2.947, 0.756),
    ],
)
def test_counts(name: str, parameters: float, compute: float) -> None:
    with torch.device("meta"):
        model = SSFA(PRESETS[name], torch.empty(PRESETS[name].landmarks, 2))
    assert count_parameters(model) / 1e6 == pytest.approx(parameters, rel=0.001)
    assert count_multiply_accumulates(model) / 1e9 == pytest.approx(compute, rel=0.01)


@pytest.mark.slow
def test_the_budget_preset_adds_what_the_paper_prints_and_the_literal_one_cannot() -> None:
    with torch.device("meta"):
        baseline, budget = (SSFA(PRESETS[f"ssfa-98-{n}"], torch.empty(98, 2)) for n in ("baseline", "budget"))
    added = count_parameters(budget) - count_parameters(baseline)
    assert added == 2 * (270 * 6 + 6) + (270 * 7 + 7) + (7 * 270 + 270) + 1
    assert round(added / 1e6, 2) == 0.01
    more = count_multiply_accumulates(budget) - count_multiply_accumulates(baseline)
    assert more == 4096 * 270 * (6 + 6 + 7 + 7) + 4096**2 * (6 + 7)
    assert more / 1e9 == pytest.approx(0.24, abs=0.01)
    assert "ssfa-98-literal" in SYSTEM.notes


def test_spatial_attention_is_equations_1_and_2_position_by_position() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 4, 3, 3)
    for normalise in ("softmax", "none"):
        for bottleneck in (0, 3):
            config = SSFAConfig(inner=2, bottleneck=bottleneck, normalise=normalise)
            module = opened(SpatialAttention(4, config))
            q, k, v = (conv(x)[0].flatten(1).T.tolist() for conv in (module.query, module.key, module.value))
            rows = []
            for i in range(9):
                scores = [sum(a * b for a, b in zip(q[i], k[j], strict=True)) for j in range(9)]
                if normalise == "softmax":
                    total = sum(math.exp(s) for s in scores)
                    scores = [math.exp(s) / total for s in scores]
                rows.append([sum(scores[j] * v[j][c] for j in range(9)) for c in range(len(v[0]))])
            mixed = torch.tensor(rows).T.reshape(1, -1, 3, 3)
            expected = x + 0.7 * module.out(mixed)
            got, pair = module(x)
            assert torch.allclose(got, expected, atol=1e-5)
            assert torch.equal(pair.query, module.query(x))


def test_channel_attention_by_hand() -> None:
    x = torch.tensor([[[[1.0, 0.0]], [[2.0, 1.0]]]])  # two channels over two positions
    gram = torch.tensor([[1.0, 2.0], [2.0, 5.0]])
    raw = opened(ChannelAttention(SSFAConfig(normalise="none")), 1.0)
    assert torch.allclose(raw(x)[0, :, 0], x[0, :, 0] + gram @ x[0, :, 0])
    soft = opened(ChannelAttention(SSFAConfig()), 1.0)
    first = 1 / (1 + math.e)  # softmax of (2 - 1, 2 - 2) at the second channel
    second = math.exp(3) / (1 + math.exp(3))  # softmax of (5 - 2, 5 - 5) at the first
    weights = torch.tensor([[1 - first, first], [second, 1 - second]])
    assert torch.allclose(soft(x)[0, :, 0], x[0, :, 0] + weights @ x[0, :, 0])


def test_arrangements_of_the_two_attentions() -> None:
    torch.manual_seed(1)
    x = torch.randn(2, 4, 3, 3)
    for kind in ("spatial", "channel", "series", "reversed", "parallel"):
        module = opened(SelfAttention(4, SSFAConfig(inner=2, kind=kind)), 0.3)
        got, pairs = module(x)
        spatial = (lambda t, m=module: m.spatial(t)[0]) if module.spatial else None
        channel = module.channel
        expected = {
            "spatial": lambda s=spatial: s(x),
            "channel": lambda c=channel: c(x),
            "series": lambda s=spatial, c=channel: c(s(x)),
            "reversed": lambda s=spatial, c=channel: s(c(x)),
            "parallel": lambda s=spatial, c=channel: s(x) + c(x),
        }[kind]()
        assert torch.equal(got, expected)
        assert len(pairs) == (kind != "channel")


def test_a_gamma_of_zero_leaves_the_features_alone() -> None:
    module = SelfAttention(4, SSFAConfig(inner=2))
    x = torch.randn(1, 4, 3, 3)
    assert torch.equal(module(x)[0], x)


@pytest.mark.parametrize("insertion", ["none", "a", "b", "ab"])
def test_insertion_in_hrnet(insertion: str) -> None:
    torch.manual_seed(2)
    config = replace(PRESETS["ssfa-68-literal"], insertion=insertion, kind="series", inner=4, input_size=64)
    model = opened(SSFA(config, torch.rand(68, 2))).eval()
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        plain = model(image)
        with record(model) as trace:
            traced = model(image)
        assert len(model.score(image)[1]) == {"none": 0, "a": 4, "b": 1, "ab": 5}[insertion]
    scale = plain.heatmaps.abs().max()
    assert torch.allclose(plain.heatmaps, traced.heatmaps, atol=1e-5 * max(1.0, float(scale)))
    assert plain.heatmaps.shape == (1, 68, 16, 16)
    names = [n for n in trace if n.endswith("spatial.attention")]
    sides = [trace[n].shape["query_y"] for n in names]
    assert sides == {"none": [], "a": [16, 8, 4, 2], "b": [16], "ab": [16, 8, 4, 2, 16]}[insertion]


@pytest.mark.parametrize("normalise", ["softmax", "none"])
def test_traced_equals_untraced_and_what_is_recorded_is_what_was_used(normalise: str) -> None:
    model = opened(tiny(normalise=normalise))
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        plain = model(images)
        with record(model) as trace:
            traced = model(images)
    assert torch.allclose(plain.landmarks, traced.landmarks, atol=1e-4)
    assert torch.allclose(plain.heatmaps, traced.heatmaps, atol=1e-5)
    weights = trace["attention_b.spatial.attention"]
    assert weights.axes == ("batch", "query_y", "query_x", "key_y", "key_x")
    assert tuple(weights.tensor.shape) == (2, 16, 16, 16, 16)
    if normalise == "softmax":
        assert torch.allclose(weights.tensor.sum((-2, -1)), torch.ones(2, 16, 16), atol=1e-5)
    spatial, z = model.attention_b.spatial, trace["features"].tensor
    with torch.no_grad():
        mixed = torch.einsum("bijkl,bckl->bcij", weights.tensor, spatial.value(z))
        attended = z + spatial.gamma * spatial.out(mixed)
    assert torch.allclose(attended, trace["attended"].tensor, atol=1e-4)
    assert trace["attention_b.spatial.strength"].tensor.item() == pytest.approx(0.7)
    assert trace["heatmaps"].axes == ("batch", "landmark", "y", "x")


class Largest(TorchDispatchMode):
    """The number of values in the largest tensor that any operation hands back."""

    values = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for t in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(t, torch.Tensor):
                self.values = max(self.values, t.numel())
        return out


@pytest.mark.parametrize("normalise", ["softmax", "none"])
def test_no_matrix_of_all_positions_exists_unless_recorded(normalise: str) -> None:
    module = SpatialAttention(12, SSFAConfig(inner=4, normalise=normalise))
    x = torch.randn(1, 12, 32, 32, requires_grad=True)
    with Largest() as largest:
        module(x)[0].sum().backward()
    assert largest.values < 1024 * 40
    with Largest() as largest, record(module):
        module(x)
    assert largest.values == 1024**2


def test_the_authors_baseline_loads_and_answers_like_an_independent_run(tmp_path) -> None:
    state = reference_hrnet.random_state(98)
    assert len(state) == 1839
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}}, tmp_path / "hrnet.pth")
    mean_face = np.random.default_rng(0).uniform(0, 256, (98, 2))
    model = load_model(tmp_path / "hrnet.pth", system="ssfa", init_face=mean_face, device="cpu")
    assert model.config == PRESETS["ssfa-98-baseline"]
    image = torch.randn(1, 3, 96, 96)
    with torch.no_grad():
        got = model(image)
    expected = reference_hrnet.run(state, image)
    assert torch.allclose(got.heatmaps, expected, atol=1e-4 * max(1.0, float(expected.abs().max())))
    flat = expected[0].flatten(1).argmax(-1)
    cells = torch.stack([flat % 24, flat // 24], -1) + 0.5
    assert ((got.landmarks[0] / 4 - cells).abs() <= 0.25 + 1e-5).all()


def test_other_weights_and_missing_tensors_are_named(tmp_path) -> None:
    with pytest.raises(CheckpointError, match="HRNetV2-W18"):
        infer_config({"head.3.weight": torch.zeros(98, 270, 1, 1)})
    state = reference_hrnet.random_state(68)
    assert infer_config(state).scheme == "ibug68"
    del state["stage3.2.fuse_layers.2.0.1.0.weight"]
    torch.save(state, tmp_path / "hrnet.pth")
    with pytest.raises(CheckpointError, match=r"stage3\.2\.fuse_layers\.2\.0\.1\.0\.weight missing"):
        load_model(tmp_path / "hrnet.pth", system="ssfa", init_face=np.linspace(60, 200, 136).reshape(68, 2))


def test_a_maximum_moves_a_quarter_towards_its_larger_neighbour() -> None:
    maps = torch.zeros(1, 3, 4, 5)
    maps[0, 0, 1, 2], maps[0, 0, 1, 3], maps[0, 0, 0, 2] = 1.0, 0.5, 0.4  # right and up
    maps[0, 1, 0, 2], maps[0, 1, 0, 3] = 1.0, 0.5  # on the border: not at all
    maps[0, 2, 2, 1] = 1.0  # neighbours alike: not at all
    expected = torch.tensor([[2.75 / 5, 1.25 / 4], [2.5 / 5, 0.5 / 4], [1.5 / 5, 2.5 / 4]])
    assert torch.allclose(quarter_pixel(maps)[0], expected)


def test_the_expectation_is_the_centre_of_mass() -> None:
    maps = torch.zeros(1, 1, 4, 4)
    maps[0, 0, 1, 0], maps[0, 0, 1, 2], maps[0, 0, 3, 3] = 1.0, 3.0, -5.0
    assert torch.allclose(centre_of_mass(maps)[0, 0], torch.tensor([(0.5 + 3 * 2.5) / 4 / 4, 1.5 / 4]))


def test_the_flipped_answer_is_the_same_for_a_mirrored_crop() -> None:
    model = tiny(scheme="ibug68", landmarks=68)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        points = model.forward_flipped(images).landmarks[0]
        mirrored = model.forward_flipped(images.flip(-1)).landmarks[0]
    pairs = list(model.scheme.flip)
    back = torch.stack([64 - mirrored[pairs, 0], mirrored[pairs, 1]], -1)
    assert torch.allclose(points, back, atol=1e-3)


def test_every_part_learns() -> None:
    model = opened(tiny()).train()
    model(torch.randn(2, 3, 64, 64)).landmarks.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for n, p in model.named_parameters() if "bn" not in n)


def test_what_cannot_be_built_gets_a_sentence() -> None:
    with pytest.raises(CheckpointError, match=r"\(7, 2\)"):
        SSFA(replace(PRESETS["ssfa-68-compact"], landmarks=7), torch.rand(68, 2))
    with pytest.raises(CheckpointError, match="location B only"):
        tiny(insertion="ab")


def test_nobody_attends_to_the_border_and_no_query_likes_all_keys() -> None:
    torch.manual_seed(0)
    config = replace(PRESETS["ssfa-68-compact"], inner=4, bottleneck=4)
    module = SpatialAttention(8, config)
    x = torch.randn(2, 8, 6, 6)
    with torch.no_grad(), record(module) as trace:
        module(x)
        pair = module.affinity(x)
    weights = trace["attention"].tensor
    inner = weights[..., 1:-1, 1:-1].sum((-2, -1))
    assert torch.allclose(inner, torch.ones_like(inner), atol=1e-6)
    assert torch.allclose(pair.query[:, :4].mean((2, 3)), torch.zeros(2, 4), atol=1e-6)
