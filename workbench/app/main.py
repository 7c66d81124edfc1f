"""The app's entry: navigation, the selection's link, and the strip above every page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.app import explorer, header, messages, state
from workbench.views import VIEWS

_HERE = Path(__file__).parent


def pages() -> dict[str, list[st.Page]]:
    """The views' pages under their groups, in the order of the table; the first one is the app's own."""
    out: dict[str, list[st.Page]] = {}
    for view in VIEWS.values():
        if view.page:
            shown = st.Page(
                explorer.page(view),
                title=view.title,
                icon=f":material/{view.icon}:",
                url_path=view.url,
                default=not out,
            )
            out.setdefault(view.group, []).append(shown)
    return out


st.set_page_config(page_title="Workbench", page_icon=header.icon(), layout="wide", initial_sidebar_state="auto")
st.html(_HERE / "style.css")
page = st.navigation(pages(), expanded=True)
with messages.guard("page"):
    state.sync()
    state.publish()
    header.draw(page.title)
    page.run()
