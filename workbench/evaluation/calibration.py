"""Measuring whether a model's sigma keeps its promise, and fitting the scalar of each stage that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.data.augment import occlude
from workbench.data.pack import Packed
from workbench.errors import DataError, SettingsError, TraceError
from workbench.evaluation.dataset import batches, load_faces
from workbench.evaluation.occlusion import OCCLUDER, SIDES
from workbench.explain import (
    CalibrationReport,
    Coverage,
    calibration,
    coverage,
    fit_scale,
    promise,
    rank_correlation,
    rank_within,
    spread_bins,
)
from workbench.explain.calibration import LEVELS
from workbench.models.base import FaceModel


@dataclass(frozen=True)
class _Found:
    """Errors and sigma of the last layer of every stage, (stage, M, N, 2) in [0, 1] of the crop, NaN where unknown."""

    errors: np.ndarray
    sigma: np.ndarray

    def of(self, faces: np.ndarray | slice, stage: int = -1) -> tuple[np.ndarray, np.ndarray]:
        return self.errors[stage, faces], self.sigma[stage, faces]


def calibrate(
    model: FaceModel,
    data: str | Path,
    *,
    labels: str | None = None,
    split: str | None = "test",
    folds: Sequence[FaceModel] = (),
    compare: str | Path | None = None,
    sides: Sequence[float] = SIDES,
    draws: int = 4,
    seed: int = 0,
    progress: bool = False,
) -> CalibrationReport:
    """Coverage of a model's sigma, as predicted and recalibrated by one scalar a stage.

    The scalars come from ``folds``: models trained by the same recipe without a part of the training faces
    (``workbench train --leave-out 1/5``), each read on the faces that it has not seen. Without folds they are fitted
    on the measured faces themselves, which the model has not seen either, and the recalibrated coverage is measured
    by two-fold cross-fitting: fitted on every other face, measured on the rest, and the other way round.

    Args:
        model, data, labels, split, progress: as in ``evaluate``.
        folds: see above.
        compare: another benchmark folder whose test part the scalars are fitted on for comparison.
        sides, draws, seed: mean sides of the painted rectangles as in ``sigma_under_occlusion``, draws a face.

    Raises:
        TraceError: the model predicts no uncertainty.
        SettingsError: a fold's card does not tell what was left out, or folds that do not belong together.
        DataError: as in ``evaluate``, or fewer than two faces.
    """
    packed = load_faces(model, data, labels, split, progress)
    if len(packed) < 2:
        raise DataError(f"{data} has one face in its '{split}' part; a calibration needs two at least.")
    clear = _collect(model, packed, progress)
    law, stages, name = _law(model), range(len(clear.errors)), Path(data).name
    part = f"{name} {split or 'all'}" + (f", labels {labels}" if labels else "")
    odd = np.arange(len(packed)) % 2 == 1
    if folds:
        unseen = _of_folds(folds, data, labels, progress)
        scales = [fit_scale(*unseen.of(slice(None), s), law) for s in stages]
        halves = [(slice(None), scales)]
        fitted = (
            f"{unseen.errors.shape[1]} training faces, each read by a network trained without it ({len(folds)} folds)"
        )
        measured = f"on {part}"
    else:
        scales = [fit_scale(*clear.of(slice(None), s), law) for s in stages]
        halves = [(half, [fit_scale(*clear.of(~half, s), law) for s in stages]) for half in (odd, ~odd)]
        fitted = f"{part}: {len(packed)} faces never seen in training"
        measured = "two-fold: scalars fitted on every other face, measured on the rest, and the other way round"

    def row(where: str, found: _Found, stage: int) -> Coverage:
        errors, sigma = found.errors[stage], found.sigma[stage]
        known = np.isfinite(errors) & np.isfinite(sigma)
        mended = _mended(found, halves, stage)
        return Coverage(
            where=where,
            count=int(known.sum()),
            observed=tuple(coverage(errors, sigma)),
            recalibrated=tuple(coverage(errors, mended)),
            sigma=100 * float(sigma[known].mean()),
            error=100 * float(np.abs(errors[known]).mean()),
        )

    rows = [row(f"stage {s + 1}", clear, s) for s in stages]
    for side in sides:
        under = _collect(model, packed, progress, side, draws, seed)
        if np.isfinite(under.errors).any():
            rows.append(row(f"rectangle of {side:.0%}", under, -1))
    errors, sigma = clear.errors[-1], clear.sigma[-1]
    mended = _mended(clear, halves, -1)
    plain, after = calibration(errors, sigma, likelihood=law), calibration(errors, mended, likelihood=law)
    distance, spread = np.linalg.norm(errors, axis=-1), np.sqrt(sigma.prod(-1))
    return CalibrationReport(
        likelihood=law,
        scales=tuple(scales),
        fitted=fitted,
        measured=measured,
        promise=tuple(promise(level, law) for level in LEVELS),
        rows=tuple(rows),
        expected=tuple(plain.expected),
        observed=tuple(plain.observed),
        recalibrated=tuple(after.observed),
        bins=tuple((100 * float(s), 100 * float(e)) for s, e in spread_bins(errors, mended)),
        rank=rank_correlation(distance, spread),
        rank_within=rank_within(distance, spread),
        elsewhere=() if compare is None else (_compare(model, clear, compare, progress),),
        data=name,
        split=split or "all",
        labels=labels or "own",
        faces=len(packed),
    )


def _law(model: FaceModel) -> str:
    blank = torch.zeros(1, 3, model.input_size, model.input_size, dtype=torch.uint8)
    with torch.inference_mode():
        return model(model.prepare(blank)).likelihood or "gaussian"


def _mended(found: _Found, halves: Sequence[tuple[Any, Sequence[float]]], stage: int) -> np.ndarray:
    """Sigma (M, N, 2) of a stage times the scalar that belongs to each face."""
    sigma = found.sigma[stage].copy()
    for faces, scales in halves:
        many = len(sigma) // (len(faces) if isinstance(faces, np.ndarray) else len(sigma))
        sigma[np.tile(faces, many) if isinstance(faces, np.ndarray) else faces] *= scales[stage]
    return sigma


def _compare(model: FaceModel, here: _Found, folder: str | Path, progress: bool) -> dict[str, Any]:
    """Scalars fitted on another data set's test part, and the coverage here with them."""
    packed = load_faces(model, folder, None, "test", progress)
    there, law = _collect(model, packed, progress), _law(model)
    scales = [fit_scale(*there.of(slice(None), s), law) for s in range(len(there.errors))]
    found = [coverage(*here.of(slice(None), s), scale=scale).tolist() for s, scale in enumerate(scales)]
    return {"data": f"{Path(folder).name} test", "faces": len(packed), "scales": scales, "coverage": found}


def _of_folds(folds: Sequence[FaceModel], data: str | Path, labels: str | None, progress: bool) -> _Found:
    """What every fold's model says of the training faces that it was trained without."""
    parts = [_fold_of(fold) for fold in folds]
    if len({count for _, count in parts}) > 1 or len(set(parts)) < len(parts):
        raise SettingsError("The folds must be different ones of one division, such as 1/5, 2/5 and 3/5.")
    found = []
    for fold, (index, count) in zip(folds, parts, strict=True):
        _, unseen = load_faces(fold, data, labels, "train", progress).divided(index, count)
        found.append(_collect(fold, unseen, progress))
    return _Found(*(np.concatenate([getattr(f, name) for f in found], 1) for name in ("errors", "sigma")))


def _fold_of(model: FaceModel) -> tuple[int, int]:
    told = model.card.left_out if model.card else ()
    if len(told) != 2:
        raise SettingsError(
            f"The card of {model.name} does not say which training faces it was trained without; make it with "
            "`workbench train --leave-out 1/5`."
        )
    return told[0], told[1]


@torch.inference_mode()
def _collect(
    model: FaceModel, packed: Packed, progress: bool, side: float | None = None, draws: int = 1, seed: int = 0
) -> _Found:
    """Read every face; with a ``side`` under ``draws`` painted rectangles one after the other, covered points only."""
    generator = torch.Generator(model.device).manual_seed(seed)
    occluder = None if side is None else replace(OCCLUDER, block=side)
    errors: list[list[Tensor]] = [[] for _ in range(draws)]
    sigmas: list[list[Tensor]] = [[] for _ in range(draws)]
    for _, crops in batches(model, packed, progress=progress):
        for draw in range(draws):
            images, known = crops.images, crops.valid
            if occluder is not None:
                images, under = occlude(images, crops.points, generator, occluder)
                known = known & under
            answer = model(model.prepare(images))
            if answer.variance is None or answer.rects is None:
                raise TraceError(f"{model.name} predicts no uncertainty, so there is nothing to calibrate.")
            last = answer.landmarks[None] if answer.stages is None else answer.stages[:, -1]
            truth = torch.where(known[..., None], crops.points, torch.nan)
            errors[draw].append((last / model.input_size - truth).float().cpu())
            sigma = torch.stack([answer.sigma(s) for s in range(len(answer.variance))]) / model.input_size
            sigmas[draw].append(torch.where(known[..., None], sigma, torch.nan).float().cpu())
    together = (torch.cat([torch.cat(draw, 1) for draw in many], 1).double() for many in (errors, sigmas))
    return _Found(*(values.numpy() for values in together))
