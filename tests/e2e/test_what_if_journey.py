"""Asking what if, in a real browser: each head knocked out, one head, one edge, another face's; arrows answer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_journeys import NOSE_TIP, PATIENCE, at_rest, canvas, caption, visit
from tests.e2e.test_looking_journeys import choose

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def answered(page: Page) -> str:
    """The caption of the answer."""
    at_rest(page)
    return page.get_by_role("region", name="What a change does").locator(".wb-caption").inner_text()


def test_heads_are_ranked_then_one_is_knocked_out_and_arrows_answer(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/relations?sample=astronaut&model=dslpt-68&landmark={NOSE_TIP}")
    bars = page.locator(".wb-thumbs button i")
    expect(bars).to_have_count(0)
    page.get_by_role("button", name="What does each head do?").click()
    expect(bars).to_have_count(20)  # four layers of four heads and their mean
    said = page.locator(".wb-thumbs button").first.get_attribute("aria-label") or ""
    pixels = re.search(r"knocked out: landmarks move by ([\d.]+) px", said)
    assert pixels and float(pixels[1]) > 0

    shown = caption(page).inner_text()
    page.locator('.wb-thumbs button[data-at="0 0"]').click()
    at_rest(page)
    page.get_by_role("radio", name="knock out").click()
    arrows = canvas(page, "Face with an arrow at each landmark that moves")
    expect(arrows).to_be_visible()
    words = answered(page)
    told = re.search(r"move by ([\d.]+) px", words)
    assert told  # the bar and the answer say the same of the same head, but for the last digit of a batch
    assert float(told[1]) == pytest.approx(float(pixels[1]), abs=0.002)
    assert "stage 3, head 1 · set to zero" in words
    table = page.locator(".wb-moves")
    expect(table.locator("tbody tr")).to_have_count(7)
    expect(table).to_contain_text("% of eyes")
    expect(table).to_contain_text("Δσ px")
    expect(caption(page)).to_contain_text("head 1 of 4")  # the view itself shows the model as it is
    assert shown.split(" · ")[0] in caption(page).inner_text()

    arrows.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".wb-one b")).to_be_visible()
    choose(page, "Of", "row: nose bridge 4 of 4 (30)")
    expect(page.locator(".wb-strip b")).to_contain_text("query nose bridge 4 of 4 (30)")
    choose(page, "Of", "one edge of nose bridge 4 of 4 (30)")
    expect(page.get_by_role("radio", name="scramble")).to_have_count(0)
    expect(page.locator(".wb-strip b")).to_contain_text("key ")
    choose(page, "Of", "head 1 of layer 1")
    page.get_by_role("radio", name="take from another face").click()
    choose(page, "From", "frontal-a")
    expect(page.locator(".wb-strip b")).to_contain_text("taken from frontal-a")
    page.get_by_role("radio", name="take from another face").click()
    expect(page.get_by_role("region", name="What a change does")).to_have_count(0)
    assert not faults


def test_the_same_panel_stands_on_every_page_with_a_map(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    for address, words in (
        (f"self-attention?sample=frontal-a&model=ssfa-68&landmark={NOSE_TIP}", "attention_b.spatial.attention"),
        ("structure?sample=frontal-a&model=dslpt-68", "relation.structure"),
        ("inside?sample=frontal-a&model=aodn-68&tensor=attention.gate.channel", "attention.gate.channel"),
    ):
        visit(page, f"{app_url}/{address}")
        page.get_by_role("radio", name="make uniform").click()
        expect(canvas(page, "Face with an arrow at each landmark that moves")).to_be_visible()
        assert words in answered(page)
    assert not faults
