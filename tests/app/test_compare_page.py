"""The Compare page: two models, two faces, two conditions; one selection, one scale, and what cannot be compared."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opener, words
from tests.app.test_pages import healthy, selection, widgets
from workbench.app import compare, readings
from workbench.views import get_view

pytestmark = pytest.mark.slow
OPTIONS = "wb_options"


def choose(at: AppTest, name: str, value: str) -> AppTest:
    return at.selectbox(key=f"compare_{name}").select(value).run()


def test_two_models_with_other_landmarks_are_shown_and_not_joined(open_page: Opener) -> None:
    at = open_page("compare")
    assert healthy(at)
    assert [name.removeprefix("workbench_") for name in widgets(at)] == ["inside", "inside"]
    assert "68 landmarks of ibug68 and 98 of wflw98" in words(at)
    at = choose(at, "view", "relations")
    assert healthy(at)
    assert [name.removeprefix("workbench_") for name in widgets(at)] == ["relations", "relations"]


def test_two_faces_are_laid_onto_each_other(open_page: Opener) -> None:
    at = choose(open_page("compare"), "way", "face")
    at = choose(at, "face", "frontal-a")
    assert healthy(at)
    assert any("effect" in name for name in widgets(at))
    assert "frontal-a" in words(at)


def test_a_condition_needs_something_to_be_changed_first(open_page: Opener) -> None:
    at = choose(open_page("compare"), "way", "condition")
    assert healthy(at)
    assert "Cover the face, or ask a What if" in words(at) and not widgets(at)
    at.session_state[OPTIONS] = {
        **at.session_state[OPTIONS],
        "all.occluder": {"x": 0.3, "y": 0.6, "w": 0.4, "h": 0.2, "fill": "grey"},
    }
    at.run()
    assert healthy(at)
    assert at.selectbox(key="compare_condition").options == ["covered with grey"]
    assert len(widgets(at)) == 3


def test_what_was_asked_last_is_a_condition(open_page: Opener) -> None:
    at = open_page("relations")
    (pills,) = [group for group in at.get("button_group") if group.key == "what_if_act"]
    pills.set_value("knock_out").run()
    at = choose(at.switch_page("../../pages/compare.py").run(), "way", "condition")
    at = choose(at, "view", "relations")
    assert healthy(at)
    assert at.selectbox(key="compare_condition").options[0].endswith(": knock out")
    assert len(widgets(at)) == 3


def test_both_maps_have_one_scale(open_page: Opener) -> None:
    at = open_page("compare")
    both = [readings.reading(selection(at), name).reading for name in ("dslpt-68", "dslpt-98")]
    first, second = compare._payloads(get_view("relations"), "", both)
    assert first["meta"]["reach"] == second["meta"]["reach"] and 0 < first["meta"]["reach"]["cross"] <= 1
    assert first["meta"]["state"]["selection"]["scale"] == "all"
    assert any("the largest of all maps of both" in clause["text"] for clause in first["meta"]["caption"])
