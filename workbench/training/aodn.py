"""AODN's losses (Eq. 7 and 8) and the module that trains with them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from workbench.data.augment import AugmentedBatch
from workbench.models.aodn import AODN, AODNConfig, AODNReading
from workbench.models.base import FaceModel
from workbench.training.losses import heatmap_warmup_loss
from workbench.training.module import AlignmentTraining

TOLERANCE = {torch.float64: 1e-7, torch.float32: 1e-3}
"""Singular values below this part of the largest are rounding, when they come from a Gram matrix of this type."""


class _NuclearNorm(torch.autograd.Function):
    """Sum of the singular values by the eigenvalues of the smaller Gram matrix; gradient U V^T (Eq. 13)."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, tolerance: float) -> Tensor:
        wide = matrix.shape[0] < matrix.shape[1]
        tall = matrix.T if wide else matrix
        with torch.autocast(matrix.device.type, enabled=False):
            values, vectors = torch.linalg.eigh((tall.T @ tall).double())
        singular = values.clamp_min(0).sqrt()
        kept = singular > tolerance * singular[-1]
        inverse = torch.where(kept, 1 / torch.where(kept, singular, 1), 0)
        # M (V S^-1 V^T) = U V^T, with nothing from directions that M does not reach.
        ctx.save_for_backward(tall, ((vectors * inverse) @ vectors.T).to(matrix.dtype))
        ctx.wide = wide
        return torch.where(kept, singular, 0).sum().to(matrix.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        tall, whitening = ctx.saved_tensors
        with torch.autocast(tall.device.type, enabled=False):
            slope = tall @ whitening
        return (slope.T if ctx.wide else slope) * grads[0], None


def nuclear_norm(matrix: Tensor, tolerance: float | None = None) -> Tensor:
    """Sum of the singular values of a matrix (m, n), the convex stand-in for its rank (Eq. 8).

    Its gradient is U V^T of the thin singular value decomposition (Eq. 13). Singular values below ``tolerance`` times
    the largest count as zero; there the norm has a kink, and the subgradient with nothing in those directions is
    taken.

    Args:
        matrix: float32 or float64.
        tolerance: None for :data:`TOLERANCE` of the matrix' type.
    """
    limit = TOLERANCE[matrix.dtype] if tolerance is None else tolerance
    return cast(Tensor, _NuclearNorm.apply(matrix, limit))


def squared_norm(tensors: Iterable[Tensor]) -> Tensor:
    """Sum of the squared Frobenius norms (Eq. 7)."""
    return torch.stack([t.float().square().sum() for t in tensors]).sum()


def map_sparsity(maps: Tensor) -> Tensor:
    """L1 norm of a single-channel map (B, h, w), mean over the batch (Eq. 7; its subgradient is Eq. 14)."""
    return maps.float().abs().flatten(1).sum(1).mean()


def point_error(
    points: Tensor,
    target: Tensor,
    valid: Tensor,
    kind: Literal["squared", "l1", "wing"] = "squared",
    wing: tuple[float, float] = (0.04, 0.01),
) -> Tensor:
    """Error of a face's shape, mean over the batch: (1 / B) sum over faces of the sum over points and axes.

    Args:
        points, target: (B, N, 2) in [0, 1] of the crop.
        valid: (B, N), False where a landmark has no label; it adds nothing.
        kind: "squared", ||S - S*||_F^2 (Eq. 1); "l1", |d|; "wing", w ln(1 + |d| / e) below w and |d| - c above, with
            c such that both meet (Feng et al. 2018).
        wing: w and e.
    """
    distance = torch.where(valid[..., None], points.float() - target, 0.0).abs()
    if kind == "squared":
        error = distance.square()
    elif kind == "l1":
        error = distance
    else:
        width, curve = wing
        meet = width - width * math.log(1 + width / curve)
        error = torch.where(distance < width, width * torch.log1p(distance / curve), distance - meet)
    return error.flatten(1).sum(1).mean()


def aodn_loss(model: AODN, found: AODNReading, target: Tensor, valid: Tensor, offset_weight: float) -> Tensor:
    """Eq. 8 with the weights of the model's configuration, and the heatmap loss where it asks for one.

    Args:
        model: whose weights are held small and of low rank.
        found: of one batch.
        target: (B, N, 2) in [0, 1] of the crop.
        valid: (B, N).
        offset_weight: of the soft-argmax's error in the heatmap loss (``Recipe.offset_weight``).
    """
    c: AODNConfig = model.config
    loss = point_error(found.points, target, valid, c.point_loss, c.wing)
    loss = loss + c.eta_spatial * map_sparsity(found.spatial) + c.eta_plain * map_sparsity(found.plain)
    if c.beta:
        loss = loss + c.beta * nuclear_norm(model.structure_matrix)
    if c.gamma:
        loss = loss + c.gamma * squared_norm([model.structure_matrix])
    if c.alpha:
        loss = loss + c.alpha * squared_norm(m.weight for m in model.modules() if isinstance(m, nn.Conv2d))
    if c.lam:
        loss = loss + c.lam * squared_norm([model.fc.weight])
    if c.map_weight and found.logits is not None:
        maps = heatmap_warmup_loss(found.logits, target, valid, c.map_sigma, offset_weight=offset_weight)
        loss = loss + c.map_weight * maps
    return loss


class AODNTraining(AlignmentTraining):
    """Trains AODN; a "heatmaps" phase trains everything up to the point maps of the compact form."""

    model: AODN

    def model_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        found = self.model.read(images)
        return aodn_loss(self.model, found, batch.points, batch.valid, self.recipe.offset_weight)

    def phase_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        if self.phase.task == "heatmaps":
            return self.heatmap_loss(self.warmup_logits(images), batch, self.model.config.map_sigma)
        return self.model_loss(images, batch)

    def warmup_heads(self) -> nn.ModuleList:
        """None: the model has maps of its own."""
        return nn.ModuleList()

    def warmup_logits(self, images: Tensor) -> Tensor:
        logits = self.model.read(images).logits
        assert logits is not None
        return logits

    def measure(self, model: FaceModel, folder: Path) -> list[dict[str, Any]]:
        from workbench.evaluation.occlusion_maps import maps_under_occlusion

        return maps_under_occlusion(model, folder, labels=self.recipe.labels).metrics()
