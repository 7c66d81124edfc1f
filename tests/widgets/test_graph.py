"""The Graph view: what arrives in the browser is what was recorded, and both makers say the same."""

from __future__ import annotations

import base64

import numpy as np
import pytest

import workbench as wb
from tests.explain.test_graph import graph_reading
from tests.widgets.javascript import run
from workbench import figures
from workbench.errors import TraceError
from workbench.explain.captions import compose
from workbench.explain.graph import graph, graph_facts
from workbench.explain.system_captions import GRAPH
from workbench.views import get_view
from workbench.widgets.graph import graph_payload

STATE = """
const bytes = (name) => Uint8Array.from(atob(input.blobs[name] ?? ""), (c) => c.charCodeAt(0));
const v = graphState({ meta: input.meta, bytes, get: () => input.meta.state.selection });
"""


def given(payload) -> dict:
    return {
        "meta": payload["meta"],
        "blobs": {name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()},
    }


@pytest.mark.parametrize("mode", ["face", "learned", "change", "even"])
def test_edges_in_the_browser_are_those_of_the_reading(mode: str, tmp_path) -> None:
    reading = graph_reading()
    found, payload = graph(reading), graph_payload(reading, {"mode": mode, "layer": 0})
    got = run(
        tmp_path, "graph", STATE + "return { edges: [...v.edges()], lines: v.lines(), facts: graphFacts(v) };",
        **given(payload),
    )  # fmt: skip
    np.testing.assert_allclose(np.reshape(got["edges"], (68, 68)), found.edges(0, mode), atol=1e-3)
    apart = found.linked & ~np.eye(68, dtype=bool)
    assert {(line["i"], line["j"]) for line in got["lines"]} == set(zip(*map(list, np.nonzero(apart)), strict=True))
    sizes = [abs(line["w"]) for line in got["lines"]]
    assert sizes == sorted(sizes)
    mine = graph_facts(
        reading, found, layer=0, mode=mode, top=found.top[mode], arrows=payload["meta"]["arrows"]["moves"]
    )
    assert got["facts"] == {**mine, "widget": True}


def test_moves_residuals_and_the_landmark_in_focus(tmp_path) -> None:
    reading = graph_reading()
    found, payload = graph(reading), graph_payload(reading, {"show": "residuals", "step": 1})
    got = run(
        tmp_path,
        "graph",
        STATE
        + """const out = { moved: v.moved(1), residuals: v.residuals(), drawn: v.drawn() };
        v.s = { ...v.s, landmark: 30, show: "edges" };
        return { ...out, mine: v.lines().map((e) => e.i), bold: v.boldest(),
          words: captionText(composeCaption(v.meta.caption, graphFacts(v))) };""",
        **given(payload),
    )
    np.testing.assert_allclose(got["moved"], found.moves()[1], atol=2e-7)
    np.testing.assert_allclose(got["residuals"], found.residual(1, "mean"), atol=1e-7)
    np.testing.assert_allclose(got["drawn"], found.steps[1], atol=1e-7)
    assert set(got["mine"]) == {30}
    by = [np.abs(found.weights[-1][i, row] * row.sum() - 1).mean() for i, row in enumerate(found.linked)]
    assert by[got["bold"]] == pytest.approx(max(by), rel=1e-2)
    facts = graph_facts(reading, found, top=found.top["face"], landmark=30)
    assert got["words"] == compose(GRAPH, {**facts, "widget": True})


def test_the_shipped_model_moves_little_and_says_so() -> None:
    reading = wb.read(wb.load_model("scc-68", device="cpu"), wb.sample_face("frontal-a"), get_view("graph").recorded)
    found = graph(reading)
    assert found.names[0] == "centres of the maps" and len(found.layers) == 10
    np.testing.assert_allclose(found.steps[-1], reading.points(), atol=1e-5)
    assert found.departure(found.learned).max() < 0.05 < found.departure(found.weights).min()
    payload = graph_payload(reading)
    assert sum(map(len, payload["blobs"].values())) < 400_000


@pytest.mark.slow
def test_figures_of_edges_moves_and_residuals() -> None:
    reading = graph_reading()
    lines = len(figures.graph(reading, 0, 30).layout.shapes) - len(
        figures.graph(reading, 0, 30, show="moves").layout.shapes
    )
    row = graph(reading).linked[30].sum() - 1
    assert lines != 0 and row > 0
    caption = figures.graph(reading, 0, show="residuals").layout.meta["caption"]
    assert "S* is the mean face" in caption and "times as long as they are" in caption
    assert "less 1 / degree" in figures.graph(reading, mode="even").layout.meta["caption"]
    for wrong in ({"mode": "odd"}, {"reference": "truth"}, {"layer": 2}, {"step": 9}, {"show": "all"}):
        with pytest.raises(TraceError):
            figures.graph(reading, **wrong)
