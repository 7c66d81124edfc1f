"""Starting the app: its settings, its port, and what it lets in."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from workbench import launch
from workbench.errors import WorkbenchError

ROOT = Path(__file__).parents[1]


@pytest.fixture
def started(monkeypatch) -> list[str]:
    """The words that Streamlit would be started with."""
    from streamlit.web import cli

    words: list[str] = []
    monkeypatch.setattr(cli, "main", lambda: words.extend(sys.argv))
    monkeypatch.setattr(sys, "argv", sys.argv)
    return words


@pytest.fixture
def taken() -> int:
    """A port that something else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_every_setting_is_passed_on(started) -> None:
    assert launch.open_app(browser=False) == 0
    for flag in (
        "--server.address=127.0.0.1",
        "--server.allowedHosts=127.0.0.1",
        "--server.allowedHosts=localhost",
        "--server.enableCORS=true",
        "--server.enableXsrfProtection=true",
        "--server.enableStaticServing=false",
        "--server.maxUploadSize=20",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
        "--client.showErrorDetails=none",
        "--client.toolbarMode=minimal",
    ):
        assert flag in started
    assert len(started) == len(set(started))


def test_a_screen_decides_about_the_window_unless_told(started, monkeypatch) -> None:
    monkeypatch.setattr(launch, "has_screen", lambda: True)
    launch.open_app()
    assert "--server.headless=false" in started
    started.clear()
    launch.open_app(browser=False)
    assert "--server.headless=true" in started


def test_another_address_is_let_in_with_a_warning(started, capsys) -> None:
    launch.open_app(host="0.0.0.0", browser=False)
    assert "--server.address=0.0.0.0" in started
    assert "--server.allowedHosts=*" in started
    assert "no password" in capsys.readouterr().err


def test_another_address_of_this_machine_may_be_opened(started) -> None:
    launch.open_app(host="127.0.0.2", browser=False)
    assert "--server.allowedHosts=127.0.0.2" in started
    assert "--server.allowedHosts=*" not in started


def test_an_address_that_is_none_gets_a_sentence() -> None:
    with pytest.raises(WorkbenchError, match="no address"):
        launch.free_port("a..b")


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("10.0.0.7", False)],
)
def test_which_addresses_are_local(host, local) -> None:
    assert launch.is_local(host) is local


def test_a_taken_port_gets_a_sentence(taken) -> None:
    with pytest.raises(WorkbenchError, match=f"port {taken}.*--port"):
        launch.free_port("127.0.0.1", taken)


def test_the_next_free_port_is_found(taken, monkeypatch) -> None:
    monkeypatch.setattr(launch, "FIRST_PORT", taken)
    assert taken < launch.free_port("127.0.0.1") < taken + launch.PORTS


def test_streamlit_knows_every_setting() -> None:
    from streamlit import config

    known = config.get_config_options()
    assert set(launch.settings()) <= set(known)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 101), ({"Origin": "http://evil.example"}, 403), ({"Host": "evil.example"}, 403)],
    ids=["own page", "another site's page", "another name for this machine"],
)
def test_only_the_app_itself_may_open_a_session(app_url, headers, status) -> None:
    where = urlsplit(app_url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
    handshake = {
        "Origin": app_url,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    connection.request("GET", "/_stcore/stream", headers={**handshake, **headers})
    assert connection.getresponse().status == status
    connection.close()


def test_the_page_is_there(app_url) -> None:
    with urllib.request.urlopen(app_url, timeout=30) as answer:
        assert b"<title>" in answer.read()


def test_help_does_not_wait_for_torch() -> None:
    code = (
        "import sys; sys.argv = ['workbench', '--help']\n"
        "from workbench.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "assert not {'torch', 'numpy', 'streamlit', 'plotly'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "predict" in done.stdout
