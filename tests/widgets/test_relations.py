"""The Relations explorer: what it is sent, and the arithmetic it does itself."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import workbench as wb
from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench.errors import TraceError
from workbench.explain import attention_matrix, best_edges, edges, rollout
from workbench.tracing import NamedTensor, Trace
from workbench.widgets.relations import relations_payload


def as_sent(reading):
    """The reading with its weights rounded as the widget holds them."""
    trace = Trace()
    for name, entry in reading.trace.items():
        trace[name] = NamedTensor(entry.tensor.half().double(), entry.axes)
    return replace(reading, trace=trace)


# rows are queries, columns are keys
W = [0.5, 0.2, 0.3, 0.1, 0.6, 0.3, 0.7, 0.2, 0.1]


def test_weights_arrive_as_float16_in_trace_order():
    reading = synthetic_reading(68)
    payload = relations_payload(reading)
    assert [kind["name"] for kind in payload["meta"]["kinds"]] == ["cross", "self", "rollout"]
    assert payload["meta"]["kinds"][0]["shape"] == [3, 2, 4, 68]
    assert payload["meta"]["kinds"][0]["paths"] == ["relation.layers.0.cross", "relation.layers.1.cross"]
    for kind in ("cross", "self"):
        sent = np.frombuffer(payload["blobs"][f"attention.{kind}"], "<f2").reshape(3, 2, 4, 68, 68)
        np.testing.assert_allclose(sent, reading.attention(kind), rtol=2**-11, atol=6e-8)
    rolled = np.frombuffer(payload["blobs"]["attention.rollout"], "<f2").reshape(3, 68, 68)
    np.testing.assert_allclose(rolled[1], rollout(reading, 1).weights, rtol=2**-11, atol=6e-8)
    assert payload["meta"]["kinds"][2]["shape"] == [3, 1, 1, 68]
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
    with pytest.raises(TraceError, match="no attention between landmarks"):
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


def test_lines_of_every_head_keep_their_head(tmp_path):
    """Two heads: in the second everyone listens to landmark 0."""
    got = run(
        tmp_path,
        "relations",
        """const maps = [input.w, input.second];
        const short = (list) => list.map((e) => [e.q, e.k, e.w, e.h]);
        return [short(edgesOfHeads((h) => maps[h], 2, 3, null, { topk: 1 })),
          short(edgesOfHeads((h) => maps[h], 2, 3, 1, { topk: 1, threshold: 0.5 }))];""",
        w=W,
        second=[0.1, 0.4, 0.5, 0.9, 0.1, 0, 0.8, 0.1, 0.1],
    )
    assert got[0] == [[0, 2, 0.3, 0], [1, 2, 0.3, 0], [0, 2, 0.5, 1], [2, 0, 0.7, 0], [2, 0, 0.8, 1], [1, 0, 0.9, 1]]
    assert got[1] == [[1, 0, 0.9, 1]]


def test_a_part_is_told_and_one_that_is_not_there_is_refused(tmp_path):
    payload = relations_payload(synthetic_reading(68), {"part": "jaw", "mode": "heads"})
    got = run(
        tmp_path,
        "relations",
        """const s = input.meta.state.selection;
        const say = (more, focus) =>
          captionText(composeCaption(input.meta.caption, relationsFacts(input.meta, { ...s, ...more }, 0.264, focus)));
        return [say({}, null), say({}, 30), say({ kind: "rollout", layer: 0, mode: "lines", part: "" }, null)];""",
        meta=payload["meta"],
    )  # fmt: skip
    assert "landmarks of the jaw alone" in got[0] and "one colour a head, width the weight" in got[0]
    assert "mean of 4 heads" not in got[0]
    assert "3 strongest keys in every head of each landmark other than itself" in got[0]
    assert "alone" not in got[1]  # one landmark is shown whatever its part
    assert got[2].startswith("attention rollout over 2 layers (Abnar and Zuidema 2020) · stage 3 of 3 · mean of heads")
    with pytest.raises(TraceError, match="The part 'ear' is not there"):
        relations_payload(synthetic_reading(68), {"part": "ear"})


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
          captionText(composeCaption(input.meta.caption, relationsFacts(input.meta, { ...s, ...more }, 0.264, focus)));
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


def test_scale_of_all_maps_reaches_farther_than_that_of_one(tmp_path):
    everything = [0.9, *W[1:], *W[:5], 0.95, *W[6:]]  # two maps, the larger weights elsewhere than in the first
    got = run(
        tmp_path,
        "relations",
        """const map = input.all.slice(0, 9);
        return ["map", "all"].flatMap((scale) => [false, true].map((own) => reach(scale, map, input.all, 3, own)))
          .concat(reach("map", [0, 0, 0, 0], [], 2, true));""",
        all=everything,
    )
    assert got == [0.7, 0.9, 0.95, 0.95, 1]


def test_caption_says_when_a_landmarks_own_weight_is_left_out(tmp_path):
    payload = relations_payload(synthetic_reading(68))
    got = run(
        tmp_path,
        "relations",
        """const s = input.meta.state.selection;
        const say = (more, focus) =>
          composeCaption(input.meta.caption, relationsFacts(input.meta, { ...s, ...more }, 1, focus))[3][0];
        return [say({}, null), say({ own: true }, null),
          ...[false, true].map((own) => say({ mode: "best", own }, null)),
          say({ mode: "best" }, 30), say({ mode: "best", direction: "key" }, 30)];""",
        meta=payload["meta"],
    )
    lines, rings, best, best_own, one, heard = got
    assert lines == "3 strongest keys of each landmark other than itself"
    assert rings == "3 strongest keys of each landmark"
    assert best == best_own == "an arrow from each landmark to the key it weighs most, other than itself"
    assert one == "an arrow from nose bridge 4 of 4 (30) to the key it weighs most, other than itself"
    assert heard.startswith("arrows to nose bridge 4 of 4 (30) from the landmarks that weigh it most")


def test_part_names_keep_apart_and_over_their_brackets(tmp_path):
    got = run(
        tmp_path,
        "relations",
        """const parts = (sizes, widths, side) => {
          let from = 0;
          const items = sizes.map((room, i) => ({ i, room, at: (from += room) - room / 2, widths: widths[i] }));
          return placeLabels(items, side).map(({ item, short, at }) => [item.i, short, at]);
        };
        const lips = [[20, 20], [40, 20], [40, 20]];
        return [parts([50, 50, 50], lips, 150), parts([50, 25, 25], lips, 100),
          parts([10, 90], [[30, 30], [30, 30]], 100),
          parts([4, 4, 92], [[30, 30], [30, 30], [30, 30]], 100), parts([3], [[30, 30]], 3)];""",
    )  # fmt: skip
    assert got[0] == [[0, 0, 25], [1, 0, 75], [2, 0, 125]]  # all as they are
    assert [(i, short) for i, short, _ in got[1]] == [(0, 1), (1, 1), (2, 1)]  # the shorter names
    assert got[2] == [[1, 1, 55]]  # the narrow one goes without
    assert got[3] == [[2, 1, 54]]
    assert got[4] == []


def test_unit_of_a_legend_stands_right_of_it_where_there_is_room(tmp_path):
    got = run(
        tmp_path,
        "relations",
        """return [[600, 200], [400, 200], [360, 200], [360, 0], [40, 80]].map(([w, text]) => barWidth(w, text));""",
    )
    assert got == [[300, True], [184, True], [300, False], [300, False], [60, False]]


def test_words_wrap(tmp_path):
    got = run(tmp_path, "relations", 'return wrapWords("a bc def g", 4, (t) => t.length);')
    assert got == ["a bc", "def", "g"]


@pytest.mark.parametrize("direction", ["query", "key"])
@pytest.mark.parametrize(("top", "head"), [(3, None), (0, 2)])
def test_the_rows_that_are_saved_are_the_lines_that_are_drawn(tmp_path, direction, top, head):
    reading, trace = synthetic_reading(68), Trace()
    for name, entry in reading.trace.items():
        values = entry.tensor.clone()
        if name == "relation.layers.1.cross":
            values[..., :30] = values[..., :30].round(decimals=3)  # ties
            values[..., 60:] = 1e-9  # nothing, once it is float16
        trace[name] = NamedTensor(values, entry.axes)
    reading = replace(reading, trace=trace)
    payload = relations_payload(reading)
    body = """const [{ shape }] = input.meta.kinds, bytes = Uint8Array.from(atob(input.blob), (c) => c.charCodeAt(0));
        const all = decodeHalf(bytes), pairs = (list) => list.map((e) => [e.q, e.k]);
        const w = meanOver(all, shape, 2, 1, input.head), options = { direction: input.direction, topk: input.top };
        return [pairs(edgesOf(w, shape[3], null, options)), pairs(bestPartners(w, shape[3]))];"""
    blob = base64.b64encode(payload["blobs"]["attention.cross"]).decode()
    drawn, best = run(
        tmp_path, "relations", body, meta=payload["meta"], blob=blob, direction=direction, top=top, head=head
    )
    matrix = attention_matrix(as_sent(reading), "cross", 2, 1, head)
    kept = edges(matrix, top or None, direction=direction)
    assert sorted(map(tuple, drawn)) == sorted(zip(kept.query.tolist(), kept.key.tolist(), strict=True))
    first = best_edges(matrix)
    assert sorted(map(tuple, best)) == sorted(zip(first.query.tolist(), first.key.tolist(), strict=True))


@pytest.mark.parametrize(("model", "unit"), [("scc-68", "edge weight"), ("tufa", "attention weight")])
def test_a_legend_says_what_the_numbers_are(model: str, unit: str) -> None:
    reading = wb.read(wb.load_model(model, device="cpu"), wb.sample_face("astronaut"))
    payload = relations_payload(reading)
    assert {kind["unit"] for kind in payload["meta"]["kinds"]} == {unit}
    words = [note.text for note in wb.figures.relations(reading, kind=None).layout.annotations]
    assert f"{unit}, line width and colour" in words


def test_another_kind_opens_at_a_layer_that_works(tmp_path):
    got = run(
        tmp_path,
        "relations",
        """const kinds = [{ name: "cross", idle: [], shape: [3, 4, 8, 68] },
          { name: "self", idle: [0], shape: [3, 4, 8, 68] },
          { name: "dead", idle: [0], shape: [1, 1, 1, 68] }];
        return [["self", 0], ["self", 2], ["cross", 0], ["dead", 0]].map(([kind, layer]) =>
          workingLayer(kinds, kind, layer));""",
    )
    assert got == [1, 2, 0, 0]
