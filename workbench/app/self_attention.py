"""The Self-attention page: where a place of the face looks, with and without the structure prior in training."""

from __future__ import annotations

from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from workbench import figures
from workbench.app import cache, downloads, requirements, state, views
from workbench.app.url_state import Selection
from workbench.explain import to_csv
from workbench.models import ModelCard
from workbench.widgets import self_attention_payload
from workbench.widgets.self_attention import Panel

_CHOICE = "attention_tensor"


def explorer(selection: Selection) -> None:
    """The chosen model and its twin on the same face."""
    if requirements.missing("self_attention"):
        return
    cards = side_by_side(cache.cards()[selection.model], list(cache.cards().values()))
    tensor = _choose([m.name for m in cache.listed(cards[0].name) if m.kind == "spatial_attention"])
    cards = [c for c in cards if tensor in {m.name for m in cache.listed(c.name)}]
    shown = [cache.inside(selection, tensor, card.name) for card in cards]
    panels = [_panel(card, one, tensor) for card, one in zip(cards, shown, strict=True)]
    key = tuple(part for one in shown for part in one.key)
    payload = cache.view("attention", key, lambda: self_attention_payload(panels))
    chosen = _mount(payload, selection)
    _downloads(panels, payload, chosen)
    if len(cards) < 2:
        st.caption("No model on the shelf differs from this one only by its prior, so it stands alone.")


def side_by_side(chosen: ModelCard, cards: list[ModelCard]) -> list[ModelCard]:
    """The chosen model and the one that differs from it only by the prior; the one with the prior first."""
    changed = {"beta"}

    def alike(card: ModelCard) -> bool:
        a, b = ({k: v for k, v in c.config.items() if k not in changed} for c in (chosen, card))
        return a == b and bool(card.config.get("beta")) != bool(chosen.config.get("beta"))

    twins = [card for card in cards if card.name != chosen.name and alike(card)]
    return sorted([chosen, *twins[:1]], key=lambda card: not card.config.get("beta"))


def _panel(card: ModelCard, shown: cache.Shown, tensor: str) -> Panel:
    c = card.config
    beta = float(c.get("beta", 0.0))
    title = "with the prior" if beta else "without the prior"
    return Panel(
        shown.reading,
        tensor,
        title,
        float(c.get("prior_sigma", 1.0)),
        float(c.get("prior_radius", 3.0)),
        beta,
        str(c.get("normalise", "softmax")),
    )


def _choose(names: list[str]) -> str:
    """Which attention, where a model has several."""
    kept = st.session_state.get(_CHOICE)
    if kept not in names:
        st.session_state[_CHOICE] = names[-1]
    if len(names) > 1:
        st.selectbox("Which attention", names, key=_CHOICE)
    return st.session_state[_CHOICE]


def _mount(payload: views.Payload, selection: Selection) -> dict[str, Any]:
    kept = views.options_of("attention")
    start = payload["meta"]["state"]["selection"]
    shown = {**start, **kept, "landmark": selection.landmark}
    if kept.get("landmark") != selection.landmark:  # chosen on another page: its place, not the one pinned here
        shown["place"] = None

    def changed(now: dict[str, Any]) -> None:
        new = now["selection"]
        views.keep_options("attention", new)
        state.update(landmark=new["landmark"])

    return views.mount(
        "self_attention", views.with_state(payload, selection=shown), key="attention", on_change=changed
    )["selection"]


def place_of(panel: Panel, chosen: dict[str, Any]) -> tuple[float, float]:
    """The place that is shown, (x, y) in [0, 1]: pinned, of the landmark, or the landmarks' middle."""
    points = panel.reading.points()
    if chosen["place"] is not None:
        x, y = chosen["place"]
    elif chosen["landmark"] is not None:
        x, y = points[chosen["landmark"]]
    else:
        x, y = points.mean(0)
    return float(x), float(y)


def _downloads(panels: list[Panel], payload: views.Payload, chosen: dict[str, Any]) -> None:
    reading = panels[0].reading
    stem = downloads.stem(reading, "self-attention")
    x, y = place_of(panels[0], chosen)
    items: list[views.Item] = []
    for panel in panels:
        name = panel.title.capitalize()
        own = f"{stem}-{'with' if panel.beta else 'without'}"
        items += views.figure_items(name, own, partial(_figure, panel, panels, x, y, chosen))
    items.append(("Leaked mass as CSV", f"{stem}-leak.csv", "text/csv", partial(_leak_csv, panels, payload)))
    given = views.with_state(payload, selection=chosen)
    views.save_menu(*items, views.explorer_item("self_attention", given, stem, "Self-attention"), key="attention")


def _figure(panel: Panel, panels: list[Panel], x: float, y: float, chosen: dict[str, Any]) -> go.Figure:
    others = [(p.reading, p.tensor) for p in panels if p is not panel] if chosen["scale"] == "both" else []
    return figures.self_attention(panel.reading, panel.tensor, x, y, panel.title, chosen["opacity"], others)


def _leak_csv(panels: list[Panel], payload: views.Payload) -> str:
    label = panels[0].reading.scheme.label
    shown = payload["meta"]["panels"]
    return to_csv(
        [
            {"landmark": i, "name": label(i), **{p["model"]: p["leak"][i] for p in shown}}
            for i in range(panels[0].reading.scheme.count)
        ]
    )
