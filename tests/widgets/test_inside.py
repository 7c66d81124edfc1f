"""The Inside view: what it is sent of a tensor, and the arithmetic it does itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench.errors import TraceError
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace
from workbench.widgets.inside import inside_payload, scaled_half


def reading_with(tensor: torch.Tensor, *axes: str) -> Reading:
    """A reading of five landmarks whose trace holds ``it`` with these axes behind the batch axis."""
    trace = Trace()
    trace["it"] = NamedTensor(tensor[None], ("batch", *axes))
    return replace(synthetic_reading("five", attention=False), trace=trace)


def test_values_travel_as_float16_of_full_precision_whatever_their_size() -> None:
    for size in (1e-7, 1.0, 3e6):
        values = size * np.array([1.0, -0.3, 1e-4, 0.0])
        blob, unit = scaled_half(values)
        np.testing.assert_allclose(np.frombuffer(blob, "<f2").astype(float) * unit, values, rtol=2**-11)
        assert np.log2(unit) == int(np.log2(unit))
    assert scaled_half(np.zeros(3)) == (bytes(6), 1.0)


def test_only_the_chosen_tensor_travels() -> None:
    reading = synthetic_reading(68)
    payload = inside_payload(reading, "relation.layers.1.cross", {"landmark": 30})
    assert set(payload["blobs"]) == {"photo", "values", "lut.inferno", "lut.diverging", "lut.cividis"}
    tensor = payload["meta"]["tensor"]
    assert (tensor["kind"], tensor["shape"]) == ("landmark_pairs", [3, 4, 68, 68])
    assert len(payload["blobs"]["values"]) == 2 * 3 * 4 * 68 * 68
    sent = np.frombuffer(payload["blobs"]["values"], "<f2").reshape(3, 4, 68, 68).astype(float) * tensor["unit"]
    np.testing.assert_allclose(sent, reading.attention("cross")[:, 1], rtol=2**-11, atol=1e-9)
    assert payload["meta"]["state"]["selection"]["landmark"] == 30


def test_the_way_starts_at_the_mean_face_and_a_single_answer_has_none() -> None:
    reading = synthetic_reading(68)
    meta = inside_payload(reading, "")["meta"]
    assert meta["tensor"] is None
    assert [step["text"] for step in meta["steps"][:3]] == [
        "mean face",
        "stage 1 of 3, layer 1",
        "stage 1 of 3, layer 2",
    ]
    assert meta["ends"] == [2, 4, 6]
    np.testing.assert_allclose(meta["steps"][0]["points"], reading.mean_shape, atol=1e-5)
    single = replace(reading, alignment=replace(reading.alignment, stages=None))
    assert [step["text"] for step in inside_payload(single, "")["meta"]["steps"]] == ["the answer"]


def test_patches_know_where_they_lie_and_places_are_one_map() -> None:
    reading = synthetic_reading(68)
    reading.trace["patches"] = NamedTensor(
        torch.rand(3, 1, 68, 4, 2, 2), ("stage", "batch", "landmark", "channel", "y", "x")
    )
    tensor = inside_payload(reading, "patches")["meta"]["tensor"]
    assert (tensor["kind"], tensor["shape"], tensor["items"]) == ("patches", [3, 1, 68, 2, 2], "landmark")
    np.testing.assert_allclose(tensor["rects"], reading.rects(), atol=1e-5)
    axes = ("query_y", "query_x", "key_y", "key_x")
    tensor = inside_payload(reading_with(torch.rand(3, 3, 3, 3), *axes), "it")["meta"]["tensor"]
    assert (tensor["kind"], tensor["shape"], tensor["value"]) == ("grid", [1, 1, 1, 3, 3], "attention weight")
    assert tensor["done"] == "mean over all 9 queries"


def test_what_is_not_there() -> None:
    with pytest.raises(TraceError):
        inside_payload(synthetic_reading(68), "nothing")
    with pytest.raises(TraceError, match="'colour'"):
        inside_payload(synthetic_reading(68), "", {"colour": 1})
    with pytest.raises(TraceError, match="too many for a page"):
        inside_payload(reading_with(torch.zeros(1).expand(13, 1000, 1000), "channel", "y", "x"), "it")


def test_scales_by_hand(tmp_path) -> None:
    got = run(
        tmp_path,
        "inside",
        """return [spanOf([0.2, 4]), spanOf([-0.1, 4]), spanOf([-3, 1]), spanOf([0, 0]), rangeOf([0.5, 0.75]),
          histogram([0, 0.4, 1, 2], { lo: 0, hi: 2 }, 4)];""",
    )
    assert got == [
        {"lo": 0, "hi": 4, "signed": False},
        {"lo": 0, "hi": 4, "signed": False},
        {"lo": -3, "hi": 3, "signed": True},
        {"lo": 0, "hi": 1, "signed": False},
        {"lo": 0.5, "hi": 0.75, "signed": False},
        [2, 0, 1, 1],
    ]


def test_maps_together_and_heads_by_hand(tmp_path) -> None:
    got = run(
        tmp_path,
        "inside",
        """const two = Float32Array.from([1, -2, -3, 2]);
        const all = Float32Array.from({ length: 12 }, (_, i) => i);  // 2 stages, 3 heads, 2 values
        return [["abs", "mean", "max"].map((how) => [...together(two, 2, how)]),
          [...blockOf(all, [2, 3, 2], 1, null)], [...blockOf(all, [2, 3, 2], 0, 2)],
          [...blockOf(all, [2, 3, 2], 9, 1)]];""",
    )
    assert got == [[[2, 2], [-1, 0], [1, 2]], [8, 9], [4, 5], [8, 9]]


def test_the_cell_under_the_pointer(tmp_path) -> None:
    got = run(
        tmp_path,
        "inside",
        """return [cellUnder([0, 0], 4, 8), cellUnder([0.99, 0.5], 4, 8), cellUnder([1, 0.5], 4, 8),
          cellUnder([0.31, 0.29], 2, 2, [0.25, 0.25, 0.1, 0.1]),
          cellUnder([0.2, 0.3], 2, 2, [0.25, 0.25, 0.1, 0.1])];""",
    )
    assert got == [[0, 0], [2, 7], None, [0, 1], None]


def test_strongest_lines_leave_oneself_out(tmp_path) -> None:
    weights = [0.9, 0.2, 0.3, 0.1, 0.6, 0.3, 0.7, 0.0, 0.1]
    got = run(
        tmp_path,
        "inside",
        "return [linesOf(input.w, 3, 0, 1), linesOf(input.w, 3, null, 1), linesOf(input.w, 3, 2, 0)]"
        ".map((list) => list.map((e) => [e.q, e.k]));",
        w=weights,
    )
    assert got == [[[0, 2]], [[0, 2], [1, 2], [2, 0]], [[2, 0]]]


def test_captions_name_tensor_and_treatment(tmp_path) -> None:
    reading = synthetic_reading(68)
    reading.trace["maps"] = NamedTensor(torch.rand(1, 7, 4, 4), ("batch", "channel", "y", "x"))
    got = run(
        tmp_path,
        "inside",
        """const say = (meta, now, more = {}) =>
          captionText(composeCaption(meta.caption, insideFacts(meta, { ...meta.state.selection, ...more }, now)));
        return [
          say(input.pairs, { step: 6, stage: 2, head: null, item: 30, span: { lo: 0, hi: 0.5 } }),
          say(input.maps, { step: 6, stage: 0, head: null, item: null, span: { lo: 0, hi: 1 } }, { scale: "all" }),
          say(input.way, { step: 0 })];""",
        pairs=inside_payload(reading, "relation.layers.0.self")["meta"],
        maps=inside_payload(reading, "maps")["meta"],
        way=inside_payload(reading, "")["meta"],
    )
    assert got[0].startswith("relation.layers.0.self · who listens to whom · stage 3 of 3 · mean of 4 heads")
    assert "3 strongest of nose bridge 4 of 4 (30), itself left out · scale 0 to 0.5, the largest here" in got[0]
    assert "mean of the absolute values of 7 channels" in got[1]
    assert "cells, not smoothed" in got[1]
    assert "the largest of all its maps" in got[1]
    assert got[2] == "alignment.landmarks · 68 points · landmarks: mean face"


def test_one_scale_for_all_maps_holds_every_stage(tmp_path) -> None:
    got = run(
        tmp_path,
        "inside",
        """const two = Float32Array.from([1, 2, 3, 4, 10, 20, 30, 40]);  // 2 stages, 2 heads, 2 values
        return [null, 0].map((head) => [...everyBlock(two, [2, 2, 2], head)])
          .concat([[...everyBlock(two, [4, 1, 2], null)]]);""",
    )
    assert got == [[2, 3, 20, 30], [1, 2, 3, 4, 10, 20, 30, 40], [1, 2, 3, 4, 10, 20, 30, 40]]
