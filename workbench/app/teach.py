"""Teaching a model the drawn points: corrected by hand on some faces, or brought in a table."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tempfile
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from workbench import figures
from workbench.app import explorer, messages, readings, state, uploads
from workbench.app.url_state import Selection
from workbench.app.working import Told, about, compute, kept
from workbench.effects.what_if import compare
from workbench.errors import DataError, WorkbenchError
from workbench.files import decoded
from workbench.landmarks import Drawing, user_scheme
from workbench.models import load_model
from workbench.models.card import own_shelf
from workbench.shaping import find_shape
from workbench.training.few_shot import FIT_STEPS, Taught, teach
from workbench.widgets.shape import MARKS, marks_of

MOST = 50
"""Faces that the page teaches from."""
FILES = (
    (".safetensors", "Weights as safetensors", "application/octet-stream"),
    (".json", "Card as JSON", "application/json"),
)
_MARKED = "wb_marks"
_TABLE = "wb_marks_table"
_SIDE = 1000  # units of a crop, for the way to the photograph
_PASS = 0.35  # seconds a step that fits the embedding takes on two cores, and one that tunes everything
_STEP = 0.9


@dataclass(frozen=True)
class Marked:
    """A face on which points were put by hand: the widget's state ``marks``, and how to find the face again."""

    selection: Selection
    marks: Mapping[str, Any]


def face_key(selection: Selection) -> str:
    """What a face is called in the browser's marks."""
    return hashlib.blake2b(repr(readings.FaceKey.of(selection)).encode(), digest_size=8).hexdigest()


def marks_for(selection: Selection) -> dict[str, Any]:
    """What was put on the chosen face, for the widget."""
    key = face_key(selection)
    known = _marked().get(key)
    return {**MARKS, "face": key} if known is None else dict(known.marks)


def keep(selection: Selection, marks: Mapping[str, Any]) -> None:
    """Remember what was put on the chosen face; what names another face, or nothing, takes nothing away from it."""
    key = face_key(selection)
    if marks.get("face") != key:
        return
    held = _marked()
    held.pop(key, None)
    if marks.get("points"):
        if len(held) >= MOST:
            state.notify(
                f"A model is taught from at most {MOST} faces; take the corrections of another face back first."
            )
            return
        held[key] = Marked(selection, dict(marks))


def _marked() -> dict[str, Marked]:
    return st.session_state.setdefault(_MARKED, {})


@dataclass(frozen=True)
class Asked:
    """What the menu asks for: under which key it is kept, whether it was pressed, and how it is made."""

    key: tuple[Hashable, ...]
    pressed: bool
    make: Callable[[Told], Taught]


def menu(
    selection: Selection, name: str, drawing: Drawing, drawn: Mapping[str, Any], plane: tuple[Drawing, ...]
) -> Asked:
    """The faces that were corrected, what the points are called, and a button that teaches them."""
    faces = {key: one for key, one in _marked().items() if marks_of(one.marks, drawn)}
    table = _table(selection, drawing)
    count = len(faces) + len(table)
    words = "Teach" if not count else f"Teach · {count} face{'s' if count > 1 else ''}"
    with st.popover(words, icon=":material/school:", type="tertiary"):
        st.markdown(
            "Switch on **correct** above the plane and drag points on the photograph to where they belong; then "
            "choose the next face. Points that you leave stay where they were found. From one face upwards the model "
            "learns where on its plane your points lie, and, if you wish, is tuned as a whole (thesis, Table 6.9)."
        )
        for key, one in faces.items():
            told = len(marks_of(one.marks, drawn))
            words = f"{readings.face(one.selection).name}: {told} corrected"
            st.button(
                words, key=f"unmark_{key}", icon=":material/close:", type="tertiary", on_click=_forget, args=(key,)
            )
        _upload(drawing)
        title = st.text_input(
            "What to call these points", f"my {drawing.scheme.name}"[:40], max_chars=40, key="teach_name"
        )
        tuned = st.toggle(
            "Tune everything",
            key="teach_tuned",
            help="Slower; with few faces it remembers them and reads others no better.",
        )
        steps = None if tuned else 0
        seconds = _PASS * FIT_STEPS + (0 if not tuned else _STEP * 120)
        pressed = st.button(
            f"Teach {name} · {about(seconds)}", key="teach", type="primary", disabled=not count, width="stretch"
        )
    marks = tuple(sorted((key, repr(sorted(marks_of(one.marks, drawn).items()))) for key, one in faces.items()))
    given = tuple((label, points.tobytes()) for label, points in table.items())
    of = ("taught", name, drawing.digest, marks, given, title, tuned)

    def make(told: Told) -> Taught:
        examples = _examples(faces, table, selection, name, drawing, drawn, plane)
        scheme = replace(user_scheme(title.strip() or "shape", drawing.scheme.count), groups=drawing.scheme.groups)
        network = load_model(name, device=readings.model(name).device)  # not the optimised one
        shown, points = zip(*examples, strict=True)
        return teach(network, shown, points, scheme, steps=steps, told=told)

    return Asked(of, pressed, make)


def outcome(asked: Asked, selection: Selection, name: str, drawing: Drawing) -> None:
    """The work, when it was asked for, and what came of it."""
    working = st.empty()
    found: Taught | None = kept(asked.key)
    if found is not None:
        _result(selection, name, drawing, found)
    elif asked.pressed:
        compute(working, asked.key, asked.make, f"Teaching {name}", "teach_cancel")


def _forget(key: str) -> None:
    _marked().pop(key, None)


def _examples(
    faces: Mapping[str, Marked],
    table: Mapping[str, np.ndarray],
    selection: Selection,
    name: str,
    drawing: Drawing,
    drawn: Mapping[str, Any],
    plane: tuple[Drawing, ...],
) -> list[tuple[Any, np.ndarray]]:
    """(face, (N, 2) in pixels of its photograph): what was found, and in its place what was put there by hand."""
    out = []
    for one in faces.values():
        where = replace(one.selection, model=name)
        points = readings.answers([where], name, drawing, {**drawn, "live": True}, plane).found.points[0].copy()
        for index, place in marks_of(one.marks, drawn).items():
            points[index] = place
        face = readings.face(where)
        out.append((face, face.to_photo(points * _SIDE, _SIDE)))
    known = choices(selection)
    for label, points in table.items():
        face = readings.face(replace(known[label], model=name))
        scale = face.to_original(np.array([[0.0, 0.0], [1.0, 1.0]]))  # the table's pixels are the original's
        out.append((face, (points - scale[0]) / (scale[1] - scale[0])))
    return out[:MOST]


def choices(selection: Selection) -> dict[str, Selection]:
    """Every face that can be named in a table: samples, and this session's photographs."""
    samples = {n: Selection(sample=n) for n in readings.shelf().samples}
    own = {p.name: Selection(photo=p.digest) for p in uploads.kept()}
    return {**samples, **own}


def _upload(drawing: Drawing) -> None:
    file: Any = st.file_uploader(
        "Or a table of faces",
        ["csv"],
        key="teach_table",
        help="A line a face: file, x0, y0, x1, y1, ... in pixels of the photograph; file names a sample face or a "
        "photograph that you brought on Start. Empty cells are missing points.",
    )
    if file is None:
        st.session_state.pop(_TABLE, None)
        return
    try:
        st.session_state[_TABLE] = read_table(file.getvalue(), drawing.scheme.count)
    except DataError as error:
        st.session_state.pop(_TABLE, None)
        st.markdown(f":material/info: {messages.plain(str(error))}")


def _table(selection: Selection, drawing: Drawing) -> dict[str, np.ndarray]:
    """The faces of the opened table that are here and have as many points as the drawing."""
    known = choices(selection)
    found = st.session_state.get(_TABLE, {})
    return {label: p for label, p in found.items() if label in known and len(p) == drawing.scheme.count}


def read_table(data: bytes, count: int) -> dict[str, np.ndarray]:
    """Faces by name, each (count, 2), NaN where missing, from a table "file, x0, y0, x1, y1, ...".

    Raises:
        DataError: it is no such table.
    """
    try:
        rows = list(csv.reader(io.StringIO(decoded(data))))
    except (ValueError, csv.Error):
        raise DataError("The table is no text that can be read; save it as CSV in UTF-8.") from None
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    wanted = [f"{axis}{k}" for k in range(count) for axis in "xy"]
    if "file" not in header or any(name not in header for name in wanted):
        raise DataError(f"The table needs the columns file, x0, y0 and so on to x{count - 1}, y{count - 1}.")
    at, places = header.index("file"), [header.index(name) for name in wanted]
    out: dict[str, np.ndarray] = {}
    for number, row in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            values = [float(row[k]) if row[k].strip() else np.nan for k in places]
            if np.isinf(values).any():
                raise ValueError
        except (ValueError, IndexError):
            raise DataError(f"Line {number} of the table is cut short or holds what is no number.") from None
        out[row[at].strip()] = np.array(values).reshape(-1, 2)
        if len(out) > MOST:
            raise DataError(f"The table has more than {MOST} faces; the shell's `workbench train --from` takes 500.")
    if not out:
        raise DataError("The table has no face.")
    return out


def _result(selection: Selection, name: str, drawing: Drawing, found: Taught) -> None:
    """What was learned, on the chosen face, and the way to keep it."""
    st.markdown("## Taught")
    st.markdown(messages.plain(found.text()) + ".")
    face = readings.face(replace(selection, model=name))
    plain = readings.shape(replace(selection, model=name), name, drawing)
    after = replace(drawing, points=found.model.prompt(found.convention).detach().cpu().double().numpy())
    both = compare(plain, find_shape(found.model, face, after))
    explorer.chart(figures.effect(both), "taught_chart", "Before and after teaching")
    st.caption(
        f"Arrows: from where {name} found the drawing on {face.name} to where it finds the taught points, in pixels "
        "of the photograph; what the numbers above say holds for the taught faces, not for others."
    )
    stem = re.sub(r"[^\w-]+", "-", f"{name}-{found.convention}").strip("-")
    with st.container(horizontal=True, gap="small", key="wb-taught-keep"):
        explorer.save_menu(
            *((label, f"{stem}{ending}", mime, partial(_file, found, stem, ending)) for ending, label, mime in FILES),
            key="taught",
        )
        if uploads.own_machine():
            st.button(
                f"Keep as {stem}",
                key="taught_keep",
                icon=":material/add:",
                type="tertiary",
                on_click=_keep_model,
                args=(found, stem),
                help=f"Writes it into {own_shelf()}, where the app, the shell and notebooks find it by its name.",
            )


def _file(found: Taught, stem: str, ending: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return found.save(Path(folder) / stem).with_suffix(ending).read_bytes()


def _keep_model(found: Taught, stem: str) -> None:
    try:
        own_shelf().mkdir(parents=True, exist_ok=True)
        if stem in readings.cards() and not (own_shelf() / f"{stem}.json").is_file():
            raise DataError(f"{stem} is the name of a model of the workbench's own; call the points otherwise.")
        path = found.save(own_shelf() / stem)
    except (OSError, WorkbenchError) as error:
        state.notify(f"The model was not kept: {error}")
        return
    readings.cards.clear()
    state.notify(f"{path.stem} is in the model menu now; its files lie in {path.parent}.")
