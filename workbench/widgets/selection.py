"""What is selected in a widget: one table of entries a view, and the one rule by which values are taken or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from workbench.errors import TraceError
from workbench.tracing import check_index


@dataclass(frozen=True)
class Entry:
    """One entry of a widget's state ``selection``.

    Attributes:
        name: its key.
        default: what it starts with.
        choices: the values that there are; () when the payload tells them, or when it is no choice.
        index: what it counts, from 0 or back from -1: "stage", "landmark" ...; the payload tells how many there are.
        none: what None means; "" when it must have a value.
        between: bounds that a number is brought within.
    """

    name: str
    default: Any = None
    choices: tuple[Any, ...] = ()
    index: str = ""
    none: str = ""
    between: tuple[float, float] | None = None


Table = Sequence[Entry]


def resolve(table: Table, given: Mapping[str, Any] | None, bounds: Mapping[str, Any], strict: bool = True) -> Any:
    """The whole selection: what is given, and the defaults of the rest.

    Args:
        given: entries by name.
        bounds: entry -> how many there are of what it counts, its choices, or the most that it may be. ``{"by": other,
            "of": ...}`` where that depends on the entry ``other``, which stands before it in the table;
            ``"first"`` then holds defaults of its own.
        strict: refuse what is not there; else its default stands in its place.

    Raises:
        TraceError: an entry that the widget does not have, or a value that is not there.
    """
    given = given or {}
    known = [entry.name for entry in table]
    if strict and (unknown := given.keys() - set(known)):
        raise TraceError(f"A selection has no '{sorted(unknown)[0]}'; it has {', '.join(known)}.")
    chosen: dict[str, Any] = {}
    for entry in table:
        bound, first = bounds.get(entry.name), None
        if isinstance(bound, Mapping):
            other = chosen[bound["by"]]
            first, bound = bound.get("first", {}).get(other), bound["of"][other]
        default = entry.default if first is None else first
        if default is None and not entry.none and isinstance(bound, Sequence):
            default = bound[0]
        try:
            chosen[entry.name] = _taken(entry, given.get(entry.name, default), bound)
        except TraceError:
            if strict:
                raise
            chosen[entry.name] = _taken(entry, default, bound)
    return chosen


def _taken(entry: Entry, value: Any, bound: Any) -> Any:
    if value is None and entry.none:
        return None
    if entry.index and isinstance(bound, int):
        if not isinstance(value, int):
            raise TraceError(f"There are {bound} {entry.index}s, so choose one of them, not {value}.")
        return check_index(entry.index, value, bound)
    if choices := entry.choices or (tuple(bound) if isinstance(bound, Sequence) else ()):
        if value not in choices:
            raise TraceError(f"The {entry.name} '{value}' is not there; choose {' or '.join(map(str, choices))}.")
        return value
    if entry.between is not None:
        low, high = entry.between
        high = bound if isinstance(bound, int) else high
        return type(entry.default)(min(max(value, low), high))
    return value


def settle(view: str, meta: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A selection that the payload with this ``meta`` can show: what is not there becomes its default."""
    table: Table = import_module(f"workbench.widgets.{view}").SELECTION
    return resolve(table, wanted, meta["bounds"], strict=False)
