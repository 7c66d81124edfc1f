"""The strip above every page: which face, which model, how long it took and where."""

from __future__ import annotations

from html import escape

import streamlit as st

from workbench.app import gallery, pool, state
from workbench.errors import WorkbenchError


def draw(title: str) -> None:
    """Place the strip. A face or model that cannot be had shows as such; the page below says what to do."""
    notice = state.take_notice()
    selection = state.current()
    picture, facts = "", ["no face yet"]
    try:
        shown = pool.reading(selection)
        picture = pool.view("thumbnail", shown.key, lambda: _thumbnail(shown))
        card = pool.cards()[selection.model]
        facts = [shown.reading.face.name, card.title, pool.timing(shown)]
    except WorkbenchError:
        pass
    image = f'<img src="{picture}" alt="" width="34" height="34">' if picture else '<i class="wb-noface"></i>'
    items = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    st.html(f'<header class="app-head">{image}<h1>{escape(title)}</h1><ul>{items}</ul></header>')
    if notice:
        with st.container(key="wb-notice"):
            st.markdown(f":material/info: {notice}")


def _thumbnail(shown: pool.Shown) -> str:
    from PIL import Image

    return gallery.thumbnail(Image.fromarray(shown.reading.face.crop(128)), 68)
