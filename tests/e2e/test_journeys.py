"""What a person does, in a real browser, with the trained model."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Locator, Page, Playwright, expect

import workbench as wb
from tests.conftest import QUIET
from workbench.views import get_view

pytestmark = pytest.mark.slow

PATIENCE = 60_000
PAGES = ("", "relations", "structure", "uncertainty")
NOSE_TIP = 30


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def visit(page: Page, url: str) -> None:
    """Open an address and wait until the page stands."""
    page.set_default_timeout(PATIENCE)
    page.goto(url, wait_until="commit")
    expect(page.locator(".app-head")).to_be_visible()
    at_rest(page)


def at_rest(page: Page) -> None:
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_attached()
    expect(page.locator('[data-testid="stSkeleton"]')).to_have_count(0)


def link(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def settle(page: Page, done: Callable[[dict[str, str]], bool]) -> None:
    """Wait until the link says what was done."""
    for _ in range(PATIENCE // 100):
        if done(link(page)):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"The link stayed {link(page)}.")


def canvas(page: Page, label: str) -> Locator:
    return page.locator(f'canvas[aria-label^="{label}"]').first


def placed(surface: Locator) -> FloatRect:
    """Where something stands on the screen, once it is drawn and no longer moves."""
    expect(surface).to_be_visible()
    at_rest(surface.page)
    before = None
    for _ in range(PATIENCE // 100):
        now = surface.bounding_box()
        if now and now == before:
            return now
        before = now
        surface.page.wait_for_timeout(100)
    pytest.fail(f"{surface} never came to rest; it was last at {before}.")


def caption(page: Page) -> Locator:
    return page.locator(".wb-caption").first


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def upload(page: Page, name: str, data: bytes) -> None:
    page.get_by_role("button", name="Your photograph").click()
    page.locator('input[type="file"]').set_input_files([{"name": name, "mimeType": "image/png", "buffer": data}])


def download(page: Page, name: str) -> bytes:
    """What the button of that name saves."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(waiting.value.path()).read_bytes()


def saved(page: Page, item: str) -> bytes:
    """What an item of the page's menu saves."""
    at_rest(page)
    page.get_by_role("button", name="Save", exact=True).click()
    content = download(page, item)
    page.keyboard.press("Escape")
    return content


def nose(face: wb.Face) -> np.ndarray:
    """Where the trained model sees the nose tip, in [0, 1] of the crop."""
    return wb.read(wb.load_model("dslpt-68", device="cpu"), face).points()[NOSE_TIP]


def test_from_the_first_page_to_one_landmarks_relations(page: Page, app_url: str) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    visit(page, app_url)
    expect(page.locator(".app-head")).to_contain_text("read in")
    expect(page.locator(".st-key-wb-preview img")).to_be_visible()
    page.get_by_role("button", name="Frontal", exact=False).first.click()
    settle(page, lambda now: now["sample"] == "frontal-a")
    at_rest(page)
    page.get_by_role("link", name=get_view("relations").question).click()
    face = canvas(page, "Face with the relations")
    expect(face).to_be_visible()
    at_rest(page)
    expect(caption(page)).to_contain_text("each landmark")
    width = placed(face)["width"]
    x, y = nose(wb.sample_face("frontal-a")) * width
    face.hover(position={"x": x, "y": y})
    expect(caption(page)).to_contain_text(f"({NOSE_TIP})")
    face.click(position={"x": x, "y": y})
    settle(page, lambda now: now.get("landmark") == str(NOSE_TIP))
    page.mouse.move(5, 5)
    expect(caption(page)).to_contain_text(f"({NOSE_TIP})")
    page.get_by_role("link", name="Uncertainty").click()
    expect(canvas(page, "Face with the uncertainty")).to_be_visible()
    settle(page, lambda now: now.get("landmark") == str(NOSE_TIP))
    assert not faults


def test_hovering_never_calls_the_server(page: Page, app_url: str) -> None:
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    visit(page, f"{app_url}/relations?sample=frontal-a")
    face = canvas(page, "Face with the relations")
    placed(face)
    before = -1
    while len(sent) != before:  # until nothing more is said on opening
        before = len(sent)
        page.wait_for_timeout(1000)
    points = wb.read(wb.load_model("dslpt-68", device="cpu"), wb.sample_face("frontal-a")).points()
    width = placed(face)["width"]
    assert sent  # the page itself did come this way
    sent.clear()
    seen = set()
    for x, y in points * width:
        face.hover(position={"x": x, "y": y})
        seen.add(caption(page).inner_text())
    assert len(seen) > 50
    assert not sent


def test_a_link_restores_the_view_and_back_undoes(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/relations?sample=frontal-b&model=dslpt-68&stage=1&layer=2&head=2&landmark=36&kind=self")
    text = caption(page)
    for part in ("relation.layers.1.self", "stage 1 of 3", "head 2 of 4", "(36)"):
        expect(text).to_contain_text(part)
    expect(page.locator(".app-head")).to_contain_text("frontal-b")
    page.locator(".wb-seg button", has_text="2").first.click()
    settle(page, lambda now: now.get("stage") == "2")
    page.go_back()
    settle(page, lambda now: now.get("stage") == "1")
    expect(text).to_contain_text("stage 1 of 3")


def test_nonsense_in_a_link_is_a_sentence(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/uncertainty?sample=../../etc&stage=99&landmark=abc&model=%3Cscript%3E")
    expect(page.locator(".st-key-wb-notice")).to_contain_text("could not be used")
    expect(canvas(page, "Face with the uncertainty")).to_be_visible()
    settle(page, lambda now: now == {"sample": "astronaut", "model": "dslpt-68"})


def test_an_uploaded_photograph_is_read_and_stays_out_of_the_link(page: Page, app_url: str) -> None:
    visit(page, app_url)
    upload(page, "holiday.png", png(wb.faces.sample_photo("group")))
    settle(page, lambda now: now.get("photo") == "own")
    expect(page.locator(".app-head")).to_contain_text("holiday")
    expect(page.get_by_text("3 faces found")).to_be_visible()
    assert "sample" not in link(page)
    page.get_by_role("link", name="Relations").click()
    expect(canvas(page, "Face with the relations")).to_be_visible()
    settle(page, lambda now: now.get("photo") == "own")
    page.reload(wait_until="commit")
    expect(page.locator(".st-key-wb-notice")).to_contain_text("never part of a link")


def test_a_large_photograph_is_told_in_its_own_pixels(page: Page, app_url: str) -> None:
    visit(page, app_url)
    upload(page, "large.png", png(wb.faces.sample_photo("frontal-a").resize((5000, 5000))))
    settle(page, lambda now: now.get("photo") == "own")
    expect(caption(page)).to_contain_text(re.compile("Photograph 5000 . 5000 px, worked on at 4096 . 4096"))
    side = re.search(r"(\d+) . \d+ px, bright", caption(page).inner_text())
    assert side
    page.get_by_role("radio", name="What it sees").click()
    expect(page.get_by_text(f"pixels from {side[1]} x {side[1]} of the photograph")).to_be_visible()


def test_the_camera_takes_a_photograph(chromium: str, app_url: str, tmp_path: Path, playwright: Playwright) -> None:
    film = tmp_path / "film.mjpeg"  # the browser plays it as its camera
    photo = wb.faces.sample_photo("frontal-c").resize((480, 480))
    frame = io.BytesIO()
    photo.save(frame, "JPEG", quality=92)
    film.write_bytes(3 * frame.getvalue())
    camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    browser = playwright.chromium.launch(
        executable_path=chromium, args=[*QUIET, *camera, f"--use-file-for-fake-video-capture={film}"]
    )
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    visit(page, app_url)
    page.get_by_role("button", name="Your photograph").click()
    page.get_by_role("button", name="Use the camera").click()
    # A click before the first picture has come is lost.
    page.wait_for_function("document.querySelector('video')?.videoWidth > 0")
    page.wait_for_function("document.querySelector('video').readyState === HTMLMediaElement.HAVE_ENOUGH_DATA")
    shutter = page.get_by_role("button", name="Take Photo")
    for _ in range(PATIENCE // 3000):  # on a busy machine a first click may still find no picture
        if shutter.is_visible():
            shutter.click()
        page.wait_for_timeout(3000)
        if link(page).get("photo") == "own":
            break
    settle(page, lambda now: now.get("photo") == "own")
    expect(page.locator(".app-head")).to_contain_text("camera picture")
    expect(page.get_by_text("1 face found")).to_be_visible()
    browser.close()


def test_a_broken_file_leaves_the_face_as_it_was(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/?sample=frontal-b")
    upload(page, "broken.png", b"\x89PNG\r\n\x1a\n but no picture")
    expect(page.locator(".st-key-wb-notice")).to_contain_text("still here")
    assert link(page)["sample"] == "frontal-b"


def test_a_box_is_drawn_where_no_face_is_found(page: Page, app_url: str) -> None:
    visit(page, app_url)
    ramp = np.tile(np.linspace(60, 190, 480, dtype=np.uint8), (360, 1))
    upload(page, "wall.png", png(Image.fromarray(np.stack([ramp] * 3, axis=-1))))
    expect(page.get_by_text("No face was found in wall")).to_be_visible()
    place = placed(canvas(page, "Photograph"))
    page.mouse.move(place["x"] + 0.3 * place["width"], place["y"] + 0.3 * place["height"])
    page.mouse.down()
    page.mouse.move(place["x"] + 0.6 * place["width"], place["y"] + 0.7 * place["height"], steps=5)
    page.mouse.up()
    expect(page.locator(".app-head")).to_contain_text("read in")
    expect(caption(page)).to_contain_text("box by hand")
    expect(page.get_by_text("No face was found in wall")).to_have_count(0)


def test_a_box_drawn_over_a_found_face_is_taken(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/?sample=frontal-a")
    picture = canvas(page, "Photograph")
    page.get_by_role("button", name="draw a box").click()
    place = placed(picture)
    page.mouse.move(place["x"] + 0.3 * place["width"], place["y"] + 0.3 * place["height"])
    page.mouse.down()
    page.mouse.move(place["x"] + 0.6 * place["width"], place["y"] + 0.7 * place["height"], steps=5)
    page.mouse.up()
    settle(page, lambda now: "box" in now)
    expect(caption(page)).to_contain_text("box by hand")
    page.get_by_role("button", name="use the detected face").click()
    settle(page, lambda now: "box" not in now)


def test_a_folded_navigation_leaves_its_room(page: Page, app_url: str) -> None:
    visit(page, app_url)
    page.locator('[data-testid="stSidebar"]').hover()
    page.locator('[data-testid="stSidebarCollapseButton"] button').click()
    page.wait_for_function("""document.querySelector('[data-testid="stMain"]').getBoundingClientRect().x === 0""")
    head = placed(page.locator(".app-head"))
    opener = placed(page.locator('[data-testid="stExpandSidebarButton"]'))
    assert opener["y"] + opener["height"] <= head["y"] + 1


def test_sigma_rises_under_the_occluder_and_the_relations_answer(page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/uncertainty?sample=frontal-a")
    page.locator("button", has_text="occluder").first.click()
    row = page.locator("tr", has_text="under the occluder")
    expect(row).to_be_visible()
    expect(page.get_by_text("of their attention")).to_be_visible()
    handle = placed(page.locator('[aria-label^="Occluder."]'))
    before = page.get_by_text("of their attention").inner_text()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 0.9 * handle["height"], steps=8)
    page.mouse.up()
    expect(page.get_by_text("of their attention")).not_to_have_text(before)
    expect(page.locator(".wb-effect")).not_to_have_class(re.compile("waiting"))
    ratio = row.locator("b").inner_text()
    assert float(re.sub(r"[^\d.]", "", ratio)) > 1.2


@pytest.mark.parametrize("name", PAGES)
def test_nothing_scrolls_sideways_on_a_phone(name: str, browser: Browser, app_url: str) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 800})
    page = context.new_page()
    visit(page, f"{app_url}/{name}")
    expect(page.locator("canvas, .st-key-wb-preview img").first).to_be_visible()
    placed(page.locator("canvas, .st-key-wb-preview img").first)
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_two_people_at_once_do_not_mix(browser: Browser, app_url: str) -> None:
    contexts = [browser.new_context(viewport={"width": 1280, "height": 900}) for _ in range(2)]
    one, two = (context.new_page() for context in contexts)
    visit(one, f"{app_url}/?sample=frontal-a")
    visit(two, f"{app_url}/?sample=frontal-b")
    upload(one, "mine.png", png(wb.faces.sample_photo("frontal-c")))
    settle(one, lambda now: now.get("photo") == "own")
    two.get_by_role("link", name="Relations").click()
    expect(canvas(two, "Face with the relations")).to_be_visible()
    expect(one.locator(".app-head")).to_contain_text("mine")
    expect(two.locator(".app-head")).to_contain_text("frontal-b")
    settle(two, lambda now: now.get("sample") == "frontal-b")
    two.get_by_role("link", name="Start").click()
    expect(two.locator('button[data-name="frontal-b"]')).to_be_visible()
    expect(two.locator('button[data-name^="own:"]')).to_have_count(0)
    expect(one.locator('button[data-name^="own:"]')).to_have_count(1)
    for context in contexts:
        context.close()


def test_what_is_saved_is_what_is_shown(page: Page, app_url: str) -> None:
    visit(page, app_url)
    lines = saved(page, "Landmarks as CSV").decode().splitlines()
    assert len(lines) == 69
    expected = wb.read(wb.load_model("dslpt-68", device="cpu"), wb.sample_face("astronaut")).landmarks[0]
    x, y = (float(v) for v in lines[1].split(",")[4:6])
    assert np.allclose((x, y), expected, atol=0.05)


@pytest.mark.parametrize(
    ("name", "item", "start"),
    [
        ("relations", "This explorer as one HTML file", b"<!doctype html>"),
        ("uncertainty", "This explorer as one HTML file", b"<!doctype html>"),
    ],
)
def test_every_view_can_be_saved(name: str, item: str, start: bytes, page: Page, app_url: str) -> None:
    visit(page, f"{app_url}/{name}")
    assert saved(page, item).startswith(start)
