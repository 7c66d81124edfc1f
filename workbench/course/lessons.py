"""The lessons as files: copied out for a class, with or without their words, and rendered as pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.paths import share

PICTURES = ("image/jpeg", "image/png", "text/html", "text/markdown", "image/svg+xml", "text/latex", "text/plain")
"""What a page shows of an output, the first that there is: pictures before what needs a kernel or a script."""


def lessons() -> list[Path]:
    """The shipped notebooks, in order."""
    return sorted(share("notebooks").glob("[0-9]*.ipynb"))


def title(path: Path) -> str:
    """A lesson's name: its first heading."""
    for cell in _read(path)["cells"]:
        for line in _source(cell).splitlines():
            if line.startswith("# "):
                return line.removeprefix("# ").strip()
    return path.stem


def copy_out(folder: str | Path, *, force: bool = False, code_only: bool = False) -> list[Path]:
    """Copy the lessons into a folder, which is made when needed.

    A lesson that lies there already and says the same is left as it is, its outputs included.

    Args:
        folder: where to.
        force: overwrite lessons that were edited.
        code_only: headings, exercises and code alone, for a class: no explanations, no solutions.

    Returns:
        All lessons that now lie there.

    Raises:
        WorkbenchError: a lesson there was edited, or the folder cannot be written.
    """
    folder, made = Path(folder), []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        wanted = {folder / path.name: _text(path, code_only) for path in lessons()}
        edited = [path.name for path, text in wanted.items() if path.exists() and not _same(path, text)]
        if edited and not force:
            raise WorkbenchError(
                f"In {folder}, {', '.join(edited)} would be overwritten, but somebody edited it; choose another "
                "folder, or --force to lose those edits."
            )
        for path, text in wanted.items():
            if not path.exists() or not _same(path, text):
                path.write_text(text, encoding="utf-8")
            made.append(path)
    except OSError as error:
        raise WorkbenchError(f"{folder} cannot be written ({(error.strerror or str(error)).lower()}).") from None
    return made


def render(folder: str | Path, told: Callable[[str], object] = lambda line: None, only: str = "*") -> list[Path]:
    """Run every lesson and write it as an HTML page with pictures of its figures and widgets.

    Args:
        folder: where to; made when needed.
        told: told of each lesson before it runs.
        only: glob pattern of the lessons' file names.

    Raises:
        WorkbenchError: a lesson fails, or the folder cannot be written.
        ModuleNotFoundError: JupyterLab is not installed.
    """
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()
    exporter.config.NbConvertBase.display_data_priority = list(PICTURES)

    def write(path: Path, notebook: Any, folder: Path) -> Iterator[Path]:
        notebook.metadata.pop("widgets", None)  # a page without a kernel shows their pictures
        notebook.metadata["title"] = title(path)
        page, _ = exporter.from_notebook_node(notebook)
        target = folder / f"{path.stem}.html"
        target.write_text(page, encoding="utf-8")
        yield target

    return _run(folder, told, only, write)


def slides(folder: str | Path, told: Callable[[str], object] = lambda line: None, only: str = "*") -> list[Path]:
    """Run every lesson and write the picture of each of its figures and widgets as a file of its own,
    ``LESSON-NUMBER-CELL.jpg``; as :func:`render`."""

    def write(path: Path, notebook: Any, folder: Path) -> Iterator[Path]:
        number = 0
        for cell in notebook.cells:
            for output in cell.get("outputs", ()):
                kind = next((k for k in ("image/jpeg", "image/png") if k in output.get("data", {})), None)
                if kind is None:
                    continue
                number += 1
                ending = "jpg" if kind == "image/jpeg" else "png"
                target = folder / f"{path.stem[:2]}-{number:02}-{cell.id}.{ending}"
                target.write_bytes(base64.b64decode(output["data"][kind]))
                yield target

    return _run(folder, told, only, write)


def _run(
    folder: str | Path,
    told: Callable[[str], object],
    only: str,
    write: Callable[[Path, Any, Path], Iterator[Path]],
) -> list[Path]:
    """What ``write`` makes of each lesson that was run."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    folder, made = Path(folder), list[Path]()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (p for p in lessons() if p.match(only)):
            told(path.stem)
            notebook = nbformat.read(path, as_version=4)
            place = {"metadata": {"path": str(path.parent)}}
            try:
                NotebookClient(notebook, timeout=600, resources=place).execute()
            except CellExecutionError as error:
                last = str(error).strip().splitlines()[-1]
                raise WorkbenchError(f"The lesson {path.name} fails: {last}") from None
            made += write(path, notebook, folder)
    except OSError as error:
        raise WorkbenchError(f"{folder} cannot be written ({(error.strerror or str(error)).lower()}).") from None
    return made


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _same(path: Path, text: str) -> bool:
    """Whether a notebook has the cells of another, outputs aside."""
    try:
        here = [(c["cell_type"], _source(c)) for c in _read(path)["cells"]]
    except (ValueError, KeyError, TypeError):
        return False
    return here == [(c["cell_type"], _source(c)) for c in json.loads(text)["cells"]]


def _text(path: Path, code_only: bool) -> str:
    if not code_only:
        return path.read_text(encoding="utf-8")
    notebook = _read(path)
    kept = []
    for cell in notebook["cells"]:
        name = str(cell.get("id", ""))
        if cell["cell_type"] == "markdown" and not name.startswith("exercise"):
            headings = [] if name.startswith("solution") else _headings(_source(cell))
            if not headings:
                continue
            cell = {**cell, "source": "\n".join(headings)}
        kept.append(cell)
    return json.dumps({**notebook, "cells": kept}, indent=1, ensure_ascii=False) + "\n"


def _headings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#")]
