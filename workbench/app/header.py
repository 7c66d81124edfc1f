"""The strip above every page: which face, which model, how long it took and where, and the way to another of each."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import streamlit as st
from PIL import Image, ImageDraw

from workbench.app import (
    face_chooser,
    gallery,
    labels,
    learn,
    messages,
    model_choice,
    readings,
    requirements,
    shell,
    state,
)
from workbench.errors import WorkbenchError
from workbench.figures import palette
from workbench.views import VIEWS


def draw(title: str, view: str) -> None:
    """Place the strip. A face or model that cannot be had shows as such; the page below says what to do.

    Args:
        title: of the page.
        view: its name, for the models that have what it shows.
    """
    notice = state.take_notice()
    state.headed()
    selection = replace(state.current(), model=requirements.used(view))
    picture, facts = "", ["no face yet"]
    try:
        shown = readings.reading(selection)
        picture = readings.view("thumbnail", shown.key, lambda: _thumbnail(shown))
        facts = [shown.reading.face.name, readings.timing(shown)]
    except WorkbenchError:
        pass
    name = escape(facts[0], quote=True)
    image = (
        f'<img src="{picture}" alt="the chosen face, {name}" width="34" height="34">'
        if picture
        else '<i class="wb-noface"></i>'
    )
    items = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    with st.container(key="wb-head", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<header class="app-head">{image}<div><h1>{escape(title)}</h1><ul>{items}</ul></div></header>')
        with messages.guard("choosers"):
            face_chooser.face_menu()
            model_choice.model_menu(view)
        learn.menu(title)
        shell.draw()
    if notice:
        with st.container(key="wb-notice"):
            st.markdown(f":material/info: {messages.plain(notice)}")
    if view in VIEWS:
        with messages.guard("label"):
            labels.bar(selection.model)


def icon(side: int = 64) -> Image.Image:
    """The tab's picture, drawn here so that no browser fetches one: a face of dots in the parts' colours."""
    picture = Image.new("RGB", (side, side), "#101418")
    draw = ImageDraw.Draw(picture)
    dots = {
        "jaw": [(0.14, 0.4), (0.2, 0.62), (0.34, 0.8), (0.5, 0.87), (0.66, 0.8), (0.8, 0.62), (0.86, 0.4)],
        "eyes": [(0.34, 0.34), (0.66, 0.34)],
        "nose": [(0.5, 0.5)],
        "outer_lip": [(0.38, 0.66), (0.5, 0.7), (0.62, 0.66)],
    }
    for part, places in dots.items():
        for x, y in places:
            draw.circle((x * side, y * side), side / 14, fill=palette.shade(part))
    return picture


def _thumbnail(shown: readings.Shown) -> str:
    return gallery.thumbnail(Image.fromarray(shown.reading.face.crop(128)), 68)
