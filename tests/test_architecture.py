"""The drawing of the architecture shows the import rules as they stand, and its page names what they name."""

from __future__ import annotations

from pathlib import Path

from tools.manual import drawing

ROOT = Path(__file__).parents[1]


def test_the_drawing_has_the_layers_of_the_import_rules() -> None:
    assert drawing.drawn_layers() == drawing.layers(), "python -m tools.manual.drawing draws it anew"


def test_the_drawing_is_the_one_that_the_rules_make() -> None:
    there = drawing.TARGET.read_text(encoding="utf-8")
    assert there == drawing.svg(), "python -m tools.manual.drawing draws it anew"


def test_every_room_is_in_the_rules_and_on_the_page() -> None:
    rooms = {room for row in drawing.layers() for room in row}
    package = ROOT / "workbench"
    there = {p.stem for p in package.glob("*.py")} | {p.parent.name for p in package.glob("*/__init__.py")}
    assert rooms == there - {"__init__"}
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [room for room in rooms - {"__main__"} if f"`{room}`" not in page] == []
