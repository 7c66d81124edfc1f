"""Drawing on the face plane in a real browser: what is dragged is found elsewhere, and nothing drawn is lost."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import workbench as wb
from tests.e2e.test_journeys import PATIENCE, at_rest, canvas, caption, placed, saved, visit
from workbench.shaping import SAME, conventions, trust

pytestmark = pytest.mark.slow

LOW, SPAN = -0.06, 1.12  # what of the plane is in view
NOSE_TIP = 30


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def ready(page: Page) -> None:
    """Wait until what is drawn is what was found."""
    expect(page.locator('.wb-shape[data-ready="true"]')).to_be_visible()


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a point of the plane is on the screen, once the plane is."""
    page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    box = placed(canvas(page, "Face plane"))
    return box["x"] + (x - LOW) / SPAN * box["width"], box["y"] + (y - LOW) / SPAN * box["height"]


def kept(page: Page) -> dict[str, Any]:
    """The drawing as the browser remembers it."""
    return json.loads(page.evaluate("localStorage.getItem('workbench.shape')") or "{}")


def found(page: Page) -> list[dict[str, Any]]:
    """The found landmarks, as saved."""
    return json.loads(saved(page, "Found landmarks as JSON"))["landmarks"]


def open_shape(page: Page, name: str, data: bytes) -> None:
    """Choose a file in the menu, once the menu of the file before has closed."""
    at_rest(page)
    expect(page.locator('input[type="file"]')).to_have_count(0)
    page.get_by_role("button", name="Open a shape").click()
    page.locator('input[type="file"]').set_input_files(
        [{"name": name, "mimeType": "application/json", "buffer": data}]
    )


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def test_a_dragged_point_is_found_elsewhere_and_a_reload_keeps_the_drawing(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/shape?sample=astronaut")
    ready(page)
    expect(caption(page)).to_contain_text("all 68 points are anchors")
    before = found(page)
    nose = before[NOSE_TIP]
    spot = (nose["plane_x"], nose["plane_y"])
    drag(page, place(page, *spot), place(page, spot[0] + 0.12, spot[1]))
    expect(caption(page)).to_contain_text("1 of 68 points")
    ready(page)
    after = found(page)
    assert after[NOSE_TIP]["plane_x"] - spot[0] == pytest.approx(0.12, abs=0.01)
    assert after[NOSE_TIP]["x"] > nose["x"] + 3  # image right on the plane, image right on the face
    here = np.array([[after[NOSE_TIP]["plane_x"], after[NOSE_TIP]["plane_y"]]])
    away, _ = trust(here, conventions(wb.load_model("tufa", device="cpu")).values())
    assert away[0] > SAME  # an anchor of another convention is near
    assert after[NOSE_TIP]["anchor_distance_percent"] == pytest.approx(100 * away[0], abs=0.01)

    page.mouse.dblclick(*place(page, 0.3, 0.02))
    expect(caption(page)).to_contain_text("69 points")
    ready(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("JSON.parse(localStorage.getItem('workbench.shape')).points[68][0] > 0.305")
    ready(page)
    drawn = kept(page)
    assert len(drawn["points"]) == 69

    page.get_by_role("link", name="Relations").click()
    expect(canvas(page, "Face with the relations")).to_be_visible()
    at_rest(page)
    page.get_by_role("link", name="Shape").click()
    ready(page)
    expect(caption(page)).to_contain_text("2 of 69 points")

    page.goto(f"{app_url}/shape?sample=frontal-a", wait_until="commit")  # another face, and a session of its own
    expect(caption(page)).to_contain_text("2 of 69 points")
    ready(page)
    np.testing.assert_allclose(kept(page)["points"], drawn["points"])

    canvas(page, "Face plane").focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("Delete")
    expect(caption(page)).to_contain_text("1 of 68 points")
    page.get_by_role("button", name="undo").click()
    expect(caption(page)).to_contain_text("2 of 69 points")


def test_a_corrected_point_teaches_a_model_and_survives_a_reload(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/shape?sample=astronaut&model=tufa")
    ready(page)
    page.get_by_label("Start from a template").select_option("five")
    expect(caption(page)).to_contain_text("all 5 points are anchors")
    ready(page)
    nose = found(page)[2]
    at_rest(page)
    page.get_by_role("button", name="correct", exact=True).click()
    photo = canvas(page, "Photograph with the points")
    box = placed(photo)
    face = wb.sample_face("astronaut")
    spot = (face.to_crop([[nose["x"], nose["y"]]], 1000)[0] / 1000 + 0.08) / 1.16  # with its margin
    at = (box["x"] + spot[0] * box["width"], box["y"] + spot[1] * box["height"])
    drag(page, at, (at[0] + 25, at[1] + 10))
    expect(page.get_by_text("5 points as trained, 1 corrected")).to_be_visible()
    expect(page.get_by_role("button", name="Teach · 1 face")).to_be_visible()
    marks = json.loads(page.evaluate("localStorage.getItem('workbench.shape.marks')"))
    (((point, x, y),),) = [m["points"] for m in marks.values()]
    moved = 1.16 * np.array([25, 10]) / box["width"]
    assert point == 2 and (x, y) == pytest.approx(1.16 * spot - 0.08 + moved, abs=0.01)

    page.goto(f"{app_url}/shape?sample=astronaut&model=tufa", wait_until="commit")  # a session of its own
    ready(page)
    expect(page.get_by_text("5 points as trained, 1 corrected")).to_be_visible()
    page.get_by_role("button", name="Teach · 1 face").click()
    page.get_by_role("button", name="Teach tufa").click()
    expect(page.get_by_text("5 points from 1 face, 0 steps")).to_be_visible()
    at_rest(page)
    expect(page.get_by_role("button", name="Keep as tufa-user-my-five-5")).to_be_visible()


def test_an_empty_plane_and_a_broken_file(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/shape?sample=astronaut")
    ready(page)
    page.get_by_role("button", name="empty", exact=True).click()
    expect(page.get_by_text("Take a tool above and draw")).to_be_visible()
    ready(page)
    page.mouse.click(*place(page, 0.5, 0.5))
    expect(caption(page)).to_contain_text("1 of 1 points")
    open_shape(page, "broken.json", b'{"points": [[0.5, NaN]]}')
    expect(page.get_by_text("is not a finite number")).to_be_visible()
    expect(caption(page)).to_contain_text("1 of 1 points")
    open_shape(page, "three.json", b'{"name": "three", "points": [[0.4, 0.5], [0.6, 0.5], [0.5, 0.7]]}')
    expect(caption(page)).to_contain_text("3 of 3 points")
    page.get_by_role("button", name="undo").click()
    expect(caption(page)).to_contain_text("1 of 1 points")
    ready(page)
    page.get_by_role("button", name="mirror", exact=True).click()
    page.mouse.dblclick(*place(page, 0.3, 0.3))
    expect(caption(page)).to_contain_text("3 of 3 points")
    ready(page)
    (_, one, twin) = kept(page)["points"]
    assert one[0] + twin[0] == pytest.approx(1, abs=0.02) and one[1] == twin[1]  # about the face's axis


def test_a_finger_draws_and_the_phone_does_not_scroll_sideways(browser: Browser, app_url: str) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 800}, has_touch=True)
    page = context.new_page()
    visit(page, f"{app_url}/shape?sample=astronaut")
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="point", exact=True).tap()
    canvas(page, "Face plane").scroll_into_view_if_needed()
    page.touchscreen.tap(*place(page, 0.5, 0.05))
    expect(caption(page)).to_contain_text("1 of 69 points")
    context.close()
