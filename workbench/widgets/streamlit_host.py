"""The Streamlit page's host."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import streamlit as st

from workbench.widgets.bundle import module_source
from workbench.widgets.payload import Payload, pack
from workbench.widgets.selection import committed


@cache
def _component(name: str) -> Callable[..., Any]:
    return st.components.v2.component(f"workbench_{name}", js=module_source(name))


def mount(
    name: str,
    payload: Payload,
    *,
    key: str,
    on_change: Callable[[dict[str, Any]], None] | None = None,
    height: str | int = "content",
) -> dict[str, Any]:
    """Show a widget on a Streamlit page and return its state.

    The data go to the browser again only when they differ; a state that the browser itself committed is never
    sent back to it, while a ``meta["state"]`` that differs from what the browser shows is taken over there.

    What comes back is checked by the table that checks a link; a browser may send anything.

    Args:
        name: a widget of :data:`NAMES`.
        payload: from ``<name>_payload``.
        key: of the element; also where ``st.session_state`` keeps the state.
        on_change: called before the rerun with the whole state, whenever the person commits something.
        height: CSS pixels, ``"content"`` or ``"stretch"``.
    """
    wanted = dict(payload["meta"].get("state", {}))
    memory = f"_workbench_sent_{key}"
    kept = st.session_state.get(key)
    if kept is not None:
        checked = committed(name, payload["meta"], kept, wanted)
        kept = {k: v for k, v in checked.items() if isinstance(kept, Mapping) and k in kept}
    unknown = memory not in st.session_state
    sent, rev, before = st.session_state.get(memory, (wanted, 0, wanted))
    if before is None:  # what a browser brought into a new session was taken over: it is told how
        sent, rev = wanted, rev + 1
        st.session_state[key] = wanted
    elif kept is None:  # first mount, or back on the page: the browser starts from what it is sent
        sent = wanted
    elif wanted != before and wanted != {**sent, **{k: kept[k] for k in wanted if k in kept}}:
        sent, rev = wanted, rev + 1
        st.session_state[key] = wanted
    st.session_state[memory] = (sent, rev, wanted)

    def changed() -> None:
        if on_change is not None:
            on_change(committed(name, payload["meta"], st.session_state.get(key), wanted))

    data = pack({"meta": {**payload["meta"], "state": sent}, "blobs": payload["blobs"]}, rev)
    callbacks = {f"on_{k}_change": changed for k in wanted}
    result = _component(name)(key=key, data=data, default=wanted, height=height, **callbacks)
    shown = committed(name, payload["meta"], {k: result[k] for k in wanted if k in result}, wanted)
    if unknown and on_change is not None and _wire(shown) != _wire(wanted):
        # The tab outlived its session (the server was restarted, the connection gone for long): what the browser still
        # shows is what the person chose, and is checked like any commit.
        st.session_state[memory] = (sent, secrets.randbits(31), None)
        on_change(shown)
        st.rerun()
    return shown


def _wire(values: dict[str, Any]) -> str:
    """As it travels, where a tuple is a list."""
    return json.dumps(values, sort_keys=True, default=str)
