"""The Shape page: any face, a drawing that is never lost, and one sentence for what cannot be used."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import workbench as wb
from tests.app.conftest import Opener, words
from tests.shaping import oval, store
from workbench.app import explorer, readings
from workbench.explain.caption_tables import SHAPE
from workbench.explain.captions import compose
from workbench.landmarks import drawing
from workbench.models import card
from workbench.widgets.shape import state_of

OPTIONS = "wb_options"


@pytest.fixture(scope="module")
def _with_tufa(checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tufa")
    for file in checkpoints.iterdir():
        (folder / file.name).symlink_to(file)
    store(folder)
    return folder


@pytest.fixture
def open_shape(_with_tufa: Path, _shelf: None, open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> Opener:
    elsewhere = card.share
    monkeypatch.setattr(card, "share", lambda name: _with_tufa if name == "checkpoints" else elsewhere(name))
    st.cache_resource.clear()
    for cache in readings.CACHES:
        cache.clear()
    return lambda **link: open_page("shape", **link)


def drawn(at: AppTest) -> dict:
    return at.session_state[OPTIONS]["shape.drawing"]


def draw(at: AppTest, points: Callable[[], object] = oval, when: int = 1) -> None:
    """What the widget's callback leaves behind when an edit was finished."""
    at.session_state[OPTIONS] = {"shape.drawing": state_of(drawing(points()), when)}  # type: ignore[arg-type]


def healthy(at: AppTest) -> bool:
    return not at.exception and not [b for b in at.button if (b.key or "").startswith("wb_problem")]


def told(at: AppTest) -> str:
    """The caption of the widget that the page placed."""
    (proto,) = [e.proto for e in at.get("bidi_component") if "shell" not in e.proto.component_name]
    (length,) = struct.unpack("<I", proto.bytes[4:8])
    return compose(SHAPE, json.loads(proto.bytes[8 : 8 + length])["meta"]["facts"])


@pytest.mark.slow
def test_the_page_opens_with_the_models_own_template(open_shape: Opener) -> None:
    at = open_shape()
    assert healthy(at)
    assert "all 68 points are anchors that were trained" in told(at)
    assert "finds its own landmarks only; points of your own are found by Small TUFA" in words(at)


@pytest.mark.slow
def test_with_tufa_chosen_nothing_is_explained(open_shape: Opener) -> None:
    at = open_shape(model="tufa")
    assert healthy(at)
    assert "its own landmarks only" not in words(at)


@pytest.mark.slow
def test_a_drawing_stays_through_faces_and_pages(open_shape: Opener) -> None:
    at = open_shape()
    draw(at)
    at.run()
    assert healthy(at)
    assert "12 of 12 points" in told(at)
    at = at.switch_page("../../pages/start.py").run()
    at.query_params["sample"] = "frontal-a"
    at.run()
    at = at.switch_page("../../pages/shape.py").run()
    assert healthy(at)
    assert "12 of 12 points" in told(at)
    assert drawn(at)["points"] == state_of(drawing(oval()))["points"]


@pytest.mark.slow
def test_an_empty_plane_can_be_drawn_on(open_shape: Opener) -> None:
    at = open_shape()
    at.session_state[OPTIONS] = {"shape.drawing": state_of(None, 3)}
    at.run()
    assert healthy(at)
    assert "nothing is found" in told(at)


@pytest.mark.slow
def test_a_shape_file_becomes_the_drawing(open_shape: Opener) -> None:
    at = open_shape()
    at.file_uploader[0].upload("mine.json", drawing(oval(7)).to_json().encode(), "application/json").run()
    assert healthy(at)
    assert len(drawn(at)["points"]) == 7
    assert "7 of 7 points" in told(at)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x00broken", "not readable JSON"),
        (b'{"points": [[NaN, 0]]}', "not a finite number"),
        (json.dumps({"points": [[0.5, 0.5]] * 501}).encode(), "at most 500 points"),
    ],
)
def test_a_broken_file_is_a_sentence_and_the_drawing_stays(open_shape: Opener, content: bytes, says: str) -> None:
    at = open_shape()
    draw(at)
    at.run()
    at.file_uploader[0].upload("mine.json", content, "application/json").run()
    assert healthy(at)
    assert says in words(at)
    assert "The drawing you had is still here." in words(at)
    assert len(drawn(at)["points"]) == 12


@pytest.mark.slow
def test_what_the_page_sends_is_checked(open_shape: Opener) -> None:
    plane = readings.plane("tufa") if open_shape() else ()
    script = """
import streamlit as st
from workbench.app import explorer, explorer, shape, state
from workbench.widgets.shape import EMPTY
shape.keep({**EMPTY, "points": [[0.1, 0.2]], "ids": [0], "origin": [-1]}, ())
shape.keep({**EMPTY, "points": [[0.1, 99]], "ids": [0], "origin": [-1]}, ())
st.write(explorer.options_of("shape.drawing")["points"])
st.write(state.take_notice())
"""
    at = AppTest.from_string(script, default_timeout=60).run()
    assert not at.exception
    assert "still here" in at.markdown[-1].value
    assert [known.template for known in plane] == ["ibug68", "wflw98", "cofw29", "five"]


@pytest.mark.slow
def test_everything_can_be_saved(open_shape: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, bytes | str] = {}
    collect = lambda *items, key: made.update({name: make() for _, name, _, make in items})  # noqa: E731
    monkeypatch.setattr(explorer, "save_menu", collect)
    at = open_shape()
    draw(at)
    made.clear()
    assert healthy(at.run())
    ends = sorted(name.rsplit(".", 1)[1] for name in made)
    assert ends == ["csv", "csv", "html", "json", "json", "npz", "pts"]
    shape_file = next(text for name, text in made.items() if name.endswith("-shape.json"))
    assert len(json.loads(shape_file)["points"]) == 12
    saved = {name: made[name] for name in made if "-shape." in name and not name.endswith(".html")}
    assert len(saved) == 4
    for name, content in saved.items():
        assert isinstance(content, bytes)
        read = wb.data.open_shape(content, name).drawing.points
        np.testing.assert_allclose(read, json.loads(shape_file)["points"], atol=1e-6)


def test_without_a_tufa_model_a_sentence_says_so(open_page: Opener) -> None:
    at = open_page("shape")
    assert not at.exception
    assert "There is no model here that finds points of your own" in words(at)


@pytest.mark.slow
def test_the_strip_names_the_model_that_finds_them(open_shape: Opener) -> None:
    at = open_shape(model="dslpt-68")
    (menu,) = [box for box in at.selectbox if box.key == "model_choice"]
    assert menu.value == "tufa"


@pytest.mark.slow
def test_a_drag_is_answered_but_not_kept(open_shape: Opener) -> None:
    at = open_shape()
    draw(at)
    at.run()
    at.session_state["wb_shape_live"] = {**state_of(drawing(oval(5)), 9), "live": True}
    at.run()
    assert healthy(at)
    assert "5 of 5 points" in told(at)
    assert len(drawn(at)["points"]) == 12
