"""Every notebook runs from top to bottom, and its widgets carry what was computed."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
CHECK = {
    "01_reading_a_face.ipynb": """
assert reading.landmarks.shape == (68, 2)
assert len(explorer.packed) > 100_000
assert "render" in explorer._esm
assert after > before, (before, after)
""",
}


def test_there_are_notebooks() -> None:
    assert {path.name for path in NOTEBOOKS} == set(CHECK)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "notebooks are kept without outputs"
    notebook.cells.append(nbformat.v4.new_code_cell(CHECK[path.name]))
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()
