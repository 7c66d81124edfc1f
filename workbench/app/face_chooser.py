"""Choosing a face: the sample gallery, an uploaded photograph, the camera, a box drawn by hand."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import streamlit as st

from workbench.app import readings, state, uploads
from workbench.app.gallery import Tile, gallery, short_labels, thumbnail
from workbench.app.messages import plain
from workbench.errors import WorkbenchError
from workbench.faces import sample_info, sample_photo

_OWN = "own:"
_UPLOADS = "wb_uploads"
_CAMERA = "wb_camera_open"
_MENU = "face_choice"


def faces_strip() -> None:
    """The gallery: this session's own photographs first, then the samples; the chosen one is marked."""
    selection = state.current()
    own = [_own_tile(photo) for photo in reversed(uploads.kept())]
    selected = f"{_OWN}{selection.photo}" if selection.photo else selection.sample
    gallery([*own, *_sample_tiles()], selected, _choose)


def face_menu() -> None:
    """Every page's own chooser: the same faces as a list, and a step to the one before and the one after."""
    selection = state.current()
    own = {f"{_OWN}{photo.digest}": photo.name for photo in reversed(uploads.kept())}
    samples = readings.shelf().samples
    faces = own | dict(zip(samples, short_labels([sample_info(name)["title"] for name in samples]), strict=True))
    names = list(faces)
    chosen = f"{_OWN}{selection.photo}" if selection.photo else selection.sample
    if st.session_state.get(_MENU) != chosen and chosen in faces:
        st.session_state[_MENU] = chosen
    at = names.index(chosen) if chosen in faces else 0
    with st.container(key="wb-faces", horizontal=True, gap=None, vertical_alignment="center"):
        for by, sign, word in ((-1, "chevron_left", "Previous"), (1, "chevron_right", "Next")):
            st.button(
                f"{word} face",
                key=f"face_{word.lower()}",
                icon=f":material/{sign}:",
                on_click=_choose,
                args=(names[(at + by) % len(names)],),
                type="tertiary",
                help=f"{word} face ({'k' if by < 0 else 'j'})",
            )
        st.selectbox(
            "Face",
            names,
            key=_MENU,
            format_func=lambda name: faces[name],
            on_change=lambda: _choose(st.session_state[_MENU]),
            label_visibility="collapsed",
            width=150,
        )


def credit() -> str:
    """One line about the chosen face: what it is, who made it, under which licence."""
    selection = state.current()
    if selection.photo:
        name = plain(uploads.get(selection.photo).name)
        return f"{name}: your photograph; it stays in this program's memory, and no link holds it."
    info = sample_info(selection.sample)
    return f"{info['title']}: {info['credit']} ({info['licence']})."


def upload_button() -> None:
    """A menu with the file chooser and, only when it is asked for, the camera."""
    serial = st.session_state.setdefault(_UPLOADS, 0)
    # A new key closes the menu once a picture was taken.
    with st.popover("Your photograph", icon=":material/add_a_photo:", width="stretch", key=f"own_{serial}"):
        key = f"upload_{serial}"
        st.file_uploader(
            "A photograph with a face",
            uploads.TYPES,
            key=key,
            on_change=_take_file,
            args=(key,),
            help="It stays in the memory of the program that runs this page.",
        )
        limit = st.get_option("server.maxUploadSize")
        st.caption(f"JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or JPEG 2000, up to {limit} MB. Save HEIC as JPEG first.")
        if st.session_state.get(_CAMERA):
            shot = f"camera_{serial}"
            st.camera_input("Look into the camera", key=shot, on_change=_take_file, args=(shot,))
            st.button("Close the camera", key="camera_close", on_click=_set_camera, args=(False,))
        else:
            st.button(
                "Use the camera", key="camera_open", icon=":material/videocam:", on_click=_set_camera, args=(True,)
            )


def take(data: bytes, name: str) -> None:
    """Make a file's picture the chosen face. A picture that cannot be read changes nothing but the notice."""
    try:
        photo = uploads.add(data, name)
    except WorkbenchError as error:
        state.notify(f"{error} What you had is still here.")
        return
    state.choose_photo(photo.digest)


def _take_file(key: str) -> None:
    file: Any = st.session_state.get(key)
    if file is None:
        return
    name = "camera picture" if key.startswith("camera") else PurePath(file.name).name
    take(file.getvalue(), name)
    # The next run shows an empty chooser (and no camera): the picture itself stands in the gallery.
    st.session_state[_UPLOADS] += 1
    st.session_state[_CAMERA] = False


def _set_camera(open_: bool) -> None:
    st.session_state[_CAMERA] = open_


def _choose(name: str) -> None:
    if name.startswith(_OWN):
        state.choose_photo(name.removeprefix(_OWN))
    else:
        state.choose_sample(name)


def _own_tile(photo: uploads.Photo) -> Tile:
    picture = photo.picture
    src = readings.view("tile", (readings.FaceKey.of_photo(photo),), lambda: thumbnail(picture))
    return Tile(f"{_OWN}{photo.digest}", photo.name, f"{photo.name}, your photograph", src)


def _sample_tiles() -> list[Tile]:
    names = readings.shelf().samples
    return readings.view("tiles", names, lambda: [_sample_tile(name) for name in names])


def _sample_tile(name: str) -> Tile:
    info = sample_info(name)
    title = f"{info['title']}: {info['credit']} ({info['licence']})"
    return Tile(name, info["title"], title, thumbnail(sample_photo(name)))
