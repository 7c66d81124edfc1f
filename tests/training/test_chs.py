"""CHS's losses against hand-worked numbers, and its training on the drawn set."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from tests.synthetic import write_synthetic
from workbench.data.augment import AugmentedBatch, eval_batch
from workbench.landmarks import get_scheme
from workbench.models.chs import CHS, PRESETS
from workbench.training import get_recipe
from workbench.training.chs import (
    CHSTraining,
    awing,
    awing_loss,
    boundary_map,
    peak_maps,
    scaled_adaptive,
    small_wing,
    task0_loss,
    task_alpha,
)
from workbench.training.folders import load_packed
from workbench.training.recipes import Phase


def number(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def test_awing_by_hand() -> None:
    # At a peak (y = 1) the power is 1.1, on the background (y = 0) 2.1; d = 0.25 lies below theta.
    assert awing(number(0.75), number(1.0)).item() == pytest.approx(14 * math.log(1 + 0.25**1.1))
    assert awing(number(0.25), number(0.0)).item() == pytest.approx(14 * math.log(1 + 0.25**2.1))
    slope = 14 * (1 / (1 + 0.5**2.1)) * 2.1 * 0.5**1.1
    shift = 0.5 * slope - 14 * math.log(1 + 0.5**2.1)
    assert awing(number(-1.0), number(0.0)).item() == pytest.approx(slope - shift)
    assert awing(number(1.0), number(1.0)).item() == pytest.approx(0, abs=1e-9)


def test_awing_and_its_slope_are_continuous_at_theta() -> None:
    d = torch.tensor([0.5 - 1e-7, 0.5 + 1e-7], dtype=torch.float64, requires_grad=True)
    value = awing(d, torch.zeros(2, dtype=torch.float64))
    value.sum().backward()
    assert value[0].item() == pytest.approx(value[1].item(), abs=1e-5)
    assert d.grad[0].item() == pytest.approx(d.grad[1].item(), abs=1e-5)


def test_awing_s_gradient_agrees_with_finite_differences_and_is_finite_at_zero() -> None:
    torch.manual_seed(0)
    found = torch.rand(40, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: awing(x, torch.full_like(x, 0.3)), found)
    equal = torch.ones(3, requires_grad=True)
    awing(equal, torch.ones(3)).sum().backward()
    assert torch.isfinite(equal.grad).all()


def test_cells_near_a_landmark_count_eleven_times() -> None:
    target = torch.zeros(1, 2, 6, 6)
    target[0, 0, 2, 2] = 1  # dilated: 9 of 36 cells
    found = target + 0.25
    at = [14 * math.log(1 + 0.25 ** (2.1 - y)) for y in (0.0, 1.0)]
    first = (11 * at[1] + 8 * 11 * at[0] + 27 * at[0]) / 36
    assert awing_loss(found, target).item() == pytest.approx((first + at[0]) / 2, rel=1e-5)
    use = torch.tensor([[True, False]])
    assert awing_loss(found, target, use=use).item() == pytest.approx(first, rel=1e-5)
    assert awing_loss(found, target, weight=0.0, use=~use).item() == pytest.approx(at[0], rel=1e-5)


def test_small_wing_by_hand() -> None:
    value = small_wing(torch.tensor([5.0, -10.0, 0.0]), torch.zeros(3))
    assert torch.allclose(value, torch.tensor([8 * math.log(1.5), 8 * math.log(2), 0.0]))


def test_scaled_adaptive_weights_by_hand() -> None:
    s = torch.tensor([0.0, math.log(2)], requires_grad=True)
    losses = [torch.tensor(4.0), torch.tensor(6.0)]
    value = scaled_adaptive(losses, s, (1.0, 3.0))
    assert value.item() == pytest.approx(4 + 3 * (6 / 2 + math.log(2)))
    value.backward()
    assert torch.allclose(s.grad, torch.tensor([1 - 4.0, 3 * (1 - 3.0)]))
    # It is smallest where sigma is the loss itself.
    best = scaled_adaptive(losses, torch.tensor([math.log(4), math.log(6)]), (1.0, 3.0))
    assert best < scaled_adaptive(losses, torch.tensor([1.3, 1.9]), (1.0, 3.0))


def test_fixed_weights_of_the_tasks() -> None:
    assert task_alpha((1.0, 1.0, 3.0), 4) == (1, 1, 1, 1, 3)
    assert task_alpha((1.0, 2.0, 3.0), 1) == (1, 3)
    assert task_alpha((1.0, 2.0, 3.0), 0) == (1,)


def test_heatmap_targets_peak_at_one_on_their_cell() -> None:
    maps = peak_maps(torch.tensor([[[2.5 / 8, 4.5 / 8]]]), 8, 1.5)[0, 0]
    assert maps[4, 2] == 1
    assert maps[4, 5].item() == pytest.approx(math.exp(-0.5 * 4))
    assert maps[3, 3].item() == pytest.approx(math.exp(-1 / 1.5**2))


def test_boundary_by_hand() -> None:
    # A horizontal piece from cell 1 to cell 5 in row 2, and one that bends down to row 6.
    points = torch.tensor([[[1.5, 2.5], [5.5, 2.5], [5.5, 6.5]]]) / 8
    valid = torch.ones(1, 3, dtype=torch.bool)
    drawn = boundary_map(points, valid, [(0, 1, 2)], 8, 1.0)[0]
    assert torch.allclose(drawn[2, 1:6], torch.ones(5)) and torch.allclose(drawn[2:7, 5], torch.ones(5))
    assert drawn[0, 3].item() == pytest.approx(math.exp(-2))
    assert drawn[1, 0].item() == pytest.approx(math.exp(-1))  # beyond the end its distance is that to the end
    half = boundary_map(points, torch.tensor([[True, True, False]]), [(0, 1, 2)], 8, 1.0)[0]
    assert half[6, 5].item() == pytest.approx(math.exp(-8), rel=1e-4)
    assert not boundary_map(points, ~valid, [(0, 1, 2)], 8, 1.0).any()
    assert not boundary_map(points, valid, [], 8, 1.0).any()


def test_a_face_s_boundary_is_drawn_along_its_polylines() -> None:
    scheme = get_scheme("ibug68")
    points = torch.rand(2, 68, 2, generator=torch.Generator().manual_seed(1))
    drawn = boundary_map(points, torch.ones(2, 68, dtype=torch.bool), scheme.polylines(), 32, 1.0)
    on_line = {i for path in scheme.polylines() for i in path}
    cells = (points * 32).long().clamp(0, 31)
    for i in on_line:
        assert drawn[0, cells[0, i, 1], cells[0, i, 0]] > math.exp(-0.26)  # at most half a cell's diagonal away


def batch_of(points: torch.Tensor, valid: torch.Tensor, side: int) -> AugmentedBatch:
    images = torch.randn(len(points), 3, side, side, generator=torch.Generator().manual_seed(3))
    return AugmentedBatch(images, points, valid, torch.zeros_like(valid), images[:, 0] > 9)


@pytest.mark.parametrize("kind", ["awing", "entropy"])
def test_unlabelled_landmarks_and_those_outside_do_not_matter(kind: str) -> None:
    config = replace(PRESETS["chs-68-compact"], heatmap_loss=kind)
    maps = [torch.randn(2, 69, 16, 16, generator=torch.Generator().manual_seed(4)) for _ in range(2)]
    points = torch.rand(2, 68, 2, generator=torch.Generator().manual_seed(5))
    valid = torch.ones(2, 68, dtype=torch.bool)
    valid[0, 3] = False
    one = task0_loss(maps, points, valid, [(0, 1)], config, 10.0)
    points[0, 3] = 0.123
    assert torch.equal(one, task0_loss(maps, points, valid, [(0, 1)], config, 10.0))
    single = sum(task0_loss([m], points, valid, [(0, 1)], config, 10.0) for m in maps)
    assert one.item() == pytest.approx(single.item(), rel=1e-5)


def compact(**changes) -> CHSTraining:
    torch.manual_seed(7)
    config = replace(PRESETS["chs-68-compact"], input_size=64, **changes)
    recipe = replace(get_recipe("chs-68"), phases=(Phase(1, 1e-3),))
    return CHSTraining(CHS(config, torch.rand(68, 2) * 0.8 + 0.1), get_scheme("ibug68"), recipe)


def test_the_task_losses_are_those_of_equation_8() -> None:
    module = compact()
    module.eval()
    points = torch.rand(2, 68, 2, generator=torch.Generator().manual_seed(6))
    valid = torch.ones(2, 68, dtype=torch.bool)
    valid[1, 10] = False
    batch = batch_of(points, valid, 64)
    losses = module.task_losses(batch.images, batch)
    assert len(losses) == 3
    out = module.model(batch.images)
    for t in (1, 2):
        w, epsilon = module.model.config.wing
        error = w * torch.log(1 + (out.stages[t, 0] - 64 * points).abs() / epsilon)
        assert losses[t].item() == pytest.approx(error[valid].mean().item(), rel=1e-5)
    total = module.model_loss(batch.images, batch)
    weights = (1.0, 1.0, 3.0)  # s = 0 at the start
    assert total.item() == pytest.approx(sum(a * x.item() for a, x in zip(weights, losses, strict=True)), rel=1e-5)


def test_every_parameter_learns_and_so_do_the_adaptive_weights() -> None:
    module = compact()
    points = torch.rand(2, 68, 2, generator=torch.Generator().manual_seed(6))
    batch = batch_of(points, torch.ones(2, 68, dtype=torch.bool), 64)
    module.model_loss(batch.images, batch).backward()
    assert not [n for n, p in module.named_parameters() if p.grad is None]
    assert module.log_sigma.grad.abs().min() > 0


@pytest.mark.slow
def test_a_few_steps_on_drawn_faces_bring_every_task_down(tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=6, test=2)
    module = compact(channels=16, hourglass_channels=32, hourglass_depth=2, landmark_channels=4, cascades=1)
    recipe = replace(module.recipe, sets=("drawn",), test="drawn", pack=64)
    packed = load_packed(recipe, tmp_path, ("drawn",), "train", None)
    images, points, valid = (torch.stack(part) for part in zip(*(packed[i] for i in range(6)), strict=True))
    batch = eval_batch(images, points, valid, 64)
    optimizer = torch.optim.AdamW(module.parameters(), lr=3e-3)
    first = [x.item() for x in module.task_losses(batch.images, batch)]
    for _ in range(25):
        optimizer.zero_grad()
        module.model_loss(batch.images, batch).backward()
        optimizer.step()
    last = [x.item() for x in module.task_losses(batch.images, batch)]
    assert last[0] < 0.8 * first[0]
    assert all(b < 0.8 * a for a, b in zip(first[1:], last[1:], strict=True))


def test_the_trunk_comes_from_the_recipe_s_start() -> None:
    from workbench.models.dslpt import PatchTransformer
    from workbench.models.systems import preset

    torch.manual_seed(1)
    source = PatchTransformer(preset("dslpt-68-compact"), torch.rand(68, 2))
    module = compact()
    module.inherit(source)
    trunk = source.backbone.state_dict()
    ours = module.model.backbone.state_dict()
    assert trunk.keys() == ours.keys()
    assert all(torch.equal(trunk[name], ours[name]) for name in trunk)
    assert not torch.equal(module.model.mean_shape, source.mean_shape)
