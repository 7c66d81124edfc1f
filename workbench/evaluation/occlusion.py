"""Does the predicted uncertainty rise where a point is covered?"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.data.augment import AugmentConfig, occlude
from workbench.errors import DataError, TraceError
from workbench.evaluation.dataset import batches, load_faces
from workbench.models.base import FaceModel

OCCLUDER = AugmentConfig(occlusion_p=1.0, blocks=1, block=0.30, block_sd=0.05)
SIDES = (0.3, 0.4, 0.5)
"""Rectangles that a card tells of, as parts of the crop's side: sigma rises with what can no longer be seen."""


def occluder(side: float) -> AugmentConfig:
    """One rectangle of one colour a face, ``side`` (deviation 0.05) parts of the crop wide and high on average."""
    return replace(OCCLUDER, block=side)


@dataclass(frozen=True)
class OcclusionReport:
    """Predicted standard deviation and true error of the same points, covered by a rectangle and not.

    Attributes:
        covered, clear: mean sigma in per cent of the crop's side.
        covered_error, clear_error: mean distance to the label, in the same unit.
        side: mean side of the rectangles, as a part of the crop's.
        points: how many points were covered, over all draws.
        draws: rectangles a face.
        faces, data, split, labels: where.
    """

    covered: float
    clear: float
    covered_error: float
    clear_error: float
    side: float
    points: int
    draws: int
    faces: int
    data: str
    split: str
    labels: str

    @property
    def ratio(self) -> float:
        """Mean sigma covered / uncovered."""
        return self.covered / self.clear

    def text(self) -> str:
        """One line for a terminal."""
        return (
            f"{self.points} points under rectangles of {self.side:.0%} of the crop's side ({self.draws} a face): "
            f"sigma {self.covered:.2f} % of the crop, {self.clear:.2f} % uncovered, ratio {self.ratio:.3f}; "
            f"error {self.covered_error:.2f} %, "
            f"{self.clear_error:.2f} % uncovered, ratio {self.covered_error / self.clear_error:.3f}"
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "ratio": self.ratio}

    def metrics(self) -> list[dict[str, Any]]:
        """Rows for a model card."""
        base = {"data": self.data, "split": self.split, "labels": self.labels, "faces": self.faces}
        at = f", rectangle of {self.side:.0%}"
        rows = (
            ("mean sigma of covered points", self.covered, "% of crop"),
            ("mean sigma of the same points uncovered", self.clear, "% of crop"),
            ("sigma ratio covered / uncovered", self.ratio, ""),
            ("mean error of covered points", self.covered_error, "% of crop"),
            ("mean error of the same points uncovered", self.clear_error, "% of crop"),
        )
        return [{**base, "metric": m + at, "value": round(v, 4), "unit": u} for m, v, u in rows]


@torch.inference_mode()
def sigma_under_occlusion(
    model: FaceModel,
    data: str | Path,
    *,
    labels: str | None = None,
    split: str | None = "test",
    side: float = 0.4,
    draws: int = 8,
    seed: int = 0,
    progress: bool = False,
) -> OcclusionReport:
    """Read every face without and with a random rectangle of one colour painted over it.

    Args:
        model, data, labels, split, progress: as in ``evaluate``.
        side: mean side of the rectangles as a part of the crop's (standard deviation 0.05).
        draws: rectangles a face, one at a time; the ratio of a single one swings by a few per cent.
        seed: of the rectangles.

    Raises:
        TraceError: the model predicts no uncertainty.
        DataError: as in ``evaluate``, or no landmark was covered.
    """
    packed = load_faces(model, data, labels, split, progress)
    generator = torch.Generator(model.device).manual_seed(seed)
    found: list[Tensor] = []  # (points, 4): sigma covered and not, error covered and not
    for _, crops in batches(model, packed, progress=progress):
        truth = crops.points * model.input_size
        before = _spread_and_error(model, crops.images, truth)
        for _ in range(draws):
            painted, under = occlude(crops.images, crops.points, generator, occluder(side))
            under &= crops.valid
            after = _spread_and_error(model, painted, truth)
            found.append(torch.stack([after[0], before[0], after[1], before[1]], -1)[under])
    values = torch.cat(found).double()
    if not len(values):
        raise DataError(f"No landmark of {data} came to lie under a rectangle; measure on more faces.")
    covered, clear, covered_error, clear_error = (100 / model.input_size * values.mean(0)).tolist()
    return OcclusionReport(
        covered=covered,
        clear=clear,
        covered_error=covered_error,
        clear_error=clear_error,
        side=side,
        points=len(values),
        draws=draws,
        faces=len(packed),
        data=Path(data).name,
        split=split or "all",
        labels=labels or "own",
    )


def _spread_and_error(model: FaceModel, images: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Of crops (B, 3, S, S) of RGB in [0, 1]: mean sigma of both axes and distance to ``truth`` (B, N, 2), each (B, N)
    in crop pixels."""
    answer = model(model.prepare(images))
    if answer.variance is None:
        raise TraceError(f"{model.name} predicts no uncertainty, so nothing can be measured under an occluder.")
    return answer.sigma().mean(-1).float(), (answer.landmarks.float() - truth).norm(dim=-1)
