"""What the pages place: each view's payload from the cache, its state taken from and given back to the selection."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from workbench import figures
from workbench.app import cache, downloads, state, uploads
from workbench.faces.image import original_size
from workbench.paths import share
from workbench.reading import Reading
from workbench.widgets import (
    Payload,
    as_sent,
    mount,
    picker_payload,
    relations_payload,
    standalone_html,
    structure_payload,
    uncertainty_payload,
)

Item = tuple[str, str, str, Callable[[], bytes | str]]
"""A download: label, file name, MIME type, maker."""
_OPTIONS = "wb_options"
_AXES = ("stage", "layer")


def relations(shown: cache.Shown, key: str = "relations") -> None:
    """The Relations explorer, linked to the selection."""
    payload = cache.view("relations", shown.key, lambda: relations_payload(shown.reading))
    chosen = _linked("relations", payload, ("kind", "stage", "layer", "head", "landmark"), key)["selection"]
    stem = downloads.stem(shown.reading, "relations")
    where = {name: chosen[name] for name in ("kind", "stage", "layer", "head", "landmark")}
    lines = {
        "top_k": chosen["topk"] or None,
        "threshold": chosen["threshold"],
        "direction": chosen["direction"],
        "own": chosen["own"],
        "best": chosen["mode"] == "best",
    }
    cells = {name: chosen[name] for name in ("direction", "own", "scale")}
    reading, scale = shown.reading, chosen["scale"]
    save_menu(
        *figure_items("Lines", stem, lambda: figures.relations(as_sent(reading), **where, **lines, scale=scale)),
        *figure_items("Matrix", f"{stem}-matrix", lambda: figures.matrix(as_sent(reading), **where, **cells)),
        (
            "Drawn relations as CSV",
            f"{stem}.csv",
            "text/csv",
            lambda: downloads.relations_csv(as_sent(reading), where, lines),
        ),
        explorer_item("relations", with_state(payload, selection=chosen), stem, "Relations between landmarks"),
        key=key,
    )


def uncertainty(shown: cache.Shown, plain: cache.Shown, cover: dict[str, Any], key: str = "uncertainty") -> None:
    """The Uncertainty explorer, linked to the selection; ``cover`` is the occluder that ``shown`` was read under."""
    payload = cache.view(
        "uncertainty", shown.key, lambda: uncertainty_payload(shown.reading, cover, plain.reading if cover else None)
    )
    chosen = _linked("uncertainty", payload, ("stage", "layer", "landmark"), key, occluder=cover)["selection"]
    reading = shown.reading
    at = {"stage": -1 if chosen["stage"] is None else chosen["stage"], "layer": chosen["layer"]}
    where = f"stage{at['stage'] % reading.stages + 1}-layer{at['layer'] % reading.layers + 1}"
    stem = downloads.stem(reading, f"uncertainty-{where}{'-covered' if cover else ''}")
    save_menu(
        *figure_items("Ellipses", stem, lambda: figures.uncertainty(reading, **at)),
        *figure_items("Bars", f"{stem}-bars", lambda: figures.sigma_bars(reading, **at)),
        *figure_items("Patches", f"{stem}-patches", lambda: figures.patches(reading)),
        ("Landmarks and sigma as CSV", f"{stem}.csv", "text/csv", lambda: downloads.landmarks_csv(reading, **at)),
        explorer_item("uncertainty", with_state(payload, selection=chosen), stem, "Uncertainty of landmarks"),
        key=key,
    )


def picker(shown: cache.Shown, key: str = "picker") -> None:
    """The photograph with its landmarks, the faces found in it and the square that is cropped."""
    reading = shown.reading
    payload = cache.view(
        "picker",
        shown.key,
        lambda: picker_payload(reading.face, landmarks=reading.to_photo(reading.points()), scheme=reading.scheme),
    )
    mount("picker", payload, key=key, on_change=_choose_face)


def box_wanted(photo: uploads.Photo, key: str = "picker") -> None:
    """A photograph in which no face was found: the widget asks for a box."""
    payload = cache.view(
        "picker", (photo.digest,), lambda: picker_payload(photo.picture, [], original=original_size(photo.picture))
    )
    mount("picker", payload, key=key, on_change=_choose_face)


def _choose_face(now: dict[str, Any]) -> None:
    choice = now["choice"]
    if "box" in choice:
        state.try_face(box=tuple(float(v) for v in choice["box"]), index=0)
    elif "index" in choice:
        state.try_face(box=None, index=int(choice["index"]))


def structure(key: str = "structure") -> None:
    """The Structure explorer of the chosen model and, beside it, one of another scheme."""
    names = cache.side_by_side(state.current().model)
    payload = cache.view("structure", names, lambda: structure_payload([cache.encoded(name) for name in names]))
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

    given = with_state(payload, selection=shown)
    chosen = mount("structure", given, key=key, on_change=changed)["selection"]
    if len(names) < 2:
        st.caption("No other model of this system is on the shelf with another number of points, so it stands alone.")
    stem, pinned = f"{'-'.join(names)}-structure", chosen["landmark"]
    near = names if pinned is None else (names[chosen["model"]],)
    save_menu(
        *figure_items("Similarity", stem, lambda: figures.structure(_readings(names))),
        *figure_items(
            "Neighbours",
            f"{stem}-neighbours{'' if pinned is None else f'-{pinned}'}",
            lambda: figures.structure_neighbours(_readings(near), landmark=pinned),
        ),
        *(
            (f"Similarities of {name} as CSV", f"{name}-structure.csv", "text/csv", partial(_similarities, name))
            for name in names
        ),
        explorer_item("structure", with_state(given, selection=chosen), stem, "Structure encodings"),
        key=key,
    )


def _readings(names: tuple[str, ...]) -> list[Reading]:
    """Structure encodings are weights, the same for every face; the default sample is read for them."""
    return [cache.reading(cache.shelf().default(), name).reading for name in names]


def _similarities(name: str) -> str:
    return downloads.similarity_csv(_readings((name,))[0])


def _linked(
    view: str, payload: Payload, shared: tuple[str, ...], key: str, **others: dict[str, Any]
) -> dict[str, Any]:
    """Mount a widget whose state ``selection`` takes its ``shared`` entries from the page's selection and gives them
    back when they change; what else it holds is kept for this session. ``others`` are further state keys; the answer
    holds what the person last committed."""
    started = payload["meta"]["state"]["selection"]

    def shown() -> dict[str, Any]:
        chosen = {name: getattr(state.current(), name) for name in shared}
        # A head or a landmark may be None on purpose; a stage or a layer that is None is the view's own choice.
        chosen = {k: v for k, v in chosen.items() if v is not None or k not in _AXES}
        return {**started, **options_of(view), **chosen}

    def changed(now: dict[str, Any]) -> None:
        # Against the selection of this very moment: the run that mounted the widget may lie several changes back.
        new, before = now["selection"], shown()
        keep_options(view, {k: v for k, v in new.items() if k not in shared or (v is None and k in _AXES)})
        state.update(**{name: new[name] for name in shared if new[name] != before[name]})
        for name in others:
            keep_options(f"{view}.{name}", now[name])

    return mount(view, with_state(payload, selection=shown(), **others), key=key, on_change=changed)


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


def save_menu(*items: Item, key: str) -> None:
    """A menu of downloads, each made only when it is asked for."""
    with st.popover("Save", icon=":material/download:", type="tertiary"):
        for i, (label, name, mime, make) in enumerate(items):
            st.download_button(
                label, make, name, mime, key=f"save_{key}_{i}", on_click="ignore", type="tertiary", width="stretch"
            )


def figure_items(view: str, stem: str, draw: Callable[[], go.Figure]) -> list[Item]:
    """The figure of a view as PNG, SVG and an HTML page of its own."""

    def maker(kind: str) -> Callable[[], bytes]:
        return lambda: figures.to_bytes(draw(), kind)

    types = {"png": "image/png", "svg": "image/svg+xml", "html": "text/html"}
    return [(f"{view} as {k.upper()}", f"{stem}.{k}", mime, maker(k)) for k, mime in types.items()]


def explorer_item(name: str, payload: Payload, stem: str, title: str) -> Item:
    """The widget itself, with its data, as one HTML file that works without a network."""
    return (
        "This explorer as one HTML file",
        f"{stem}-explorer.html",
        "text/html",
        lambda: standalone_html(name, payload, title),
    )
