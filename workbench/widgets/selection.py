"""What is selected in a widget: one table of entries a view, and the one rule by which values are taken or refused."""

from __future__ import annotations

import math
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
        size: how many numbers make up the value, each brought within ``between``; 0 when it is one value.
    """

    name: str
    default: Any = None
    choices: tuple[Any, ...] = ()
    index: str = ""
    none: str = ""
    between: tuple[float, float] | None = None
    size: int = 0


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
        if not isinstance(value, int) or isinstance(value, bool):
            raise TraceError(f"There are {bound} {entry.index}s, so choose one of them, not {_shown(value)}.")
        return check_index(entry.index, int(max(-_LARGEST, min(value, _LARGEST))), bound)
    if choices := entry.choices or (tuple(bound) if isinstance(bound, Sequence) else ()):
        if value not in choices:
            raise TraceError(
                f"The {entry.name} '{_shown(value)}' is not there; choose {' or '.join(map(str, choices))}."
            )
        return value
    if entry.size:
        if not isinstance(value, list | tuple) or len(value) != entry.size or not all(map(_is_number, value)):
            raise TraceError(f"The {entry.name} is made up of {entry.size} numbers, not {_shown(value)}.")
        low, high = entry.between or (-math.inf, math.inf)
        return [min(max(v, low), high) for v in value]
    if entry.between is not None:
        if not _is_number(value):
            raise TraceError(f"The {entry.name} is a number, not {_shown(value)}.")
        low, high = entry.between
        high = bound if isinstance(bound, int) else high
        bounded = min(max(value, low), high)
        return bounded if entry.default is None else type(entry.default)(bounded)
    if isinstance(entry.default, bool) and not isinstance(value, bool):
        raise TraceError(f"The {entry.name} is on or off, not {_shown(value)}.")
    if not isinstance(value, bool | str | None) and not _is_number(value):
        raise TraceError(f"The {entry.name} is one value, not {_shown(value)}.")
    return value


def _shown(value: object) -> str:
    """What was given, as a sentence can hold it; a number of more digits than Python writes has a kind only."""
    return str(value)[:40] if isinstance(value, str) or _is_number(value) else type(value).__name__


_LARGEST = 1e12


def _is_number(value: object) -> bool:
    """Finite, and small enough for arithmetic: an integer may have any number of digits."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST


def settle(view: str, meta: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A selection that the payload with this ``meta`` can show: what is not there becomes its default."""
    table: Table = import_module(f"workbench.widgets.{view}").SELECTION
    return resolve(table, wanted, meta["bounds"], strict=False)


def committed(view: str, meta: Mapping[str, Any], given: Any, instead: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser committed, as the payload with this ``meta`` can show it. A browser may send anything.

    Args:
        view: name of the widget.
        given: its state.
        instead: the state as it was sent, key by key: what stands in the place of a key that is not there or holds
            another kind of value. Of a ``selection`` every entry is settled by itself.
    """
    given = given if isinstance(given, Mapping) else {}
    out: dict[str, Any] = {}
    for key, before in instead.items():
        value = given.get(key)
        if not _plain(value) or isinstance(value, Mapping) != isinstance(before, Mapping):
            out[key] = before
        elif key == "selection" and "bounds" in meta:
            out[key] = settle(view, meta, {**before, **value})
        else:
            out[key] = value
    return out


def _plain(value: object, depth: int = 6) -> bool:
    """Whether it is made of short names, finite numbers, words, lists and mappings, and not too deep."""
    if isinstance(value, Mapping):
        return depth > 0 and all(isinstance(k, str) and _plain(v, depth - 1) for k, v in value.items())
    if isinstance(value, list | tuple):
        return depth > 0 and all(_plain(v, depth - 1) for v in value)
    if isinstance(value, str):
        return not any("\ud800" <= c <= "\udfff" for c in value)
    # A moment in milliseconds, as a drawing has one, is larger than any entry of a selection.
    return value is None or isinstance(value, bool) or (isinstance(value, int | float) and -(2**53) < value < 2**53)
