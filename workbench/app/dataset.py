"""The Data set page: a whole run as scatter, histogram, CED and a wall of faces, and the way from a face in it to the
pages that show why."""

from __future__ import annotations

import base64
import io
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from workbench.app import explorer, labels, readings, state, uploads
from workbench.data import FaceDataset, open_dataset
from workbench.errors import DataError, ImageError
from workbench.evaluation import Run, evaluate
from workbench.evaluation.columns import columns, matched
from workbench.figures import palette
from workbench.views import TOOLS, get_view
from workbench.widgets.bundle import joined_source

MOST = 120
"""Faces whose pictures a page asks for at a time."""
OPENS = ("relations", "uncertainty", "inside")
_KEY, _OPENED, _MADE = "dataset", "wb_dataset_opened", "wb_dataset_made"
_mount = st.components.v2.component("workbench_dataset", js=joined_source("dataset", Path(__file__).parent))


def show() -> None:
    """The chooser of a run, and the run."""
    st.caption(TOOLS["dataset"].sentence)
    if not uploads.own_machine():
        st.info("Files of this machine are opened for those who sit at it: start the app without --host.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input(
            "A run, or a benchmark folder", key="dataset_source",
            placeholder="run.safetensors, as `workbench evaluate --out` writes it, or a folder", width=460,
        )  # fmt: skip
        against = st.text_input("Compared with another run", key="dataset_other", placeholder="optional", width=300)
        opens = st.selectbox(
            "A click opens the face on", OPENS, key="dataset_opens", format_func=lambda n: get_view(n).title, width=190
        )
    if not text.strip():
        st.caption("Make one: workbench evaluate --model dslpt-68 --data FOLDER --out run.safetensors --thumbnails")
        return
    run = _run(Path(text.strip()).expanduser())
    if run is None:
        return
    other = _load(str(Path(against.strip()).expanduser())) if against.strip() else None
    _explore(run, other)
    if st.session_state.pop(_OPENED, False):
        st.switch_page(explorer.page(get_view(opens)))


@st.cache_resource(max_entries=4, show_spinner=False)
def _loaded(path: str, changed: float) -> Run:
    return Run.load(path)


def _load(path: str) -> Run:
    try:
        return _loaded(path, Path(path).stat().st_mtime)
    except OSError as error:
        raise DataError(f"There is no run at {path} ({(error.strerror or str(error)).lower()}).") from None


def _run(path: Path) -> Run | None:
    """The run of a file; of a folder that was measured, or a button that measures it."""
    if not path.is_dir():
        return _load(str(path))
    model = state.current().model
    made: dict[tuple[str, str], Run] = st.session_state.setdefault(_MADE, {})
    key = (str(path), model)
    if key not in made:
        spot = st.empty()
        if not spot.button(f"Measure its test part with {model}", type="primary", icon=":material/play_arrow:"):
            return None
        spot.empty()
        with st.spinner(f"{model} reads {path.name}; a large set is better measured by the command below."):
            network = readings.model(model)
            eyes = network.scheme.eye_corners is not None
            by = "inter_ocular" if eyes else "box"
            made.clear()
            made[key] = evaluate(network, path, normaliser=by, thumbnails=True, progress=False)
    return made[key]


def _explore(run: Run, other: Run | None) -> None:
    found = columns(run, other)
    names = list(found)
    key = f"{run.meta['checkpoint']}:{run.meta['data']}:{run.part()}:{len(run)}:{id(run)}:{id(other)}"
    kept: dict[str, Any] = st.session_state.get(_KEY) or {}
    theirs = None if other is None else matched(run, other, other.arrays["points"])
    data: dict[str, Any] = {"key": key, "cards": _cards(run, theirs, kept.get("wanted") or [])}
    if kept.get("has") != key:
        errors = [names[0], *(n for n in names if other is not None and n == f"error of {other.model}, %")]
        spread = next((n for n in names if n.startswith("σ")), names[min(1, len(names) - 1)])
        data |= {
            "columns": [[n, base64.b64encode(v.astype(np.float32).tobytes()).decode()] for n, v in found.items()],
            "x": errors[1] if other is not None and len(errors) > 1 else spread, "y": names[0], "by": names[0],
            "errors": errors, "threshold": 100 * float(run.meta["threshold"]), "caption": _caption(run, other),
            "most": MOST, "colours": {
                "accent": palette.ACCENT, "other": palette.PART_COLOURS["outer_lip"],
                "mark": palette.PART_COLOURS["outer_lip"], "points": palette.landmark_colours(run.scheme),
            },
        }  # fmt: skip
    _mount(
        key=_KEY, data=data, default={"wanted": [], "has": ""}, on_wanted_change=lambda: None,
        on_has_change=lambda: None, on_pick_change=partial(_picked, run),
    )  # fmt: skip


def _caption(run: Run, other: Run | None) -> str:
    by = str(run.meta["normaliser"]).replace("_", "-")
    pictures = "" if run.pictures else " It keeps no pictures (--thumbnails)."
    lost = f" {len(run.left_out)} faces were left out." if run.left_out else ""
    second = "" if other is None else f" Curves: {run.model} blue, {other.model} orange."
    return (
        f"{run.model} on {run.meta['data']} {run.part()}: {len(run)} faces, errors in per cent of the {by} distance, "
        "σ the geometric mean of both axes, last stage, in per cent of the crop's side. Drag in the scatter to choose "
        "faces, Escape lets go. On the faces: labels as small dots, answers as coloured ones joined to them, ellipses "
        f"1 σ.{second}{lost}{pictures}"
    )


def _cards(run: Run, theirs: np.ndarray | None, wanted: Any) -> dict[str, Any]:
    """What the cards of some faces show, in hundredths of the crop; numbers from a browser are checked."""
    if not isinstance(wanted, list):
        return {}
    faces = [i for i in wanted[:MOST] if isinstance(i, int) and not isinstance(i, bool) and 0 <= i < len(run)]
    pictures = run.thumbs(faces) if faces and run.pictures else [b""] * len(faces)
    sigma = run.arrays.get("sigma")
    out = {}
    for i, picture in zip(faces, pictures, strict=True):
        source = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}" if picture else ""
        out[str(i)] = {
            "name": run.files[i], "src": source, "truth": _places(run.arrays["truth"][i]),
            "points": _places(run.arrays["points"][i]), "sigma": None if sigma is None else _places(sigma[i]),
            "other": None if theirs is None else _places(theirs[i]),
        }  # fmt: skip
    return out


def _places(values: np.ndarray) -> list[list[float | None]]:
    return [[None if math.isnan(v) else round(100 * v, 1) for v in row] for row in values.tolist()]


def _picked(run: Run) -> None:
    """Make the clicked face the one that all pages show, with its label."""
    i = (st.session_state.get(_KEY) or {}).get("pick")
    if not isinstance(i, int) or isinstance(i, bool) or not 0 <= i < len(run):
        return
    try:
        _open(run, i)
    except (DataError, ImageError) as error:
        state.notify(str(error))
        return
    st.session_state[_OPENED] = True


@st.cache_resource(max_entries=2, show_spinner=False)
def _set(folder: str, scheme: str, split: str, subset: str, labels: str) -> dict[str, Any]:
    known = None if scheme.startswith(("user", "menpo")) else scheme
    found: FaceDataset = open_dataset(
        folder, scheme=known, split=None if split == "all" else split, subset=subset or None, labels=labels or None
    )
    return {sample.name: sample for sample in found}


def _open(run: Run, i: int) -> None:
    meta, name = run.meta, run.files[i]
    samples = _set(meta["folder"], meta["scheme"], meta["split"], meta["subset"], meta["labels"])
    if name not in samples:
        raise DataError(f"{meta['folder']} has no face '{name}' any more; measure it anew.")
    buffer = io.BytesIO()
    samples[name].image().save(buffer, "PNG")
    photo = uploads.add(buffer.getvalue(), name)
    points = samples[name].points
    known = points[np.isfinite(points).all(-1)]
    low, high = known.min(0), known.max(0)
    words = f"{run.model} is {100 * run.nme[i]:.2f} % off its label in {meta['data']} {run.part()}."
    labels.keep(photo.digest, labels.Label(points, words))
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    model = run.model if run.model in readings.cards() else state.current().model
    state.update(sample="", photo=photo.digest, index=0, box=box, factor=None, model=model)
