"""The app's entry: navigation, the selection's link, and the strip above every page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.app import header, messages, state
from workbench.paths import share

_HERE = Path(__file__).parent


def _pages() -> dict[str, list[st.Page]]:
    """Grouped by what a person comes to do."""
    folder = share("pages")
    return {
        "Begin": [
            st.Page(folder / "start.py", title="Start", icon=":material/face:", url_path="start", default=True),
        ],
        "Look inside": [
            st.Page(folder / "inside.py", title="Inside", icon=":material/layers:", url_path="inside"),
            st.Page(folder / "relations.py", title="Relations", icon=":material/hub:", url_path="relations"),
            st.Page(folder / "structure.py", title="Structure", icon=":material/grid_on:", url_path="structure"),
            st.Page(folder / "uncertainty.py", title="Uncertainty", icon=":material/blur_on:", url_path="uncertainty"),
            st.Page(
                folder / "self_attention.py",
                title="Self-attention",
                icon=":material/my_location:",
                url_path="self-attention",
            ),
        ],
        "Draw your own": [
            st.Page(folder / "shape.py", title="Shape", icon=":material/draw:", url_path="shape"),
        ],
    }


st.set_page_config(page_title="Workbench", page_icon=header.icon(), layout="wide", initial_sidebar_state="auto")
st.html(_HERE / "style.css")
page = st.navigation(_pages(), expanded=True)
with messages.guard("page"):
    state.sync()
    state.publish()
    header.draw(page.title)
    page.run()
