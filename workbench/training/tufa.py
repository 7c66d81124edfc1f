"""How TUFA is trained: anchors of several conventions in one batch (thesis 6.2.1, 6.2.3 and 6.3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from workbench.data.augment import AugmentedBatch, augment_batch, augment_preset, eval_batch
from workbench.data.mixed import (
    DENSE,
    Layout,
    MixedFaces,
    draw_anchors,
    frames,
    get_source,
    held_out,
    load_mixed,
    make_layout,
    open_mixed,
)
from workbench.data.pack import Packed, pack
from workbench.evaluation.zero_shot import DrawnShapes, ZeroShot, drawn_shapes, zero_shot
from workbench.landmarks import get_scheme
from workbench.landmarks.metrics import nme, normaliser_distances
from workbench.models.base import FaceModel
from workbench.models.tufa import TUFA
from workbench.training.folders import load_packed
from workbench.training.losses import gaussian_maps, masked_mean
from workbench.training.module import AlignmentTraining
from workbench.training.recipes import Recipe


@dataclass(frozen=True)
class AnchoredBatch(AugmentedBatch):
    """Attributes:
    anchors: (B, N_a), the columns of the layout that ``points`` and ``valid`` (B, N_a) belong to.
    """

    anchors: Tensor


def anchor_loss(found: Tensor, points: Tensor, valid: Tensor, every_layer: bool = True) -> Tensor:
    """L1 loss (Eq. 6.12): |dx| + |dy|, meant over the labelled anchors of the batch.

    Args:
        found: (layer, B, N_a, 2); ``points`` (B, N_a, 2) in the same unit; ``valid`` (B, N_a).
        every_layer: mean over all decoder layers; otherwise the last alone.
    """
    used = found if every_layer else found[-1:]
    return masked_mean((used - points).abs().sum(-1), valid)


def pointing_loss(logits: Tensor, points: Tensor, valid: Tensor, sigma: float) -> Tensor:
    """Cross-entropy between what every layer points at and a Gaussian around the label.

    Args:
        logits: (layer, B, N_a, side * side).
        points: (B, N_a, 2) in [0, 1]; anchors outside the crop are left out. ``valid``: (B, N_a).
        sigma: of the Gaussian in cells.
    """
    side = round(logits.shape[-1] ** 0.5)
    inside = valid & ((points >= 0) & (points <= 1)).all(-1)
    target = gaussian_maps(points, side, sigma).flatten(-2)
    return masked_mean(-(target * logits.log_softmax(-1)).sum(-1), inside)


@contextmanager
def plain_attention(device: torch.device) -> Iterator[None]:
    """On a CPU: attention as two matrix products, whose backward pass in bfloat16 takes half the fused kernel's
    time for a few hundred tokens."""
    if device.type != "cpu":
        yield
        return
    before = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(before)


class TUFATraining(AlignmentTraining):
    """Draws anchors of every convention a face has; the mean shapes come from the training faces, the semantic
    alignment embeddings are learned."""

    model: TUFA
    layout: Layout

    @classmethod
    def open_data(cls, recipe: Recipe, data: Path, cache: Path) -> tuple[MixedFaces, Packed]:  # type: ignore[override]
        layout = make_layout(recipe.config.conventions, data)
        training = load_mixed(data, recipe.sets, layout, recipe.pack, cache)
        return training, load_packed(recipe, data, (recipe.test,), "test", cache)

    @classmethod
    def mean_face(cls, training: MixedFaces) -> Tensor:  # type: ignore[override]
        return torch.from_numpy(training.mean_shapes()[training.layout.conventions[0]])

    def adopt(self, training: MixedFaces) -> None:
        """Take over the columns and mean shapes of the training faces."""
        self.layout = training.layout
        self.model.set_mean_shapes(training.mean_shapes())

    def on_train_start(self) -> None:
        loader: Any = self.trainer.train_dataloader
        self.adopt(loader.dataset)

    def view(self, batch: Any, generator: Generator) -> AnchoredBatch:
        """A random view of every face, with anchors drawn from the points that it has."""
        images, points, valid, frame, weights = batch
        views, size = augment_preset(self.phase.views), self.model.input_size
        square = (frame[:, :2], frame[:, 2])
        out = augment_batch(images, points, valid, self.layout.scheme, views, size, generator, square)
        anchors, labelled = draw_anchors(out.valid, weights, self.model.config.anchors, generator)
        chosen = out.points.gather(1, anchors[..., None].expand(-1, -1, 2))
        return AnchoredBatch(out.images, chosen, labelled, out.covered.gather(1, anchors), out.painted, anchors)

    def plane(self) -> Tensor:
        """The plane points of all columns (T, 2)."""
        return torch.cat([self.model.prompt(name) for name in self.layout.conventions])

    def model_loss(self, images: Tensor, batch: AugmentedBatch) -> Tensor:
        assert isinstance(batch, AnchoredBatch)
        c = self.model.config
        with plain_attention(images.device):
            found, logits = self.model.locate(images, self.plane()[batch.anchors])
        loss = c.loss_scale * anchor_loss(found, batch.points, batch.valid, c.aux_loss)
        if logits is not None and c.heatmap_weight:
            loss = loss + c.heatmap_weight * pointing_loss(logits, batch.points, batch.valid, c.heatmap_sigma)
        return loss

    def measure(self, model: FaceModel, folder: Path) -> list[dict[str, Any]]:
        """The other conventions that the model has learned, each with its own prompt, where their data lies beside
        the recipe's test set."""
        assert isinstance(model, TUFA)
        known, rows = model.config.conventions, []
        for name, convention, split in OTHERS:
            path = folder if folder.name == name else folder.parent / name
            if convention in known and path.is_dir() and name in self.recipe.sets:
                rows += measure_convention(model, path, convention, split)
        return rows + measure_unseen(model, folder.parent)


OTHERS = (
    ("w300_68", "wflw98", "test"),
    ("w300_68", DENSE, "test"),
    ("helen29", "cofw29", None),
    ("mtfl5", "five", "test"),
)
"""Data set, convention and part that a card tells beside the model's own scheme; None is what was held out."""


UNSEEN: tuple[tuple[str, str | int, str | None], ...] = (
    ("w300_68", "wflw98", "pseudo98"), ("imm_frontal73", 73, None), ("webmorph189", "webmorph189", None),
)  # fmt: skip
"""Data set, convention and labels of what is measured zero-shot by a model that has not learned it."""


def measure_unseen(model: TUFA, data: Path) -> list[dict[str, Any]]:
    """Both zero-shot protocols (Tables 6.11 and 6.10) on the sets that lie in a folder, as rows for a card."""

    found: list[ZeroShot | DrawnShapes] = [
        zero_shot(model, data / name, labels=labels, convention=convention, progress=False)
        for name, convention, labels in UNSEEN
        if convention not in model.config.conventions and (data / name).is_dir()
    ]
    if (five := data / "mtfl5").is_dir():
        found.append(drawn_shapes(model, five, progress=False))
    return [row for one in found for row in one.rows()]


@torch.inference_mode()
def measure_convention(model: TUFA, folder: Path, convention: str, split: str | None) -> list[dict[str, Any]]:
    """NME of one convention's prompt on one data set, as rows for a card.

    Divided by the inter-ocular distance, taken from the human points where the convention's labels are machine-made,
    and by the distance of the pupils for five points.
    """
    source = get_source(folder.name)
    lead = source.labels[0][0]
    layout = make_layout(tuple(dict.fromkeys((lead, convention))), folder.parent)
    dataset = open_mixed(source, folder, layout, split or "train")
    dataset = dataset if split else held_out(source, dataset)
    packed = pack(dataset, size=256, progress=False)
    first, wanted = layout.columns[lead], layout.columns[convention]
    square = frames(packed.points[:, first], packed.valid[:, first], source.widen, source.lower)
    prompt, errors = model.prompt(convention), []
    by = "inter_ocular" if get_scheme(lead).eye_corners else "inter_pupil"
    for start in range(0, len(packed), 32):
        part = slice(start, start + 32)
        images, points, valid = (t.to(model.device) for t in packed[part])
        box = square[part].to(model.device)
        out = eval_batch(images, points, valid, model.input_size, frame=(box[:, :2], box[:, 2]))
        found = model(model.prepare(out.images), prompt).landmarks.float() / model.input_size
        truth = torch.where(out.valid[..., None], out.points, torch.nan).cpu().double().numpy()
        distance = normaliser_distances(truth[:, first], lead, by)
        errors.append(nme(found.cpu().double().numpy(), truth[:, wanted], distance))
    labels = next((labels for name, labels, _ in source.labels if name == convention), None)
    return [
        {
            "data": folder.name,
            "split": dataset.split or "all",
            "labels": f"{convention}, {f'machine-made ({labels})' if labels else 'human'}",
            "faces": len(packed),
            "metric": f"NME {by.replace('_', '-')}",
            "value": round(100 * float(np.nanmean(np.concatenate(errors))), 4),
            "unit": "%",
        }
    ]
