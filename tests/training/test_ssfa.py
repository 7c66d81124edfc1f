"""The prior loss by hand, by slices and in memory; what SSFA's training adds up."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.synthetic import write_synthetic
from tools.prior_memory import compare
from workbench.data.augment import AugmentedBatch
from workbench.explain.self_attention import structure_prior
from workbench.landmarks import get_scheme
from workbench.models import load_model
from workbench.models.ssfa import PRESETS, SSFA, Affinity
from workbench.training import get_recipe, train
from workbench.training.recipes import Phase
from workbench.training.ssfa import (
    SSFATraining,
    attention_prior,
    heatmap_mse,
    prior_loss,
    prior_loss_plain,
    prior_mask,
)


def test_a_mask_by_hand() -> None:
    points = torch.tensor([[[0.5, 0.5], [0.5, 0.5]], [[0.1, 0.9], [0.5, 0.5]]])
    valid = torch.tensor([[True, True], [True, False]])
    mask = prior_mask(points, 5, sigma=1.0, radius=1.0, valid=valid)
    side, corner = math.exp(-0.5), math.exp(-1.0)
    square = torch.tensor([[corner, side, corner], [side, 1.0, side], [corner, side, corner]])
    assert torch.allclose(mask[0, 1:4, 1:4], 2 * square)
    assert (mask[0] > 0).sum() == 9
    assert torch.allclose(mask[1, 3:, :2], square[:2, 1:])
    assert (mask[1] > 0).sum() == 4


def test_the_view_s_mask_is_the_training_s() -> None:
    torch.manual_seed(0)
    points = torch.rand(2, 9, 2, dtype=torch.float64) * 1.4 - 0.2
    for face, mask in zip(points, prior_mask(points, 12, 0.8, 2.0), strict=True):
        assert np.allclose(structure_prior(face.numpy(), 12, 0.8, 2.0).mask, mask.numpy(), atol=1e-12)


def test_the_plain_loss_by_hand() -> None:
    mask = torch.tensor([[[0.5, 0.0], [0.2, 0.0]]])
    attention = torch.tensor([[[0.4, 0.3, 0.2, 0.1], [9.0] * 4, [0.1, 0.6, 0.1, 0.2], [9.0] * 4]])
    # Queries 0 and 2 are inside, keys 1 and 3 outside: (0.5 * (0.3 + 0.1) + 0.2 * (0.6 + 0.2)) / 2
    assert prior_loss_plain(attention, mask).item() == pytest.approx(0.18)


def pieces(dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    q, k = (torch.randn(3, 5, 12, 12, dtype=dtype).requires_grad_() for _ in range(2))
    points = torch.rand(3, 6, 2)
    points[2] += 5  # a face without a neighbourhood
    return q, k, prior_mask(points, 12, 1.0, 2.0)


@pytest.mark.parametrize("normalise", ["softmax", "none"])
@pytest.mark.parametrize("chunk", [1, 7, 4096])
def test_slices_give_the_plain_value_and_gradient(normalise: str, chunk: int) -> None:
    q, k, mask = pieces()
    matrix = q.flatten(2).transpose(1, 2) @ k.flatten(2)
    plain = prior_loss_plain(matrix.softmax(-1) if normalise == "softmax" else matrix, mask)
    sliced = prior_loss(q, k, mask, normalise, chunk)
    assert sliced.item() == pytest.approx(plain.item(), rel=1e-5)
    for a, b in zip(torch.autograd.grad(2 * plain, (q, k)), torch.autograd.grad(2 * sliced, (q, k)), strict=True):
        assert torch.allclose(a, b, atol=1e-5 * max(1.0, float(a.abs().max())))


@pytest.mark.slow
def test_the_gradient_holds_against_finite_differences() -> None:
    torch.manual_seed(2)
    q, k = (torch.randn(2, 3, 4, 4, dtype=torch.float64).requires_grad_() for _ in range(2))
    mask = prior_mask(torch.rand(2, 2, 2, dtype=torch.float64), 4, 1.0, 1.0)
    for normalise in ("softmax", "none"):
        assert torch.autograd.gradcheck(lambda q, k, n=normalise: prior_loss(q, k, mask, n, 3), (q, k))


def test_nothing_leaks_where_there_is_no_background_or_no_neighbourhood() -> None:
    q, k, _ = pieces()
    for mask in (torch.ones(3, 12, 12), torch.zeros(3, 12, 12)):
        loss = prior_loss(q, k, mask)
        assert loss.item() == 0
        assert not any(g.abs().sum() for g in torch.autograd.grad(loss, (q, k)))


def test_half_precision_keys_are_summed_in_full() -> None:
    q, k, mask = pieces()
    short = [t.detach().bfloat16().requires_grad_() for t in (q, k)]
    loss = prior_loss(*short, mask)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(prior_loss(short[0].float(), short[1].float(), mask).item(), rel=1e-6)
    loss.backward()
    assert short[0].grad.dtype == torch.bfloat16


@pytest.mark.slow
def test_slices_take_a_fraction_of_the_memory() -> None:
    report = compare(size=40, batch=8)
    assert report["ratio_added"] >= 8, report
    assert report["sliced"]["loss"] == pytest.approx(report["plain"]["loss"], rel=1e-5)
    assert report["sliced"]["gradient"] == pytest.approx(report["plain"]["gradient"], rel=1e-4)


def test_the_heatmap_error_by_hand() -> None:
    scores = torch.zeros(1, 3, 2, 2)
    points = torch.tensor([[[0.25, 0.25], [0.5, 0.5], [1.5, 0.5]]])
    valid = torch.tensor([[True, False, True]])
    # Only the first counts: height 1 at its cell, exp(-1 / 2) beside it, exp(-1) across; the third is outside.
    expected = 1 + 2 * math.exp(-0.5) ** 2 + math.exp(-1) ** 2
    assert heatmap_mse(scores, points, valid, 1.0).item() == pytest.approx(expected, rel=1e-6)


def batch(count: int = 2) -> AugmentedBatch:
    torch.manual_seed(4)
    valid = torch.ones(count, 68, dtype=torch.bool)
    images = torch.randn(count, 3, 64, 64)
    return AugmentedBatch(images, torch.rand(count, 68, 2), valid, ~valid, images[:, 0] > 9)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_the_model_s_loss_is_the_heatmaps_plus_beta_times_the_prior(loss: str) -> None:
    config = replace(PRESETS["ssfa-68-compact"], input_size=64, loss=loss, beta=0.25)
    model = SSFA(config, torch.rand(68, 2)).eval()
    training = SSFATraining(model, get_scheme("ibug68"), get_recipe("ssfa-68"))
    training.log = lambda *_, **__: None
    faces = batch()
    whole = training.model_loss(faces.images, faces)
    model.config = replace(config, beta=0.0)
    free = training.model_loss(faces.images, faces)
    _, pairs = model.score(faces.images)
    q, k = (t.flatten(2) for t in pairs[0])
    mask = prior_mask(faces.points, 16, config.prior_sigma, config.prior_radius)
    prior = prior_loss_plain((q.transpose(1, 2) @ k).softmax(-1), mask)
    assert (whole - free).item() == pytest.approx(0.25 * prior.item(), rel=1e-3)
    whole.backward()
    spatial = model.attention_b.spatial
    assert all(p.grad.abs().sum() > 0 for p in (spatial.query.weight, spatial.key.weight, spatial.gamma))


def test_the_prior_is_laid_on_the_finest_map_only() -> None:
    faces, config = batch(1), PRESETS["ssfa-68-compact"]
    fine = Affinity(torch.randn(1, 4, 16, 16), torch.randn(1, 4, 16, 16))
    coarse = Affinity(torch.randn(1, 4, 4, 4), torch.randn(1, 4, 4, 4))
    alone = attention_prior([fine], faces.points, faces.valid, config)
    assert torch.equal(attention_prior([coarse, fine], faces.points, faces.valid, config), alone)
    assert torch.allclose(attention_prior([fine, fine], faces.points, faces.valid, config), 2 * alone)


def test_the_three_recipes_differ_in_the_attention_and_in_beta_alone() -> None:
    baseline, free, prior = (get_recipe(n) for n in ("ssfa-68-baseline", "ssfa-68-free", "ssfa-68"))
    alike = [replace(recipe, name="", preset="", title="") for recipe in (baseline, free, prior)]
    assert alike[0] == alike[1] == alike[2]
    assert replace(PRESETS[free.preset], beta=PRESETS[prior.preset].beta) == PRESETS[prior.preset]
    assert PRESETS[free.preset].beta == 0 < PRESETS[prior.preset].beta
    assert PRESETS[baseline.preset] == replace(PRESETS[free.preset], insertion="none")


@pytest.mark.slow
def test_a_recipe_leaves_a_card_that_tells_the_leak(tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=8, test=4)
    recipe = replace(
        get_recipe("ssfa-68"), sets=("drawn",), test="drawn", batch=4, phases=(Phase(2, 1e-3),), precision="32-true"
    )
    recipe = replace(recipe, changes=(("input_size", 64),))
    path = train(recipe, tmp_path, tmp_path / "out", progress=False)
    model = load_model(path, device="cpu")
    rows = {m["metric"]: m["value"] for m in model.card.metrics}
    assert 0 < rows["mean attention mass leaked from landmark neighbourhoods"] < 1
    assert rows["gamma of the spatial attention"] == pytest.approx(model.attention_b.spatial.gamma.item(), abs=1e-3)
    assert path.stat().st_size <= 12_000_000
    assert torch.isfinite(model(torch.randn(1, 3, 64, 64)).landmarks).all()
