"""Every tensor is told by the names of its axes; what is shown of it is worked out by hand here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from workbench.errors import TraceError, UnknownNameError
from workbench.explain.inside import find, first_choice, inner_maps, pick, stack
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Tap, Trace, taps


def reading_with(**tensors: tuple[torch.Tensor, tuple[str, ...]]) -> Reading:
    """A reading whose trace holds these tensors (batch axis of 1 included in the names)."""
    trace = Trace()
    for name, (tensor, axes) in tensors.items():
        trace[name.replace("__", ".")] = NamedTensor(tensor, axes)
    return replace(synthetic_reading("five", attention=False), trace=trace)


def test_kinds_follow_the_names_of_the_axes() -> None:
    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = Tap("y", "x")
            self.maps = Tap("channel", "y", "x", per_stage=True)
            self.heat = Tap("landmark", "y", "x")
            self.looks = Tap("head", "landmark", "y", "x")
            self.places = Tap("query_y", "query_x", "key_y", "key_x")
            self.pairs = Tap("head", "query_landmark", "key_landmark")
            self.graph = Tap("query_landmark", "key_landmark")
            self.tokens = Tap("head", "query_token", "key_token")
            self.branches = Tap("branch", "channel")
            self.code = Tap("landmark", "channel")

    found = inner_maps(taps(Small()))
    kinds = [
        "grid",
        "channels",
        "landmarks",
        "landmark_to_map",
        "spatial_attention",
        "landmark_pairs",
        "landmark_pairs",
        "table",
        "bars",
        "table",
    ]
    assert [m.kind for m in found] == kinds
    assert found[1].axes == ("channel", "y", "x")
    assert first_choice(found) == "places"
    assert find(found, "heat").words == "one map a landmark"
    with pytest.raises(UnknownNameError, match="records gate"):
        find(found, "nothing")


def test_the_first_choice_is_the_one_nearest_to_the_answer() -> None:
    maps = inner_maps(synthetic_reading(68))
    assert first_choice(maps) == "relation.layers.1.cross"
    with pytest.raises(TraceError, match="no taps"):
        first_choice([])


def test_channels_together_are_the_mean_of_their_absolute_values() -> None:
    values = torch.tensor([[[[1.0, -2.0]], [[-3.0, 2.0]]]])  # batch, channel, 1, 2
    reading = reading_with(maps=(values, ("batch", "channel", "y", "x")))
    whole = pick(reading, "maps")
    np.testing.assert_array_equal(whole.values, [[2.0, 2.0]])
    assert whole.caption == "maps · feature maps, one a channel · mean of the absolute values of 2 channels"
    np.testing.assert_array_equal(pick(reading, "maps", item=1).values, [[-3.0, 2.0]])


def test_looks_take_a_head_a_landmark_or_their_means() -> None:
    values = torch.arange(2 * 5 * 1 * 2, dtype=torch.float32).reshape(1, 2, 5, 1, 2)
    reading = reading_with(cross=(values, ("batch", "head", "landmark", "y", "x")))
    np.testing.assert_array_equal(pick(reading, "cross", head=1, item=2).values, [[14.0, 15.0]])
    shown = pick(reading, "cross")
    np.testing.assert_allclose(shown.values, [[9.0, 10.0]])
    assert shown.caption == "cross · where each landmark looks · mean of 2 heads · mean of 5 landmarks"


def test_stages_heads_and_landmarks_that_are_not_there() -> None:
    reading = synthetic_reading(68)
    name = "relation.layers.0.cross"
    assert stack(reading, name).values.shape == (3, 4, 68, 68)
    row = pick(reading, name, stage=0, head=1, item=30)
    np.testing.assert_array_equal(row.values, reading.attention("cross")[0, 0, 1, 30])
    assert row.caption == f"{name} · who listens to whom · stage 1 of 3 · head 2 of 4 · row of nose bridge 4 of 4 (30)"
    for wrong in ({"stage": 3}, {"head": 4}, {"item": 68}):
        with pytest.raises(TraceError, match="so there is no"):
            pick(reading, name, **wrong)
    with pytest.raises(TraceError):
        stack(reading, "nothing")


def test_places_become_what_each_place_receives() -> None:
    weights = torch.rand(1, 2, 3, 2, 3)
    reading = reading_with(attention=(weights, ("batch", "query_y", "query_x", "key_y", "key_x")))
    shown = pick(reading, "attention")
    np.testing.assert_allclose(shown.values, weights[0].mean((0, 1)).numpy(), rtol=1e-6)
    assert shown.caption == "attention · where each place looks · mean over all 6 queries"


def test_patches_keep_one_small_map_a_landmark() -> None:
    values = torch.randn(3, 1, 5, 4, 2, 2)
    reading = reading_with(features=(values, ("stage", "batch", "landmark", "channel", "y", "x")))
    shown = pick(reading, "features", stage=1)
    np.testing.assert_allclose(shown.values, values[1, 0].abs().mean(1).numpy(), rtol=1e-6)
    assert pick(reading, "features", item=3).values.shape == (2, 2)


def test_attention_between_tokens_is_a_table_not_a_relation() -> None:
    reading = reading_with(
        block=(torch.rand(1, 2, 5, 5), ("batch", "head", "query_token", "key_token")),
        own=(torch.rand(1, 2, 5, 5), ("batch", "head", "query_landmark", "key_landmark")),
        graph=(torch.rand(1, 5, 5), ("batch", "query_landmark", "key_landmark")),
    )
    assert stack(reading, "block").map.kind == "table"
    assert stack(reading, "block").values.shape == (1, 2, 5, 5)
    assert stack(reading, "own").map.kind == "landmark_pairs"
    assert stack(reading, "graph").map.kind == "landmark_pairs"
    assert stack(reading, "graph").values.shape == (1, 1, 5, 5)


def test_positions_in_pixels_become_parts_of_the_crop() -> None:
    axes = ("batch", "node", "xy")
    reading = reading_with(pixels=(torch.tensor([[[64.0, 128.0]]]), axes), plane=(torch.tensor([[[0.5, 1.0]]]), axes))
    np.testing.assert_array_equal(stack(reading, "pixels").values[0, 0], [[0.25, 0.5]])
    assert stack(reading, "pixels").done == "pixels divided by the crop's 256"
    np.testing.assert_array_equal(stack(reading, "plane").values[0, 0], [[0.5, 1.0]])


def test_unknown_axes_still_show_as_a_table() -> None:
    reading = reading_with(odd=(torch.rand(1, 2, 3, 4, 5), ("batch", "a", "b", "c", "d")))
    assert stack(reading, "odd").values.shape == (1, 6, 4, 5)
    flat = reading_with(line=(torch.rand(1, 7), ("batch", "token")))
    assert stack(flat, "line").values.shape == (1, 1, 1, 7)


def test_values_that_are_no_numbers_are_refused() -> None:
    reading = reading_with(gate=(torch.tensor([[[float("nan")]]]), ("batch", "y", "x")))
    with pytest.raises(TraceError, match="not numbers"):
        stack(reading, "gate")
