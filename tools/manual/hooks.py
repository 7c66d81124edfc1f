"""MkDocs hook: what a command's ``--help`` prints, where a page says ``<!-- help: NAME -->``, and what the register of
readers or of ablations knows, where it says ``<!-- readers -->`` or ``<!-- ablations -->``."""

from __future__ import annotations

import re
from typing import Any

PLACE = re.compile(r"<!-- help: ([a-z-]*) -->")
READERS_PLACE = "<!-- readers -->"
ABLATIONS_PLACE = "<!-- ablations -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs for every page before it is rendered."""
    markdown = PLACE.sub(lambda found: f"```text\n{help_of(found[1])}\n```", markdown)
    for place, made in ((READERS_PLACE, readers), (ABLATIONS_PLACE, ablations)):
        if place in markdown:
            markdown = markdown.replace(place, made())
    return markdown


def ablations() -> str:
    """A row an ablation, from the register."""
    from workbench.training.ablations import ABLATIONS

    return "\n".join(f"| `{one.name}` | {one.system}, {one.table} | {one.title} |" for one in ABLATIONS.values())


def readers() -> str:
    """A section a reader, from the register."""
    from workbench.data import READERS

    told = (
        ("recognised by", "pattern"), ("holds", "layout"), ("points", "points"), ("train and test", "splits"),
        ("subsets", "subsets"), ("its own box", "box"), ("missing and covered points", "missing"),
        ("as the papers measure", "protocol"),
    )  # fmt: skip
    sections = []
    for reader in READERS.values():
        rows = [(words, getattr(reader, name)) for words, name in told]
        rows[0] = ("recognised by", f"`{reader.pattern}`")
        lines = [f"| {words} | {value} |" for words, value in rows if value]
        title = reader.title[0].upper() + reader.title[1:]
        sections.append("\n".join([f"## {title}", "", f"| | `{reader.name}` |", "|---|---|", *lines]))
    return "\n\n".join(sections)


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
