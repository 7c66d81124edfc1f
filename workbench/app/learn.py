"""*Learn*, on every page: the section of the tour that explains it."""

from __future__ import annotations

import re
from functools import cache

import streamlit as st

from workbench.paths import share

_PICTURE = re.compile(r"^!\[.*?\]\(.*?\)$", re.M | re.S)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")


@cache
def _sections() -> dict[str, str]:
    file = share("docs") / "tour.md"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    parts = [part.partition("\n") for part in re.split(r"^## ", text, flags=re.M)[1:]]
    return {head.strip(): body for head, _, body in parts}


def lesson(title: str) -> str:
    """The tour's section of that name as Markdown, without its pictures and without links that lead to other files; ""
    where there is none."""
    return _LINK.sub(r"\1", _PICTURE.sub("", _sections().get(title, ""))).strip()


def menu(title: str) -> None:
    """The button that unfolds the lesson of a page."""
    if text := lesson(title):
        with st.popover("Learn", icon=":material/school:", key="wb_learn", width="content"):
            st.markdown(text)
