"""Every lesson runs from top to bottom, twice in one kernel; what a student should see is there; every check refuses
the stub and plausible wrong answers and accepts the solution that the lesson folds away."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks import seen

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LARGEST, WIDEST = 100_000, 960
LONG = ("train", "agreement", "curves", "few", "graph")
"""Cells that train or sweep for seconds; what they make is there when the others run a second time."""


def expectations(path: Path) -> Any:
    """``seen/lesson_NN.py``: SEEN, code that runs after the lesson; WRONG, check -> at least three wrong answers."""
    return importlib.import_module(f"{seen.__name__}.lesson_{path.name[:2]}")


def exercises(notebook: Any) -> dict[str, tuple[str, str]]:
    """Check -> the line that asks it, and the folded solution."""
    cells = {cell.id: cell for cell in notebook.cells}
    found = {}
    for name, cell in cells.items():
        if cell.cell_type == "code" and name.startswith("exercise-"):
            which = name.removeprefix("exercise-")
            line = cell.source.strip().splitlines()[-1]
            assert line.startswith(f"check.{which}("), f"{path_of(notebook)}: {name} ends with {line}"
            folded = cells[f"solution-{which}"].source
            assert "<details>" in folded, f"solution-{which} is not folded"
            solution = re.search(r"```python\n(.*?)```", folded, re.S)
            assert solution, f"solution-{which} holds no code"
            found[which] = line, solution[1]
    return found


def path_of(notebook: Any) -> str:
    return notebook.metadata.get("path", "")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_tidy(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells), "outputs are kept"
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    private = re.findall(r"^.*(?:import _|\b_(?!_)\w+\(|_payload\b).*$", code, re.M)
    assert not private, f"a lesson imports no private names: {private}"
    asked = exercises(notebook)
    assert len(asked) >= 3, f"{path.name} has {len(asked)} exercises"
    words = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    heads = re.findall(r"\*\*Exercise.*difficulty.*importance.*\d+ min", words)
    assert len(heads) == len(asked), "each exercise tells its difficulty, importance and minutes"
    assert "Predict" in words
    assert "Help, I get" in words


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_runs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    expected, asked = expectations(path), exercises(notebook)
    assert set(expected.WRONG) == set(asked)
    assert all(len(set(wrong)) >= 3 for wrong in expected.WRONG.values())
    lesson = [cell for cell in notebook.cells if cell.cell_type == "code"]
    again = [nbformat.v4.new_code_cell(cell.source) for cell in lesson if cell.id not in LONG]
    proof = [nbformat.v4.new_code_cell(expected.SEEN)]
    for name, (line, solution) in asked.items():
        ask = re.sub(r"^check\.", "said = check.", line)
        refused = f"\n{ask}\nassert not said, said\nassert 'not be checked' not in str(said), said"
        proof.append(nbformat.v4.new_code_cell(f"{source_of(notebook, name)}\n{ask}\nassert not said, said"))
        proof += [nbformat.v4.new_code_cell(wrong + refused) for wrong in expected.WRONG[name]]
        proof.append(nbformat.v4.new_code_cell(f"{solution}\n{ask}\nassert said, said"))
    notebook.cells = [*lesson, *again, *proof]
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}}).execute()
    for cell in lesson:
        for output in cell.outputs:
            look_at(output, cell.id)


def source_of(notebook: Any, name: str) -> str:
    return next(cell.source for cell in notebook.cells if cell.id == f"exercise-{name}")


def look_at(output: Any, where: str) -> None:
    """Figures and widgets bring a picture for where no kernel runs, of a size that a page takes."""
    import base64
    import io

    from PIL import Image

    data = output.get("data", {})
    moving = {"application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"} & set(data)
    if "image/jpeg" in data:
        raw = base64.b64decode(data["image/jpeg"])
        assert len(raw) <= LARGEST, (where, len(raw))
        assert Image.open(io.BytesIO(raw)).width <= WIDEST, where
    elif moving:
        kind = data.get("text/plain", "")
        assert "JupyterWidget" not in kind and "Figure" not in kind, f"{where} shows {kind} without a picture"


def test_every_lesson_is_expected() -> None:
    told = {p.stem for p in Path(seen.__file__).parent.glob("lesson_*.py")}
    assert told == {f"lesson_{path.name[:2]}" for path in NOTEBOOKS}
