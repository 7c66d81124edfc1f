"""The words under a picture: one table of clauses a view, shown alike by figures and widgets.

A view's *facts* are plain values (None, bool, int, float, str) under names; a clause is shown when every entry of its
``when`` matches them. ``captions.js`` composes by the same rule, so a widget is sent the table and computes the facts
alone. The tables are :data:`RELATIONS` and its like in ``workbench.explain.caption_tables``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Fact = str | float | int | bool | None
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Clause:
    """A part of a caption.

    Attributes:
        text: with {placeholders} that name facts.
        when: fact -> the value it must have, or {"not": value} for any other; all must match.
        code: whether it is a name of the program, such as a tensor's.
    """

    text: str
    when: Mapping[str, Any] = field(default_factory=dict)
    code: bool = False


def pieces(clauses: Sequence[Clause], facts: Mapping[str, Fact]) -> list[tuple[str, bool]]:
    """The clauses that are shown, filled: (text, whether it is code).

    Raises:
        KeyError: a condition or a placeholder names a fact that is not there.
    """
    return [
        (_PLACEHOLDER.sub(lambda found: _said(facts[found[1]]), clause.text), clause.code)
        for clause in clauses
        if all(_matches(facts[name], wanted) for name, wanted in clause.when.items())
    ]


def compose(clauses: Sequence[Clause], facts: Mapping[str, Fact]) -> str:
    """The caption, its clauses joined by " · ". Raises KeyError as :func:`pieces` does."""
    return " · ".join(text for text, _ in pieces(clauses, facts))


def as_meta(clauses: Sequence[Clause]) -> list[dict[str, Any]]:
    """The table for a payload's ``meta["caption"]``."""
    return [{"text": clause.text, "when": dict(clause.when), "code": clause.code} for clause in clauses]


def number(x: float) -> str:
    """A value as every caption, axis and legend writes it.

    Three significant digits below 1, four from 1 up, without trailing zeros; below 1e-4 one digit after the point and
    an exponent ("2.5e-5"); "?" for what is not finite. ``number`` in numbers.js is the same rule.
    """
    x = float(x)
    if not math.isfinite(x):
        return "?"
    if x == 0:
        return "0"
    size = Decimal(abs(x))
    sign = "-" if x < 0 else ""
    if size < Decimal("1e-4"):
        mantissa = _significant(size, 2)
        power = mantissa.adjusted()
        return f"{sign}{mantissa.scaleb(-power):.1f}e{power}"
    text = f"{_significant(size, 3 if size < 1 else 4):f}"
    return sign + (text.rstrip("0").rstrip(".") if "." in text else text)


def _significant(x: Decimal, digits: int) -> Decimal:
    """Rounded as JavaScript's toPrecision does: the exact binary value, halves upwards."""
    step = Decimal(1).scaleb(x.adjusted() - digits + 1)
    return (x / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def _said(fact: Fact) -> str:
    return fact if isinstance(fact, str) else number(fact if fact is not None else math.nan)


def _matches(fact: Fact, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return not _matches(fact, wanted["not"])
    if isinstance(fact, bool) or isinstance(wanted, bool):
        return fact is wanted
    return bool(fact == wanted)
