"""The app, or an empty page of Streamlit to compare it with, as a server of its own; and a browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PATIENCE = 120
"""Seconds until a server or a page is given up."""


@dataclass(frozen=True)
class Server:
    """Where a server listens, and its process."""

    url: str
    pid: int

    def memory(self) -> float:
        """MB that its process holds (Linux)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 1e6


@contextmanager
def app() -> Iterator[Server]:
    """The app, what it keeps for its user in a folder that goes with it."""
    with tempfile.TemporaryDirectory() as home, _served(["workbench", "--no-browser"], home) as server:
        yield server


@contextmanager
def empty_page() -> Iterator[Server]:
    """A page of Streamlit that shows one line: what no page of the app can be quicker than."""
    with tempfile.TemporaryDirectory() as home:
        script = Path(home) / "page.py"
        script.write_text("import streamlit as st\n\nst.text('ready')\n", encoding="utf-8")
        command = ["streamlit", "run", str(script), "--server.headless=true", "--browser.gatherUsageStats=false"]
        with _served(command, home, flag="--server.port") as server:
            yield server


@contextmanager
def _served(command: list[str], home: str, flag: str = "--port") -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", *command, f"{flag}={port}"],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "WORKBENCH_HOME": home},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit("The server did not start.") from None
                time.sleep(0.05)
        yield Server(url, process.pid)
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("The benchmark needs Chromium or Chrome.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield started
        started.close()


def at_rest(page: Page) -> None:
    """Wait until the script has run and every part has arrived."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=1000 * PATIENCE)
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')", timeout=1000 * PATIENCE)
