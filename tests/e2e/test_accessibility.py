"""Every page in both schemes, wide and narrow: axe-core finds nothing serious, and the keyboard alone reaches all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.test_journeys import PATIENCE, at_rest, link, placed, settle, visit

pytestmark = pytest.mark.slow
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
COVER = "set=1~occluder.x-0.35~.y-0.53~.w-0.3~.h-0.2~.fill-grey"
PAGES = {
    "": "",
    "inside": "",
    "relations": "landmark=30",
    "structure": "landmark=30",
    "uncertainty": COVER,
    "self-attention": "model=ssfa-68",
    "attribution": "",
    "shape": "model=tufa",
    "prompts": "model=tufa",
    "occlusion": f"model=aodn-68&{COVER}",
    "graph": "model=scc-68",
    "cascade": "model=chs-68",
    "pose": "model=atpn-68",
    "compare": "",
}

SHADE = """e => { const pen = document.createElement("canvas").getContext("2d");
    pen.fillStyle = getComputedStyle(e).backgroundColor; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).reduce((a, b) => a + b, 0) / 3; }"""
"""How bright an element's ground is, 0 to 255."""


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def faults(page: Page) -> list[str]:
    page.add_script_tag(path=str(AXE))
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    serious = [v for v in found["violations"] if v["impact"] in ("serious", "critical") or v["id"] == "heading-order"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:160]}" for v in serious]


@pytest.mark.skipif(not AXE.is_file(), reason="`npm ci` brings axe-core")
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(name: str, browser: Browser, app_url: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    visit(page, f"{app_url}/{name}?sample=frontal-a&{PAGES[name]}")
    # Colours depend on the scheme, sizes and overlaps on the width: two of the four show every value of both.
    for scheme, width in (("light", 1280), ("dark", 400)):
        page.emulate_media(color_scheme=scheme)
        ground = page.locator('[data-testid="stApp"]')
        dark = str(scheme == "dark").lower()
        page.wait_for_function(f"e => (({SHADE})(e) < 60) === {dark}", arg=ground.element_handle())
        page.set_viewport_size({"width": width, "height": 900})
        placed(page.locator("canvas").first)
        assert faults(page) == [], (scheme, width)
    context.close()


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_the_page_follows_the_system(scheme: Any, dark: bool, browser: Browser, app_url: str) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    visit(page, f"{app_url}/relations")
    assert (page.locator('[data-testid="stApp"]').evaluate(SHADE) < 60) == dark
    ink = page.locator(".wb-caption").first.evaluate(SHADE.replace("backgroundColor", "color"))
    assert (ink > 128) == dark
    context.close()


def focused(page: Page) -> str:
    """What has the focus, looked for through shadow roots."""
    return page.evaluate(
        """() => { let e = document.activeElement; while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
        return `${e.tagName} ${e.getAttribute('aria-label') || e.textContent}`.slice(0, 60); }"""
    )


def test_controls_are_one_stop_and_arrows_lead_on(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a")
    placed(page.locator("canvas").first)
    page.get_by_role("button", name="MCA").focus()
    page.keyboard.press("ArrowRight")
    assert focused(page).startswith("BUTTON MSA")
    page.keyboard.press("Enter")
    settle(page, lambda now: now.get("kind") == "self")
    at_rest(page)
    page.keyboard.press("Tab")
    assert focused(page).startswith("CANVAS Face with the relations")
    page.keyboard.press("Tab")
    assert focused(page).startswith("CANVAS Matrix")
    page.keyboard.press("Tab")
    assert focused(page).startswith("BUTTON layer")
    page.keyboard.press("Tab")
    assert focused(page).startswith("BUTTON PNG")


def test_the_gallery_is_one_stop(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/?sample=frontal-a")
    tiles = page.locator("button[data-name]")
    placed(tiles.first)
    assert tiles.evaluate_all("all => all.filter(e => e.tabIndex === 0).length") == 1
    page.locator('button[data-name="frontal-a"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    settle(page, lambda now: now["sample"] not in ("frontal-a", ""))
    assert link(page)["sample"] == "frontal-b"
