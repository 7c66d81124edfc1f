"""Asking what an answer depends on, in a real browser: nothing before the button, called off, computed, looked at."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_journeys import NOSE_TIP, PATIENCE, canvas, caption, placed, settle, visit
from tests.e2e.test_looking_journeys import points

pytestmark = pytest.mark.slow
CHIN = 8


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def test_a_map_is_called_off_then_computed_for_all_landmarks(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/attribution?sample=frontal-a&model=scc-68&landmark={NOSE_TIP}")
    compute = page.get_by_role("button", name="Compute ·")
    expect(caption(page)).to_contain_text("Nothing is computed yet for nose bridge 4 of 4 (30)")
    compute.click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(caption(page)).to_contain_text("Nothing is computed yet")
    expect(compute).to_be_enabled()
    compute.click()
    expect(caption(page)).to_contain_text("Occlusion · how far nose bridge 4 of 4 (30) moves")
    expect(page.get_by_role("button", name="Computed")).to_be_disabled()
    face = canvas(page, "The face under the attribution")
    x, y = points("scc-68", "frontal-a")[CHIN] * placed(face)["width"]
    face.click(position={"x": x, "y": y})
    settle(page, lambda now: now.get("landmark") == str(CHIN))
    expect(caption(page)).to_contain_text("how far jaw 9 of 17 (8) moves")  # one loop has answered for all
    expect(page.get_by_role("button", name="Computed")).to_be_disabled()
    assert not faults
