"""The Prompts page: where each point of a structure prompt looks, and how the prompt lies on the face plane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from workbench.app import explorer, options, readings, requirements, shape, state
from workbench.app.options import PACKINGS
from workbench.app.url_state import Selection
from workbench.errors import DataError
from workbench.explain.prompts import lattice_points
from workbench.landmarks import Drawing, drawing
from workbench.shaping import same
from workbench.views import get_view
from workbench.widgets.prompts import prompts_payload
from workbench.widgets.shape import drawing_of

_CHOICES, _DRAWN, _LATTICE = "prompts.choices", "prompts.drawing", "prompts_lattice"
PACKINGS[_DRAWN] = PACKINGS[shape.KEPT]
_OWN = "your drawing"
_NONE = "nothing"


def show() -> None:
    """The chosen face, found by a convention's prompt or by the drawing of the Shape page."""
    if requirements.missing("prompts"):
        return
    selection = state.current()
    known = {one.template: one for one in readings.plane(selection.model)}
    drawn = _drawn(tuple(known.values()))
    names = [*known, *([_OWN] if drawn else [])]
    of, beside, lattice = st.columns([2, 2, 1], gap="small", vertical_alignment="bottom")
    with of:
        name = options.choose(_CHOICES, "prompt", "Prompt", names)
    with beside:
        others = [_NONE, *(n for n in names if n != name)]
        other = options.choose(_CHOICES, "beside", "A second prompt on the same face", others)
    with lattice:
        plotted = bool(options.options_of(_CHOICES).get("lattice", False))
        if st.session_state.get(_LATTICE) != plotted:
            st.session_state[_LATTICE] = plotted
        st.toggle(
            "Lattice",
            key=_LATTICE,
            help="A 10 x 10 lattice of the plane, found on the face.",
            on_change=lambda: options.keep_options(
                _CHOICES, {**options.options_of(_CHOICES), "lattice": st.session_state[_LATTICE]}
            ),
        )
    # A drawing of the Shape page travels in this page's link too, where it is shown.
    options.keep_options(_DRAWN, explorer.options_of(shape.KEPT) or options.options_of(_DRAWN) if name == _OWN else {})
    asked = {**known, **({_OWN: drawn} if drawn else {})}
    own = name == next(iter(known))
    record = get_view("prompts").recorded
    reading = readings.shape(selection, selection.model, asked[name], record)
    second = None if other == _NONE else readings.shape(selection, selection.model, asked[other], record)
    net = readings.shape(selection, selection.model, drawing(lattice_points())) if plotted else None
    key = (readings.FaceKey.of(selection), selection.model, *(a.digest for a in (asked[name], asked.get(other)) if a))
    payload = readings.view("prompts", (*key, plotted), lambda: prompts_payload(reading, None, second, net))
    middle = payload["meta"]["state"]["selection"]["landmark"]

    def take(s: Selection) -> Mapping[str, Any]:
        return {"landmark": middle if s.landmark is None else s.landmark} if own else {}

    chosen = explorer.linked(
        "prompts",
        payload,
        ("landmark",) if own else (),
        take=take,
        of=lambda now: (now.model, name),
        passing=("landmark",),
    )
    explorer.evidence("prompts")
    explorer.save_menu(explorer.explorer_item("prompts", payload, chosen), key="prompts")


def _drawn(plane: tuple[Drawing, ...]) -> Drawing | None:
    """The drawing of the Shape page, where it is none of the conventions."""
    kept = explorer.options_of(shape.KEPT) or options.options_of(_DRAWN)
    try:
        found = drawing_of(kept, plane) if kept else None
    except DataError:
        return None
    if found is None or any(same(found.points, one.points) for one in plane):
        return None
    return found
