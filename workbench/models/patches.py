"""Patches around landmarks, as SLPT and DSLPT cut, sample and resize them, and the head that reads their answer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.models.config import one_of
from workbench.tracing import Tap

SIZE_FACTOR = 12.0  # 6 * Z with Z = 2 (thesis 5.2.2)


def patch_rectangles(centres: Tensor, half: Tensor, rectangle: str) -> tuple[Tensor, Tensor]:
    """Where the patches lie, all in [0, 1] of the crop.

    Args:
        centres: (B, N, 2).
        half: (B, N, 1), half the side.
        rectangle: "shrink" (SLPT) or "shift" (DSLPT).

    Returns:
        The top left corners (B, N, 2) and the sizes (B, N, 2).
    """
    one_of("rectangle rule", rectangle, ("shrink", "shift"))
    corner = (centres - half).clamp(0, 1)
    if rectangle == "shrink":
        return corner, (centres + half).clamp(0, 1) - corner
    return torch.minimum(corner, 1 - 2 * half), (2 * half).expand_as(corner)


def sample_patches(maps: list[Tensor], corner: Tensor, size: Tensor, count: int, sampling: str) -> Tensor:
    """Bilinear samples on a ``count`` x ``count`` grid whose outer rows lie on the rectangle's edges.

    Args:
        maps: feature maps (B, C_l, H_l, W_l).
        corner, size: (B, N, 2) in [0, 1].
        count: samples on a side.
        sampling: "aligned" or "half_pixel"; outside the map the border's value holds.

    Returns:
        (B, N, sum of C_l, count, count), channels in the order of the maps.
    """
    one_of("sampling", sampling, ("aligned", "half_pixel"))
    steps = torch.linspace(0, 1, count, device=corner.device, dtype=corner.dtype)
    x = corner[..., 0, None] + size[..., 0, None] * steps  # (B, N, count)
    y = corner[..., 1, None] + size[..., 1, None] * steps
    grid = torch.stack(torch.broadcast_tensors(x[:, :, None, :], y[:, :, :, None]), -1)  # (B, N, count, count, 2)
    grid = 2 * grid.flatten(1, 2) - 1
    # In the places' own precision: half precision would round them by an eighth of a pixel.
    patches = [
        F.grid_sample(m.to(grid.dtype), grid, "bilinear", padding_mode="border", align_corners=sampling == "aligned")
        for m in maps
    ]
    return torch.cat(patches, 1).unflatten(2, (-1, count)).transpose(1, 2)


class PredictionHead(nn.Module):
    """SLPT: one linear layer to the offset. DSLPT: a hidden layer, then mean and variance per axis (Eq. 5.5-5.6)."""

    def __init__(self, dim: int, variance: bool) -> None:
        super().__init__()
        self.hidden = nn.Linear(dim, 2 * dim) if variance else None
        self.mean = nn.Linear(2 * dim if variance else dim, 2)
        self.variance = nn.Linear(2 * dim, 2) if variance else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """(..., d) -> mean (..., 2) in patch units and variance (..., 2) in (0, 1), or None."""
        if self.hidden is None or self.variance is None:
            return self.mean(x), None
        x = F.relu(self.hidden(x))
        return self.mean(x), self.variance(x).sigmoid()


def size_scale(variance: Tensor, rule: str, limits: tuple[float, float] = (0.5, 0.7)) -> Tensor:
    """By what a patch's size is multiplied before the next stage (thesis 5.2.2).

    Args:
        variance: predicted variance in patch units squared.
        rule: "variance" (12 v, the published code) or "deviation" (12 sqrt(v), the text).
        limits: floor and ceiling.
    """
    one_of("size rule", rule, ("variance", "deviation"))
    spread = variance.sqrt() if rule == "deviation" else variance
    return (SIZE_FACTOR * spread).clamp(*limits)


class PatchTaps(nn.Module):
    """Where a stage looked and what it saw there."""

    def __init__(self) -> None:
        super().__init__()
        self.next_half = Tap("landmark", "half", per_stage=True)
        self.rects = Tap("landmark", "rect", per_stage=True)
        self.features = Tap("landmark", "channel", "y", "x", per_stage=True)
