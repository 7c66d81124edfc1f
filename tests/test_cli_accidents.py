"""What goes wrong around a command: a missing package, Ctrl-C, a reader that has seen enough."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from workbench import cli
from workbench.errors import DataError

ROOT = Path(__file__).parents[1]


def fails_with(error: BaseException):
    def command() -> None:
        raise error

    return cli.plainly(command)


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (DataError("There is no folder x; give another."), 2, "There is no folder x; give another."),
        (ModuleNotFoundError(name="lightning.pytorch"), 2, "install the extra"),
        (ModuleNotFoundError(name="plotly"), 2, "'plotly' is missing"),
        (KeyboardInterrupt(), 130, "Interrupted."),
    ],
    ids=["our error", "an extra", "a dependency", "Ctrl-C"],
)
def test_an_accident_is_one_sentence_and_a_code(error, code, says, capsys) -> None:
    with pytest.raises(typer.Exit) as stop:
        fails_with(error)()
    assert stop.value.exit_code == code
    printed = capsys.readouterr().err.strip()
    assert says in printed
    assert "\n" not in printed


@pytest.mark.parametrize("error", [ModuleNotFoundError(name="workbench.gone"), ZeroDivisionError()])
def test_a_fault_of_ours_keeps_its_traceback(error) -> None:
    with pytest.raises(type(error)):
        fails_with(error)()


def test_a_reader_that_leaves_is_no_accident() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "workbench", "samples", "--json"]
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, timeout=120)
    finally:
        os.close(writing)
    assert done.returncode == 0
    assert done.stderr == b""
