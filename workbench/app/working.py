"""Long work on a page: how long it will take, a bar while it goes on, a button that calls it off."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.app import readings

Told = Callable[[int, int], None]


def about(seconds: float) -> str:
    """A time that is expected, in words."""
    if seconds < 1:
        return "under a second"
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"


def kept(key: tuple[Hashable, ...]) -> Any:
    """What was computed before, or None; nothing is computed for it."""
    if key not in readings.ATTRIBUTIONS:
        return None
    try:
        return readings.attributions(key, _absent)
    except LookupError:  # it left just now
        return None


def _absent() -> Any:
    raise LookupError


def compute(
    place: DeltaGenerator, key: tuple[Hashable, ...], make: Callable[[Told], Any], words: str, cancel: str
) -> None:
    """Make and keep something long, with a bar and a button that calls it off, then draw the page with it.

    Whatever is pressed meanwhile reruns the page, and the next sign of progress ends this run: nothing is kept then.

    Args:
        cancel: key of the button.
    """
    with place.container(horizontal=True, vertical_alignment="center", gap="small", key=f"wb-working-{cancel}"):
        bar = st.progress(0.0, text=words)
        st.button("Cancel", key=cancel, icon=":material/close:")

    def told(done: int, total: int) -> None:
        bar.progress(min(1.0, done / max(1, total)), text=f"{words} · {done} of {total}")

    readings.attributions(key, lambda: make(told))
    st.rerun()
