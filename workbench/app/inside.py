"""The Inside page: any tensor that any model records, on the face."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from workbench.app import downloads, explorer, occluder, readings, requirements, state, what_if
from workbench.explain import Map
from workbench.explain.inside import first_choice
from workbench.reading import Reading
from workbench.views import VIEWS
from workbench.widgets import Payload, inside_payload

TRAJECTORY = "landmarks"
"""The choice of no tensor: the landmarks and their trajectory alone."""
PLACES = ("points", "boxes")
"""Kinds of tensors that hold places on the face."""
_CHOICE = "inside_tensor"


def show() -> None:
    """Choose one of the model's tensors; see it on the face."""
    selection = state.current()
    if requirements.missing("inside"):
        return
    found = {m.name: m for m in readings.listed(selection.model)}
    choice = _choose(found)
    name = "" if choice == TRAJECTORY else choice
    covering = occluder.covering(selection, (name,) if name else ())
    if name and found[name].kind in PLACES and covering.mode == "difference":
        covering = replace(covering, mode="with")  # a difference of places is no place
    shown = covering.plain
    payload = covering.payload("inside", lambda reading: inside_payload(reading, name))
    chosen = explorer.linked(
        "inside",
        payload,
        ("landmark", *_counted(payload)),
        of=lambda now: (now.model, name),
        passing=("channel", "step", "stage", "head"),
        **covering.state,
    )
    items = [explorer.explorer_item("inside", payload, chosen)]
    if name:
        items.append(downloads.trace_item(shown.reading, "Tensor as safetensors"))
    if name:
        explorer.evidence("inside", (name,))
    explorer.save_menu(*items, key="inside")
    if name:
        _further(found[name])
        what_if.panel(_target(found[name], shown.reading, chosen["selection"]))


def _target(tensor: Map, reading: Reading, now: dict[str, Any]) -> what_if.Target:
    """What the widget has selected of its tensor."""
    sizes = reading.trace[tensor.name].shape
    stages, heads = sizes.get("stage", 1), sizes.get("head", 1)
    named = {"head": now.get("head"), "channel": now.get("channel")}
    landmarks = [axis for axis in tensor.axes if axis in ("landmark", "node", "query_landmark", "key_landmark")]
    named |= dict.fromkeys(landmarks, now["landmark"])
    if "channel" in tensor.axes and landmarks:
        del named["channel"]  # of patches the widget shows the mean over channels
    single = {
        axis: entry for axis, entry in named.items() if entry is not None and axis in sizes and entry < sizes[axis]
    }
    item = f"channel {single['channel']}" if "channel" in single else ""
    if any(axis in single for axis in landmarks):
        item = what_if.landmark_words(reading.scheme, now["landmark"])
    stage = now["stage"] if now["stage"] is not None else stages - 1
    words = what_if.head_words(now.get("head"), heads)
    return what_if.Target(tensor.name, tensor.axes, words, single, item, stage if stages > 1 else None, stages)


def _counted(payload: Payload) -> list[str]:
    """The axes that this tensor counts as the model does: its stage or head is then the shared one."""
    limits, bounds = state.limits(), payload["meta"]["bounds"]
    own = {"stage": limits.stages, "head": limits.heads}
    return [name for name, size in own.items() if size > 1 and bounds.get(name) == size]


def _choose(found: dict[str, Map]) -> str:
    """The chosen tensor's name; the one that says most to begin with, or where the model has not the last one."""
    names = [TRAJECTORY, *found]
    kept = state.current().tensor
    wanted = kept if kept in names else first_choice(list(found.values())) if found else TRAJECTORY
    if st.session_state.get(_CHOICE) != wanted:
        st.session_state[_CHOICE] = wanted

    def changed() -> None:
        state.update(tensor=st.session_state[_CHOICE])

    def words(name: str) -> str:
        return f"{found[name].words} · {name}" if name in found else "the landmarks and their trajectory"

    st.selectbox("Tensor", names, key=_CHOICE, format_func=words, on_change=changed)
    if kept and kept not in names:
        st.caption(f"{state.current().model} records no tensor `{kept}`; this one is shown in its place.")
    return wanted


def _further(found: Map) -> None:
    """Pages that show this tensor better: those that ask for its axes."""
    for view in VIEWS.values():
        if found.axes in view.needs.axes:
            explorer.page_link(view.name)
