"""Do maps over the face turn away from what is covered?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.data.augment import occlude
from workbench.evaluation.dataset import batches, load_faces
from workbench.evaluation.occlusion import OCCLUDER
from workbench.explain.occlusion_maps import MAPS, CoverEffect, cover_effect, mask_coverage
from workbench.models.base import FaceModel
from workbench.tracing import record


@dataclass(frozen=True)
class MapReport:
    """Maps of the same faces, once with a rectangle painted over them and once without.

    Attributes:
        inside, outside: tap -> mean of the map (before, after) in the covered part and beside it, over all faces.
        faces, data, split, labels: where.
    """

    inside: dict[str, tuple[float, float]]
    outside: dict[str, tuple[float, float]]
    faces: int
    data: str
    split: str
    labels: str

    def change(self, tap: str) -> float:
        """By which part of itself the map fell (negative) or rose in the covered part, against beside it."""
        (a, b), (c, d) = self.inside[tap], self.outside[tap]
        return (b / a) / (d / c) - 1

    def metrics(self) -> list[dict[str, Any]]:
        """Rows for a model card."""
        base = {"data": self.data, "split": self.split, "labels": self.labels, "faces": self.faces}
        rows = []
        for tap in self.inside:
            name = MAPS.get(tap, tap)
            rows += [
                (f"{name} where a rectangle will be painted", self.inside[tap][0], ""),
                (f"{name} under the rectangle", self.inside[tap][1], ""),
                (f"change of {name} under the rectangle against beside it", 100 * self.change(tap), "%"),
            ]
        return [{**base, "metric": m, "value": round(v, 4), "unit": u} for m, v, u in rows]


@torch.inference_mode()
def maps_under_occlusion(
    model: FaceModel,
    data: str | Path,
    taps: tuple[str, ...] = tuple(MAPS),
    *,
    labels: str | None = None,
    split: str | None = "test",
    seed: int = 0,
    progress: bool = False,
) -> MapReport:
    """Read every face twice, once with one random rectangle of about 30 % of the crop's side painted over it.

    Raises:
        UnknownNameError: the model has no such tap.
        DataError: as in ``evaluate``.
    """
    packed = load_faces(model, data, labels, split, progress)
    generator = torch.Generator(model.device).manual_seed(seed)
    effects: dict[str, list[CoverEffect]] = {tap: [] for tap in taps}
    for _, crops in batches(model, packed, progress=progress):
        painted, _ = occlude(crops.images, crops.points, generator, OCCLUDER)
        masks = (painted != crops.images).any(1).cpu().numpy()
        with record(model, only=taps) as before:
            model(model.prepare(crops.images))
        with record(model, only=taps) as after:
            model(model.prepare(painted))
        for tap in taps:
            for one, two, mask in zip(before[tap].numpy(), after[tap].numpy(), masks, strict=True):
                effects[tap].append(cover_effect(one, two, mask_coverage(one.shape, mask)))
    return MapReport(
        inside={
            tap: (_mean(e.before.inside for e in f), _mean(e.after.inside for e in f)) for tap, f in effects.items()
        },
        outside={
            tap: (_mean(e.before.outside for e in f), _mean(e.after.outside for e in f)) for tap, f in effects.items()
        },
        faces=len(packed),
        data=Path(data).name,
        split=split or "all",
        labels=labels or "own",
    )


def _mean(values: Iterable[float]) -> float:
    """Over the faces of which a part was covered."""
    return float(np.nanmean(list(values)))
