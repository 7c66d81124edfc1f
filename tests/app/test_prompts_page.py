"""The Prompts page: a convention or the drawing of the Shape page, a second one beside it, a lattice."""

from __future__ import annotations

import pytest
import streamlit as st

from tests.app.conftest import Opener, words
from tests.app.test_pages import healthy, widgets
from tests.shaping import oval
from workbench.app import readings
from workbench.landmarks import drawing
from workbench.models import card
from workbench.paths import share
from workbench.widgets.shape import state_of


@pytest.fixture
def open_shelf(_shelf: None, open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """The pages over the models that are shipped."""
    monkeypatch.setattr(card, "share", share)
    st.cache_resource.clear()
    for cache in readings.CACHES:
        cache.clear()
    return open_page


@pytest.mark.slow
def test_a_convention_a_second_one_and_a_lattice(open_shelf: Opener) -> None:
    at = open_shelf("prompts", sample="astronaut", model="tufa")
    assert healthy(at)
    assert len(widgets(at)) == 1
    assert at.selectbox(key="prompts_prompt").options == ["ibug68", "wflw98", "cofw29", "five", "user478"]
    at.selectbox(key="prompts_beside").select("wflw98").run()
    at.toggle(key="prompts_lattice").set_value(True).run()
    assert healthy(at)
    at.selectbox(key="prompts_prompt").select("wflw98").run()
    assert healthy(at)
    assert at.selectbox(key="prompts_beside").value == "nothing"  # it cannot stand beside itself


@pytest.mark.slow
def test_a_drawing_of_one_s_own_can_be_looked_at(open_shelf: Opener) -> None:
    at = open_shelf("prompts", sample="astronaut", model="tufa")
    at.session_state["wb_options"] = {"shape.drawing": state_of(drawing(oval()), 1)}
    at.run()
    assert at.selectbox(key="prompts_prompt").options[-1] == "your drawing"
    at.selectbox(key="prompts_prompt").select("your drawing").run()
    assert healthy(at)


@pytest.mark.slow
def test_a_model_without_prompts_names_one_that_has_them(open_shelf: Opener) -> None:
    at = open_shelf("prompts", sample="astronaut", model="dslpt-68")
    assert not widgets(at)
    assert "structure prompts whose points look at the face" in words(at)
    assert [button.label for button in at.button if "TUFA" in button.label]
