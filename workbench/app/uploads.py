"""A session's own photographs: reached by that session only, kept in memory, never in a link, never on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st
from PIL import Image

from workbench.errors import ImageError
from workbench.faces import load_image

KEEP = 4
TYPES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "jp2")
_PHOTOS = "wb_photos"


@dataclass(frozen=True)
class Photo:
    """An upright RGB picture, its name and the SHA-256 of the file it came from."""

    digest: str
    name: str
    picture: Image.Image


def add(data: bytes, name: str) -> Photo:
    """Read a file's bytes and keep the picture in this session; the oldest goes when there are too many.

    Raises:
        ImageError: it is no picture that can be read.
    """
    photo = Photo(hashlib.sha256(data).hexdigest(), name, load_image(data))
    kept = {digest: p for digest, p in _kept().items() if digest != photo.digest}
    st.session_state[_PHOTOS] = dict([*kept.items(), (photo.digest, photo)][-KEEP:])
    return photo


def get(digest: str) -> Photo:
    """One of this session's photographs. Raises ImageError when it is not (or no longer) here."""
    photo = _kept().get(digest)
    if photo is None:
        raise ImageError("This photograph is no longer in memory; choose it again or take a sample face.")
    return photo


def holds(digest: str) -> bool:
    """Whether this session still has that photograph."""
    return digest in _kept()


def name_of(digest: str) -> str:
    """What this session calls a photograph; "" for one that is not here."""
    return _kept()[digest].name if digest in _kept() else ""


def kept() -> list[Photo]:
    """This session's photographs, oldest first."""
    return list(_kept().values())


def _kept() -> dict[str, Photo]:
    return st.session_state.get(_PHOTOS, {})
