"""What surrounds every page: the button that copies its link, and the way back after the server was gone."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_SCRIPT = (Path(__file__).parent / "shell.js").read_text(encoding="utf-8")
_mount = st.components.v2.component("workbench_shell", js=_SCRIPT)
_WOKE = "workbench_shell"


def draw() -> None:
    """Place the button. The browser asks for a whole run through it when the server is there again."""
    _mount(key=_WOKE, on_woke_change=lambda: None)
