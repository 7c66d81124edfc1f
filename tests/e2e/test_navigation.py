"""The navigation says which views a model cannot fill, fits the window, and every page leads to another face or
model."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_journeys import PATIENCE, at_rest, link, placed, settle, visit

pytestmark = pytest.mark.slow
TO_COME = 1
"""Pages that the navigation has room for."""


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def test_the_navigation_names_the_model_that_can(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/inside?sample=frontal-a&model=scc-68")
    marks = '[data-testid="stSidebarNavLink"][href$="/{}"]'
    said = {
        name: page.locator(marks.format(name)).evaluate("e => getComputedStyle(e, '::after').content")
        for name in ("structure", "self-attention", "shape", "relations", "attribution")
    }
    assert said["structure"] == '"needs DSLPT"'
    assert said["self-attention"] == '"needs SSFA"'
    assert said["shape"] == said["relations"] == said["attribution"] == '""'  # for Shape, TUFA stands in
    page.get_by_role("navigation").get_by_role("link", name="Structure").click()
    page.get_by_role("button", name="Read this face with DSLPT compact, 68 points").click()
    settle(page, lambda now: now["model"] == "dslpt-68" and now["sample"] == "frontal-a")
    assert "/structure" in page.url


def test_the_whole_navigation_fits_and_has_room(page: Page, app_url: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, f"{app_url}/inside?sample=frontal-a")
    links = page.locator('[data-testid="stSidebarNavLink"]')
    boxes = [placed(links.nth(k)) for k in range(links.count())]
    pitch = min(b["y"] - a["y"] for a, b in pairwise(boxes))
    assert pitch >= 24
    assert boxes[-1]["y"] + boxes[-1]["height"] + TO_COME * pitch <= 720
    headings = page.locator('[data-testid="stNavSectionHeader"]').all_inner_texts()
    assert [text.splitlines()[0] for text in headings] == [
        "Begin",
        "Look inside",
        "Ask why",
        "Draw your own",
        "Measure",
    ]
    for k in range(links.count()):
        name = links.nth(k).locator("p")
        assert name.evaluate("e => e.scrollWidth <= e.parentElement.parentElement.clientWidth + 1")


def test_face_and_model_change_without_leaving_the_page(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a")
    page.get_by_role("combobox", name="Model").click()
    able = page.get_by_role("option")
    expect(able.first).to_be_visible()
    told = able.all_inner_texts()
    lacking = [text for text in told if "no attention between landmarks" in text]
    assert 0 < len(lacking) < len(told)
    assert told[-len(lacking) :] == lacking  # those that can stand first
    page.get_by_role("option", name="SLPT compact, 68 points", exact=True).click()
    settle(page, lambda now: now["model"] == "slpt-68")
    at_rest(page)
    page.get_by_role("button", name="Next face").click()
    settle(page, lambda now: now["sample"] != "frontal-a")
    other = link(page)["sample"]
    at_rest(page)
    page.locator("canvas").first.focus()
    page.keyboard.press("k")
    settle(page, lambda now: now["sample"] == "frontal-a")
    at_rest(page)
    page.keyboard.press("j")
    settle(page, lambda now: now["sample"] == other)
    assert "/relations" in page.url


@pytest.mark.parametrize(("path", "title"), [("", "Start"), ("relations", "Relations"), ("shape", "Shape")])
def test_titles_and_history_name_the_page(path: str, title: str, page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/{path}")
    expect(page).to_have_title(f"{title} · Workbench")
    settle(page, lambda now: "model" in now)
    page.get_by_role("navigation").get_by_role("link", name="Inside").click()
    expect(page).to_have_title("Inside · Workbench")
    settle(page, lambda now: "model" in now)  # the page has written its link
    at_rest(page)
    page.go_back()
    expect(page).to_have_title(f"{title} · Workbench")


def test_a_page_that_is_slow_to_write_its_link_is_one_step_of_the_history(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations")
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    added = """([...urls]) => { const before = history.length;
        for (const url of urls) history.pushState({}, "", url); return history.length - before; }"""
    assert page.evaluate(added, ["/inside", "/inside?sample=frontal-a"]) == 1
    assert page.evaluate(added, ["/inside?sample=frontal-b", "/shape?sample=frontal-b"]) == 2


def test_a_list_of_the_keys_opens_and_closes(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a")
    placed(page.locator("canvas").first)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_be_visible()
    expect(sheet).to_contain_text("next face")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_a_face_is_looked_at_more_closely_with_keys_and_wheel(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a&landmark=30")
    face = page.locator("canvas").first
    box = placed(face)
    shot = face.screenshot()
    face.focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.wait_for_timeout(300)
    near = face.screenshot()
    assert near != shot
    page.keyboard.press("Shift+ArrowDown")
    page.wait_for_timeout(300)
    assert face.screenshot() != near
    page.keyboard.press("0")
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.3 * box["width"])
    page.mouse.wheel(0, -240)
    page.wait_for_timeout(300)
    assert page.evaluate("() => scrollY") == 0
    # The same place of the face lies under the pointer, at whatever size.
    tip = page.locator(".wb-tip").first
    told = []
    for _ in range(2):
        page.mouse.move(box["x"] + 0.251 * box["width"], box["y"] + 0.301 * box["width"])
        page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.3 * box["width"])
        told.append(tip.text_content())
        page.keyboard.press("0")
    assert told[0] == told[1]
    assert link(page)["landmark"] == "30"


def test_the_first_steps_are_shown_once_and_hidden_faces_are_hinted_at(page: Page, app_url: str) -> None:
    page.set_viewport_size({"width": 900, "height": 800})
    visit(page, app_url)
    steps = page.get_by_role("region", name="First steps")
    expect(steps).to_contain_text("1 of 3: Choose")
    steps.get_by_role("button", name="Next").click()
    steps.get_by_role("button", name="Next").click()
    expect(steps).to_contain_text("3 of 3: Ask")
    steps.get_by_role("button", name="Done").click()
    expect(steps).to_have_count(0)
    strip = page.locator(".frame")
    expect(strip).to_have_class("frame after")
    page.locator(".strip").evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    expect(strip).to_have_class("frame before")
    page.reload(wait_until="commit")
    placed(page.locator("button[data-name]").first)
    expect(steps).to_have_count(0)


def test_each_page_leads_to_its_lesson(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/structure")
    page.get_by_role("button", name="Learn").click()
    expect(page.get_by_text("What does it know of a face before it has seen one?")).to_be_visible()
