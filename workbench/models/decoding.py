"""From heatmaps to points: (B, N, h, w) -> (B, N, 2) in [0, 1], where cell i has its centre at (i + 1/2) / size."""

from __future__ import annotations

import torch
from torch import Tensor


def quarter_pixel(maps: Tensor) -> Tensor:
    """Maxima of heatmaps, refined: (B, N, h, w) -> (B, N, 2) in [0, 1].

    The maximum's cell moves by a quarter towards the larger of its two neighbours on each axis, unless it lies on the
    map's border; half a cell is added (Newell et al. 2016; Sun et al. 2019).
    """
    h, w = maps.shape[-2:]
    flat = maps.flatten(-2)
    best = flat.argmax(-1)
    x, y = best % w, best // w

    def at(dx: int, dy: int) -> Tensor:
        index = (y + dy).clamp(0, h - 1) * w + (x + dx).clamp(0, w - 1)
        return flat.gather(-1, index[..., None])[..., 0]

    shift = 0.25 * torch.stack([at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)], -1).sign()
    inside = (x > 0) & (x < w - 1) & (y > 0) & (y < h - 1)
    cell = torch.stack([x, y], -1) + shift * inside[..., None] + 0.5
    return cell / cell.new_tensor([w, h])


def centre_of_mass(maps: Tensor) -> Tensor:
    """Expected position under the maps' positive part: (B, N, h, w) -> (B, N, 2) in [0, 1]."""
    h, w = maps.shape[-2:]
    maps = maps.clamp_min(0)
    maps = maps / maps.sum((-2, -1), keepdim=True).clamp_min(1e-6)
    x, y = ((torch.arange(n, device=maps.device, dtype=maps.dtype) + 0.5) / n for n in (w, h))
    return torch.stack([(maps.sum(-2) * x).sum(-1), (maps.sum(-1) * y).sum(-1)], -1)


def spatial_softmax(logits: Tensor) -> Tensor:
    """Softmax over the cells of every map, of the same shape (B, N, h, w)."""
    return logits.flatten(-2).softmax(-1).view_as(logits)
