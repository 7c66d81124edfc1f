"""Recorded tensors as figures: every kind can be drawn, captioned and saved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from workbench import figures
from workbench.errors import TraceError
from workbench.figures.canvas import number
from workbench.figures.inside import over_crop, span_of
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace

KINDS: dict[str, tuple[tuple[int, ...], tuple[str, ...], str]] = {
    "gate": ((4, 6), ("y", "x"), "4 x 6 cells, not smoothed"),
    "maps": ((3, 4, 4), ("channel", "y", "x"), "mean of the absolute values of 3 channels"),
    "heatmaps": ((5, 4, 4), ("landmark", "y", "x"), "largest of 5 landmarks"),
    "landmark_to_map": ((2, 5, 4, 4), ("head", "landmark", "y", "x"), "mean of 2 heads · mean of 5 landmarks"),
    "spatial_attention": ((3, 3, 3, 3), ("query_y", "query_x", "key_y", "key_x"), "mean over all 9 queries"),
    "patches": ((5, 2, 2, 2), ("landmark", "channel", "y", "x"), "5 landmarks, each in its patch"),
    "landmark_pairs": ((2, 5, 5), ("head", "query_landmark", "key_landmark"), "width and colour"),
    "tokens": ((2, 9, 9), ("head", "query_token", "key_token"), "9 x 9 values"),
    "graph": ((5, 5), ("query_landmark", "key_landmark"), "width and colour"),
    "code": ((7,), ("channel",), "7 channels"),
    "branches": ((3, 7), ("branch", "channel"), "7 channels"),
    "rects": ((5, 4), ("landmark", "rect"), "photograph dimmed"),
    "points": ((5, 2), ("landmark", "xy"), "photograph dimmed"),
    "table": ((5, 8), ("landmark", "channel"), "rows landmark, columns channel"),
}


@pytest.fixture(scope="module")
def reading() -> Reading:
    rng = np.random.default_rng(0)
    trace = Trace()
    for name, (shape, axes, _) in KINDS.items():
        trace[name] = NamedTensor(torch.tensor(rng.random((1, *shape)), dtype=torch.float32), ("batch", *axes))
    return replace(synthetic_reading("five", attention=False), trace=trace)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_drawn_with_its_tensor_below_and_saved(name: str, reading: Reading) -> None:
    figure = figures.maps(reading, name)
    caption = figure.layout.meta["caption"]
    assert caption.startswith(name)
    assert KINDS[name][2] in caption
    assert figures.to_bytes(figure, "png", scale=0.5).startswith(b"\x89PNG")
    assert figures.to_bytes(figure, "svg").startswith(b"<?xml")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("maps", "channel 1 "),
        *((name, "landmark 1, image-right eye") for name in ("heatmaps", "landmark_to_map", "patches")),
        *((name, "from image-right eye (1)") for name in ("landmark_pairs", "graph")),
    ],
)
def test_one_channel_or_landmark(name: str, says: str, reading: Reading) -> None:
    caption = figures.maps(reading, name, item=1).layout.meta["caption"]
    assert says in caption


def test_what_lies_below_the_scale_is_said(reading: Reading) -> None:
    values = np.array([[-0.1, 4.0], [1.0, 2.0]])
    assert "values below share its first colour" in over_crop(reading, values, "x", "y").layout.meta["caption"]
    assert "below" not in over_crop(reading, values + 1, "x", "y").layout.meta["caption"]


def test_scales_begin_at_zero_or_are_centred_on_it() -> None:
    assert span_of(np.array([0.2, 4.0])) == (0.0, 4.0, "inferno")
    assert span_of(np.array([-0.1, 4.0])) == (0.0, 4.0, "inferno")
    assert span_of(np.array([-3.0, 1.0])) == (-3.0, 3.0, "diverging")
    assert span_of(np.zeros(2)) == (0.0, 1.0, "inferno")


def test_a_scale_may_be_that_of_all_maps_or_of_this_one_alone(reading: Reading) -> None:
    held = reading.trace["heatmaps"].tensor.numpy()
    every = figures.maps(reading, "heatmaps", item=1, scale="all").layout.meta["caption"]
    assert f"0 to {number(float(held.max()))}, the largest of all its maps" in every
    ends = figures.maps(reading, "heatmaps", item=1, scale="range").layout.meta["caption"]
    assert f"scale {number(float(held[0, 1].min()))} to {number(float(held[0, 1].max()))}, the least" in ends
    lines = figures.maps(reading, "landmark_pairs", head=0, scale="all").layout.meta["caption"]
    weights = reading.trace["landmark_pairs"].tensor.numpy()[0]
    assert f"0 to {number(float(weights[:, ~np.eye(5, dtype=bool)].max()))}, the largest of all" in lines
    assert "the largest of all" in figures.maps(reading, "table", scale="all").layout.meta["caption"]
    beside = figures.self_attention(reading, "spatial_attention", 0.9, 0.4, beside=[(reading, "spatial_attention")])
    assert "the largest of the maps side by side" in beside.layout.meta["caption"]


def test_where_a_place_looks(reading: Reading) -> None:
    figure = figures.self_attention(reading, "spatial_attention", 0.99, 0.4, "with the prior")
    assert "query y 1, x 2 of 3 x 3" in figure.layout.meta["caption"]
    assert "with the prior" in figure.layout.meta["title"]
    frame = figure.layout.shapes[-1]
    np.testing.assert_allclose([frame.x0, frame.x1, frame.y0, frame.y1], np.array([2, 3, 1, 2]) / 3 * 256)
    with pytest.raises(TraceError, match="one square map"):
        figures.self_attention(reading, "landmark_to_map", 0.5, 0.5)


def test_what_was_not_recorded(reading: Reading) -> None:
    with pytest.raises(TraceError):
        figures.maps(reading, "nothing")
    with pytest.raises(TraceError, match="no channel 3"):
        figures.maps(reading, "maps", item=3)


def test_the_matrix_of_relations() -> None:
    figure = figures.relations_matrix(synthetic_reading(68), "relation.layers.0.self", head=1)
    assert "relation.layers.0.self · stage 3 of 3 · head 2" in figure.layout.meta["caption"]
