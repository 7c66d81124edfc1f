"""Which model reads the face, with the facts of its card."""

from __future__ import annotations

import streamlit as st

from workbench.app import readings, state
from workbench.models import ModelCard


def model_choice(key: str = "model_choice", short: bool = False) -> None:
    """A chooser over the shelf and, below it unless ``short``, the chosen card's facts."""
    cards = readings.cards()
    names = list(cards)
    chosen = state.current().model
    if st.session_state.get(key) != chosen and chosen in names:
        st.session_state[key] = chosen

    def changed() -> None:
        state.update(model=st.session_state[key])

    st.selectbox(
        "Model", names, key=key, format_func=lambda name: cards[name].title, on_change=changed, filter_mode=None
    )
    if chosen in cards and not short:
        card = cards[chosen]
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
