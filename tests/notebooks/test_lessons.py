"""The lessons as files: copied out without losing what somebody wrote, and rendered with pictures."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import nbformat
import pytest

from workbench.cli.notebooks import notebooks
from workbench.course import lessons
from workbench.errors import WorkbenchError


def sources(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def test_lessons_are_copied_out_and_edits_kept(tmp_path: Path) -> None:
    made = lessons.copy_out(tmp_path / "class")
    assert [path.name for path in made] == [path.name for path in lessons.lessons()]
    assert sources(made[0]) == sources(lessons.lessons()[0])
    ran = nbformat.read(made[0], as_version=4)
    code = next(cell for cell in ran.cells if cell.cell_type == "code")
    code.outputs = [nbformat.v4.new_output("stream", text="seen")]
    nbformat.write(ran, made[0])
    lessons.copy_out(tmp_path / "class")
    assert "seen" in made[0].read_text(encoding="utf-8"), "a lesson that was run only is left as it is"
    code.source = "mine = 1"
    nbformat.write(ran, made[0])
    with pytest.raises(WorkbenchError, match=f"{made[0].name} would be overwritten.*--force"):
        lessons.copy_out(tmp_path / "class")
    lessons.copy_out(tmp_path / "class", force=True)
    assert sources(made[0]) == sources(lessons.lessons()[0])


def test_a_copy_for_the_class_tells_no_solutions(tmp_path: Path) -> None:
    for path, whole in zip(lessons.copy_out(tmp_path, code_only=True), lessons.lessons(), strict=True):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        words = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        assert not any("Solution" in text for text in words)
        assert sum("**Exercise" in text for text in words) >= 3
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        assert code == [c.source for c in nbformat.read(whole, as_version=4).cells if c.cell_type == "code"]
        assert lessons.title(path) == lessons.title(whole)


def test_a_folder_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkbenchError, match="cannot be written"):
        lessons.copy_out(tmp_path / "file" / "inner")


def test_the_command_copies_without_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebooks(tmp_path, start=False, force=False, code_only=False, html=None, slides=None, port=8888)
    assert len(capsys.readouterr().out.splitlines()) == len(lessons.lessons())


@pytest.mark.slow
def test_a_page_shows_pictures_of_figures_and_widgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = nbformat.v4.new_notebook()
    small.cells = [
        nbformat.v4.new_markdown_cell("# A small lesson"),
        nbformat.v4.new_markdown_cell(
            "<details><summary>Solution</summary>\n\n```python\nfolded = 1\n```\n\n</details>"
        ),
        nbformat.v4.new_code_cell("import workbench as wb\nreading = wb.read('dslpt-68', 'astronaut')"),
        nbformat.v4.new_code_cell("wb.figures.landmarks(reading)"),
        nbformat.v4.new_code_cell("wb.explore(reading)"),
        nbformat.v4.new_code_cell(
            "from workbench.course import controls\n"
            "controls(lambda layer: wb.figures.matrix(reading, layer=layer), layer=(0, 1))"
        ),
    ]
    path = tmp_path / "01_small.ipynb"
    path.write_text(json.dumps(small), encoding="utf-8")
    monkeypatch.setattr(lessons, "lessons", lambda: [path])
    (page,) = lessons.render(tmp_path / "pages")
    text = page.read_text(encoding="utf-8")
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text)
    assert len(pictures) == 3
    assert all(base64.b64decode(picture)[:2] == b"\xff\xd8" for picture in pictures)
    assert "<title>A small lesson</title>" in text
    assert re.search(r"<summary>Solution</summary>(?:(?!</details>).)*folded", text, re.S), "solutions stay folded"
    files = lessons.slides(tmp_path / "slides")
    assert [file.name[:6] for file in files] == ["01-01-", "01-02-", "01-03-"]
    assert [file.read_bytes() for file in files] == [base64.b64decode(picture) for picture in pictures]
    small.cells.append(nbformat.v4.new_code_cell("1 / 0"))
    path.write_text(json.dumps(small), encoding="utf-8")
    with pytest.raises(WorkbenchError, match=r"01_small.ipynb fails: .*division by zero"):
        lessons.render(tmp_path / "pages")
