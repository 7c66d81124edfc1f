"""Opening the app: Streamlit with the settings of ``.streamlit/config.toml``, wherever it is started from."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import tomllib
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.paths import share

_MAIN = Path(__file__).parent / "app" / "main.py"
FIRST_PORT, PORTS = 8501, 20


def open_app(port: int | None = None, host: str = "127.0.0.1", browser: bool | None = None) -> int:
    """Serve the app until it is interrupted.

    Args:
        port: None takes the first free one from 8501.
        host: any address but this machine's own lets others in, which is said on standard error.
        browser: open a window; None does so where there is a screen.

    Returns:
        Streamlit's exit code.

    Raises:
        WorkbenchError: the port is taken or not allowed, or the address is not one of this machine's.
    """
    from streamlit.web import cli

    place = settings()
    place["server.address"], place["server.port"] = host, free_port(host, port)
    place["server.headless"] = not (has_screen() if browser is None else browser)
    if is_local(host):
        place["server.allowedHosts"] = sorted({*place["server.allowedHosts"], host})
    else:
        # Whoever opens it to a network knows by which names it will be reached; we do not.
        place["server.allowedHosts"] = ["*"]
        sys.stderr.write(
            f"Warning: everybody who can reach {host}:{place['server.port']} can use this app and see the photographs "
            "opened in it; it has no password.\n"
        )
    sys.argv = ["streamlit", "run", str(_MAIN), *flags(place)]
    try:
        cli.main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def settings() -> dict[str, Any]:
    """The configuration file as dotted names, so that the working directory does not matter."""
    with (share(".streamlit") / "config.toml").open("rb") as file:
        return _dotted(tomllib.load(file))


def _dotted(section: dict[str, Any], start: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in section.items():
        out |= _dotted(value, f"{start}{key}.") if isinstance(value, dict) else {f"{start}{key}": value}
    return out


def flags(values: dict[str, Any]) -> list[str]:
    """Dotted names and values as Streamlit's flags; a list becomes one flag an entry."""
    return [
        f"--{name}={str(item).lower() if isinstance(item, bool) else item}"
        for name, value in values.items()
        for item in (value if isinstance(value, list) else [value])
    ]


def is_local(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def has_screen() -> bool:
    """Whether a browser window can open here."""
    return not sys.platform.startswith("linux") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def free_port(host: str, wanted: int | None = None) -> int:
    """A port to listen on. Raises WorkbenchError when the wanted one, or every usual one, is taken."""
    ports = [wanted] if wanted else range(FIRST_PORT, FIRST_PORT + PORTS)
    reason = ""
    for port in ports:
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
            return port
        except OSError as error:
            reason = error.strerror or str(error)
        except UnicodeError:
            reason = "that is no address"
    shown = f"port {wanted}" if wanted else f"a port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1}"
    raise WorkbenchError(f"The app cannot listen on {host}, {shown} ({reason.lower()}); choose another with --port.")
