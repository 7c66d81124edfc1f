"""What a person does with one system's own mechanisms, in a real browser."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.test_journeys import PATIENCE, at_rest, canvas, caption, link, placed, saved, settle, visit

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def test_a_face_is_covered_and_the_rank_of_m_is_lowered(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/occlusion?sample=frontal-a&model=aodn-68")
    placed(canvas(page, "Occlusion: the face"))
    page.get_by_role("button", name="Cover the mouth").click()
    expect(page.locator(".wb-said")).to_contain_text(re.compile(r"P'', what is visible, falls under the occluder"))
    page.get_by_role("button", name="difference").click()
    expect(caption(page)).to_contain_text("minus without")
    at_rest(page)
    rank = page.get_by_role("slider", name="how many singular values")
    rank.focus()
    rank.press("Home")
    expect(page.locator(".wb-said")).to_contain_text("M cut to rank 0")
    rank.press("End")
    expect(page.locator(".wb-said")).not_to_contain_text("M cut")
    row = canvas(page, "Occlusion: a row")
    row.focus()
    row.press("ArrowRight")
    expect(caption(page)).to_contain_text("spatial gate: what each place")
    assert not faults


def test_edges_are_held_against_one_over_degree_and_nodes_followed(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/graph?sample=frontal-a&model=scc-68")
    placed(canvas(page, "Graph: the face"))
    expect(page.locator(".wb-said")).to_contain_text("The graph moves landmarks by")
    page.get_by_role("button", name="less 1 / degree").click()
    expect(caption(page)).to_contain_text("edge weights on this face less 1 / degree")
    layers = canvas(page, "How far each layer")
    layers.focus()
    layers.press("ArrowLeft")
    layers.press("Enter")
    expect(caption(page)).to_contain_text("layer 9 of 10")
    row = canvas(page, "Graph: a row")
    row.focus()
    row.press("ArrowLeft")
    expect(caption(page)).to_contain_text("positions after: block 3")
    page.get_by_role("button", name="mean face").click()
    expect(caption(page)).to_contain_text("S* is the mean face")
    at_rest(page)
    assert not faults


def test_a_cascade_is_pruned_and_another_task_looked_at(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/cascade?sample=frontal-a&model=chs-68&landmark=30")
    row = canvas(page, "Cascade: a row")
    before = placed(row)["height"]
    page.get_by_role("button", name="cascade 1").click()
    expect(caption(page)).to_contain_text("cascades.0.select.attended")
    assert placed(row)["height"] > 1.5 * before  # the gates come in a second row
    kept = page.get_by_role("slider", name="how many cascades")
    kept.focus()
    kept.press("Home")
    expect(page.locator(".wb-said")).to_contain_text(re.compile(r"Pruned to 0 of 2 cascades.*NME of 3\.26 %"))
    expect(caption(page)).to_contain_text("pruned to 0 of 2 cascades")
    at_rest(page)
    assert not faults


def test_a_turned_head_shows_its_axes_and_its_channels(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/pose?sample=turned-left-30&model=atpn-68")
    placed(canvas(page, "Pose: the face"))
    expect(caption(page)).to_contain_text(re.compile(r"yaw -2\d(\.\d)?°"))
    channels = canvas(page, "The channels of the features")
    channels.focus()
    channels.press("ArrowRight")
    channels.press("Enter")
    expect(caption(page)).to_contain_text("channel 1 of 24")
    expect(caption(page)).to_contain_text("features times H")
    row = canvas(page, "Pose: a row")
    row.focus()
    row.press("ArrowLeft")
    expect(caption(page)).to_contain_text("cells to the nearest landmark), at least 0.5")
    at_rest(page)
    assert not faults


def test_a_film_is_followed_called_off_scrubbed_and_kept(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, f"{app_url}/pose?sample=frontal-a&model=atpn-68")
    page.get_by_text("A film", exact=True).click()
    page.get_by_role("button", name="A film made of the samples").click()
    follow = page.get_by_role("button", name="Follow the faces")
    follow.click()
    page.get_by_role("button", name="Cancel").click()
    at_rest(page)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    follow.click()
    film = canvas(page, "Tracking: the film")
    placed(film)
    expect(caption(page)).to_contain_text("frame 0 of 48")
    time = canvas(page, "Tracking: the timeline")
    box = placed(time)
    page.evaluate(
        """() => { const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (data) {
            window.wbSent = (window.wbSent ?? 0) + 1;
            send.call(this, data);
        }; }"""
    )
    for part in (0.3, 0.5, 0.8):
        page.mouse.move(box["x"] + part * box["width"], box["y"] + 60)
    expect(caption(page)).to_contain_text(re.compile(r"frame 3\d of 48, from 0 · 3\.04 s · face 1 of 2 · lost"))
    assert page.evaluate("() => window.wbSent ?? 0") == 0  # pointing asks nobody
    page.mouse.move(5, 5)
    expect(caption(page)).to_contain_text("frame 0 of 48")
    film.focus()
    for _ in range(3):
        film.press("PageDown")
    settle(page, lambda now: "frame-30" in now.get("set", ""))
    expect(caption(page)).to_contain_text("frame 30 of 48")
    page.get_by_role("button", name="face 2").click()
    expect(caption(page)).to_contain_text("face 2 of 2")
    with Image.open(io.BytesIO(saved(page, "The film with all that was found, as GIF"))) as kept:
        assert kept.n_frames == 48
    assert saved(page, "Numbers of every frame as CSV").decode().startswith("face,frame,time,state,searched,")
    page.get_by_role("button", name="▶ play").click()
    expect(caption(page)).to_contain_text("frame 47 of 48")
    page.goto(page.url)
    expect(caption(page)).to_contain_text("face 2 of 2")
    assert link(page)["model"] == "atpn-68"
    assert not faults
