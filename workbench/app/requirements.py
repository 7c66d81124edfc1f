"""Which models have what a page shows; for one that does not, a sentence and a button that takes one that does."""

from __future__ import annotations

import streamlit as st

from workbench.app import messages, readings, state
from workbench.models import ModelCard
from workbench.paths import share
from workbench.views import get_view


def fits(name: str, model: str) -> bool:
    """Whether a model has what a view shows; one that is not on the shelf says so itself."""
    return model not in readings.cards() or get_view(name).needs.met_by(readings.offer(model))


def fitting(name: str) -> list[ModelCard]:
    """The models on the shelf that a view can show, the nearest to the chosen one first: the same number of points,
    then the default model."""
    points = state.limits().landmarks
    found = [readings.cards()[model] for model in readings.offering(get_view(name))]
    return sorted(
        found, key=lambda card: (card.landmarks != points, card.name != readings.shelf().default_model, card.name)
    )


def missing(name: str) -> bool:
    """True when the chosen model has not what a view shows; the page then holds a sentence and a way on."""
    chosen = state.current().model
    if fits(name, chosen):
        return False
    title, lacks = messages.plain(readings.cards()[chosen].title), get_view(name).lacks
    others = fitting(name)
    with st.container(
        key=f"wb-missing-{name}", border=True, horizontal=True, vertical_alignment="center", gap="medium"
    ):
        if not others:
            st.markdown(f"{title} has no {lacks}, and no model on the shelf has.")
            return True
        st.markdown(f"{title} has no {lacks}.")
        label = f"Read this face with {messages.plain(others[0].title)}"
        st.button(label, key=f"wb_fit_{name}", on_click=state.update, kwargs={"model": others[0].name}, type="primary")
        st.page_link(share("pages") / "inside.py", label="What this model has inside", icon=":material/layers:")
    return True
