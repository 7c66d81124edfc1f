"""The Self-attention page: where a place of the face looks, with and without the structure prior in training."""

from __future__ import annotations

import streamlit as st

from workbench.app import explorer, readings, requirements, state
from workbench.axes import SPATIAL_ATTENTION
from workbench.models import ModelCard
from workbench.widgets import self_attention_payload
from workbench.widgets.self_attention import panel_of

_CHOICE = "attention_tensor"


def show() -> None:
    """The chosen model and its counterpart on the same face."""
    if requirements.missing("self_attention"):
        return
    selection = state.current()
    cards = side_by_side(readings.cards()[selection.model], list(readings.cards().values()))
    tensor = _choose(_attention_of(selection.model))
    cards = [card for card in cards if tensor in _attention_of(card.name)]
    shown = [readings.reading(selection, card.name, (tensor,)) for card in cards]
    key = tuple(part for one in shown for part in one.key)
    payload = readings.view(
        "self_attention", key, lambda: self_attention_payload([panel_of(one.reading, tensor) for one in shown])
    )
    # A place that was pinned goes when another landmark is chosen, on whatever page.
    chosen = explorer.linked("self_attention", payload, ("landmark",), of=lambda now: now.landmark, passing=("place",))
    explorer.evidence("self_attention")
    explorer.save_menu(explorer.explorer_item("self_attention", payload, chosen), key="self_attention")
    if len(cards) < 2:
        st.caption("No model on the shelf differs from this one only by its prior, so it stands alone.")


def side_by_side(chosen: ModelCard, cards: list[ModelCard]) -> list[ModelCard]:
    """The chosen model and the one that differs from it only by the prior; the one with the prior first."""
    changed = {"beta"}

    def alike(card: ModelCard) -> bool:
        a, b = ({k: v for k, v in c.config.items() if k not in changed} for c in (chosen, card))
        return a == b and bool(card.config.get("beta")) != bool(chosen.config.get("beta"))

    counterparts = [card for card in cards if card.name != chosen.name and alike(card)]
    return sorted([chosen, *counterparts[:1]], key=lambda card: not card.config.get("beta"))


def _attention_of(model: str) -> list[str]:
    return [m.name for m in readings.listed(model) if m.axes in SPATIAL_ATTENTION]


def _choose(names: list[str]) -> str:
    """Which attention, where a model has several."""
    kept = st.session_state.get(_CHOICE)
    if kept not in names:
        st.session_state[_CHOICE] = names[-1]
    if len(names) > 1:
        st.selectbox("Which attention", names, key=_CHOICE)
    return st.session_state[_CHOICE]
