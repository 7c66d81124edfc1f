"""Losses against hand-worked numbers."""

from __future__ import annotations

import math

import pytest
import torch

from workbench.errors import SettingsError
from workbench.models import build
from workbench.models.alignment import Alignment
from workbench.training.losses import (
    gaussian_maps,
    gaussian_nll,
    heatmap_warmup_loss,
    laplace_nll,
    masked_mean,
    patch_loss,
    soft_argmax,
)
from workbench.training.module import learning_rate
from workbench.training.recipes import Phase, Recipe


def with_phases(*phases: Phase) -> Recipe:
    return Recipe(name="x", preset="p", scheme="s", sets=(), test="t", phases=phases)


def test_gaussian_likelihood_by_hand() -> None:
    mean, variance, target = torch.tensor(0.5), torch.tensor(0.04), torch.tensor(0.7)
    density = math.exp(-0.5) / (0.2 * math.sqrt(2 * math.pi))
    assert gaussian_nll(mean, variance, target, floor=None).item() == pytest.approx(-math.log(density), abs=1e-6)
    assert gaussian_nll(mean, variance, target).item() == pytest.approx(-math.log(density + 1e-9), abs=1e-6)


def test_the_published_floor_caps_the_loss_and_silences_far_gradients() -> None:
    mean = torch.tensor(0.0, requires_grad=True)
    loss = gaussian_nll(mean, torch.tensor(0.001), torch.tensor(5.0))
    loss.backward()
    assert loss.item() == pytest.approx(9 * math.log(10), abs=1e-3)
    assert mean.grad.item() == 0
    exact = torch.tensor(0.0, requires_grad=True)
    gaussian_nll(exact, torch.tensor(0.001), torch.tensor(5.0), floor=None).backward()
    assert exact.grad.item() == pytest.approx(-5000)


def test_laplace_likelihood_by_hand() -> None:
    value = laplace_nll(torch.tensor(1.0), torch.tensor(0.5), torch.tensor(2.0))
    assert value.item() == pytest.approx(math.log(1.0) + 2.0)


def one_stage(points, corner, size, variance) -> Alignment:
    stages = torch.tensor(points).reshape(1, 1, 1, 1, 2)
    rects = torch.tensor([*corner, *size]).reshape(1, 1, 1, 4)
    v = torch.tensor(variance).reshape(1, 1, 1, 1, 2)
    return Alignment(stages[-1, -1], stages, v, rects)


def test_a_weight_for_every_stage_or_a_sentence() -> None:
    answer = one_stage([12.0, 20.0], [10.0, 10.0], [20.0, 20.0], [0.01, 0.04])
    with pytest.raises(SettingsError, match="of 1 stages needs as many weights, not 3"):
        patch_loss(answer, torch.zeros(1, 1, 2), torch.ones(1, 1, dtype=torch.bool), "gaussian", (0.2, 0.3, 0.5))


def test_patch_loss_is_taken_in_patch_units() -> None:
    answer = one_stage([12.0, 20.0], [10.0, 10.0], [20.0, 20.0], [0.01, 0.04])
    target = torch.tensor([[[14.0, 20.0]]])  # 0.1 of the patch away in x, 0 in y
    valid = torch.ones(1, 1, dtype=torch.bool)
    x = 0.5 * (math.log(2 * math.pi * 0.01) + 0.01 / 0.01)
    y = 0.5 * math.log(2 * math.pi * 0.04)
    got = patch_loss(answer, target, valid, "gaussian", weights=(0.5,), floor=None)
    assert got.item() == pytest.approx(0.5 * (x + y) / 2, abs=1e-5)
    got = patch_loss(answer, target, valid, "laplace", weights=(1.0,), floor=None)
    bx, by = math.sqrt(0.005), math.sqrt(0.02)
    assert got.item() == pytest.approx((math.log(2 * bx) + 0.1 / bx + math.log(2 * by)) / 2, abs=1e-5)
    got = patch_loss(answer, target, valid, None, weights=(1.0,), distance=torch.tensor([4.0]))
    assert got.item() == pytest.approx(0.5)


def test_later_stages_weigh_more() -> None:
    off = torch.tensor([1.0, 10.0, 100.0]).reshape(3, 1, 1, 1, 1) * torch.tensor([1.0, 0.0])
    answer = Alignment(off[-1, -1], off, rects=torch.ones(3, 1, 1, 4))
    valid = torch.ones(1, 1, dtype=torch.bool)
    got = patch_loss(answer, torch.zeros(1, 1, 2), valid, None, weights=(0.2, 0.3, 0.5), distance=torch.ones(1))
    assert got.item() == pytest.approx(0.2 * 1 + 0.3 * 10 + 0.5 * 100)


@pytest.mark.parametrize("preset", ["dslpt-68-compact", "slpt-68-compact"])
def test_a_stage_s_loss_does_not_move_the_patches_before_it(preset) -> None:
    """Patch positions and sizes are constants to the stage that looks there (thesis 4.2.2 and 5.2.2)."""
    torch.manual_seed(0)
    model = build(preset, torch.rand(68, 2))
    if model.head.variance is not None:  # between the limits of the size rule, where the size follows the variance
        torch.nn.init.zeros_(model.head.variance.weight)
        torch.nn.init.constant_(model.head.variance.bias, math.log(0.05 / 0.95))
    heads: list[tuple[torch.Tensor, ...]] = []
    model.head.register_forward_hook(lambda _, __, out: heads.append(tuple(v for v in out if v is not None)))
    answer = model(torch.rand(1, 3, 128, 128))
    points, valid = 128 * torch.rand(1, 68, 2), torch.ones(1, 68, dtype=torch.bool)
    likelihood, distance = model.config.likelihood, torch.ones(1)
    loss = patch_loss(answer, points, valid, likelihood, weights=(0.0, 0.0, 1.0), floor=None, distance=distance)
    for values, reached in zip(heads, (False, False, True), strict=True):
        gradients = torch.autograd.grad(loss, values, retain_graph=True, allow_unused=True)
        assert any(g is not None and bool(g.any()) for g in gradients) == reached


def test_unlabelled_points_count_for_nothing() -> None:
    values = torch.tensor([[[1.0, float("nan")], [3.0, 5.0]]])
    valid = torch.tensor([[True, False], [True, True]])
    assert masked_mean(values, valid).item() == 3.0
    assert masked_mean(values, torch.zeros_like(valid)).item() == 0.0


def test_soft_argmax_finds_a_sharp_peak_at_its_cell_centre() -> None:
    logits = torch.full((1, 1, 8, 8), -50.0)
    logits[0, 0, 2, 5] = 50.0
    assert soft_argmax(logits)[0, 0].tolist() == pytest.approx([5.5 / 8, 2.5 / 8])


def test_gaussian_targets_sum_to_one_and_peak_at_the_point() -> None:
    maps = gaussian_maps(torch.tensor([[[0.53125, 0.28125]]]), 16, 1.0)
    assert maps.sum().item() == pytest.approx(1, abs=1e-5)
    assert divmod(int(maps.flatten().argmax()), 16) == (4, 8)


def test_warm_up_prefers_the_right_map() -> None:
    points, valid = torch.tensor([[[0.5, 0.25]]]), torch.ones(1, 1, dtype=torch.bool)
    right = gaussian_maps(points, 16, 1.5).clamp_min(1e-6).log()
    wrong = gaussian_maps(points.flip(-1), 16, 1.5).clamp_min(1e-6).log()
    for weight in (0.0, 10.0):
        low, high = (heatmap_warmup_loss(m, points, valid, offset_weight=weight) for m in (right, wrong))
        assert low < high


def test_the_rate_has_one_cycle_a_phase_or_falls_at_milestones() -> None:
    recipe = with_phases(Phase(10, 2.0, task="heatmaps"), Phase(10, 1.0), Phase(10, 0.5))
    assert learning_rate(recipe, 10, 10) == pytest.approx(2.0)  # the peak, a tenth into the warm-up
    assert learning_rate(recipe, 99, 10) < 0.01
    assert learning_rate(recipe, 110, 10) == pytest.approx(1.0)
    assert learning_rate(recipe, 199, 10) < 0.01
    assert learning_rate(recipe, 210, 10) == pytest.approx(0.5)
    assert learning_rate(recipe, 299, 10) < 0.005
    assert learning_rate(recipe, 300, 10) < 0.005  # beyond the end
    stepped = with_phases(Phase(100, 1.0, milestones=(80, 90)))
    rates = [learning_rate(stepped, e * 5, 5) for e in (0, 79, 80, 90)]
    assert rates == pytest.approx([1.0, 1.0, 0.1, 0.01])
