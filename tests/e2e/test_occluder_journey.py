"""Covering the face on one page and looking at what changes on others, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_journeys import NOSE_TIP, PATIENCE, at_rest, caption, placed, visit

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def test_a_covered_face_is_read_with_without_and_as_a_difference(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/relations?sample=astronaut&model=dslpt-68&landmark={NOSE_TIP}")
    box = page.get_by_role("group", name="Occluder.")
    expect(box).to_be_hidden()
    page.get_by_role("button", name="occluder", exact=True).click()
    expect(box).to_be_visible()
    expect(caption(page)).to_contain_text("grey over 4 % of the crop")
    expect(caption(page)).to_contain_text("scale 0 to")
    page.get_by_role("button", name="difference", exact=True).click()
    expect(caption(page)).to_contain_text("covered minus uncovered (grey over 4 % of the crop)")
    expect(caption(page)).to_contain_text("centred on no change")
    before, where = caption(page).inner_text(), placed(box)

    page.mouse.move(where["x"] + where["width"] / 2, where["y"] + where["height"] / 2)
    page.mouse.down()
    page.mouse.move(where["x"] + where["width"] / 2 - 60, where["y"] + where["height"] / 2 - 90, steps=8)
    page.mouse.up()
    at_rest(page)
    assert placed(box)["x"] == pytest.approx(where["x"] - 60, abs=3)
    expect(caption(page)).not_to_have_text(before)  # another part is covered, and other weights change
    page.get_by_role("button", name="noise", exact=True).click()
    expect(caption(page)).to_contain_text("noise over 4 % of the crop")

    page.get_by_role("link", name="Inside").click()
    at_rest(page)
    expect(box).to_be_visible()  # the same occluder, wherever one goes
    expect(caption(page)).to_contain_text("covered minus uncovered (noise over 4 % of the crop)")
    page.get_by_role("button", name="without", exact=True).click()
    expect(caption(page)).to_contain_text("taken away for the moment")
    page.get_by_role("button", name="with", exact=True).click()
    expect(caption(page)).to_contain_text("white lines: from the uncovered answer")
    page.get_by_role("link", name="Uncertainty").click()
    expect(page.get_by_text("under the occluder").first).to_be_visible()
    page.get_by_role("link", name="Relations").first.click()
    at_rest(page)
    box.focus()
    page.keyboard.press("Delete")
    expect(box).to_be_hidden()
    expect(caption(page)).not_to_contain_text("of the crop")
    assert not faults


def test_two_models_answer_to_one_occluder(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/self-attention?sample=frontal-a&model=ssfa-68&landmark={NOSE_TIP}")
    page.get_by_role("button", name="occluder", exact=True).click()
    page.get_by_role("button", name="difference", exact=True).click()
    captions = page.locator(".wb-panel .wb-caption")
    expect(captions).to_have_count(3)
    for k in range(2):
        expect(captions.nth(k)).to_contain_text("covered minus uncovered")
    expect(captions.nth(2)).to_contain_text("no attention between places")
    assert not faults
