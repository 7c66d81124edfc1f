"""The Shape page: points of one's own on the face plane, found on the chosen face and on others at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from workbench.app import explorer, messages, readings, requirements, shape_files, state, teach, uploads
from workbench.app.options import PACKINGS, Packing
from workbench.app.url_state import Selection
from workbench.errors import DataError, UnknownNameError, WorkbenchError
from workbench.finding import MOST_FACES
from workbench.landmarks import Drawing
from workbench.landmarks.library import library
from workbench.shaping import anchors_of
from workbench.views import get_view
from workbench.widgets import Payload, mount, shape_payload
from workbench.widgets.shape import EMPTY, drawing_of, shape_pictures, state_of
from workbench.widgets.shape_packing import pack_state, unpack_state

KEPT = shape_files.KEPT
OTHERS = "shape.faces"
_FIRST_OTHERS = 5
_LIVE = "wb_shape_live"
"""A drag that goes on: its drawing, which is no edit yet."""
PACKINGS[KEPT] = Packing(pack_state, unpack_state)


def show(key: str = "shape") -> bool:
    """The editor, the way out and the way in for files.

    Returns:
        Whether a drag goes on, of which nothing is to be kept yet.
    """
    selection = state.current()
    name = model_for()
    if name != selection.model:
        chosen, used = (readings.cards()[n].title if n in readings.cards() else n for n in (selection.model, name))
        st.caption(f"{chosen} finds its own landmarks only; points of your own are found by {used}.")
    plane = readings.plane(name)
    drawn = st.session_state.get(_LIVE) or current(plane)
    notice()
    drawing = drawing_of(drawn, plane)
    faces = [replace(selection, model=name), *others(selection, name)]
    told = None if drawing is None else readings.answers(faces, name, drawing, drawn, plane)
    payload = _payload(faces, name, plane, told, drawn)

    def changed(now: Mapping[str, Any]) -> None:
        keep(now["drawing"], plane)
        teach.keep(faces[0], now["marks"])

    mount("shape", payload, key=key, on_change=changed)
    measured(name)
    with st.container(key="wb-files", horizontal=True, gap="small"):
        other_faces(selection)
        if drawing is not None:
            save(selection, name, drawing, payload, None if told is None else told.spread)
        shape_files.open_button()
        asked = None if drawing is None else teach.menu(faces[0], name, drawing, drawn, plane)
    if asked is not None and drawing is not None:
        teach.outcome(asked, faces[0], name, drawing)
    return _LIVE in st.session_state


def _payload(
    faces: list[Selection], name: str, plane: tuple[Drawing, ...], told: Any, drawn: Mapping[str, Any]
) -> Payload:
    first, *rest = [readings.face(one) for one in faces]
    key = (name, *(readings.FaceKey.of(one) for one in faces))
    pictures = readings.view("shape-pictures", key, lambda: shape_pictures(first, rest, readings.average(name)))
    shapes = readings.view("library", (name,), lambda: library(plane[0], [known.template for known in plane]))
    return shape_payload(
        first, plane, told, drawn, others=rest, library=shapes, atlas=_atlas(faces[0], name, plane), pictures=pictures,
        marks=teach.marks_for(faces[0]),
    )  # fmt: skip


def _atlas(selection: Selection, name: str, plane: tuple[Drawing, ...]) -> tuple[np.ndarray, np.ndarray] | None:
    """Where the anchors are on the chosen face: by them, what is drawn on the photograph goes back to the plane."""
    anchors = anchors_of(plane)
    if len(anchors) < 3:
        return None

    def find() -> np.ndarray:
        points = [readings.answers([selection], name, shape, {"live": True}, plane).found.points[0] for shape in plane]
        return np.concatenate(points)

    return anchors, readings.view("atlas", (name, readings.FaceKey.of(selection)), find)


def measured(name: str) -> None:
    """What the model's card tells of points that it was never taught."""
    cards = readings.cards()
    rows = cards[name].metrics if name in cards else ()
    told = [
        f"{row['labels'].replace(', zero-shot', '')} ({row['data']}, {row['faces']} faces) {row['value']:.2f} %"
        for row in rows
        if "zero-shot" in str(row["labels"])
    ]
    if told:
        st.caption(f"Measured on what {messages.plain(cards[name].title)} never learned: {'; '.join(told)}.")


def model_for() -> str:
    """The model that finds the drawing: the chosen one, or one that stands in for it.

    Raises:
        UnknownNameError: there is none.
    """
    if not readings.offering(get_view("shape")):
        raise UnknownNameError(
            "There is no model here that finds points of your own: train one that takes structure prompts, or import "
            "its weights."
        )
    return requirements.used("shape")


def choices(selection: Selection) -> dict[str, Selection]:
    """The faces beside the chosen one on which a drawing can be found: samples, and this session's photographs."""
    samples = {n: Selection(sample=n) for n in readings.shelf().samples if n != selection.sample}
    own = {p.name: Selection(photo=p.digest) for p in uploads.kept() if p.digest != selection.photo}
    return {**own, **samples}


def others(selection: Selection, name: str) -> list[Selection]:
    """The chosen ones of :func:`choices`, without those that show no face."""
    known, out = choices(selection), []
    kept = explorer.options_of(OTHERS).get("names")
    wanted = list(known)[:_FIRST_OTHERS] if kept is None else str(kept).split("|")
    for one in wanted[: MOST_FACES - 1]:
        if one not in known:
            continue
        found = replace(known[one], model=name)
        try:
            readings.encoded_face(found, name)
        except WorkbenchError:
            continue
        out.append(found)
    return out


def other_faces(selection: Selection) -> None:
    """A menu of the faces on which the drawing is found beside the chosen one."""
    known = choices(selection)
    kept = explorer.options_of(OTHERS).get("names")
    now = list(known)[:_FIRST_OTHERS] if kept is None else [n for n in str(kept).split("|") if n in known]

    def changed() -> None:
        chosen = st.session_state["shape_others"][: MOST_FACES - 1]
        explorer.keep_options(OTHERS, {"names": "|".join(chosen)})

    with st.popover(f"Faces · {1 + len(now)}", icon=":material/group:", type="tertiary"):
        if st.session_state.get("shape_others") != now:
            st.session_state["shape_others"] = now
        st.multiselect(
            "Found on these faces too",
            list(known),
            key="shape_others",
            on_change=changed,
            max_selections=MOST_FACES - 1,
            help="Each face is encoded once; while you draw, the decoder alone runs. Photographs that you brought on "
            "Start are in this list.",
        )


def current(plane: tuple[Drawing, ...]) -> dict[str, Any]:
    """This session's drawing in the widget's form; the model's own convention before the first edit, and in place of
    what a link could not tell."""
    kept = explorer.options_of(KEPT)
    try:
        drawing_of(kept, plane)
    except DataError:
        if kept:
            state.notify("The drawing of this link cannot be used, so the model's own points stand in its place.")
            explorer.keep_options(KEPT, {})
        kept = {}
    return kept or (state_of(plane[0]) if plane else dict(EMPTY))


def keep(drawn: Mapping[str, Any], plane: tuple[Drawing, ...]) -> None:
    """Remember what was drawn; a drag that goes on is answered and no more. What cannot be used changes nothing but
    the notice."""
    st.session_state.pop(_LIVE, None)
    try:
        found = drawing_of(drawn, plane)
    except DataError as error:
        state.notify(f"{error} The drawing you had is still here.")
        return
    if drawn.get("live") is True:
        st.session_state[_LIVE] = dict(drawn)
        return
    explorer.keep_options(KEPT, dict(drawn))
    if found is not None:
        shape_files.autosave(found)


def save(selection: Selection, name: str, drawing: Drawing, payload: Payload, spread: np.ndarray | None) -> None:
    """The drawing and what was found of it."""
    stem = payload["meta"]["stem"]
    explorer.evidence("shape", model=name)
    explorer.save_menu(
        *shape_files.items(stem, drawing, lambda: replace(readings.shape(selection, name, drawing), spread=spread)),
        explorer.explorer_item("shape", payload, {}),
        key="shape",
    )


def notice() -> None:
    """What went wrong in the last edit of this page, once."""
    sentence = state.take_notice()
    if sentence:
        with st.container(key="wb-notice-shape"):
            st.markdown(f":material/info: {messages.plain(sentence)}")
