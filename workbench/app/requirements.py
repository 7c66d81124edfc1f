"""Which models have what a page shows; for one that does not, a sentence and a button that takes one that does."""

from __future__ import annotations

import re

import streamlit as st

from workbench.app import messages, readings, state
from workbench.models import ModelCard
from workbench.paths import share
from workbench.views import VIEWS, get_view


def fits(name: str, model: str) -> bool:
    """Whether a model has what a view shows; one that is not on the shelf says so itself."""
    return name not in VIEWS or model not in readings.cards() or get_view(name).needs.met_by(readings.offer(model))


def fitting(name: str) -> list[ModelCard]:
    """The models on the shelf that a view can show, the nearest to the chosen one first: the same number of points,
    then the default model."""
    points = state.limits().landmarks
    found = [readings.cards()[model] for model in readings.offering(get_view(name))]
    return sorted(
        found, key=lambda card: (card.landmarks != points, card.name != readings.shelf().default_model, card.name)
    )


def used(name: str) -> str:
    """The model that a page reads with: the chosen one, or on a page that takes another in its place, that one."""
    chosen = state.current().model
    if fits(name, chosen) or not get_view(name).stands_in:
        return chosen
    able = readings.offering(get_view(name))
    return next((model for model in able if "68" in model), able[0]) if able else chosen


def mark_navigation() -> None:
    """Say in the navigation which views the chosen model cannot fill, and which model can."""
    rules = []
    for view in VIEWS.values():
        if view.page and not fits(view.name, used(view.name)):
            others = fitting(view.name)
            told = f"needs {_short(others[0])}" if others else "no model has it"
            link = f'[data-testid="stSidebarNavLink"][href$="/{view.url}"]'
            rules.append(f'{link} {{ --wb-needs: "{told}"; }}')
    if rules:
        st.html(f"<style>{' '.join(rules)}</style>")


def _short(card: ModelCard) -> str:
    """Its system's name."""
    return re.sub(r"[^A-Za-z0-9-]", "", card.title.split()[0])


def missing(name: str) -> bool:
    """True when the chosen model has not what a view shows; the page then holds a sentence and a way on."""
    chosen = state.current().model
    if fits(name, chosen):
        return False
    title, lacks = messages.plain(readings.cards()[chosen].title), get_view(name).lacks
    others = fitting(name)
    st.caption(get_view(name).sentence)
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
