"""How SSFA is trained: heatmaps, and the facial structure prior on its attention (Li et al., MIR 2024, 3.3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from workbench.data.augment import AugmentedBatch
from workbench.explain.self_attention import landmark_masks, leaked_mass
from workbench.models.base import FaceModel
from workbench.models.ssfa import SSFA, Affinity, SSFAConfig
from workbench.tracing import record
from workbench.training.losses import masked_mean
from workbench.training.module import AlignmentTraining

CHUNK = 256


def prior_mask(points: Tensor, size: int, sigma: float, radius: float, valid: Tensor | None = None) -> Tensor:
    """The facial structure prior (Eq 3-4): a Gaussian around every landmark, cut to a square, all added up.

    Args:
        points: (B, N, 2) in [0, 1] of the crop; cell i of the map has its centre at (i + 0.5) / size.
        size: side of the map, H = W.
        sigma: of the Gaussian, in cells.
        radius: R, half the square's side in cells, its border included.
        valid: (B, N), False where a landmark has no label and adds nothing.

    Returns:
        (B, size, size); its positive cells are the neighbourhood NEI (Eq 5). It exceeds 1 where landmarks crowd.
    """
    cells = torch.arange(size, device=points.device, dtype=points.dtype)
    offset = cells - (points.unsqueeze(-1) * size - 0.5)  # (B, N, 2, size)
    axis = torch.where(offset.abs() <= radius, torch.exp(-offset.square() / (2 * sigma**2)), 0.0)
    if valid is not None:
        axis = torch.where(valid[..., None, None], axis, 0.0)
    return axis[..., 1, :].transpose(1, 2) @ axis[..., 0, :]


def prior_loss_plain(attention: Tensor, mask: Tensor) -> Tensor:
    """L_pr (Eq 6) read off the whole matrix: what neighbourhood positions attend to outside, weighted by the mask.

    Args:
        attention: (B, H W, H W), rows are queries. Raw products count by their absolute value, as Eq 6 is an L1 sum.
        mask: (B, H, W) from :func:`prior_mask`.

    Returns:
        Mean over the batch of the sum divided by the neighbourhood's size; a face without one adds 0.
    """
    flat = mask.flatten(1)
    outside = flat <= 0
    leaked = (attention.abs() * outside[:, None]).sum(-1)
    return ((leaked * flat).sum(-1) / (~outside).sum(-1).clamp_min(1)).mean()


def prior_loss(q: Tensor, k: Tensor, mask: Tensor, normalise: str = "softmax", chunk: int = CHUNK) -> Tensor:
    """L_pr (Eq 6) of the attention between ``q`` and ``k`` that never holds more than a slice of its matrix.

    Only queries of the neighbourhood matter, and they are taken ``chunk`` at a time, face by face. With softmax the
    leaked mass of a query is exp(logsumexp over the outside - logsumexp over all). As the loss is one number, its
    gradient is known up to a factor when it is computed: both come from one pass, and only the gradients of ``q``
    and ``k`` are kept. Value and gradient are those of :func:`prior_loss_plain`.

    Args:
        q, k: (B, C', H, W) queries and keys; products are not scaled.
        mask: (B, H, W) from :func:`prior_mask`; it gets no gradient.
        normalise: "softmax" over the keys, or "none" for the absolute values of the products.
        chunk: queries in one slice.
    """
    return _PriorLoss.apply(q, k, mask, normalise, chunk)


class _PriorLoss(torch.autograd.Function):
    """Forward computes the gradients too; backward multiplies them."""

    @staticmethod
    def forward(ctx: FunctionCtx, q: Tensor, k: Tensor, mask: Tensor, normalise: str, chunk: int) -> Tensor:
        exact = torch.float64 if q.dtype == torch.float64 else torch.float32
        wanted = any(ctx.needs_input_grad[:2])  # type: ignore[attr-defined]
        grads = (torch.zeros_like(q), torch.zeros_like(k)) if wanted else ()
        total = torch.zeros((), dtype=exact, device=q.device)
        with torch.autocast(q.device.type, enabled=False):
            for face, weights in enumerate(mask.flatten(1).to(exact)):
                inside = (weights > 0).nonzero()[:, 0]
                outside = weights <= 0
                weights = weights / (max(len(inside), 1) * len(mask))
                queries, keys = (t[face].flatten(1).to(exact) for t in (q, k))  # (C', H W)
                into = [torch.zeros_like(queries), torch.zeros_like(keys)] if wanted else []
                for rows in inside.split(chunk):
                    part = queries[:, rows]
                    leaked, slope = _slice(part.T @ keys, outside, weights[rows], normalise, wanted)
                    total += leaked @ weights[rows]
                    if slope is not None:
                        into[0][:, rows] = keys @ slope.T
                        into[1] += part @ slope
                for whole, one in zip(grads, into, strict=True):
                    whole[face] = one.view_as(whole[face])
        if wanted:
            ctx.save_for_backward(*grads)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        gq, gk = ctx.saved_tensors
        return gq * upstream, gk * upstream, None, None, None


def _slice(
    scores: Tensor, outside: Tensor, weights: Tensor, normalise: str, wanted: bool
) -> tuple[Tensor, Tensor | None]:
    """Leaked mass (n,) of a slice of scores (n, H W), and the weighted sum's gradient by the scores; ``scores`` is
    used up."""
    if normalise != "softmax":
        leaked = (scores.abs() * outside).sum(-1)
        return leaked, scores.sign_().mul_(outside).mul_(weights[:, None]) if wanted else None
    everything = scores.logsumexp(-1)
    leaked = torch.exp(scores[:, outside].logsumexp(-1) - everything) if outside.any() else everything * 0
    if not wanted:
        return leaked, None
    # d leak / d score_j = p_j (1 outside, else 0, minus leak)
    scores.sub_(everything[:, None]).exp_()
    return leaked, scores.mul_(outside.to(scores.dtype) - leaked[:, None]).mul_(weights[:, None])


def heatmap_mse(scores: Tensor, points: Tensor, valid: Tensor, sigma: float) -> Tensor:
    """Eq 8: squared error summed over a heatmap, averaged over the landmarks.

    Args:
        scores: (B, N, h, h).
        points: (B, N, 2) in [0, 1]; a point outside the crop has no target and is left out.
        valid: (B, N).
        sigma: of the target, a Gaussian of height 1, in cells.
    """
    size = scores.shape[-1]
    offset = torch.arange(size, device=points.device, dtype=points.dtype) + 0.5 - points.unsqueeze(-1) * size
    axis = torch.exp(-0.5 * (offset / sigma).square())
    target = axis[..., 1, :, None] * axis[..., 0, None, :]
    inside = valid & ((points >= 0) & (points <= 1)).all(-1)
    return masked_mean((scores - target).square().sum((-2, -1)), inside)


def attention_prior(pairs: list[Affinity], points: Tensor, valid: Tensor, config: SSFAConfig) -> Tensor:
    """L_pr summed over the spatial attentions on the finest map; those on smaller maps (three of the four at location
    A) would find most of their few cells inside the neighbourhood and are left free.

    Args:
        pairs: queries and keys, from ``SSFA.score``.
        points: (B, N, 2) in [0, 1].
        valid: (B, N).
        config: sigma, R and the normalisation.
    """
    side = max(pair.query.shape[-1] for pair in pairs)
    mask = prior_mask(points, side, config.prior_sigma, config.prior_radius, valid)
    finest = (pair for pair in pairs if pair.query.shape[-1] == side)
    return torch.stack([prior_loss(*pair, mask, config.normalise) for pair in finest]).sum()


class SSFATraining(AlignmentTraining):
    """Heatmap loss plus beta times the prior loss (Eq 9)."""

    model: SSFA

    def model_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        c = self.model.config
        scores, pairs = self.model.score(images)
        if c.loss == "mse":
            loss = heatmap_mse(scores, batch.points, batch.valid, c.heatmap_sigma)
        else:
            loss = self.heatmap_loss(scores, batch, c.heatmap_sigma)
        if c.beta and pairs:
            prior = attention_prior(pairs, batch.points, batch.valid, c)
            self.log("prior", prior.detach())
            loss = loss + c.beta * prior
        return loss

    def measure(self, model: FaceModel, folder: Path) -> list[dict[str, Any]]:
        """The attention's strength gamma, and the mass it leaks from landmarks to the background."""
        assert isinstance(model, SSFA)
        return measure_leak(model, folder, labels=self.recipe.labels)


@torch.inference_mode()
def measure_leak(model: SSFA, data: Path, labels: str | None = None, split: str = "test") -> list[dict[str, Any]]:
    """Rows for a model card: gamma and the mean leaked mass of the last spatial attention at location B, beside what
    uniform attention would leak and what a single key cell takes.

    The neighbourhoods are those of the true landmarks; landmarks without a label are left out. The key cell is the one
    that, over all faces, gets most: of all mass, and of the mass that leaves landmark neighbourhoods (a sink).

    Returns:
        No rows for a model without spatial attention at B.

    Raises:
        DataError: the folder is not a benchmark or has no face in that part.
    """
    from workbench.evaluation.dataset import batches, load_faces

    if model.attention_b is None or model.attention_b.spatial is None:
        return []
    c = model.config
    tap = "attention_b.spatial.attention"
    packed = load_faces(model, data, labels, split, False)
    leaks, chance = [], []
    every, leaked = np.zeros(()), np.zeros(())
    for _, crops in batches(model, packed, batch=8):
        with record(model, only=tap) as trace:
            model(model.prepare(crops.images))
        truth = torch.where(crops.valid[..., None], crops.points, torch.nan).cpu().numpy()
        for attention, points in zip(trace[tap].numpy(), truth, strict=True):
            known = points[np.isfinite(points).all(-1)]
            leaks.append(leaked_mass(attention, known, c.prior_sigma, c.prior_radius).mean)
            reached = np.broadcast_to((attention.sum((0, 1)) > 0).astype(float), attention.shape)
            chance.append(leaked_mass(reached, known, c.prior_sigma, c.prior_radius).mean)
            masks = landmark_masks(known, len(attention), c.prior_sigma, c.prior_radius)
            masks = masks[masks.any((1, 2))]
            inside = masks.sum(0) > 0
            weight = (masks / masks.sum((1, 2), keepdims=True)).mean(0)
            every = every + attention.mean((0, 1))
            leaked = leaked + np.tensordot(weight, attention, 2) * ~inside
    base = {"data": Path(data).name, "split": split, "labels": labels or "own", "faces": len(packed)}
    rows = (
        ("mean attention mass leaked from landmark neighbourhoods", float(np.nanmean(leaks))),
        ("the same of uniform attention", float(np.nanmean(chance))),
        ("largest part of all attention mass that one key cell takes", float(every.max()) / len(leaks)),
        ("leaked mass in the key cell that takes most of it", float(leaked.max()) / len(leaks)),
        ("gamma of the spatial attention", float(model.attention_b.spatial.gamma)),
    )
    return [{**base, "metric": name, "value": round(value, 4), "unit": ""} for name, value in rows]
