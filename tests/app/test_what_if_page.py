"""The What if panel: nothing before it is asked, one answer below the view, and every other view as it was."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opener, words
from tests.app.test_pages import healthy, selection, widgets
from workbench.app import readings
from workbench.effects import Question

pytestmark = pytest.mark.slow
CROSS = "relation.layers.0.cross"


def act(at: AppTest, name: str | None) -> AppTest:
    (pills,) = [group for group in at.get("button_group") if group.key == "what_if_act"]
    return pills.set_value(name).run()


def answers() -> list[tuple]:
    """The keys of the answers that are kept."""
    return [key for key in readings.READINGS._entries if any(isinstance(part, Question) for part in key)]


def shown(at: AppTest) -> list[str]:
    return [name for name in widgets(at) if "effect" in name]


@pytest.mark.parametrize("page", ["relations", "structure", "inside"])
def test_nothing_is_asked_before_an_act_is_chosen(page: str, open_page: Opener) -> None:
    at = open_page(page)
    assert healthy(at)
    assert "What if" in words(at) and "Only this panel changes" in words(at)
    assert not shown(at) and not answers()
    at = act(at, "knock_out")
    assert healthy(at)
    assert len(shown(at)) == 1 and len(answers()) == 1


def test_the_view_s_own_selection_is_what_is_asked_about(open_page: Opener) -> None:
    at = act(open_page("relations", head="2", landmark="30", stage="1"), "knock_out")
    assert at.selectbox(key="what_if_part").options[:3] == [
        "head 2 of layer 1",
        "row: nose bridge 4 of 4 (30)",
        "column: nose bridge 4 of 4 (30)",
    ]
    assert answers()[-1][2] == Question(CROSS, "knock_out", (("head", 1),), 0)
    at.selectbox(key="what_if_part").select("row").run()
    assert answers()[-1][2] == Question(CROSS, "knock_out", (("head", 1), ("query_landmark", 30)), 0)
    at.selectbox(key="what_if_scope").select("all").run()
    assert answers()[-1][2].stage is None
    at.selectbox(key="what_if_part").select("edge").run()
    (head, query, key) = answers()[-1][2].at
    assert (head, query) == (("head", 1), ("query_landmark", 30)) and key[0] == "key_landmark"
    at = act(at, "donor")
    assert healthy(at) and shown(at)
    (pills,) = [group for group in at.get("button_group") if group.key == "what_if_act"]
    assert pills.options == ["knock out", "take from another face"]  # nothing can be scrambled in one edge
    at.selectbox(key="what_if_part").select("layers").run()
    at = act(at, "uniform")
    assert answers()[-1][2].tap == "relation.layers.*.cross"


def test_a_part_is_taken_from_a_chosen_face(open_page: Opener) -> None:
    at = act(open_page("relations"), "donor")
    assert healthy(at)
    donors = at.selectbox(key="what_if_donor").options
    assert "Frontal (frontal-a)" in donors and len(donors) == len(readings.shelf().samples) - 1
    at.selectbox(key="what_if_donor").select("frontal-a").run()
    assert healthy(at)
    assert answers()[-1][3].sample == "frontal-a"


def test_no_other_view_changes(open_page: Opener) -> None:
    at = open_page("relations")
    plain = readings.reading(selection(at)).reading
    before = plain.landmarks.copy()
    at = act(at, "knock_out")
    again = readings.reading(selection(at)).reading
    assert again is plain
    np.testing.assert_array_equal(again.landmarks, before)
    changed = readings.asked(selection(at), answers()[-1][2])
    assert changed.effect.displacement.max() > 0
    assert at.query_params["model"] == "dslpt-68" and "act" not in at.query_params


def test_heads_get_bars_when_they_are_asked_for(open_page: Opener) -> None:
    at = open_page("relations", stage="1")
    assert len(readings.ATTRIBUTIONS) == 0
    at.button(key="relations_heads").click().run()
    assert healthy(at)
    assert len(readings.ATTRIBUTIONS) == 1
    assert not [b for b in at.button if b.key == "relations_heads"]
    (values,) = [entry.value for entry in readings.ATTRIBUTIONS._entries.values()]
    assert values.shape == (2, 3, 2) and (values[..., 0] >= 0).all()
    other = open_page("relations", stage="2")
    assert other.button(key="relations_heads").label.startswith("What does each head do?")


def test_what_only_shows_something_cannot_be_changed(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    at = open_page("inside", tensor="patches.rects")
    tap = dict(readings.model("dslpt-68").named_modules())["patches.rects"]
    monkeypatch.setattr(tap, "observer", True)
    at = act(at, "knock_out")
    assert healthy(at)
    assert "only shows something" in words(at) and not shown(at)
