"""The crop rule, its inverse, and where a pixel lands."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from workbench.errors import ImageError
from workbench.faces.crop import apply, check_box, crop_affine, invert, sample, square, tight_box


def test_the_papers_rule_by_hand() -> None:
    centre, side = square((10, 20, 110, 70))
    assert centre == pytest.approx([60, 45])
    assert side == pytest.approx(120)
    affine = crop_affine((10, 20, 110, 70))
    assert apply(affine, [60, 45]) == pytest.approx([128, 128])
    assert apply(affine, [0, -15]) == pytest.approx([0, 0])
    assert apply(affine, [110, 45]) == pytest.approx([128 + 50 * 256 / 120, 128])


def test_crop_pixels_are_size_times_normalised() -> None:
    point = [33.3, 71.9]
    at_256, at_128 = (apply(crop_affine((10, 20, 110, 70), 1.3, size), point) for size in (256, 128))
    assert at_256 / 256 == pytest.approx(at_128 / 128)


def test_the_inverse_returns_to_a_millionth() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y, w, h = rng.uniform(10, 2000, 4)
        affine = crop_affine((x, y, x + w, y + h), rng.uniform(0.6, 3), int(rng.integers(32, 512)))
        points = rng.uniform(-100, 4000, (50, 2))
        assert np.abs(apply(invert(affine), apply(affine, points)) - points).max() < 1e-6


def dot(width: int, height: int, x: float, y: float, spread: float) -> Image.Image:
    """A bright Gaussian whose centre is known exactly."""
    u, v = np.meshgrid(np.arange(width), np.arange(height))
    glow = 255 * np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * spread**2))
    return Image.fromarray(glow.astype(np.uint8)).convert("RGB")


def centroid(picture: np.ndarray) -> np.ndarray:
    weight = picture[..., 0].astype(float)
    v, u = np.mgrid[: weight.shape[0], : weight.shape[1]]
    return np.array([(u * weight).sum(), (v * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("zoom", [0.13, 0.3, 0.49, 0.5, 0.7, 1.0, 1.37, 3.0])
def test_a_dot_lands_where_the_affine_says(zoom: float) -> None:
    x, y = 391.3, 250.8
    photo = dot(800, 600, x, y, 6 / min(zoom, 1))
    half = 128 / zoom
    left, top = x - 1.1 * half, y - 0.95 * half
    affine = crop_affine((left, top, left + 2 * half, top + 2 * half), 1.0)
    assert centroid(sample(photo, affine, 256)) == pytest.approx(apply(affine, [x, y]), abs=0.1)


def test_a_turned_view_lands_too() -> None:
    photo = dot(300, 300, 171.4, 120.2, 5)
    angle = np.deg2rad(30)
    linear = 0.8 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    affine = np.column_stack([linear, [80, 80] - linear @ [150, 150]])
    picture = sample(photo, affine, (160, 170))
    assert picture.shape == (170, 160, 3)
    assert centroid(picture) == pytest.approx(apply(affine, [171.4, 120.2]), abs=0.1)


def test_identity_keeps_every_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert (sample(Image.fromarray(pixels), [[1, 0, 0], [0, 1, 0]], 40) == pixels).all()


def test_outside_the_photo_is_black() -> None:
    photo = Image.new("RGB", (100, 100), (200, 200, 200))
    crop = sample(photo, crop_affine((-50, 0, 50, 100), 1.0, 64), 64)
    assert (crop[:, :30] == 0).all()
    assert (crop[2:-2, 34:] == 200).all()
    assert (sample(photo, crop_affine((500, 500, 600, 600)), 32) == 0).all()


def test_a_fine_pattern_does_not_alias() -> None:
    stripes = np.zeros((1600, 1600, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = sample(Image.fromarray(stripes), crop_affine((100, 100, 1500, 1500), 1.0, 100), 100)
    assert np.abs(crop.astype(int) - 127).max() <= 3


def test_tight_box_leaves_unknown_points_out() -> None:
    assert tight_box([[3, 9], [np.nan, 1], [7, 2]]) == (3, 2, 7, 9)
    with pytest.raises(ImageError, match="No landmark"):
        tight_box([[np.nan, 1]])


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((10, 10, 10, 50), "empty"),
        ((50, 10, 10, 50), "reversed"),
        ((10, 10, float("nan"), 50), "finite"),
        ((10, 10, float("inf"), 50), "finite"),
        ((10, 10, 12, 12), "too small"),
        ((300, 10, 400, 50), "outside"),
        ((-300, -300, 400, 400), "far larger"),
        ((1, 2, 3), "four numbers"),
        (("a", 2, 3, 4), "four numbers"),
        (None, "four numbers"),
    ],
)
def test_unusable_boxes_are_refused(box: tuple[float, ...], said: str) -> None:
    with pytest.raises(ImageError, match=said):
        check_box(box, 100, 80)


def test_a_box_over_the_border_is_fine() -> None:
    assert check_box(np.array([-20, -10, 50, 60]), 100, 80) == (-20, -10, 50, 60)
