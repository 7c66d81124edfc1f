"""A tab that was left open while the server went and came again: every page goes on, and says what was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import workbench as wb
from tests.e2e.test_journeys import PATIENCE, at_rest, canvas, caption, link, png, saved, settle, upload, visit
from tests.serving import serve

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


class Server:
    """The app at one address, through restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stack = folder, ExitStack()
        self.url = self.stack.enter_context(self._serve(None))

    def _serve(self, port: int | None) -> AbstractContextManager[str]:
        return serve(self.folder, "_stcore/health", "workbench", "--no-browser", port=port)

    def restart(self, page: Page) -> None:
        """Stop it until the page has noticed, start it at the same address, and wait until the page stands again."""
        self.stack.close()
        app = page.locator('[data-testid="stApp"]')
        expect(app).not_to_have_attribute("data-test-connection-state", "CONNECTED")
        self.stack.enter_context(self._serve(int(self.url.rsplit(":", 1)[1])))
        expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
        page.wait_for_timeout(1500)
        at_rest(page)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    it = Server(tmp_path_factory.mktemp("restarted"))
    yield it
    it.stack.close()


def test_relations_go_on_after_a_restart(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/relations?sample=frontal-b")
    expect(canvas(page, "Face with the relations")).to_be_visible()
    page.get_by_role("button", name="best partner").click()
    server.restart(page)
    expect(page.get_by_role("button", name="best partner")).to_have_attribute("aria-pressed", "true")
    page.get_by_title("stage 1 of 3").click()
    settle(page, lambda now: now.get("stage") == "1")
    expect(page.locator(".app-head")).to_contain_text("frontal-b")
    assert saved(page, "This explorer as one HTML file").startswith(b"<!doctype html>")


def test_an_occluder_survives_a_restart(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/uncertainty?sample=frontal-a")
    page.get_by_role("button", name="Cover the mouth").click()
    told = page.get_by_text("of their attention")
    expect(told).to_be_visible()
    at_rest(page)
    before = told.inner_text()
    server.restart(page)
    expect(told).to_have_text(before)
    page.locator(".wb button", has_text="patches").first.click()
    settle(page, lambda now: "patches-yes" in now.get("set", ""))


def test_inside_s_selector_and_picture_agree_after_a_restart(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/inside?sample=frontal-a")
    expect(caption(page)).not_to_be_empty()
    server.restart(page)
    page.get_by_role("combobox", name="Tensor").click()
    page.get_by_role("option").nth(1).click()
    settle(page, lambda now: "tensor" in now)
    expect(caption(page)).to_contain_text(link(page)["tensor"])


def test_a_drawing_survives_a_restart(page: Page, server: Server) -> None:
    visit(page, f"{server.url}/shape?sample=frontal-a")
    page.get_by_role("button", name="empty", exact=True).click()
    plane = canvas(page, "Face plane")
    for x, y in ((150, 150), (260, 150), (200, 260)):
        plane.dblclick(position={"x": x, "y": y})
        page.wait_for_timeout(300)
    root = page.locator(".wb-shape")
    expect(page.locator(".wb-state")).to_contain_text("3 points")
    expect(root).to_have_attribute("data-ready", "true")
    server.restart(page)
    expect(page.locator(".wb-state")).to_contain_text("3 points")
    expect(root).to_have_attribute("data-ready", "true")


def test_a_photograph_that_is_lost_is_said_to_be(page: Page, server: Server) -> None:
    visit(page, server.url)
    upload(page, "holiday.png", png(wb.faces.sample_photo("frontal-b")))
    settle(page, lambda now: now.get("photo") == "own")
    at_rest(page)
    server.restart(page)
    expect(page.locator(".st-key-wb-notice")).to_contain_text("Your own photograph is no longer here")
    expect(page.locator(".app-head")).to_contain_text("astronaut")
