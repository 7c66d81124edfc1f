"""AODN's losses (Eq. 7 and 8) and the module that trains with them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.data.augment import AugmentedBatch, crop_boxes
from workbench.data.pack import Packed
from workbench.models.aodn import AODN, AODNConfig, AODNReading
from workbench.models.base import FaceModel
from workbench.training.losses import heatmap_warmup_loss
from workbench.training.module import AlignmentTraining

LEAST_MODE = 0.03
"""Singular value that M's rarest change of a face begins with, in the unit of the commonest."""

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


@torch.no_grad()
def shrink_(matrix: Tensor, amount: float) -> None:
    """Take ``amount`` from every singular value of a matrix, those below it to zero, in place: the proximal step of
    the nuclear norm, arg min over X of amount ||X||_* + 1/2 ||X - M||_F^2."""
    wide = matrix.shape[0] < matrix.shape[1]
    gram = (matrix @ matrix.T if wide else matrix.T @ matrix).double()
    values, vectors = torch.linalg.eigh(gram)
    singular = values.clamp_min(0).sqrt()
    kept = (singular - amount).clamp_min(0) / singular.clamp_min(1e-12)
    scale = ((vectors * kept) @ vectors.T).to(matrix.dtype)
    matrix.copy_(scale @ matrix if wide else matrix @ scale)


def visibility_loss(plain: Tensor, painted: Tensor) -> Tensor:
    """Cross-entropy between P'' (B, h, w) and the part of each cell that no occluder was painted over.

    Args:
        plain: in (0, 1).
        painted: bool (B, S, S), S a multiple of h and w.
    """
    with torch.autocast(plain.device.type, enabled=False):
        visible = 1 - F.adaptive_avg_pool2d(painted.float()[:, None], (plain.shape[-2], plain.shape[-1]))[:, 0]
        return F.binary_cross_entropy(plain.float().clamp(1e-4, 1 - 1e-4), visible)


def shape_modes(points: Tensor, count: int, turn: float = 10.0, shift: float = 0.04) -> tuple[Tensor, Tensor]:
    """Principal changes of faces that also turn and move in their crop.

    Args:
        points: (M, N, 2) in any pixels, every landmark known.
        count: K; at most 2 N are there.
        turn, shift: deviation of the turn in degrees, and of the move along either axis in parts of the crop.

    Returns:
        The modes (N, 2, K), orthonormal, and their deviations (K,) in parts of the crop, largest first.
    """
    centre, side = crop_boxes(points, torch.ones(points.shape[:2], dtype=torch.bool))
    faces = (points - centre[:, None]) / side[:, None, None]
    angles = math.radians(turn) * torch.tensor([-(1.5**0.5), 0.0, 1.5**0.5])  # three equal shares of deviation 1
    turns = torch.stack([angles.cos(), -angles.sin(), angles.sin(), angles.cos()], -1).view(-1, 2, 2)
    flat = torch.einsum("tab,mnb->tmna", turns, faces).flatten(0, 1)
    moves = torch.eye(2).repeat(points.shape[1], 1).double()  # (2 N, 2)
    flat = (flat - flat.mean(0)).flatten(1).double()
    values, vectors = torch.linalg.eigh(flat.T @ flat / len(flat) + shift**2 * moves @ moves.T)
    modes = vectors.flip(-1)[:, :count].float()
    return modes.unflatten(0, (-1, 2)), values.flip(-1)[:count].clamp_min(0).sqrt().float()


def aodn_loss(
    model: AODN,
    found: AODNReading,
    target: Tensor,
    valid: Tensor,
    offset_weight: float,
    painted: Tensor,
) -> Tensor:
    """Eq. 8 with the weights of the model's configuration, and the heatmap loss where it asks for one.

    Args:
        model: whose weights are held small and of low rank.
        found: of one batch.
        target: (B, N, 2) in [0, 1] of the crop.
        valid: (B, N).
        offset_weight: of the soft-argmax's error in the heatmap loss (``Recipe.offset_weight``).
        painted: bool (B, S, S), True under an occluder.
    """
    c: AODNConfig = model.config
    loss = point_error(found.points, target, valid, c.point_loss, c.wing)
    if found.spatial is not None and found.plain is not None:
        loss = loss + c.eta_spatial * map_sparsity(found.spatial) + c.eta_plain * map_sparsity(found.plain)
    if c.beta and c.low_rank:
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
    if c.occlusion_weight and found.plain is not None:
        loss = loss + c.occlusion_weight * visibility_loss(found.plain, painted)
    return loss


class AODNTraining(AlignmentTraining):
    """Trains AODN; a "heatmaps" phase trains everything up to the point maps of the compact form."""

    model: AODN

    def model_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        found = self.model.read(images)
        return aodn_loss(self.model, found, batch.points, batch.valid, self.recipe.offset_weight, batch.painted)

    def phase_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        if self.phase.task != "heatmaps":
            return self.model_loss(images, batch)
        c, found = self.model.config, self.model.read(images)
        assert found.logits is not None
        loss = self.heatmap_loss(found.logits, batch, c.map_sigma)
        if c.occlusion_weight and found.plain is not None:
            loss = loss + c.occlusion_weight * visibility_loss(found.plain, batch.painted)
        return loss

    @classmethod
    def fit_model(cls, model: FaceModel, training: Packed) -> None:
        """M begins with the principal changes of the training faces, each as large as it is common."""
        assert isinstance(model, AODN)
        if not model.config.point_maps:
            return
        known = training.valid.all(1)
        modes, deviations = shape_modes(training.points[known], min(model.fc.in_features, 2 * model.config.landmarks))
        share = deviations / deviations[0]
        model.set_modes(modes, (share.square() + LEAST_MODE**2).sqrt())

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        shrinkage = self.model.config.shrinkage if self.model.config.low_rank else 0.0
        if shrinkage and self.phase.task == "model":
            shrink_(self.model.low_rank.weight, shrinkage * self.trainer.optimizers[0].param_groups[0]["lr"])

    def warmup_heads(self) -> nn.ModuleList:
        """None: the model has maps of its own."""
        return nn.ModuleList()

    def warmup_logits(self, images: Tensor) -> Tensor:
        logits = self.model.read(images).logits
        assert logits is not None
        return logits

    def measure(self, model: FaceModel, folder: Path) -> list[dict[str, Any]]:
        from workbench.evaluation.occlusion_maps import maps_under_occlusion

        assert isinstance(model, AODN)
        spectrum = model.spectrum().double()
        share = spectrum / spectrum.sum()
        rank = float(torch.exp(-(share * share.clamp_min(1e-300).log()).sum()))
        row = {"data": "weights", "split": "", "labels": "", "faces": 0}
        maps = (
            [] if model.attention is None else maps_under_occlusion(model, folder, labels=self.recipe.labels).metrics()
        )
        return [
            *maps,
            {**row, "metric": "effective rank of M (Roy and Vetterli 2007)", "value": round(rank, 2), "unit": ""},
            {
                **row,
                "metric": "singular values of M above a hundredth of the largest",
                "value": int((spectrum > spectrum[0] / 100).sum()),
                "unit": "",
            },
        ]
