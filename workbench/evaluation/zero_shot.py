"""Zero-shot errors of a model that takes structure prompts (Xia, thesis 2024, section 6.3).

A convention that the model never learned is carried onto its plane: the mean shape of some labelled faces, by the
affine map of least squares that takes those faces' own landmarks, as the model finds them, onto its plane (the
protocol of Table 6.11, where both means come from labels). Nothing is trained. The second protocol (Table 6.10) draws
points at random, finds them, and asks how well a linear map of them gives five labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.data.readers import open_dataset
from workbench.data.samples import Sample
from workbench.errors import DataError, UnknownNameError
from workbench.evaluation.prompted import eye_distance, mean_shapes, prompted, read_faces, square_around
from workbench.landmarks import Scheme, get_scheme, user_scheme
from workbench.landmarks.library import place
from workbench.landmarks.metrics import nme, normaliser_distances
from workbench.models.base import FaceModel
from workbench.models.tufa import TUFA
from workbench.shaping import conventions, trust

MEAN_FACES = 200
"""Labelled faces at most that a mean shape is taken of."""
SHAPES, POINTS = 10, 10
"""Drawn shapes of the second protocol, and points of each."""
REGRESSED = 1000
"""Faces at most that the linear map is fitted on."""


@dataclass(frozen=True)
class ZeroShot:
    """Errors of points that nobody trained.

    Attributes:
        model, data, split: what was measured; ``labels`` the kind of labels, ``convention`` the scheme's name.
        known: whether the model has learned that convention, so that it is zero-shot in name alone.
        faces: measured ones; ``mean_of``, of how many the mean shape is.
        nme: per cent of ``by``; ``within`` of those points alone that lie inside the hull of what was trained, and
            ``points`` how many of how many those are.
        trained: the error of the model's own convention on its card, per cent of the inter-ocular distance, or None.
        left_out: a sentence for every face that could not be used.
    """

    model: str
    data: str
    split: str
    labels: str
    convention: str
    known: bool
    faces: int
    mean_of: int
    nme: float
    within: float
    points: tuple[int, int]
    by: str
    trained: float | None
    left_out: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "ratio": None if self.trained is None else self.nme / self.trained}

    def text(self) -> str:
        """One line for a terminal."""
        kind = "a convention it has learned" if self.known else "zero-shot"
        ratio = "" if self.trained is None else f", {self.nme / self.trained:.2f} x its trained convention's"
        return (
            f"{self.model}, {self.convention} on {self.data} {self.split} ({self.labels} labels, {self.faces} faces, "
            f"mean shape of {self.mean_of}): NME {self.nme:.2f} % {self.by}, {kind}{ratio}; {self.within:.2f} % on "
            f"the {self.points[0]} of {self.points[1]} points between trained anchors"
        )

    def rows(self) -> list[dict[str, Any]]:
        """Rows for a model's card: of all points, and of those between trained anchors."""
        inner = f"the {self.points[0]} of {self.points[1]} points between trained anchors"
        told = (
            (self.nme, f"{self.convention}, {self.labels}, zero-shot"),
            (self.within, f"{self.convention}, {inner}"),
        )
        return [
            {
                "data": self.data, "split": self.split, "labels": labels, "faces": self.faces,
                "metric": f"NME {self.by}", "value": round(value, 4), "unit": "%",
            }
            for value, labels in told
        ]  # fmt: skip


@dataclass(frozen=True)
class DrawnShapes:
    """The second protocol: NME of five labels from drawn points, per cent of the distance of the pupils.

    Attributes:
        errors: one a drawn shape.
        constant: the error of answering every face with the training faces' mean: what the crop alone gives away.
        fitted, faces: faces of the linear map, and measured ones.
    """

    model: str
    data: str
    split: str
    errors: tuple[float, ...]
    constant: float
    fitted: int
    faces: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "mean": float(np.mean(self.errors)), "deviation": float(np.std(self.errors))}

    def text(self) -> str:
        """One line for a terminal."""
        return (
            f"{self.model}, {len(self.errors)} drawn shapes of {POINTS} points -> five labels on {self.data} "
            f"{self.split} ({self.faces} faces, linear map fitted on {self.fitted}): NME {np.mean(self.errors):.2f} "
            f"+- {np.std(self.errors):.2f} % inter-pupil; the mean label alone gives {self.constant:.2f} %"
        )

    def rows(self) -> list[dict[str, Any]]:
        """The row for a model's card."""
        spread = f"{len(self.errors)} drawn shapes of {POINTS} points, deviation {np.std(self.errors):.2f}"
        return [
            {
                "data": self.data, "split": self.split, "labels": f"five, human, zero-shot: {spread}",
                "faces": self.faces, "metric": "NME inter-pupil",
                "value": round(float(np.mean(self.errors)), 4), "unit": "%",
            }
        ]  # fmt: skip


def zero_shot(
    model: FaceModel,
    data: str | Path,
    *,
    labels: str | None = None,
    split: str | None = "test",
    convention: str | int | None = None,
    progress: bool = True,
) -> ZeroShot:
    """Measure a convention by its mean shape alone (Table 6.11).

    The mean shape comes from the training part. Of a set without one each half of the faces is measured with the mean
    shape of the other. Crops follow from the labels as the convention's mean shape lies in a crop, and errors are
    divided by the distance of the outer eye corners: the labels', or, for a convention that names none, of those that
    the model finds.

    Args:
        model: one that takes structure prompts.
        data, labels, split: as for ``evaluate``; a split that the set lacks gives all of it.
        convention: name of a scheme, or a number of points that no scheme has.

    Raises:
        UnknownNameError: the model takes no prompts. DataError: no face can be used.
    """
    network = prompted(model)
    scheme = _scheme(convention)
    everything = open_dataset(Path(data), scheme=scheme, labels=labels)
    split = split if split is None or any(split in (s.subset, *s.groups) for s in everything.samples) else None
    part = everything if split is None else open_dataset(Path(data), scheme=scheme, labels=labels, split=split)
    names = {s.name for s in part.samples}
    others = [s for s in everything.samples if s.name not in names]
    halves = [(part.samples, others)] if others else [(part.samples[i::2], part.samples[1 - i :: 2]) for i in (0, 1)]
    errors, left_out, mean_of = [], [], 0
    known = conventions(model).values()
    for measured, reference in halves:
        mean, own, used = mean_shapes(network, reference[:MEAN_FACES], part.scheme, progress)
        mean_of = max(mean_of, used)
        prompt = place(mean, own, network.prompt().detach().cpu().numpy())
        inner = ~trust(prompt, known)[1]
        apart, left = distances(network, measured, part.scheme, mean, prompt, progress)
        errors += [(np.nanmean(row), np.nanmean(row[inner])) for row in apart]
        left_out += left
    kept = np.array(errors).reshape(-1, 2)
    kept = kept[np.isfinite(kept).all(1)]
    if not len(kept):
        raise DataError(f"No face of {data} could be measured.{' ' + left_out[0] if left_out else ''}")
    return ZeroShot(
        model.name, part.name, split or "all", f"machine-made ({labels})" if labels else "human", part.scheme.name,
        part.scheme.name in network.config.conventions, len(kept), mean_of,
        100 * float(kept[:, 0].mean()), 100 * float(kept[:, 1].mean()), (int(inner.sum()), len(inner)), "inter-ocular",
        _trained(model), tuple(left_out),
    )  # fmt: skip


def distances(
    model: TUFA, samples: Sequence[Sample], scheme: Scheme, mean: np.ndarray, prompt: np.ndarray, progress: bool
) -> tuple[np.ndarray, list[str]]:
    """How far plane points are found from the labels of some faces.

    Args:
        mean: (N, 2) of the labels in a crop of side 1, which says where the crops lie.
        prompt: (N, 2) on the plane.

    Returns:
        (M, N) in parts of the distance of the outer eye corners, NaN without a label; a sentence for every face that
        could not be used.
    """
    rows, left_out = [np.empty((0, len(prompt)))], []
    for faces in read_faces(model, samples, lambda s: square_around(s.points, mean), progress, "finding"):
        found = faces.found(torch.from_numpy(prompt).float())
        truth = np.stack([s.points for s in faces.samples])
        rows.append(np.linalg.norm(found - truth, axis=-1) / eye_distance(faces, scheme, truth)[:, None])
        left_out += faces.left_out
    return np.concatenate(rows), left_out


def drawn_shapes(
    model: FaceModel, data: str | Path, *, split: str = "test", seed: int = 0, progress: bool = True
) -> DrawnShapes:
    """Ten random shapes of ten points, found zero-shot, and a linear map of them to five labels (Table 6.10).

    Args:
        model: one that takes structure prompts.
        data: a set with five points a face, and a training part.
        split: what is measured; the linear map is fitted on the training part.
        seed: of the drawn points, uniform in the middle 0.7 of the plane.

    Raises:
        UnknownNameError: the model takes no prompts. DataError: the set has not what is needed.
    """
    network = prompted(model)
    shapes = torch.from_numpy(np.random.default_rng(seed).uniform(0.15, 0.85, (SHAPES, POINTS, 2))).float()
    sides: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, most in (("train", REGRESSED), (split, None)):
        part = open_dataset(Path(data), scheme="five", split=name)
        found, truth = [], []
        for faces in read_faces(network, part.samples[:most], lambda s: square_around(s.points, None), progress, name):
            found.append(np.stack([faces.found(shape, inside=True) for shape in shapes], 1))
            truth.append(faces.inside(np.stack([s.points for s in faces.samples])))
        sides[name] = (np.concatenate(found), np.concatenate(truth))
    (x, y), (x_test, y_test) = sides["train"], sides[split]
    distance = normaliser_distances(y_test, get_scheme("five"), "inter_pupil")

    def error(answer: np.ndarray) -> float:
        return 100 * float(np.nanmean(nme(answer, y_test, distance)))

    errors = []
    for k in range(SHAPES):
        rows, asked = (np.column_stack([v[:, k].reshape(len(v), -1), np.ones(len(v))]) for v in (x, x_test))
        good = np.isfinite(y).all((1, 2))
        weights, *_ = np.linalg.lstsq(rows[good], y[good].reshape(good.sum(), -1), rcond=None)
        errors.append(error((asked @ weights).reshape(-1, 5, 2)))
    constant = np.broadcast_to(np.nanmean(y, 0), y_test.shape)
    return DrawnShapes(model.name, part.name, split, tuple(errors), error(constant), len(x), len(x_test))


def _scheme(convention: str | int | None) -> Scheme | None:
    if convention is None:
        return None
    try:
        return get_scheme(convention)
    except UnknownNameError:
        if not str(convention).isdecimal() or int(convention) < 3:
            raise
        return user_scheme(f"{convention} points", int(convention))


def _trained(model: FaceModel) -> float | None:
    """The error on the card of the convention that a model was trained for, in per cent."""
    rows = model.card.metrics if model.card is not None else ()
    own = (r for r in rows if r["metric"] == "NME inter-ocular" and str(r.get("labels") or "own") == "own")
    return next((float(row["value"]) for row in own), None)
