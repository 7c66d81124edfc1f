"""The panels of the Start page."""

from __future__ import annotations

import base64
from typing import Any

import streamlit as st
from PIL import Image

from workbench import figures
from workbench.app import downloads, explorer, face_chooser, gallery, messages, readings, requirements, state, uploads
from workbench.app.url_state import FACTOR_RANGE
from workbench.errors import NoFaceError, TraceError
from workbench.explain import relation_kinds
from workbench.faces import CROP_FACTOR
from workbench.faces.image import original_size
from workbench.views import VIEWS, get_view
from workbench.widgets import mount, picker_payload
from workbench.widgets.picker import CHOICE
from workbench.widgets.selection import resolve

_FACTOR = "crop_factor"
_FIRST_VIEW = "start_view"
_KEPT = "picker.first"
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
    wanted = _FIRST_VIEWS[bool(explorer.options_of(_KEPT).get("sees", False))]
    if st.session_state.get(_FIRST_VIEW) != wanted:
        st.session_state[_FIRST_VIEW] = wanted
    st.segmented_control(
        "View",
        _FIRST_VIEWS,
        key=_FIRST_VIEW,
        on_change=lambda: explorer.keep_options(_KEPT, {"sees": st.session_state[_FIRST_VIEW] == _FIRST_VIEWS[1]}),
        label_visibility="collapsed",
        required=True,
        width="stretch",
    )
    if wanted == _FIRST_VIEWS[1]:
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
        source = f"data:image/svg+xml;base64,{base64.b64encode(picture).decode()}"
        st.html(gallery.picture_html(source, "the face with the strongest relation of each landmark"))
    st.caption(f"{caption} · thicker and brighter: larger")


def _crop(shown: readings.Shown) -> None:
    reading = shown.reading
    size = reading.input_size
    with st.container(key="wb-crop"):
        crop = gallery.data_url(Image.fromarray(reading.face.crop(size)), "PNG")
        st.html(gallery.picture_html(crop, f"the crop of {size} x {size} pixels that the model sees"))
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
    faces = payload["meta"]["bounds"]["index"]
    mount("picker", payload, key="picker", on_change=lambda now: _choose_face(now, faces))


def _box_wanted(photo: uploads.Photo) -> None:
    """A photograph in which no face was found: the widget asks for a box."""
    picture = photo.picture
    payload = readings.view(
        "picker",
        (readings.FaceKey.of_photo(photo),),
        lambda: picker_payload(picture, [], original=original_size(picture)),
    )
    faces = payload["meta"]["bounds"]["index"]
    mount("picker", payload, key="picker", on_change=lambda now: _choose_face(now, faces))


def _choose_face(now: dict[str, Any], faces: int) -> None:
    try:
        choice = resolve(CHOICE, now["choice"], {"index": faces})
    except TraceError as error:
        state.notify(f"{error} The face stays the one it was.")
        return
    if choice["box"] is not None:
        state.try_face(box=tuple(float(v) for v in choice["box"]), index=0)
    elif choice["index"] is not None:
        state.try_face(box=None, index=choice["index"])
