"""How SLPT and DSLPT are trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.data.augment import AugmentedBatch
from workbench.errors import SettingsError
from workbench.landmarks import Scheme
from workbench.models.base import FaceModel
from workbench.models.dslpt import PatchTransformer
from workbench.training.losses import patch_loss
from workbench.training.module import AlignmentTraining
from workbench.training.recipes import Recipe


class PatchTransformerTraining(AlignmentTraining):
    """Every stage and layer is trained; SLPT's error is divided by the inter-ocular distance (thesis Eq. 4.8)."""

    model: PatchTransformer

    def __init__(self, model: FaceModel, scheme: Scheme, recipe: Recipe) -> None:
        super().__init__(model, scheme, recipe)
        stages, weights = self.model.config.stages, recipe.stage_weights
        if len(weights) != stages:
            raise SettingsError(
                f"The recipe {recipe.name} weighs the losses of {len(weights)} stages, but its model has {stages}; "
                f"give it stage_weights of {stages} numbers."
            )

    def model_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        points = batch.points * self.model.input_size
        left, right = self.scheme.eye_corners or (0, -1)
        between = (points[:, left] - points[:, right]).norm(dim=-1)
        mean = self.model.mean_shape * self.model.input_size
        # A face whose corners are not both labelled counts as wide as the mean face.
        known = batch.valid[:, left] & batch.valid[:, right] & (between > 1)
        return patch_loss(
            self.model(images),
            points,
            batch.valid,
            self.model.config.likelihood,
            self.recipe.stage_weights,
            floor=self.recipe.floor,
            distance=torch.where(known, between, (mean[left] - mean[right]).norm()),
            norm=self.recipe.point_norm,
        )

    def measure(self, model: FaceModel, folder: Path) -> list[dict[str, Any]]:
        from workbench.evaluation import SIDES, sigma_under_occlusion

        assert isinstance(model, PatchTransformer)
        labels = self.recipe.labels
        rows = [
            *measure_patches(model, folder, labels),
            _without(model, folder, labels, "structure encodings", model.relation.structure_encoding),
            _without(model, folder, labels, "landmark queries", model.relation.landmark_query),
        ]
        if self.model.config.likelihood is None:
            return rows
        reports = (sigma_under_occlusion(model, folder, labels=labels, side=side) for side in SIDES)
        return rows + [row for report in reports for row in report.metrics()]


@torch.inference_mode()
def measure_patches(model: PatchTransformer, data: Path, labels: str | None = None) -> list[dict[str, Any]]:
    """Rows for a model card: how many labels lie inside the patch of each stage after the first, and, where patches
    follow the uncertainty, how many of those are larger than the rule's floor.

    Raises:
        DataError: as in ``evaluate``.
    """
    from workbench.evaluation.dataset import batches, load_faces

    packed = load_faces(model, data, labels, "test", False)
    c = model.config
    inside: list[Tensor] = []
    grown: list[Tensor] = []
    for _, crops in batches(model, packed):
        rects = model(model.prepare(crops.images)).rects / model.input_size  # (stage, B, N, 4)
        corner, size = rects[..., :2], rects[..., 2:]
        within = ((crops.points >= corner) & (crops.points <= corner + size)).all(-1)
        inside.append(within[1:, crops.valid])
        floor = c.size_limits[0] * size[:-1].amax(-1)
        grown.append((size[1:].amax(-1) > 1.01 * floor)[:, crops.valid])
    base = {"data": data.name, "split": "test", "labels": labels or "own", "faces": len(packed)}
    rows = []
    for i, (held, larger) in enumerate(zip(torch.cat(inside, 1), torch.cat(grown, 1), strict=True), 2):
        rows.append((f"labels inside their patch of stage {i}", held))
        if c.size_rule != "halve":
            rows.append((f"patches of stage {i} above the floor of the size rule", larger))
    return [{**base, "metric": m, "value": round(100 * float(v.double().mean()), 4), "unit": "%"} for m, v in rows]


@torch.no_grad()
def _without(model: FaceModel, folder: Path, labels: str | None, what: str, values: Tensor) -> dict[str, Any]:
    """A card's row: the error with some of the model's parameters set to zero."""
    from workbench.evaluation import evaluate

    kept = values.clone()
    values.zero_()
    try:
        row = evaluate(model, folder, labels=labels, progress=False).metrics()[0]
    finally:
        values.copy_(kept)
    return {**row, "metric": f"{row['metric']}, {what} set to zero"}
