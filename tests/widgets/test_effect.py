"""The What if widget: what it is fed with, that the figure draws the same arrows, and the numbers by part."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from tests.figures.test_drawn_once import PEN, numbers, shapes_of
from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench import figures
from workbench.effects.what_if import EffectReading, beside
from workbench.errors import TraceError
from workbench.explain.effects import by_part, visible_times
from workbench.figures import style
from workbench.widgets.effect import effect_payload
from workbench.widgets.payload import pack


def moved(shift: np.ndarray, variance: bool = True) -> EffectReading:
    """The drawn face with its landmarks moved by (68, 2) crop pixels of 256; the photograph is twice as large."""
    plain = synthetic_reading(68, variance=variance)
    assert plain.alignment.stages is not None
    stages = plain.alignment.stages + torch.tensor(shift, dtype=torch.float32)
    alignment = replace(plain.alignment, stages=stages, landmarks=stages[-1, -1])
    # Photograph pixels of the drawn face's crop.
    object.__setattr__(plain.face, "__dict__", {**vars(plain.face), "original_side": 512.0})
    changed = replace(plain, alignment=alignment)
    return beside(plain, changed, tensor="relation.layers.0.cross", where="head 2", done="set to zero")


SHIFT = np.zeros((68, 2))
SHIFT[30] = (3, 4)
SHIFT[8] = (0, -2)
READING = moved(SHIFT)


def test_parts_have_means_and_the_largest_in_pixels_of_the_photograph() -> None:
    rows = {row.part: row for row in by_part(READING)}
    assert rows["nose"].most == pytest.approx(10, abs=1e-3)
    assert rows["nose"].mean == pytest.approx(10 / rows["nose"].count, abs=1e-3)
    assert rows["jaw"].most == pytest.approx(4, abs=1e-3) and rows["eyes"].most < 1e-3
    assert rows["all"].count == 68 and rows["all"].mean == pytest.approx(14 / 68, abs=1e-3)
    assert rows["all"].sigma == pytest.approx(0) and rows["all"].percent is not None
    assert by_part(moved(SHIFT, variance=False))[-1].sigma is None


def test_arrows_are_lengthened_as_far_as_they_fit_and_not_where_nothing_moves() -> None:
    assert visible_times(READING) == 5  # 5 of 256 px is 2 % of the crop, six times of which were 12 %
    assert visible_times(moved(np.zeros((68, 2)))) == 1
    assert visible_times(moved(np.full((68, 2), 60.0))) == 1


def test_the_payload_is_whole_and_packs() -> None:
    payload = effect_payload(READING, {"landmark": 30})
    meta = payload["meta"]
    json.dumps(meta, allow_nan=False)
    assert pack(payload)
    assert meta["moved"][30] == pytest.approx(10, abs=1e-3) and len(meta["before"]) == len(meta["after"]) == 68
    assert meta["state"]["selection"] == {"landmark": 30, "times": None} and meta["auto"] == 5
    with pytest.raises(TraceError, match="Nothing was changed"):
        effect_payload(synthetic_reading(68))
    with pytest.raises(TraceError):
        effect_payload(READING, {"times": 3})


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict:
    payload = effect_payload(READING)
    given = {**payload["meta"], "drawing": style.drawing()}
    blobs = {name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()}
    body = """
    const map = colourMap(penHost.bytes("lut.arrows"));
    const v = { meta: penHost.meta, map, image: null, hover: null, s: { landmark: null }, focus: () => null,
      times: () => penHost.meta.auto, top: () => Math.max(...penHost.meta.moved) };
    const pen = new Pen();
    drawFace(pen, v, 640, 690);
    const facts = { ...v.meta.facts, times: v.times() };
    return { marks: pen.marks, words: captionText(composeCaption(v.meta.caption, facts)) };"""
    return run(tmp_path_factory.mktemp("effect"), "effect", PEN + body, meta=given, blobs=blobs)


@pytest.fixture(scope="module")
def figure() -> go.Figure:
    return figures.effect(READING)


def test_the_figure_says_the_same_words(drawn: dict, figure: go.Figure) -> None:
    assert figure.layout.meta["caption"] == drawn["words"]
    assert "relation.layers.0.cross · head 2 · set to zero · landmarks move by 0.206 px" in drawn["words"]
    assert "arrows 5 times as long as they are" in drawn["words"]


def test_the_figure_draws_the_same_arrow_heads(drawn: dict, figure: go.Figure) -> None:
    heads = [
        m for m in drawn["marks"] if m["kind"] == "fill" and len(m["path"]) == 4 and m["style"] != "rgb(0 0 0 / .55)"
    ]
    heads = [[v for part in m["path"] for v in part[1:]] for m in heads]
    heads = [path for path in heads if path[1] < style.FACE]
    mine = [numbers(s["path"]) for s in shapes_of(figure, like="Z")]
    mine = [path for path in mine if path[1] < style.FACE and len(path) == 6]
    assert len(mine) == 2
    before, after = (READING.plain.points(), READING.points())
    tips = sorted((before + 5 * (after - before))[[8, 30]] * style.FACE, key=lambda p: p[0])
    np.testing.assert_allclose(sorted(path[:2] for path in mine), tips, atol=0.02)
    np.testing.assert_allclose(sorted(path[:2] for path in heads if len(path) >= 6), tips, atol=0.02)


def test_bars_of_heads_are_shares_of_the_largest(tmp_path: Path) -> None:
    known = {"cross 2": [[[1.0, 2.0], [3.0, 4.0], [4.0, -1]], [[0.5, 1.0], [0.0, 0.0], [0.25, 0.5]]]}
    out = run(
        tmp_path,
        "relations",
        """
        const s = { kind: "cross", stage: 2 };
        return { first: effectOf(input.known, s, 0, 0), mean: effectOf(input.known, s, 0, null),
          other: effectOf(input.known, { kind: "cross", stage: 1 }, 0, 0), words: effectWords(input.known, s),
          none: effectWords(undefined, s) };
        """,
        known=known,
    )
    assert out["first"] == {"share": 0.25, "words": "landmarks move by 1 px on average (2 % of the eyes' distance)"}
    assert out["mean"] == {"share": 1, "words": "landmarks move by 4 px on average"}
    assert out["other"] is None and out["none"] == "" and "the longest 4 px" in out["words"]
