"""What a session set in a view besides the selection that all pages share, and its place in the link.

Everything that is kept here under the name of a view (``relations``), or below it (``uncertainty.occluder``), is part
of the link of that view's page; what is kept below ``all`` is part of every page's link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from workbench.app.link_options import LinkError, decode, encode

_OPTIONS = "wb_options"
TOUCHED = "wb_touched"
"""Set while the link lags behind what the person did."""
_UNLINKED = "of"
"""What passing entries belong to: told by the page itself."""
EVERYWHERE = "all"


@dataclass(frozen=True)
class Packing:
    """How a setting that is no flat table travels: as one word, and back.

    ``unpack`` raises ValueError for what it cannot read.
    """

    pack: Callable[[Mapping[str, Any]], str]
    unpack: Callable[[str], dict[str, Any]]


PACKINGS: dict[str, Packing] = {}
"""By the name that the setting is kept under."""


def options_of(name: str) -> dict[str, Any]:
    """What this session set under that name; {} for nothing."""
    return st.session_state.get(_OPTIONS, {}).get(name, {})


def keep_options(name: str, options: Mapping[str, Any]) -> None:
    """Remember settings for this session and in the link."""
    if options_of(name) == options:
        return
    st.session_state[_OPTIONS] = {**st.session_state.get(_OPTIONS, {}), name: dict(options)}
    st.session_state[TOUCHED] = True


def choose(
    name: str, entry: str, label: str, choices: Sequence[str], words: Callable[[str], str] = str, **placing: Any
) -> str:
    """A select box whose choice is kept as an entry of the settings ``name``, and so is part of the link.

    Args:
        choices: at least one; the first is taken where none is kept, or one that is not there.
        words: what stands for a choice.
        placing: further arguments of ``st.selectbox``.
    """
    key = f"{name.removesuffix('.choices')}.{entry}".replace(".", "_")
    kept = options_of(name).get(entry)
    wanted = str(kept) if kept in choices else choices[0]
    if st.session_state.get(key) != wanted:
        st.session_state[key] = wanted

    def changed() -> None:
        keep_options(name, {**options_of(name), entry: st.session_state[key]})

    st.selectbox(label, choices, key=key, format_func=words, on_change=changed, **placing)
    return wanted


def to_link(view: str) -> str:
    """The settings of a view's page as the link's ``set``; "" where nothing is set."""
    out: dict[str, Any] = {}
    for name, values in st.session_state.get(_OPTIONS, {}).items():
        start, _, rest = name.partition(".")
        if start not in (view, EVERYWHERE) or not values:
            continue
        packing = PACKINGS.get(name)
        told: Any = packing.pack(values) if packing else {k: v for k, v in values.items() if k != _UNLINKED}
        if start == EVERYWHERE:
            out.setdefault(EVERYWHERE, {})[rest] = told
        elif rest:
            out |= {rest: told} if told else {}
        else:
            out |= told
    return encode(dict(sorted(out.items())))


def from_link(view: str, text: str) -> str:
    """Take over the ``set`` of a link, in place of what was set; gives back what cannot be read."""
    try:
        found = decode(text) if text else {}
    except LinkError as error:
        found, complaint = {}, f"its settings ({error})"
    else:
        complaint = ""
    kept = {
        name: values
        for name, values in st.session_state.get(_OPTIONS, {}).items()
        if name.partition(".")[0] not in (view, EVERYWHERE)
    }
    shared = found.pop(EVERYWHERE, {})
    below = {k: f"{view}.{k}" for k, v in found.items() if isinstance(v, dict) or f"{view}.{k}" in PACKINGS}
    flat = {k: v for k, v in found.items() if k not in below}
    if flat:
        kept[view] = flat
    for key, name in below.items():
        kept[name] = found[key]
    if isinstance(shared, dict):
        kept |= {f"{EVERYWHERE}.{k}": v for k, v in shared.items() if isinstance(v, dict)}
    for name, packing in PACKINGS.items():
        if isinstance(kept.get(name), str):
            try:
                kept[name] = packing.unpack(kept[name])
            except ValueError:
                del kept[name]
                complaint = complaint or "its drawing (not readable)"
    st.session_state[_OPTIONS] = kept
    return complaint
