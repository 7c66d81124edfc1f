"""The Shape editor's data: the face plane with its templates, a drawing on it, and what was found of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError
from workbench.explain.caption_tables import SHAPE
from workbench.explain.captions import as_meta
from workbench.explain.prompts import FAR
from workbench.figures import palette
from workbench.figures.shape import FILL, OWN, drawing_colours
from workbench.finding import EncodedFace, Found, OtherViews, encode_face, find_on, other_views, spread, tween
from workbench.landmarks import Drawing, Group, Look, Scheme
from workbench.landmarks.drawing import MOST, REACH
from workbench.landmarks.geometry import hull
from workbench.landmarks.library import library
from workbench.shaping import ShapeReading, anchors_of, drawn_facts, shape_facts
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, luts, pack, photo, rounded

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel
    from workbench.widgets.jupyter_host import JupyterWidget

MARGIN = 0.08
"""How much of the photograph is shown beyond each side of the crop, in parts of it: points may be found there."""
_WIDEST = 3.0  # a crop that is wider already is shown without a margin
EMPTY: Mapping[str, Any] = {
    "name": "shape",
    "template": "",
    "points": [],
    "ids": [],
    "origin": [],
    "groups": [],
    "at": 0,
    "tab": "",
}
"""The widget's state ``drawing`` without any point. ``ids`` stay with their points through every edit and groups name
theirs by id; ``origin`` is the point's index in the template, or -1; ``at`` the moment of the last edit in ms, 0
before the first; ``tab`` where that was. Groups may have a ``colour`` and a ``fill``. Further: ``root``, the moment in
which it was begun, from which ids count anew; ``live``, whether a drag goes on; ``film``, a shape to come from."""
MARKS: Mapping[str, Any] = {"face": "", "root": 0, "at": 0, "points": []}
"""The widget's state ``marks`` without any: the face that it belongs to, the ``root`` of the drawing whose ids it
names, the moment of the last correction in ms, and [id, x, y] in [0, 1] of the crop."""
LOOKS = 1_500_000
"""Bytes of cross-attention that travel; where there would be more, further faces go without."""
SMALL_SIDE = 220
"""Side in pixels of the pictures of further faces."""


@dataclass(frozen=True)
class Answers:
    """What was found of a drawing.

    Attributes:
        found: on the face and the others, in their order.
        facts: of ``caption_tables.SHAPE``.
        stem: of saved files.
        film: (step, face, N, 2) answers to the shapes between two, in [0, 1] of the crops; None without.
        film_plane: those shapes (step, N, 2).
        spread: (N,) of the first face over other views of it, in parts of its crop's side; None where not asked for.
    """

    found: Found
    facts: Mapping[str, Any]
    stem: str
    film: np.ndarray | None = None
    film_plane: np.ndarray | None = None
    spread: np.ndarray | None = None

    @classmethod
    def of(cls, reading: ShapeReading) -> Answers:
        """Those of one reading."""
        return cls(Found(reading.trajectory()[None]), shape_facts(reading), reading.stem("shape"))


def shape_payload(
    face: Face,
    plane: Sequence[Drawing],
    reading: ShapeReading | Answers | None = None,
    state: Mapping[str, Any] | None = None,
    live: bool = True,
    *,
    others: Sequence[Face] = (),
    library: Mapping[str, tuple[str, Drawing]] | None = None,
    atlas: tuple[np.ndarray, np.ndarray] | None = None,
    pictures: Mapping[str, bytes] | None = None,
    answers: bool = True,
    marks: Mapping[str, Any] | None = None,
) -> Payload:
    """What the ``shape`` widget shows.

    Args:
        face: whose crop, with a margin around it, lies under the points that were found.
        plane: the conventions to start from, the guide first: ``workbench.shaping.conventions``.
        reading: the drawing as it was found; None for an empty one.
        state: the drawing in the widget's own form; by default that of ``reading``.
        live: whether Python answers when the person edits; else the widget only shows.
        others: further faces, in the order of ``reading``.
        library: shapes to start from beside the conventions: ``workbench.landmarks.library``.
        atlas: plane points and where they are on the face, both (N, 2), by which what is drawn on the photograph goes
            back to the plane; None for no drawing there.
        pictures: blobs that are made already: ``shape_pictures``.
        answers: whether a drag is answered while it goes on.
        marks: where points were put on this photograph by hand, :data:`MARKS` with the face's key; None where that
            leads nowhere.
    """
    told = Answers.of(reading) if isinstance(reading, ShapeReading) else reading
    if state is None:
        state = state_of(reading.drawing) if isinstance(reading, ShapeReading) else EMPTY
    margin = margin_of(face)
    anchors = anchors_of(plane)
    meta = {
        "templates": {
            **{known.template: _template(known, "conventions") for known in plane},
            **{name: _template(drawing, kind) for name, (kind, drawing) in (library or {}).items()},
        },
        "guide": plane[0].template if plane else "",
        "axis": _axis(plane[0]) if plane else 0.5,
        "anchors": rounded(anchors, 4),
        "hull": rounded(hull(anchors), 4),
        "far": FAR,
        "colours": {part: palette.shade(part) for part in palette.PART_COLOURS},
        "own": OWN,
        "fill": FILL,
        "most": MOST,
        "reach": REACH,
        "margin": margin,
        "live": live,
        "answers": live and answers,
        "of": state["at"],
        "atlas": None if atlas is None else {"plane": rounded(atlas[0]), "photo": rounded(atlas[1])},
        "faces": [other.name for other in others],
        "found": None if told is None else _found(told, [face, *others], state),
        "film": None
        if told is None or told.film is None or told.film_plane is None
        else {"plane": rounded(told.film_plane), "points": rounded(told.film, 4), "of": state["at"]},
        "stem": told.stem if told else f"{Path(face.name).stem}-shape",
        "caption": as_meta(SHAPE),
        "facts": dict(told.facts) if told else drawn_facts(None, plane, "", "", 0),
        "state": {"drawing": dict(state)},
    }
    if marks is not None:
        meta |= {"teach": marks["face"], "state": {"drawing": dict(state), "marks": dict(marks)}}
    looks, shown = _looks(told)
    pictures = pictures or shape_pictures(face, others)
    meta |= {"looks": shown, "pictures": _digest(tuple(sorted(pictures.items())))}
    return {"meta": meta, "blobs": {**pictures, **looks, **luts("inferno")}}


@lru_cache(maxsize=32)
def _digest(blobs: tuple[tuple[str, bytes], ...]) -> str:
    """So that the browser decodes pictures again only when they are others."""
    whole = hashlib.blake2b(digest_size=8)
    for name, blob in blobs:
        whole.update(name.encode() + blob)
    return whole.hexdigest()


def margin_of(face: Face) -> float:
    """How much of the photograph is shown beyond each side of a face's crop."""
    return MARGIN if face.factor <= _WIDEST else 0.0


def shape_pictures(face: Face, others: Sequence[Face] = (), average: np.ndarray | None = None) -> dict[str, bytes]:
    """The blobs of the pictures: ``photo``, ``face.K``, and the average face where there is one."""
    margin = margin_of(face)
    around = face.with_factor(face.factor * (1 + 2 * margin)) if margin else face
    out = {"photo": photo(around.crop(PHOTO_SIDE))}
    out |= {f"face.{k}": photo(other.crop(SMALL_SIDE)) for k, other in enumerate(others)}
    return out if average is None else {**out, "average": photo(average)}


def _axis(guide: Drawing) -> float:
    """x of the line about which the guide's landmarks are mirrored."""
    if not guide.scheme.can_flip:
        return 0.5
    pairs = (guide.points + guide.points[list(guide.scheme.flip)]) / 2
    return round(float(pairs[:, 0].mean()), 5)


def _template(drawing: Drawing, kind: str) -> dict[str, Any]:
    own_look = None if kind == "conventions" or drawing.template else drawing_colours(drawing)
    face = face_meta(drawing.scheme)
    return {
        "kind": kind,
        "face": {**face, "flip": list(drawing.scheme.flip), **({"colour": own_look} if own_look else {})},
        "points": rounded(drawing.points, 6),
        "groups": _groups(drawing),
    }


def _groups(drawing: Drawing) -> list[dict[str, Any]]:
    return [
        {"name": g.name, "part": g.part, "closed": g.closed, "ids": list(g.indices), **drawing.look(k).fields()}
        for k, g in enumerate(drawing.scheme.groups)
    ]


def _found(told: Answers, faces: Sequence[Face], state: Mapping[str, Any]) -> dict[str, Any]:
    path = told.found.path
    return {
        "ids": list(state["ids"]),
        "root": state.get("root", 0),
        "points": rounded(path[0, -1]),
        "photo": rounded(faces[0].to_original(faces[0].to_photo(path[0, -1] * PHOTO_SIDE, size=PHOTO_SIDE)), 2),
        "path": rounded(path[0], 4),
        "others": [rounded(points, 4) for points in told.found.points[1:]],
        "spread": None if told.spread is None else rounded(told.spread, 5),
    }


def _looks(told: Answers | None) -> tuple[dict[str, bytes], dict[str, Any] | None]:
    """Cross-attention as uint8, each map by its own largest weight, which travels beside it."""
    looks = None if told is None else told.found.looks
    if told is None or looks is None:
        return {}, None
    most = max(1, LOOKS // max(1, looks[0].size))
    kept = looks[:most]
    top = kept.max((-2, -1))
    scaled = np.rint(255 * kept / np.maximum(top, 1e-12)[..., None, None]).astype(np.uint8)
    about = {"shape": list(kept.shape), "top": rounded(top, 6), "tensors": list(told.found.looked)}
    return {"looks": scaled.tobytes()}, about


def state_of(drawing: Drawing | None, at: int = 0) -> dict[str, Any]:
    """A drawing in the widget's form, numbered from 0."""
    if drawing is None:
        return {**EMPTY, "at": at, "root": at}
    return {
        "name": drawing.scheme.name,
        "template": drawing.template,
        "points": rounded(drawing.points),
        "ids": list(range(drawing.scheme.count)),
        "origin": list(drawing.origin),
        "groups": _groups(drawing),
        "at": at,
        "tab": "",
        "root": at,
    }


def drawing_of(state: Mapping[str, Any], plane: Sequence[Drawing] = ()) -> Drawing | None:
    """The widget's state as a drawing; None when it has no points.

    Args:
        state: as the browser committed it: nothing in it is trusted.
        plane: the known conventions; an unchanged template keeps its whole scheme, other points their names.

    Raises:
        DataError: it is no drawing.
    """
    try:
        points, ids = state["points"], [int(i) for i in state["ids"]]
        origin, template = tuple(int(i) for i in state["origin"]), str(state["template"])[:80]
        if not len(points):
            return None
        place = {number: k for k, number in enumerate(ids)}
        if len(place) != len(points):
            raise DataError("Every point of a drawing needs an id of its own.")
        known = next((one for one in plane if one.template == template), None)
        groups = tuple(
            Group(str(g["name"])[:40], str(g["part"]), tuple(place[int(i)] for i in g["ids"]), bool(g["closed"]))
            for g in state["groups"]
        )
        looks = tuple(Look(str(g.get("colour") or ""), g.get("fill") is True) for g in state["groups"])
        if known is not None and origin == known.origin and groups == known.scheme.groups:
            scheme = known.scheme
        else:
            scheme = Scheme(
                str(state["name"])[:60], len(points), groups, labels=_labels(len(points), origin, groups, known)
            )
        return Drawing(scheme, np.asarray(points, np.float64), template, origin, looks)
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise DataError("The drawing that the page sent cannot be used; start again from a template.") from None


def marks_of(marks: Mapping[str, Any], state: Mapping[str, Any]) -> dict[int, tuple[float, float]]:
    """Which of a drawing's points, by number, were put where on a photograph, in [0, 1] of its crop.

    Args:
        marks: as the browser committed it: nothing in it is trusted.
        state: the drawing in the widget's form; marks of another one count for nothing.
    """
    try:
        if int(marks["root"]) != int(state.get("root", 0) or 0):
            return {}
        place = {int(i): k for k, i in enumerate(state["ids"])}
        found = {place[int(i)]: (float(x), float(y)) for i, x, y in marks["points"] if int(i) in place}
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        return {}
    return {k: p for k, p in found.items() if all(-REACH <= x <= 1 + REACH for x in p)}


def film_of(state: Mapping[str, Any]) -> np.ndarray | None:
    """Where the points of a drawing come from in its animation (N, 2); None where it has none that can be used."""
    try:
        start = np.asarray(state["film"], np.float64)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    fits = start.shape == (len(state["points"]), 2) and np.isfinite(start).all()
    return np.clip(start, -REACH, 1 + REACH) if fits else None


def _labels(count: int, origin: tuple[int, ...], groups: tuple[Group, ...], known: Drawing | None) -> tuple[str, ...]:
    """The template's name for what was taken from it; a point of one's own is called by its group and number."""
    names = [f"own point {k}" for k in range(count)]
    for group in groups:
        for k in group.indices:
            if names[k] == f"own point {k}":
                names[k] = f"{group.name} {group.indices.index(k) + 1} of {len(group.indices)}"
    for k, i in enumerate(origin):
        if known is not None and 0 <= i < known.scheme.count:
            names[k] = known.scheme.label(i)
    return tuple(names)


def answers_to(
    model: FaceModel,
    faces: Sequence[EncodedFace],
    plane: Sequence[Drawing],
    drawn: Drawing,
    state: Mapping[str, Any],
    views: OtherViews | None = None,
) -> Answers:
    """A drawing as a model finds it on faces that were encoded.

    Args:
        state: the drawing in the widget's form: a drag that goes on is answered without attention and without other
            views, and a ``film`` step by step.
        views: of the first face, over which the points' spread is measured.
    """
    live = bool(state.get("live"))
    found = find_on(model, faces, drawn.points, looks=not live)
    moved = None if views is None or live else spread(model, views, drawn.points, found.points[0])
    facts = {
        **drawn_facts(drawn, plane, model.name, model.checkpoint or "", model.input_size, len(faces)),
        "spread": None if moved is None else 100 * float(np.median(moved)),
    }
    words = f"{Path(faces[0].face.name).stem}-{model.name}-shape"
    stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in words)[:80]
    start = film_of(state)
    if start is None:
        return Answers(found, facts, stem, spread=moved)
    steps = np.stack(tween(start, drawn.points))
    film = np.stack([find_on(model, faces, step).points for step in steps])
    return Answers(found, facts, stem, film, steps, moved)


def shape_editor(
    model: FaceModel, face: Face, drawing: Drawing | None = None, others: Sequence[Face] = ()
) -> JupyterWidget:
    """The editor in a notebook cell: every edit is found anew on the faces. ``drawing_of(widget.state["drawing"])`` is
    what was drawn.

    Args:
        model: one that takes structure prompts.
        face: where the points are found.
        drawing: to begin with; the model's own convention by default.
        others: further faces on which it is found, at most 23.

    Raises:
        UnknownNameError: the model finds its own landmarks only.
    """
    from workbench.figures.shape import shape as shape_figure
    from workbench.figures.sheet import picture
    from workbench.shaping import conventions, find_shape
    from workbench.widgets.jupyter_host import jupyter

    plane = list(conventions(model).values())
    shapes = library(plane[0], [known.template for known in plane])
    encoded = [encode_face(model, one) for one in (face, *others)]
    views = None if face.painted else other_views(model, face)
    pictures = shape_pictures(face, others)
    atlas = (anchors_of(plane), find_on(model, encoded[:1], anchors_of(plane)).points[0])

    def payload(drawn: Drawing | None, state: Mapping[str, Any]) -> Payload:
        told = None if drawn is None else answers_to(model, encoded, plane, drawn, state, views)
        return shape_payload(face, plane, told, state, others=others, library=shapes, atlas=atlas, pictures=pictures)

    first = drawing or plane[0]

    def still() -> bytes:
        return picture(shape_figure(find_shape(model, face, first)))

    widget = jupyter("shape", payload(first, state_of(first)), still)

    def changed(_: Any) -> None:
        state = widget.state["drawing"]
        try:
            drawn = drawing_of(state, plane)
        except DataError:
            return
        widget.packed = pack(payload(drawn, state))

    widget.observe(changed, "state")
    return widget
