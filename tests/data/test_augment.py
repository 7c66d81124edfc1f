from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from workbench.data.augment import (
    PRESETS,
    AugmentConfig,
    augment_batch,
    augment_preset,
    crop_boxes,
    crop_matrix,
    eval_batch,
    occlude,
    transform,
)
from workbench.errors import UnknownNameError
from workbench.landmarks import get_scheme, user_scheme

STILL = AugmentConfig(
    rotation=0, scale=0, shift=0, shear_p=0, flip_p=0, gray_p=0, light_p=0, occlusion_p=0
)  # nothing but the crop rule
FIVE = get_scheme("five")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dots(points: Tensor, size: int, sd: float = 1.2) -> Tensor:
    """uint8 (B, 3, size, size), a soft bright dot on every point (B, N, 2)."""
    grid = torch.arange(size).float()
    dx = (grid[None, None] - points[..., :1]) ** 2
    dy = (grid[None, None] - points[..., 1:]) ** 2
    spots = torch.exp(-(dy[..., :, None] + dx[..., None, :]) / (2 * sd**2)).amax(1)
    return (255 * spots).round().byte()[:, None].repeat(1, 3, 1, 1)


def faces(batch: int = 8, size: int = 192) -> tuple[Tensor, Tensor, Tensor]:
    """Five well separated points in the middle of the picture, a little different in every face."""
    base = torch.tensor([[0.34, 0.36], [0.66, 0.36], [0.5, 0.52], [0.38, 0.68], [0.62, 0.68]])
    points = (base + 0.03 * torch.randn(batch, 5, 2, generator=generator(7))) * size
    return dots(points, size), points, torch.ones(batch, 5, dtype=torch.bool)


def centroid(image: Tensor, point: Tensor, reach: int = 7) -> Tensor:
    """The bright dot's centre within ``reach`` pixels of ``point``."""
    x, y = (int(v) for v in point.round())
    window = image[y - reach : y + reach + 1, x - reach : x + reach + 1].clamp_min(0)
    v, u = torch.meshgrid(
        torch.arange(y - reach, y + reach + 1), torch.arange(x - reach, x + reach + 1), indexing="ij"
    )
    return torch.stack([(u * window).sum(), (v * window).sum()]) / window.sum()


def test_crop_rule_by_hand() -> None:
    points = torch.tensor([[[40.0, 60.0], [140.0, 120.0], [0.0, 0.0]]])
    valid = torch.tensor([[True, True, False]])
    centre, side = crop_boxes(points, valid)
    assert centre.tolist() == [[90.0, 90.0]]
    assert side.tolist() == pytest.approx([120.0])
    matrix = crop_matrix(centre, side, 240)
    assert torch.allclose(transform(matrix, points)[0, :2], torch.tensor([[20.0, 60.0], [220.0, 180.0]]))
    out = eval_batch(torch.zeros(1, 3, 192, 192, dtype=torch.uint8), points, valid, 240)
    assert torch.allclose(out.points[0, :2], torch.tensor([[1 / 12, 0.25], [11 / 12, 0.75]]))
    assert out.images.shape == (1, 3, 240, 240)
    assert not out.covered.any()


def test_rotation_turns_clockwise_and_shear_pushes_along_x() -> None:
    centre, side = torch.tensor([[50.0, 50.0]]), torch.tensor([100.0])
    right = torch.tensor([[[60.0, 50.0]]])
    below = torch.tensor([[[50.0, 60.0]]])
    quarter = crop_matrix(centre, side, 100, angle=torch.tensor([torch.pi / 2]))
    assert torch.allclose(transform(quarter, right), below, atol=1e-4)
    sheared = crop_matrix(centre, side, 100, shear=torch.tensor([0.2]))
    assert torch.allclose(transform(sheared, below), torch.tensor([[[52.0, 60.0]]]), atol=1e-4)


@pytest.mark.parametrize("name", ["paper", "wide"])
@pytest.mark.parametrize("size", [128, 256])
def test_points_follow_the_warp(name: str, size: int) -> None:
    images, points, valid = faces()
    config = replace(PRESETS[name], occlusion_p=0, light_p=0)
    out = augment_batch(images, points, valid, FIVE, config, size, generator(1))
    crops = out.images
    found = 0
    for crop, marks in zip(crops, out.points * size, strict=True):
        for mark in marks:
            if (mark > 8).all() and (mark < size - 9).all():
                assert torch.dist(centroid(crop[0], mark), mark) < 0.25
                found += 1
    assert found > 20


def test_a_still_configuration_is_the_crop_rule() -> None:
    images, points, valid = faces()
    plain = eval_batch(images, points, valid, 96)
    out = augment_batch(images, points, valid, FIVE, STILL, 96, generator())
    assert torch.allclose(out.images, plain.images, atol=1e-4)
    assert torch.allclose(out.points, plain.points, atol=1e-6)
    assert not out.covered.any()


def test_images_are_rgb_in_0_to_1() -> None:
    images, points, valid = faces(1)
    images[:] = torch.tensor([255, 0, 51], dtype=torch.uint8).view(3, 1, 1)
    out = eval_batch(images, points, valid, 64).images[0, :, 32, 32]
    assert out.tolist() == pytest.approx([1.0, 0.0, 0.2], abs=1e-5)
    for name in PRESETS:
        view = augment_batch(images, points, valid, FIVE, augment_preset(name), 64, generator()).images
        assert view.dtype == torch.float32 and view.min() >= 0 and view.max() <= 1


def filled(batch: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Faces whose own crop is the whole picture, so that the crop rule changes nothing."""
    points = torch.rand(batch, 5, 2, generator=generator(3)) * 0.5 * size + size / 4
    points[:, 0], points[:, 1] = size / 2 * (1 - 1 / 1.2), size / 2 * (1 + 1 / 1.2)
    images = torch.randint(0, 255, (batch, 3, size, size), dtype=torch.uint8, generator=generator(4))
    return images, points, torch.rand(batch, 5, generator=generator(5)) < 2


def test_mirror_twice_is_the_same() -> None:
    size = 60
    images, points, valid = filled(4, size)
    valid[1, 3] = False
    config = replace(STILL, flip_p=1.0)
    once = augment_batch(images, points, valid, FIVE, config, size, generator())
    back = (once.images * 255).round().byte()
    assert torch.allclose(
        back[:, :, :, 1:], images[:, :, :, 1:].flip(-1)
    )  # x -> size - x; column 0 comes from outside
    pairs = list(FIVE.flip)
    mirrored = points[:, pairs] / size
    mirrored[..., 0] = 1 - mirrored[..., 0]
    assert torch.allclose(once.points, mirrored, atol=1e-5)
    assert torch.equal(once.valid, valid[:, pairs])
    assert not once.valid[1, FIVE.flip[3]]
    twice = augment_batch(back, once.points * size, once.valid, FIVE, config, size, generator())
    assert torch.allclose(twice.points * size, points, atol=1e-3)
    assert torch.equal(twice.valid, valid)
    again = (twice.images * 255).round().byte()
    assert torch.equal(again[..., 1:], images[..., 1:])


def test_no_mirror_without_flip_pairs() -> None:
    images, points, valid = faces()
    config = replace(STILL, flip_p=1.0)
    out = augment_batch(images, points, valid, user_scheme("own", 5), config, 64, generator())
    assert torch.allclose(out.points, eval_batch(images, points, valid, 64).points, atol=1e-6)


def test_the_same_generator_gives_the_same_batch() -> None:
    images, points, valid = faces()
    for config in PRESETS.values():
        a, b, c = (augment_batch(images, points, valid, FIVE, config, 64, generator(s)) for s in (1, 1, 2))
        for name in ("images", "points", "valid", "covered"):
            assert torch.equal(getattr(a, name), getattr(b, name))
        assert not torch.equal(a.images, c.images)


def test_the_input_is_left_alone() -> None:
    images, points, valid = faces()
    copies = images.clone(), points.clone(), valid.clone()
    augment_batch(images, points, valid, FIVE, PRESETS["masked"], 64, generator())
    assert all(torch.equal(a, b) for a, b in zip((images, points, valid), copies, strict=True))
    crops = torch.rand(4, 3, 32, 32)
    copy = crops.clone()
    painted, _ = occlude(crops, points[:4] / 192, generator(), PRESETS["masked"])
    assert torch.equal(crops, copy)
    assert not torch.equal(painted, copy)


def test_distributions_stay_in_their_bounds() -> None:
    _, points, valid = filled(256, 60)
    small = torch.zeros(256, 3, 8, 8, dtype=torch.uint8)
    turned = replace(STILL, rotation=15.0)
    axis = augment_batch(small, points, valid, FIVE, turned, 60, generator()).points
    before = points[:, 1] - points[:, 0]
    after = axis[:, 1] - axis[:, 0]
    degrees = torch.rad2deg(torch.atan2(after[:, 1], after[:, 0]) - torch.atan2(before[:, 1], before[:, 0]))
    assert degrees.abs().max() < 30.01
    assert 12 < degrees.std() < 17
    assert degrees.abs().mean() > 5
    zoomed = augment_batch(small, points, valid, FIVE, replace(STILL, scale=0.05), 60, generator()).points
    factor = (before.norm(dim=-1) / 60) / (zoomed[:, 1] - zoomed[:, 0]).norm(dim=-1) * 1.2
    assert 1.149 < factor.min() < 1.17
    assert 1.23 < factor.max() < 1.251
    shifted = augment_batch(small, points, valid, FIVE, replace(STILL, shift=0.05), 60, generator()).points
    moved = shifted - points / 60
    assert 0.045 < moved.abs().max() < 0.0501
    assert 0.02 < moved.std() < 0.05


def test_brightness_and_grey() -> None:
    images, points, valid = filled(64, 24)
    grey = augment_batch(images, points, valid, FIVE, replace(STILL, gray_p=1.0), 24, generator()).images
    assert torch.allclose(grey[:, 0], grey[:, 1], atol=1e-6)
    assert torch.allclose(grey[:, 0], grey[:, 2], atol=1e-6)
    original = images.float() / 255
    expected = 0.299 * original[:, 0] + 0.587 * original[:, 1] + 0.114 * original[:, 2]
    assert torch.allclose(grey[:, 0, 1:-1, 1:-1], expected[:, 1:-1, 1:-1], atol=1e-3)
    lit = augment_batch(images, points, valid, FIVE, replace(STILL, light_p=1.0), 24, generator()).images
    assert lit.min() > -1e-5
    assert lit.max() < 1 + 1e-5
    assert (lit - original).abs().mean(dim=(1, 2, 3)).std() > 0.02


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_covered_points_are_under_paint(name: str) -> None:
    size, n = 64, 200
    points = torch.randint(0, size, (n, 5, 2), generator=generator(1)) / size  # on pixel centres
    crops = torch.full((n, 3, size, size), -1.0)
    config = replace(PRESETS[name], borrow_p=0.0)
    painted, covered = occlude(crops, points, generator(2), config)
    changed = (painted != -1.0).any(1)
    x, y = (points * size).long().unbind(-1)
    assert torch.equal(changed[torch.arange(n)[:, None], y, x], covered)
    share = changed.flatten(1).any(1).float().mean()
    assert abs(share - config.occlusion_p) < 0.12
    assert covered.any()


def test_borrowed_patches_and_a_batch_of_one() -> None:
    config = replace(STILL, occlusion_p=1.0, borrow_p=1.0, block=0.5, block_sd=0.0)
    crops = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 3, 32, 32) / 3
    painted, _ = occlude(crops, torch.zeros(3, 1, 2), generator(), config)
    for i in range(3):
        assert set(painted[i].unique().tolist()) == {crops[i, 0, 0, 0].item(), crops[i - 1, 0, 0, 0].item()}
    one = torch.rand(1, 3, 32, 32, generator=generator())
    assert not torch.equal(occlude(one, torch.zeros(1, 1, 2), generator(), config)[0], one)


def test_missing_labels_are_never_covered() -> None:
    images, points, valid = faces()
    valid[:, 2] = False
    config = replace(PRESETS["masked"], block=0.6)
    out = augment_batch(images, points, valid, FIVE, config, 64, generator())
    assert not (out.covered & ~out.valid).any()
    assert out.covered.any()
    assert torch.isfinite(out.points).all()


def test_autocast_does_not_move_labels() -> None:
    images, points, valid = faces()
    plain = augment_batch(images, points, valid, FIVE, PRESETS["wide"], 64, generator())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = augment_batch(images, points, valid, FIVE, PRESETS["wide"], 64, generator())
    assert torch.equal(plain.points, cast.points)
    assert torch.equal(plain.images, cast.images)


def test_presets() -> None:
    assert augment_preset("paper") == AugmentConfig()
    with pytest.raises(UnknownNameError, match="paper, wide, polish, cover, masked"):
        augment_preset("papers")
