"""What the pages place: each view's payload from the cache, its state taken from and given back to the selection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.app import pool, state
from workbench.paths import share
from workbench.widgets import Payload, mount, relations_payload, structure_payload, uncertainty_payload

_OPTIONS = "wb_options"
_AXES = ("stage", "layer")


def relations(shown: pool.Shown, key: str = "relations") -> None:
    """The Relations explorer, linked to the selection."""
    payload = pool.view("relations", shown.key, lambda: relations_payload(shown.reading))
    _linked("relations", payload, ("kind", "stage", "layer", "head", "landmark"), key)


def uncertainty(shown: pool.Shown, plain: pool.Shown, cover: dict[str, Any], key: str = "uncertainty") -> None:
    """The Uncertainty explorer, linked to the selection; ``cover`` is the occluder that ``shown`` was read under."""
    payload = pool.view(
        "uncertainty", shown.key, lambda: uncertainty_payload(shown.reading, cover, plain.reading if cover else None)
    )
    _linked("uncertainty", payload, ("stage", "layer", "landmark"), key, occluder=cover)


def structure(key: str = "structure") -> None:
    """The Structure explorer of the chosen model and, beside it, one of another scheme."""
    names = pool.side_by_side(state.current().model)
    payload = pool.view("structure", names, lambda: structure_payload([pool.encoded(name) for name in names]))
    own = names.index(state.current().model)
    landmark = state.current().landmark
    kept = options_of("structure")
    shown = {"model": own, "landmark": landmark}
    if landmark is None and kept.get("names") == names:
        shown = {"model": kept["model"], "landmark": kept["landmark"]}

    def changed(now: dict[str, Any]) -> None:
        new = now["selection"]
        mine = new["model"] == own
        # A landmark of the other scheme stays this page's own; the shared selection speaks of the chosen model's.
        keep_options("structure", {"names": names, **new, "landmark": None if mine else new["landmark"]})
        state.update(landmark=new["landmark"] if mine else None)

    mount("structure", with_state(payload, selection=shown), key=key, on_change=changed)


def _linked(
    view: str, payload: Payload, shared: tuple[str, ...], key: str, **others: dict[str, Any]
) -> dict[str, Any]:
    """Mount a widget whose state ``selection`` takes its ``shared`` entries from the page's selection and gives them
    back when they change; what else it holds is kept for this session. ``others`` are further state keys; the answer
    holds what the person last committed."""
    started = payload["meta"]["state"]["selection"]
    chosen = {name: getattr(state.current(), name) for name in shared}
    # A head or a landmark may be None on purpose; a stage or a layer that is None is the view's own choice.
    chosen = {k: v for k, v in chosen.items() if v is not None or k not in _AXES}
    shown = {**started, **options_of(view), **chosen}

    def changed(now: dict[str, Any]) -> None:
        new = now["selection"]
        keep_options(view, {k: v for k, v in new.items() if k not in shared or (v is None and k in _AXES)})
        state.update(**{name: new[name] for name in shared if new[name] != shown[name]})
        for name in others:
            keep_options(f"{view}.{name}", now[name])

    return mount(view, with_state(payload, selection=shown, **others), key=key, on_change=changed)


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


def page(name: str) -> Path:
    """The script of a page, for links to it."""
    return share("pages") / f"{name}.py"


def save_menu(*items: tuple[str, str, str, Callable[[], bytes | str]], key: str) -> None:
    """A menu of downloads, each made only when it is asked for: (label, file name, MIME type, maker)."""
    with st.popover("Save", icon=":material/download:", type="tertiary"):
        for i, (label, name, mime, make) in enumerate(items):
            st.download_button(
                label, make, name, mime, key=f"save_{key}_{i}", on_click="ignore", type="tertiary", width="stretch"
            )
