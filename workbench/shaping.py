"""Finding points of one's own: a drawing on the face plane, located on a face without further training.

Only a model that takes structure prompts can do this (Xia, thesis 2024, section 6.2.1): to it a landmark is a
point of the plane, and the conventions it has learned are sets of such points.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from workbench.axes import Axes
from workbench.errors import DataError, UnknownNameError
from workbench.explain.captions import Fact
from workbench.explain.prompts import FAR
from workbench.landmarks import Drawing, Scheme, drawing, get_scheme, user_scheme
from workbench.landmarks.geometry import hull, inside
from workbench.reading import Reading, read

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel

SAME = 5e-4
"""Distance on the plane, in parts of its side, below which a point is one that was trained."""


class _Prompted(Protocol):
    """What a model needs to find points of the plane."""

    def prompt(self, name: str | None = None) -> Tensor: ...
    def shape_of(self, name: str) -> Tensor: ...


@dataclass(frozen=True, kw_only=True, repr=False)
class ShapeReading(Reading):
    """A reading whose landmarks are the points of a drawing; ``mean_shape`` and the start of ``path`` are the plane's
    points.

    Attributes:
        drawing: what was asked for.
        plane: the model's conventions on its plane (mean shape after semantic alignment), the model's own first.
        trained: (N,) which points lie on a point of a trained convention, an anchor; the others are found zero-shot.
        away: (N,) distance to the nearest anchor on the plane, in parts of its side.
        outside: (N,) which points lie beyond the convex hull of all anchors, where nothing was ever trained.
        before: (N, 2) the mean shape of a convention, before its semantic alignment; None for a drawing.
        spread: (N,) how far each answer moves when the face is mirrored or cropped otherwise, in parts of the crop's
            side; None where it was not measured (``workbench.finding.with_spread``).
    """

    drawing: Drawing
    plane: tuple[Drawing, ...]
    trained: np.ndarray
    away: np.ndarray
    outside: np.ndarray
    before: np.ndarray | None = None
    spread: np.ndarray | None = None

    @property
    def guesses(self) -> np.ndarray:
        """(N,) which points are extrapolated: beyond the anchors' hull, or farther than ``FAR`` from each."""
        return self.outside | (self.away > FAR)

    @property
    def zero_shot(self) -> int:
        """How many points no convention of the training has."""
        return int((~self.trained).sum())


def conventions(model: FaceModel) -> dict[str, Drawing]:
    """The conventions a model has learned, each as a drawing on its plane: the mean shape after its semantic alignment
    embedding; the model's own first.

    Raises:
        UnknownNameError: the model takes no prompts.
    """
    network = _prompted(model)
    names = dict.fromkeys((model.config.scheme, *getattr(model.config, "conventions", ())))
    out = {}
    for name in names:
        try:
            points = network.prompt(name).detach().cpu().numpy().astype(np.float64)
            out[name] = Drawing(_scheme(name, len(points)), points, name, tuple(range(len(points))))
        except DataError:  # a convention without a mean shape was never trained
            continue
    return out


def find_shape(
    model: FaceModel, face: Face, points: Drawing | ArrayLike, taps: str | Iterable[str | Axes] | None = ()
) -> ShapeReading:
    """Find a drawing on a face: one forward pass.

    Args:
        model: one that takes structure prompts.
        face: from ``load_face`` or ``sample_face``.
        points: a drawing, or (N, 2) points in [0, 1] of the plane.
        taps: what to record, as for ``read``; nothing by default.

    Raises:
        UnknownNameError: the model finds its own landmarks only.
        DataError: the points are no drawing.
    """
    asked = points if isinstance(points, Drawing) else drawing(points)
    known = conventions(model)
    reading = read(model, face, taps, prompt=asked.points)
    reading.trace.meta |= {"scheme": asked.scheme.name, "plane": asked.points.round(6).tolist()}
    values: dict[str, Any] = {f.name: getattr(reading, f.name) for f in fields(Reading)}
    values |= {"scheme": asked.scheme, "drawing": asked, "plane": tuple(known.values())}
    away, outside = trust(asked.points, known.values())
    before = _before(model, asked, known)
    return ShapeReading(**values, trained=away < SAME, away=away, outside=outside, before=before)


def anchors_of(known: Iterable[Drawing]) -> np.ndarray:
    """(A, 2) the points of all conventions, which were trained."""
    return np.concatenate([np.empty((0, 2)), *(shape.points for shape in known)])


def trust(points: np.ndarray, known: Iterable[Drawing]) -> tuple[np.ndarray, np.ndarray]:
    """How far plane points (N, 2) are from what was trained.

    Returns:
        (N,) distance to the nearest anchor, infinite without any, and (N,) whether a point lies beyond their hull.
    """
    anchors = anchors_of(known)
    if not len(anchors):
        return np.full(len(points), np.inf), np.ones(len(points), bool)
    away = np.linalg.norm(points[:, None] - anchors[None], axis=-1).min(1)
    return away, ~inside(points, hull(anchors)) & (away >= SAME)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two shapes (N, 2) on the plane have the same points, in order; a saved drawing is rounded."""
    return one.shape == other.shape and bool(np.abs(one - other).max() < SAME)


def _before(model: Any, asked: Drawing, known: Mapping[str, Drawing]) -> np.ndarray | None:
    """The mean shape (N, 2) of the convention that a drawing is, before semantic alignment; None for any other."""
    for name, shape in known.items():
        if same(shape.points, asked.points):
            return model.shape_of(name).detach().cpu().numpy().astype(np.float64)
    return None


def shape_facts(reading: ShapeReading | None) -> dict[str, Fact]:
    """Facts of ``caption_tables.SHAPE``; None while nothing is drawn."""
    if reading is None:
        return drawn_facts(None, (), "", "", 0)
    weights = str(reading.trace.meta.get("checkpoint", ""))
    return drawn_facts(reading.drawing, reading.plane, reading.model_name, weights, reading.input_size)


def drawn_facts(
    drawn: Drawing | None, plane: Sequence[Drawing], model: str, weights: str, size: int, faces: int = 1
) -> dict[str, Fact]:
    """The same of a drawing that was found on ``faces`` faces, without a reading of each."""
    if drawn is None:
        return {"shape": None, "guide": None, "spread": None, "pending": False}
    guide = next(iter(plane), None)
    away, outside = trust(drawn.points, plane)
    off = away >= SAME
    return {
        "shape": drawn.scheme.name,
        "model": model,
        "weights": weights[:8],
        "anchors": guide.scheme.count if guide else None,
        "guide": guide.template if guide else None,
        "points": drawn.scheme.count,
        "off": int(off.sum()),
        "median": 100 * float(np.median(away[off])) if off.any() and np.isfinite(away).all() else None,
        "farthest": 100 * float(away.max()) if np.isfinite(away).all() else None,
        "trained": len(anchors_of(plane)),
        "conventions": ", ".join(shape.template for shape in plane),
        "guesses": int((outside | (away > FAR)).sum()),
        "far": 100 * FAR,
        "size": size,
        "faces": faces,
        "spread": None,
        "pending": False,
    }


def shape_rows(reading: ShapeReading) -> list[dict[str, Any]]:
    """``landmarks_table`` with every point's place on the plane, its distance to the nearest anchor there in per cent
    of the side, whether it is a guess, and its spread in per cent of the crop's side where that was measured."""
    from workbench.explain import landmarks_table

    moved = np.full(len(reading.away), np.nan) if reading.spread is None else reading.spread
    columns = (reading.drawing.points, reading.away, reading.guesses, moved)
    return [
        {
            **row,
            "plane_x": round(float(x), 5),
            "plane_y": round(float(y), 5),
            "anchor_distance_percent": round(100 * float(away), 3) if np.isfinite(away) else None,
            "guess": int(guess),
            "spread_percent": round(100 * float(spread), 3) if np.isfinite(spread) else None,
        }
        for row, (x, y), away, guess, spread in zip(landmarks_table(reading), *columns, strict=True)
    ]


def shape_json(reading: ShapeReading) -> str:
    """The rows with what they come from: face, model, weights, the plane's points and the crop's affine."""
    return json.dumps({**reading.trace.meta, "landmarks": shape_rows(reading)}, indent=1, ensure_ascii=False)


def _scheme(name: str, count: int) -> Scheme:
    return user_scheme(name, count) if name.startswith("user") else get_scheme(name)


def _prompted(model: Any) -> _Prompted:
    if not hasattr(model, "prompt"):
        raise UnknownNameError(
            f"{model.name} finds its own landmarks only; choose a model that takes structure prompts."
        )
    return model
