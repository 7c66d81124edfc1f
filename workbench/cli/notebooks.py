"""``workbench notebooks``: the lessons, copied out and opened in JupyterLab, or rendered as pages."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from workbench.errors import WorkbenchError


def notebooks(
    folder: Annotated[
        Path | None, typer.Argument(help="Where the lessons are copied to; made when needed. [default: lessons]")
    ] = None,
    start: Annotated[bool, typer.Option("--start/--no-start", help="Open JupyterLab on them.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Overwrite lessons that were edited there.")] = False,
    code_only: Annotated[
        bool, typer.Option("--code-only", help="Headings, exercises and code alone, without words and solutions.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Run the lessons and write them into this folder as HTML pages instead.")
    ] = None,
    slides: Annotated[
        Path | None,
        typer.Option(help="Run the lessons and write the picture of each figure and widget into this folder instead."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of JupyterLab, or the next free one.")] = 8888,
) -> None:
    """Copy the lessons into a folder and open them in JupyterLab, which only this machine reaches."""
    from workbench.course import lessons

    if (html is not None or slides is not None or start) and find_spec("jupyterlab") is None:
        raise WorkbenchError(
            "The lessons run in JupyterLab, which is not installed; install the extra: "
            "pip install -c constraints.txt -e '.[notebook]'. With --no-start they are copied only."
        )
    made: list[Path] = []
    for place, make in ((html, lessons.render), (slides, lessons.slides)):
        if place is not None:
            made += make(place, lambda name: typer.echo(f"{name} ...", err=True))
    for file in made:
        typer.echo(file)
    if made:
        return
    folder = folder or Path("lessons")
    for lesson in lessons.copy_out(folder, force=force, code_only=code_only):
        typer.echo(lesson)
    if start:
        options = [f"--ServerApp.root_dir={folder.resolve()}", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
        code = subprocess.call([sys.executable, "-m", "jupyterlab", *options])
        if code:
            raise typer.Exit(code)
