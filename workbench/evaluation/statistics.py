"""What the papers' tables hold, from one run: by subset, part, landmark, stage, normaliser, visibility and pose; and
two runs compared face by face."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from workbench.errors import DataError
from workbench.evaluation.run import Run
from workbench.landmarks import PARTS
from workbench.landmarks.metrics import NORMALISERS, auc, failure_rate, normaliser_distances, nrmse

Rows = list[dict[str, Any]]
RESAMPLES = 2000
POSE_LIMIT = 10.0
"""Degrees of mean error beyond which a face's pose has failed (ATPN, Table 3.6)."""
PIXELS = 256
"""Side of the crop, in pixels, in whose squares SQDU is given (DSLPT's input)."""
ANGLES = ("yaw", "pitch", "roll")


def headline(run: Run) -> dict[str, Any]:
    """Faces, NME and FR in per cent, AUC as a fraction, of one run or a part of it."""
    at = float(run.meta["threshold"])
    return {
        "faces": len(run),
        "NME %": round(100 * float(np.mean(run.nme)), 4),
        f"FR@{at:.2f} %": round(100 * failure_rate(run.nme, at), 4),
        f"AUC@{at:.2f}": round(auc(run.nme, at), 4),
    }


def by_subset(run: Run) -> Rows:
    """The whole run, then every subset in it."""
    rows = [{"subset": run.part(), **headline(run)}]
    return rows + [{"subset": name, **headline(run.within(name))} for name in run.names()]


def by_part(run: Run) -> Rows:
    """Mean error of the points of each part of the face, in per cent of the normaliser."""
    errors, part_of = run.errors, np.array(run.scheme.part_of)
    rows = []
    for part in PARTS:
        here = errors[:, part_of == part]
        if here.shape[1] and np.isfinite(here).any():
            rows.append({"part": part, "points": here.shape[1], "error %": round(100 * float(np.nanmean(here)), 4)})
    return rows


def by_landmark(run: Run) -> Rows:
    """Mean error of each landmark in per cent of the normaliser, over the faces that have it."""
    errors = run.errors
    known = np.isfinite(errors).sum(0)
    means = np.where(known, np.nansum(errors, 0) / np.maximum(known, 1), np.nan)
    return [
        {"landmark": i, "name": run.scheme.label(i), "faces": int(known[i]), "error %": _percent(means[i])}
        for i in range(len(means))
    ]


def by_stage(run: Run) -> Rows:
    """NME after each stage and layer, and which share of labels lies inside the patches of each stage."""
    if "stages" not in run.arrays:
        return []
    stages, inside = run.arrays["stages"], run.arrays.get("inside")
    rows = []
    for s in range(stages.shape[1]):
        for k in range(stages.shape[2]):
            row: dict[str, Any] = {"stage": s + 1, "layer": k + 1, "NME %": _percent(np.mean(stages[:, s, k]))}
            if inside is not None and s < inside.shape[1]:
                row["labels in patches %"] = _percent(np.nanmean(inside[:, s]))
            rows.append(row)
    return rows


def by_normaliser(run: Run) -> Rows:
    """NME, and NRMSE as AODN prints it (Eq. 15), by every normaliser that the scheme has."""
    points, truth = run.arrays["points"], run.arrays["truth"]
    rows = []
    for name in NORMALISERS:
        try:
            lengths = normaliser_distances(truth, run.scheme, name, strict=False)
        except DataError:
            continue  # the scheme lacks the points
        if not np.isfinite(lengths).any():
            continue
        apart = np.nanmean(run.errors * run.arrays["length"][:, None] / lengths[:, None], axis=1)
        rows.append(
            {
                "normaliser": name.replace("_", "-"),
                "NME %": _percent(np.nanmean(apart)),
                "NRMSE x 100": _percent(np.nanmean(nrmse(points, truth, lengths))),
            }
        )
    return rows


def by_visibility(run: Run) -> Rows:
    """Error, and sqrt(det Sigma) (SQDU) in squared pixels of a crop of 256, of seen and of covered points (DSLPT,
    Tables 5.6 and 5.11); nothing where the labels do not tell."""
    covered = run.arrays.get("covered")
    if covered is None:
        return []
    errors, sigma = run.errors, run.arrays.get("sigma")
    rows = []
    for words, flag in (("seen", 0), ("covered", 1)):
        here = (covered == flag) & np.isfinite(errors)
        if here.any():
            row = {"points": words, "count": int(here.sum()), "error %": _percent(errors[here].mean())}
            if sigma is not None:
                row["SQDU px2"] = round(float((PIXELS**2 * sigma.prod(-1))[here].mean()), 4)
            rows.append(row)
    return rows


def by_angle(run: Run) -> Rows:
    """Mean absolute error of yaw, pitch and roll in degrees, and the share of faces whose mean of the three is beyond
    10 degrees (ATPN, Table 3.6); nothing where the labels or the model have no pose."""
    found, truth = run.arrays.get("pose"), run.arrays.get("pose.truth")
    if found is None or truth is None:
        return []
    apart = np.abs((found - truth + 180) % 360 - 180)
    apart = apart[np.isfinite(apart).all(-1)]
    if not len(apart):
        return []
    each = {f"{name} MAE": round(float(v), 4) for name, v in zip(ANGLES, apart.mean(0), strict=True)}
    failed = float((apart.mean(-1) > POSE_LIMIT).mean())
    return [{"faces": len(apart), **each, "MAE": round(float(apart.mean()), 4), "FR@10 %": _percent(failed)}]


def by_confidence(run: Run) -> Rows:
    """The share of faces whose confidence is below the model's threshold, at which tracking searches anew (ATPN, Table
    3.4). Crops come from the true landmarks, so this is no tracking: it asks whether the face would have been kept."""
    found, least = run.arrays.get("confidence"), run.meta.get("least")
    if found is None or least is None:
        return []
    return [{"frames": len(found), "threshold": least, "lost %": _percent((found < least).mean())}]


TABLES: dict[str, tuple[str, Callable[[Run], Rows]]] = {
    "subsets": ("Subsets", by_subset),
    "normalisers": ("Normalisers", by_normaliser),
    "parts": ("Parts of the face", by_part),
    "stages": ("Stages and layers", by_stage),
    "visibility": ("Seen and covered points", by_visibility),
    "pose": ("Head pose, degrees", by_angle),
    "confidence": ("Faces below the threshold of tracking", by_confidence),
    "landmarks": ("Landmarks", by_landmark),
}
"""Name -> title and maker of every table of a run."""


def tables(run: Run) -> dict[str, Rows]:
    """Every table that a run can fill."""
    made = {name: make(run) for name, (_, make) in TABLES.items()}
    return {name: rows for name, rows in made.items() if rows}


def lines(rows: Rows) -> Iterator[str]:
    """A table for a terminal."""
    heads = list(dict.fromkeys(name for row in rows for name in row))
    cells = [heads, *([_cell(row.get(name, "")) for name in heads] for row in rows)]
    wide = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    left = {i for i, name in enumerate(heads) if isinstance(rows[0].get(name), str)}
    for row in cells:
        padded = (c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(row, wide, strict=True)))
        yield "  ".join(padded).rstrip()


def compare(one: Run, other: Run, resamples: int = RESAMPLES, seed: int = 0) -> Rows:
    """How two runs over the same faces differ, with 95 % intervals of a paired bootstrap over faces.

    Args:
        one, other: a negative difference means that ``one`` is better (for AUC a positive one).

    Returns:
        A row for the whole and for every subset of both: faces, both NMEs, their difference and its interval in points
        of per cent, the same for FR and AUC, and on how many faces ``one`` is closer.

    Raises:
        DataError: other landmarks, another normaliser, or no face in common.
    """
    for name, words in (("scheme", "landmarks"), ("normaliser", "normalisers")):
        if one.meta[name] != other.meta[name]:
            raise DataError(
                f"The two runs have other {words} ({one.meta[name]} and {other.meta[name]}); measure both alike."
            )
    there = {file: i for i, file in enumerate(other.files)}
    pairs = [(i, there[file]) for i, file in enumerate(one.files) if file in there]
    if one.meta["data"] != other.meta["data"] or not pairs:
        raise DataError(f"The runs over {one.meta['data']} and {other.meta['data']} have no face in common.")
    a, b = one.only(np.array([i for i, _ in pairs])), other.only(np.array([j for _, j in pairs]))
    rows = [{"subset": a.part(), **_paired(a.nme, b.nme, float(one.meta["threshold"]), resamples, seed)}]
    for name in a.names():
        here = np.array([name in groups for groups in a.groups()])
        found = _paired(a.nme[here], b.nme[here], float(one.meta["threshold"]), resamples, seed)
        rows.append({"subset": name, **found})
    return rows


def _paired(a: np.ndarray, b: np.ndarray, at: float, resamples: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    gain = np.stack([100 * (a - b), 100.0 * ((a > at) * 1.0 - (b > at)), _left(a, at) - _left(b, at)], -1)
    draws = np.stack([gain[rng.integers(0, len(a), len(a))].mean(0) for _ in range(resamples)])
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    mean = gain.mean(0)
    out: dict[str, Any] = {
        "faces": len(a),
        "NME % a": round(100 * float(a.mean()), 4),
        "NME % b": round(100 * float(b.mean()), 4),
    }
    for i, name in enumerate(("NME", "FR", "AUC")):
        out[f"{name} a - b"] = round(float(mean[i]), 4)
        out[f"{name} 95 %"] = f"{low[i]:+.4f} .. {high[i]:+.4f}"
    return {**out, "a closer %": _percent((a < b).mean())}


def _left(errors: np.ndarray, at: float) -> np.ndarray:
    """What each face adds to the AUC."""
    return np.maximum(0.0, 1.0 - errors / at)


def _percent(value: float | np.floating[Any]) -> float:
    return round(100 * float(value), 4)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
