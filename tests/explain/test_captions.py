"""One table of clauses a view: what is shown of it, in whose words."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from tests.widgets.javascript import run
from workbench.explain import caption_tables, system_captions
from workbench.explain.caption_tables import TABLES
from workbench.explain.captions import Clause, as_meta, compose, number, pieces
from workbench.explain.system_captions import SYSTEM_TABLES

CLAUSES = (
    Clause("{tensor}", code=True),
    Clause("head {head} of 4", {"head": {"not": None}}),
    Clause("mean of heads", {"head": None}),
    Clause("hidden", {"own": False}),
    Clause("from {threshold} up", {"threshold": {"not": 0}}),
)


def test_clauses_are_chosen_and_filled_by_facts() -> None:
    facts = {"tensor": "a.b", "head": None, "own": False, "threshold": 0}
    assert compose(CLAUSES, facts) == "a.b · mean of heads · hidden"
    facts |= {"head": 2, "own": True, "threshold": 0.26449}
    assert compose(CLAUSES, facts) == "a.b · head 2 of 4 · from 0.264 up"
    assert pieces(CLAUSES, facts)[0] == ("a.b", True)


def test_zero_and_one_are_no_truth_values() -> None:
    clauses = [Clause("one", {"x": 1}), Clause("true", {"x": True}), Clause("not zero", {"x": {"not": 0}})]
    assert compose(clauses, {"x": True}) == "true · not zero"
    assert compose(clauses, {"x": 1}) == "one · not zero"
    assert compose(clauses, {"x": False}) == "not zero"


def test_a_fact_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match="head"):
        compose(CLAUSES, {"tensor": "a"})


def test_browser_composes_the_same(tmp_path) -> None:
    states = [
        {"tensor": "a", "head": head, "own": own, "threshold": threshold}
        for head in (None, 0, 1, 3)
        for own in (True, False)
        for threshold in (0, 0.5, 2.5e-5)
    ]
    got = run(
        tmp_path,
        "captions",
        "return input.states.map((facts) => composeCaption(input.clauses, facts));",
        clauses=as_meta(CLAUSES),
        states=states,
    )
    assert got == [[list(piece) for piece in pieces(CLAUSES, facts)] for facts in states]
    missing = run(
        tmp_path,
        "captions",
        "try { composeCaption(input.clauses, { tensor: 'a' }); } catch (error) { return error.message; }",
        clauses=as_meta(CLAUSES),
    )
    assert "head" in missing


@pytest.mark.parametrize("view", [*TABLES, *SYSTEM_TABLES])
def test_every_fact_of_a_table_is_documented(view: str) -> None:
    module = caption_tables if view in TABLES else system_captions
    text = Path(module.__file__ or "").read_text(encoding="utf-8")
    after = text.split(f"{view.upper()}: Sequence[Clause]")[1]
    documented = after.split('"""')[1]
    table = {**TABLES, **SYSTEM_TABLES}[view]
    named = {name for clause in table for name in [*clause.when, *re.findall(r"\{(\w+)\}", clause.text)]}
    unknown = {
        re.sub(r"[123]$", "", name) for name in named if not re.search(rf"\b{re.sub('[123]$', '', name)}", documented)
    }
    assert not unknown


def test_numbers_are_written_alike_here_and_in_the_browser(tmp_path) -> None:
    random = np.random.default_rng(0)
    values = [0.0, 1e-4, 9.9999e-5, 0.99951, 0.9995, 1000.5, 2000.5, 0.0625, 12345.6, -0.5, -3e-7, 0.1, 1e15]
    values += (random.standard_normal(1500) * 10.0 ** random.uniform(-9, 7, 1500)).tolist()
    values += (random.integers(0, 4000, 250) / 2.0 ** random.integers(0, 12, 250)).tolist()  # halves
    values += random.uniform(0, 1, 250).round(3).tolist()
    got = run(
        tmp_path, "numbers", "return input.values.map(number).concat([NaN, Infinity].map(number));", values=values
    )
    assert got == [number(x) for x in [*values, math.nan, math.inf]]
    assert [number(x) for x in (1 / 3, 12.3456, 3.21e-5, 0.5, -1000.5)] == ["0.333", "12.35", "3.2e-5", "0.5", "-1001"]
