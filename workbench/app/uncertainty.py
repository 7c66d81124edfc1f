"""The Uncertainty page: an occluder that is dragged over the face, and what answers to it."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.app import cache, views
from workbench.app.effects import change_figure, relation_change
from workbench.app.url_state import Selection
from workbench.errors import ImageError
from workbench.faces import Occluder
from workbench.reading import Reading

_AROUND = 0.02
"""How far the first occluder reaches beyond the mouth's landmarks, in [0, 1] of the crop."""


def mouth(reading: Reading) -> dict[str, Any]:
    """An occluder over the mouth where the model sees it, or over the lower face where the scheme has no mouth."""
    lips = [i for i, part in enumerate(reading.scheme.part_of) if part in ("outer_lip", "inner_lip")]
    if not lips:
        return {"x": 0.3, "y": 0.6, "w": 0.4, "h": 0.22, "fill": "grey"}
    points = reading.points()[lips]
    low, high = (points.min(0) - _AROUND).clip(0, 0.95), (points.max(0) + _AROUND).clip(0.05, 1)
    place = zip("xywh", (*low, *(high - low)), strict=True)
    return {**{name: round(float(value), 4) for name, value in place}, "fill": "grey"}


def occluder_of(value: dict[str, Any]) -> Occluder | None:
    """What the widget committed, {x, y, w, h, fill}, as an occluder; None for {} or what is unusable."""
    try:
        return Occluder(
            float(value["x"]), float(value["y"]), float(value["w"]), float(value["h"]), str(value.get("fill", "grey"))
        )
    except (ImageError, KeyError, TypeError, ValueError):
        return None


def explorer(selection: Selection) -> None:
    """The widget, the covered crop read afresh whenever the occluder was moved, and the relations' answer."""
    committed = views.options_of("uncertainty.occluder")
    occluder = occluder_of(committed)
    plain = cache.reading(selection)
    if occluder is None:
        with _answer():
            st.markdown(
                "Cover a part of the face, and see how sure the model stays there and whom the other landmarks "
                "listen to then."
            )
            st.button(
                "Cover the mouth",
                key="cover_mouth",
                on_click=views.keep_options,
                args=("uncertainty.occluder", mouth(plain.reading)),
                icon=":material/ink_eraser:",
            )
        views.uncertainty(plain, plain, {})
        return
    shown = cache.occluded(selection, occluder)
    change = relation_change(shown.reading, plain.reading, occluder, selection.stage, selection.layer)
    with _answer():
        st.markdown(change.sentence())
    views.uncertainty(shown, plain, committed)
    words, picture = st.columns([2, 3])
    with words:
        st.markdown("##### Who gained and who lost listeners")
        st.caption(
            f"`{change.caption}` · dots: mean weight on each landmark's patch; lines: the {len(change.edges)} "
            f"relations that changed most, the widest by {abs(change.change).max():.3f}, red more, blue less; "
            f"squares are covered · {cache.timing(shown)}"
        )
        st.page_link(views.page("relations"), label="All relations, uncovered", icon=":material/hub:")
    with picture:
        figure = change_figure(change, shown.reading, plain.reading)
        st.plotly_chart(figure, key="relation_change", config={"displayModeBar": False})


def _answer() -> DeltaGenerator:
    """One line above the widget, always there, so that nothing jumps when the occluder comes."""
    return st.container(key="wb-answer", horizontal=True, vertical_alignment="center")
