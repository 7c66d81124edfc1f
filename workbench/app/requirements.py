"""Which models have what a page shows; for one that does not, a sentence and a button that takes one that does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from workbench.app import cache, messages, state
from workbench.models import ModelCard
from workbench.paths import share


@dataclass(frozen=True)
class Need:
    """What a page needs of a model.

    Attributes:
        has: whether a model of this card has it.
        lacks: what a model without it lacks, as the end of "<model> has no ...".
    """

    has: Callable[[ModelCard], bool]
    lacks: str


def _patch_transformer(card: ModelCard) -> bool:
    return card.system in ("slpt", "dslpt")


def has_spatial_attention(card: ModelCard) -> bool:
    """Whether an SSFA model holds attention between the places of a map."""
    config = card.config
    return card.system == "ssfa" and config.get("insertion") != "none" and config.get("kind") != "channel"


NEEDS: dict[str, Need] = {
    "relations": Need(_patch_transformer, "relation layers, in which landmarks listen to one another"),
    "structure": Need(_patch_transformer, "structure encodings, one a landmark"),
    "uncertainty": Need(lambda card: card.system == "dslpt", "uncertainty of its own to show"),
    "self_attention": Need(has_spatial_attention, "self-attention between the places of a feature map"),
}


def fits(view: str, name: str) -> bool:
    """Whether the model ``name`` has what a page shows; pages that need nothing, and unknown models, fit."""
    card = cache.cards().get(name)
    return view not in NEEDS or card is None or NEEDS[view].has(card)


def fitting(view: str) -> list[ModelCard]:
    """The models on the shelf that a page can show, the nearest to the chosen one first: the same number of points,
    then the default model."""
    points = state.limits().landmarks
    found = [card for card in cache.cards().values() if view not in NEEDS or NEEDS[view].has(card)]
    return sorted(
        found, key=lambda card: (card.landmarks != points, card.name != cache.shelf().default_model, card.name)
    )


def missing(view: str) -> bool:
    """True when the chosen model has not what a page shows; the page then holds a sentence and a way on."""
    name = state.current().model
    if fits(view, name):
        return False
    title = messages.plain(cache.cards()[name].title)
    others = fitting(view)
    with st.container(
        key=f"wb-missing-{view}", border=True, horizontal=True, vertical_alignment="center", gap="medium"
    ):
        if not others:
            st.markdown(f"{title} has no {NEEDS[view].lacks}, and no model on the shelf has.")
            return True
        st.markdown(f"{title} has no {NEEDS[view].lacks}.")
        label = f"Read this face with {messages.plain(others[0].title)}"
        st.button(label, key=f"wb_fit_{view}", on_click=state.update, kwargs={"model": others[0].name}, type="primary")
        st.page_link(share("pages") / "inside.py", label="What this model has inside", icon=":material/layers:")
    return True
