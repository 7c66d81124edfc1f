"""What the pages place: a view's widget over a cached reading, linked to the shared selection, and its files."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from workbench.app import labels, messages, readings, requirements, state
from workbench.app.options import keep_options, options_of
from workbench.app.url_state import Selection
from workbench.explain.mechanisms import concerned, sentence, summary
from workbench.paths import share
from workbench.views import Tool, View, get_view
from workbench.widgets import Payload, mount, standalone_html
from workbench.widgets.selection import settle

__all__ = ["chart", "explorer_item", "keep_options", "linked", "options_of", "page", "page_link", "save_menu", "show"]

Item = tuple[str, str, str, Callable[[], bytes | str]]
"""A download: label, file name, MIME type, maker."""
_SHARED = ("kind", "stage", "layer", "head", "landmark")
_ANY = ("kind", "stage", "layer")
"""Of these the shared selection may leave the choice to the view; a head or a landmark that is None means it."""


def show(name: str) -> None:
    """A view of the chosen face and model, whole: what it lacks, or its widget and its menu."""
    if requirements.missing(name):
        return
    view = get_view(name)
    shown = readings.reading(state.current(), record=view.recorded)
    payload = readings.view(name, shown.key, lambda: view.payload(shown.reading, {}))
    chosen = linked(name, payload)
    evidence(name)
    save_menu(explorer_item(name, payload, chosen), key=name)


def linked(
    name: str,
    payload: Payload,
    shared: Sequence[str] = _SHARED,
    *,
    take: Callable[[Selection], Mapping[str, Any]] | None = None,
    give: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    of: Callable[[Selection], Hashable] = lambda _: None,
    passing: Sequence[str] = (),
    kept_as: Mapping[str, str] | None = None,
    key: str = "",
    place: str = "",
    **others: Any,
) -> dict[str, Any]:
    """Mount a widget whose state ``selection`` follows the selection that all pages share, and is followed by it.

    Args:
        name: of the view, which keeps for this session what is not shared.
        payload: what the widget is fed with.
        shared: fields of the selection that the widget has entries for, by the same name.
        take: shared selection -> entries; by default the ``shared`` ones that are chosen.
        give: entries -> fields of the shared selection; by default the ``shared`` ones.
        of: what the ``passing`` entries belong to; they are let go where it has changed.
        passing: entries that do not outlive what they belong to.
        kept_as: under which name a further state key is kept, where other pages share it.
        key: of the widget, where a view stands on a page more than once.
        place: under what its own settings are kept, by default the view's name; it begins with the name of the view
            whose page it stands on, so that they are part of that page's link.
        others: further state keys of the widget, with their values.

    Returns:
        What the person last committed, by state key.
    """
    if not key:  # a second widget may show another face, or a mean
        payload = labels.on(name, payload)
    started = payload["meta"]["state"]["selection"]
    place = place or name
    both = [entry for entry in shared if entry in started]
    give = give or (lambda new: {entry: new[entry] for entry in both})

    # What depends on another entry starts anew with it.
    bounds = payload["meta"].get("bounds", {})
    bound = {k for k, b in bounds.items() if isinstance(b, Mapping) and "first" in b}

    def taken(s: Selection) -> Mapping[str, Any]:
        values = {entry: getattr(s, entry) for entry in both}
        return {k: v for k, v in values.items() if v not in (None, "") or k not in _ANY}

    def wanted() -> dict[str, Any]:
        selection, kept = state.current(), options_of(place)
        if kept.get("of", of(selection)) != of(selection):
            kept = {k: v for k, v in kept.items() if k not in passing}
        own = {k: v for k, v in kept.items() if k in started}
        entries = {**own, **(take or taken)(selection)}
        if "bounds" not in payload["meta"]:
            return {**started, **entries}
        return settle(name, payload["meta"], {k: v for k, v in started.items() if k not in bound} | entries)

    def changed(now: dict[str, Any]) -> None:
        # Against the selection of this very moment: the run that mounted the widget may lie several changes back.
        new, before = now["selection"], wanted()
        given, limits = give(new), state.limits()
        common = {k: v for k, v in given.items() if limits.allow(k, v)}
        state.update(**{k: common.get(k) for k, v in given.items() if v != give(before)[k]})
        kept = {
            k: v
            for k, v in new.items()
            if (k not in common or common[k] != v or (v is None and k in _ANY)) and (k in bound or v != started.get(k))
        }
        keep_options(place, {**kept, "of": of(state.current())})
        for key in others:
            keep_options((kept_as or {}).get(key, f"{name}.{key}"), now[key])

    return mount(name, with_state(payload, selection=wanted(), **others), key=key or name, on_change=changed)


def with_state(payload: Payload, **values: Any) -> Payload:
    """The payload with other initial state; the cached one stays as it is."""
    meta = {**payload["meta"], "state": {**payload["meta"].get("state", {}), **values}}
    return {"meta": meta, "blobs": payload["blobs"]}


def chart(figure: Any, key: str, alt: str, width: Literal["stretch", "content"] = "stretch") -> None:
    """A figure on its own paper, whatever the scheme of the page, for its colours are those of its data; ``alt`` says
    what it shows."""
    st.plotly_chart(figure, key=key, width=width, theme=None, alt=alt, config={"displayModeBar": False})


def page(view: View | Tool) -> Path:
    """The script of a view's page."""
    return share("pages") / f"{view.page}.py"


def page_link(name: str, label: str = "", **options: Any) -> None:
    """A link to a view's page, by default with the question that it answers."""
    view = get_view(name)
    st.page_link(page(view), label=label or view.question, icon=f":material/{view.icon}:", **options)


def evidence(name: str, paths: Iterable[str] | None = None, model: str = "") -> None:
    """What interventions say of what a view shows, from the model's card.

    Args:
        name: of the view.
        paths: taps that are shown; by default those whose axes the view needs or also records, or all
            where it names none.
        model: that reads the face, by default the chosen one.
    """
    card = readings.cards().get(model or state.current().model)
    if card is None or not card.mechanisms:
        return
    axes = (*get_view(name).needs.axes, *get_view(name).also)
    if paths is None and axes:
        paths = [path for path, has in card.taps.items() if tuple(has) in axes]
    rows = concerned(card.mechanisms, paths)
    if rows:
        with st.expander(f"Does it matter? {summary(rows)}", icon=":material/science:"):
            st.markdown("\n".join(f"- {messages.plain(sentence(row))}" for row in rows))
            st.caption(
                f"Measured on the {rows[0]['faces']} faces of {rows[0]['data']} {rows[0]['split']} by "
                f"`workbench evaluate --model {card.name} --mechanisms`; the change of error has a 95 % interval on "
                "the model's card."
            )


def save_menu(*items: Item, key: str) -> None:
    """A menu of what the widget cannot write itself, each made only when it is asked for."""
    with st.popover("Save", icon=":material/download:", type="tertiary"):
        for i, (label, name, mime, make) in enumerate(items):
            st.download_button(
                label, make, name, mime, key=f"save_{key}_{i}", on_click="ignore", type="tertiary", width="stretch"
            )


def explorer_item(name: str, payload: Payload, chosen: Mapping[str, Any]) -> Item:
    """A view's widget as it stands, with its data, as one HTML file that works without a network."""
    given, title = with_state(payload, **chosen), get_view(name).title
    return (
        "This explorer as one HTML file",
        f"{payload['meta']['stem']}-explorer.html",
        "text/html",
        lambda: standalone_html(name, given, title),
    )
