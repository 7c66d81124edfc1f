"""The Shape page: points of one's own on the face plane, found on the chosen face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.app import explorer, messages, readings, state
from workbench.errors import DataError, UnknownNameError
from workbench.explain import to_csv
from workbench.landmarks import Drawing
from workbench.landmarks.drawing import MOST
from workbench.shaping import ShapeReading, shape_json, shape_rows
from workbench.views import get_view
from workbench.widgets import Payload, mount, shape_payload
from workbench.widgets.shape import EMPTY, drawing_of, state_of

KEPT = "shape.drawing"
"""Under which a session keeps its drawing in the widget's form."""
_OPENED = "wb_shape_opened"


def show(key: str = "shape") -> None:
    """The editor, the way out and the way in for files."""
    notice()
    selection = state.current()
    name = model_for(selection.model)
    if name != selection.model:
        chosen, used = (readings.cards()[n].title if n in readings.cards() else n for n in (selection.model, name))
        st.caption(f"{chosen} finds its own landmarks only; points of your own are found by {used}.")
    plane = readings.plane(name)
    drawn = current(plane)
    drawing = drawing_of(drawn, plane)
    face = readings.face(selection)
    reading = None if drawing is None else readings.shape(selection, name, drawing)
    payload = shape_payload(face, plane, reading, drawn)

    def changed(now: Mapping[str, Any]) -> None:
        keep(now["drawing"], plane)

    mount("shape", payload, key=key, on_change=changed)
    with st.container(key="wb-files", horizontal=True, gap="small"):
        if reading is not None:
            save(reading, payload)
        open_button(plane)


def model_for(chosen: str) -> str:
    """The chosen model if it finds points of one's own, else the shelf's first that does.

    Raises:
        UnknownNameError: there is none.
    """
    able = readings.offering(get_view("shape"))
    if not able:
        raise UnknownNameError(
            "There is no model here that finds points of your own: train one that takes structure prompts, or import "
            "its weights."
        )
    return chosen if chosen in able else next((name for name in able if "68" in name), able[0])


def current(plane: tuple[Drawing, ...]) -> dict[str, Any]:
    """This session's drawing in the widget's form; the model's own convention before the first edit."""
    kept = explorer.options_of(KEPT)
    return kept or (state_of(plane[0]) if plane else dict(EMPTY))


def keep(drawn: Mapping[str, Any], plane: tuple[Drawing, ...]) -> None:
    """Remember what was drawn. What cannot be used changes nothing but the notice."""
    try:
        drawing_of(drawn, plane)
    except DataError as error:
        state.notify(f"{error} The drawing you had is still here.")
        return
    explorer.keep_options(KEPT, dict(drawn))


def save(reading: ShapeReading, payload: Payload) -> None:
    """The drawing and what was found of it."""
    stem = reading.stem("shape")
    explorer.evidence("shape")
    explorer.save_menu(
        ("Shape as JSON", f"{stem}.json", "application/json", lambda: reading.drawing.to_json()),
        ("Found landmarks as CSV", f"{stem}-landmarks.csv", "text/csv", lambda: to_csv(shape_rows(reading))),
        ("Found landmarks as JSON", f"{stem}-landmarks.json", "application/json", lambda: shape_json(reading)),
        explorer.explorer_item("shape", payload, {}),
        key="shape",
    )


def open_button(plane: tuple[Drawing, ...]) -> None:
    """A menu that takes in a shape that was saved."""
    serial = st.session_state.setdefault(_OPENED, 0)
    with st.popover("Open a shape", icon=":material/upload_file:", type="tertiary", key=f"open_shape_{serial}"):
        key = f"shape_file_{serial}"
        st.file_uploader(
            "A shape saved here, or any JSON with points",
            ["json"],
            key=key,
            on_change=_take_file,
            args=(key, plane),
            help=f'{{"points": [[x, y], ...]}} in [0, 1] of the face plane, at most {MOST}.',
        )


def _take_file(key: str, plane: tuple[Drawing, ...]) -> None:
    file: Any = st.session_state.get(key)
    if file is None:
        return
    take(file.getvalue(), plane)
    st.session_state[_OPENED] += 1  # the next run shows an empty chooser


def take(data: bytes, plane: tuple[Drawing, ...]) -> None:
    """Make a file's shape the drawing. A file that is no shape changes nothing but the notice."""
    try:
        opened = Drawing.from_json(data)
    except DataError as error:
        state.notify(f"{error} The drawing you had is still here.")
        return
    at = int(current(plane).get("at", 0)) + 1  # later than the edit it takes the place of
    explorer.keep_options(KEPT, state_of(opened, at))


def notice() -> None:
    """What went wrong in the last edit of this page, once."""
    sentence = state.take_notice()
    if sentence:
        with st.container(key="wb-notice-shape"):
            st.markdown(f":material/info: {messages.plain(sentence)}")
