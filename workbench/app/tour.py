"""Three steps on Start for who comes for the first time."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_SCRIPT = (Path(__file__).parent / "tour.js").read_text(encoding="utf-8")
_mount = st.components.v2.component("workbench_tour", js=_SCRIPT)


def draw() -> None:
    """Place them; the browser shows them until they were seen or skipped once."""
    _mount(key="workbench_tour")
