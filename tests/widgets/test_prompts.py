"""The Prompts view: what is sent of where each point looks, the plane, and what the browser makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import workbench as wb
from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench.errors import TraceError
from workbench.explain.prompts import lattice_points, look, plane_of, prompts_facts, shared_names
from workbench.reading import Reading
from workbench.shaping import conventions, find_shape
from workbench.tracing import NamedTensor, Trace
from workbench.views import get_view
from workbench.widgets.prompts import prompts_payload

RECORD = get_view("prompts").recorded


@pytest.fixture(scope="module")
def tufa() -> Any:
    return wb.load_model("tufa", device="cpu")


@pytest.fixture(scope="module")
def read(tufa) -> Reading:
    return wb.read(tufa, wb.sample_face("astronaut"), RECORD)


def made(seed: int = 0) -> Reading:
    """A reading of two layers and two heads whose maps are of two sizes."""
    torch.manual_seed(seed)
    trace = Trace()
    for layer, side in enumerate((4, 8)):
        rows = torch.randn(1, 2, 68, side * side).mul(2).softmax(-1)
        trace[f"layers.{layer}.cross"] = NamedTensor(
            rows.unflatten(-1, (side, side)), ("batch", "head", "landmark", "y", "x")
        )
    return replace(synthetic_reading(68, attention=False), trace=trace)


def test_every_map_arrives_to_half_precision() -> None:
    reading = made()
    payload = prompts_payload(reading)
    for at, told in enumerate(payload["meta"]["layers"]):
        weights = reading.trace[told["path"]].at(batch=0).numpy()
        sent = np.frombuffer(payload["blobs"][f"look.{at}"], "<f2").astype(float) * told["unit"]
        assert told["shape"] == list(weights.shape)
        np.testing.assert_allclose(sent.reshape(weights.shape), weights, rtol=2**-11, atol=1e-9)
    assert payload["meta"]["bounds"] == {"landmark": 68, "layer": 2, "head": 2}
    assert payload["meta"]["state"]["selection"]["layer"] == 1


def test_one_look_is_a_head_s_or_their_mean() -> None:
    reading = made()
    weights = reading.trace["layers.1.cross"].at(batch=0).numpy()
    np.testing.assert_array_equal(look(reading, 5, 1, 1), weights[1, 5])
    np.testing.assert_allclose(look(reading, 5), (weights[0, 5] + weights[1, 5]) / 2, rtol=1e-6)
    for wrong in ({"landmark": 68}, {"landmark": 0, "layer": 2}, {"landmark": 0, "head": 2}):
        with pytest.raises(TraceError):
            look(reading, **wrong)
    with pytest.raises(TraceError, match="does not hold where its landmarks look"):
        prompts_payload(synthetic_reading(68))
    with pytest.raises(TraceError, match="'colour'"):
        prompts_payload(reading, {"colour": 1})


def test_the_browser_takes_the_same_head_and_the_same_mean(tmp_path) -> None:
    got = run(
        tmp_path,
        "prompts_state",
        """const layer = { values: Float32Array.from({ length: 12 }, (_, k) => k), shape: [2, 3, 1, 2] };
        return [[...lookOf(layer, 1, 1)], [...lookOf(layer, 1, null)], [...lookOf(layer, 2, 0)]];""",
    )
    assert got == [[8, 9], [5, 6], [4, 5]]


def test_a_click_finds_its_layer_and_head(tmp_path) -> None:
    got = run(
        tmp_path,
        "prompts_drawing",
        """const v = { heads: () => 3, layers: [1, 2] };
        const plan = thumbsLayout(v, 300);
        const middle = (l, c) => plan.place(l, c).map((x) => x + plan.side / 2);
        return [plan.at(middle(0, 0)), plan.at(middle(1, 3)), plan.at([10, 40]), plan.at([60, 5])];""",
    )
    assert got == [{"layer": 0, "head": None}, {"layer": 1, "head": 2}, None, None]


def test_the_plane_is_told_before_and_after_its_alignment(tufa, read) -> None:
    plane = plane_of(read)
    np.testing.assert_allclose(plane.before, tufa.shape_of("ibug68").numpy(), atol=1e-6)
    np.testing.assert_allclose(plane.after, tufa.prompt("ibug68").detach().numpy(), atol=1e-6)
    moved = tufa.alignment["ibug68"].detach().norm(dim=-1).mean().item() / 2
    assert plane.shift == pytest.approx(moved, rel=1e-4) and moved > 0.001
    assert prompts_facts(read)["shift"] == pytest.approx(100 * moved, rel=1e-4)
    other = find_shape(tufa, read.face, conventions(tufa)["wflw98"], RECORD)
    np.testing.assert_allclose(plane_of(other).before, tufa.shape_of("wflw98").numpy(), atol=1e-6)
    drawn = find_shape(tufa, read.face, [[0.3, 0.4], [0.5, 0.5]], RECORD)
    assert plane_of(drawn).before is None and plane_of(drawn).shift is None
    np.testing.assert_allclose(drawn.away, np.linalg.norm(
        drawn.drawing.points[:, None] - np.concatenate([c.points for c in drawn.plane])[None], axis=-1
    ).min(1))  # fmt: skip


def test_a_second_convention_is_compared_where_both_have_a_twin(tufa, read) -> None:
    other = find_shape(tufa, read.face, conventions(tufa)["wflw98"], RECORD)
    pairs = shared_names(read, other)
    assert len(pairs) > 40 and len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    facts = prompts_facts(read, beside=other)
    away = [np.linalg.norm(read.points()[i] - other.points()[j]) * 128 for i, j in pairs]
    assert facts["other"] == "wflw98" and facts["apart"] == pytest.approx(np.mean(away))
    five = find_shape(tufa, read.face, [[0.3, 0.4]], RECORD)
    assert prompts_facts(read, beside=five)["apart"] is None


def test_a_lattice_is_found_and_told(tufa, read) -> None:
    points = lattice_points()
    assert points.shape == (100, 2) and points[0].tolist() == [0.05, 0.05] and points[11].tolist() == [0.15, 0.15]
    net = find_shape(tufa, read.face, points)
    meta = prompts_payload(read, lattice=net)["meta"]
    assert meta["facts"]["lattice"] == meta["lattice"]["side"] == 10
    np.testing.assert_allclose(meta["lattice"]["points"], net.points(), atol=1e-5)
    assert max(meta["lattice"]["away"]) > meta["far"] > min(meta["lattice"]["away"])


def test_the_figure_shows_the_map_that_the_reading_holds(read) -> None:
    figure = wb.figures.prompts(read, layer=1, head=2, landmark=8)
    said = figure.layout.meta["caption"]
    top = look(read, 8, 1, 2).max()
    assert "decoder.layers.1.cross · layer 2 of 4 · head 3 of 6 · where" in said
    assert f"scale 0 to {float(f'{top:.3g}'):g}" in said and "softmax over 16 × 16 cells" in said
