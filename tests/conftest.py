"""What several tests share: a small model, a browser, and the app as a person starts it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from workbench.models import FaceModel

ROOT = Path(__file__).parents[1]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120  # seconds: a cold start on a busy machine imports torch first


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
            "The browser tests need Chromium or Chrome: install one (Debian: apt-get install chromium) or put its "
            "path into WORKBENCH_CHROMIUM.",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One headless browser for the session."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
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
    """The address of the app, started by its own command in a folder that is not the checkout."""
    folder = tmp_path_factory.mktemp("app")
    log = folder / "log.txt"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "workbench", "--no-browser", "--port", str(port)]
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    try:
        _await(url, server, log)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the app says that it is well; its own words when it does not."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            time.sleep(0.2)
    state = "stopped" if server.poll() is not None else f"did not answer within {PATIENCE} s"
    pytest.fail(f"The app {state}:\n{log.read_text(errors='replace')[-3000:]}", pytrace=False)
