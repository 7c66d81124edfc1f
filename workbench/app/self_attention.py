"""The Self-attention page: where a place of the face looks, with and without the structure prior in training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from workbench.app import explorer, occluder, options, readings, requirements, state, what_if
from workbench.axes import SPATIAL_ATTENTION
from workbench.models import ModelCard
from workbench.reading import Reading
from workbench.widgets import Payload, self_attention_payload
from workbench.widgets.covered import covered_payload
from workbench.widgets.self_attention import panel_of

_CHOICES = "self_attention.choices"


def show() -> None:
    """The chosen model and its counterpart on the same face."""
    if requirements.missing("self_attention"):
        return
    selection = state.current()
    cards = side_by_side(readings.cards()[selection.model], list(readings.cards().values()))
    tensor = _choose(_attention_of(selection.model))
    cards = [card for card in cards if tensor in _attention_of(card.name)]
    coverings = [occluder.covering(selection, (tensor,), card.name) for card in cards]
    shown = [one.plain for one in coverings]
    key = tuple(part for one in coverings for part in one.key)
    bare = baseline(readings.cards()[selection.model], list(readings.cards().values()))
    plain = None if bare is None else occluder.covering(selection, (), bare.name).shown
    payload = readings.view("self_attention", (*key, bare and bare.name), lambda: _payload(coverings, tensor, plain))
    # A place that was pinned goes when another landmark is chosen, on whatever page.
    chosen = explorer.linked(
        "self_attention",
        payload,
        ("landmark",),
        of=lambda now: now.landmark,
        passing=("place",),
        **coverings[0].state,
    )
    explorer.evidence("self_attention")
    explorer.save_menu(explorer.explorer_item("self_attention", payload, chosen), key="self_attention")
    if len(cards) < 2:
        st.caption("No model on the shelf differs from this one only by its prior, so it stands alone.")
    own = next(one.reading for one in shown if one.reading.model_name == selection.model)
    what_if.panel(_target(tensor, own, chosen["selection"]), "Pin a place on the face to ask about that place alone.")


def _payload(coverings: list[occluder.Covering], tensor: str, bare: Reading | None) -> Payload:
    """Every model's attention as the switch asks for it, with the occluder to drag."""
    first = coverings[0]
    change = first.cover and first.mode == "difference"
    panels = [
        replace(panel_of(one.covered.reading, tensor), minus=one.plain.reading)
        if change
        else panel_of(one.shown, tensor)
        for one in coverings
    ]
    plain, covered = first.plain.reading, first.covered.reading
    return covered_payload(
        self_attention_payload(panels, baseline=bare), plain, covered, first.cover, first.mode, lines=False
    )


def _target(tensor: str, reading: Reading, now: dict[str, Any]) -> what_if.Target:
    """What the widget has selected, in the chosen model."""
    sizes = reading.trace[tensor].shape
    place, item = now["place"], ""
    if place is None and now["landmark"] is not None:
        place = reading.points()[now["landmark"]]
        item = what_if.landmark_words(reading.scheme, now["landmark"])
    chosen: dict[str, int] = {}
    if place is not None:
        x, y = (min(sizes[f"query_{axis}"] - 1, max(0, int(place[k] * sizes[f"query_{axis}"])))
                for k, axis in enumerate("xy"))  # fmt: skip
        chosen = {"query_y": y, "query_x": x, "key_y": y, "key_x": x}
        item = item or f"the place y {y}, x {x}"
    return what_if.Target(tensor, SPATIAL_ATTENTION[0], "the whole attention", chosen, item)


def side_by_side(chosen: ModelCard, cards: list[ModelCard]) -> list[ModelCard]:
    """The chosen model and the one that differs from it only by the prior; the one with the prior first."""
    changed = {"beta"}

    def alike(card: ModelCard) -> bool:
        a, b = ({k: v for k, v in c.config.items() if k not in changed} for c in (chosen, card))
        return a == b and bool(card.config.get("beta")) != bool(chosen.config.get("beta"))

    counterparts = [card for card in cards if card.name != chosen.name and alike(card)]
    return sorted([chosen, *counterparts[:1]], key=lambda card: not card.config.get("beta"))


def baseline(chosen: ModelCard, cards: list[ModelCard]) -> ModelCard | None:
    """The model that differs from the chosen one only by having no attention, and with it no prior."""
    changed = {"beta", "insertion"}
    for card in cards:
        a, b = ({k: v for k, v in c.config.items() if k not in changed} for c in (chosen, card))
        if a == b and card.config.get("insertion") == "none" and chosen.config.get("insertion") != "none":
            return card
    return None


def _attention_of(model: str) -> list[str]:
    return [m.name for m in readings.listed(model) if m.axes in SPATIAL_ATTENTION]


def _choose(names: list[str]) -> str:
    """Which attention, where a model has several."""
    if len(names) == 1:
        return names[0]
    return options.choose(_CHOICES, "tensor", "Which attention", names[::-1])
