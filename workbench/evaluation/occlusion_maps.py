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
from workbench.explain.occlusion_maps import MAPS, InsideOutside, inside_outside, mask_coverage
from workbench.models.base import FaceModel
from workbench.tracing import record


@dataclass(frozen=True)
class MapReport:
    """Maps of the same faces, once with a rectangle painted over them and once without.

    Attributes:
        inside, outside: tap -> mean of the map (before, after) in the covered part and beside it, over all faces.
        lower: tap -> share of the faces whose map is lower in the covered part than before.
        auc: tap -> area under the ROC curve with which a low value tells a covered cell of the painted faces.
        faces, data, split, labels: where.
    """

    inside: dict[str, tuple[float, float]]
    outside: dict[str, tuple[float, float]]
    lower: dict[str, float]
    auc: dict[str, float]
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
                (f"faces whose {name} falls under the rectangle", 100 * self.lower[tap], "%"),
                (f"area under the ROC curve, covered cells by low {name}", self.auc[tap], ""),
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
    found: dict[str, list[tuple[InsideOutside, InsideOutside]]] = {tap: [] for tap in taps}
    cells: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {tap: [] for tap in taps}
    for _, crops in batches(model, packed, progress=progress):
        painted, _ = occlude(crops.images, crops.points, generator, OCCLUDER)
        masks = (painted != crops.images).any(1).cpu().numpy()
        with record(model, only=taps) as before:
            model(model.prepare(crops.images))
        with record(model, only=taps) as after:
            model(model.prepare(painted))
        for tap in taps:
            for one, two, mask in zip(before[tap].numpy(), after[tap].numpy(), masks, strict=True):
                coverage = mask_coverage(one.shape, mask)
                found[tap].append((inside_outside(one, coverage), inside_outside(two, coverage)))
                cells[tap].append((two.ravel(), coverage.ravel() > 0.5))
    return MapReport(
        inside={tap: (_mean(a.inside for a, _ in f), _mean(b.inside for _, b in f)) for tap, f in found.items()},
        outside={tap: (_mean(a.outside for a, _ in f), _mean(b.outside for _, b in f)) for tap, f in found.items()},
        lower={
            tap: _mean(float(b.inside < a.inside) for a, b in f if np.isfinite(a.inside)) for tap, f in found.items()
        },
        auc={tap: roc_auc(*map(np.concatenate, zip(*pairs, strict=True))) for tap, pairs in cells.items()},
        faces=len(packed),
        data=Path(data).name,
        split=split or "all",
        labels=labels or "own",
    )


def _mean(values: Iterable[float]) -> float:
    """Over the faces of which a part was covered."""
    return float(np.nanmean(list(values)))


def roc_auc(values: np.ndarray, covered: np.ndarray) -> float:
    """Chance that a covered cell has a lower value than one that is not, ties counting half; NaN without both kinds.

    Args:
        values: (M,).
        covered: bool (M,).
    """
    low, high = values[covered], np.sort(values[~covered])
    if not len(low) or not len(high):
        return float("nan")
    above = len(high) - np.searchsorted(high, low, "right")
    level = np.searchsorted(high, low, "right") - np.searchsorted(high, low, "left")
    return float((above + level / 2).mean() / len(high))
