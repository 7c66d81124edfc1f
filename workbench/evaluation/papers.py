"""The papers' own numbers (``papers.csv``: system, variant, data, subset, metric, value, paper, table), and in what a
run differs from them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from workbench.evaluation.run import Run

SETS = {
    ("wflw", "wflw98"): "WFLW", ("pts", "ibug68"): "300W", ("cofw", "cofw29"): "COFW", ("cofw68", "ibug68"): "COFW68",
    ("aflw19", "aflw19"): "AFLW-19", ("300vw", "ibug68"): "300VW", ("pose", "ibug68"): "AFLW2000-3D",
}  # fmt: skip
"""Reader and scheme -> the set as the papers' table calls it."""
NEAREST = {"ibug68": "300W", "wflw98": "WFLW", "cofw29": "COFW", "aflw19": "AFLW-19"}
"""Scheme -> the set with those landmarks, to stand beside a run on other data."""
METRICS = {"inter_ocular": "NME_inter_ocular_%", "inter_pupil": "NME_inter_pupil_%", "box": "NME_box_%",
           "given_box": "NME_box_%", "diagonal": "NME_diag_%", "given_diagonal": "NME_diag_%"}  # fmt: skip
SIZES = {("WFLW", "full"): 2500, ("300W", "full"): 689, ("300W", "common"): 554, ("300W", "challenging"): 135,
         ("COFW", "full"): 507, ("COFW68", "full"): 507, ("AFLW-19", "full"): 4386}  # fmt: skip
"""Faces of the papers' test parts."""


@dataclass(frozen=True)
class Printed:
    """One number of a paper.

    Attributes:
        system, variant, dataset, subset, metric: of what; a metric ends with its unit.
        value: as printed.
        paper, table: where.
    """

    system: str
    variant: str
    dataset: str
    subset: str
    metric: str
    value: float
    paper: str
    table: str


@cache
def printed() -> tuple[Printed, ...]:
    """Every number of the table."""
    with Path(__file__).with_name("papers.csv").open(newline="", encoding="utf-8") as stream:
        return tuple(Printed(**{**row, "value": float(row["value"])}) for row in csv.DictReader(stream))  # type: ignore[arg-type]


def place_of(run: Run) -> tuple[str, str]:
    """The papers' set and subset that a run comes nearest to; empty where they have none."""
    dataset = SETS.get((str(run.meta["format"]), run.scheme.name), NEAREST.get(run.scheme.name, ""))
    subset = str(run.meta["subset"])
    known = {one.subset for one in printed() if one.dataset == dataset}
    return dataset, subset if subset in known else "full"


def beside(run: Run) -> list[Printed]:
    """The papers' NMEs on the set that a run comes nearest to, by its normaliser, best first."""
    dataset, subset = place_of(run)
    metric = METRICS.get(str(run.meta["normaliser"]), "")
    seen: dict[tuple[str, str, float], Printed] = {}
    for one in printed():
        if (one.dataset, one.subset, one.metric) == (dataset, subset, metric):
            seen.setdefault((one.system, one.variant, one.value), one)
    return sorted(seen.values(), key=lambda one: one.value)


def differences(run: Run) -> list[str]:
    """In what a run differs from the papers' protocol, a sentence each; they hold for every number beside it."""
    dataset, subset = place_of(run)
    meta, out = run.meta, []
    if not dataset:
        return ["No table of the papers has these landmarks."]
    own = SETS.get((str(meta["format"]), run.scheme.name)) == dataset
    count = SIZES.get((dataset, subset))
    wanted = f" ({count} faces)" if count else ""
    if not own:
        out.append(
            f"Other faces: this run measured {len(run)} of {meta['data']} {run.part()}, the papers the {subset} test "
            f"part of {dataset}{wanted}."
        )
    elif count and count != len(run):
        out.append(f"Another number of faces: {len(run)} here, {count} in the {subset} test part of {dataset}.")
    if meta["labels"]:
        out.append(f"The labels are machine-made ({meta['labels']}), the papers' are human.")
    if meta["factor"] != 1.2:
        out.append(f"The crop is {meta['factor']} times the landmarks' box; the papers' is 1.2 times.")
    if meta["flip"]:
        out.append("Each answer is the mean of a face and its mirror image; the papers read each face once.")
    if meta["precision"] != "32":
        out.append(f"The model computed in {meta['precision']}.")
    if run.left_out:
        out.append(f"{len(run.left_out)} faces could not be measured and count nowhere.")
    out.append(
        f"{run.model} is a network of its own size, trained on its own data (its card tells); the papers' variants "
        "have their backbones and training sets."
    )
    return out
