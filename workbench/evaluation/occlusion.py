"""Does the predicted uncertainty rise where a point is covered?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.data.augment import AugmentConfig, normalise, occlude
from workbench.errors import TraceError
from workbench.evaluation.dataset import batches, load_faces
from workbench.models.base import MEAN, STD, FaceModel

OCCLUDER = AugmentConfig(occlusion_p=1.0, blocks=1, block=0.30, block_sd=0.05)


@dataclass(frozen=True)
class OcclusionReport:
    """Mean predicted standard deviation of the same points, covered by a rectangle and not.

    Attributes:
        covered, clear: mean sigma in per cent of the crop's side.
        points: how many points were covered.
        faces, data, split, labels: where.
    """

    covered: float
    clear: float
    points: int
    faces: int
    data: str
    split: str
    labels: str

    @property
    def ratio(self) -> float:
        return self.covered / self.clear

    def metrics(self) -> list[dict[str, Any]]:
        """Rows for a model card."""
        base = {"data": self.data, "split": self.split, "labels": self.labels, "faces": self.faces}
        rows = (
            ("mean sigma of covered points", self.covered, "% of crop"),
            ("mean sigma of the same points uncovered", self.clear, "% of crop"),
            ("sigma ratio covered / uncovered", self.ratio, ""),
        )
        return [{**base, "metric": m, "value": round(v, 4), "unit": u} for m, v, u in rows]


@torch.inference_mode()
def sigma_under_occlusion(
    model: FaceModel,
    data: str | Path,
    *,
    labels: str | None = None,
    split: str | None = "test",
    seed: int = 0,
    progress: bool = False,
) -> OcclusionReport:
    """Read every face twice, once with one random rectangle of about 30 % of the crop's side painted over it.

    Raises:
        TraceError: the model predicts no uncertainty.
        DataError: as in ``evaluate``.
    """
    packed = load_faces(model, data, labels, split, progress)
    generator = torch.Generator(model.device).manual_seed(seed)
    mean, std = (torch.tensor(v, device=model.device).view(3, 1, 1) for v in (MEAN, STD))
    covered, clear = [], []
    for _, crops in batches(model, packed, progress=progress):
        plain = (crops.images * std + mean).clamp(0, 1)
        painted, under = occlude(plain, crops.points, generator, OCCLUDER)
        answer = model(crops.images)
        if answer.variance is None:
            raise TraceError(f"{model.name} predicts no uncertainty, so nothing can be measured under an occluder.")
        before = answer.sigma().mean(-1)[under]
        after = model(normalise(painted)).sigma().mean(-1)[under]
        clear.append(before.cpu().numpy())
        covered.append(after.cpu().numpy())
    percent = 100 / model.input_size
    return OcclusionReport(
        covered=float(np.concatenate(covered).mean()) * percent,
        clear=float(np.concatenate(clear).mean()) * percent,
        points=sum(map(len, covered)),
        faces=len(packed),
        data=Path(data).name,
        split=split or "all",
        labels=labels or "own",
    )
