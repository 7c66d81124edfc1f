"""The panels of the Start page."""

from __future__ import annotations

import streamlit as st
from PIL import Image

from workbench.app import cache, downloads, face_chooser, messages, requirements, state, uploads, views
from workbench.app.preview import preview_svg
from workbench.app.url_state import FACTOR_RANGE
from workbench.errors import NoFaceError
from workbench.faces import CROP_FACTOR

_FACTOR = "crop_factor"
_LOOK = "start_look"
_LOOKS = ("Its relations", "What it sees")


def photograph() -> cache.Shown | None:
    """The photograph, its faces and landmarks; or, where no face is found, a request to draw a box (None then)."""
    selection = state.current()
    try:
        shown = cache.reading(selection)
    except NoFaceError as error:
        messages.complain(str(error), "face", error)
        if selection.photo:
            views.box_wanted(uploads.get(selection.photo))
        return None
    views.picker(shown)
    st.caption(face_chooser.credit())
    crop_width()
    return shown


def look(shown: cache.Shown) -> None:
    """A first look inside, or the crop in the network's own pixels: one picture, switched in place."""
    if not requirements.fits("relations", state.current().model):
        _crop(shown)
        return
    st.segmented_control(
        "Look", _LOOKS, default=_LOOKS[0], key=_LOOK, label_visibility="collapsed", required=True, width="stretch"
    )
    if st.session_state.get(_LOOK) == _LOOKS[1]:
        _crop(shown)
    else:
        _relations(shown)


def _relations(shown: cache.Shown) -> None:
    s = state.current()
    key = (*shown.key, s.kind, s.stage, s.layer, s.head)
    svg, caption = cache.view("preview", key, lambda: preview_svg(shown.reading, s.kind, s.stage, s.layer, s.head))
    with st.container(key="wb-preview"):
        st.image(svg, width="stretch")
    st.caption(caption)


def _crop(shown: cache.Shown) -> None:
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
    """Where to go from here, of the pages that this model has something for."""
    chosen = state.current().model
    for name, label, icon in (
        ("inside", "What it holds inside", ":material/layers:"),
        ("self_attention", "Where a place looks", ":material/my_location:"),
        ("relations", "Who listens to whom", ":material/hub:"),
        ("structure", "What it knows of a face", ":material/grid_on:"),
        ("uncertainty", "How sure it is", ":material/blur_on:"),
    ):
        if requirements.fits(name, chosen):
            st.page_link(views.page(name), label=label, icon=icon, width="stretch")


def save(shown: cache.Shown) -> None:
    """The answer to take along."""
    r = shown.reading
    name = downloads.stem(r, "landmarks")
    views.save_menu(
        ("Landmarks as CSV", f"{name}.csv", "text/csv", lambda: downloads.landmarks_csv(r)),
        ("Landmarks as JSON", f"{name}.json", "application/json", lambda: downloads.landmarks_json(r)),
        ("Photograph with landmarks as PNG", f"{name}.png", "image/png", lambda: downloads.photo_png(r)),
        ("Crop as PNG", f"{downloads.stem(r, 'crop')}.png", "image/png", lambda: downloads.crop_png(r)),
        (
            "Trace as safetensors",
            f"{downloads.stem(r, 'trace')}.safetensors",
            "application/octet-stream",
            lambda: downloads.trace_file(r),
        ),
        key="start",
    )
