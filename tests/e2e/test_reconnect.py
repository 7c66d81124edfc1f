"""A tab that was left open while the server went and came again: every page goes on, and says what was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import workbench as wb
from tests.e2e.test_journeys import PATIENCE, at_rest, canvas, caption, link, png, saved, settle, upload, visit
from tests.serving import serve

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


class Tabs:
    """Five people's tabs at one address, all open while the server goes and comes again."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser, self.folder, self.stack = browser, folder, ExitStack()
        self.pages: dict[str, Page] = {}
        self.before = ""
        self.url = self.stack.enter_context(self._serve(None))

    def _serve(self, port: int | None) -> AbstractContextManager[str]:
        return serve(self.folder, "_stcore/health", "workbench", "--no-browser", port=port)

    def open(self, name: str, path: str) -> Page:
        """A tab of its own."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 900})
        self.pages[name] = page = context.new_page()
        visit(page, f"{self.url}/{path}")
        return page

    def restart(self) -> None:
        """Stop the server until every tab has noticed, start it at the same address, wait until all stand again."""
        self.stack.close()
        apps = [page.locator('[data-testid="stApp"]') for page in self.pages.values()]
        for app in apps:
            expect(app).not_to_have_attribute("data-test-connection-state", "CONNECTED")
        self.stack.enter_context(self._serve(int(self.url.rsplit(":", 1)[1])))
        for app in apps:
            expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
        for page in self.pages.values():
            page.wait_for_timeout(1500)
            at_rest(page)

    def close(self) -> None:
        """All tabs and the server."""
        for page in self.pages.values():
            page.context.close()
        self.stack.close()


@pytest.fixture(scope="module")
def tabs(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tabs]:
    expect.set_options(timeout=PATIENCE)
    it = Tabs(browser, tmp_path_factory.mktemp("restarted"))
    relations = it.open("relations", "relations?sample=frontal-b")
    expect(canvas(relations, "Face with the relations")).to_be_visible()
    relations.get_by_role("button", name="best partner").click()

    covered = it.open("covered", "uncertainty?sample=frontal-a")
    covered.get_by_role("button", name="Cover the mouth").click()
    expect(told_of(covered)).to_be_visible()

    inside = it.open("inside", "inside?sample=frontal-a")
    expect(caption(inside)).not_to_be_empty()

    drawing = it.open("drawing", "shape?sample=frontal-a")
    drawing.get_by_role("button", name="empty", exact=True).click()
    plane = canvas(drawing, "Face plane")
    for x, y in ((150, 150), (260, 150), (200, 260)):
        plane.dblclick(position={"x": x, "y": y})
        drawing.wait_for_timeout(300)
    expect(drawing.locator(".wb-state")).to_contain_text("3 points")
    expect(drawing.locator(".wb-shape")).to_have_attribute("data-ready", "true")

    own = it.open("own", "")
    upload(own, "holiday.png", png(wb.faces.sample_photo("frontal-b")))
    settle(own, lambda now: now.get("photo") == "own")
    for page in it.pages.values():
        at_rest(page)
    it.before = told_of(covered).inner_text()
    it.restart()
    yield it
    it.close()


def told_of(page: Page) -> Locator:
    """What the occluder changed, in words."""
    return page.get_by_text("of their attention")


def test_relations_go_on_after_a_restart(tabs: Tabs) -> None:
    page = tabs.pages["relations"]
    expect(page.get_by_role("button", name="best partner")).to_have_attribute("aria-pressed", "true")
    page.get_by_title("stage 1 of 3").click()
    settle(page, lambda now: now.get("stage") == "1")
    expect(page.locator(".app-head")).to_contain_text("frontal-b")
    assert saved(page, "This explorer as one HTML file").startswith(b"<!doctype html>")


def test_an_occluder_survives_a_restart(tabs: Tabs) -> None:
    page = tabs.pages["covered"]
    expect(told_of(page)).to_have_text(tabs.before)
    page.locator(".wb button", has_text="patches").first.click()
    settle(page, lambda now: "patches-yes" in now.get("set", ""))


def test_inside_s_selector_and_picture_agree_after_a_restart(tabs: Tabs) -> None:
    page = tabs.pages["inside"]
    page.get_by_role("combobox", name="Tensor").click()
    page.get_by_role("option").nth(1).click()
    settle(page, lambda now: "tensor" in now)
    expect(caption(page)).to_contain_text(link(page)["tensor"])


def test_a_drawing_survives_a_restart(tabs: Tabs) -> None:
    page = tabs.pages["drawing"]
    expect(page.locator(".wb-state")).to_contain_text("3 points")
    expect(page.locator(".wb-shape")).to_have_attribute("data-ready", "true")


def test_a_photograph_that_is_lost_is_said_to_be(tabs: Tabs) -> None:
    page = tabs.pages["own"]
    expect(page.locator(".st-key-wb-notice")).to_contain_text("Your own photograph is no longer here")
    expect(page.locator(".app-head")).to_contain_text("astronaut")
