"""Two models and two faces side by side, in a real browser: one selection, one scale, arrows between the answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_journeys import NOSE_TIP, PATIENCE, at_rest, placed, settle, visit
from tests.e2e.test_looking_journeys import choose, points

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def test_two_models_share_a_selection_and_a_scale(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/compare?sample=astronaut&model=dslpt-68")
    choose(page, "With the model", "SLPT compact, 68")
    at_rest(page)
    choose(page, "On the view", "Relations")
    faces = page.locator('canvas[aria-label^="Face with the relations"]')
    expect(faces).to_have_count(2)
    at_rest(page)
    captions = page.locator(".wb-caption")
    expect(captions).to_have_count(3)
    scales = [captions.nth(k).inner_text().split("scale ")[1].split(",")[0] for k in range(2)]
    assert scales[0] == scales[1]
    x, y = points("dslpt-68", "astronaut")[NOSE_TIP] * placed(faces.first)["width"]
    faces.first.click(position={"x": x, "y": y})
    settle(page, lambda now: now.get("landmark") == str(NOSE_TIP))
    for k in range(2):  # pinned in one, singled out in both
        expect(captions.nth(k)).to_contain_text("nose bridge 4 of 4 (30)")
    expect(captions.nth(2)).to_contain_text("px of the photograph apart on average")
    expect(page.locator(".wb-moves tbody tr")).to_have_count(7)
    choose(page, "Compare", "two faces")
    expect(page.locator(".wb-caption").nth(2)).to_contain_text("what differs is the shape")
    assert not faults
