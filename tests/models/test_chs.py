"""CHS: counts by the paper, its formulas by hand, pruning, gradients between the tasks, taps."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from workbench.errors import CheckpointError, UnknownNameError
from workbench.models.backbones.hourglass import (
    Hourglass,
    ParallelBlock,
    coordinate_channels,
)
from workbench.models.chs import CHS, PRESETS, SYSTEM, CHSConfig
from workbench.models.decoding import centre_of_mass, quarter_pixel
from workbench.models.selective import LandmarkBlocks, SelectiveFeatures, sample_rois
from workbench.models.zoo import count_multiply_accumulates, count_parameters
from workbench.tracing import record


def tiny(**changes) -> CHS:
    """Seven landmarks on 32-pixel crops; maps of 8 x 8 cells."""
    config = replace(
        CHSConfig(),
        scheme="user7",
        landmarks=7,
        input_size=32,
        channels=16,
        hourglasses=2,
        hourglass_channels=16,
        hourglass_depth=2,
        select_channels=8,
        squeeze=4,
        cascades=2,
        roi_channels=8,
        landmark_channels=4,
        landmark_out=2,
    )
    torch.manual_seed(5)
    return CHS(replace(config, **changes), torch.rand(7, 2) * 0.6 + 0.2).eval()


def crops(model: CHS, count: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, 3, model.input_size, model.input_size, generator=generator)


@pytest.fixture(scope="module")
def counted() -> dict[str, tuple[float, float]]:
    """Millions of parameters and G multiply-accumulates of the largest and the smallest network of Table 9."""
    found = {}
    for name in ("chs-98-4ccr", "chs-98-0ccr"):
        with torch.device("meta"):
            model = CHS(PRESETS[name], torch.empty(98, 2))
        found[name] = count_parameters(model) / 1e6, count_multiply_accumulates(model) / 1e9
    return found


@pytest.mark.slow
def test_counts_of_table_9(counted) -> None:
    most, none = counted["chs-98-4ccr"], counted["chs-98-0ccr"]
    # The cascades are alike, so that the rows between lie on a line.
    for cascades in (4, 2, 1, 0):
        printed = SYSTEM.printed_sizes[f"chs-98-{cascades}ccr"]
        ours = [low + (high - low) * cascades / 4 for low, high in zip(none, most, strict=True)]
        assert ours == pytest.approx(printed, rel=0.01)
    assert (most[0] - none[0]) / 4 == pytest.approx(32.47, rel=0.01)


def test_the_compact_file_stays_below_twelve_megabytes() -> None:
    with torch.device("meta"):
        model = CHS(PRESETS["chs-68-compact"], torch.empty(68, 2))
    assert 2 * count_parameters(model) < 11_500_000


@pytest.mark.parametrize("changes", [{}, {"extractor": "pyramid18", "input_size": 64, "heatmap_loss": "entropy"}])
def test_shapes_and_gradients(changes) -> None:
    model = tiny(**changes).train()
    out = model(crops(model))
    side = model.input_size // 4
    assert out.landmarks.shape == (2, 7, 2)
    assert out.stages.shape == (3, 1, 2, 7, 2)
    assert out.heatmaps.shape == (2, 7, side, side)
    assert torch.equal(out.stages[-1, -1], out.landmarks)
    answers = model.tasks(crops(model))
    loss = sum(m.square().mean() for m in answers.maps) + sum(p.square().sum() for p in answers.points)
    loss.backward()
    missing = [n for n, p in model.named_parameters() if p.grad is None]
    assert not missing


def test_the_first_stage_is_read_off_the_heatmaps() -> None:
    model = tiny()
    out = model(crops(model))
    assert torch.allclose(out.stages[0, 0], 32 * quarter_pixel(out.heatmaps))
    soft = tiny(decode="soft", heatmap_loss="entropy")
    out = soft(crops(soft))
    assert torch.allclose(out.stages[0, 0], 32 * centre_of_mass(out.heatmaps), atol=1e-5)


def test_decoding_by_hand() -> None:
    maps = torch.zeros(1, 2, 4, 8)
    maps[0, 0, 2, 5], maps[0, 0, 2, 6], maps[0, 0, 1, 5] = 1.0, 0.5, 0.2
    maps[0, 1, 0, 0], maps[0, 1, 0, 1] = 2.0, 1.0  # on the border: not at all
    found = quarter_pixel(maps)[0]
    assert torch.allclose(found[0], torch.tensor([5.75 / 8, 2.25 / 4]))
    assert torch.allclose(found[1], torch.tensor([0.5 / 8, 0.5 / 4]))
    soft = centre_of_mass(maps)[0, 1]
    assert torch.allclose(soft, torch.tensor([(2 * 0.5 + 1.5) / 3 / 8, 0.5 / 4]))


def test_rois_read_their_cells_and_say_where_they_lie() -> None:
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    features = torch.stack([x, y])[None]
    centre = torch.tensor([[[(3 + 0.5) / 8, (4 + 0.5) / 8], [0.5 / 8, 0.5 / 8]]])
    rois = sample_rois(features, centre, 5)
    assert rois.shape == (1, 2, 4, 5, 5)
    assert torch.allclose(rois[0, 0, 0, 0], torch.arange(1.0, 6.0), atol=1e-5)
    assert torch.allclose(rois[0, 0, 1, :, 0], torch.arange(2.0, 7.0), atol=1e-5)
    assert torch.allclose(rois[0, 1, 0, 0], torch.tensor([0.0, 0, 0, 1, 2]), atol=1e-5)  # the border's value holds
    assert torch.allclose(rois[0, 0, 2, 0], 2 * (torch.arange(1.0, 6.0) + 0.5) / 8 - 1, atol=1e-6)
    assert torch.allclose(rois[0, 0, 3, :, 0], 2 * (torch.arange(2.0, 7.0) + 0.5) / 8 - 1, atol=1e-6)


def test_selective_features_follow_equations_1_to_4() -> None:
    torch.manual_seed(2)
    module = SelectiveFeatures(6, 4, 3, 5, 3, guide=2).eval()
    maps, heat = [torch.randn(2, 6, 8, 8) for _ in range(3)], torch.rand(2, 2, 8, 8)
    u = []
    for i in range(3):
        gate = module.guides[i](torch.cat([maps[i], heat], 1))
        u.append(module.filters[i](module.reduce[i](maps[i]) * gate))  # Eq 1
    z = module.squeeze(sum(u).mean((2, 3)))  # Eq 2
    logits = [excite(z).exp() for excite in module.excite]
    s = [one / sum(logits) for one in logits]  # Eq 3
    mixed = sum(a[:, :, None, None] * b for a, b in zip(s, u, strict=True))
    expected = F.conv2d(mixed, module.expand.weight, module.expand.bias)  # Eq 4
    with record(module) as trace:
        found = module(maps, heat)
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(trace["weights"].tensor, torch.stack(s, 1), atol=1e-6)
    assert torch.allclose(trace["weights"].tensor.sum(1), torch.ones(2, 4))
    free = SelectiveFeatures(6, 4, 3, 5, 3, guide=0).eval()
    assert not len(free.guides) and not len(free.gates)
    assert free(maps, None).shape == (2, 5, 8, 8)


def test_every_landmark_has_kernels_of_its_own() -> None:
    torch.manual_seed(0)
    blocks = LandmarkBlocks(3, 4, 5, 2).eval()
    rois = torch.randn(2, 3, 4, 5, 5)
    changed = rois.clone()
    changed[:, 1] += 1
    before, after = (blocks(r).unflatten(1, (3, -1)) for r in (rois, changed))
    assert before.shape == (2, 3, 2 * 9)
    assert torch.equal(before[:, [0, 2]], after[:, [0, 2]])
    assert not torch.allclose(before[:, 1], after[:, 1])


def test_the_parallel_block_joins_a_half_and_two_quarters() -> None:
    block = ParallelBlock(8, 16).eval()
    x = torch.randn(1, 8, 6, 6)
    a = block.conv1(F.relu(block.bn1(x)))
    b = block.conv2(F.relu(block.bn2(a)))
    c = block.conv3(F.relu(block.bn3(b)))
    assert [t.shape[1] for t in (a, b, c)] == [8, 4, 4]
    assert torch.allclose(block(x), torch.cat([a, b, c], 1) + block.downsample(x))
    assert Hourglass(8, 2)(torch.randn(2, 8, 8, 8)).shape == (2, 8, 8, 8)


def test_coordinate_channels_by_hand() -> None:
    boundary = torch.zeros(1, 1, 3, 3)
    boundary[0, 0, 0, 2] = 1
    planes = coordinate_channels(torch.zeros(1, 4, 3, 3), boundary)[0]
    assert torch.equal(planes[0, 0], torch.tensor([-1.0, 0, 1]))
    assert torch.equal(planes[1, :, 0], torch.tensor([-1.0, 0, 1]))
    assert planes[2, 0, 0] == 1 and planes[2, 1, 1] == 0
    assert planes[3, 0, 2] == 1 and planes[4, 0, 2] == -1
    assert planes[3:].abs().sum() == 2
    assert coordinate_channels(torch.zeros(2, 4, 3, 3), None).shape == (2, 3, 3, 3)


@pytest.mark.parametrize("keep", [2, 1, 0])
def test_pruning_answers_as_the_full_model_s_earlier_stage(keep: int) -> None:
    model = tiny()
    for cascade in model.cascades:
        torch.nn.init.normal_(cascade.offset.weight, std=0.5)
    images = crops(model)
    full = model(images)
    smaller = model.prune(keep)
    out = smaller(images)
    assert torch.equal(out.stages, full.stages[: keep + 1])
    assert torch.equal(out.landmarks, full.stages[keep, 0])
    assert torch.equal(model(images, cascades=keep).stages, out.stages)
    per_cascade = sum(p.numel() for p in model.cascades[0].parameters())
    assert count_parameters(model) - count_parameters(smaller) == (2 - keep) * per_cascade
    assert smaller.config.cascades == keep and model.config.cascades == 2
    with torch.no_grad():
        smaller.backbone.conv1.weight.zero_()
    assert torch.equal(model(images).stages, full.stages)  # copies, not views


def test_pruning_asks_for_what_is_there() -> None:
    with pytest.raises(UnknownNameError, match="2 cascades"):
        tiny().prune(3)
    with pytest.raises(UnknownNameError, match="from 0 to 2"):
        tiny()(torch.zeros(1, 3, 32, 32), cascades=-1)


# Which modules a loss on the last point reaches (Fig. 5).
@pytest.mark.parametrize(
    ("connection", "earlier", "heatmaps"), [("task", False, False), ("ccr", True, False), ("full", True, True)]
)
@pytest.mark.parametrize("decode", ["argmax", "soft"])
def test_the_three_connections(connection: str, earlier: bool, heatmaps: bool, decode: str) -> None:
    model = tiny(connection=connection, decode=decode).train()  # gradients are cut in training only
    answers = model.tasks(crops(model))
    answers.points[-1].square().sum().backward()

    def reached(module: torch.nn.Module) -> bool:
        return any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())

    assert reached(model.cascades[1])
    assert reached(model.backbone)  # every task shares the extractor
    assert reached(model.cascades[0]) == earlier
    assert reached(model.stack) == heatmaps
    assert reached(model.select) == heatmaps


def test_the_connections_do_not_change_the_answer() -> None:
    answers = [tiny(connection=c)(crops(tiny())).stages for c in ("task", "ccr", "full")]
    assert torch.equal(answers[0], answers[1]) and torch.equal(answers[1], answers[2])


def test_traced_equals_untraced_and_every_tap_says_what_it_holds() -> None:
    model = tiny()
    images = crops(model)
    plain = model(images)
    with record(model) as trace:
        traced = model(images)
    assert torch.allclose(plain.stages, traced.stages, atol=1e-5)
    assert torch.allclose(plain.heatmaps, traced.heatmaps, atol=1e-5)
    shapes = {name: (named.axes, tuple(named.tensor.shape)) for name, named in trace.items()}
    assert shapes["maps.2"] == (("batch", "channel", "y", "x"), (2, 16, 8, 8))
    assert shapes["select.weights"] == (("batch", "branch", "channel"), (2, 3, 8))
    assert shapes["select.attended"] == (("batch", "channel", "y", "x"), (2, 16, 8, 8))
    assert "select.gates.0" not in shapes
    assert shapes["cascades.1.select.weights"] == (("batch", "branch", "channel"), (2, 3, 8))
    assert shapes["cascades.1.select.gates.2"] == (("batch", "channel", "y", "x"), (2, 8, 8, 8))
    assert shapes["cascades.0.select.attended"] == (("batch", "channel", "y", "x"), (2, 8, 8, 8))
    assert shapes["heatmaps"] == (("batch", "landmark", "y", "x"), (2, 7, 8, 8))
    assert shapes["boundary"] == (("batch", "y", "x"), (2, 8, 8))
    assert shapes["rois.rects"] == (("stage", "batch", "landmark", "rect"), (2, 2, 7, 4))
    assert shapes["rois.centres"] == (("stage", "batch", "landmark", "xy"), (2, 2, 7, 2))
    moved = trace["rois.centres"].tensor + trace["rois.offsets"].tensor
    assert torch.allclose(32 * moved, traced.stages[1:, 0], atol=1e-4)
    rects = trace["rois.rects"].tensor
    assert torch.allclose(rects[..., :2] + rects[..., 2:] / 2, trace["rois.centres"].tensor)
    assert torch.allclose(rects[..., 2:], torch.tensor(5 / 8))


def test_a_mean_face_of_another_shape_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"\(7, 2\)"):
        CHS(tiny().config, torch.rand(5, 2))
    with pytest.raises(CheckpointError, match="three branches"):
        tiny(extractor="pyramid18", branches=2)
