"""Looking inside any model, and at where a place of the face looks, in a real browser."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import workbench as wb
from tests.e2e.test_journeys import NOSE_TIP, PATIENCE, at_rest, canvas, caption, placed, settle, visit

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def points(model: str, sample: str) -> np.ndarray:
    """Where a trained model sees the landmarks, in [0, 1] of the crop."""
    return wb.read(wb.load_model(model, device="cpu"), wb.sample_face(sample)).points()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option").filter(has_text=option).first.click()


def test_a_place_is_pointed_at_and_pinned_with_and_without_the_prior(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/self-attention?sample=frontal-a&model=ssfa-68")
    face = canvas(page, "with the prior")
    expect(face).to_be_visible()
    expect(canvas(page, "without the prior")).to_be_visible()
    width = placed(face)["width"]
    x, y = points("ssfa-68", "frontal-a")[NOSE_TIP]
    face.hover(position={"x": x * width, "y": y * width})
    expect(caption(page)).to_contain_text(f"query y {int(32 * y)}, x {int(32 * x)} of 32")
    shares = [
        float(re.findall(r"([\d.]+) % of this place", heading)[0])
        for heading in page.locator(".wb-panel h2").all_inner_texts()
        if "%" in heading
    ]
    assert len(shares) == 2
    assert 2 * shares[0] < shares[1]
    bare = canvas(page, "without attention")
    other = placed(bare)["width"]
    bare.hover(position={"x": 0.26 * other, "y": 0.76 * other})  # one pointer over all three
    expect(caption(page)).to_contain_text("query y 24, x 8 of 32")
    expect(page.locator(".wb-panel .wb-caption").nth(2)).to_contain_text("has no attention between places")
    leaks = page.locator(".wb-leaks tbody tr").nth(1)
    before = leaks.inner_text()
    radius = page.get_by_role("slider", name="half side of the squares")
    radius.focus()
    radius.press("ArrowRight")
    expect(leaks).not_to_have_text(before)
    expect(caption(page)).to_contain_text("mask moved by hand: training had sigma 0.5, R 1.5")
    settle(page, lambda now: "radius-2" in now.get("set", ""))
    radius.press("ArrowLeft")
    expect(caption(page)).not_to_contain_text("moved by hand")
    face.click(position={"x": x * width, "y": y * width})
    settle(page, lambda now: now.get("landmark") == str(NOSE_TIP))
    page.get_by_role("link", name="Inside").click()
    settle(page, lambda now: now.get("landmark") == str(NOSE_TIP) and now["model"] == "ssfa-68")
    assert not faults


def test_any_model_and_tensor_can_be_chosen_inside(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/inside?sample=frontal-a&model=scc-68")
    face = canvas(page, "Face with what the tensor holds")
    expect(face).to_be_visible()
    expect(caption(page)).to_contain_text(re.compile("32 . 32 cells"))
    at_rest(page)
    choose(page, "Model", "AODN compact")
    settle(page, lambda now: now["model"] == "aodn-68")
    expect(page.get_by_role("combobox", name="Model")).to_have_value(re.compile("AODN compact"))
    expect(caption(page)).to_contain_text("point_maps")  # AODN's own, so no later rerun closes a list that is open
    at_rest(page)
    choose(page, "Tensor", "geometry")
    settle(page, lambda now: now.get("tensor", "").startswith("geometry"))
    expect(caption(page)).to_contain_text("geometry")
    width = placed(face)["width"]
    face.hover(position={"x": 0.5 * width, "y": 0.5 * width})
    expect(page.locator(".wb-tip").first).to_contain_text("cell")
    page.reload(wait_until="commit")
    expect(caption(page)).to_contain_text("geometry")
    assert not faults


def test_a_model_that_a_page_cannot_show_gives_way_to_one_that_it_can(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a&model=aodn-68")
    menu = page.get_by_role("combobox", name="Model")
    expect(menu).to_have_value("AODN compact, 68 points · no attention between landmarks")
    page.get_by_role("button", name="Read this face with DSLPT compact").click()
    expect(canvas(page, "Face with the relations")).to_be_visible()
    settle(page, lambda now: now["model"] == "dslpt-68")
    expect(menu).to_have_value("DSLPT compact, 68 points")


def test_what_is_undone_at_once_stays_undone(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a")
    face = canvas(page, "Face with the relations")
    expect(face).to_be_visible()
    width = placed(face)["width"]
    x, y = points("dslpt-68", "frontal-a")[NOSE_TIP] * width
    for pause in (0, 60, 150):
        face.click(position={"x": x, "y": y})
        page.wait_for_timeout(pause)
        face.click(position={"x": x, "y": y})
        page.wait_for_timeout(400)
        at_rest(page)
        settle(page, lambda now: "landmark" not in now)


def test_a_point_of_a_prompt_is_followed_through_layers_and_heads(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/prompts?sample=frontal-a&model=tufa")
    face = canvas(page, "Where a point of the prompt looks")
    expect(face).to_be_visible()
    expect(caption(page)).to_contain_text("decoder.layers.3.cross · layer 4 of 4 · mean of 6 heads")
    width = placed(face)["width"]
    x, y = points("tufa", "frontal-a")[36]
    face.click(position={"x": x * width, "y": y * width})
    settle(page, lambda now: now.get("landmark") == "36")
    thumbs = placed(canvas(page, "Maps of all layers and heads"))
    side = (thumbs["width"] - 52 - 3 * 6) / 7  # of a map: the mean and six heads, beside the layer's name
    at = {"x": 52 + 2 * (side + 3) + side / 2, "y": 18 + (side + 3) + side / 2}
    canvas(page, "Maps of all layers and heads").click(position=at)
    expect(caption(page)).to_contain_text("decoder.layers.1.cross · layer 2 of 4 · head 2 of 6")
    expect(caption(page)).to_contain_text("softmax over 16 × 16 cells")
    choose(page, "A second prompt on the same face", "wflw98")
    expect(caption(page)).to_contain_text("squares: wflw98")
    expect(caption(page)).to_contain_text("head 2 of 6")
    assert not faults


def test_a_pinned_landmark_has_its_weights_in_a_table_and_a_blank_face_says_why(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-a&landmark=30")
    table = page.locator(".wb-pinned table")
    expect(table).to_contain_text("pinned: what it listens to")
    expect(table.locator("tbody tr")).to_have_count(3)
    weights = [float(text) for text in table.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert weights == sorted(weights, reverse=True)
    least = page.get_by_role("slider", name="smallest weight that is drawn")
    least.focus()
    least.press("End")
    expect(table).to_have_count(0)
    expect(page.locator(".wb-pinned")).to_contain_text("lower “from” to see lines")
    least.press("Home")
    expect(table.locator("tbody tr")).to_have_count(3)
    page.get_by_role("button", name="key", exact=True).click()
    expect(table).to_contain_text("pinned: who listens to it")
