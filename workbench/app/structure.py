"""The Structure page: the encodings of the chosen model beside those of one with another number of points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.app import explorer, readings, requirements, state, what_if
from workbench.app.url_state import Selection
from workbench.axes import ENCODINGS
from workbench.models import ModelCard
from workbench.widgets import structure_payload

_ZERO = " set to zero"


def effect_words(card: ModelCard) -> str:
    """What the card tells of the answer without the encodings; "" where it tells nothing."""
    errors = {str(row["metric"]).partition(", ")[2]: row for row in card.metrics if "NME" in str(row["metric"])}
    parts = [
        f"without its {what.removesuffix(_ZERO)} (set to zero) {row['value']:.2f} %"
        for what, row in errors.items()
        if what.endswith(_ZERO)
    ]
    if not parts or "" not in errors:
        return ""
    whole = errors[""]
    return f"NME of {card.name} on {whole['data']} {whole['split']}: {whole['value']:.2f} %; {'; '.join(parts)}."


def show() -> None:
    """The widget, and what is said where a model stands alone."""
    if requirements.missing("structure"):
        return
    names = readings.side_by_side(state.current().model)
    payload = readings.view("structure", names, lambda: structure_payload([readings.encoded(n) for n in names]))
    own = names.index(state.current().model)

    def take(s: Selection) -> Mapping[str, Any]:
        return {} if s.landmark is None else {"model": own, "landmark": s.landmark}

    def give(new: Mapping[str, Any]) -> Mapping[str, Any]:
        # The shared selection speaks of the chosen model's landmarks; one of the other's stays this page's own.
        return {"landmark": new["landmark"] if new["model"] == own else None}

    chosen = explorer.linked(
        "structure", payload, take=take, give=give, of=lambda _: names, passing=("model", "landmark")
    )
    cards = readings.cards()
    st.caption("  \n".join(filter(None, (effect_words(cards[name]) for name in names if name in cards))))
    if len(names) < 2:
        st.caption("No other model of this system is on the shelf with another number of points, so it stands alone.")
    explorer.evidence("structure")
    explorer.save_menu(explorer.explorer_item("structure", payload, chosen), key="structure")
    now, encodings = chosen["selection"], readings.encoded(state.current().model)
    pinned = now["landmark"] if now["model"] == own else None
    what_if.panel(
        what_if.Target(
            encodings.tensor,
            ENCODINGS[0],
            "all encodings",
            {} if pinned is None else {"landmark": pinned},
            what_if.landmark_words(encodings.scheme, pinned),
        ),
        "Pin a landmark of the chosen model to ask about its encoding alone.",
    )
