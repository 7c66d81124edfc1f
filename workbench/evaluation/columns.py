"""One number a face, of everything that a run tells: what the page Data set sorts, plots and searches by."""

from __future__ import annotations

import numpy as np

from workbench.errors import DataError
from workbench.evaluation.run import Run
from workbench.landmarks import PARTS


def columns(run: Run, other: Run | None = None) -> dict[str, np.ndarray]:
    """Title with its unit -> (M,) values, NaN where a face has none.

    Args:
        run: the faces.
        other: another run over the same landmarks; faces that it lacks are NaN in its columns.

    Raises:
        DataError: the other run has other landmarks or another set.
    """
    errors = run.errors
    out = {"error, % of the normaliser": 100 * run.nme}
    sigma = run.arrays.get("sigma")
    if sigma is not None:
        out["σ, % of the crop"] = 100 * np.sqrt(sigma.prod(-1)).mean(-1)
    out["largest error of a point, %"] = 100 * _over(np.nanmax, errors)
    part_of = np.array(run.scheme.part_of)
    for part in PARTS:
        here = errors[:, part_of == part]
        if here.shape[1] and part != "other":
            out[f"error of the {part.replace('_', ' ')}, %"] = 100 * _over(np.nanmean, here)
    if "stages" in run.arrays and run.arrays["stages"].shape[1] > 1:
        out["error after stage 1, %"] = 100 * run.arrays["stages"][:, 0, -1]
    if "inside" in run.arrays:
        out["labels in their patches, %"] = 100 * run.arrays["inside"][:, -1]
    if "covered" in run.arrays:
        out["covered points"] = (run.arrays["covered"] == 1).sum(-1).astype(float)
    if "confidence" in run.arrays:
        out["confidence"] = run.arrays["confidence"]
    for i, name in enumerate(("yaw", "pitch", "roll")):
        if "pose" in run.arrays:
            out[f"{name}, degrees"] = run.arrays["pose"][:, i]
    if other is not None:
        theirs = 100 * matched(run, other, other.nme)
        out[f"error of {other.model}, %"] = theirs
        out[f"error less {other.model}'s, points"] = 100 * run.nme - theirs
    return out


def matched(run: Run, other: Run, values: np.ndarray) -> np.ndarray:
    """Values (M', ...) of another run's faces in the order of this one's (M, ...), NaN for faces that it lacks.

    Raises DataError: other landmarks, or no face in common.
    """
    there = {file: i for i, file in enumerate(other.files)}
    rows = np.array([there.get(file, -1) for file in run.files])
    if run.meta["data"] != other.meta["data"] or run.meta["scheme"] != other.meta["scheme"] or (rows < 0).all():
        raise DataError(
            f"The runs over {run.meta['data']} ({run.meta['scheme']}) and {other.meta['data']} "
            f"({other.meta['scheme']}) have no face in common."
        )
    found = np.asarray(values, float)[rows]
    found[rows < 0] = np.nan
    return found


def _over(reduce: object, values: np.ndarray) -> np.ndarray:
    """A NaN-leaving reduction of (M, K) over K; NaN for faces without a value."""
    known = np.isfinite(values).any(-1)
    out = np.full(len(values), np.nan)
    if known.any():
        out[known] = reduce(values[known], axis=-1)  # type: ignore[operator]
    return out
