"""What the pages place: each view's payload from the cache, its state taken from and given back to the selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from workbench.app import pool, state
from workbench.app.link import Selection
from workbench.widgets import Payload, mount, relations_payload

_SHARED = ("kind", "stage", "layer", "head", "landmark")
_OPTIONS = "wb_options"


def relations(shown: pool.Shown, key: str = "relations") -> None:
    """The Relations explorer, linked to the selection."""
    payload = pool.view("relations", shown.key, lambda: relations_payload(shown.reading))
    started = payload["meta"]["state"]["selection"]
    options = {**started, **options_of("relations"), **_shared(state.current(), started)}

    def changed(now: dict[str, Any]) -> None:
        chosen = now["selection"]
        keep_options("relations", {k: v for k, v in chosen.items() if k not in _SHARED})
        state.update(**{name: chosen[name] for name in _SHARED})

    mount("relations", with_state(payload, selection=options), key=key, on_change=changed)


def _shared(selection: Selection, started: dict[str, Any]) -> dict[str, Any]:
    chosen = {name: getattr(selection, name) for name in _SHARED}
    return {**chosen, "stage": started["stage"] if selection.stage < 0 else selection.stage}


def with_state(payload: Payload, **values: Any) -> Payload:
    """The payload with other initial state; the cached one stays as it is."""
    meta = {**payload["meta"], "state": {**payload["meta"].get("state", {}), **values}}
    return {"meta": meta, "blobs": payload["blobs"]}


def options_of(view: str) -> dict[str, Any]:
    """What this session set in a view besides the shared selection (top-k, threshold ...)."""
    return st.session_state.get(_OPTIONS, {}).get(view, {})


def keep_options(view: str, options: dict[str, Any]) -> None:
    """Remember a view's own settings for this session."""
    st.session_state[_OPTIONS] = {**st.session_state.get(_OPTIONS, {}), view: options}


def save_menu(*items: tuple[str, str, str, Callable[[], bytes | str]], key: str) -> None:
    """A menu of downloads, each made only when it is asked for: (label, file name, MIME type, maker)."""
    with st.popover("Save", icon=":material/download:", type="tertiary"):
        for i, (label, name, mime, make) in enumerate(items):
            st.download_button(
                label, make, name, mime, key=f"save_{key}_{i}", on_click="ignore", type="tertiary", width="stretch"
            )
