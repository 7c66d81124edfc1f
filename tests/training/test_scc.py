"""SCC's losses by hand-worked numbers, the balancing of poses, and a training on the drawn set."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from tests.synthetic import write_synthetic
from workbench.errors import DataError
from workbench.models import build, load_model
from workbench.models.graph import adjacency_matrix
from workbench.models.scc import PRESETS, SCC, SCCConfig
from workbench.training import get_recipe, train
from workbench.training.recipes import Phase
from workbench.training.scc import (
    SCCTraining,
    point_loss,
    pose_repeats,
    relative_loss,
    relative_matrix,
    scc_loss,
    soft_wing,
)

CHAIN = adjacency_matrix(torch.tensor([[0, 1], [0, 2], [1, 2]]), 3)  # landmark 2 has no neighbour
ALL = torch.ones(1, 3, dtype=torch.bool)


def test_soft_wing_by_hand() -> None:
    r = torch.tensor([0.0, 1.0, -1.5, 2.0, -4.5])
    beyond = 20 * math.log(10) + 2 - 20 * math.log(5)  # 15.863
    assert soft_wing(r).tolist() == pytest.approx([0, 1, 1.5, 2, beyond], abs=1e-4)
    assert soft_wing(torch.tensor(3.0), 1.0, 5.0, 2.0).item() == pytest.approx(
        5 * math.log(2.5) + 1 - 5 * math.log(1.5), abs=1e-5
    )


def test_soft_wing_has_no_step_and_the_written_slopes() -> None:
    r = torch.tensor([1.999999, 2.000001, 0.7, -0.7, 4.5], dtype=torch.double, requires_grad=True)
    value = soft_wing(r)
    assert (value[0] - value[1]).abs() < 1e-4
    value.sum().backward()
    assert r.grad.tolist() == pytest.approx([1, 8, 1, -1, 20 / 5], abs=1e-3)
    x = torch.tensor([0.3, -1.2, 3.0, -7.0], dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(soft_wing, x)


def test_relative_rows_average_directed_neighbours() -> None:
    assert relative_matrix(CHAIN).tolist() == [[-1, 0.5, 0.5], [0, -1, 1], [0, 0, -1]]
    points = torch.tensor([[2.0, 0.0], [4.0, 2.0], [8.0, 6.0]])
    assert (relative_matrix(CHAIN) @ points).tolist() == [[4, 4], [4, 4], [-8, -6]]


def test_the_losses_by_hand() -> None:
    config = SCCConfig()
    target = torch.zeros(1, 3, 2)
    found = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 4.0]]])
    w4 = 20 * math.log(9) + 2 - 20 * math.log(5)
    w3 = 20 * math.log(7) + 2 - 20 * math.log(5)
    w25 = 20 * math.log(6) + 2 - 20 * math.log(5)
    assert point_loss(found, target, ALL, config).item() == pytest.approx((1 + 1 + w4) / 6, rel=1e-5)
    # P r = [-1, 2.5], [0, 3], [0, -4]
    expected = (1 + w25 + w3 + w4) / 6
    assert relative_loss(found, target, ALL, CHAIN, config).item() == pytest.approx(expected, rel=1e-5)


def test_a_common_shift_costs_points_but_not_relations() -> None:
    ring = adjacency_matrix(torch.tensor([[0, 1], [1, 2], [2, 0]]), 3)
    target = torch.rand(1, 3, 2) * 100
    found = target + 1.5
    config = SCCConfig()
    assert relative_loss(found, target, ALL, ring, config).item() == pytest.approx(0, abs=1e-4)
    assert point_loss(found, target, ALL, config).item() == pytest.approx(1.5, abs=1e-4)


def test_pixels_are_those_of_a_256_pixel_crop() -> None:
    config = replace(SCCConfig(), relative_weight=0.5)
    points = torch.full((1, 3, 2), 0.5)
    found = points * 128 + 0.5  # half a pixel of 128 is one of 256
    ring = adjacency_matrix(torch.tensor([[0, 1], [1, 2], [2, 0]]), 3)
    assert scc_loss(found, points, ALL, ring, config, 128).item() == pytest.approx(1.0)
    found[0, 0, 0] += 0.5  # that row and the one that looks at it are off by one: 2 + 5 * 1 and 2 * 1, of 6
    assert scc_loss(found, points, ALL, ring, config, 128).item() == pytest.approx(7 / 6 + 0.5 * 2 / 6)


def test_what_has_no_label_counts_for_nothing_and_gets_no_gradient() -> None:
    config = SCCConfig()
    valid = torch.tensor([[True, True, False]])
    target = torch.tensor([[[0.0, 0.0], [0.0, 0.0], [math.nan, math.nan]]])
    found = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]], requires_grad=True)
    graph = adjacency_matrix(torch.tensor([[0, 1], [1, 2]]), 3)
    point, relative = point_loss(found, target, valid, config), relative_loss(found, target, valid, graph, config)
    assert point.item() == pytest.approx(0.5)
    assert relative.item() == pytest.approx(1.0)  # only row 0: r1 - r0 = (-1, 1)
    (point + relative).backward()
    assert torch.isfinite(found.grad).all()
    assert found.grad[0, 2].abs().sum() == 0
    nothing = torch.zeros_like(valid)
    assert relative_loss(found, target, nothing, graph, config).item() == 0


def test_rare_poses_are_repeated_as_often_as_their_bin_is_small() -> None:
    shape = torch.tensor([[0.0, 0.0], [50.0, 5.0], [20.0, 70.0]])
    turn = torch.tensor([1.0, 0.0])
    # Absolute coefficients about the mean: nine bins between the smallest and the largest.
    offsets = torch.tensor([*([0.5, -0.5] * 4), 9.0, -9.0, 9.1, -9.1, 5.0, -5.0])
    repeats = pose_repeats(torch.stack([shape + o * turn for o in offsets]))
    assert repeats.tolist() == [1] * 8 + [2] * 4 + [4, 4]
    assert pose_repeats(shape[None]).tolist() == [1]
    with pytest.raises(DataError, match="every landmark"):
        pose_repeats(torch.full((2, 3, 2), math.nan))
    with pytest.raises(DataError, match="at least one face"):
        pose_repeats(torch.zeros(0, 3, 2))


@pytest.fixture(scope="module")
def recipe():
    return replace(
        get_recipe("scc-68"),
        sets=("drawn",),
        test="drawn",
        batch=4,
        start=None,
        ema=0.5,
        precision="32-true",
        phases=(Phase(1, 1e-3, task="heatmaps"), Phase(1, 1e-3)),
    )


@pytest.mark.slow
def test_the_recipe_leaves_a_checkpoint_that_restores_its_graph(recipe, tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=8, test=4)
    path = train(recipe, tmp_path, tmp_path / "out", progress=False, whole=False)
    model = load_model(path, device="cpu")
    assert isinstance(model, SCC)
    assert path.stat().st_size <= 12_000_000
    assert int(model.adjacency.sum()) == model.config.neighbours * 68
    assert torch.equal(model.adjacency, model.adjacency & ~torch.eye(68, dtype=torch.bool))
    assert "NME inter-ocular" in [m["metric"] for m in model.card.metrics]


@pytest.mark.slow
def test_it_learns_faces_by_heart(recipe, scheme_68) -> None:
    """Forty steps on four faces bring both losses down."""
    torch.manual_seed(0)
    config = replace(PRESETS["scc-68-compact"], input_size=64, cells=16)
    model = SCC(config, torch.rand(68, 2)).train()
    module = SCCTraining(model, scheme_68, recipe)
    from workbench.data.augment import AugmentedBatch

    points = 0.2 + 0.6 * torch.rand(4, 68, 2)
    covered, painted = torch.zeros(4, 68).bool(), torch.zeros(4, 64, 64).bool()
    batch = AugmentedBatch(torch.randn(4, 3, 64, 64), points, torch.ones(4, 68).bool(), covered, painted)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    losses = []
    for _ in range(40):
        loss = module.model_loss(batch.images, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


@pytest.fixture(scope="module")
def scheme_68():
    from workbench.landmarks import get_scheme

    return get_scheme("ibug68")


def test_published_pixels_are_made_of_what_the_augmentation_gives(recipe, scheme_68) -> None:
    config = replace(PRESETS["scc-68-compact"], input_size=32, cells=8, pixels="zscore_bgr")
    module = SCCTraining(SCC(config, torch.rand(68, 2)), scheme_68, recipe)
    images = torch.rand(2, 3, 32, 32)
    out = module.model_input(images)
    assert torch.allclose(out.mean((2, 3)), torch.zeros(2, 3), atol=1e-5)
    assert torch.allclose(out.std((2, 3), correction=0), torch.ones(2, 3), atol=1e-4)
    assert torch.corrcoef(torch.stack([out[0, 0].flatten(), images[0, 2].flatten()]))[0, 1] > 0.999


def test_only_located_nodes_have_heatmaps_to_warm_up(recipe, scheme_68) -> None:
    model = SCC(replace(PRESETS["scc-68-compact"], located=False), torch.rand(68, 2))
    with pytest.raises(DataError, match="located nodes"):
        SCCTraining(model, scheme_68, recipe)


def test_another_scc_model_hands_its_graph_on(recipe, scheme_68) -> None:
    shape = torch.rand(68, 2)
    source = build("scc-68-compact", torch.rand(68, 2))
    module = SCCTraining(SCC(PRESETS["scc-68-compact"], shape), scheme_68, recipe)
    module.inherit(source)
    assert torch.equal(module.model.mask, source.mask)
    assert torch.equal(module.model.graph.output.logits, source.graph.output.logits)
    assert torch.equal(module.model.mean_shape, shape)
