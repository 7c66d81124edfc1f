"""The Attribution view: what travels, and both makers of the picture side by side."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.figures.test_drawn_once import notes_of
from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench import figures
from workbench.attribution import Attribution, AttributionReading, Settings, facial_parts
from workbench.attribution.checks import Agreement, Curves
from workbench.attribution.randomised import Randomised
from workbench.attribution.result import carrying
from workbench.errors import TraceError
from workbench.figures import style
from workbench.widgets.attribution import attribution_payload

SIZE = 256


def made(method: str, landmark: int, seed: int = 0, target: str = "displacement") -> Attribution:
    """An attribution of the drawn face with random numbers of the shape that the method has."""
    rng, reading = np.random.default_rng(seed + landmark), synthetic_reading(68)
    parts = facial_parts(reading.scheme, SIZE * reading.points(), SIZE)
    values = rng.normal(size=len(parts.names)).astype(np.float16).astype(float)
    side = 16 if method == "occlusion" else 64
    grid = rng.normal(size=(side, side)).astype(np.float16).astype(float)
    by_part = method == "shapley"
    return Attribution(
        scheme=reading.scheme, model="synthetic", face="drawn", landmark=landmark, target=target, method=method,
        settings=Settings(), input_size=SIZE, map=values[parts.mask] if by_part else grid, parts=parts,
        values=values if by_part else parts.mean(np.abs(grid)).astype(np.float16).astype(float),
        sum=float(values.sum()) if by_part else None, total=float(values.sum()) if by_part else None, seconds=1.0,
    )  # fmt: skip


def reading(method: str = "occlusion", landmarks: tuple[int, ...] = (8, 30)) -> AttributionReading:
    return carrying(synthetic_reading(68), {k: made(method, k) for k in landmarks}, landmarks[-1])


def test_maps_parts_and_regions_arrive() -> None:
    given = reading()
    payload = attribution_payload(given)
    meta, blobs = payload["meta"]["maps"], payload["blobs"]
    assert (meta["landmarks"], meta["shape"], meta["byPart"]) == ([8, 30], [16, 16], False)
    sent = np.frombuffer(blobs["values"], "<f2").astype(float).reshape(2, 16, 16) * meta["unit"]
    np.testing.assert_allclose(sent[1], given.shown(30).map, rtol=2**-11)
    np.testing.assert_array_equal(
        np.frombuffer(blobs["regions"], np.uint8).reshape(SIZE, SIZE), given.shown().parts.mask
    )
    assert payload["meta"]["state"]["selection"] == {"landmark": 30, "opacity": 0.7, "scale": None, "points": True}
    shares = attribution_payload(reading("shapley"))
    assert shares["meta"]["maps"]["byPart"] and "values" not in shares["blobs"]


def test_a_face_without_attributions_can_be_shown_and_a_landmark_chosen() -> None:
    payload = attribution_payload(synthetic_reading(68), {"landmark": 5})
    assert payload["meta"]["maps"] is None and payload["meta"]["state"]["selection"]["landmark"] == 5
    with pytest.raises(TraceError, match="Nothing was attributed for landmark 3"):
        figures.attribution(reading(), landmark=3)
    with pytest.raises(TraceError):
        attribution_payload(reading(), {"landmark": 68})


BODY = """
  const v = attributionState({ meta: input.meta, bytes: (name) => bytes(name), get: () => ({ ...input.selection }) });
  const now = v.now();
  return { span: now && now.span, caption: now && captionText(composeCaption(input.meta.caption, v.facts())),
    first: now && [...now.map.slice(0, 5)], parts: now && [...now.parts] };
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["occlusion", "shapley", "saliency", "integrated_gradients"])
@pytest.mark.parametrize("scale", [None, "max", "most"])
def test_the_widget_and_the_figure_say_and_scale_the_same(tmp_path, method: str, scale: str | None) -> None:
    given = reading(method)
    payload = attribution_payload(given)
    got = run_state(tmp_path, payload, {**payload["meta"]["state"]["selection"], "landmark": 8, "scale": scale})
    figure = figures.attribution(given, landmark=8, scale=scale)
    found = given.shown(8)
    np.testing.assert_allclose(got["parts"], found.values, rtol=1e-3)
    np.testing.assert_allclose(got["first"], found.map.ravel()[:5], rtol=1e-3)
    told = re.sub(r" · float16$", "", got["caption"])
    assert told == figure.layout.meta["caption"]


def run_state(tmp_path, payload, selection):
    blobs = {name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()}
    body = 'const bytes = (name) => Uint8Array.from(Buffer.from(input.blobs[name], "base64"));' + BODY
    return run(tmp_path, "attribution", body, meta=payload["meta"], blobs=blobs, selection=selection)


def test_a_landmark_that_was_not_computed_has_no_map(tmp_path) -> None:
    payload = attribution_payload(reading())
    got = run_state(tmp_path, payload, {"landmark": 1, "scale": None})
    assert got == {"span": None, "caption": None, "first": None, "parts": None}


def test_the_bars_of_parts_are_drawn_alike(tmp_path) -> None:
    given = reading("shapley")
    payload = attribution_payload(given)
    body = """
      const v = attributionState({ meta: input.meta, bytes, get: () => ({ ...input.selection }) });
      const pen = new Pen();
      drawParts(pen, v, { ink: "#1B2330", soft: "#5B6574", hair: "#DDE2E9", font: "x" }, input.meta.drawing.side);
      return pen.marks;
    """
    source = 'const bytes = (name) => Uint8Array.from(Buffer.from(input.blobs[name], "base64"));' + body
    marks = _marks(tmp_path, payload, source)
    figure = figures.attribution(given)
    texts = sorted(mark["text"] for mark in marks if mark["kind"] == "text")
    assert notes_of(figure, "x2") == texts
    boxes = [s for s in figure.to_plotly_json()["layout"]["shapes"] if s["xref"] == "x2"]
    ours = sorted((round(s["x0"], 1), round(s["y0"], 1), round(s["x1"] - s["x0"], 1)) for s in boxes)
    theirs = sorted((round(m["x"], 1), round(m["y"], 1), round(m["w"], 1)) for m in marks if m["kind"] == "rect")
    np.testing.assert_allclose(ours, theirs, atol=0.11)


def _marks(tmp_path, payload, source):
    pen = """class Pen { constructor() { this.marks = []; }
      fillText(text, x, y) { this.marks.push({ kind: "text", text, x, y }); }
      fillRect(x, y, w, h) { this.marks.push({ kind: "rect", x, y, w, h }); } }\n"""
    blobs = {name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()}
    meta = {**payload["meta"], "drawing": style.drawing()}
    selection = payload["meta"]["state"]["selection"]
    return run(tmp_path, "attribution", pen + source, meta=meta, blobs=blobs, selection=selection)


def checks() -> tuple[Curves, Agreement, Randomised]:
    fractions = np.array([0.0, 0.5, 1.0])
    lines = {name: np.array([0.0, k + 1.0, 4.0]) for k, name in enumerate(("this map", "nearness", "random"))}
    spread = {side: np.array([[0.0, 0.5, 4.0], [0.0, 2.0, 4.0]]) for side in ("deletion", "insertion")}
    curves = Curves(30, "displacement", "px", fractions, lines, lines, spread, "Curves are told.", 1.0)
    names = ("attribution", "attention", "edit", "nearness")
    square = np.array([[1.0, 0.5, 0.25, -0.5]] * 4)
    agreement = Agreement(30, names, {}, square, np.abs(square), 10, 0.15, "Ranks are told.", 1.0)
    scrambled = Randomised(
        np.array([0, 0.5, 1.0]), np.array([1.0, 0.2, np.nan]), ("", "a", "b"), "Weights are told.", 1
    )
    return curves, agreement, scrambled


def test_the_checks_are_drawn_with_their_baselines_and_words() -> None:
    curves, agreement, scrambled = checks()
    figure = figures.attribution_check(curves, agreement, scrambled)
    assert isinstance(figure, go.Figure)
    said = " ".join(note["text"] for note in figure.to_plotly_json()["layout"]["annotations"])
    for words in ("Deletion", "Insertion", "Rank agreement", "Scrambled weights", "nearness", "random", "0.50", "25%"):
        assert words in said
    assert figure.layout.meta["caption"] == "Curves are told. Ranks are told. Weights are told."
    alone = figures.attribution_check(curves, side="deletion", words=False)
    assert alone.layout.meta["title"] == "Deletion" and alone.layout.width < 350
    assert figures.to_bytes(figure, "png").startswith(b"\x89PNG")
    assert replace(curves, caption="").area(curves.deletion["nearness"]) == pytest.approx(2)
