"""NME, FR and AUC of a model on a benchmark folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from workbench.data.augment import AugmentedBatch, eval_batch
from workbench.data.pack import Packed, pack
from workbench.data.readers import open_dataset
from workbench.errors import DataError
from workbench.landmarks import Scheme
from workbench.landmarks.metrics import auc, failure_rate, nme, normaliser_distances
from workbench.models.base import FaceModel

PACK_SIZE = 256


@dataclass(frozen=True)
class Report:
    """Errors of one model on one part of a data set.

    Attributes:
        model, data, split, labels: what was measured; ``labels`` is None for the set's own labels.
        normaliser: by what the error is divided.
        threshold: of failure rate and AUC, as a fraction.
        nme: (M,) one fraction a measured face.
        files: (M,) names, in the same order.
        left_out: a sentence for every face that could not be measured: without a picture that can be read, without
            landmarks, or without the points that the normaliser needs.
    """

    model: str
    data: str
    split: str
    labels: str | None
    normaliser: str
    threshold: float
    nme: np.ndarray
    files: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values: NME and FR in per cent, AUC as a fraction."""
        return {
            "model": self.model,
            "data": self.data,
            "split": self.split,
            "labels": self.labels or "own",
            "faces": len(self.nme),
            "left_out": len(self.left_out),
            "normaliser": self.normaliser,
            "nme_percent": round(100 * float(np.mean(self.nme)), 4),
            "failure_rate_percent": round(100 * float(failure_rate(self.nme, self.threshold)), 4),
            "auc": round(float(auc(self.nme, self.threshold)), 4),
            "threshold": self.threshold,
        }

    def text(self) -> str:
        """One line for a terminal."""
        d = self.to_dict()
        labels = "" if self.labels is None else f", labels {self.labels} (machine-made)"
        lost = f", {len(self.left_out)} left out" if self.left_out else ""
        return (
            f"{self.model} on {self.data} {self.split} ({d['faces']} faces{lost}{labels}): "
            f"NME {d['nme_percent']:.2f} % {self.normaliser.replace('_', '-')}, "
            f"FR@{self.threshold:.2f} {d['failure_rate_percent']:.2f} %, AUC@{self.threshold:.2f} {d['auc']:.3f}"
        )

    def metrics(self) -> list[dict[str, Any]]:
        """Rows for a model card."""
        d = self.to_dict()
        base = {k: d[k] for k in ("data", "split", "labels", "faces")}
        at = f"{self.threshold:.2f}"
        return [
            {
                **base,
                "metric": f"NME {self.normaliser.replace('_', '-')}",
                "value": d["nme_percent"],
                "unit": "%",
            },
            {**base, "metric": f"FR@{at}", "value": d["failure_rate_percent"], "unit": "%"},
            {**base, "metric": f"AUC@{at}", "value": d["auc"], "unit": ""},
        ]


def load_faces(model: FaceModel, data: str | Path, labels: str | None, split: str | None, progress: bool) -> Packed:
    """The part of a data set that a model's scheme can be measured on. Raises DataError when it is empty."""
    dataset = open_dataset(Path(data), scheme=model.scheme, split=split, labels=labels)
    packed = pack(dataset, size=PACK_SIZE, progress=progress)
    if not len(packed):
        raise DataError(f"{data} has no faces in its '{split}' part; choose another with --split.")
    return packed


def batches(
    model: FaceModel, packed: Packed, batch: int = 32, progress: bool = False
) -> Iterator[tuple[slice, AugmentedBatch]]:
    """The papers' crops (tight landmark box x 1.2) of a packed set, RGB in [0, 1] on the model's device."""
    steps = range(0, len(packed), batch)
    for start in tqdm(steps, desc=f"{model.name}", unit="batch", disable=not progress):
        part = slice(start, min(start + batch, len(packed)))
        images, points, valid = (t.to(model.device) for t in packed[part])
        yield part, eval_batch(images, points, valid, model.input_size)


@torch.inference_mode()
def evaluate(
    model: FaceModel,
    data: str | Path,
    *,
    labels: str | None = None,
    split: str | None = "test",
    normaliser: str = "inter_ocular",
    threshold: float = 0.10,
    batch: int = 32,
    progress: bool = True,
) -> Report:
    """Measure a model with the papers' crop, taken from the true landmarks.

    Args:
        model: from ``load_model``.
        data: a benchmark folder, see ``workbench.data.open_dataset``.
        labels: None for the set's own labels, or the name of its pseudo-labels.
        split: "train", "test" or None for all.
        normaliser: "inter_ocular", "inter_pupil", "box" or "diagonal".
        threshold: of FR and AUC.

    Raises:
        DataError: the folder is not a benchmark, has other landmarks, or no face in that part that can be measured.
    """
    packed = _measurable(load_faces(model, data, labels, split, progress), model.scheme, normaliser, data)
    errors: list[np.ndarray] = []
    for _, crops in batches(model, packed, batch, progress):
        found = model(model.prepare(crops.images)).landmarks.float() / model.input_size
        truth = torch.where(crops.valid[..., None], crops.points, torch.nan)
        errors.append(nme(_array(found), _array(truth), model.scheme, normaliser))
    return Report(
        model=model.name,
        data=Path(data).name,
        split=split or "all",
        labels=labels,
        normaliser=normaliser,
        threshold=threshold,
        nme=np.concatenate(errors),
        files=packed.files,
        left_out=packed.skipped,
    )


def _measurable(packed: Packed, scheme: Scheme, normaliser: str, data: str | Path) -> Packed:
    """The faces that have what the normaliser needs; the others join those skipped. Raises DataError for none."""
    known = np.isfinite(normaliser_distances(packed.labelled(), scheme, normaliser, strict=False))
    distance = f"{normaliser.replace('_', '-')} distance"
    if not known.any():
        raise DataError(
            f"None of the {len(packed)} faces of {data} has what the {distance} needs; choose another with "
            "--normaliser."
        )
    if known.all():
        return packed
    files = np.array(packed.files)
    lost = tuple(f"{name} has no {distance}: its points are missing or coincide." for name in files[~known])
    return Packed(*packed[torch.from_numpy(known)], tuple(files[known].tolist()), packed.skipped + lost)


def _array(values: Tensor) -> np.ndarray:
    return values.double().cpu().numpy()
