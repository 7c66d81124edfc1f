"""A view's settings travel in the link and come back; what is no such text is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from workbench.app.link_options import LONGEST, LinkError, decode, encode
from workbench.errors import DataError, TraceError
from workbench.landmarks import drawing
from workbench.widgets.relations import SELECTION as RELATIONS
from workbench.widgets.selection import resolve
from workbench.widgets.self_attention import SELECTION as SELF_ATTENTION
from workbench.widgets.shape import EMPTY, drawing_of, state_of
from workbench.widgets.shape_packing import pack_state, unpack_state

SETTINGS: list[dict[str, Any]] = [
    {"topk": 5, "threshold": 0.0125, "mode": "best", "own": True, "landmark": None},
    {"place": [0.5, 0.25], "one": [3], "below": [-1, -0.5]},
    {"occluder": {"x": 0.35, "y": 0.6, "w": 0.3, "h": 0.2, "fill": "grey"}, "unit": "pixel"},
    {"tensor": "relation.layers.0.cross", "word": "none", "digits": "12", "text": "a b~c-d"},
    {"edits": [{"path": "relation.layers.0", "head": 2}], "small": 1e-9},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_survive_their_link(settings: dict[str, Any]) -> None:
    assert decode(encode(settings)) == settings


def test_the_text_is_short_and_needs_no_escaping() -> None:
    text = encode(SETTINGS[2])
    assert text == "1~occluder.x-0.35~.y-0.6~.w-0.3~.h-0.2~.fill-grey~unit-pixel"
    assert encode({}) == ""


@pytest.mark.parametrize("text", ["2~topk-5", "topk-5", "1~topk", "1~<b>-5", "1~a-<script>", "1~a-.%%", "1~.x-1~a.-2"])
def test_what_is_no_such_text_is_refused(text: str) -> None:
    with pytest.raises(LinkError):
        decode(text)


def test_another_version_is_named() -> None:
    with pytest.raises(LinkError, match="another version"):
        decode("7~topk-5")


def test_what_is_too_long_is_left_out_rather_than_cut() -> None:
    assert encode({"text": "x y" * LONGEST}) == ""


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [
        ("threshold", "much", 0.0),
        ("threshold", float("nan"), 0.0),
        ("topk", [1, 2], 3),
        ("mode", "glitter", "lines"),
        ("own", 7, False),
        ("stage", True, 2),
    ],
)
def test_a_view_takes_its_default_for_what_it_does_not_know(name: str, value: object, default: object) -> None:
    bounds = {"kind": ["cross"], "stage": 3, "layer": 2, "landmark": 68, "topk": 68}
    assert resolve(RELATIONS, {name: value}, bounds, strict=False)[name] == default


def test_a_place_is_two_numbers_within_the_crop() -> None:
    bounds = {"landmark": 68}
    assert resolve(SELF_ATTENTION, {"place": [0.25, 7]}, bounds)["place"] == [0.25, 1]
    for wrong in ([0.1], "here", [0.1, "b"], {"x": 1}):
        with pytest.raises(TraceError):
            resolve(SELF_ATTENTION, {"place": wrong}, bounds)


def test_a_drawing_survives_its_link() -> None:
    rng = np.random.default_rng(0)
    state = state_of(drawing(rng.random((12, 2)), "mine"), 1_700_000_000_000)
    back = unpack_state(pack_state(state))
    assert np.abs(np.subtract(back.pop("points"), state.pop("points"))).max() <= 0.5e-5
    assert back == state
    assert pack_state({**EMPTY}) == ""


def test_a_drawing_of_nonsense_is_refused() -> None:
    for word in ("", "zAAAA", "q", "z" + "A" * 500):
        with pytest.raises(ValueError, match="no drawing"):
            unpack_state(word)
    with pytest.raises(DataError):
        drawing_of({"points": [[0, 0]], "ids": [0]})
