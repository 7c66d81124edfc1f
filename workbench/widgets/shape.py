"""The Shape editor's data: the face plane with its templates, a drawing on it, and what was found of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError
from workbench.explain.caption_tables import SHAPE
from workbench.explain.captions import as_meta
from workbench.figures import palette
from workbench.figures.shape import OWN
from workbench.landmarks import Drawing, Group, Scheme
from workbench.landmarks.drawing import MOST, REACH
from workbench.shaping import shape_facts
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, pack, photo, rounded

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel
    from workbench.shaping import ShapeReading
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
before the first; ``tab`` where that was."""


def shape_payload(
    face: Face,
    plane: Sequence[Drawing],
    reading: ShapeReading | None = None,
    state: Mapping[str, Any] | None = None,
    live: bool = True,
) -> Payload:
    """What the ``shape`` widget shows.

    Args:
        face: whose crop, with a margin around it, lies under the points that were found.
        plane: the conventions to start from, the guide first: ``workbench.shaping.conventions``.
        reading: the drawing as it was found; None for an empty one.
        state: the drawing in the widget's own form; by default that of ``reading``.
        live: whether Python answers when the person edits; else the widget only shows.
    """
    if state is None:
        state = EMPTY if reading is None else state_of(reading.drawing)
    margin = MARGIN if face.factor <= _WIDEST else 0.0
    templates = {}
    for known in plane:
        groups = [
            {"name": g.name, "part": g.part, "closed": g.closed, "ids": list(g.indices)} for g in known.scheme.groups
        ]
        templates[known.template] = {
            "face": face_meta(known.scheme),
            "points": rounded(known.points, 6),
            "groups": groups,
        }
    meta = {
        "templates": templates,
        "guide": plane[0].template if plane else "",
        "colours": {part: palette.shade(part) for part in palette.PART_COLOURS},
        "own": OWN,
        "most": MOST,
        "reach": REACH,
        "margin": margin,
        "live": live,
        "of": state["at"],
        "found": None if reading is None else _found(reading, list(state["ids"])),
        "stem": f"{Path(face.name).stem}-shape" if reading is None else reading.stem("shape"),
        "caption": as_meta(SHAPE),
        "facts": shape_facts(reading),
        "state": {"drawing": dict(state)},
    }
    around = face.with_factor(face.factor * (1 + 2 * margin)) if margin else face
    return {"meta": meta, "blobs": {"photo": photo(around.crop(PHOTO_SIDE))}}


def _found(reading: ShapeReading, ids: list[int]) -> dict[str, Any]:
    return {
        "ids": ids,
        "points": rounded(reading.points()),
        "photo": rounded(reading.landmarks, 2),
        "path": rounded(reading.trajectory(), 4),
    }


def state_of(drawing: Drawing | None, at: int = 0) -> dict[str, Any]:
    """A drawing in the widget's form, numbered from 0."""
    if drawing is None:
        return {**EMPTY, "at": at}
    return {
        "name": drawing.scheme.name,
        "template": drawing.template,
        "points": rounded(drawing.points),
        "ids": list(range(drawing.scheme.count)),
        "origin": list(drawing.origin),
        "groups": [
            {"name": g.name, "part": g.part, "closed": g.closed, "ids": list(g.indices)} for g in drawing.scheme.groups
        ],
        "at": at,
        "tab": "",
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
        if known is not None and origin == known.origin and groups == known.scheme.groups:
            scheme = known.scheme
        else:
            scheme = Scheme(
                str(state["name"])[:60], len(points), groups, labels=_labels(len(points), origin, groups, known)
            )
        return Drawing(scheme, np.asarray(points, np.float64), template, origin)
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise DataError("The drawing that the page sent cannot be used; start again from a template.") from None


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


def shape_editor(model: FaceModel, face: Face, drawing: Drawing | None = None) -> JupyterWidget:
    """The editor in a notebook cell: every finished edit is found anew on the face. ``drawing_of(widget.state
    ["drawing"])`` is what was drawn.

    Args:
        model: one that takes structure prompts.
        face: where the points are found.
        drawing: to begin with; the model's own convention by default.

    Raises:
        UnknownNameError: the model finds its own landmarks only.
    """
    from workbench.shaping import conventions, find_shape
    from workbench.widgets.jupyter_host import jupyter

    plane = list(conventions(model).values())
    begun = find_shape(model, face, drawing or plane[0])
    widget = jupyter("shape", shape_payload(face, plane, begun))

    def changed(_: Any) -> None:
        state = widget.state["drawing"]
        try:
            drawn = drawing_of(state, plane)
        except DataError:
            return
        found = None if drawn is None else find_shape(model, face, drawn)
        widget.packed = pack(shape_payload(face, plane, found, state))

    widget.observe(changed, "state")
    return widget
