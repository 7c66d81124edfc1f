"""The Relations page: the attention between landmarks, what each head does, and what if."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from workbench.app import explorer, occluder, readings, requirements, state, study, what_if
from workbench.app.url_state import Selection
from workbench.app.working import Told, about, compute, kept
from workbench.axes import LANDMARK_PAIRS
from workbench.effects import head_effects
from workbench.explain import relation_kinds
from workbench.reading import Reading
from workbench.views import get_view
from workbench.widgets import Payload

_PARTNERS = 12
"""Keys of a row that a single edge can be chosen from: the strongest."""


def show() -> None:
    """The widget, the effects of its heads where they were asked for, and the panel that asks about any part of it."""
    if requirements.missing("relations"):
        return
    view, selection = get_view("relations"), state.current()
    covering = occluder.covering(selection, view.recorded)
    shown, plain = covering.plain, covering.payload("relations", lambda reading: view.payload(reading, {}))
    payload = _with_heads(plain, selection)
    chosen = explorer.linked("relations", payload, **covering.state)
    explorer.evidence("relations")
    now = chosen["selection"]
    _ask_heads(selection, plain, now)
    explorer.save_menu(explorer.explorer_item("relations", payload, chosen), key="relations")
    study.beside("relations", shown.reading, shown.key)
    if _rolled(plain, now):
        st.caption("The rollout is computed from MSA and MCA: choose one of them to ask what if.")
        return
    what_if.panel(
        _target(shown.reading, now), "Pin a landmark on the face to ask about its row, its column or one edge."
    )


def _rolled(payload: Payload, now: dict[str, Any]) -> bool:
    """Whether what is shown is no tensor of the model, but made from several."""
    return any(kind["rolled"] for kind in payload["meta"]["kinds"] if kind["name"] == now["kind"])


def _key(selection: Selection, kind: str, stage: int) -> tuple[Any, ...]:
    return (readings.FaceKey.of(selection), selection.model, "heads", kind, stage)


def _with_heads(payload: Payload, selection: Selection) -> Payload:
    """The payload with what is known of what its heads do: "KIND STAGE" -> (layer, head + 1, 2)."""
    known = {}
    for kind in payload["meta"]["kinds"]:
        for stage in range(kind["shape"][0]):
            if (values := kept(_key(selection, kind["name"], stage))) is not None:
                known[f"{kind['name']} {stage}"] = np.nan_to_num(values, nan=-1).round(4).tolist()
    return {"meta": {**payload["meta"], "heads": known}, "blobs": payload["blobs"]} if known else payload


def _ask_heads(selection: Selection, payload: Payload, now: dict[str, Any]) -> None:
    """A button that knocks out every head of the attention that is shown in turn; nothing is computed before."""
    kind = next(k for k in payload["meta"]["kinds"] if k["name"] == now["kind"])
    stages, layers, heads, _ = kind["shape"]
    key = _key(selection, now["kind"], now["stage"])
    if kept(key) is not None or kind["rolled"]:
        return
    passes = layers * (heads + 1 if heads > 1 else 1)
    seconds = readings.reading(selection).reading.seconds * (passes + 1)
    what = "head" if heads > 1 else "layer"
    where = f", stage {now['stage'] + 1}" if stages > 1 else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="wb-heads"):
        asked = st.button(
            f"What does each {what} do? · {about(seconds)}",
            key="relations_heads",
            icon=":material/bar_chart:",
            help=f"Every {what} of {kind['title']}{where} is knocked out in turn, and its picture gets a bar as long "
            "as the landmarks then move. Only the bars change.",
        )
    if asked:
        model, face = readings.model(selection.model), readings.face(selection)
        stage = now["stage"] if stages > 1 else None

        def make(told: Told) -> np.ndarray:
            return head_effects(model, face, now["kind"], stage, told)

        compute(st.empty(), key, make, f"{passes} passes", "relations_cancel")


def _target(reading: Reading, now: dict[str, Any]) -> what_if.Target:
    """What the widget has selected."""
    kind = next(k for k in relation_kinds(reading) if k.name == now["kind"])
    weights = reading.attention(kind.name)
    stages, _, heads = weights.shape[:3]
    head, landmark, path = now["head"], now["landmark"], kind.paths[now["layer"]]
    chosen: dict[str, int] = {} if head is None or heads < 2 else {"head": head}
    keys: list[tuple[int, str]] = []
    if landmark is not None:
        chosen |= {"query_landmark": landmark, "key_landmark": landmark}
        map_ = weights[now["stage"], now["layer"]]
        row = (map_.mean(0) if head is None else map_[head])[landmark]
        order = np.argsort(-row, kind="stable")[:_PARTNERS]
        keys = [(int(k), f"{reading.scheme.label(int(k))} ({k}) · {row[k]:.3g}") for k in order if row[k] > 0]
    layers = len(kind.paths) > 1 and kind.tensor.replace("{layer}", "*")
    return what_if.Target(
        tap=path,
        axes=LANDMARK_PAIRS[0] if heads > 1 or "head" in reading.trace[path].axes else LANDMARK_PAIRS[1],
        words=what_if.head_words(head, heads, now["layer"]),
        chosen=chosen,
        item=what_if.landmark_words(reading.scheme, landmark),
        stage=now["stage"] if stages > 1 else None,
        stages=stages,
        keys=keys,
        layers=layers or "",
    )
