"""The label of a face that was opened from a data set: kept for the session, drawn on every face, told beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from workbench.app import messages, readings, state, uploads
from workbench.app.url_state import Selection
from workbench.explain.caption_tables import LABEL, LABEL_ALONE
from workbench.explain.captions import as_meta
from workbench.landmarks.geometry import apply
from workbench.landmarks.metrics import nme
from workbench.widgets import Payload
from workbench.widgets.payload import rounded

_KEY, _SHOWN = "wb_labels", "wb_labels_shown"
FACES = (
    "relations", "uncertainty", "inside", "self_attention", "attribution", "occlusion", "graph", "cascade", "pose",
    "effect",
)  # fmt: skip
"""Widgets with a face that has the model's landmarks."""


@dataclass(frozen=True)
class Label:
    """The points of a label, (N, 2) in the upright picture's pixels, and what the run that it comes from says."""

    points: np.ndarray
    words: str


def keep(digest: str, label: Label) -> None:
    """Remember the label of a photograph, for as long as the photograph is kept."""
    earlier = list(st.session_state.get(_KEY, {}).items())[-uploads.KEEP :]
    st.session_state[_KEY] = {**dict(earlier), digest: label}


def current(selection: Selection | None = None) -> Label | None:
    """The label of the chosen photograph, if it has one."""
    selection = selection or state.current()
    found: Label | None = st.session_state.get(_KEY, {}).get(selection.photo)
    return found


def on(name: str, payload: Payload) -> Payload:
    """The payload of a widget with the label in it, in [0, 1] of the crop that is shown, where there is one with as
    many points and it is to be seen."""
    label = current()
    if label is None or name not in FACES or not st.session_state.get(_SHOWN, True):
        return payload
    meta: dict[str, Any] = payload["meta"]
    if meta.get("face", {}).get("count") != len(label.points):
        return payload
    face = readings.face(state.current())
    side = 256
    places = apply(face.affine_to(side), label.points) / side
    truth = [place if all(np.isfinite(place)) else None for place in rounded(places)]
    said = as_meta(LABEL_ALONE if name == "effect" else LABEL)
    return {"meta": {**meta, "truth": truth, "caption": [*meta["caption"], *said]}, "blobs": payload["blobs"]}


def bar(model: str) -> None:
    """On every page: how far this model's answer is from the label of a face that was opened from a run."""
    label = current()
    if label is None:
        return
    reading = readings.reading(state.current(), model).reading
    with st.container(key="wb-label", horizontal=True, vertical_alignment="center"):
        if reading.scheme.count == len(label.points):
            by = "inter_ocular" if reading.scheme.eye_corners else "box"
            far = nme(reading.landmarks[None], label.points[None], reading.scheme, by)
            st.markdown(
                f":material/sell: {messages.plain(label.words)} On this crop {reading.model_name} is "
                f"{100 * float(far[0]):.2f} % off."
            )
            st.toggle("Label on the face", value=True, key=_SHOWN)
        else:
            st.markdown(
                f":material/sell: {messages.plain(label.words)} {reading.model_name} answers with other landmarks, "
                "which have no label here."
            )
