"""Losses, each a pure function of tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from workbench.errors import SettingsError
from workbench.models.alignment import Alignment
from workbench.models.decoding import centre_of_mass, spatial_softmax


def gaussian_nll(mean: Tensor, variance: Tensor, target: Tensor, floor: float | None = 1e-9) -> Tensor:
    """Negative log-likelihood of ``target`` under N(mean, variance), element-wise (thesis Eq. 5.7-5.8).

    Args:
        mean, variance, target: broadcastable; variance > 0, in the square of the mean's unit.
        floor: added to the density before the logarithm, as in the published training (it caps the loss near 20.7
            and silences the gradient of far targets); None gives the exact value.
    """
    exact = 0.5 * (math.log(2 * math.pi) + variance.log() + (target - mean).square() / variance)
    return exact if floor is None else -torch.log(torch.exp(-exact) + floor)


def laplace_nll(mean: Tensor, scale: Tensor, target: Tensor, floor: float | None = None) -> Tensor:
    """Negative log-likelihood of ``target`` under Laplace(mean, scale b): log(2 b) + |mean - target| / b."""
    exact = torch.log(2 * scale) + (mean - target).abs() / scale
    return exact if floor is None else -torch.log(torch.exp(-exact) + floor)


def masked_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean of ``values`` (..., B, N) over the entries where ``valid`` (B, N) holds; 0 when none does."""
    mask = valid.to(values.dtype).expand_as(values)
    return (torch.where(mask > 0, values, torch.zeros_like(values))).sum() / mask.sum().clamp_min(1)


def patch_loss(
    alignment: Alignment,
    points: Tensor,
    valid: Tensor,
    likelihood: str | None,
    weights: Sequence[float],
    floor: float | None = 1e-9,
    distance: Tensor | None = None,
    norm: int = 2,
) -> Tensor:
    """Loss of SLPT and DSLPT over every stage and layer.

    Args:
        alignment: with ``stages``, ``rects`` and, for a likelihood, ``variance``.
        points: (B, N, 2) ground truth in crop pixels.
        valid: (B, N), False where a landmark has no label.
        likelihood: "gaussian" or "laplace" compares in patch units (thesis Eq. 5.9-5.10; for Laplace the scale is
            b = sqrt(variance / 2), so that the variance stays one); None is SLPT's point error divided by
            ``distance`` (Eq. 4.8).
        weights: one a stage (``Recipe.stage_weights``).
        floor: see :func:`gaussian_nll`.
        distance: (B,), normaliser in crop pixels, needed by SLPT's loss.
        norm: of SLPT's point error, 1 or 2.

    Raises:
        SettingsError: another number of weights than stages.
    """
    stages, rects = alignment.stages, alignment.rects
    assert stages is not None and rects is not None
    if len(weights) != len(stages):
        raise SettingsError(f"A loss of {len(stages)} stages needs as many weights, not {len(weights)}.")
    stages, rects = stages.float(), rects.float()
    total = stages.new_zeros(())
    for stage, weight in enumerate(weights):
        if likelihood is None:
            assert distance is not None
            error = (stages[stage] - points).norm(p=norm, dim=-1) / distance[:, None]
        else:
            assert alignment.variance is not None
            corner, size = rects[stage, ..., :2], rects[stage, ..., 2:]
            mean, target = (stages[stage] - corner) / size, (points - corner) / size
            variance = alignment.variance[stage].float()
            if likelihood == "gaussian":
                error = gaussian_nll(mean, variance, target, floor).mean(-1)
            else:
                error = laplace_nll(mean, (variance / 2).sqrt(), target, floor).mean(-1)
        total = total + weight * masked_mean(error, valid)
    return total


def soft_argmax(logits: Tensor) -> Tensor:
    """Expected position under softmax(logits): (B, N, h, w) -> (B, N, 2) in [0, 1], half-pixel cell centres."""
    return centre_of_mass(spatial_softmax(logits))


def gaussian_maps(points: Tensor, size: int, sigma: float) -> Tensor:
    """Targets that sum to one: (B, N, 2) in [0, 1] -> (B, N, size, size), ``sigma`` in map cells."""
    centres = torch.arange(size, device=points.device, dtype=points.dtype) + 0.5
    d = points.unsqueeze(-1) * size - centres  # (B, N, 2, size)
    axis = torch.exp(-0.5 * (d / sigma).square())
    axis = axis / axis.sum(-1, keepdim=True).clamp_min(1e-9)
    return axis[..., 1, :, None] * axis[..., 0, None, :]


def heatmap_warmup_loss(
    logits: Tensor, points: Tensor, valid: Tensor, sigma: float = 1.5, *, offset_weight: float
) -> Tensor:
    """Cross-entropy to a Gaussian target plus ``offset_weight`` times the L1 error of the soft-argmax.

    Args:
        logits: (B, N, h, h).
        points: (B, N, 2) in [0, 1]; points outside the crop are left out of the cross-entropy.
        valid: (B, N).
        sigma: of the target, in map cells.
        offset_weight: ``Recipe.offset_weight``.
    """
    inside = valid & ((points >= 0) & (points <= 1)).all(-1)
    target = gaussian_maps(points, logits.shape[-1], sigma)
    entropy = -(target * logits.flatten(-2).log_softmax(-1).unflatten(-1, logits.shape[-2:])).sum((-2, -1))
    offset = (soft_argmax(logits) - points).abs().sum(-1)
    return masked_mean(entropy, inside) + offset_weight * masked_mean(offset, valid)
