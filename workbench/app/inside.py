"""The Inside page: any tensor that any model records, on the face."""

from __future__ import annotations

from typing import Any

import streamlit as st

from workbench import figures
from workbench.app import cache, downloads, model_choice, state, views
from workbench.app.url_state import Selection
from workbench.explain import Map, map_rows, to_csv
from workbench.explain.inside import first_choice, stack
from workbench.widgets import inside_payload

TRAJECTORY = "landmarks"
"""The choice of no tensor: the landmarks and their trajectory alone."""
_CHOICE = "inside_tensor"


def explorer(selection: Selection) -> None:
    """Choose a model and one of its tensors; see it on the face."""
    which, what = st.columns([2, 3], gap="small")
    with which:
        model_choice.model_choice("inside_model", short=True)
    found = {m.name: m for m in cache.listed(selection.model)}
    with what:
        choice = _choose(found)
    name = "" if choice == TRAJECTORY else choice
    shown = cache.inside(selection, name)
    payload = cache.view("maps", (*shown.key, "maps"), lambda: inside_payload(shown.reading, name))
    chosen = _mount(payload, selection)
    _downloads(shown, found.get(name), chosen, payload)
    _further(found.get(name))


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

    st.selectbox("Look at", names, key=_CHOICE, format_func=words, on_change=changed)
    if kept and kept not in names:
        st.caption(f"{state.current().model} records no tensor `{kept}`; this one is shown in its place.")
    return wanted


def _mount(payload: views.Payload, selection: Selection) -> dict[str, Any]:
    """The widget; a stage or head is the shared one where the tensor counts them as the model does."""
    tensor = payload["meta"]["tensor"]
    limits = state.limits()
    sizes = dict(zip(("stage", "head"), tensor["shape"], strict=False)) if tensor else {}
    own = {"stage": limits.stages, "head": limits.heads}
    shared = ("landmark", *(name for name, size in sizes.items() if size > 1 and size == own[name]))
    kept = views.options_of("inside.view")
    # What belongs to another tensor or another model is not carried over.
    place = {"channel", "step", "stage", "head"}
    if kept.get("of") != (selection.model, tensor and tensor["name"]):
        kept = {name: value for name, value in kept.items() if name not in place}
    kept = {name: value for name, value in kept.items() if name != "of"}
    shown = {**payload["meta"]["state"]["selection"], **kept, **{name: getattr(selection, name) for name in shared}}

    def changed(now: dict[str, Any]) -> None:
        new = now["selection"]
        rest = {name: value for name, value in new.items() if name not in shared}
        views.keep_options("inside.view", {**rest, "of": (selection.model, tensor and tensor["name"])})
        state.update(**{name: new[name] for name in shared if new[name] != getattr(state.current(), name)})

    return views.mount("inside", views.with_state(payload, selection=shown), key="inside", on_change=changed)[
        "selection"
    ]


def _downloads(shown: cache.Shown, found: Map | None, chosen: dict[str, Any], payload: views.Payload) -> None:
    reading = shown.reading
    stem = downloads.stem(reading, found.name.replace(".", "-") if found else "trajectory")
    items: list[views.Item]
    if found is None:
        items = [
            *views.figure_items("Trajectory", stem, lambda: figures.trajectory(reading)),
            ("Landmarks as CSV", f"{stem}.csv", "text/csv", lambda: downloads.landmarks_csv(reading)),
        ]
    else:
        name, where = found.name, _where(shown, found, chosen)
        lines = {"top_k": chosen["topk"] or None, "opacity": chosen["opacity"], "scale": chosen["scale"]}
        items = [
            *views.figure_items("Picture", stem, lambda: figures.maps(reading, name, **where, **lines)),
            ("These values as CSV", f"{stem}.csv", "text/csv", lambda: to_csv(map_rows(reading, name, **where))),
            (
                "Tensor as safetensors",
                f"{stem}.safetensors",
                "application/octet-stream",
                lambda: downloads.trace_file(reading),
            ),
        ]
    given = views.with_state(payload, selection=chosen)
    views.save_menu(*items, views.explorer_item("inside", given, stem, "Inside the model"), key="inside")


def _where(shown: cache.Shown, found: Map, chosen: dict[str, Any]) -> dict[str, Any]:
    """Stage, head and item as ``explain.maps.pick`` takes them, within what the tensor has."""
    values = stack(shown.reading, found.name)
    stage, head = chosen["stage"], chosen["head"]
    item = chosen["channel"] if values.map.kind == "channels" else chosen["landmark"]
    count = values.values.shape[2] if values.map.kind not in ("bars", "table", "boxes", "points") else 0
    return {
        "stage": -1 if stage is None or stage >= values.stages else stage,
        "head": None if head is None or head >= values.heads or values.heads == 1 else head,
        "item": item
        if item is not None and item < count and values.map.kind not in ("grid", "spatial_attention")
        else None,
    }


def _further(found: Map | None) -> None:
    """Pages that show this tensor better."""
    if found is None:
        return
    if found.kind == "spatial_attention":
        st.page_link(
            views.page("self_attention"),
            label="Point at a place and see where it looks",
            icon=":material/my_location:",
        )
    elif found.kind == "landmark_pairs" and found.name.startswith("relation.layers."):
        st.page_link(views.page("relations"), label="All layers and heads of the relations", icon=":material/hub:")
