"""The Attribution page: nothing before the button, then a map that is kept, its checks, and calling it off."""

from __future__ import annotations

import threading

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opener, words
from tests.app.test_pages import healthy, widgets
from workbench import attribution as made
from workbench.app import attribution as page
from workbench.app import readings
from workbench.errors import Cancelled

LINK = {"sample": "astronaut", "model": "dslpt-68", "landmark": "30"}


def button(at: AppTest, key: str) -> AppTest:
    return at.button(key=key)


def choose(at: AppTest, method: str) -> AppTest:
    return at.selectbox(key="attribution_method").select(method).run()


@pytest.mark.slow
def test_nothing_is_computed_before_the_button(open_page: Opener) -> None:
    at = open_page("attribution", **LINK)
    healthy(at)
    assert len(widgets(at)) == 1
    assert len(readings.ATTRIBUTIONS) == 0
    assert button(at, "attribution_compute").label.startswith("Compute · ")
    assert "## Does the map hold?" not in words(at)


@pytest.mark.slow
def test_a_map_is_computed_once(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    whole = page.attributed

    def counted(*args: object, **options: object) -> object:
        asked.append(str(args[4]))
        return whole(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(page, "attributed", counted)
    at = choose(open_page("attribution", **LINK), "shapley")
    button(at, "attribution_compute").click().run()
    healthy(at)
    assert asked == ["shapley"]
    assert button(at, "attribution_compute").label == "Computed" and "Does the map hold?" in words(at)
    at.selectbox(key="attribution_target").select("x").run()  # another target is another question ...
    assert button(at, "attribution_compute").label.startswith("Compute")
    at.selectbox(key="attribution_target").select("displacement").run()  # ... and the first is remembered
    assert button(at, "attribution_compute").label == "Computed" and asked == ["shapley"]


@pytest.mark.slow
def test_a_map_is_checked_when_asked(open_page: Opener) -> None:
    at = choose(open_page("attribution", **LINK), "feature_ablation")
    button(at, "attribution_compute").click().run()
    assert len(readings.ATTRIBUTIONS) == 1
    button(at, "attribution_check").click().run()
    healthy(at)
    assert "nearness alone" in words(at) and "Rank correlation of the map" in words(at)
    button(at, "attribution_randomise").click().run()
    healthy(at)
    assert "layers were scrambled" in words(at)
    assert len(readings.ATTRIBUTIONS) == 3


@pytest.mark.slow
@pytest.mark.parametrize("method", ["smoothgrad", "grad_cam", "kernel_shap"])
def test_methods_of_one_landmark(open_page: Opener, method: str) -> None:
    at = choose(open_page("attribution", **LINK), method)
    button(at, "attribution_compute").click().run()
    healthy(at)
    assert button(at, "attribution_compute").label == "Computed"


@pytest.mark.slow
def test_every_method_fill_and_target_can_be_chosen(open_page: Opener) -> None:
    at = open_page("attribution", **LINK)
    assert at.selectbox(key="attribution_method").options == [m.title for m in made.METHODS.values()]
    assert len(at.selectbox(key="attribution_fill").options) == len(made.FILLS)
    assert len(at.selectbox(key="attribution_target").options) == len(made.TARGETS)


def test_what_is_called_off_is_not_kept() -> None:
    def make() -> None:
        raise Cancelled("The attribution was cancelled.")

    with pytest.raises(Cancelled):
        readings.attributions(("some", "key"), make)
    assert ("some", "key") not in readings.ATTRIBUTIONS


def test_sessions_that_ask_for_the_same_wait_for_one() -> None:
    gate, made_of = threading.Event(), []

    def make() -> int:
        gate.wait(5)
        made_of.append(1)
        return 7

    found: list[int] = []
    waiting = [threading.Thread(target=lambda: found.append(readings.attributions(("one",), make))) for _ in range(20)]
    for thread in waiting:
        thread.start()
    gate.set()
    for thread in waiting:
        thread.join()
    assert found == [7] * 20 and made_of == [1]


def test_a_time_in_words() -> None:
    assert [page.about(s) for s in (0.3, 4.4, 200)] == ["under a second", "about 4 s", "about 3 min"]
