"""MkDocs hook: what a command's ``--help`` prints, where a page says ``<!-- help: NAME -->``."""

from __future__ import annotations

import re
from typing import Any

PLACE = re.compile(r"<!-- help: ([a-z-]*) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs for every page before it is rendered."""
    return PLACE.sub(lambda found: f"```text\n{help_of(found[1])}\n```", markdown)


def help_of(command: str) -> str:
    """What ``workbench COMMAND --help`` prints, the shell itself for "". Raises ValueError for an unknown command."""
    from typer.testing import CliRunner

    from workbench.cli import app

    asked = [command] if command else []
    answer = CliRunner().invoke(app, [*asked, "--help"], prog_name="workbench", env={"COLUMNS": "100"})
    if answer.exit_code:
        raise ValueError(f"The shell has no command '{command}', which a page of the documentation names.")
    return answer.output.strip()


def commands() -> list[str]:
    """The names of the shell's commands, in its own order."""
    from typer.main import get_command

    from workbench.cli import app

    return list(get_command(app).commands)  # type: ignore[attr-defined]
