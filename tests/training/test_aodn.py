"""AODN's losses by numbers worked by hand, the nuclear norm's gradient by finite differences, and learning."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from tests.synthetic import write_synthetic
from workbench.models import build, load_model
from workbench.models.aodn import AODN, PRESETS
from workbench.training import get_recipe, train
from workbench.training.aodn import (
    aodn_loss,
    map_sparsity,
    nuclear_norm,
    point_error,
    shape_modes,
    shrink_,
    squared_norm,
    visibility_loss,
)
from workbench.training.recipes import Phase


def low_rank(rows: int, columns: int, rank: int) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(rows, rank, dtype=torch.float64) @ torch.randn(rank, columns, dtype=torch.float64)


def test_nuclear_norm_by_hand() -> None:
    # Singular values 5 and 2, whatever the signs and the order.
    assert nuclear_norm(torch.tensor([[0.0, -5.0], [2.0, 0.0], [0.0, 0.0]])) == pytest.approx(7.0)
    assert nuclear_norm(torch.ones(2, 3)) == pytest.approx(math.sqrt(6))  # rank one
    assert nuclear_norm(torch.zeros(4, 2)) == 0.0


@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (5, 5)])
def test_nuclear_norm_and_its_gradient_against_the_decomposition_and_finite_differences(shape) -> None:
    matrix = low_rank(*shape, min(shape)).requires_grad_()
    value = nuclear_norm(matrix)
    assert value.item() == pytest.approx(torch.linalg.svdvals(matrix.detach()).sum().item(), rel=1e-10)
    (slope,) = torch.autograd.grad(value, matrix)
    u, _, vh = torch.linalg.svd(matrix.detach(), full_matrices=False)
    assert torch.allclose(slope, u @ vh, atol=1e-8)
    step = 1e-6
    for row in range(shape[0]):
        for column in range(shape[1]):
            nudge = torch.zeros(shape, dtype=torch.float64)
            nudge[row, column] = step
            with torch.no_grad():
                difference = (nuclear_norm(matrix + nudge) - nuclear_norm(matrix - nudge)) / (2 * step)
            assert slope[row, column].item() == pytest.approx(difference.item(), abs=1e-6)
    assert torch.autograd.gradcheck(nuclear_norm, (matrix,))


def test_the_gradient_of_a_rank_deficient_matrix_leaves_out_what_it_does_not_reach() -> None:
    matrix = low_rank(12, 6, 3).requires_grad_()
    (slope,) = torch.autograd.grad(nuclear_norm(matrix), matrix)
    u, _, vh = torch.linalg.svd(matrix.detach(), full_matrices=False)
    assert torch.allclose(slope, u[:, :3] @ vh[:3], atol=1e-6)
    # Within the rank it is the derivative: shrinking the matrix shrinks the norm in proportion.
    assert (slope * matrix.detach()).sum().item() == pytest.approx(nuclear_norm(matrix.detach()).item(), rel=1e-9)
    # A subgradient: the norm stays above its tangent plane in every direction.
    torch.manual_seed(5)
    for _ in range(20):
        move = torch.randn(12, 6, dtype=torch.float64)
        assert nuclear_norm(matrix.detach() + move) >= nuclear_norm(matrix.detach()) + (slope * move).sum() - 1e-9
    single = matrix.detach().float().requires_grad_()
    (slope,) = torch.autograd.grad(nuclear_norm(single), single)
    assert torch.allclose(slope, (u[:, :3] @ vh[:3]).float(), atol=1e-4)
    zero = torch.zeros(4, 3, requires_grad=True)
    (slope,) = torch.autograd.grad(nuclear_norm(zero), zero)
    assert torch.equal(slope, torch.zeros(4, 3))


def test_following_the_nuclear_norm_lowers_the_rank() -> None:
    torch.manual_seed(3)
    target = low_rank(10, 6, 2) / 3
    noisy = (target + 0.1 * torch.randn(10, 6, dtype=torch.float64)).requires_grad_()
    matrix = noisy.detach().clone().requires_grad_()
    for _ in range(300):
        loss = 0.5 * (matrix - noisy.detach()).square().sum() + 0.4 * nuclear_norm(matrix)
        (slope,) = torch.autograd.grad(loss, matrix)
        matrix = (matrix - 0.1 * slope).detach().requires_grad_()
    before, after = (torch.linalg.svdvals(m.detach()) for m in (noisy, matrix))
    assert (before > 0.1).sum() > 2
    assert (after > 0.06).sum() == 2
    # The minimum is known: every singular value loses 0.4, and the small ones vanish.
    assert torch.allclose(after[:2], before[:2] - 0.4, atol=1e-3)


def test_point_errors_by_hand() -> None:
    points = torch.tensor([[[0.5, 0.5], [0.2, 0.9]], [[0.0, 0.0], [1.0, 1.0]]])
    target = torch.tensor([[[0.4, 0.5], [0.2, 0.7]], [[0.0, 0.3], [math.nan, math.nan]]])
    valid = torch.tensor([[True, True], [True, False]])
    # Differences .1, .2 | .3 over two faces.
    assert point_error(points, target, valid).item() == pytest.approx((0.01 + 0.04 + 0.09) / 2)
    assert point_error(points, target, valid, "l1").item() == pytest.approx(0.6 / 2)
    w, e = 0.15, 0.05
    meet = w - w * math.log(1 + w / e)
    wing = w * math.log(1 + 0.1 / e) + (0.2 - meet) + (0.3 - meet)
    assert point_error(points, target, valid, "wing", (w, e)).item() == pytest.approx(wing / 2, rel=1e-5)


@pytest.mark.parametrize("kind", ["squared", "l1", "wing"])
def test_a_missing_label_sends_no_gradient(kind) -> None:
    points = torch.rand(1, 2, 2, requires_grad=True)
    target = torch.tensor([[[0.3, 0.4], [math.nan, math.nan]]])
    point_error(points, target, torch.tensor([[True, False]]), kind).backward()
    assert torch.isfinite(points.grad).all()
    assert (points.grad[0, 1] == 0).all() and (points.grad[0, 0] != 0).all()


def test_norms_of_weights_and_maps_by_hand() -> None:
    assert squared_norm([torch.tensor([[1.0, 2.0]]), torch.tensor([3.0])]) == 14
    maps = torch.tensor([[[0.5, 0.25]], [[0.0, -0.25]]], requires_grad=True)
    assert map_sparsity(maps).item() == pytest.approx(0.5)
    map_sparsity(maps).backward()
    assert torch.equal(maps.grad, maps.detach().sign() / 2)  # Eq. 14, over a batch of two


def test_the_loss_is_the_sum_of_its_weighted_parts() -> None:
    weights = dict(beta=0.03, gamma=0.02, alpha=0.05, lam=0.07, eta_spatial=0.11, eta_plain=0.13)
    small = dict(landmarks=4, scheme="user4", input_size=64, width=8, geometry=3, rank=6)
    config = replace(PRESETS["aodn-68-resnet18"], **small, **weights)
    torch.manual_seed(4)
    model = AODN(config, torch.rand(4, 2)).eval()
    with torch.no_grad():
        found = model.read(torch.randn(2, 3, 64, 64))
        target, valid = torch.rand(2, 4, 2), torch.ones(2, 4, dtype=torch.bool)
        m = model.low_rank.weight
        convolutions = sum(p.square().sum() for n, p in model.named_parameters() if p.ndim == 4)
        expected = (
            (found.points - target).square().sum((1, 2)).mean()
            + 0.03 * torch.linalg.svdvals(m).sum()
            + 0.02 * m.square().sum()
            + 0.05 * convolutions
            + 0.07 * model.fc.weight.square().sum()
            + 0.11 * found.spatial.sum((1, 2)).mean()
            + 0.13 * found.plain.sum((1, 2)).mean()
            + model.config.occlusion_weight * -found.plain.log().mean()
        )
        assert aodn_loss(
            model, found, target, valid, 10.0, torch.zeros(len(target), 32, 32) > 0
        ).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.slow
def test_it_learns_the_drawn_faces(tmp_path) -> None:
    write_synthetic(tmp_path / "drawn", train=16, test=8)
    recipe = replace(
        get_recipe("aodn-68"),
        sets=("drawn",),
        test="drawn",
        phases=(Phase(2, 2e-3, "polish", "heatmaps"), Phase(3, 1e-3, "cover")),
        batch=4,
        start=None,
        ema=0.0,
        precision="32-true",
        changes=(("input_size", 64), ("width", 16)),
    )
    untrained = train(
        replace(recipe, name="none", phases=(Phase(0, 1e-3),)),
        tmp_path,
        tmp_path / "none",
        progress=False,
        whole=False,
    )
    trained = train(recipe, tmp_path, tmp_path / "out", progress=False)
    before, after = (
        next(row["value"] for row in load_model(path, device="cpu").card.metrics if row["metric"].startswith("NME"))
        for path in (untrained, trained)
    )
    assert after < 0.8 * before
    assert trained.stat().st_size < 12e6
    told = {row["metric"]: row["value"] for row in load_model(trained, device="cpu").card.metrics}
    before, after = (
        told[f"spatial gate P' {when}"] for when in ("where a rectangle will be painted", "under the rectangle")
    )
    assert 0 < before < 1 and 0 < after < 1 and before != after


def test_shrinking_takes_the_same_from_every_singular_value() -> None:
    matrix = torch.diag(torch.tensor([5.0, 2.0, 0.5]))[:, [2, 0, 1]].contiguous()
    shrink_(matrix, 1.0)
    assert torch.allclose(torch.linalg.svdvals(matrix), torch.tensor([4.0, 1.0, 0.0]), atol=1e-5)
    for shape in ((4, 9), (9, 4)):
        one = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        before = torch.linalg.svdvals(one)
        shrink_(one, 0.7)
        assert torch.allclose(torch.linalg.svdvals(one), (before - 0.7).clamp_min(0), atol=1e-4)


def test_visibility_is_told_from_the_part_of_a_cell_that_is_free() -> None:
    painted = torch.zeros(1, 4, 4, dtype=torch.bool)
    painted[0, :2, :1] = True  # half of the first of four cells
    plain = torch.tensor([[[0.5, 0.9], [0.9, 0.9]]])
    expected = (math.log(2) - 3 * math.log(0.9)) / 4
    assert float(visibility_loss(plain, painted)) == pytest.approx(expected, rel=1e-5)


def test_the_changes_of_faces_are_orthonormal_and_span_what_the_faces_do() -> None:
    generator = torch.Generator().manual_seed(2)
    points = 40 * torch.rand(50, 6, 2, generator=generator)
    modes, deviations = shape_modes(points, 12)
    flat = modes.flatten(0, 1)
    assert torch.allclose(flat.T @ flat, torch.eye(12), atol=1e-4)
    assert (deviations[:-1] >= deviations[1:]).all()
    alone, far = shape_modes(points[:1].repeat(4, 1, 1), 12, turn=0.0, shift=0.1)
    assert torch.allclose(far[:2], torch.full((2,), 0.1 * 6**0.5), atol=1e-4)  # only moves are left, six points each
    assert float(far[2]) < 1e-3 and torch.allclose(alone[..., 0], alone[:1, :, 0].expand(6, 2), atol=1e-4)


def test_m_begins_with_the_changes_of_the_training_faces() -> None:
    torch.manual_seed(0)
    model = build("aodn-68-compact", torch.rand(68, 2))
    modes, _ = torch.linalg.qr(torch.randn(136, 96))
    model.set_modes(modes.unflatten(0, (68, 2)), torch.linspace(1, 0.1, 96))
    spectrum = model.spectrum()
    assert float(spectrum[-1] / spectrum[0]) == pytest.approx(0.1, rel=1e-2)
    places = 0.5 + 0.1 * torch.randn(68, 2).clamp(-2, 2)
    grid = (torch.arange(16) + 0.5) / 16
    maps = torch.exp(-(((grid - places[:, :1]) * 16) ** 2)[:, None] - (((grid - places[:, 1:]) * 16) ** 2)[:, :, None])
    maps = maps / maps.sum((1, 2), keepdim=True)
    with torch.no_grad():
        found = model.fc(model.low_rank((model.config.map_gain * maps).flatten()[None]))[0]
    projected = model.mean_shape.flatten() + modes @ (modes.T @ (places - model.mean_shape).flatten())
    assert torch.allclose(found, projected, atol=5e-3)
