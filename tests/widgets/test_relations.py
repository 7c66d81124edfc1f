"""The Relations explorer: what it is sent, and the arithmetic it does itself."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench.errors import TraceError
from workbench.widgets.relations import relations_payload

# rows are queries, columns are keys
W = [0.5, 0.2, 0.3, 0.1, 0.6, 0.3, 0.7, 0.2, 0.1]


def test_weights_arrive_as_float16_in_trace_order():
    reading = synthetic_reading(68)
    payload = relations_payload(reading)
    stages, layers, heads, n = payload["meta"]["shape"]
    assert (stages, layers, heads, n) == (3, 2, 4, 68)
    for kind in ("cross", "self"):
        sent = np.frombuffer(payload["blobs"][f"attention.{kind}"], "<f2").reshape(3, 2, 4, 68, 68)
        np.testing.assert_allclose(sent, reading.attention(kind), rtol=2**-11, atol=6e-8)
    assert Image.open(io.BytesIO(payload["blobs"]["photo"])).size == (640, 640)
    np.testing.assert_allclose(payload["meta"]["points"][1], reading.points(1), atol=1e-5)


def test_selection_counts_from_the_end_and_keeps_defaults():
    payload = relations_payload(synthetic_reading(68), {"stage": -1, "layer": -1, "landmark": 30, "kind": "self"})
    chosen = payload["meta"]["state"]["selection"]
    assert (chosen["stage"], chosen["layer"], chosen["landmark"]) == (2, 1, 30)
    assert (chosen["head"], chosen["kind"], chosen["mode"], chosen["topk"]) == (None, "self", "lines", 3)


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({"layer": 2}, "2 layers"),
        ({"landmark": 68}, "68 landmarks"),
        ({"kind": "pooled"}, "'pooled'"),
        ({"colour": 1}, "'colour'"),
    ],
)
def test_selection_of_what_is_not_there(selection, words):
    with pytest.raises(TraceError, match=words):
        relations_payload(synthetic_reading(68), selection)


def test_reading_without_attention():
    with pytest.raises(TraceError, match="relation taps"):
        relations_payload(synthetic_reading(68, attention=False))


def test_mean_over_heads_and_single_head(tmp_path):
    all_weights = np.arange(2 * 2 * 3 * 2 * 2, dtype=float)  # stage, layer, head, 2, 2
    got = run(
        tmp_path,
        "relations",
        """const all = Float32Array.from(input.all), shape = [2, 2, 3, 2];
        return [[...meanOver(all, shape, 1, 0, null)], [...meanOver(all, shape, 0, 1, 2)]];""",
        all=all_weights.tolist(),
    )
    cube = all_weights.reshape(2, 2, 3, 4)
    assert got == [cube[1, 0].mean(0).tolist(), cube[0, 1, 2].tolist()]


def test_strongest_partners(tmp_path):
    got = run(
        tmp_path,
        "relations",
        """const short = (list) => list.map((e) => [e.q, e.k, e.w]);
        return {
          query: short(partners(input.w, 3, 0, { topk: 1 })),
          own: short(partners(input.w, 3, 0, { own: true })),
          key: short(partners(input.w, 3, 0, { direction: "key" })),
          least: short(partners(input.w, 3, 0, { direction: "key", threshold: 0.5 })),
          best: short(bestPartners(input.w, 3)),
          all: edgesOf(input.w, 3, null, { topk: 1, direction: "key" }).map((e) => [e.q, e.k]),
        };""",
        w=W,
    )
    assert got == {
        "query": [[0, 2, 0.3]],
        "own": [[0, 0, 0.5], [0, 2, 0.3], [0, 1, 0.2]],
        "key": [[2, 0, 0.7], [1, 0, 0.1]],
        "least": [[2, 0, 0.7]],
        "best": [[0, 2, 0.3], [1, 2, 0.3], [2, 0, 0.7]],  # weakest first
        "all": [[0, 1], [0, 2], [2, 0]],
    }


def test_scale_reaches_to_the_largest_drawn_weight(tmp_path):
    got = run(
        tmp_path, "relations", "return [largest(input.w, 3, false), largest(input.w, 3, true)];", w=[0.9, *W[1:]]
    )
    assert got == [0.7, 0.9]


def test_scale_of_many_maps_leaves_out_every_diagonal(tmp_path):
    got = run(tmp_path, "relations", "return largest([...input.w, ...input.w], 2, false);", w=[0.9, 0.1, 0.2, 0.8])
    assert got == 0.2


def test_caption_names_tensor_stage_head_and_treatment(tmp_path):
    payload = relations_payload(synthetic_reading(68), {"threshold": 0.05, "landmark": 30})
    got = run(
        tmp_path,
        "relations",
        """const s = input.meta.state.selection;
        const say = (more, focus) =>
          relationsCaption(input.meta, { ...s, ...more }, 0.264, focus).map((piece) => piece[0]).join("");
        return [say({}, null), say({ head: 1, kind: "self", own: true, scale: "all" }, 30),
          say({ mode: "best", threshold: 0 }, null)];""",
        meta=payload["meta"],
    )  # fmt: skip
    assert got[0].startswith(
        "relation.layers.0.cross · stage 3 of 3 · mean of 4 heads · 3 strongest keys of each landmark"
    )
    assert "weights from 0.05 up" in got[0]
    assert "diagonal hidden" in got[0]
    assert (
        "relation.layers.0.self · stage 3 of 3 · head 2 of 4 · 3 strongest keys of nose bridge 4 of 4 (30)" in got[1]
    )
    assert "the largest of all maps" in got[1]
    assert "an arrow from each landmark" in got[2]
