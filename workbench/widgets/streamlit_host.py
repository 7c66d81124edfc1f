"""The Streamlit page's host."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from workbench.widgets.bundle import module_source
from workbench.widgets.payload import Payload, pack


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
    sent, rev, before = st.session_state.get(memory, (wanted, 0, wanted))
    if kept is None:  # first mount, or back on the page: the browser starts from what it is sent
        sent = wanted
    elif wanted != before and wanted != {**sent, **{k: kept[k] for k in wanted if k in kept}}:
        sent, rev = wanted, rev + 1
        st.session_state[key] = wanted
    st.session_state[memory] = (sent, rev, wanted)

    def changed() -> None:
        if on_change is not None:
            now = st.session_state.get(key) or {}
            on_change({k: now.get(k, value) for k, value in wanted.items()})

    data = pack({"meta": {**payload["meta"], "state": sent}, "blobs": payload["blobs"]}, rev)
    callbacks = {f"on_{k}_change": changed for k in wanted}
    result = _component(name)(key=key, data=data, default=wanted, height=height, **callbacks)
    return {k: result[k] if k in result and result[k] is not None else value for k, value in wanted.items()}
