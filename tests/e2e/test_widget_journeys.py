"""What a person does with the controls of the widgets, where the answer may come late, or not at all."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_journeys import PATIENCE, at_rest, canvas, caption, download, placed, settle, visit

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def scale(page: Page) -> float:
    """Where the colours of the Relations explorer end, in its caption's words."""
    found = re.search(r"scale 0 to ([\d.e-]+),", caption(page).inner_text())
    assert found
    return float(found[1])


def test_an_occluder_that_stays_the_same_is_not_read_for_ever(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/uncertainty?sample=frontal-a&model=dslpt-68")
    press(page, "occluder")
    effect = page.locator(".wb-effect")
    expect(effect).to_contain_text("with occluder")
    press(page, "grey")
    expect(effect).to_contain_text("with occluder")
    frame = page.locator(".wb-rect")
    frame.focus()
    for _ in range(3):  # the last presses are against the edge
        for _ in range(40):
            page.keyboard.press("ArrowDown")
        expect(effect).to_contain_text("with occluder")
        expect(effect).not_to_have_class(re.compile("waiting"))
    press(page, "occluder")
    expect(effect).to_be_hidden()
    press(page, "occluder")
    expect(effect).to_contain_text("with occluder")


def test_play_that_is_paused_stands_on_a_step_and_the_mean_face_claims_nothing(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/uncertainty?sample=frontal-a&model=dslpt-68&stage=2&layer=1")
    expect(canvas(page, "Face with the uncertainty")).to_be_visible()
    shown, button = page.locator(".wb-time output"), page.locator(".wb-play")
    expect(shown).to_have_text("stage 2 · layer 1")
    # Pressed by the page itself, the moment the first stage is on: from outside it may be too late.
    shown.evaluate(
        """(out) => new MutationObserver((_, watching) => {
             if (!out.textContent.startsWith("stage 1")) return;
             watching.disconnect(); out.getRootNode().querySelector(".wb-play").click();
           }).observe(out, { childList: true, characterData: true, subtree: true })"""
    )
    button.click()
    expect(shown).to_have_text(re.compile("stage 1 · layer"))
    expect(button).to_have_text("▶")
    stage, layer = re.findall(r"\d+", shown.inner_text())
    settle(page, lambda now: (now.get("stage"), now.get("layer")) == (stage, layer))
    expect(caption(page)).to_contain_text(f"stage {stage} of 3 · layer {layer} of")
    at_rest(page)
    page.get_by_role("button", name="Cover the mouth").click()
    expect(caption(page)).to_contain_text("marks at the uncovered")
    at_rest(page)
    page.locator(".wb-time input").press("Home")
    expect(caption(page)).to_contain_text("mean face")
    expect(caption(page)).not_to_contain_text("marks at the uncovered")
    settle(page, lambda now: "stage" not in now)
    page.reload(wait_until="commit")
    expect(caption(page)).to_contain_text("mean face")  # the link names it among the view's own settings


def test_a_threshold_follows_what_can_be_drawn(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a&model=dslpt-68")
    expect(canvas(page, "Face with the relations")).to_be_visible()
    threshold = page.get_by_role("slider", name="smallest weight that is drawn")
    threshold.press("End")
    expect(caption(page)).to_contain_text("weights from")
    press(page, "MSA")
    expect(caption(page)).to_contain_text(".self ·")
    top = scale(page)
    in_force = page.locator(".wb-field", has=threshold).locator("output")
    expect(in_force).to_have_text(f"{top}")
    expect(caption(page)).to_contain_text(f"weights from {top} up")
    settle(page, lambda now: now.get("kind") == "self")
    at_rest(page)
    page.get_by_role("link", name="Structure").click()
    expect(canvas(page, "68 points")).to_be_visible()
    page.get_by_role("link", name="Relations").click()
    expect(canvas(page, "Face with the relations")).to_be_visible()
    expect(caption(page)).to_contain_text(f"weights from {top} up")
    expect(in_force).to_have_text(f"{top}")


def test_what_the_last_threshold_draws_is_what_is_saved(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a&model=dslpt-68&stage=3&layer=3&head=4")
    placed(canvas(page, "Face with the relations"))
    page.get_by_role("slider", name="smallest weight that is drawn").press("End")
    expect(caption(page)).to_contain_text("weights from")
    header, *rows = download(page, "CSV").decode().splitlines()
    assert header.startswith("query,")
    assert len(rows) == 1


def test_one_scale_for_all_maps_and_words_that_fit_the_arrows(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a&model=dslpt-68&landmark=30")
    expect(canvas(page, "Face with the relations")).to_be_visible()
    here = scale(page)
    press(page, "all maps")
    expect(caption(page)).to_contain_text("the largest of all maps")
    everywhere = scale(page)
    assert everywhere > 1.5 * here
    page.locator(".wb-thumbs button").first.click()
    expect(caption(page)).to_contain_text("head 1 of")
    assert scale(page) == everywhere
    press(page, "best partner")
    expect(caption(page)).to_contain_text(
        "an arrow from nose bridge 4 of 4 (30) to the key it weighs most, other than"
    )
    press(page, "key")
    expect(caption(page)).to_contain_text("arrows to nose bridge 4 of 4 (30) from the landmarks that weigh it most")


@pytest.mark.parametrize(
    ("view", "model", "header"),
    [
        ("relations", "dslpt-68", "query,"),
        ("uncertainty", "dslpt-68", "landmark,name,part"),
        ("structure", "dslpt-68", "model,landmark,other"),
        ("self-attention", "ssfa-68", "landmark,name"),
        ("inside", "ssfa-68", "y,x,value"),
        ("shape", "tufa", "point,name,plane_x"),
    ],
)
def test_every_widget_is_saved_as_picture_drawing_and_numbers(
    page: Page, app_url: str, view: str, model: str, header: str
) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/{view}?sample=frontal-a&model={model}")
    expect(page.locator(".wb-foot button")).to_have_count(3)
    at_rest(page)
    assert download(page, "PNG").startswith(b"\x89PNG")
    drawing = ET.fromstring(download(page, "SVG"))
    words = "".join(drawing.itertext())
    assert next(drawing.iter("{http://www.w3.org/2000/svg}path"), None) is not None
    for clause in page.locator(".wb-caption").first.inner_text().split(" · ")[:2]:
        assert clause.split()[0] in words
    assert download(page, "CSV").decode().startswith(header)
    assert not faults
