"""How CHS is trained: heatmaps, offsets, and weights between them that adapt (So and Han 2023, Eq. 5-8)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.data.augment import AugmentedBatch
from workbench.landmarks import Scheme
from workbench.models.base import FaceModel
from workbench.models.chs import CHS, CHSConfig
from workbench.training.losses import heatmap_warmup_loss, masked_mean
from workbench.training.module import AlignmentTraining
from workbench.training.recipes import Recipe

DILATED = 0.2  # cells whose dilated target reaches this count more (AWing)


def peak_maps(points: Tensor, size: int, sigma: float) -> Tensor:
    """Gaussians of height one: (B, N, 2) in [0, 1] -> (B, N, size, size), ``sigma`` in cells.

    Cell i has its centre at (i + 0.5) / size.
    """
    cells = torch.arange(size, device=points.device, dtype=points.dtype) + 0.5
    axis = torch.exp(-0.5 * ((cells - points.unsqueeze(-1) * size) / sigma).square())  # (B, N, 2, size)
    return axis[..., 1, :, None] * axis[..., 0, None, :]


def boundary_map(points: Tensor, valid: Tensor, polylines: Sequence[Sequence[int]], size: int, sigma: float) -> Tensor:
    """The face's outlines, blurred: exp(-d^2 / (2 sigma^2)) with d the distance to the nearest line, in cells.

    Args:
        points: (B, N, 2) in [0, 1].
        valid: (B, N); a line's piece between two points is drawn when both have a label.
        polylines: the scheme's, as paths of landmark indices.
        size: side of the map.
        sigma: in cells.

    Returns:
        (B, size, size); zero where nothing is drawn.
    """
    pieces = [pair for path in polylines for pair in pairwise(path)]
    nearest = points.new_full((len(points), size, size), torch.inf)
    if not pieces:
        return torch.zeros_like(nearest)
    first, last = torch.tensor(pieces, device=points.device).T
    cells = torch.arange(size, device=points.device, dtype=points.dtype) + 0.5
    x, y = cells[None, None, None, :], cells[None, None, :, None]
    start, along = size * points[:, first], size * (points[:, last] - points[:, first])  # (B, piece, 2)
    drawn = valid[:, first] & valid[:, last]
    for a, d, ok in zip(start.split(16, 1), along.split(16, 1), drawn.split(16, 1), strict=True):
        ax, ay, dx, dy = (v[..., None, None] for v in (a[..., 0], a[..., 1], d[..., 0], d[..., 1]))
        t = (((x - ax) * dx + (y - ay) * dy) / (dx.square() + dy.square()).clamp_min(1e-12)).clamp(0, 1)
        far = (x - ax - t * dx).square() + (y - ay - t * dy).square()
        nearest = torch.minimum(nearest, far.masked_fill(~ok[..., None, None], torch.inf).amin(1))
    return torch.exp(-nearest / (2 * sigma**2))


def awing(
    found: Tensor,
    target: Tensor,
    alpha: float = 2.1,
    omega: float = 14.0,
    epsilon: float = 1.0,
    theta: float = 0.5,
) -> Tensor:
    """Adaptive Wing loss, element-wise (Wang et al. 2019, Eq. 3).

    omega ln(1 + |d / epsilon|^(alpha - y)) below theta, and the line A |d| - C that continues it above.
    """
    power = alpha - target
    d = (found - target).abs()
    ratio = theta / epsilon
    slope = omega * power * ratio ** (power - 1) / (1 + ratio**power) / epsilon
    shift = theta * slope - omega * torch.log1p(ratio**power)
    # The clamp keeps the gradient of 0 ** power finite and leaves the value alone beyond theta.
    curve = omega * torch.log1p((d.clamp(1e-12, theta) / epsilon) ** power)
    return torch.where(d < theta, curve, slope * d - shift)


def awing_loss(
    found: Tensor,
    target: Tensor,
    parameters: tuple[float, float, float, float] = (2.1, 14.0, 1.0, 0.5),
    weight: float = 10.0,
    use: Tensor | None = None,
) -> Tensor:
    """Mean adaptive Wing loss of heatmaps; cells near a landmark count ``weight`` + 1 times (AWing, Eq. 7).

    Args:
        found, target: (B, C, h, w).
        parameters: alpha, omega, epsilon, theta.
        weight: W, for cells where the target, dilated by one cell, is at least 0.2.
        use: (B, C), maps that count; None for all.
    """
    near = (F.max_pool2d(target, 3, 1, 1) >= DILATED).to(found.dtype)
    value = (awing(found, target, *parameters) * (1 + weight * near)).mean((-2, -1))
    return value.mean() if use is None else masked_mean(value, use)


def small_wing(found: Tensor, target: Tensor, w: float = 8.0, epsilon: float = 10.0) -> Tensor:
    """Eq. 7, element-wise: w ln(1 + |found - target| / epsilon); no linear part, as an ROI sees only so far."""
    return w * torch.log1p((found - target).abs() / epsilon)


def scaled_adaptive(losses: Sequence[Tensor], log_sigma: Tensor, alpha: Sequence[float]) -> Tensor:
    """Eq. 6: sum over the tasks of alpha_t (exp(-s_t) L_t + s_t), with s_t = ln sigma_t trained.

    Args:
        losses: T numbers.
        log_sigma: (T,).
        alpha: T fixed weights.
    """
    weights = log_sigma.new_tensor(list(alpha))
    return (weights * (torch.exp(-log_sigma) * torch.stack(list(losses)) + log_sigma)).sum()


def task_alpha(alpha: tuple[float, float, float], cascades: int) -> tuple[float, ...]:
    """Fixed weights of task 0, the middle CCRs and the last, spread over ``cascades`` + 1 tasks."""
    first, middle, last = alpha
    return (first, *[middle] * (cascades - 1), last) if cascades else (first,)


def task0_loss(
    maps: Sequence[Tensor],
    points: Tensor,
    valid: Tensor,
    polylines: Sequence[Sequence[int]],
    config: CHSConfig,
    offset_weight: float,
) -> Tensor:
    """Loss of task 0, summed over the hourglasses.

    Args:
        maps: of each hourglass (B, N + 1, h, h), the boundary last.
        points: (B, N, 2) in [0, 1]; those outside the crop have no heatmap.
        valid: (B, N).
        polylines: the scheme's.
        config: AWing on heatmaps, or cross-entropies on logits.
        offset_weight: of the soft-argmax's error beside the cross-entropies (``Recipe.offset_weight``).
    """
    c, size = config, maps[0].shape[-1]
    boundary = boundary_map(points, valid, polylines, size, c.heatmap_sigma)[:, None]
    inside = valid & ((points >= 0) & (points <= 1)).all(-1)
    if c.heatmap_loss == "entropy":
        return torch.stack(
            [
                heatmap_warmup_loss(m[:, :-1].float(), points, valid, c.heatmap_sigma, offset_weight=offset_weight)
                + F.binary_cross_entropy_with_logits(m[:, -1:].float(), boundary)
                for m in maps
            ]
        ).sum()
    target = torch.cat([peak_maps(points, size, c.heatmap_sigma), boundary], 1)
    use = torch.cat([inside, valid.any(1, keepdim=True)], 1)
    return torch.stack([awing_loss(m.float(), target, c.awing, c.awing_weight, use) for m in maps]).sum()


class CHSTraining(AlignmentTraining):
    """Every task at once; the logarithms s_t of the adaptive weights are trained beside the model."""

    model: CHS

    def __init__(self, model: CHS, scheme: Scheme, recipe: Recipe) -> None:
        super().__init__(model, scheme, recipe)
        self.alpha = task_alpha(model.config.alpha, model.config.cascades)
        self.log_sigma = nn.Parameter(torch.zeros(len(self.alpha)), requires_grad=model.config.adaptive)

    def model_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        losses = self.task_losses(images, batch)
        for t, (loss, s) in enumerate(zip(losses, self.log_sigma.detach(), strict=True)):
            self.log_dict({f"task{t}": loss, f"task{t}_weight": torch.exp(-s)})
        return scaled_adaptive(losses, self.log_sigma, self.alpha)

    def task_losses(self, images: Tensor, batch: AugmentedBatch) -> list[Tensor]:
        """Eq. 8's AWing and small Wing terms, unweighted; offsets are compared in pixels of the crop.

        y_t - y equals the offset's error, so the sum y_t decides by its connection whose gradient it gives (Fig. 5).
        """
        c = self.model.config
        answers = self.model.tasks(images)
        lines, offset = self.scheme.polylines(), self.recipe.offset_weight
        losses = [task0_loss(answers.maps, batch.points, batch.valid, lines, c, offset)]
        target = batch.points * c.input_size
        for points in answers.points[1:]:
            error = small_wing(points.float() * c.input_size, target, *c.wing).mean(-1)
            losses.append(masked_mean(error, batch.valid))
        return losses

    def measure(self, model: FaceModel, folder: Path) -> list[dict[str, Any]]:
        """The error of every model that pruning leaves (Fig. 14)."""
        from workbench.evaluation import evaluate

        assert isinstance(model, CHS)
        rows = []
        for kept in range(len(model.cascades) + 1):
            smaller = model.prune(kept)
            row = evaluate(smaller, folder, labels=self.recipe.labels, progress=False).metrics()[0]
            rows.append({**row, "metric": f"{row['metric']}, {kept} cascades"})
        return rows
