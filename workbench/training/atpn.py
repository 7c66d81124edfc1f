"""How ATPN is trained: landmarks, then tracking, then pose, the later branches on a frozen trunk (thesis 3.2.4)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from workbench.data.augment import AugmentedBatch, augment_batch, augment_preset, crop_matrix, warp
from workbench.data.pack import Packed, pack
from workbench.data.readers import open_dataset
from workbench.errors import DataError, UnknownNameError
from workbench.landmarks import Scheme
from workbench.models.atpn import ATPN
from workbench.models.base import FaceModel
from workbench.training.atpn_data import (
    HELD_OUT,
    PICTURES,
    Faces,
    box_of,
    mesh_pose,
    non_faces,
    open_pictures,
    open_turned,
    posed_views,
)
from workbench.training.folders import set_folder
from workbench.training.losses import masked_mean
from workbench.training.module import AlignmentTraining
from workbench.training.recipes import Recipe

TURNED = "mtfl5"
"""The set with pose classes, beside the recipe's sets; the training does without where it is missing."""
LANDMARKS_ALONE = ("heatmaps", "model")


def landmark_loss(shape: Tensor, truth: Tensor, valid: Tensor, distance: Tensor) -> Tensor:
    """Eq. 3.3: mean distance between points over the inter-ocular distance (the mean over points is our reading).

    Args:
        shape, truth: (B, N, 2), any unit.
        valid: (B, N).
        distance: (B,), between the outer eye corners, same unit.
    """
    return masked_mean((shape - truth).norm(dim=-1) / distance[:, None].clamp_min(1e-6), valid)


def tracking_loss(logits: Tensor, face: Tensor, kind: str = "cross_entropy") -> Tensor:
    """Eq. 3.5, mean over the samples.

    Args:
        logits: (B, 2), background and face.
        face: (B,), 1 for a face, 0 for none.
        kind: "cross_entropy", or "printed", whose second term (1 - y)(1 - log p) sinks without bound as the
            confidence in a non-face falls.

    Raises:
        UnknownNameError: for another kind.
    """
    log = logits.log_softmax(-1)
    if kind == "cross_entropy":
        return -(face * log[:, 1] + (1 - face) * log[:, 0]).mean()
    if kind == "printed":
        return -(face * log[:, 1] + (1 - face) * (1 - log[:, 1])).mean()
    raise UnknownNameError(f"There is no tracking loss '{kind}'; choose 'cross_entropy' or 'printed'.")


def pose_loss(angles: Tensor, truth: Tensor, kind: str = "norm") -> Tensor:
    """Eq. 3.7, mean over the samples.

    Args:
        angles: (B, 3) radians.
        truth: the same, NaN where not known; such an angle counts as right.
        kind: "norm": |P - P'| / 3; "absolute": mean absolute error, the measure of Table 3.6; "printed": the square
            root of the norm, over 3.

    Raises:
        UnknownNameError: for another kind.
    """
    off = torch.where(truth.isnan(), torch.zeros_like(angles), angles - truth.nan_to_num())
    if kind == "norm":
        return (off.norm(dim=-1) / 3).mean()
    if kind == "absolute":
        return off.abs().mean()
    if kind == "printed":
        return (off.norm(dim=-1).clamp_min(1e-9).sqrt() / 3).mean()
    raise UnknownNameError(f"There is no pose loss '{kind}'; choose 'norm', 'absolute' or 'printed'.")


def squared_weights(module: nn.Module) -> Tensor:
    """Half the sum of squares of the weights of convolutions and linear layers: l2 of Eq. 3.4, 3.6 and 3.8."""
    weights = [p for p in module.parameters() if p.ndim > 1]
    return 0.5 * torch.stack([w.square().sum() for w in weights]).sum()


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the precision-recall curve: sum of (recall step) x (precision), samples by falling score.

    Samples of the same score enter together.
    """
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order] > 0)
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    recall, precision = hits[last] / hits[-1], hits[last] / (last + 1)
    return float((np.diff(recall, prepend=0.0) * precision).sum())


class ATPNTraining(AlignmentTraining):
    """Phases: "heatmaps" (the pyramid, through throw-away heads), "model" (landmarks; Eq. 3.4), "tracking" (Eq. 3.6),
    "pose" (Eq. 3.8). The thesis has the last three."""

    model: ATPN

    def __init__(self, model: FaceModel, scheme: Scheme, recipe: Recipe) -> None:
        super().__init__(model, scheme, recipe)
        self.pictures = open_pictures(PICTURES)

    @classmethod
    def open_data(cls, recipe: Recipe, data: Path, cache: Path) -> tuple[Packed, Packed]:
        """The recipe's faces with the angles that can be had for them, and the faces of :data:`TURNED`.

        Raises:
            DataError: also when pose is to be learned and no angle is known.
        """
        training, testing = super().open_data(recipe, data, cache)
        known: dict[str, np.ndarray] = {}
        for name in recipe.sets:
            known |= mesh_pose(set_folder(data, name))
        pose = np.stack([known.get(name, np.full(3, np.nan)) for name in training.files])
        turned, turned_pose = None, None
        if (data / TURNED).is_dir():
            turned, turned_pose, _ = open_turned(data / TURNED, "train", recipe.pack, cache)
        if turned is None and not np.isfinite(pose).any() and any(p.task == "pose" for p in recipe.phases):
            raise DataError(
                f"Pose cannot be learned: put dense_mediapipe.npz into {', '.join(recipe.sets)}, or {TURNED} beside."
            )
        t = training
        angles = torch.from_numpy(pose).float()
        faces = Faces(t.images, t.points, t.valid, t.files, t.skipped, angles, turned, turned_pose)
        return faces, testing

    def warmup_maps(self, images: Tensor) -> list[Tensor]:
        """The multiview features, finest first."""
        return self.model.landmark.pyramid(self.model.features(images))

    def warmup_logits(self, images: Tensor) -> Tensor:
        return self.read_maps(self.warmup_maps(images))

    def read_maps(self, pyramid: list[Tensor]) -> Tensor:
        """Logits (B, N, h, w) of the throw-away heads, summed at the finest map's size."""
        assert self.heatmap_heads is not None
        size = pyramid[0].shape[-2:]
        logits = [head(level) for head, level in zip(self.heatmap_heads, pyramid, strict=True)]
        sized = [F.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in logits]
        return torch.stack(sized).sum(0).float()

    def view(self, batch: Any, generator: Generator) -> AugmentedBatch:
        """Crops from tight to 1.6 times the landmarks' box: what a detector gives, and what tracking crops."""
        images, points, valid = batch[:3]
        centre, side = box_of(points, valid)
        wider = 0.95 + 0.4 * torch.rand(side.shape, generator=generator, device=side.device)
        views = augment_preset(self.phase.views)
        frame = (centre, side * wider)
        return augment_batch(images, points, valid, self.scheme, views, self.model.input_size, generator, frame)

    def model_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        pyramid = self.warmup_maps(images)
        shape = self.model.place(pyramid)
        left, right = self.scheme.eye_corners or (0, -1)
        distance = (batch.points[:, left] - batch.points[:, right]).norm(dim=-1)
        loss = landmark_loss(shape, batch.points, batch.valid, distance)
        if self.heatmap_heads is not None:
            loss = loss + self.recipe.auxiliary_weight * self.heatmap_loss(self.read_maps(pyramid), batch)
        return loss + self.regulariser(self.model.backbone, self.model.landmark)

    def regulariser(self, *modules: nn.Module) -> Tensor:
        """w l2 over what is being trained."""
        weight = self.model.config.decay
        if not weight:
            return torch.zeros((), device=self.device)
        return weight * torch.stack([squared_weights(module) for module in modules]).sum()

    def training_step(self, batch: Any, index: int) -> Tensor:
        if self.phase.task in LANDMARKS_ALONE:
            return super().training_step(batch[:3], index)
        seed = self.recipe.seed * 1_000_003 + self.global_step * self.trainer.world_size + self.global_rank
        generator = torch.Generator(self.device).manual_seed(seed)
        loss = self.pose_step(batch, generator) if self.phase.task == "pose" else self.tracking_step(batch, generator)
        self.log("loss", loss, prog_bar=True)
        return loss

    @torch.no_grad()
    def frozen(self, crops: Tensor) -> Tensor:
        """Gated features of crops (B, 3, S, S) in [0, 1], from the trunk as it stands."""
        self.model.backbone.eval()
        self.model.landmark.eval()
        shape, low = self.model.locate(self.model_input(crops))
        return self.model.attend(shape, low)

    def tracking_step(self, batch: Any, generator: Generator) -> Tensor:
        """Every other face of both sets, and one crop that is none from each photograph."""
        size, pieces = self.model.input_size, []
        for images, points, valid, pose in (batch[:4], batch[4:]):
            centre, side = box_of(points, valid)
            crops, _ = posed_views(images[::2], centre[::2], side[::2], pose[::2], size, generator)
            none, _ = non_faces(images, centre, side, size, generator, self.pictures)
            pieces.append((crops, none))
        faces, rest = (torch.cat(crops) for crops in zip(*pieces, strict=True))
        logits = self.model.face_logits(self.frozen(torch.cat([faces, rest])))
        label = torch.cat([torch.ones(len(faces)), torch.zeros(len(rest))]).to(logits)
        assert self.model.tracking is not None
        loss = tracking_loss(logits, label, self.model.config.tracking_loss)
        return loss + self.regulariser(self.model.tracking)

    def pose_step(self, batch: Any, generator: Generator) -> Tensor:
        """Every face of both sets once."""
        size, crops, truth = self.model.input_size, [], []
        for images, points, valid, pose in (batch[:4], batch[4:]):
            seen, angles = posed_views(images, *box_of(points, valid), pose, size, generator)
            crops.append(seen)
            truth.append(angles)
        found = self.model.angles(self.frozen(torch.cat(crops)))
        assert self.model.pose is not None
        loss = pose_loss(found, torch.cat(truth), self.model.config.pose_loss)
        return loss + self.regulariser(self.model.pose)

    def measure(self, model: FaceModel, folder: Path) -> list[dict[str, Any]]:
        """Pose and tracking on the test part, and on that of :data:`TURNED` where it lies beside."""
        assert isinstance(model, ATPN)
        packed = pack(open_dataset(folder, split="test"), size=self.recipe.pack, progress=False)
        rows = pose_rows(model, packed, folder)
        sets = [packed]
        if (folder.parent / TURNED).is_dir():
            turned, _, classes = open_turned(folder.parent / TURNED, "test", self.recipe.pack, None)
            rows += yaw_rows(model, turned, classes)
            sets.append(turned)
        return rows + tracking_rows(model, sets)


def tight_crops(packed: Packed, size: int) -> Tensor:
    """The papers' crops, 1.2 times the box, (M, 3, size, size) in [0, 1]."""
    centre, side = box_of(packed.points, packed.valid)
    return warp(packed.images, crop_matrix(centre, 1.2 * side, size), size)


@torch.inference_mode()
def answers(model: ATPN, crops: Tensor) -> tuple[Tensor, Tensor]:
    """Pose (M, 3) in radians and confidence (M,) for crops in [0, 1]."""
    pose, confidence = [], []
    for part in crops.split(64):
        answer = model(model.prepare(part))
        assert answer.pose is not None and answer.confidence is not None
        pose.append(answer.pose)
        confidence.append(answer.confidence)
    return torch.cat(pose), torch.cat(confidence)


def _row(data: str, faces: int, metric: str, value: float, unit: str, labels: str) -> dict[str, Any]:
    return dict(data=data, split="test", labels=labels, faces=faces, metric=metric, value=round(value, 4), unit=unit)


def pose_rows(model: ATPN, packed: Packed, folder: Path) -> list[dict[str, Any]]:
    """Mean absolute errors of the three angles against a rigid face fitted to mesh points."""
    known = mesh_pose(folder)
    chosen = [i for i, name in enumerate(packed.files) if name in known]
    if not chosen:
        return []
    found, _ = answers(model, tight_crops(packed, model.input_size)[chosen])
    truth = np.stack([known[packed.files[i]] for i in chosen])
    errors = np.rad2deg(np.abs(found.numpy() - truth).mean(0))
    return [
        _row(
            folder.name, len(chosen), f"{angle} mean absolute error", float(error), "degrees", "fitted to mesh points"
        )
        for angle, error in zip(("yaw", "pitch", "roll"), errors, strict=True)
    ]


def yaw_rows(model: ATPN, turned: Packed, classes: np.ndarray) -> list[dict[str, Any]]:
    """How often the sign of yaw is right where the class says left or right."""
    found, confidence = answers(model, tight_crops(turned, model.input_size))
    yaw, away = np.rad2deg(found[:, 0].numpy()), classes != 3
    right = np.sign(yaw[away]) == np.sign(classes[away] - 3)
    tracked = float((confidence > model.config.threshold).float().mean())
    means = [
        _row(
            TURNED, int((classes == c).sum()), f"mean yaw of class {c}", float(yaw[classes == c].mean()), "degrees", ""
        )
        for c in np.unique(classes)
    ]
    return [
        _row(TURNED, int(away.sum()), "sign of yaw right", 100 * float(right.mean()), "%", "own"),
        *means,
        _row(TURNED, len(turned), "faces above the tracking threshold", 100 * tracked, "%", "own"),
    ]


def tracking_rows(model: ATPN, sets: list[Packed], negatives: int = 10) -> list[dict[str, Any]]:
    """Average precision of face against no face: held-out crops, ten negatives for each face as in the thesis."""
    generator = torch.Generator().manual_seed(0)
    size, pictures = model.input_size, open_pictures(HELD_OUT)
    scores, labels, faces = [], [], 0
    for packed in sets:
        part = packed if len(packed) <= 250 else _every(packed, -(-len(packed) // 250))
        centre, side = box_of(part.points, part.valid)
        unknown = torch.full((len(part), 3), torch.nan)
        crops, _ = posed_views(part.images, centre, side, unknown, size, generator, turn=15.0)
        scores.append(answers(model, crops)[1])
        labels.append(torch.ones(len(part)))
        for _ in range(negatives):
            none, _ = non_faces(part.images, centre, side, size, generator, pictures)
            scores.append(answers(model, none)[1])
            labels.append(torch.zeros(len(part)))
        faces += len(part)
    score, label = torch.cat(scores).numpy(), torch.cat(labels).numpy()
    missed = float((score[label > 0] <= model.config.threshold).mean())
    taken = float((score[label == 0] > model.config.threshold).mean())
    name = "crops of the test photographs"
    return [
        _row(name, faces, "face / no face, average precision", average_precision(score, label), "", "own"),
        _row(name, faces, "faces below the tracking threshold", 100 * missed, "%", "own"),
        _row(name, faces, "non-faces above the tracking threshold", 100 * taken, "%", "own"),
    ]


def _every(packed: Packed, step: int) -> Packed:
    return replace(
        packed,
        images=packed.images[::step],
        points=packed.points[::step],
        valid=packed.valid[::step],
        files=packed.files[::step],
    )


__all__ = ["ATPNTraining", "average_precision", "landmark_loss", "pose_loss", "squared_weights", "tracking_loss"]
