"""One occluder for every page: shared, checked as what comes from a browser is, and read with, without and between."""

from __future__ import annotations

import numpy as np
import pytest

from tests.app.conftest import Opener
from tests.app.test_pages import healthy, selection
from workbench.app import explorer, occluder, readings

pytestmark = pytest.mark.slow
COVER = {"x": 0.3, "y": 0.6, "w": 0.4, "h": 0.2, "fill": "grey"}
OPTIONS = "wb_options"


def cover(at, mode: str = "with", value: dict | None = None):  # type: ignore[no-untyped-def]
    at.session_state[OPTIONS] = {
        **(at.session_state[OPTIONS] if OPTIONS in at.session_state else {}),  # noqa: SIM401
        "all.occluder": COVER if value is None else value,
        "all.shown": {"mode": mode},
    }
    return at.run()


def covering(at, monkeypatch: pytest.MonkeyPatch) -> occluder.Covering:  # type: ignore[no-untyped-def]
    """What a page of this session reads."""
    kept = at.session_state[OPTIONS]
    monkeypatch.setattr(explorer, "options_of", lambda name: kept.get(name, {}))
    return occluder.covering(selection(at))


def test_every_page_reads_the_covered_face_once(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    at = cover(open_page("relations"))
    assert healthy(at)
    of = covering(at, monkeypatch)
    assert of.covered.reading is not of.plain.reading and not of.covered.fresh
    assert np.abs(of.covered.reading.points() - of.plain.reading.points()).max() > 0
    assert of.shown is of.covered.reading
    for page in ("inside", "uncertainty", "structure"):
        assert healthy(at.switch_page(f"../../pages/{page}.py").run())


def test_with_without_and_difference(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    at = cover(open_page("relations"), "without")
    assert healthy(at)
    assert covering(at, monkeypatch).shown is readings.reading(selection(at)).reading
    monkeypatch.undo()


def test_a_difference_holds_changes(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    at = cover(open_page("relations"), "difference")
    assert healthy(at)
    of = covering(at, monkeypatch)
    name = "relation.layers.0.cross"
    a, b, d = (r.trace[name].numpy() for r in (of.covered.reading, of.plain.reading, of.shown))
    np.testing.assert_allclose(d, a - b, atol=1e-6)
    payload = of.payload("relations", lambda reading: explorer.get_view("relations").payload(reading, {}))
    assert payload["meta"]["signed"] and payload["meta"]["shown"] == "difference"


@pytest.mark.parametrize("value", [{}, {"x": "a"}, {**COVER, "w": -1}, {**COVER, "fill": "glitter"}])
def test_what_is_no_occluder_covers_nothing(value: dict, open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    at = cover(open_page("relations"), "nonsense", value)
    assert healthy(at)
    of = covering(at, monkeypatch)
    assert of.cover == {} and of.mode == "with" and of.shown is of.plain.reading


def test_a_difference_of_places_is_not_shown_as_places(open_page: Opener) -> None:
    assert healthy(cover(open_page("inside", tensor="patches.rects"), "difference"))
