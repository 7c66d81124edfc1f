"""Teaching from the Shape page: corrections on a face, a table, the work itself, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opener
from tests.shaping import oval, store
from workbench.app import explorer, readings, teach
from workbench.app.url_state import Selection
from workbench.errors import DataError
from workbench.landmarks import drawing
from workbench.models import card, load_model
from workbench.models.card import own_shelf
from workbench.training import few_shot
from workbench.widgets.shape import EMPTY, MARKS, marks_of, state_of

OPTIONS = "wb_options"


@pytest.fixture
def open_shape(
    checkpoints: Path, _shelf: None, open_page: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Opener:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for file in checkpoints.iterdir():
        (folder / file.name).symlink_to(file)
    store(folder)
    elsewhere = card.share
    monkeypatch.setattr(card, "share", lambda name: folder if name == "checkpoints" else elsewhere(name))
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(few_shot, "FIT_STEPS", 2)
    st.cache_resource.clear()
    for cache in readings.CACHES:
        cache.clear()
    return lambda **link: open_page("shape", **link)


def corrected(at: AppTest, points: list[list[float]], root: int = 0) -> None:
    """An oval of twelve points, and what the widget's callback leaves of corrections on the astronaut."""
    at.session_state[OPTIONS] = {"shape.drawing": {**state_of(drawing(oval()), 1), "root": root}}
    key = teach.face_key(Selection(sample="astronaut"))
    marks = {**MARKS, "face": key, "root": root, "at": 5, "points": points}
    at.session_state["wb_marks"] = {key: teach.Marked(Selection(sample="astronaut", model="tufa"), marks)}


def button(at: AppTest, key: str) -> Any:
    return next(b for b in at.button if b.key == key)


@pytest.mark.slow
def test_corrections_are_taught_shown_and_kept(open_shape: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    collect = lambda *items, key: made.update({name: make for _, name, _, make in items})  # noqa: E731
    monkeypatch.setattr(explorer, "save_menu", collect)
    at = open_shape(model="tufa")
    assert button(at, "teach").disabled
    corrected(at, [[3, 0.4, 0.45], [99, 0.1, 0.1], [5, 7.0, 0.2]])  # an unknown point, and one far outside
    at.run()
    assert not at.exception and not button(at, "teach").disabled
    assert any(b.label == "astronaut: 1 corrected" for b in at.button)
    at.text_input(key="teach_name").set_value("Chin strap")
    button(at, "teach").click()
    at.run()
    assert not at.exception
    (said,) = [m.value for m in at.markdown if "user-chin-strap-12" in m.value]
    assert "12 points from 1 face, 0 steps" in said
    name = "tufa-user-chin-strap-12"
    assert {f"{name}.safetensors", f"{name}.json"} <= set(made)
    told = json.loads(made[f"{name}.json"]())
    assert told["name"] == name and len(made[f"{name}.safetensors"]()) > 10_000

    button(at, "taught_keep").click()
    at.run()
    assert not at.exception and any(f"{name} is in the model menu now" in m.value for m in at.markdown)
    assert sorted(path.name for path in own_shelf().iterdir()) == [f"{name}.json", f"{name}.safetensors"]
    assert "user-chin-strap-12" in load_model(name, device="cpu").config.conventions
    (menu,) = [box for box in at.selectbox if box.key == "model_choice"]
    assert any(name in str(option) or "taught from 1" in str(option) for option in menu.options)

    next(b for b in at.button if (b.key or "").startswith("unmark_")).click()
    at.run()
    assert not at.exception and button(at, "teach").disabled


@pytest.mark.slow
def test_what_was_put_on_another_drawing_teaches_nothing(open_shape: Opener) -> None:
    at = open_shape(model="tufa")
    corrected(at, [[3, 0.4, 0.45]], root=7)
    at.session_state[OPTIONS] = {"shape.drawing": {**state_of(drawing(oval()), 1), "root": 8}}
    at.run()
    assert not at.exception and button(at, "teach").disabled


def test_marks_by_hand() -> None:
    state = {**EMPTY, "ids": [4, 2, 9], "root": 3}
    assert marks_of({**MARKS, "root": 3, "points": [[2, 0.5, 0.25], [4, -0.3, 1.2]]}, state) == {
        1: (0.5, 0.25),
        0: (-0.3, 1.2),
    }
    assert marks_of({**MARKS, "root": 2, "points": [[2, 0.5, 0.25]]}, state) == {}


@pytest.mark.parametrize(
    "marks",
    [
        {},
        {"root": "x", "points": []},
        {"root": 0, "points": 5},
        {"root": 0, "points": [[0]]},
        {"root": 0, "points": [[0, "a", 1]]},
        {"root": 0, "points": [[0, None, 1]]},
        {"root": 0, "points": [[0, 1e9, 1]]},
        {"root": 0, "points": [[0, float("nan"), 1]]},
        {"root": 10**400, "points": [[0, 1, 1]]},
        {"root": 0, "points": {"0": [1, 2]}},
    ],
)
def test_marks_that_a_browser_made_up_put_nothing_anywhere(marks: dict[str, Any]) -> None:
    assert marks_of(marks, {**EMPTY, "ids": [0]}) == {}


def test_a_face_keeps_its_own_corrections_and_fifty_are_enough(open_shape: Opener) -> None:
    script = """
import streamlit as st
from workbench.app import state, teach
from workbench.app.url_state import Selection
one, other = Selection(sample="astronaut"), Selection(sample="frontal-a")
here = {**teach.marks_for(one), "points": [[0, 0.5, 0.5]], "at": 1}
teach.keep(one, here)
teach.keep(other, here)  # marks of another face
assert teach.marks_for(one) == here and teach.marks_for(other)["points"] == []
for k in range(49):
    face = Selection(sample=f"face {k}")
    teach.keep(face, {**teach.marks_for(face), "points": [[0, 0.1, 0.1]]})
teach.keep(other, {**teach.marks_for(other), "points": [[1, 0.2, 0.2]]})
assert teach.marks_for(other)["points"] == [] and "at most 50" in state.take_notice()
teach.keep(one, {**here, "points": []})
assert teach.marks_for(one)["points"] == []
st.write("done")
"""
    at = AppTest.from_string(script, default_timeout=60).run()
    assert not at.exception and at.markdown[-1].value == "done"


def test_a_table_of_faces() -> None:
    data = b"\xef\xbb\xbffile, x0,y0,x1,y1\nastronaut,1,2,,\n\n me.jpg ,3,4,5,6\n"
    found = teach.read_table(data, 2)
    np.testing.assert_array_equal(found["me.jpg"], [[3, 4], [5, 6]])
    assert np.isnan(found["astronaut"][1]).all() and list(found) == ["astronaut", "me.jpg"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "needs the columns file, x0, y0 and so on to x1, y1"),
        (b"file,x0,y0\na,1,2\n", "needs the columns"),
        (b"file,x0,y0,x1,y1\n", "has no face"),
        (b"file,x0,y0,x1,y1\na,1,2,3\n", "Line 2 of the table"),
        (b"file,x0,y0,x1,y1\na,1,2,3,many\n", "Line 2 of the table"),
        (b"file,x0,y0,x1,y1\na,1,2,3,inf\n", "Line 2 of the table"),
        (b"file,x0,y0,x1,y1\n" + b"".join(b"f%d,1,2,3,4\n" % k for k in range(51)), "more than 50 faces"),
        (b"\xff\xfe\x00\xd8", "no text that can be read"),
    ],
)
def test_a_table_that_teaches_nothing(data: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        teach.read_table(data, 2)
