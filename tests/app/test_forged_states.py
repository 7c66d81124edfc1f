"""What comes back from a browser is input: no forged state of a widget breaks a page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.conftest import Opener
from tests.app.test_pages import healthy
from workbench.app import start, state

pytestmark = pytest.mark.slow

FORGED: list[Any] = [
    None,
    "x",
    7,
    [1, 2],
    {"selection": "x"},
    {"selection": {"stage": "last", "layer": [0], "head": {"x": 1}, "landmark": 10**30, "kind": 5, "topk": None}},
    {"selection": {"landmark": -5, "channel": 1e308, "place": [1, "a"], "kind": ["cross"], "model": {}, "map": [[]]}},
    {"selection": {"landmark": True, "stage": 1.5, "head": 10**5000, "points": "yes", "scale": {"a": {"b": 1}}}},
    {"choice": {"box": {"x": 1}}},
    {"choice": {"box": [1, 2, 3]}},
    {"choice": {"index": "first"}},
    {"choice": [0]},
    {"drawing": {"points": "none", "at": []}, "selection": {}},
    {"drawing": {"points": [[1e400, "a"]], "groups": 3, "at": 10**5000}},
    {"occluder": {"x": "left"}, "shown": {"mode": 3}},
    {"occluder": [1, 2, 3, 4], "shown": None},
    {"occluder": {"x": 10**400, "y": 0, "w": 1, "h": 1, "fill": ["grey"]}, "shown": {"mode": ["with"]}},
]


@pytest.mark.parametrize("page", ["start", "inside", "relations", "structure", "uncertainty"])
def test_no_page_breaks_on_a_forged_state(page: str, open_page: Opener) -> None:
    at = open_page(page)
    key = "picker" if page == "start" else page
    for forged in FORGED:
        at.session_state[key] = forged
        at.run()
        assert healthy(at), forged


@pytest.mark.parametrize(
    "choice",
    [{"box": {"x": 1}}, {"box": [1, 2, 3]}, {"box": [1, 2, "a", 4]}, {"index": "1"}, {"index": 4}, {"index": 10**30},
     {"face": 1}],
)  # fmt: skip
def test_a_face_that_cannot_be_chosen_costs_a_sentence(choice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(state, "notify", said.append)
    start._choose_face({"choice": choice}, faces=2)
    assert len(said) == 1 and said[0].endswith("The face stays the one it was.")
