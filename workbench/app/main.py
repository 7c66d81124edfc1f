"""The app's entry: navigation, the selection's link, and the strip above every page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.app import explorer, header, messages, requirements, state
from workbench.views import TOOLS, VIEWS, Tool, View, grouped

_HERE = Path(__file__).parent


def pages() -> dict[str, list[st.Page]]:
    """The views' pages under their groups; the first one is the app's own."""
    first = next(iter(VIEWS))
    return {
        group: [
            st.Page(
                explorer.page(view),
                title=view.title,
                icon=f":material/{view.icon}:",
                url_path=view.url,
                default=view.name == first,
            )
            for view in views
        ]
        for group, views in grouped().items()
    }


shown = st.navigation(pages(), expanded=True)
entries: list[View | Tool] = [*VIEWS.values(), *TOOLS.values()]
view = next(view for view in entries if view.page and view.title == shown.title)
st.set_page_config(
    page_title=f"{view.title} · Workbench", page_icon=header.icon(), layout="wide", initial_sidebar_state="auto"
)
st.html(_HERE / "style.css")
with messages.guard("page"):
    state.sync(view.name)
    state.publish()
    requirements.mark_navigation()
    header.draw(view.title, view.name)
    shown.run()
