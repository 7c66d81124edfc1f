"""SCC's losses, its balancing of poses, and the module that trains with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench.data.augment import AugmentedBatch
from workbench.errors import DataError
from workbench.landmarks.metrics import nme
from workbench.models.base import FaceModel
from workbench.models.decoding import centre_of_mass
from workbench.models.graph import relative_matrix
from workbench.models.scc import SCC, SCCConfig
from workbench.tracing import record
from workbench.training.losses import masked_mean
from workbench.training.module import AlignmentTraining

LOSS_SIDE = 256  # the losses are taken in pixels of a crop of this side, whatever the input's size


def soft_wing(residual: Tensor, linear: float = 2.0, scale: float = 20.0, curve: float = 0.5) -> Tensor:
    """Soft wing loss, element-wise: |r| where |r| < w1, else w2 ln(1 + |r| / eps) + B, continuous at w1.

    Args:
        residual: in pixels.
        linear, scale, curve: w1, w2 and eps; B = w1 - w2 ln(1 + w1 / eps).
    """
    size = residual.abs()
    offset = linear - scale * torch.log1p(torch.as_tensor(linear / curve)).item()
    return torch.where(size < linear, size, scale * torch.log1p(size / curve) + offset)


def point_loss(found: Tensor, target: Tensor, valid: Tensor, config: SCCConfig) -> Tensor:
    """Soft wing loss of the coordinates (B, N, 2) in pixels, mean over the labelled ones (B, N)."""
    return masked_mean(_wing(_residual(found, target, valid), config).mean(-1), valid)


def relative_loss(found: Tensor, target: Tensor, valid: Tensor, adjacency: Tensor, config: SCCConfig) -> Tensor:
    """Relative location loss: soft wing loss between P S and P S_gt, see :func:`relative_matrix`.

    Args:
        found, target: (B, N, 2) in pixels.
        valid: (B, N); a row counts when the landmark and all its neighbours are labelled.
        adjacency: bool (N, N), directed.
    """
    matrix = relative_matrix(adjacency).to(found.dtype)
    residual = _residual(found, target, valid)
    whole = ((~valid).to(found.dtype) @ (matrix != 0).to(found.dtype).T) == 0
    return masked_mean(_wing(matrix @ residual, config).mean(-1), whole)


def _residual(found: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Unlabelled coordinates may be anything, also not a number: there the residual is 0 and has no gradient."""
    return torch.where(valid[..., None], found, 0) - torch.where(valid[..., None], target, 0)


def _wing(residual: Tensor, config: SCCConfig) -> Tensor:
    return soft_wing(residual, config.wing_linear, config.wing_scale, config.wing_curve)


def scc_loss(
    landmarks: Tensor, points: Tensor, valid: Tensor, adjacency: Tensor, config: SCCConfig, side: int
) -> Tensor:
    """Point loss plus ``relative_weight`` times the relative location loss.

    Args:
        landmarks: (B, N, 2) in pixels of a crop of ``side``.
        points: (B, N, 2) in [0, 1].
        valid: (B, N).
        adjacency: bool (N, N), directed.
    """
    found, target = landmarks.float() * (LOSS_SIDE / side), points * LOSS_SIDE
    loss = point_loss(found, target, valid, config)
    return loss + config.relative_weight * relative_loss(found, target, valid, adjacency, config)


def pose_repeats(points: Tensor, bins: int = 9) -> Tensor:
    """How often each face is shown in an epoch, so that rare poses are seen as often as common ones.

    The first principal component of the landmark vectors follows the head's turn; its absolute coefficient is cut
    into ``bins`` of equal width, and a face is repeated round(largest bin / its own bin) times.

    Args:
        points: (M, N, 2), every landmark labelled, in pixels of crops of one size.
        bins: how many.

    Returns:
        int64 (M,), at least 1 each.

    Raises:
        DataError: no face, or a landmark that is not finite.
    """
    if points.ndim != 3 or not len(points) or not bool(torch.isfinite(points).all()):
        raise DataError("Balancing poses needs at least one face, with every landmark labelled.")
    vectors = points.double().flatten(1)
    vectors = vectors - vectors.mean(0)
    direction = torch.linalg.svd(vectors, full_matrices=False).Vh[0]
    turn = (vectors @ direction).abs()
    low, high = turn.min(), turn.max()
    width = (high - low).clamp_min(torch.finfo(turn.dtype).tiny) / bins
    place = ((turn - low) / width).long().clamp(max=bins - 1)
    count = torch.bincount(place, minlength=bins)
    return (count.max() / count[place]).round().long()


class SCCTraining(AlignmentTraining):
    """Trains SCC; a "heatmaps" phase trains the maps that located nodes start from, without the graph network."""

    model: SCC

    def model_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        c = self.model.config
        answer = self.model(images)
        loss = scc_loss(answer.landmarks, batch.points, batch.valid, self.model.adjacency, c, images.shape[-1])
        if answer.heatmaps is not None and c.map_weight:
            logits = answer.heatmaps.clamp_min(torch.finfo(answer.heatmaps.dtype).tiny).log()
            loss = loss + c.map_weight * self._map_loss(logits, batch)
        return loss

    def phase_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        if self.phase.task == "heatmaps":
            return self._map_loss(self.warmup_logits(images), batch)
        return super().phase_loss(images, batch)

    def _map_loss(self, logits: Tensor, batch: AugmentedBatch) -> Tensor:
        return self.heatmap_loss(logits, batch, self.model.config.map_sigma)

    @torch.no_grad()
    def inherit(self, source: FaceModel) -> None:
        """Another SCC model of as many landmarks brings its graph along."""
        if isinstance(source, SCC) and source.adjacency.shape == self.model.adjacency.shape:
            self.model.set_graph(source.adjacency)
        super().inherit(source)

    def measure(self, model: FaceModel, folder: Path) -> list[dict[str, Any]]:
        """The error of the maps' centres of mass alone, which the graph network starts from, and what the graph gains
        where a rectangle hides the point."""
        assert isinstance(model, SCC)
        if not model.config.located:
            return []
        return [
            *measure_centres(model, folder, self.recipe.labels),
            *measure_covered(model, folder, self.recipe.labels),
            measure_edges(model, folder, self.recipe.labels),
        ]

    def warmup_heads(self) -> nn.ModuleList:
        if not self.model.config.located:
            raise DataError("Only an SCC model with located nodes has heatmaps to train; leave that phase out.")
        return nn.ModuleList()

    def warmup_logits(self, images: Tensor) -> Tensor:
        return self.model.node_map(images).float()


@torch.inference_mode()
def measure_centres(model: SCC, data: Path, labels: str | None = None) -> list[dict[str, Any]]:
    """A row for a model card: inter-ocular NME of the located nodes' centres of mass on the test part.

    Raises:
        DataError: the folder is not a benchmark or has no face in that part.
    """
    from workbench.evaluation.dataset import batches, load_faces

    packed = load_faces(model, data, labels, "test", False)
    errors = []
    for _, crops in batches(model, packed):
        heatmaps = model(model.prepare(crops.images)).heatmaps
        assert heatmaps is not None
        truth = torch.where(crops.valid[..., None], crops.points, torch.nan)
        errors.append(nme(centre_of_mass(heatmaps).cpu().numpy(), truth.cpu().numpy(), model.scheme))
    return [
        {
            "data": data.name,
            "split": "test",
            "labels": labels or "own",
            "faces": len(packed),
            "metric": "NME inter-ocular of the maps' centres of mass, without the graph network",
            "value": round(100 * float(np.nanmean(np.concatenate(errors))), 4),
            "unit": "%",
        }
    ]


@torch.inference_mode()
def measure_covered(
    model: SCC, data: Path, labels: str | None = None, side: float = 0.4, draws: int = 4, seed: int = 0
) -> list[dict[str, Any]]:
    """Rows for a model card: the error of points under a painted rectangle, of the maps' centres of mass and of the
    graph network that starts from them.

    Args:
        side: mean side of the rectangles as a part of the crop's; ``draws``: rectangles a face, one at a time.

    Raises:
        DataError: as :func:`measure_centres`.
    """
    from workbench.data.augment import occlude
    from workbench.evaluation.dataset import batches, load_faces
    from workbench.evaluation.occlusion import occluder

    packed = load_faces(model, data, labels, "test", False)
    generator = torch.Generator(model.device).manual_seed(seed)
    found = []
    for _, crops in batches(model, packed):
        for _ in range(draws):
            painted, under = occlude(crops.images, crops.points, generator, occluder(side))
            answer = model(model.prepare(painted))
            assert answer.heatmaps is not None
            both = torch.stack([centre_of_mass(answer.heatmaps), answer.landmarks / model.input_size])
            found.append((both - crops.points).norm(dim=-1)[:, under & crops.valid])
    centre, graph = (100 * torch.cat(found, 1).double().mean(1)).tolist()
    base = {"data": data.name, "split": "test", "labels": labels or "own", "faces": len(packed)}
    rows = (
        ("error of covered points, the maps' centres of mass", centre, "% of crop"),
        ("error of covered points, after the graph network", graph, "% of crop"),
        ("what the graph network takes off the error of covered points", 100 * (1 - graph / centre), "%"),
    )
    return [{**base, "metric": f"{m}, rectangle of {side:.0%}", "value": round(v, 4), "unit": u} for m, v, u in rows]


@torch.inference_mode()
def measure_edges(model: SCC, data: Path, labels: str | None = None) -> dict[str, Any]:
    """A row for a model card: how much an edge weight differs from face to face, its deviation over the faces against
    its mean, averaged over the edges of all layers."""
    from workbench.evaluation.dataset import batches, load_faces

    packed = load_faces(model, data, labels, "test", False)
    seen: dict[str, list[Tensor]] = {}
    for _, crops in batches(model, packed):
        with record(model, only="graph.*adjacency") as trace:
            model(model.prepare(crops.images))
        for name, entry in trace.items():
            seen.setdefault(name, []).append(entry.tensor[:, model.mask] if entry.tensor.ndim == 3 else entry.tensor)
    shares = [(w.std(0) / w.mean(0)).mean() for w in (torch.cat(parts) for parts in seen.values()) if len(w) > 1]
    value = float(torch.stack(shares).mean()) if shares else 0.0
    base = {"data": data.name, "split": "test", "labels": labels or "own", "faces": len(packed)}
    return {**base, "metric": "deviation of an edge's weight over faces", "value": round(100 * value, 4), "unit": "%"}
