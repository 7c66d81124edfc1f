"""The panels of the Start page."""

from __future__ import annotations

from typing import Any

import streamlit as st
from PIL import Image

from workbench import figures
from workbench.app import downloads, explorer, face_chooser, messages, readings, requirements, state, uploads
from workbench.app.url_state import FACTOR_RANGE
from workbench.errors import NoFaceError
from workbench.explain import relation_kinds
from workbench.faces import CROP_FACTOR
from workbench.faces.image import original_size
from workbench.views import VIEWS, get_view
from workbench.widgets import mount, picker_payload

_FACTOR = "crop_factor"
_FIRST_VIEW = "start_view"
_FIRST_VIEWS = ("Its relations", "What it sees")


def photograph() -> readings.Shown | None:
    """The photograph, its faces and landmarks; or, where no face is found, a request to draw a box (None then)."""
    selection = state.current()
    try:
        shown = readings.reading(selection)
    except NoFaceError as error:
        messages.complain(str(error), "face", error)
        if selection.photo:
            _box_wanted(uploads.get(selection.photo))
        return None
    _picker(shown)
    st.caption(face_chooser.credit())
    crop_width()
    return shown


def first_view(shown: readings.Shown) -> None:
    """A first view inside, or the crop in the network's own pixels: one picture, switched in place."""
    if not requirements.fits("relations", state.current().model):
        _crop(shown)
        return
    st.segmented_control(
        "View",
        _FIRST_VIEWS,
        default=_FIRST_VIEWS[0],
        key=_FIRST_VIEW,
        label_visibility="collapsed",
        required=True,
        width="stretch",
    )
    if st.session_state.get(_FIRST_VIEW) == _FIRST_VIEWS[1]:
        _crop(shown)
    else:
        _relations(shown)


def _relations(shown: readings.Shown) -> None:
    s, reading = state.current(), shown.reading
    kinds = [kind.name for kind in relation_kinds(reading)]
    kind = s.kind if s.kind in kinds else kinds[0]
    key = (*shown.key, kind)
    picture, caption = readings.view(
        "first view", key, lambda: figures.face_alone(figures.partners(reading, kind, exclude_self=True))
    )
    with st.container(key="wb-preview"):
        st.image(picture.decode(), width="stretch")
    st.caption(f"{caption} · thicker and brighter: larger")


def _crop(shown: readings.Shown) -> None:
    reading = shown.reading
    size = reading.input_size
    with st.container(key="wb-crop"):
        st.image(Image.fromarray(reading.face.crop(size)), width="stretch")
    side = round(reading.face.original_side)
    st.caption(f"{size} x {size} pixels from {side} x {side} of the photograph.")


def crop_width() -> None:
    """How wide the crop is cut."""
    wanted = state.current().factor or CROP_FACTOR
    if st.session_state.get(_FACTOR) != wanted:
        st.session_state[_FACTOR] = wanted
    st.slider(
        "Crop, times the box",
        *FACTOR_RANGE,
        step=0.05,
        key=_FACTOR,
        on_change=_set_factor,
        help=f"Training cut {CROP_FACTOR:g} times the box around the landmarks; another width moves the answer.",
    )


def _set_factor() -> None:
    value = round(st.session_state[_FACTOR], 2)
    state.update(factor=None if value == CROP_FACTOR else value)


def next_pages() -> None:
    """Where to go from here: the views that this model has something for."""
    chosen = state.current().model
    for view in VIEWS.values():
        if view.page and view.name != "picker" and requirements.fits(view.name, chosen):
            explorer.page_link(view.name, width="stretch")


def save(shown: readings.Shown) -> None:
    """The answer to take along."""
    explorer.save_menu(*downloads.landmarks_items(shown.reading), downloads.trace_item(shown.reading), key="start")


def _picker(shown: readings.Shown) -> None:
    """The photograph with its landmarks, the faces found in it and the square that is cropped."""
    payload = readings.view("picker", shown.key, lambda: get_view("picker").payload(shown.reading, {}))
    mount("picker", payload, key="picker", on_change=_choose_face)


def _box_wanted(photo: uploads.Photo) -> None:
    """A photograph in which no face was found: the widget asks for a box."""
    picture = photo.picture
    payload = readings.view(
        "picker",
        (readings.FaceKey.of_photo(photo),),
        lambda: picker_payload(picture, [], original=original_size(picture)),
    )
    mount("picker", payload, key="picker", on_change=_choose_face)


def _choose_face(now: dict[str, Any]) -> None:
    choice = now["choice"]
    if "box" in choice:
        state.try_face(box=tuple(float(v) for v in choice["box"]), index=0)
    elif "index" in choice:
        state.try_face(box=None, index=int(choice["index"]))
