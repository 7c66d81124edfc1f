"""The Attribution page: what an answer depends on, computed when it is asked for, and whether the map of it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from workbench import figures
from workbench.app import explorer, options, readings, state
from workbench.app.url_state import Selection
from workbench.app.working import Told, about, compute, kept
from workbench.attribution import (
    FILLS,
    METHODS,
    TARGETS,
    Agreement,
    Attribution,
    AttributionReading,
    Curves,
    agreement,
    attributed,
    cost,
    curve_passes,
    curves,
    randomised,
)
from workbench.attribution.attribute import seconds_of_a_pass
from workbench.attribution.randomised import STEPS
from workbench.attribution.result import carrying
from workbench.explain import to_csv
from workbench.reading import Reading
from workbench.widgets.attribution import attribution_payload

_TARGET_WORDS = {"displacement": "how far it moves", "x": "its x", "y": "its y", "log_sigma": "log of its sigma"}
_CHOICES = "attribution.choices"


def show() -> None:
    """Controls, the widget, and the checks of what it shows."""
    selection = state.current()
    shown = readings.reading(selection)
    landmark = central(shown.reading) if selection.landmark is None else selection.landmark
    method, target, fill, press = _controls(selection, shown.reading)
    how = METHODS[method]
    key = (readings.FaceKey.of(selection), selection.model, method, target, fill, None if how.every else landmark)
    model = readings.model(selection.model)
    found = kept(key)
    expected = None if found is not None else cost(model, method, target, fill=fill)
    with press:
        pressed = st.button(
            "Computed" if expected is None else f"Compute · {about(expected.seconds)}",
            key="attribution_compute",
            type="secondary" if expected is None else "primary",
            disabled=expected is None,
            width="stretch",
        )
    working = st.empty()
    reading = carrying(shown.reading, found or {}, landmark)
    payload = readings.view("attribution", (*key, found is None), lambda: attribution_payload(reading))

    def take(s: Selection) -> Mapping[str, Any]:
        return {"landmark": landmark if s.landmark is None else s.landmark}

    chosen = explorer.linked("attribution", payload, take=take)
    if found is not None:
        of = reading.shown()
        _save(reading, of, payload, chosen)
        _checks(selection, of, key)
    elif pressed and expected is not None:
        face = readings.face(selection)

        def make(told: Told) -> dict[int, Attribution]:
            return attributed(model, face, landmark, target, method, progress=told, fill=fill).attributions

        compute(working, key, make, f"{how.title}, {expected.passes} passes", "attribution_cancel")


def central(reading: Reading) -> int:
    """The landmark in the middle of the face, to begin with."""
    points = reading.points()
    return int(np.linalg.norm(points - points.mean(0), axis=1).argmin())


def _controls(selection: Selection, reading: Reading) -> tuple[str, str, str, Any]:
    """What the person chose (method, target, fill), and where the button goes."""
    targets = [t for t in TARGETS if t != "log_sigma" or reading.alignment.variance is not None]
    which, what, fill, press = st.columns([3.2, 2, 2, 2], vertical_alignment="bottom", gap="small")

    def choose(name: str, label: str, known: list[str], words: Mapping[str, str]) -> str:
        return options.choose(_CHOICES, name, label, known, words.__getitem__)

    with which:
        method = choose("method", "Method", list(METHODS), {name: m.title for name, m in METHODS.items()})
    with what:
        target = choose("target", "What is explained", targets, _TARGET_WORDS)
    with fill:
        cover = choose("fill", "Covered with", list(FILLS), FILLS) if METHODS[method].filled else _no_fill()
    return method, target, cover, press


def _no_fill() -> str:
    st.selectbox("Covered with", ["nothing: slopes only"], disabled=True, key="attribution_no_fill")
    return next(iter(FILLS))


def _save(reading: AttributionReading, of: Attribution, payload: Any, chosen: Mapping[str, Any]) -> None:
    stem = f"{reading.stem('attribution')}-{of.landmark}-{of.method}"
    explorer.save_menu(
        ("Numbers as CSV", f"{stem}.csv", "text/csv", lambda: to_csv(of.rows())),
        ("Everything as JSON", f"{stem}.json", "application/json", of.to_json),
        explorer.explorer_item("attribution", payload, chosen),
        key="attribution",
    )


def _checks(selection: Selection, of: Attribution, key: tuple[Any, ...]) -> None:
    """Curves with their baselines and the agreement of rankings; scrambled weights; each when it is asked for."""
    model, face = readings.model(selection.model), readings.face(selection)
    curve_key, random_key = (*key, of.landmark, "check"), (*key, of.landmark, "randomised")
    checked, scrambled = kept(curve_key), kept(random_key)
    speed = seconds_of_a_pass(model)
    st.markdown("## Does the map hold?")
    if checked is None or scrambled is None:
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="wb-checks"):
            wanted = again = False
            if checked is None:
                seconds = about(speed * (curve_passes() + of.scheme.count))
                wanted = st.button(f"Delete, insert and compare · {seconds}", key="attribution_check")
            if scrambled is None:
                seconds = about(STEPS * cost(model, of.method, of.target, fill=of.settings.fill).seconds)
                again = st.button(f"Scramble the weights · {seconds}", key="attribution_randomise")
        working = st.empty()
        _charts(checked, scrambled)
        if wanted:

            def check(told: Told) -> tuple[Curves, Agreement]:
                return curves(model, face, of, progress=told), agreement(model, face, of, progress=told)

            compute(working, curve_key, check, "Deletion, insertion, agreement", "attribution_cancel")
        if again:
            words = f"{of.how.title} with scrambled weights"
            compute(
                working,
                random_key,
                lambda told: randomised(model, face, of, progress=told),
                words,
                "attribution_cancel",
            )
        return
    _charts(checked, scrambled)


def _charts(checked: Any, scrambled: Any) -> None:
    charts, said = [], []
    if checked is not None:
        found, alike = checked
        charts += [figures.attribution_check(found, side=side, words=False) for side in ("deletion", "insertion")]
        charts.append(figures.attribution_check(agreement=alike, words=False))
        said += [found.caption, alike.caption]
    if scrambled is not None:
        charts.append(figures.attribution_check(randomised=scrambled, words=False))
        said.append(scrambled.caption)
    if not charts:
        st.caption(
            "A map is worth something where covering what it ranks first moves the answer sooner than covering what "
            "lies nearest, or anything at random, and where it changes when the model forgets what it has learned."
        )
        return
    with st.container(horizontal=True, gap="small", key="wb-charts"):
        for k, chart in enumerate(charts):
            explorer.chart(chart, f"attribution_chart_{k}", "A check of the attribution", width="content")
    for words in said:
        st.caption(words)
