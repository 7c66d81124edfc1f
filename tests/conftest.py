"""What several tests share: a small model, a browser, and the app as a person starts it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.serving import serve

# What the app keeps for its user is kept out of the home of whoever runs the tests.
os.environ["WORKBENCH_HOME"] = tempfile.mkdtemp(prefix="workbench-home-")
atexit.register(shutil.rmtree, os.environ["WORKBENCH_HOME"], ignore_errors=True)

if "PYTEST_XDIST_WORKER" in os.environ:
    # One core a worker, and a worker's children: threads of several that wait for one another take longer than one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

    from workbench.models import FaceModel

CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that no worker is left with one when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def tiny_model() -> FaceModel:
    """An untrained DSLPT of 68 points: three stages, two layers, two heads; it reads a crop in milliseconds."""
    import torch

    from tests.readings import drawn_shape
    from workbench.landmarks import get_scheme
    from workbench.models import build, preset

    torch.manual_seed(0)
    config = replace(preset("dslpt-68-compact"), dim=16, heads=2, layers=2, ffn=32)
    model = build(config, torch.from_numpy(drawn_shape(get_scheme("68"))).float()).eval()
    model.name = "tiny"
    return model


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser that the journeys drive; a machine without one fails them, it does not skip them."""
    named = os.environ.get("WORKBENCH_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if not found or not shutil.which(found):
        pytest.fail(
            "The browser tests need Chromium or Chrome: install one (Debian: apt-get install chromium-headless-shell) "
            "or put its path into WORKBENCH_CHROMIUM.",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(chromium: str, playwright: Playwright) -> Iterator[Browser]:
    """One headless browser for the session."""
    started = playwright.chromium.launch(executable_path=chromium, args=QUIET)
    yield started
    started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page, 1280 x 900, as a new visitor has it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, started by its own command."""
    with serve(tmp_path_factory.mktemp("app"), "_stcore/health", "workbench", "--no-browser") as url:
        yield url
