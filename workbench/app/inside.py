"""The Inside page: any tensor that any model records, on the face."""

from __future__ import annotations

import streamlit as st

from workbench.app import downloads, explorer, model_choice, readings, requirements, state
from workbench.explain import Map
from workbench.explain.inside import first_choice
from workbench.views import VIEWS
from workbench.widgets import Payload, inside_payload

TRAJECTORY = "landmarks"
"""The choice of no tensor: the landmarks and their trajectory alone."""
_CHOICE = "inside_tensor"


def show() -> None:
    """Choose a model and one of its tensors; see it on the face."""
    selection = state.current()
    which, what = st.columns([2, 3], gap="small")
    with which:
        model_choice.model_choice("inside_model", short=True)
    if requirements.missing("inside"):
        return
    found = {m.name: m for m in readings.listed(selection.model)}
    with what:
        choice = _choose(found)
    name = "" if choice == TRAJECTORY else choice
    shown = readings.reading(selection, record=(name,) if name else ())
    payload = readings.view("inside", shown.key, lambda: inside_payload(shown.reading, name))
    chosen = explorer.linked(
        "inside",
        payload,
        ("landmark", *_counted(payload)),
        of=lambda now: (now.model, name),
        passing=("channel", "step", "stage", "head"),
    )
    items = [explorer.explorer_item("inside", payload, chosen)]
    if name:
        items.append(downloads.trace_item(shown.reading, "Tensor as safetensors"))
    if name:
        explorer.evidence("inside", (name,))
    explorer.save_menu(*items, key="inside")
    if name:
        _further(found[name])


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
