"""What if: the one panel below every view that shows a tensor. What is selected there is what is asked about.

Nothing but this panel changes: the question belongs to it, and the shared model is as it was after each answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from workbench.app import explorer, messages, readings, state, uploads
from workbench.app.url_state import Selection
from workbench.axes import Axes
from workbench.effects import ACTS, EffectReading, Question, acts, parts
from workbench.faces import sample_info
from workbench.landmarks import Scheme
from workbench.tracing import taps
from workbench.widgets.effect import effect_payload

KEPT = "all.what_if"
"""What was asked last: {part, scope, act, donor}."""
_LAST = "wb_last_question"
_OWN = "own:"
_HINT = (
    "Choose what is to happen to it, and the landmarks answer with arrows. Only this panel changes: every other view "
    "goes on showing the model as it is."
)


@dataclass(frozen=True)
class Target:
    """What a view has selected of a tensor.

    Attributes:
        tap: its path.
        axes: of the tap.
        words: what all of it is called, such as "head 2 of layer 1".
        chosen: axis -> the entry that is singled out; axes that are shown whole or as a mean are left out.
        item: the chosen row's name, such as "nose bridge 4 of 4 (30)"; "" where nothing is singled out.
        stage, stages: the stage that is shown, from 0, and how many the tensor has.
        keys: where single edges can be asked about: (index, words) of the keys of the chosen row, strongest first.
        layers: a glob pattern of the same tensor in all layers, or "".
    """

    tap: str
    axes: Axes
    words: str
    chosen: Mapping[str, int] = field(default_factory=dict)
    item: str = ""
    stage: int | None = None
    stages: int = 1
    keys: Sequence[tuple[int, str]] = ()
    layers: str = ""


def panel(target: Target, hint: str = "") -> None:
    """The panel of a view: a sentence of choices, and the answer once something was chosen.

    Args:
        hint: what to select in the view to ask about a smaller part; shown while nothing is singled out.
    """
    with messages.guard("what-if"):
        st.markdown("## What if")
        selection = state.current()
        tap = taps(readings.model(selection.model)).get(target.tap)
        if tap is None or tap.observer:
            st.caption(f"`{target.tap}` only shows something: the model does not use it, so a change of it does none.")
            return
        asked = _controls(selection, target, hint if not target.item else "")
        if asked is None:
            st.caption(_HINT)
            return
        answer(*asked)


def last(model: str) -> tuple[Question, Selection | None] | None:
    """What this session asked a model last, and the face that a part was taken from; None for nothing."""
    kept = st.session_state.get(_LAST)
    return None if kept is None or kept[0] != model else (kept[1], kept[2])


def answer(selection: Selection, question: Question, donor: Selection | None) -> EffectReading:
    """The widget of an answer, with its files."""
    reading = readings.asked(selection, question, donor)
    st.session_state[_LAST] = (selection.model, question, donor)
    key = (readings.FaceKey.of(selection), selection.model, question, donor and readings.FaceKey.of(donor))
    payload = readings.view("effect", key, lambda: effect_payload(reading))
    chosen = explorer.linked("effect", payload, ("landmark",))
    explorer.save_menu(explorer.explorer_item("effect", payload, chosen), key="effect")
    return reading


def _controls(selection: Selection, target: Target, hint: str) -> tuple[Selection, Question, Selection | None] | None:
    """What is asked about, in which stages, and what is done; None while nothing is."""
    found = parts(target.axes, target.chosen)
    found.pop("edge", None)
    if target.keys and "row" in found:
        found["edge"] = found["row"]
    names = [*found, *(["layers"] if target.layers else [])]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="wb-what-if"):
        part = _choice("part", "Of", names, lambda name: _part_words(name, target), width=250)
        at = found.get(part, found["all"])
        if part == "edge":
            told = dict(target.keys)
            key = _choice("key", "To the key", list(told), lambda index: told[index], width=250)
            at = (*at, ("key_landmark", key))
        stage = target.stage
        if target.stages > 1:
            scope = _choice("scope", "In", ["this", "all"], lambda name: _stage_words(name, target), width=140)
            stage = target.stage if scope == "this" else None
        act = _act(acts(target.axes, [axis for axis, _ in at]))
        donor = _donor(selection) if act == "donor" else None
    if hint:
        st.caption(hint)
    if act is None or (act == "donor" and donor is None):
        return None
    tap = target.layers if part == "layers" else target.tap
    return selection, Question(tap, act, at, stage), donor


def _part_words(name: str, target: Target) -> str:
    row, column = ("row", "column") if "query_landmark" in target.axes else ("what it looks at", "who looks at it")
    return {
        "all": target.words,
        "row": f"{row}: {target.item}",
        "column": f"{column}: {target.item}",
        "edge": f"one edge of {target.item}",
        "one": target.item,
        "layers": "the same in all layers",
    }[name]


def _stage_words(name: str, target: Target) -> str:
    return "all stages" if name == "all" or target.stage is None else f"stage {target.stage + 1}"


def _keep(name: str) -> None:
    explorer.keep_options(KEPT, {**explorer.options_of(KEPT), name: st.session_state[f"what_if_{name}"]})


def _wanted(name: str, known: Sequence[Any], otherwise: Any) -> str:
    """The key of a chooser, which shows what is kept, or what stands in its place where that is not there."""
    key, kept = f"what_if_{name}", explorer.options_of(KEPT).get(name)
    wanted = kept if kept in known else otherwise
    if st.session_state.get(key) != wanted:
        st.session_state[key] = wanted
    return key


def _choice(name: str, label: str, known: Sequence[Any], words: Callable[[Any], str], width: int) -> Any:
    """A chooser whose choice is kept over pages; what is not there any more becomes the first one."""
    key = _wanted(name, known, known[0])
    return st.selectbox(
        label, known, key=key, format_func=words, width=width, filter_mode=None, on_change=_keep, args=(name,)
    )


def _act(possible: Sequence[str]) -> str | None:
    key = _wanted("act", possible, None)
    chosen: str | None = st.pills(
        "What is done", possible, key=key, format_func=lambda name: ACTS[name], on_change=_keep, args=("act",)
    )
    return chosen


def other_faces(selection: Selection) -> dict[str, str]:
    """Samples and this session's own photographs, without the chosen one, and what they are called."""
    own = {f"{_OWN}{photo.digest}": photo.name for photo in uploads.kept() if photo.digest != selection.photo}
    samples = {n: f"{sample_info(n)['title']} ({n})" for n in readings.shelf().samples if n != selection.sample}
    return {**own, **samples}


def other_face(selection: Selection, chosen: str) -> Selection:
    """The selection with one of :func:`other_faces` in place of its face."""
    photo = chosen.removeprefix(_OWN) if chosen.startswith(_OWN) else ""
    return replace(selection, sample="" if photo else chosen, photo=photo, index=0, box=None, factor=None)


def _donor(selection: Selection) -> Selection | None:
    """The face that a part is taken from."""
    words = other_faces(selection)
    if not words:
        return None
    return other_face(selection, _choice("donor", "From", list(words), lambda name: words[name], width=220))


def landmark_words(scheme: Scheme, landmark: int | None) -> str:
    """A landmark's name for a target, or ""."""
    return "" if landmark is None else f"{scheme.label(landmark)} ({landmark})"


def head_words(head: int | None, heads: int, layer: int | None = None) -> str:
    """What all of a tensor is called."""
    what = "all of it" if heads < 2 else f"head {head + 1}" if head is not None else "all heads"
    return what if layer is None else f"{what} of layer {layer + 1}".replace("all of it of", "all of")
