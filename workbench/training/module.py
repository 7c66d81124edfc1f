"""The Lightning module that trains a patch transformer: a heatmap warm-up of the backbone, then the model."""

from __future__ import annotations

import math
from typing import Any

import lightning as L
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.data.augment import AugmentConfig, augment_batch, augment_preset, eval_batch
from workbench.landmarks import Scheme
from workbench.landmarks.metrics import nme
from workbench.models.dslpt import PatchTransformer
from workbench.training.losses import heatmap_warmup_loss, patch_loss, soft_argmax
from workbench.training.recipes import Recipe


class PatchTransformerTraining(L.LightningModule):
    """Trains ``model`` by ``recipe`` on batches of (uint8 images, points in packed pixels, valid).

    The warm-up drives the backbone alone through a throw-away 1x1 head on its finest map, so that a model trained
    from scratch on a few thousand faces meets features that already know where landmarks are.
    """

    def __init__(self, model: PatchTransformer, scheme: Scheme, recipe: Recipe, augment: AugmentConfig) -> None:
        super().__init__()
        self.model, self.scheme, self.recipe, self.augment = model, scheme, recipe, augment
        n = model.config.landmarks
        self.heatmap_heads: nn.ModuleList | None = None
        if recipe.warmup_epochs:
            with torch.no_grad():
                maps = model.backbone(torch.zeros(2, 3, model.config.input_size, model.config.input_size))
            self.heatmap_heads = nn.ModuleList(nn.Conv2d(m.shape[1], n, 1) for m in maps)
        self.errors: list[Tensor] = []

    @property
    def views(self) -> AugmentConfig:
        """The augmentation of the current phase."""
        polishing = self.current_epoch >= self.recipe.warmup_epochs + self.recipe.epochs
        return augment_preset("polish") if polishing else self.augment

    @property
    def warming(self) -> bool:
        return self.current_epoch < self.recipe.warmup_epochs

    def heatmaps(self, images: Tensor) -> Tensor:
        """Warm-up logits (B, N, h, w) at the finest map's size."""
        assert self.heatmap_heads is not None
        maps = self.model.backbone(images)
        size = maps[0].shape[-2:]
        logits = self.heatmap_heads[0](maps[0])
        for head, m in zip(list(self.heatmap_heads)[1:], maps[1:], strict=True):
            logits = logits + F.interpolate(head(m), size=size, mode="bilinear", align_corners=False)
        return logits.float()

    def distance(self, points: Tensor) -> Tensor:
        """Inter-ocular distance (B,) of points (B, N, 2), by which SLPT's loss is divided."""
        left, right = self.scheme.eye_corners or (0, -1)
        return (points[:, left] - points[:, right]).norm(dim=-1)

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> Tensor:
        size = self.model.config.input_size
        seed = self.recipe.seed * 1_000_003 + self.global_step * self.trainer.world_size + self.global_rank
        generator = torch.Generator(self.device).manual_seed(seed)
        out = augment_batch(*batch, self.scheme, self.views, size, generator)
        images = out.images.contiguous(memory_format=torch.channels_last)
        if self.warming:
            loss = heatmap_warmup_loss(self.heatmaps(images), out.points, out.valid)
        else:
            points = out.points * size
            loss = patch_loss(
                self.model(images),
                points,
                out.valid,
                self.model.config.likelihood,
                floor=self.recipe.floor,
                distance=self.distance(points),
            )
        self.log("loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> None:
        size = self.model.config.input_size
        out = eval_batch(*batch, size)
        images = out.images.contiguous(memory_format=torch.channels_last)
        if self.warming:
            found = soft_argmax(self.heatmaps(images))
        else:
            found = self.model(images).landmarks.float() / size
        self.errors.append(torch.as_tensor(nme(found.cpu().numpy(), out.points.cpu().numpy(), self.scheme)))

    def on_validation_epoch_end(self) -> None:
        if self.errors:
            self.log("nme", 100 * torch.cat(self.errors).mean(), prog_bar=True, sync_dist=True)
            self.errors.clear()

    def configure_optimizers(self) -> Any:
        r = self.recipe
        decay: list[Tensor] = []
        plain: list[Tensor] = []
        for name, p in self.named_parameters():
            if p.requires_grad:
                (plain if p.ndim < 2 or "encoding" in name or "query" in name else decay).append(p)
        groups = [{"params": decay, "weight_decay": r.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=1.0, betas=r.betas)
        total = int(self.trainer.estimated_stepping_batches)
        per_epoch = max(1, total // max(1, r.total_epochs))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(r, step, per_epoch))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The rate at a step: one cycle a phase (a tenth linear rise, then half a cosine), or steps at milestones."""
    r = recipe
    phases = ((r.warmup_epochs, r.lr_warmup), (r.epochs, r.lr), (r.polish_epochs, r.lr_polish))
    number = 0
    while number < 2 and step >= phases[number][0] * steps_per_epoch:
        step -= phases[number][0] * steps_per_epoch
        number += 1
    length, peak = phases[number][0] * steps_per_epoch, phases[number][1]
    if number == 1 and r.milestones:
        return float(peak * 0.1 ** sum(step // steps_per_epoch >= m for m in r.milestones))
    t, rise = min(step / max(1, length), 1.0), 0.1
    if t < rise:
        return peak * (0.04 + 0.96 * t / rise)
    return peak * max(1e-4, 0.5 * (1 + math.cos(math.pi * (t - rise) / (1 - rise))))
