"""The pages of one system's own mechanisms, over the trained models of the shelf."""

from __future__ import annotations

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opener, words
from tests.app.test_pages import healthy, widgets
from workbench.app import readings
from workbench.views import get_view

PAGES = {"occlusion": "aodn-68", "graph": "scc-68", "cascade": "chs-68", "pose": "atpn-68"}


@pytest.fixture(autouse=True)
def _shelf() -> None:
    """The shelf as it ships, with nothing remembered."""
    st.cache_resource.clear()
    for cache in readings.CACHES:
        cache.clear()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_its_model_and_says_what_another_lacks(open_page: Opener, page: str) -> None:
    at = open_page(page, sample="frontal-a", model=PAGES[page])
    assert healthy(at)
    assert len(widgets(at)) == 1
    assert "Does it matter?" in str([e.label for e in at.expander])
    assert readings.offering(get_view(page)) == [PAGES[page]]
    at = open_page(page, sample="frontal-a", model="dslpt-68")
    assert healthy(at)
    assert not widgets(at)
    assert get_view(page).lacks in words(at)
    at.button(key=f"wb_fit_{page}").click().run()
    assert healthy(at)
    assert len(widgets(at)) == 1


@pytest.mark.slow
def test_a_covered_mouth_is_read_once_more(open_page: Opener) -> None:
    at: AppTest = open_page("occlusion", sample="frontal-a", model="aodn-68")
    assert "spatial gate P' rises" in words(at) and "visibility map P'' falls" in words(at)
    before = len(readings.READINGS)
    at.button(key="cover_mouth").click().run()
    assert healthy(at)
    assert len(readings.READINGS) == before + 1
    assert not [button for button in at.button if button.key == "cover_mouth"]


def test_a_film_that_is_gone_is_said(open_page: Opener) -> None:
    at: AppTest = open_page("pose", sample="frontal-a", model="atpn-68")
    at.session_state["wb_options"] = {"pose.film": {"on": True, "source": "own"}}
    at.run()
    assert healthy(at)
    assert "Your film is no longer here" in words(at)
    at.button(key="film_samples").click().run()
    assert at.button(key="film_follow").label.startswith("Follow the faces · 48 frames, ")
