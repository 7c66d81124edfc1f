"""The Lightning module that every system trains with: views, phases, learning rate, validation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import lightning as L
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.data.augment import AugmentedBatch, augment_batch, augment_preset, eval_batch
from workbench.data.pack import Packed
from workbench.errors import DataError
from workbench.landmarks import Scheme
from workbench.landmarks.geometry import mean_shape
from workbench.landmarks.metrics import nme, normaliser_distances
from workbench.models.base import FaceModel
from workbench.training.folders import load_packed
from workbench.training.losses import heatmap_warmup_loss, soft_argmax
from workbench.training.recipes import Phase, Recipe

RECIPE_KEY = "workbench_recipe"
"""Entry of a resumable state that holds the recipe's name."""


class AlignmentTraining(L.LightningModule):
    """Trains ``model`` by ``recipe`` on batches of (uint8 images, points in packed pixels, valid).

    A system says how it learns by overriding :meth:`model_loss`, and where it needs more: :meth:`phase_loss` for tasks
    of its own, :meth:`warmup_maps`, :meth:`inherit`, :meth:`measure`.
    """

    def __init__(self, model: FaceModel, scheme: Scheme, recipe: Recipe) -> None:
        super().__init__()
        self.model, self.scheme, self.recipe = model, scheme, recipe
        self.heatmap_heads: nn.ModuleList | None = None
        if any(phase.task == "heatmaps" for phase in recipe.phases):
            self.heatmap_heads = self.warmup_heads()
        self.errors: list[Tensor] = []

    @classmethod
    def open_data(cls, recipe: Recipe, data: Path, cache: Path) -> tuple[Packed, Packed]:
        """Training and test faces of a recipe, packed below ``cache``. Raises DataError."""
        return (
            load_packed(recipe, data, recipe.sets, "train", cache),
            load_packed(recipe, data, (recipe.test,), "test", cache),
        )

    @classmethod
    def mean_face(cls, training: Packed) -> Tensor:
        """(N, 2) in [0, 1] of the crop, from the training labels."""
        return torch.from_numpy(mean_shape(training.labelled()))

    @classmethod
    def fit_model(cls, model: FaceModel, training: Packed) -> None:
        """Give a new model what it takes from the training set besides the mean face; nothing here."""

    def model_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        """Loss of the model itself.

        Args:
            images: (B, 3, S, S) as the model takes them (:meth:`model_input`), channels last.
            batch: points (B, N, 2) in [0, 1], which of them are labelled, which are covered.
        """
        raise NotImplementedError

    def phase_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        """Loss of the current phase's task."""
        if self.phase.task == "heatmaps":
            return self.heatmap_loss(self.warmup_logits(images), batch)
        return self.model_loss(images, batch)

    def heatmap_loss(self, logits: Tensor, batch: AugmentedBatch, sigma: float = 1.5) -> Tensor:
        """Loss of logits (B, N, h, h) against Gaussians of ``sigma`` cells, weighted by the recipe."""
        weight = self.recipe.offset_weight
        return heatmap_warmup_loss(logits, batch.points, batch.valid, sigma, offset_weight=weight)

    def warmup_maps(self, images: Tensor) -> list[Tensor]:
        """Feature maps (B, C, h, w), finest first, that a "heatmaps" phase trains."""
        backbone: nn.Module = self.model.backbone  # type: ignore[assignment]
        return list(backbone(images))

    def warmup_heads(self) -> nn.ModuleList:
        """Throw-away 1x1 heads, one for every map."""
        side = self.model.input_size
        with torch.no_grad():
            maps = self.warmup_maps(torch.zeros(2, 3, side, side))
        return nn.ModuleList(nn.Conv2d(m.shape[1], self.model.config.landmarks, 1) for m in maps)

    def warmup_logits(self, images: Tensor) -> Tensor:
        """Logits (B, N, h, w) at the finest map's size, so that a model trained from scratch on a few thousand faces
        meets features that already know where landmarks are."""
        assert self.heatmap_heads is not None
        maps = self.warmup_maps(images)
        size = maps[0].shape[-2:]
        logits = self.heatmap_heads[0](maps[0])
        for head, m in zip(list(self.heatmap_heads)[1:], maps[1:], strict=True):
            logits = logits + F.interpolate(head(m), size=size, mode="bilinear", align_corners=False)
        return logits.float()

    @torch.no_grad()
    def inherit(self, source: FaceModel) -> None:
        """Start from another model: every tensor of the same name and shape is copied, the mean face is not."""
        theirs = source.state_dict()
        for name, tensor in self.model.state_dict().items():
            if name != "mean_shape" and name in theirs and theirs[name].shape == tensor.shape:
                tensor.copy_(theirs[name])

    def measure(self, model: FaceModel, folder: Path) -> list[dict[str, Any]]:
        """What the card tells beside NME, FR and AUC.

        Args:
            model: as stored, in evaluation mode on the CPU.
            folder: of the recipe's test set.
        """
        return []

    @property
    def phase(self) -> Phase:
        """The phase of the current epoch."""
        return self.recipe.phase_at(self.current_epoch)[0]

    def on_train_epoch_start(self) -> None:
        """Parts that the phase leaves alone get no gradient, and their batch normalisation keeps its statistics."""
        if not any(phase.frozen for phase in self.recipe.phases):
            return
        for name, part in self.model.named_modules():
            fixed = bool(name) and name.startswith(self.phase.frozen)
            part.training = not fixed
            for parameter in part.parameters(recurse=False):
                parameter.requires_grad_(not fixed)

    def training_step(self, batch: Any, index: int) -> Tensor:
        seed = self.recipe.seed * 1_000_003 + self.global_step * self.trainer.world_size + self.global_rank
        generator = torch.Generator(self.device).manual_seed(seed)
        out = self.view(batch, generator)
        loss = self.phase_loss(self.model_input(out.images), out)
        if not torch.isfinite(loss):
            step = self.global_step
            raise DataError(f"The loss of step {step} is not finite; look for broken labels, or use full precision.")
        self.log("loss", loss, prog_bar=True)
        return loss

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[RECIPE_KEY] = self.recipe.name

    def view(self, batch: Any, generator: torch.Generator) -> AugmentedBatch:
        """One random view of every face of a batch, by the current phase's augmentation."""
        images, points, valid = batch
        views = augment_preset(self.phase.views)
        return augment_batch(images, points, valid, self.scheme, views, self.model.input_size, generator)

    def model_input(self, images: Tensor) -> Tensor:
        """What the model takes, channels last, from crops of RGB in [0, 1].

        Autocast leaves the arithmetic of the normalisation alone, so that it runs in full precision.
        """
        return self.model.prepare(images).contiguous(memory_format=torch.channels_last)

    def validation_step(self, batch: Any, index: int) -> None:
        size = self.model.input_size
        images, points, valid = batch[:3]
        out = eval_batch(images, points, valid, size)
        images = self.model_input(out.images)
        if self.phase.task == "heatmaps":
            found = soft_argmax(self.warmup_logits(images))
        else:
            found = self.model(images).landmarks.float() / size
        truth = torch.where(out.valid[..., None], out.points, torch.nan)
        labels = truth.cpu().numpy()
        distances = normaliser_distances(labels, self.scheme, strict=False)  # a face without one is left out
        self.errors.append(torch.as_tensor(nme(found.cpu().numpy(), labels, distances)))

    def on_validation_epoch_end(self) -> None:
        if self.errors:
            self.log("nme", 100 * torch.cat(self.errors).nanmean(), prog_bar=True, sync_dist=True)
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
        per_epoch = max(1, total // max(1, r.epochs))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(r, step, per_epoch))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The rate at a step: one cycle a phase (a tenth linear rise, then half a cosine), or steps at milestones."""
    phase, first = recipe.phase_at(step // steps_per_epoch)
    step -= first * steps_per_epoch
    if phase.milestones:
        return float(phase.lr * 0.1 ** sum(step // steps_per_epoch >= m for m in phase.milestones))
    t, rise = min(step / max(1, phase.epochs * steps_per_epoch), 1.0), 0.1
    if t < rise:
        return phase.lr * (0.04 + 0.96 * t / rise)
    return phase.lr * max(1e-4, 0.5 * (1 + math.cos(math.pi * (t - rise) / (1 - rise))))
