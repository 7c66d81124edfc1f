"""The Compare page: two readings side by side on one view, with one selection, and how far their answers differ."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.app import explorer, messages, occluder, readings, state, what_if
from workbench.app.url_state import Selection
from workbench.axes import Axes
from workbench.effects.what_if import beside, where
from workbench.explain import relation_kinds
from workbench.explain.compared import laid_onto, reach
from workbench.reading import Reading
from workbench.views import VIEWS, View, get_view
from workbench.widgets import Payload
from workbench.widgets.effect import effect_payload

KEPT = "effect.compare"
_WAYS = {"model": "two models", "face": "two faces", "condition": "a face with and without a change"}
_ALONE = ("picker", "effect", "tracking", "attribution", "shape", "structure")
"""Views that are not of one reading alone."""
Read = Callable[[Iterable[str | Axes]], tuple[Reading, tuple[Hashable, ...]]]


@dataclass(frozen=True)
class Side:
    """One of both.

    Attributes:
        title: what it is called.
        model: which model reads it.
        read: (what to record) -> the reading, and its key in a cache.
    """

    title: str
    model: str
    read: Read


def show() -> None:
    """What is compared, on which view; both, and the distance of their landmarks."""
    selection = state.current()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="wb-compare"):
        way = _choice("way", "Compare", list(_WAYS), _WAYS.__getitem__, 260)
        other = _other(selection, way)
        if other is not None:
            names = [view.name for view in VIEWS.values() if _fits(view, (selection.model, other.model))]
            name = _choice("view", "On the view", names, lambda one: get_view(one).title, 200)
            tensor = _tensor(selection.model, other.model) if name == "inside" else ""
    if other is None:
        return
    own = Side(_title(selection) if way != "condition" else "without the change", selection.model, _plain(selection))
    _both(name, tensor, own, other)
    _apart(own, other, way)


def _choice(name: str, label: str, known: list[str], words: Callable[[str], str], width: int) -> str:
    """A chooser whose choice is kept for this page."""
    key, kept = f"compare_{name}", explorer.options_of(KEPT).get(name)
    wanted = kept if kept in known else known[0]
    if st.session_state.get(key) != wanted:
        st.session_state[key] = wanted

    def changed() -> None:
        explorer.keep_options(KEPT, {**explorer.options_of(KEPT), name: st.session_state[key]})

    st.selectbox(label, known, key=key, format_func=words, on_change=changed, filter_mode=None, width=width)
    return wanted


def _plain(selection: Selection, model: str | None = None) -> Read:
    def read(record: Iterable[str | Axes]) -> tuple[Reading, tuple[Hashable, ...]]:
        shown = readings.reading(selection, model, record)
        return shown.reading, shown.key

    return read


def _title(selection: Selection) -> str:
    card = readings.cards().get(selection.model)
    return f"{card.title if card else selection.model}, {readings.face(selection).name}"


def _other(selection: Selection, way: str) -> Side | None:
    """The second one; None, with a sentence, where there is nothing to choose."""
    if way == "model":
        cards = readings.cards()
        points = state.limits().landmarks
        names = sorted((n for n in cards if n != selection.model), key=lambda n: _unlike(selection.model, n, points))
        if not names:
            st.caption("There is one model on the shelf only.")
            return None
        name = _choice("model", "With the model", names, lambda n: cards[n].title, 260)
        return Side(f"{cards[name].title}, {readings.face(selection).name}", name, _plain(selection, name))
    if way == "face":
        words = what_if.other_faces(selection)
        chosen = what_if.other_face(selection, _choice("face", "With the face", list(words), words.__getitem__, 260))
        return Side(_title(chosen), selection.model, _plain(chosen))
    return _condition(selection)


def _unlike(own: str, other: str, points: int) -> tuple[bool, int]:
    """For an order of the other models: the same landmarks first, then those with most views in common."""
    shared = sum(_fits(view, (own, other)) for view in VIEWS.values())
    return readings.cards()[other].landmarks != points, -shared


def _condition(selection: Selection) -> Side | None:
    """The face under the occluder, or under what was asked last."""
    cover = occluder.covering(selection, ()).cover
    asked = what_if.last(selection.model)
    words: dict[str, str] = {}
    if cover:
        words["covered"] = f"covered with {cover['fill']}"
    if asked is not None:
        question = asked[0]
        plain = readings.reading(selection).reading
        part = where(question, plain)
        words["asked"] = f"{question.tap}{', ' if part else ''}{part}: {what_if.ACTS[question.act]}"
    if not words:
        st.caption("Cover the face, or ask a What if, on another page first; then it can be compared here.")
        explorer.page_link("relations")
        return None
    chosen = _choice("condition", "With", list(words), words.__getitem__, 300)

    def read(record: Iterable[str | Axes]) -> tuple[Reading, tuple[Hashable, ...]]:
        if chosen == "covered":
            shown = occluder.covering(selection, record).covered
            return shown.reading, shown.key
        assert asked is not None
        reading = readings.asked(selection, *asked, record)
        return reading, (readings.FaceKey.of(selection), selection.model, *asked, tuple(record))

    return Side(words[chosen], selection.model, read)


def _fits(view: View, models: tuple[str, str]) -> bool:
    return view.name not in _ALONE and all(
        name in readings.cards() and view.needs.met_by(readings.offer(name)) for name in models
    )


def _tensor(first: str, second: str) -> str:
    """A tensor that both record."""
    known = {m.name: m for m in readings.listed(first)}
    both = [m.name for m in readings.listed(second) if m.name in known]
    if not both:
        st.caption("The two models record no tensor of one name; the landmarks are compared below.")
        return ""
    return _choice("tensor", "Tensor", both, lambda name: f"{known[name].words} · {name}", 320)


def _both(name: str, tensor: str, *sides: Side) -> None:
    """The view of each side, on one scale and with one selection."""
    view = get_view(name)
    if name == "inside" and not tensor:
        return
    record = (tensor,) if tensor else view.recorded
    read = [side.read(record) for side in sides]
    payloads = readings.view(
        f"compare.{name}", tuple(key for _, key in read), lambda: _payloads(view, tensor, [one for one, _ in read])
    )
    for column, side, payload, key in zip(st.columns(2), sides, payloads, "ab", strict=True):
        with column, messages.guard(f"compare_{key}"):
            st.markdown(f"**{messages.plain(side.title)}**")
            explorer.linked(name, payload, key=f"compare_{name}_{key}", place=f"effect.{name}")


def _payloads(view: View, tensor: str, both: list[Reading]) -> list[Payload]:
    """Payloads that begin on one scale, which reaches as far as both go."""
    chosen = {"tap": tensor} if tensor else {}
    payloads = [view.payload(reading, chosen) for reading in both]
    common: Any = None
    if tensor:
        common = list(reach(both, tensor))
    elif view.name == "relations":
        kinds = [(reading, kind) for reading in both for kind in relation_kinds(reading)]
        most = max(reach([reading], path)[1] for reading, kind in kinds for path in kind.paths)
        common = {kind.name: most for _, kind in kinds}
    out: list[Payload] = []
    for payload in payloads:
        meta = payload["meta"]
        if common is not None:
            said = [{**c, "text": c["text"].replace("of all maps", "of all maps of both")} for c in meta["caption"]]
            said = [{**c, "text": c["text"].replace("of all its maps", "of all its maps in both")} for c in said]
            start = {**meta["state"]["selection"], "scale": "all"}
            meta = {**meta, "reach": common, "caption": said, "state": {**meta["state"], "selection": start}}
        out.append({"meta": meta, "blobs": payload["blobs"]})
    return out


def _apart(own: Side, other: Side, way: str) -> None:
    """Arrows from the landmarks of the first to those of the second, and the numbers by part."""
    (first, _), (second, key) = own.read(()), other.read(())
    st.markdown("## How far the landmarks are apart")
    if first.scheme.name != second.scheme.name:
        st.caption(
            f"{first.scheme.count} landmarks of {first.scheme.name} and {second.scheme.count} of {second.scheme.name} "
            "are not the same ones, so no arrow joins them; choose two models of one scheme."
        )
        return
    done = f"{other.title} against {own.title}"
    if way == "face":
        second = laid_onto(second, first)
        done += ", turned, scaled and shifted onto it with least squares: what differs is the shape"
    reading = beside(first, second, done=done, from_words=own.title)
    payload = readings.view("effect.compare", (way, own.title, *key), lambda: effect_payload(reading))
    chosen = explorer.linked("effect", payload, ("landmark",))
    explorer.save_menu(explorer.explorer_item("effect", payload, chosen), key="compare")
