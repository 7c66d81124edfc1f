"""A session's own photographs: reached by that session only, kept in memory, never in a link, never on disk."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass

import streamlit as st
from PIL import Image

from workbench.app.cache import Picture, shared_picture
from workbench.errors import ImageError
from workbench.faces import load_image
from workbench.faces.image import endings

KEEP = 4
TYPES = tuple(ending[1:] for ending in endings())
_PHOTOS = "wb_photos"


@dataclass(frozen=True)
class Photo:
    """A picture as this session calls it. The session's holding it is what keeps the picture."""

    name: str
    shared: Picture

    @property
    def digest(self) -> str:
        return self.shared.digest

    @property
    def picture(self) -> Image.Image:
        return self.shared.image


def add(data: bytes, name: str) -> Photo:
    """Read a file's bytes and keep the picture in this session; the oldest goes when there are too many.

    Raises:
        ImageError: it is no picture that can be read.
    """
    photo = Photo(name, shared_picture(hashlib.sha256(data).hexdigest(), load_image(data)))
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


def own_machine() -> bool:
    """Whether only those who sit at this machine reach the app, so that its files may be opened by their paths."""
    address = st.get_option("server.address") or "localhost"
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
