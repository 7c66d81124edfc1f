"""Many people at once: browser sessions that read faces side by side for a while.

    python -m tools.benchmarks.soak [SESSIONS] [MINUTES]          # 15 sessions for 15 minutes

Every session has a face of its own; it opens the app, then goes from page to page and from model to model by links,
each with a wait as a person's. What it shows has to be its own: a page that shows another face than its link's, or
none, and an error are counted. Printed: the time to read (from a link followed to the page at rest) of one session
alone and of all, as median and 95th percentile, and the server's memory before, while they are there, and after they
have left.
"""

from __future__ import annotations

import random
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field

from playwright.sync_api import Error, Page

from tools.benchmarks.serving import PATIENCE, Server, app, at_rest, browser
from workbench.faces import sample_names

MODELS = ("dslpt-68", "slpt-68", "dslpt-98", "ssfa-68", "atpn-68")
VISITS = ("relations", "inside", "uncertainty", "structure", "")
PAUSE = (1.0, 4.0)
"""Seconds between two links, as a person waits."""
LEAVING = 60
"""Seconds after the last session has gone in which the server lets its own go."""


@dataclass
class Told:
    """What a session has met."""

    seconds: list[float] = field(default_factory=list)
    crossed: int = 0
    errors: list[str] = field(default_factory=list)


def visit(page: Page, url: str, sample: str, dice: random.Random, told: Told) -> None:
    """Follow one link; the page has to show the face that the link asks for."""
    link = f"{url}/{dice.choice(VISITS)}?sample={sample}&model={dice.choice(MODELS)}"
    start = time.perf_counter()
    page.goto(link, wait_until="commit", timeout=1000 * PATIENCE)
    page.locator(".app-head").wait_for(timeout=1000 * PATIENCE)
    at_rest(page)
    told.seconds.append(time.perf_counter() - start)
    told.crossed += page.locator(f'.app-head img[alt="the chosen face, {sample}"]').count() != 1
    if page.locator('[data-testid="stException"]').count():
        told.errors.append(link)


def session(server: Server, k: int, end: float, told: Told) -> None:
    """One person, with a browser of their own, until the time is over."""
    names = sample_names()
    sample, dice = names[k % len(names)], random.Random(k)
    with browser() as chromium:
        page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
        while time.monotonic() < end:
            try:
                visit(page, server.url, sample, dice, told)
            except Error as error:
                told.errors.append(str(error).splitlines()[0])
            page.wait_for_timeout(1000 * dice.uniform(*PAUSE))


def together(server: Server, sessions: int, seconds: float) -> list[Told]:
    """So many sessions side by side."""
    end, told = time.monotonic() + seconds, [Told() for _ in range(sessions)]
    people = [threading.Thread(target=session, args=(server, k, end, one)) for k, one in enumerate(told)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    return told


def words(title: str, told: list[Told]) -> str:
    """One line of what a group has met."""
    seconds = sorted(value for one in told for value in one.seconds)
    if not seconds:
        return f"{title:<22} no page came to rest"
    late = seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))]
    return f"{title:<22} {len(seconds):>5} pages, median {statistics.median(seconds):.2f} s, 95 % within {late:.2f} s"


def main(sessions: int, minutes: float) -> None:
    out = sys.stdout.write
    with app() as server:
        together(server, sessions, 20 * minutes)  # models and faces are read, and kept as far as the caches go
        time.sleep(LEAVING)
        before = server.memory()
        out(words("one session", together(server, 1, 20 * minutes)) + "\n")
        told = together(server, sessions, 60 * minutes)
        during = server.memory()
        out(words(f"{sessions} sessions", told) + "\n")
        time.sleep(LEAVING)
        after = server.memory()
        out(f"memory {before:.0f} MB before, {during:.0f} MB at the end, {after:.0f} MB after they left\n")
        errors = [error for one in told for error in one.errors]
        out(f"{sum(one.crossed for one in told)} pages of another's face, {len(errors)} errors\n")
        out("".join(f"  {error}\n" for error in errors[:10]))


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 15, float(given[1]) if len(given) > 1 else 15)
