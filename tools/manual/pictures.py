"""The pictures of the pages in ``docs/``: ``python -m tools.manual.pictures [NAME ...]`` takes them anew.

Starts the app, drives it with Playwright and the Chromium of this machine as a person would, and writes
``docs/NAME.webp``, 1280 x 900 pixels. Look at each before you commit it.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

import workbench as wb

DOCS = Path(__file__).parents[2] / "docs"
SIZE = {"width": 1280, "height": 900}
PORT = 8790
NOSE = 30
OWN = [(0.3, 0.06), (0.4, 0.02), (0.5, 0.0), (0.6, 0.02), (0.7, 0.06), (0.33, 0.42), (0.67, 0.42)]
"""Points of one's own for the Shape page, on the plane: the hairline, and under the eyes."""


def canvas(page: Page, label: str) -> Locator:
    """The first canvas whose description begins so."""
    found = page.locator(f'canvas[aria-label^="{label}"]').first
    expect(found).to_be_visible()
    return found


def hover(page: Page, label: str, x: float, y: float, click: bool = False) -> None:
    """Point at a place of a canvas, given in parts of its width."""
    face = canvas(page, label)
    box = face.bounding_box()
    assert box
    place = {"x": x * box["width"], "y": y * box["width"]}
    face.click(position=place) if click else face.hover(position=place)  # type: ignore[arg-type]


def relations(page: Page) -> None:
    x, y = wb.read(wb.load_model("dslpt-68"), wb.sample_face("astronaut")).points()[NOSE]
    hover(page, "Face with", x, y)


def uncertainty(page: Page) -> None:
    page.locator("button", has_text="occluder").first.click()
    expect(page.locator("tr", has_text="under the occluder")).to_be_visible()


def self_attention(page: Page) -> None:
    x, y = wb.read(wb.load_model("ssfa-68"), wb.sample_face("astronaut")).points()[NOSE]
    hover(page, "with the prior", x, y)


def attribution(page: Page) -> None:
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_role("button", name="Computed")).to_be_visible(timeout=120_000)


def prompts(page: Page) -> None:
    page.get_by_text("Lattice").click()
    expect(page.locator(".wb-caption").first).to_contain_text("lattice")


def occlusion(page: Page) -> None:
    page.get_by_role("button", name="Cover the mouth").click()
    page.get_by_role("button", name="difference").click()
    expect(page.locator(".wb-caption").first).to_contain_text("minus without")


def graph(page: Page) -> None:
    hover(page, "Graph: the face", *wb.read(wb.load_model("scc-68"), wb.sample_face("astronaut")).points()[NOSE])


def cascade(page: Page) -> None:
    page.get_by_role("button", name="cascade 2").click()
    expect(page.locator(".wb-caption").first).to_contain_text("cascades.1")


def film(page: Page) -> None:
    page.get_by_role("button", name="Follow the faces").click()
    canvas(page, "Tracking: the film").focus()
    for _ in range(3):
        page.keyboard.press("PageDown")
    expect(page.locator(".wb-caption").first).to_contain_text("frame 30 of")


def shape(page: Page) -> None:
    for x, y in OWN:
        page.get_by_role("button", name="add points").click()
        box = canvas(page, "Face plane").bounding_box()
        assert box
        page.mouse.click(box["x"] + (x + 0.06) / 1.12 * box["width"], box["y"] + (y + 0.06) / 1.12 * box["height"])
        page.keyboard.press("Escape")
        expect(page.locator('.wb-shape[data-ready="true"]')).to_be_visible()


PICTURES: dict[str, tuple[str, Callable[[Page], None] | None]] = {
    "start": ("", None),
    "relations": ("relations?model=dslpt-68", relations),
    "structure": ("structure?model=dslpt-68", None),
    "uncertainty": ("uncertainty?model=dslpt-68", uncertainty),
    "self_attention": ("self-attention?model=ssfa-68", self_attention),
    "occlusion": ("occlusion?model=aodn-68", occlusion),
    "graph": ("graph?model=scc-68", graph),
    "cascade": ("cascade?model=chs-68", cascade),
    "pose": ("pose?model=atpn-68&sample=turned-left-30", None),
    "film": ("pose?model=atpn-68&sample=frontal-a&set=1~film.on-yes~.source-samples", film),
    "attribution": ("attribution?model=dslpt-68&landmark=30", attribution),
    "prompts": ("prompts?model=tufa", prompts),
    "shape": ("shape?model=tufa", shape),
    "inside": ("inside?model=scc-68", None),
}
"""Name -> address of the page, and what is done there before the picture is taken."""


def take(page: Page, url: str, name: str) -> None:
    """Open a page, do what its picture shows, and write the picture."""
    address, act = PICTURES[name]
    page.goto(f"{url}/{address}")
    expect(page.locator(".app-head")).to_be_visible()
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_attached()
    expect(page.locator('[data-testid="stSkeleton"]')).to_have_count(0)
    if name != "film":  # which begins with a button
        expect(page.locator("canvas").first).to_be_visible()
    page.wait_for_timeout(1500)  # motions come to rest
    if act:
        act(page)
        page.wait_for_timeout(1500)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(DOCS / f"{name}.webp", quality=88, method=6)


def main(names: list[str]) -> None:
    """Take the named pictures, or all."""
    url = f"http://127.0.0.1:{PORT}"
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # the browser wants a core too; pictures tell the time
    app = subprocess.Popen([sys.executable, "-m", "workbench", "--no-browser", f"--port={PORT}"], env=alone)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/_stcore/health").close()
                break
            except OSError:
                time.sleep(0.2)
        expect.set_options(timeout=120_000)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name in names or PICTURES:
                context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
                context.add_init_script("localStorage.setItem('workbench-tour-seen', 'yes')")
                page = context.new_page()
                page.set_default_timeout(120_000)
                take(page, url, name)
                context.close()
    finally:
        app.terminate()
        app.wait(20)


if __name__ == "__main__":
    main(sys.argv[1:])
