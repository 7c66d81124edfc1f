"""A picture of a reading is the same from the widget's code and from a figure: geometry, colours, widths, words."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench import explain, figures
from workbench.explain import facts
from workbench.figures import palette, style
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace
from workbench.widgets import relations_payload, structure_payload, uncertainty_payload
from workbench.widgets.payload import Payload

PEN = (Path(__file__).parent / "pen.js").read_text(encoding="utf-8")
EXACT = 1e-6
PIXEL = 0.01


def as_sent(reading: Reading) -> Reading:
    """With its tensors at the precision that a widget is sent."""
    trace = Trace()
    trace.meta = reading.trace.meta
    for name, entry in reading.trace.items():
        trace[name] = NamedTensor(entry.tensor.half().double(), entry.axes)
    return replace(reading, trace=trace)


READING = as_sent(synthetic_reading(68))


@pytest.fixture(scope="module")
def half_similarities() -> Iterator[None]:
    """Figures get similarities at the precision that a widget is sent."""
    exact = explain.cosine_similarity
    with pytest.MonkeyPatch.context() as patch:
        for place in ("explain", "widgets"):
            patch.setattr(
                f"workbench.{place}.structure.cosine_similarity",
                lambda vectors: exact(vectors).astype(np.float16).astype(float),
            )
        yield


def drawn(tmp_path: Path, payload: Payload, root: str, body: str, **meta: Any) -> Any:
    given = {**payload["meta"], "drawing": style.drawing(), **meta}
    blobs = {name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()}
    return run(tmp_path, root, PEN + body, meta=given, blobs=blobs)


def shapes_of(figure: go.Figure, axis: str = "x", kind: str = "path", like: str = "") -> list[dict[str, Any]]:
    every = figure.to_plotly_json()["layout"]["shapes"]
    return [s for s in every if (s["xref"], s["type"]) == (axis, kind) and like in s.get("path", "")]


def notes_of(figure: go.Figure, axis: str = "x") -> list[str]:
    notes = figure.to_plotly_json()["layout"]["annotations"]
    return sorted(re.sub(r"<[^>]+>", "", note["text"]) for note in notes if note["xref"] == axis)


def numbers(path: str) -> list[float]:
    return [float(v) for v in re.findall(r"-?[\d.]+", path)]


def paint(colour: str, alpha: float = 1.0) -> tuple[int, int, int, float]:
    """A colour of either language as red, green, blue, opacity."""
    names = {"#fff": "#ffffff", "#000": "#000000"}
    colour = names.get(colour, colour)
    if colour.startswith("#"):
        return (*palette.rgb(colour), round(alpha, 4))
    parts = [float(v) for v in re.findall(r"[\d.]+", colour)]
    return (*map(int, parts[:3]), round(alpha * (parts[3] if len(parts) > 3 else 1.0), 4))  # type: ignore[return-value]


def flat(mark: dict[str, Any]) -> list[float]:
    return [v for part in mark["path"] for v in part[1:]]


def same_words(figure: go.Figure, marks: list[dict[str, Any]], axis: str = "x") -> None:
    # A saved picture cannot be played.
    texts = [mark["text"].replace(": press play.", ".") for mark in marks if mark["kind"] == "text"]
    assert notes_of(figure, axis) == sorted(texts)


STATES: dict[str, dict[str, Any]] = {
    "plain": {},
    "one head, own weights": {"head": 1, "own": True, "topk": 2},
    "a landmark": {"landmark": 30},
    "its own weight too": {"landmark": 8, "own": True, "topk": 5},
    "as a key": {"landmark": 30, "direction": "key", "topk": 4},
    "all maps' scale": {"scale": "all", "layer": 1, "kind": "self"},
    "best": {"mode": "best"},
    "best of a key": {"mode": "best", "landmark": 33, "direction": "key", "own": True},
    "a threshold": {"threshold": 0.0625, "topk": 0},
    "first stage": {"stage": 0, "head": 3},
}


def relations_given(state: dict[str, Any]) -> dict[str, Any]:
    """The widget's state as ``figures.relations`` takes it."""
    given = dict(state)
    given["best"] = given.pop("mode", "lines") == "best"
    if "topk" in given:
        given["top_k"] = given.pop("topk") or None
    return given


@pytest.fixture(scope="module")
def relations_drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    payload = relations_payload(READING)
    body = """
    return input.meta.asked.map((state) => {
      const v = relationsState(penHost);
      v.s = { ...v.s, ...state };
      v.points = v.meta.points[v.s.stage];
      const [face, side] = [new Pen(), new Pen()];
      drawFace(face, v, 640, 690);
      drawMatrix(side, v, penLook, 640);
      const told = relationsFacts(v.meta, v.s, v.top(), v.focus());
      const words = captionText(composeCaption(v.meta.caption, { ...told, widget: false }));
      return { face: face.marks, side: side.marks, told, words };
    });"""
    tmp = tmp_path_factory.mktemp("relations")
    return dict(zip(STATES, drawn(tmp, payload, "relations", body, asked=list(STATES.values())), strict=True))


@pytest.mark.parametrize("name", STATES)
def test_lines_bend_alike_and_have_one_colour_and_width(name: str, relations_drawn: dict[str, Any]) -> None:
    figure = figures.relations(READING, **relations_given(STATES[name]))
    theirs = [
        m for m in relations_drawn[name]["face"] if m["kind"] == "stroke" and any(p[0] == "Q" for p in m["path"])
    ]
    ours = shapes_of(figure, like="Q")
    assert len(ours) == len(theirs) > 0

    def mine(shape: dict[str, Any]) -> tuple[float, ...]:
        line = shape["line"]
        return (*paint(line["color"]), line["width"], *numbers(shape["path"]))

    a = np.array([mine(shape) for shape in ours])
    b = np.array([(*paint(m["style"], m["alpha"]), m["width"], *flat(m)) for m in theirs])
    a, b = (values[np.lexsort(values[:, 5:].round(1).T)] for values in (a, b))
    np.testing.assert_array_equal(a[:, :4], b[:, :4])
    np.testing.assert_allclose(a[:, 4], b[:, 4], atol=EXACT, rtol=0)
    np.testing.assert_allclose(a[:, 5:], b[:, 5:], atol=PIXEL, rtol=0)


@pytest.mark.parametrize("name", STATES)
def test_rings_and_arrow_heads_are_the_same(name: str, relations_drawn: dict[str, Any]) -> None:
    figure = figures.relations(READING, **relations_given(STATES[name]))
    theirs = [
        [*m["path"][0][1:3], m["path"][0][3], m["width"]]
        for m in relations_drawn[name]["face"]
        if m["kind"] == "stroke" and m["path"][0][0] == "E" and m["width"] != 0.8  # the rims of dots
    ]
    ours = [
        [(s["x0"] + s["x1"]) / 2, (s["y0"] + s["y1"]) / 2, (s["x1"] - s["x0"]) / 2, s["line"]["width"]]
        for s in shapes_of(figure, kind="circle")
    ]
    np.testing.assert_allclose(sorted(ours), sorted(theirs), atol=PIXEL)
    heads = [flat(m) for m in relations_drawn[name]["face"] if m["kind"] == "fill" and len(m["path"]) == 4]
    mine = [numbers(s["path"]) for s in shapes_of(figure, like="Z") if s["y" if "y" in s else "yref"] != "above"]
    legend = [numbers(s["path"])[1] > style.FACE for s in shapes_of(figure, like="Z")]
    mine = [path for path, below in zip(mine, legend, strict=True) if not below]
    heads = [path for path in heads if path[1] <= style.FACE]
    if heads:
        np.testing.assert_allclose(sorted(mine), sorted(heads), atol=PIXEL)


@pytest.mark.parametrize("name", STATES)
def test_relations_are_told_in_the_same_words(name: str, relations_drawn: dict[str, Any]) -> None:
    figure = figures.relations(READING, **relations_given(STATES[name]))
    assert figure.layout.meta["caption"] == relations_drawn[name]["words"]
    same_words(figure, relations_drawn[name]["face"])
    same_words(figure, relations_drawn[name]["side"], "x2")


@pytest.mark.parametrize("name", STATES)
def test_facts_of_relations_are_the_same(name: str, relations_drawn: dict[str, Any]) -> None:
    s = {"stage": -1, "layer": 0, "head": None, "kind": "cross", "topk": 3, **STATES[name]}
    found = explain.attention_matrix(READING, s["kind"], s["stage"], s["layer"], s["head"])
    weights = explain.attention_stack(READING, s["kind"]) if s.get("scale") == "all" else found.weights
    mine = facts.relations_facts(
        READING, found, top=explain.largest_weight(weights, s.get("own", False)), scale=s.get("scale", "map"),
        top_k=s["topk"] or None, threshold=s.get("threshold", 0.0), landmark=s.get("landmark"),
        direction=s.get("direction", "query"), own=s.get("own", False), mode=s.get("mode", "lines"),
    )  # fmt: skip
    told = {**relations_drawn[name]["told"], "widget": False}
    assert mine == {**told, "top": pytest.approx(told["top"], rel=1e-12)}


@pytest.mark.parametrize("name", STATES)
def test_matrix_cells_have_the_same_colours(name: str, relations_drawn: dict[str, Any]) -> None:
    figure = figures.relations(READING, **relations_given(STATES[name]))
    image = next(m for m in relations_drawn[name]["side"] if m["kind"] == "image")
    heat = figure.data[1] if figure.data[0].type != "heatmap" else figure.data[0]
    n = len(heat.z)
    theirs = np.array(image["data"]).reshape(n, n, 4)
    values = np.asarray(heat.z, float)
    known = np.isfinite(values)
    np.testing.assert_array_equal(known, theirs[..., 3] == 255)
    np.testing.assert_array_equal(scale_colours(heat, values[known]), theirs[known][:, :3])
    x, y, w, h = image["place"]
    np.testing.assert_allclose([heat.x0 - heat.dx / 2, heat.y0 - heat.dy / 2, n * heat.dx, n * heat.dy], [x, y, w, h])


def scale_colours(heat: Any, values: np.ndarray) -> np.ndarray:
    """Colours as Plotly takes them from a heatmap's colour scale."""
    stops = np.array([position for position, _ in heat.colorscale])
    places = (values - heat.zmin) / (heat.zmax - heat.zmin)
    after = np.clip(np.searchsorted(stops, places, "right"), 1, len(stops) - 1)
    pairs = np.array([[palette.rgb(heat.colorscale[i - 1][1]), palette.rgb(heat.colorscale[i][1])] for i in after])
    wide = stops[after] - stops[after - 1]
    share = np.where(wide > 0, (places - stops[after - 1]) / np.where(wide > 0, wide, 1), 1.0)[:, None]
    return np.round(pairs[:, 0] * (1 - share) + pairs[:, 1] * share).astype(int)


UNCERTAIN: dict[str, dict[str, Any]] = {
    "plain": {},
    "first layer": {"stage": 0, "layer": 0},
    "a landmark": {"landmark": 30, "patches": True, "path": True},
    "by part in pixels": {"sort": "part", "unit": "pixel", "patches": True, "stage": 1},
    "mean face": {"stage": None, "path": True},
    "recalibrated": {"recalibrated": True, "landmark": 30},
    "an early stage, recalibrated": {"recalibrated": True, "stage": 0, "unit": "pixel"},
}
TOLD = {"scales": [1.25, 0.8, 1.1], "fitted": "drawn test: 6 faces never seen in training"}
UNSURE = replace(synthetic_reading(68), calibration=TOLD)


@pytest.fixture(scope="module")
def uncertainty_drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    reading = UNSURE
    body = """
    return input.meta.asked.map((state) => {
      const v = uncertaintyState(penHost);
      v.adopt(false);
      v.s = { ...v.s, ...state };
      v.t = stepOf(v.meta.shape[1], v.s.stage, v.s.layer);
      v.towards()(1);
      const [face, side] = [new Pen(), new Pen()];
      drawFace(face, v, 640, 640);
      if (v.s.patches) drawKeys(face, v, penLook, 0, 655);
      drawHead(side, v, penLook, 480);
      side.translate(0, 48);
      drawBars(side, v, penLook, 480, 592);
      const told = uncertaintyFacts(v.meta, v.s, v.step());
      return { face: face.marks, side: side.marks, told, words: captionText(composeCaption(v.meta.caption, told)) };
    });"""
    tmp = tmp_path_factory.mktemp("uncertainty")
    states = list(UNCERTAIN.values())
    return dict(
        zip(UNCERTAIN, drawn(tmp, uncertainty_payload(reading), "uncertainty", body, asked=states), strict=True)
    )


@pytest.mark.parametrize("name", UNCERTAIN)
def test_ellipses_have_one_size_and_colour(name: str, uncertainty_drawn: dict[str, Any]) -> None:
    figure = figures.uncertainty(UNSURE, **UNCERTAIN[name])
    theirs = [
        (*m["path"][0][1:], m["width"], *paint(m["style"], m["alpha"]))
        for m in uncertainty_drawn[name]["face"]
        if m["kind"] == "stroke" and m["path"][0][0] == "E" and m["width"] != 0.8
    ]
    ours = [
        ((s["x0"] + s["x1"]) / 2, (s["y0"] + s["y1"]) / 2, (s["x1"] - s["x0"]) / 2, (s["y1"] - s["y0"]) / 2,
         s["line"]["width"], *paint(s["line"]["color"]))
        for s in shapes_of(figure, kind="circle") if s["line"]["width"]
    ]  # fmt: skip
    assert len(ours) == len(theirs)
    a, b = (np.array(sorted(values, key=lambda v: [round(x, 1) for x in v])) for values in (ours, theirs))
    np.testing.assert_allclose(a[:, :4], b[:, :4], atol=PIXEL)
    np.testing.assert_allclose(a[:, 4:], b[:, 4:], atol=1e-3)


@pytest.mark.parametrize("name", UNCERTAIN)
def test_bars_have_one_place_and_length(name: str, uncertainty_drawn: dict[str, Any]) -> None:
    figure = figures.uncertainty(UNSURE, **UNCERTAIN[name])
    theirs = [m["path"][0][1:] for m in uncertainty_drawn[name]["side"] if m["kind"] == "fill"]
    ours = [[s["x0"], s["y0"], s["x1"] - s["x0"], s["y1"] - s["y0"]] for s in shapes_of(figure, "x2", "rect")]
    if UNCERTAIN[name].get("stage", -1) is None:
        theirs = [rect for rect in theirs if rect[2] != 0.5]  # bars of nothing
    # Parts' colours and a value's ground lie where words end, which a font tells.
    ours, theirs = (sorted(r for r in rects if r[1] >= 48 and r[3] != 20) for rects in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, atol=0.02)


@pytest.mark.parametrize("name", UNCERTAIN)
def test_uncertainty_is_told_in_the_same_words(name: str, uncertainty_drawn: dict[str, Any]) -> None:
    state = UNCERTAIN[name]
    figure = figures.uncertainty(UNSURE, **state)
    # The pinned landmark's patches are the widget's alone.
    assert figure.layout.meta["caption"] == re.sub(r" · patches of [^·]* strip", "", uncertainty_drawn[name]["words"])
    same_words(figure, uncertainty_drawn[name]["face"])
    same_words(figure, uncertainty_drawn[name]["side"], "x2")
    shown = UNSURE.recalibrated() if state.get("recalibrated") else UNSURE
    chosen = {key: state[key] for key in ("stage", "layer", "ellipses", "patches", "path") if key in state}
    assert facts.uncertainty_facts(shown, **chosen) == {**uncertainty_drawn[name]["told"], "pinned": None}


LANDMARKS = [(0, None), (1, 30), (2, 8)]


@pytest.fixture(scope="module")
def structure_drawn(tmp_path_factory: pytest.TempPathFactory, half_similarities: None) -> Any:
    body = """
    const map = (name) => colourMap(penHost.bytes(`lut.${name}`));
    return [null, 30, 8].map((landmark) => {
      const panels = input.meta.models.map((meta, at) => {
        const values = decodeHalf(penHost.bytes(`similarity.${at}`));
        const [n, { order }, rank] = [meta.face.count, meta.face, []];
        order.forEach((i, k) => { rank[i] = k; });
        const picture = matrixImage(n, (r, c) => (values[order[r] * n + order[c]] + 1) / 2, map("diverging"));
        return { ...meta, n, values, rank, diverging: map("diverging"), ranked: map("cividis"), picture };
      });
      const drawings = panels.map((p, at) => {
        const twin = landmark == null ? null : panels[0].twin?.[landmark] ?? null;
        const f = { landmark: at ? (twin >= 0 ? twin : null) : landmark, other: null, pinned: at === 0 };
        const pen = new Pen();
        drawTop(pen, p, f, penLook, 640);
        pen.translate(0, topTall(640) + 12);
        drawMeanFace(pen, p, f, input.meta.drawing, 640, 480);
        return pen.marks;
      });
      const near = landmark == null ? [] : mostSimilar(panels[0].values, panels[0].n, landmark);
      const told = structureFacts(input.meta, 0, landmark, near);
      const words = captionText(composeCaption(input.meta.caption, { ...told, widget: false }));
      return { drawings, told, words, near };
    });"""
    tmp = tmp_path_factory.mktemp("structure")
    return drawn(tmp, structure_payload([READING, as_sent(synthetic_reading(98))]), "structure", body)


@pytest.mark.slow
@pytest.mark.usefixtures("half_similarities")
@pytest.mark.parametrize(("k", "landmark"), LANDMARKS)
def test_structure_is_drawn_alike(k: int, landmark: int | None, structure_drawn: Any) -> None:
    both = [READING, as_sent(synthetic_reading(98))]
    figure = figures.structure(both, landmark)
    one = structure_drawn[k]
    assert figure.layout.meta["caption"] == one["words"]
    heats = [trace for trace in figure.data if trace.type == "heatmap"]
    for at, axis in enumerate(("x", "x2")):
        marks = one["drawings"][at]
        same_words(figure, marks, axis)
        image = next(m for m in marks if m["kind"] == "image" and m["data"])
        z = np.asarray(heats[at].z)
        theirs = np.array(image["data"]).reshape(*z.shape, 4)[..., :3]
        mine = scale_colours(heats[at], z.ravel()).reshape(theirs.shape)
        np.testing.assert_array_equal(mine, theirs)
        lines = [m for m in marks if m["kind"] == "stroke" and any(p[0] == "Q" for p in m["path"])]
        ours = shapes_of(figure, axis, like="Q")
        assert len(ours) == len(lines)
        for shape, mark in zip(ours, lines, strict=True):
            np.testing.assert_allclose(numbers(shape["path"]), flat(mark), atol=PIXEL)
            assert paint(shape["line"]["color"]) == paint(mark["style"], mark["alpha"])
            assert shape["line"]["width"] == pytest.approx(mark["width"], abs=EXACT)


@pytest.mark.usefixtures("half_similarities")
@pytest.mark.parametrize(("k", "landmark"), LANDMARKS)
def test_neighbours_come_in_the_same_order(k: int, landmark: int | None, structure_drawn: Any) -> None:
    both = [READING, as_sent(synthetic_reading(98))]
    told = structure_drawn[k]["told"]
    mine = facts.structure_facts(both, landmark)
    assert mine == {name: told[name] for name in mine} | {"widget": False}
    if landmark is not None:
        near = explain.neighbours(explain.structure_similarity(READING), 3).index[landmark].tolist()
        assert near == [one["i"] for one in structure_drawn[k]["near"]]
