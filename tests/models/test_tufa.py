"""TUFA: counts, the authors' weights, the prompt's code, conventions, placing of points, taps."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.models import reference_tufa as reference
from workbench.errors import CheckpointError, DataError, UnknownNameError
from workbench.models.backbones.vit import VisionTransformer
from workbench.models.importing import import_published
from workbench.models.plane import encode_points, grid_centres
from workbench.models.tufa import PRESETS, TUFA, TUFAConfig
from workbench.models.tufa_config import infer_config, published_name
from workbench.models.zoo import count_multiply_accumulates, count_parameters, load_model, save_checkpoint
from workbench.tracing import record

SMALL = TUFAConfig(
    scheme="cofw29",
    landmarks=29,
    input_size=64,
    conventions=("cofw29", "five", "user7"),
    dim=32,
    depth=2,
    encoder_heads=2,
    mlp=64,
    grid=3,
    layers=3,
    heads=4,
    ffn=48,
    hidden=16,
)
COMPACT = replace(PRESETS["tufa-68-compact"], dim=32, encoder_heads=2, mlp=32, heads=2, ffn=32, hidden=16, layers=2)


def small(config: TUFAConfig = SMALL, seed: int = 0) -> TUFA:
    torch.manual_seed(seed)
    model = TUFA(config, torch.rand(config.landmarks, 2)).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.startswith("alignment"):
                p.copy_(0.1 * torch.randn_like(p))
    others = {n: torch.rand_like(model.alignment[n]) for n in config.conventions if n != config.scheme}
    model.set_mean_shapes(others)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameters", "compute"), [("tufa-98-s16", 35.97, 8.03), ("tufa-98-s8", 35.97, 35.11)]
)
def test_paper_sizes_count_as_published(name: str, parameters: float, compute: float) -> None:
    config = PRESETS[name]
    model = TUFA(config, torch.rand(98, 2))
    assert count_parameters(model) / 1e6 == pytest.approx(parameters, rel=0.01)
    assert count_multiply_accumulates(model) / 1e9 == pytest.approx(compute, rel=0.01)


@pytest.mark.parametrize("count", [98, 68, 29])
@pytest.mark.parametrize("size", ["s16", "s8"])
def test_presets_answer_their_own_scheme(count: int, size: str) -> None:
    config = PRESETS[f"tufa-{count}-{size}"]
    assert config.landmarks == count and config.conventions == (config.scheme,)
    assert config.patch * config.grid == 224


@pytest.mark.slow
@pytest.mark.parametrize("patch", [16, 8])
def test_published_weights_give_the_published_answer(tmp_path, patch: int) -> None:
    """Every tensor accounted for, and the answer of an independent computation to 1e-4."""
    state = reference.published_state(patch)
    assert sum(v.numel() for v in state.values()) / 1e6 == pytest.approx(35.97, abs=0.01)
    path, prompts = tmp_path / "tufa.pth", tmp_path / "shape.npz"
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}}, path)
    shape = 256 * np.random.default_rng(0).random((29, 2))
    np.savez(prompts, init=shape - 5, offset=shape)
    model = import_published(path, "tufa", prompts)
    assert isinstance(model, TUFA) and model.config.patch == patch and model.scheme.name == "cofw29"
    assert torch.allclose(model.prompt(), torch.from_numpy(shape / 256).float())
    image = torch.randn(1, 3, 256, 256)
    with torch.no_grad():
        stages = model(image).stages
    assert stages is not None and stages.shape == (1, 6, 1, 29, 2)
    expected = reference.run(state, image, torch.from_numpy(shape / 256).float(), patch)
    assert float((stages[0] / 256 - expected).abs().max()) < 1e-4


@pytest.mark.slow
def test_published_prompts_keep_the_mean_shape_and_the_embedding_apart(tmp_path) -> None:
    """Several conventions in one model; `init` stays the mean shape, the way from it to `offset` is the embedding."""
    path, rng = tmp_path / "tufa.pth", np.random.default_rng(0)
    torch.save(reference.published_state(16), path)
    shapes = {n: 256 * rng.random((n, 2)) for n in (68, 29, 31)}
    files = [tmp_path / f"shape_{n}.npz" for n in shapes]
    for file, (n, shape) in zip(files, shapes.items(), strict=True):
        np.savez(file, offset=shape, **({} if n == 31 else {"init": shape - n / 10}))
    model = load_model(path, system="tufa", init_face=files, device="cpu")
    assert model.config.conventions == ("ibug68", "cofw29", "user31") and model.scheme.name == "ibug68"
    for name, shape in zip(model.config.conventions, shapes.values(), strict=True):
        torch.testing.assert_close(model.prompt(name), torch.from_numpy(shape / 256).float(), atol=1e-6, rtol=0)
    for name, n in (("ibug68", 68), ("cofw29", 29)):
        apart = torch.from_numpy((shapes[n] - n / 10) / 256).float()
        torch.testing.assert_close(model.shape_of(name), apart, atol=1e-6, rtol=0)
        torch.testing.assert_close(model.alignment[name], torch.full((n, 2), 2 * n / 10 / 256), atol=1e-6, rtol=0)
    assert not model.alignment["user31"].any()
    stored = load_model(save_checkpoint(model, tmp_path / "ours", half=False), device="cpu")
    torch.testing.assert_close(stored.prompt("cofw29"), model.prompt("cofw29"))
    with pytest.raises(CheckpointError, match="one number of points"):
        import_published(path, "tufa", [files[0], files[0]])


def test_weights_of_another_system_are_refused() -> None:
    with pytest.raises(CheckpointError, match="not TUFA"):
        infer_config({"conv1.weight": torch.zeros(1)})


@pytest.mark.slow
def test_inferred_configuration_is_the_presets() -> None:
    for name in ("tufa-98-s16", "tufa-98-s8"):
        config = replace(PRESETS[name], conventions=())
        state = {k: torch.empty(s) for k, s in reference.published_shapes(config.patch).items()}
        assert TUFA(infer_config(state), torch.rand(98, 2)).config == config
    ours = {published_name(k) for k in TUFA(config, torch.rand(98, 2)).state_dict()} - {"mean_shape"}
    assert ours == set(state)


def test_a_prompt_file_of_any_count_is_taken() -> None:
    config = replace(SMALL, scheme="", landmarks=0, conventions=())
    model = TUFA(config, torch.rand(314, 2)).eval()
    assert model.scheme.count == 314 and model(torch.zeros(1, 3, 64, 64)).landmarks.shape == (1, 314, 2)


def test_code_by_hand() -> None:
    """Point (1, 0.5): y = 0 gives sine 0, cosine 1; x = 1 gives sin 1, cos 1, sin 0.01, cos 0.01 (d = 8)."""
    got = encode_points(torch.tensor([[1.0, 0.5]]), 8)[0].tolist()
    x = [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)]
    assert got == pytest.approx([0, 1, 0, 1, *x], abs=1e-6)
    assert encode_points(torch.tensor([[1.0, 0.5]]), 8, "xy")[0].tolist() == pytest.approx([*x, 0, 1, 0, 1], abs=1e-6)
    assert encode_points(torch.tensor([[0.3, 0.8]]), 384)[0].tolist() == pytest.approx(
        reference.code(0.3, 0.8), abs=1e-5
    )


def test_axis_order_matters() -> None:
    model = small()
    other = TUFA(replace(SMALL, axis_order="xy"), model.mean_shape).eval()
    other.load_state_dict(model.state_dict())
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        a, b = model(image).landmarks, other(image).landmarks
        c = other(image, model.prompt().flip(-1)).landmarks
    assert not torch.allclose(a, b, atol=1e-4)
    assert torch.allclose(a, c, atol=1e-4)


def test_grid_centres_run_in_rows() -> None:
    assert grid_centres(2).tolist() == [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]]


def test_positions_are_kept_at_their_own_size_and_resized_otherwise() -> None:
    encoder = VisionTransformer(dim=8, depth=1, heads=2, hidden=8, patch=4, grid=5)
    assert torch.equal(encoder.positions(5, 5), encoder.pos_embed[:, 1:])
    expected = reference.positions(encoder.pos_embed.detach(), 7)
    assert torch.allclose(encoder.positions(7, 7)[0], expected, atol=1e-5)


def test_any_number_of_points() -> None:
    model = small()
    image = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        for count in (1, 5, 314):
            out = model(image, torch.rand(count, 2))
            assert out.landmarks.shape == (2, count, 2)
            assert out.stages is not None and out.stages.shape == (1, 3, 2, count, 2)
            assert torch.equal(out.stages[-1, -1], out.landmarks)
        own = model(image)
        assert torch.allclose(own.landmarks, model(image, model.prompt()).landmarks)
        each = model(image, torch.stack([model.prompt(), model.prompt().flip(0)])).landmarks
    assert torch.allclose(each[0], own.landmarks[0], atol=1e-4)
    assert torch.allclose(each[1], own.landmarks[1].flip(0), atol=1e-4)


@pytest.mark.parametrize(
    "prompt", [torch.rand(5, 3), torch.rand(0, 2), torch.rand(2), torch.tensor([[0.1, math.nan]])]
)
def test_prompts_that_are_none(prompt: torch.Tensor) -> None:
    with pytest.raises(DataError):
        small()(torch.zeros(1, 3, 64, 64), prompt)


def test_prompt_is_the_mean_shape_plus_half_the_embedding() -> None:
    model = small()
    for name, alias in (("cofw29", "29"), ("five", "mtfl"), ("user7", "user7")):
        key = model.key_of(alias)
        assert key == name
        assert torch.allclose(model.prompt(alias), model.shape_of(name) + model.alignment[name] / 2)
    assert torch.equal(model.shape_of("cofw29"), model.mean_shape)


def test_unknown_conventions_and_shapes_are_told() -> None:
    model = TUFA(SMALL, torch.rand(29, 2))
    with pytest.raises(UnknownNameError, match="cofw29, five, user7"):
        model.prompt("wflw98")
    with pytest.raises(UnknownNameError):
        model.prompt("nonsense")
    with pytest.raises(DataError, match="no mean shape"):
        model.prompt("five")
    with pytest.raises(DataError, match="mean shape of 'five'"):
        model.set_mean_shapes({"five": np.zeros((4, 2))})
    with pytest.raises(CheckpointError, match=r"\(29, 2\)"):
        TUFA(SMALL, torch.rand(28, 2))


def test_placed_points_follow_the_template() -> None:
    """A template that is the plane, scaled, turned by 90 degrees and moved, carries its points back."""
    model = small()
    plane = model.prompt("five").detach().double().numpy()
    turn = np.array([[0.0, -40.0], [40.0, 0.0]])
    points = np.array([[0.2, 0.9], [0.5, 0.5]])
    placed = model.place(points @ turn.T + 7, plane @ turn.T + 7, "five")
    assert np.allclose(placed.numpy(), points, atol=1e-5)
    with pytest.raises(DataError):
        model.place([[1.0, np.nan]], plane, "five")


@pytest.mark.parametrize("config", [SMALL, COMPACT])
def test_traced_equals_untraced_and_taps_have_their_axes(config: TUFAConfig) -> None:
    model = small(config)
    image = torch.randn(2, 3, config.input_size, config.input_size)
    with torch.no_grad():
        plain = model(image)
        with record(model) as trace:
            seen = model(image)
    assert float((plain.stages - seen.stages).abs().max()) < 1e-3 * config.input_size / 10
    assert torch.allclose(plain.stages / config.input_size, seen.stages / config.input_size, atol=1e-5)
    n, grid, tokens = config.landmarks, 16 if config is COMPACT else 4, 257 if config is COMPACT else 17
    assert trace["prompter.points"].shape == {"batch": 1, "landmark": n, "xy": 2}
    assert trace["prompter.encoding"].shape == {"batch": 1, "landmark": n, "encoding": config.dim}
    block = trace["encoder.blocks.1.self"]
    assert block.shape == {"batch": 2, "head": config.encoder_heads, "query_token": tokens, "key_token": tokens}
    own, cross = trace["decoder.layers.0.self"], trace["decoder.layers.0.cross"]
    assert own.shape == {"batch": 2, "head": config.heads, "query_landmark": n, "key_landmark": n}
    assert cross.shape == {"batch": 2, "head": config.heads, "landmark": n, "y": grid, "x": grid}
    for weights in (block.tensor.sum(-1), own.tensor.sum(-1), cross.tensor.sum((-2, -1))):
        assert torch.allclose(weights, torch.ones_like(weights), atol=1e-5)
    if config is COMPACT:
        last = trace["decoder.layers.1.cross"].shape
        assert (last["y"], last["x"]) == (32, 32)
        assert torch.allclose(trace["pointer.map"].tensor, plain.heatmaps, atol=1e-5)
        assert plain.heatmaps.shape == (2, 68, 32, 32)


def test_cross_attention_is_seen_the_right_way_round() -> None:
    """Rows of the tap's picture are rows of the image's tokens."""
    model = small()
    with torch.no_grad(), record(model, "decoder.layers.0.cross") as trace:
        model(torch.randn(1, 3, 64, 64))
    assert trace["decoder.layers.0.cross"].axes == ("batch", "head", "landmark", "y", "x")
    layer = model.decoder.layers[0]
    weights = torch.arange(16.0).expand(1, 4, 29, 16)
    with record(model, "decoder.layers.0.cross") as trace:
        layer.cross(weights)
    assert trace["decoder.layers.0.cross"].tensor[0, 0, 0].tolist() == weights[0, 0, 0].view(4, 4).tolist()


def test_a_fresh_compact_model_points_near_the_plane() -> None:
    """Queries lie near the positions around their plane points before anything is learned."""
    torch.manual_seed(0)
    model = small(COMPACT)
    with torch.no_grad():
        assert torch.allclose(model.encoder.pos_embed[0, 1:], model.codes(16))
        out = model(torch.randn(1, 3, 128, 128))
    assert bool(torch.isfinite(out.landmarks).all())
    assert out.heatmaps is not None and torch.allclose(out.heatmaps.sum((-2, -1)), torch.ones(1, 68), atol=1e-5)


def test_conventions_survive_a_checkpoint(tmp_path) -> None:
    model = small()
    path = save_checkpoint(model, tmp_path / "small", half=False)
    again = load_model(path, device="cpu")
    assert isinstance(again, TUFA) and again.config == model.config
    for name in SMALL.conventions:
        assert torch.equal(again.prompt(name), model.prompt(name))


def test_compact_fits_into_twelve_megabytes(tmp_path) -> None:
    config = PRESETS["tufa-68-compact"]
    path = save_checkpoint(TUFA(config, torch.rand(68, 2)), tmp_path / "compact")
    assert path.stat().st_size <= 12e6
