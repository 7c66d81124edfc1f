"""Files of the Shape page: what is saved of a drawing, what is opened as one, and a copy in the user's own folder."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import streamlit as st

from workbench.app import explorer, state
from workbench.data.shapes import ENDINGS, open_shape, shape_bytes
from workbench.errors import DataError
from workbench.explain import to_csv
from workbench.landmarks import Drawing
from workbench.landmarks.drawing import MOST
from workbench.paths import own_folder
from workbench.shaping import ShapeReading, shape_json, shape_rows
from workbench.widgets.shape import state_of

MIMES = {".json": "application/json", ".csv": "text/csv", ".npz": "application/octet-stream", ".pts": "text/plain"}
KEPT = "shape.drawing"
"""Under which a session keeps its drawing in the widget's form."""
_OPENED = "wb_shape_opened"
_LAST = "last-shape.json"
log = logging.getLogger(__name__)


def items(stem: str, drawing: Drawing, found: Callable[[], ShapeReading]) -> tuple[explorer.Item, ...]:
    """What the menu saves besides the explorer."""
    return (
        *(
            (
                f"Shape as {ending[1:] if ending == '.pts' else ending[1:].upper()}",
                f"{stem}{ending}",
                mime,
                lambda ending=ending: shape_bytes(drawing, ending),
            )
            for ending, mime in MIMES.items()
        ),
        ("Found landmarks as CSV", f"{stem}-landmarks.csv", "text/csv", lambda: to_csv(shape_rows(found()))),
        ("Found landmarks as JSON", f"{stem}-landmarks.json", "application/json", lambda: shape_json(found())),
    )


def autosave(drawing: Drawing) -> None:
    """Keep a drawing in the user's own folder; where that cannot be written, the browser's copy must do."""
    try:
        folder = own_folder()
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{_LAST}.part"
        part.write_text(drawing.to_json(), encoding="utf-8")
        part.replace(folder / _LAST)
    except OSError as error:
        log.warning("The drawing was not kept in %s: %s", own_folder(), error)


def last() -> Drawing | None:
    """The drawing that was kept, None for none that can be read."""
    try:
        return Drawing.from_json(own_folder() / _LAST)
    except DataError:
        return None


def open_button() -> None:
    """A menu that takes in a shape that was saved, here or by another tool."""
    serial = st.session_state.setdefault(_OPENED, 0)
    with st.popover("Open a shape", icon=":material/upload_file:", type="tertiary", key=f"open_shape_{serial}"):
        key = f"shape_file_{serial}"
        st.file_uploader(
            "A shape saved here, or points of another tool",
            [ending[1:] for ending in ENDINGS],
            key=key,
            on_change=_take_file,
            args=(key,),
            help=f'JSON with "points" [[x, y], ...] in [0, 1] of the face plane, at most {MOST}; CSV, NPZ or .pts; or '
            "what landmarker.io, labelme, COCO or CVAT saves, whose pixels are then placed on the plane.",
        )
        kept = last()
        if kept is not None:
            words = f"Last drawn: {kept.scheme.name}, {kept.scheme.count} points"
            st.button(words, icon=":material/history:", type="tertiary", on_click=take, args=(kept,))


def _take_file(key: str) -> None:
    file: Any = st.session_state.get(key)
    if file is None:
        return
    try:
        opened = open_shape(file.getvalue(), file.name)
    except DataError as error:
        state.notify(f"{error} The drawing you had is still here.")
    else:
        take(opened.drawing)
        if opened.words:
            state.notify(opened.words)
    st.session_state[_OPENED] += 1  # the next run shows an empty chooser


def take(opened: Drawing) -> None:
    """Make a shape the drawing."""
    at = int(explorer.options_of(KEPT).get("at", 0)) + 1  # later than the edit it takes the place of
    explorer.keep_options(KEPT, state_of(opened, at))
