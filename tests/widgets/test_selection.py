"""One rule of what is selected in a widget: defaults, counting from the end, and what is not there."""

from __future__ import annotations

import pytest

from workbench.errors import TraceError
from workbench.widgets.selection import Entry, committed, resolve

TABLE = (
    Entry("kind"),
    Entry("layer", -1, index="layer"),
    Entry("head", index="head", none="the mean of all"),
    Entry("scale", "map", ("map", "all")),
    Entry("topk", 3, between=(0, 99)),
)
BOUNDS = {"kind": ["a", "b"], "layer": {"by": "kind", "of": {"a": 4, "b": 2}}, "head": 8, "topk": 5}


def test_defaults_and_counting_from_the_end() -> None:
    assert resolve(TABLE, {}, BOUNDS) == {"kind": "a", "layer": 3, "head": None, "scale": "map", "topk": 3}
    chosen = resolve(TABLE, {"kind": "b", "head": -1, "topk": 77}, BOUNDS)
    assert (chosen["layer"], chosen["head"], chosen["topk"]) == (1, 7, 5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"colour": 1}, "no 'colour'"),
        ({"kind": "c"}, "choose a or b"),
        ({"kind": "b", "layer": 2}, "2 layers"),
        ({"layer": None}, "4 layers"),
        ({"scale": "none"}, "choose map or all"),
    ],
)
def test_what_is_not_there_is_refused_or_becomes_the_default(given: dict[str, object], words: str) -> None:
    with pytest.raises(TraceError, match=words):
        resolve(TABLE, given, BOUNDS)
    settled = resolve(TABLE, given, BOUNDS, strict=False)
    kept = {"kind": "b"} if given.get("kind") == "b" else {}
    assert settled == resolve(TABLE, kept, BOUNDS)


def test_a_default_may_depend_on_another_entry() -> None:
    table = (Entry("kind", "cross", ("cross", "self")), Entry("layer", 0, index="layer"))
    bounds = {"layer": {"by": "kind", "of": {"cross": 4, "self": 4}, "first": {"cross": 0, "self": 1}}}
    assert resolve(table, {"kind": "self"}, bounds) == {"kind": "self", "layer": 1}
    assert resolve(table, {"kind": "self", "layer": 0}, bounds) == {"kind": "self", "layer": 0}
    assert resolve(table, {}, bounds) == {"kind": "cross", "layer": 0}


def test_a_moment_in_milliseconds_is_a_plain_value() -> None:
    state = {"drawing": {"at": 1_795_699_379_823}}
    assert committed("shape", {}, state, {"drawing": {}}) == state
    for wrong in (10**400, float("inf"), float("nan")):
        assert committed("shape", {}, {"drawing": {"at": wrong}}, {"drawing": {}}) == {"drawing": {}}
