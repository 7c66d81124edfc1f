"""The Uncertainty page: an occluder that is dragged over the face, and what answers to it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench.app import pool, views
from workbench.app.effects import change_figure, relation_change
from workbench.app.link import Selection
from workbench.errors import ImageError
from workbench.faces import Occluder

MOUTH = {"x": 0.3, "y": 0.6, "w": 0.4, "h": 0.22, "fill": "grey"}
"""An occluder over the lower face, to begin with."""


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
    plain = pool.reading(selection)
    shown = plain if occluder is None else pool.occluded(selection, occluder)
    views.uncertainty(shown, plain, committed if occluder else {})
    st.markdown("##### What the relations do")
    if occluder is None:
        st.caption(
            "Cover a part of the face above: the landmarks that listened to it will turn elsewhere, shown here."
        )
        st.button("Cover the mouth", icon=":material/ink_eraser:", on_click=_cover_mouth, key="cover_mouth")
        return
    _relations(shown, plain, occluder, selection)


def _relations(shown: pool.Shown, plain: pool.Shown, occluder: Occluder, selection: Selection) -> None:
    change = relation_change(shown.reading, plain.reading, occluder, selection.stage, selection.layer)
    figure = change_figure(change, shown.reading, plain.reading)
    words, picture = st.columns([2, 3])
    with words:
        st.markdown(change.sentence())
        st.caption(
            f"`{change.caption}` · lines: the {len(change.edges)} relations that changed most, "
            "orange more, blue less; squares are covered."
        )
        st.page_link(views.page("relations"), label="All relations, without the occluder", icon=":material/hub:")
    with picture:
        st.plotly_chart(figure, key="relation_change", config={"displayModeBar": False})


def _cover_mouth() -> None:
    views.keep_options("uncertainty.occluder", dict(MOUTH))
