"""Batch augmentation on whatever device the batch lives on, by one warp from the stored crop to the model's
input.

The crop rule is the papers' (tight landmark box, square, 1.2 x its longer side); the distributions are those
of the SLPT and DSLPT trainings (preset "paper") or broader ones for training from scratch on few faces
(preset "wide"). Order: one warp (crop, rotation, shear, shift, mirror), greyscale, brightness, occlusion. The
published code shears last, after the occluder; doing it in the warp samples every pixel once.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from workbench.errors import unknown
from workbench.landmarks import Scheme
from workbench.landmarks.geometry import CROP_FACTOR

LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in a grey of the same lightness (ITU-R BT.601)."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class AugmentConfig:
    """Distributions of the augmentation; every normal variable is clipped to +- its ``_clip``.

    Attributes:
        rotation, rotation_clip: degrees.
        scale, scale_clip: deviation of the crop factor from 1.2.
        shift, shift_clip: parts of the crop's side.
        shear, shear_clip, shear_p: x shear.
        flip_p, gray_p, light_p: mirror, greyscale, brightness (offset and gain).
        occlusion_p, blocks: chance of occlusion and the most rectangles that are painted.
        block, block_sd: side of a rectangle as a part of the crop.
        borrow_p: chance that a rectangle shows another picture of the batch instead of one colour.
        noise_p: chance that it shows noise; a borrowed picture wins.
    """

    rotation: float = 15.0
    rotation_clip: float = 30.0
    scale: float = 0.05
    scale_clip: float = 0.05
    shift: float = 0.05
    shift_clip: float = 0.05
    shear: float = 0.2
    shear_clip: float = 0.2
    shear_p: float = 1 / 3
    flip_p: float = 0.5
    gray_p: float = 0.2
    light_p: float = 0.5
    occlusion_p: float = 0.5
    blocks: int = 1
    block: float = 0.20
    block_sd: float = 0.08
    borrow_p: float = 0.0
    noise_p: float = 0.0


PRESETS = {
    "paper": AugmentConfig(),
    "wide": AugmentConfig(
        rotation_clip=45, scale=0.08, scale_clip=0.15, shift_clip=0.1, blocks=3, block=0.22, borrow_p=0.5
    ),
    "polish": AugmentConfig(
        rotation=10, scale_clip=0.1, shift=0.04, shift_clip=0.1, shear_p=0.2, blocks=2, block=0.28, borrow_p=0.4
    ),
    "cover": AugmentConfig(
        rotation=10,
        scale_clip=0.1,
        shift=0.04,
        shift_clip=0.1,
        shear_p=0.2,
        occlusion_p=0.7,
        blocks=3,
        block=0.27,
        borrow_p=0.3,
    ),
    "masked": AugmentConfig(occlusion_p=1.0, blocks=5, block=0.22, borrow_p=0.3, noise_p=0.2),
    "hide": AugmentConfig(
        rotation=10,
        scale_clip=0.1,
        shift=0.04,
        shift_clip=0.1,
        shear_p=0.2,
        occlusion_p=0.85,
        blocks=2,
        block=0.36,
        block_sd=0.12,
        borrow_p=0.3,
    ),
}
"""``paper``: thesis 4.3 and 5.3; ``wide``: for little data; ``polish``: milder, for its last epochs; ``cover``: as
mild, with more occluders; ``masked``: up to five blocks, as in Masked 300-W; ``hide``: as mild, with one or two
occluders that hide whole parts of the face."""


def augment_preset(name: str) -> AugmentConfig:
    """A named configuration. Raises UnknownNameError."""
    if name not in PRESETS:
        raise unknown("augmentation", name, PRESETS)
    return PRESETS[name]


@dataclass(frozen=True)
class AugmentedBatch:
    """Attributes:
    images: (B, 3, S, S), RGB in [0, 1]; a model normalises them itself (``FaceModel.prepare``).
    points: (B, N, 2) in [0, 1] of the crop (may lie outside).
    valid: (B, N), False where there is no label.
    covered: (B, N), True under a synthetic occluder.
    painted: (B, S, S), True where a synthetic occluder was painted.
    """

    images: Tensor
    points: Tensor
    valid: Tensor
    covered: Tensor
    painted: Tensor


def crop_boxes(points: Tensor, valid: Tensor, factor: float | Tensor = CROP_FACTOR) -> tuple[Tensor, Tensor]:
    """Centre (B, 2) and side (B,) of the square crop around the valid points (B, N, 2)."""
    inf = torch.full_like(points, math.inf)
    low = torch.where(valid[..., None], points, inf).amin(1)
    high = torch.where(valid[..., None], points, -inf).amax(1)
    return (low + high) / 2, factor * (high - low).amax(-1)


def crop_matrix(
    centre: Tensor, side: Tensor, size: int, angle: Tensor | None = None, shear: Tensor | None = None
) -> Tensor:
    """Affine (B, 2, 3) from stored pixels to crop pixels: centre -> size / 2, side -> size.

    Args:
        centre: (B, 2).
        side: (B,).
        size: of the crop in pixels.
        angle: (B,) radians, positive turns the picture clockwise on the screen.
        shear: (B,), x += shear * y after the rotation.
    """
    zoom = size / side
    zero = torch.zeros_like(zoom)
    cos, sin = (zoom, zero) if angle is None else (zoom * angle.cos(), zoom * angle.sin())
    linear = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], 1)
    if shear is not None:
        linear = torch.stack([linear[:, 0] + shear[:, None] * linear[:, 1], linear[:, 1]], 1)
    offset = size / 2 - (linear @ centre[..., None])
    return torch.cat([linear, offset], -1)


def transform(matrix: Tensor, points: Tensor) -> Tensor:
    """Apply (B, 2, 3) to (B, N, 2)."""
    return points @ matrix[:, :, :2].transpose(1, 2) + matrix[:, None, :, 2]


def _full_precision(function: Callable[P, T]) -> Callable[P, T]:
    """Autocast would round the warp's matrix products to bfloat16 and move every label by half a pixel."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        with torch.autocast("cuda", enabled=False), torch.autocast("cpu", enabled=False):
            return function(*args, **kwargs)

    return wrapped


@_full_precision
def warp(images: Tensor, matrix: Tensor, size: int, padding: str = "zeros") -> Tensor:
    """Square crops of stored pictures, bilinear, pixel centres at integers.

    Args:
        images: (B, 3, H, W), uint8 or float of 0..255.
        matrix: (B, 2, 3), stored pixels -> crop pixels.
        size: side of the crops.
        padding: what lies outside the picture: "zeros" (black) or "border" (its edge, repeated).

    Returns:
        (B, 3, size, size), RGB in [0, 1].
    """
    height, width = images.shape[-2:]
    axis = torch.arange(size, device=matrix.device, dtype=matrix.dtype)
    pixels = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).view(1, -1, 2)
    back = torch.linalg.inv(matrix[:, :, :2]).transpose(1, 2)
    source = (pixels - matrix[:, None, :, 2]) @ back  # (B, size * size, 2), stored pixels
    grid = 2 * source / source.new_tensor([width - 1, height - 1]) - 1
    grid = grid.unflatten(1, (size, size))
    return (
        F.grid_sample(images.float(), grid, "bilinear", padding_mode=padding, align_corners=True)
        .div_(255)
        .clamp_(0, 1)
    )


@_full_precision
def eval_batch(
    images: Tensor,
    points: Tensor,
    valid: Tensor,
    size: int,
    factor: float = CROP_FACTOR,
    frame: tuple[Tensor, Tensor] | None = None,
) -> AugmentedBatch:
    """The crop rule alone: tight box of the valid points, square, ``factor`` times the longer side.

    Args:
        images: uint8 (B, 3, P, P).
        points: (B, N, 2) in stored pixels; ``valid`` (B, N) marks the labelled ones.
        size: side of the result.
        factor: 1.2 in the papers.
        frame: see :func:`augment_batch`.
    """
    centre, side = crop_boxes(points, valid, factor) if frame is None else (frame[0], factor * frame[1])
    matrix = crop_matrix(centre, side, size)
    covered = torch.zeros_like(valid)
    crops = warp(images, matrix, size)
    painted = torch.zeros_like(crops[:, 0], dtype=torch.bool)
    return AugmentedBatch(crops, transform(matrix, points) / size, valid, covered, painted)


@_full_precision
def augment_batch(
    images: Tensor,
    points: Tensor,
    valid: Tensor,
    scheme: Scheme,
    config: AugmentConfig,
    size: int,
    generator: Generator,
    frame: tuple[Tensor, Tensor] | None = None,
) -> AugmentedBatch:
    """One random view of every stored crop.

    Args:
        images: uint8 (B, 3, P, P).
        points: (B, N, 2) in stored pixels; ``valid`` (B, N) marks the labelled ones.
        scheme: whose flip pairs a mirrored face follows; one without them is never mirrored.
        config: the distributions.
        size: side of the result.
        generator: on the device of ``images``; the same state gives the same batch.
        frame: centre (B, 2) and side (B,) of the square that stands for the box of the valid points, where those
            do not span the face (five points) or more than it (a mesh).
    """
    c, b, device = config, len(images), images.device

    def normal(sd: float, clip: float) -> Tensor:
        return (sd * torch.randn(b, generator=generator, device=device)).clamp(-clip, clip)

    def chance(p: float) -> Tensor:
        return torch.rand(b, generator=generator, device=device) < p

    factor = CROP_FACTOR + normal(c.scale, c.scale_clip)
    centre, side = crop_boxes(points, valid, factor) if frame is None else (frame[0], factor * frame[1])
    shift = torch.stack([normal(c.shift, c.shift_clip) for _ in range(2)], -1)
    angle = torch.deg2rad(normal(c.rotation, c.rotation_clip))
    shear = normal(c.shear, c.shear_clip) * chance(c.shear_p)
    matrix = crop_matrix(centre + shift * side[:, None], side, size, angle, shear)

    flip = chance(c.flip_p)
    if scheme.can_flip:
        matrix, points, valid = _mirror(matrix, points, valid, flip, scheme, size)

    crops = warp(images, matrix, size)
    points = transform(matrix, points) / size

    gray = chance(c.gray_p).nonzero()[:, 0]
    luma = crops.new_tensor(LUMA).view(3, 1, 1)
    crops[gray] = (crops[gray] * luma).sum(1, keepdim=True).expand(-1, 3, -1, -1)
    light = chance(c.light_p)
    offset = torch.where(light, normal(30 / 255, 30 / 255), 0.0)
    gain = torch.where(light, (1 + normal(0.3, 10)).clamp(0.3, 1.3), 1.0)
    crops.mul_(gain[:, None, None, None]).add_(offset[:, None, None, None]).clamp_(0, 1)

    whole = crops
    crops, covered = occlude(whole, points, generator, c)
    covered &= valid
    return AugmentedBatch(crops, points, valid, covered, (crops != whole).any(1))


def occlude(crops: Tensor, points: Tensor, generator: Generator, config: AugmentConfig) -> tuple[Tensor, Tensor]:
    """Paint random rectangles over crops; also the probe that measures sigma on covered points.

    Args:
        crops: (B, 3, S, S) in [0, 1]; they are not changed.
        points: (B, N, 2) in [0, 1] of the crop.
        generator: on the device of ``crops``.
        config: its occlusion fields.

    Returns:
        The painted crops and which points (B, N) lie under a rectangle.
    """
    c, b, device, size = config, len(crops), crops.device, crops.shape[-1]

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=device)

    covered = torch.zeros(points.shape[:2], dtype=torch.bool, device=device)
    chosen = uniform(b) < c.occlusion_p
    # In a batch of one the borrowed picture is its own, upside down.
    other, crops = (crops.roll(1, 0) if b > 1 else crops.flip(-2)), crops.clone()
    for block in range(c.blocks):
        active = chosen & (uniform(b) < 0.6) if block else chosen
        centre = uniform(b, 2)
        half = (c.block + c.block_sd * torch.randn(b, 2, generator=generator, device=device)).clamp(0.04, 0.6) / 2
        colour = uniform(b, 3)[..., None, None]
        borrowed = uniform(b) < c.borrow_p
        noisy = uniform(b) < c.noise_p if c.noise_p else torch.zeros_like(borrowed)
        covered |= ((points - centre[:, None]).abs() < half[:, None]).all(-1) & active[:, None]
        # Pixel i lies at i / size; the slices hold the pixels that are strictly inside.
        first = (((centre - half) * size).floor() + 1).clamp(0, size)
        last = ((centre + half) * size).ceil().clamp(0, size)
        plan = torch.cat([first, last, active[:, None], borrowed[:, None], noisy[:, None]], -1).int().tolist()
        for i, (x0, y0, x1, y1, painted, lent, noise) in enumerate(plan):
            if painted and lent:
                crops[i, :, y0:y1, x0:x1] = other[i, :, y0:y1, x0:x1]
            elif painted and noise:
                crops[i, :, y0:y1, x0:x1] = uniform(3, max(y1 - y0, 0), max(x1 - x0, 0))
            elif painted:
                crops[i, :, y0:y1, x0:x1] = colour[i]
    return crops, covered


def _mirror(
    matrix: Tensor, points: Tensor, valid: Tensor, flip: Tensor, scheme: Scheme, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Mirror the crops chosen by ``flip`` (B,): x becomes size - x (DSLPT), and paired points change
    places."""
    mirror = torch.eye(3, device=matrix.device)[:2].repeat(len(matrix), 1, 1)
    mirror[flip, 0, 0], mirror[flip, 0, 2] = -1.0, float(size)
    linear, offset = mirror[:, :, :2], mirror[:, :, 2:]
    matrix = torch.cat([linear @ matrix[:, :, :2], linear @ matrix[:, :, 2:] + offset], -1)
    pairs = torch.tensor(scheme.flip, device=matrix.device)
    points = torch.where(flip[:, None, None], points[:, pairs], points)
    return matrix, points, torch.where(flip[:, None], valid[:, pairs], valid)
