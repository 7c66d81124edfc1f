"""The Uncertainty page: an occluder that is dragged over the face, and what answers to it."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench import figures
from workbench.app import explorer, readings, requirements, state
from workbench.errors import ImageError
from workbench.explain import CalibrationReport, relation_change, to_markdown
from workbench.faces import Occluder
from workbench.reading import Reading
from workbench.widgets import uncertainty_payload

KEPT = "all.occluder"
"""Under which name all pages keep the occluder."""
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
    except (ImageError, KeyError, TypeError, ValueError, OverflowError):
        return None


def show() -> None:
    """The widget, the covered crop read afresh whenever the occluder was moved, and the relations' answer."""
    if requirements.missing("uncertainty"):
        return
    selection = state.current()
    committed = explorer.options_of(KEPT)
    occluder = occluder_of(committed)
    plain = readings.reading(selection)
    if occluder is None:
        with _answer():
            st.markdown(
                "Cover a part of the face, and see how sure the model stays there and whom the other landmarks "
                "listen to then."
            )
            st.button(
                "Cover the mouth",
                key="cover_mouth",
                on_click=explorer.keep_options,
                args=(KEPT, mouth(plain.reading)),
                icon=":material/ink_eraser:",
            )
        _explorer(plain, plain, {})
        _promise(plain.reading)
        return
    shown = readings.occluded(selection, occluder)
    listens = requirements.fits("relations", selection.model)
    stage = -1 if selection.stage is None else selection.stage
    with _answer():
        if listens:
            change = relation_change(shown.reading, plain.reading, occluder, stage, selection.layer)
            st.markdown(change.sentence())
    _explorer(shown, plain, committed)
    if listens:
        words, picture = st.columns([2, 3])
        with words:
            st.markdown("## Which landmarks are listened to more, and which less")
            st.caption(f"{change.caption} · {readings.timing(shown)}")
            explorer.page_link("relations", "All relations, uncovered")
        with picture:
            figure = figures.relation_change(change, shown.reading, plain.reading)
            explorer.chart(figure, "relation_change", "The face with the relations that the occluder changed most")
    _promise(plain.reading)


def _promise(reading: Reading) -> None:
    """Whether the spread keeps its promise, as the model's card tells."""
    if not reading.calibration:
        return
    report = CalibrationReport.from_card(reading.calibration)
    st.markdown("## Does σ keep its promise?")
    st.markdown(report.verdict())
    curve, errors, table = st.columns([9, 9, 11])
    for place, name, figure in (
        (curve, "coverage", figures.calibration(report)), (errors, "errors", figures.error_against_sigma(report))
    ):  # fmt: skip
        with place:
            explorer.chart(figure, name, f"σ against the error: {name}", width="content")
    with table, st.container(key="wb-coverage"):
        st.markdown(to_markdown(report.table()))
    st.caption(report.caption())


def _explorer(shown: readings.Shown, plain: readings.Shown, cover: dict[str, Any]) -> None:
    """The widget; ``cover`` is the occluder that ``shown`` was read under."""
    payload = readings.view(
        "uncertainty", shown.key, lambda: uncertainty_payload(shown.reading, cover, plain.reading if cover else None)
    )
    chosen = explorer.linked("uncertainty", payload, kept_as={"occluder": KEPT}, occluder=cover)
    explorer.evidence("uncertainty", ("patches.next_half",))
    explorer.save_menu(explorer.explorer_item("uncertainty", payload, chosen), key="uncertainty")


def _answer() -> DeltaGenerator:
    """One line above the widget, always there, so that nothing jumps when the occluder comes."""
    return st.container(key="wb-answer", horizontal=True, vertical_alignment="center")
