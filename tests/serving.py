"""A server that a test starts, waits for and stops."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE = 120  # seconds: a cold start on a busy machine imports torch first


@contextmanager
def serve(
    folder: Path, health: str, *arguments: str, env: Mapping[str, str] | None = None, port: int | None = None
) -> Iterator[str]:
    """Run ``python -m ARGUMENTS --port=...`` in a folder that is not the checkout and give its address.

    Args:
        folder: working folder; the server's words go to its ``log.txt``.
        health: path below the address that answers 200 once the server is well.
        env: added to the environment.
        port: where to listen; a free one by default.
    """
    log = folder / "log.txt"
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        "WORKBENCH_HOME": str(folder / "home"),
        **(env or {}),
    }
    command = [sys.executable, "-m", *arguments, f"--port={port}"]
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(f"{url}/{health}", server, log)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server says that it is well; its own words when it does not."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    state = "stopped" if server.poll() is not None else f"did not answer within {PATIENCE} s"
    pytest.fail(f"The server {state}:\n{log.read_text(errors='replace')[-3000:]}", pytrace=False)
