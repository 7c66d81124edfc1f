"""Which model reads the face, with the facts of its card."""

from __future__ import annotations

import streamlit as st

from workbench.app import readings, requirements, state
from workbench.models import ModelCard
from workbench.views import VIEWS, get_view

_MENU = "model_choice"


def model_menu(view: str) -> None:
    """A chooser over the shelf: first the models that have what the view shows; the others say what they lack."""
    cards, chosen = readings.cards(), requirements.used(view)
    names = sorted(cards, key=lambda name: not requirements.fits(view, name))  # in the shelf's order within each part
    if not names:
        return
    if st.session_state.get(_MENU) != chosen and chosen in names:
        st.session_state[_MENU] = chosen
    lacks = get_view(view).lacks if view in VIEWS else ""

    def words(name: str) -> str:
        return cards[name].title if requirements.fits(view, name) else f"{cards[name].title} · no {lacks}"

    st.selectbox(
        "Model",
        names,
        key=_MENU,
        format_func=words,
        on_change=_choose,
        label_visibility="collapsed",
        filter_mode=None,
        width=230,
    )


def _choose() -> None:
    """A browser that still shows another page's words for a model sends those: they are passed over."""
    if st.session_state[_MENU] in readings.cards():
        state.update(model=st.session_state[_MENU])


def model_facts() -> None:
    """What the card of the chosen model tells."""
    card = readings.cards().get(state.current().model)
    if card is not None:
        st.caption("  \n".join(facts(card)), help="\n\n".join(card.notes) or None)


def facts(card: ModelCard) -> list[str]:
    """Lines about a model: size, what it was trained on, and the error that was measured."""
    lines = [f"{card.landmarks} points · {_millions(card.parameters)} parameters · {card.input_size} px crop"]
    if card.data:
        lines.append(f"trained on {card.data}")
    error = next((m for m in card.metrics if str(m.get("metric", "")).startswith("NME")), None)
    if error is None:
        lines.append("error not measured")
    else:
        own = error.get("labels") in (None, "", "own")
        labels = "" if own else f", {error['labels']} labels"
        lines.append(
            f"error {error['value']:.2f} {error.get('unit', '%')} ({error['metric']}; "
            f"{error.get('faces', '?')} faces of {error.get('data', '?')} {error.get('split', '')}{labels})"
        )
    return lines


def _millions(count: int) -> str:
    return f"{count / 1e6:.1f} M"
