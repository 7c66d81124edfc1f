"""Opening the app: Streamlit with the settings of ``.streamlit/config.toml``, wherever it is started from."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from workbench.paths import share

_MAIN = Path(__file__).parent / "app" / "main.py"


def flags() -> Iterator[str]:
    """Every line of the configuration as a command-line flag, so that the working directory does not matter."""
    with (share(".streamlit") / "config.toml").open("rb") as file:
        settings = tomllib.load(file)
    for section, entries in settings.items():
        for key, value in entries.items():
            text = str(value).lower() if isinstance(value, bool) else value
            if isinstance(value, dict):
                continue
            values = value if isinstance(value, list) else [text]
            for item in values:
                yield f"--{section}.{key}={item}"


def open_app(port: int, browser: bool, host: str) -> int:
    """Serve the app until it is interrupted; returns Streamlit's exit code."""
    from streamlit.web import cli

    headless = not browser or (
        sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    )
    chosen = [f"--server.port={port}", f"--server.address={host}", f"--server.headless={str(headless).lower()}"]
    sys.argv = ["streamlit", "run", str(_MAIN), *flags(), *chosen]
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0) if not isinstance(stop.code, str) else 1
    return 0
