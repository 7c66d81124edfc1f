"""*Learn*: every page has its lesson, and a lesson leads nowhere that is not there."""

from __future__ import annotations

import pytest

from workbench.app.learn import lesson
from workbench.views import VIEWS


@pytest.mark.parametrize("title", [view.title for view in VIEWS.values() if view.page])
def test_every_page_has_a_lesson_without_pictures_and_dead_links(title: str) -> None:
    text = lesson(title)
    assert len(text) > 150
    assert ".webp" not in text and ".md)" not in text and "![" not in text


def test_what_has_no_lesson_has_none() -> None:
    assert lesson("Nowhere") == ""
