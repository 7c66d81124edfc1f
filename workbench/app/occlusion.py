"""The Occlusion page: an occluder that is dragged over the face, and every map, gate and rank that answers to it."""

from __future__ import annotations

import streamlit as st

from workbench.app import explorer, readings, requirements, state
from workbench.app.uncertainty import mouth, occluder_of
from workbench.models import ModelCard
from workbench.views import get_view
from workbench.widgets import occlusion_payload

_UNDER = " under the rectangle"
_BEFORE = " where a rectangle will be painted"


def map_words(card: ModelCard) -> str:
    """What the card tells of the maps under rectangles; "" where it tells nothing."""
    rows = {str(row["metric"]): row for row in card.metrics}
    parts = []
    for metric, row in rows.items():
        name = metric.removesuffix(_UNDER)
        if name != metric and name + _BEFORE in rows:
            before, after = rows[name + _BEFORE]["value"], row["value"]
            parts.append(f"{name} {'falls' if after < before else 'rises'} from {before:.2f} to {after:.2f}")
    if not parts:
        return ""
    where = next(row for metric, row in rows.items() if metric.endswith(_UNDER))
    return f"Under one rectangle on each of {where['faces']} faces of {where['data']}: {'; '.join(parts)}."


def show() -> None:
    """The widget over the plain or the covered face, and what is said of its parts."""
    if requirements.missing("occlusion"):
        return
    view, selection = get_view("occlusion"), state.current()
    cover = explorer.options_of("occlusion.occluder")
    occluder = occluder_of(cover)
    plain = readings.reading(selection, record=view.recorded)
    if occluder is None:
        cover, shown = {}, plain
        with st.container(key="wb-answer", horizontal=True, vertical_alignment="center"):
            st.markdown("Cover a part of the face, and see which maps notice and whether the landmarks hold.")
            st.button(
                "Cover the mouth",
                key="cover_mouth",
                on_click=explorer.keep_options,
                args=("occlusion.occluder", mouth(plain.reading)),
                icon=":material/ink_eraser:",
            )
    else:
        shown = readings.occluded(selection, occluder, view.recorded)
    payload = readings.view(
        "occlusion", shown.key, lambda: occlusion_payload(shown.reading, cover, plain.reading if cover else None)
    )
    chosen = explorer.linked("occlusion", payload, ("landmark",), occluder=cover)
    card = readings.cards().get(selection.model)
    if card is not None and (words := map_words(card)):
        st.caption(words)
    explorer.evidence("occlusion")
    explorer.save_menu(explorer.explorer_item("occlusion", payload, chosen), key="occlusion")
