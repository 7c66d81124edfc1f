"""Edits of a part: shuffled, levelled, and within some entries only, by hand."""

from __future__ import annotations

import pytest
import torch

from workbench.errors import TraceError
from workbench.tracing import Site
from workbench.tracing.edits import Level, Shuffle, Uniform, Within, Zero
from workbench.tracing.trace import NamedTensor

SITE = Site("here", 0)
GRID = NamedTensor(torch.arange(12.0).reshape(1, 3, 2, 2), ("batch", "channel", "y", "x"))
WEIGHTS = NamedTensor(
    torch.tensor([[[[0.5, 0.5, 0.0], [0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]]]),
    ("batch", "head", "query_landmark", "key_landmark"),
)


def test_places_of_a_map_change_alike_in_every_channel() -> None:
    out = Shuffle(("y", "x"), seed=1)(GRID, SITE)
    assert out.shape == GRID.tensor.shape
    for channel in range(3):
        assert sorted(out[0, channel].flatten().tolist()) == [4.0 * channel + k for k in range(4)]
    torch.testing.assert_close(out[0, 1] - out[0, 0], torch.full((2, 2), 4.0))
    assert not torch.equal(out, GRID.tensor)
    torch.testing.assert_close(Shuffle(("y", "x"), seed=1)(GRID, SITE), out)


def test_a_level_is_the_mean_along_its_axes() -> None:
    torch.testing.assert_close(Level(("y", "x"))(GRID, SITE)[0, :, 0, 0], torch.tensor([1.5, 5.5, 9.5]))
    torch.testing.assert_close(Level(("channel",))(GRID, SITE)[0, 2], torch.tensor([[4.0, 5.0], [6.0, 7.0]]))


def test_only_the_entries_that_match_on_every_axis_change() -> None:
    out = Within(Zero(), (("query_landmark", 1), ("key_landmark", 2)))(WEIGHTS, SITE)
    expected = WEIGHTS.tensor.clone()
    expected[0, 0, 1, 2] = 0
    torch.testing.assert_close(out, expected)
    row = Within(Uniform(("key_landmark",)), (("query_landmark", 0),))(WEIGHTS, SITE)
    torch.testing.assert_close(row[0, 0, 0], torch.tensor([0.5, 0.5, 0.0]))  # over the keys that it can attend to
    column = Within(Level(("query_landmark",)), (("key_landmark", 0),))(WEIGHTS, SITE)
    torch.testing.assert_close(column[0, 0, :, 0], torch.full((3,), 1.7 / 3))
    torch.testing.assert_close(column[..., 1:], WEIGHTS.tensor[..., 1:])


def test_a_caption_says_where() -> None:
    assert Within(Zero(), (("head", 0), ("key_landmark", 2))).caption == "head 0, key landmark 2: set to zero"
    assert Shuffle(("y", "x")).caption == "scrambled over y and x"


def test_what_is_not_there_is_a_sentence() -> None:
    with pytest.raises(TraceError, match="3 entries along 'channel', so there is no entry 3"):
        Within(Zero(), (("channel", 3),))(GRID, SITE)
    with pytest.raises(TraceError, match="nothing to scramble"):
        Shuffle(("head",))(WEIGHTS, SITE)
