"""The selection of one browser session, kept in step with its link."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from workbench.app import options, readings, uploads
from workbench.app.options import TOUCHED as _TOUCHED
from workbench.app.url_state import Limits, Selection, clamp, from_link, to_link, told
from workbench.errors import WorkbenchError

_SELECTION = "wb_selection"
_WRITTEN = "wb_link_written"
_NOTICE = "wb_notice"
_HEADED = "wb_headed"
_VIEW = "wb_view"
_OWN = "wb_own"
"""The last selection of an own photograph, to which the browser's Back button may return."""


def sync(view: str) -> None:
    """Take over the link when it says something new: at a session's first run, and when it was changed by hand or
    by the browser's Back button. Switching pages empties the link and changes nothing.

    Args:
        view: name of the view whose page is open; its own settings are part of the link.
    """
    st.session_state[_VIEW] = view
    link = dict(st.query_params.items())
    first = _SELECTION not in st.session_state
    touched = st.session_state.pop(_TOUCHED, False)
    changed = bool(link) and link != st.session_state.get(_WRITTEN)
    if not first and (touched or not changed):
        return
    own: Selection | None = st.session_state.get(_OWN) if "photo" in link and "sample" not in link else None
    selection, complaint = from_link(link, readings.shelf())
    if own is not None and uploads.holds(own.photo):
        # The person's own photograph is still in this session; the link tells the view.
        selection, complaint = replace(own, **_view_of(selection)), ""
    else:
        selection, complaint = _with_a_face(selection, complaint)
    st.session_state[_SELECTION] = selection
    complaint = complaint or told(options.from_link(view, link.get("set", "")))
    if complaint:
        notify(complaint)


def _with_a_face(selection: Selection, complaint: str) -> tuple[Selection, str]:
    """A link may name a face or a box that the photograph does not have: then its first face is taken."""
    try:
        readings.face(selection)
    except WorkbenchError as error:
        return replace(selection, index=0, box=None, factor=None), complaint or f"{error} The first face is shown."
    return selection, complaint


def publish() -> None:
    """Write the selection, and what is set in the page's view, into the link."""
    link = to_link(current())
    if settings := options.to_link(st.session_state.get(_VIEW, "")):
        link["set"] = settings
    # A run that came from a quick second change does not know what the one before it has written meanwhile.
    known = st.session_state.get(_WRITTEN) == link
    st.session_state[_WRITTEN] = link
    st.session_state.pop(_TOUCHED, None)
    if not known or dict(st.query_params.items()) != link:
        st.query_params.from_dict(link)


def current() -> Selection:
    """This session's selection; the default one before the first :func:`sync`."""
    if _SELECTION not in st.session_state:
        st.session_state[_SELECTION] = readings.shelf().default()
    return st.session_state[_SELECTION]


def limits() -> Limits:
    """How far the chosen model's axes reach."""
    return readings.shelf().models.get(current().model, Limits(1, 1, 1, 0))


def update(**changes: Any) -> None:
    """Change fields of the selection; what the model does not have falls back to its default. Another model's landmark
    is the one in the same place of the face."""
    before, selection = current(), replace(current(), **changes)
    if selection.model != before.model and before.landmark is not None and "landmark" not in changes:
        selection = replace(selection, landmark=readings.landmark_in(selection.model, before.model, before.landmark))
    if selection.photo:
        st.session_state[_OWN] = selection
    st.session_state[_SELECTION] = clamp(selection, readings.shelf().models.get(selection.model, Limits(1, 1, 1, 0)))
    st.session_state[_TOUCHED] = True


def choose_sample(name: str) -> None:
    """Take a sample face; box, crop factor and face index start afresh."""
    update(sample=name, photo="", index=0, box=None, factor=None)


def choose_photo(digest: str) -> None:
    """Take one of this session's own photographs; box, crop factor and face index start afresh."""
    update(sample="", photo=digest, index=0, box=None, factor=None)


def try_face(**changes: Any) -> None:
    """Take another face or box of the same photograph, if it can be cropped; else say why and keep the present one."""
    try:
        readings.face(replace(current(), **changes))
    except WorkbenchError as error:
        notify(str(error))
        return
    update(**changes)


def notify(sentence: str) -> None:
    """Show a sentence once, on the next page that is drawn."""
    st.session_state[_NOTICE] = sentence


def take_notice() -> str:
    """The sentence to show, once; "" when there is none."""
    return st.session_state.pop(_NOTICE, "")


def headed() -> None:
    """The strip above the page now names the chosen face and model."""
    st.session_state[_HEADED] = _heading()


def outdated() -> bool:
    """Whether the strip above the page names another face or model: a part that reran by itself chose this one."""
    return st.session_state.get(_HEADED, _heading()) != _heading()


def _heading() -> tuple[Any, ...]:
    now = current()
    return now.model, now.sample, now.photo, now.index, now.box, now.factor


def _view_of(selection: Selection) -> dict[str, Any]:
    names = ("model", "stage", "layer", "head", "landmark", "kind", "tensor")
    return {name: getattr(selection, name) for name in names}
