"""The link is the view: what a person set is in the address, and reload, Back and a second browser show the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.test_journeys import PATIENCE, at_rest, canvas, caption, link, placed, settle, visit

pytestmark = pytest.mark.slow
FACE = 'canvas[aria-label^="The face"], .wb-face canvas, .wb-plane canvas'


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def pick(page: Page, *names: str) -> None:
    for name in names:
        page.locator(".wb button", has_text=name).first.click()


def relations(page: Page) -> None:
    pick(page, "MSA", "key", "all maps")
    page.get_by_label("how many partners of each landmark").fill("5")
    page.get_by_label("smallest weight that is drawn").press("ArrowRight")
    settle(page, lambda now: "threshold" in now.get("set", "") and "topk-5" in now["set"])


def self_attention(page: Page) -> None:
    pick(page, "prior")
    canvas(page, "with the prior").click(position={"x": 60, "y": 90})
    settle(page, lambda now: "place" in now.get("set", "") and "mask-yes" in now["set"])


def uncertainty(page: Page) -> None:
    page.get_by_role("button", name="Cover the mouth").click()
    expect(page.get_by_text("of their attention")).to_be_visible()
    pick(page, "patches", "part")
    settle(page, lambda now: "occluder" in now.get("set", "") and "sort-part" in now["set"])


def inside(page: Page) -> None:
    page.get_by_role("combobox", name="Tensor").click()
    page.get_by_role("option").nth(2).click()
    settle(page, lambda now: "tensor" in now)
    at_rest(page)
    pick(page, "landmarks")
    settle(page, lambda now: "points-no" in now.get("set", ""))


def shape(page: Page) -> None:
    page.get_by_role("button", name="empty", exact=True).click()
    for x, y in ((150, 150), (260, 150), (200, 260)):
        canvas(page, "Face plane").dblclick(position={"x": x, "y": y})
        page.wait_for_timeout(300)
    expect(page.locator(".wb-state")).to_contain_text("3 points")
    expect(page.locator(".wb-shape")).to_have_attribute("data-ready", "true")
    page.keyboard.press("Escape")  # no point is chosen
    settle(page, lambda now: "drawing" in now.get("set", ""))


def attribution(page: Page) -> None:
    page.get_by_role("combobox", name="Method").click()
    page.get_by_role("option").nth(1).click()
    settle(page, lambda now: "method" in now.get("set", ""))


JOURNEYS = {
    "relations": relations,
    "self-attention": self_attention,
    "uncertainty": uncertainty,
    "inside": inside,
    "shape": shape,
    "attribution": attribution,
}
MODELS = {"self-attention": "ssfa-68", "shape": "tufa"}


def shown(page: Page) -> tuple[str, list[bytes]]:
    """The caption and every face canvas, pixel by pixel, with nothing pointed at."""
    at_rest(page)
    page.mouse.move(3, 3)
    page.evaluate("document.activeElement?.blur()")
    placed(page.locator(FACE).first)
    data = "all => all.map(c => c.toDataURL())"
    before = None
    for _ in range(20):
        page.wait_for_timeout(700)  # motion has ended, and what was asked for has come
        now = caption(page).inner_text(), page.locator(FACE).evaluate_all(data)
        if now == before:
            return now
        before = now
    pytest.fail("The picture does not come to rest.")


@pytest.mark.parametrize("name", JOURNEYS)
def test_reload_and_a_second_browser_show_the_same(name: str, page: Page, browser: Browser, app_url: str) -> None:
    visit(page, f"{app_url}/{name}?sample=frontal-a&model={MODELS.get(name, 'dslpt-68')}")
    plain = shown(page)
    JOURNEYS[name](page)
    first = shown(page)
    if name != "attribution":
        assert first != plain
    address = page.url
    assert len(address) < 900
    if name in ("relations", "shape"):  # a second browser has less to go by than a reload
        page.reload(wait_until="commit")
        expect(page.locator(".app-head")).to_be_visible()
        assert shown(page) == first
        assert page.url == address
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    other = context.new_page()
    visit(other, address)
    assert shown(other) == first
    expect(other.locator(".st-key-wb-notice")).to_have_count(0)
    context.close()


def test_back_undoes_a_setting_of_one_view(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a")
    before = shown(page)
    pick(page, "best partner")
    settle(page, lambda now: "mode-best" in now.get("set", ""))
    assert shown(page) != before
    page.go_back()
    settle(page, lambda now: "set" not in now)
    assert shown(page) == before


def test_the_link_is_copied(browser: Browser, app_url: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    visit(page, f"{app_url}/relations?sample=frontal-a")
    pick(page, "best partner")
    settle(page, lambda now: "mode-best" in now.get("set", ""))
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    context.close()


@pytest.mark.parametrize("text", ["9~topk-5", "1~topk-<b>", "1~drawing-zAAAA", "1~threshold-best~topk-1_2~own-7"])
def test_settings_that_make_no_sense_leave_the_view_standing(text: str, page: Page, app_url: str) -> None:
    view: Callable[[str], str] = lambda name: f"{app_url}/{name}?sample=frontal-a&set={text}"  # noqa: E731
    visit(page, view("shape" if "drawing" in text else "relations"))
    placed(page.locator(FACE).first)
    expect(page.locator('[class*="st-key-wb-problem"]')).to_have_count(0)
    settle(page, lambda now: text not in now.get("set", ""))
    assert "sample" in link(page)
