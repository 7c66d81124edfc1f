"""How long the app takes in a real browser: the first paint of every page, another page, an occluder's answer.

    python -m tools.benchmarks.app_browser [ROUNDS]

Everything is measured warm (the server has read the face before) in a browser whose cache is filled, as a person's is;
beside it what an empty page of Streamlit takes in the same run, which no page of the app can be quicker than.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Locator, Page

from tools.benchmarks.serving import PATIENCE, app, at_rest, browser, empty_page
from workbench.models import list_models
from workbench.views import offer_of
from workbench.views.register import VIEWS

_PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def pages() -> dict[str, str]:
    """Title of every page that draws a face -> its address, with a model that it can show."""
    cards = list_models()
    found = {"Start": "/"}
    for view in VIEWS.values():
        model = next((card.name for card in cards if view.needs.met_by(offer_of(card))), None)
        if view.page and model:
            found.setdefault(view.title, f"/{view.url}?sample=astronaut&model={model}")
    return found


class Traffic:
    """What travels while a page opens."""

    def __init__(self, page: Page) -> None:
        self.requests, self.bytes, self.socket = 0, 0, 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.webSocketFrameReceived", self._received)

    def _finished(self, event: dict[str, int]) -> None:
        self.requests += 1
        self.bytes += int(event["encodedDataLength"])

    def _received(self, event: dict[str, dict[str, str]]) -> None:
        self.socket += len(event["response"]["payloadData"]) * 3 // 4  # bytes travel as base64 here only


def opened(context: BrowserContext, url: str, ready: str) -> tuple[float, Traffic]:
    """Milliseconds until what ``ready`` selects is painted, and what travelled."""
    page = context.new_page()
    traffic, start = Traffic(page), time.perf_counter()
    page.goto(url, wait_until="commit", timeout=1000 * PATIENCE)
    page.wait_for_selector(ready, timeout=1000 * PATIENCE)
    page.evaluate(_PAINTED)
    taken = 1000 * (time.perf_counter() - start)
    at_rest(page)
    page.close()
    return taken, traffic


def timed(page: Page, act: Callable[[], None], shown: Locator) -> float:
    """Milliseconds from an act to what it leads to, painted."""
    start = time.perf_counter()
    act()
    shown.wait_for(timeout=1000 * PATIENCE)
    page.evaluate(_PAINTED)
    return 1000 * (time.perf_counter() - start)


def switches(context: BrowserContext, url: str, rounds: int) -> list[float]:
    """From Relations to Structure and back by the navigation."""
    page, taken = context.new_page(), []
    page.goto(f"{url}/relations?sample=astronaut&model=dslpt-68", timeout=1000 * PATIENCE)
    page.wait_for_selector("canvas", timeout=1000 * PATIENCE)
    at_rest(page)
    for k in range(2 * rounds):
        name = ("structure", "relations")[k % 2]
        link = page.locator(f'[data-testid="stSidebarNavLink"][href*="/{name}"]').first
        shown = page.locator(f".st-key-{name} canvas").first
        taken.append(timed(page, link.click, shown))
        at_rest(page)
        page.wait_for_timeout(200)
    page.close()
    return taken


def covers(context: BrowserContext, url: str, rounds: int) -> list[float]:
    """From covering with something else to the caption that tells of the new answer."""
    page, taken = context.new_page(), []
    page.goto(f"{url}/relations?sample=astronaut&model=dslpt-68&landmark=30", timeout=1000 * PATIENCE)
    page.get_by_role("button", name="occluder", exact=True).click(timeout=1000 * PATIENCE)
    page.get_by_role("group", name="Occluder.").wait_for(timeout=1000 * PATIENCE)
    at_rest(page)
    caption = page.locator(".wb-caption").first
    for k in range(rounds):
        fill = ("noise", "skin", "black", "grey")[k % 4]
        button = page.get_by_role("button", name=fill, exact=True)
        words = caption.filter(has_text=f"{fill} over")
        taken.append(timed(page, button.click, words))
        at_rest(page)
    page.close()
    return taken


def main(rounds: int) -> None:
    out, middle = sys.stdout.write, statistics.median
    with browser() as chromium, empty_page() as nothing, app() as server:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        empty, known = [], pages()
        out(f"{'page':<16} {'ms':>6} {'over empty':>11} {'requests':>9} {'kB':>7} {'kB by socket':>13}\n")
        for name, address in known.items():
            taken: list[float] = []
            opened(context, server.url + address, "canvas")  # the face is read, the browser's cache filled
            for _ in range(rounds):
                empty.append(opened(context, nothing.url, "[data-testid=stText]")[0])
                one, traffic = opened(context, server.url + address, "canvas")
                taken.append(one)
            over = middle(taken) - middle(empty[-rounds:])
            out(f"{name:<16} {middle(taken):>6.0f} {over:>11.0f} {traffic.requests:>9} {traffic.bytes / 1e3:>7.0f} ")
            out(f"{traffic.socket / 1e3:>13.0f}\n")
        out(f"{'an empty page':<16} {middle(empty):>6.0f}\n")
        out(f"another page: {middle(switches(context, server.url, rounds)):.0f} ms\n")
        out(f"another occluder: {middle(covers(context, server.url, rounds)):.0f} ms\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
