"""The drawing of the architecture, made from the import rules: ``python -m tools.manual.drawing`` writes it anew.

Layers and further rules come from ``[tool.importlinter]`` in ``pyproject.toml``, the words in a box are the first line
of that room's docstring. A test compares what lies in ``docs/architecture.svg`` with the rules.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "architecture.svg"
WIDTH, LEFT, GAP, LINE, PAD = 780, 34, 8, 17, 9  # pixels
INK, MUTED, BOX, EDGE, ACCENT = "#1B2330", "#5B6574", "#F3F5F8", "#C9CED6", "#0072B2"


def contracts() -> list[dict[str, Any]]:
    """The rules as they stand in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return found


def layers() -> list[list[str]]:
    """Rooms from the top to the bottom; those in one row do not import one another."""
    (rule,) = (c for c in contracts() if c["type"] == "layers")
    return [[re.sub(r"[()\s]", "", room) for room in row.split("|")] for row in rule["layers"]]


def drawn_layers(svg: Path = TARGET) -> list[list[str]]:
    """The rooms as a drawing shows them, read from the picture itself: by row, from the top."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for group in ElementTree.parse(svg).iter("{http://www.w3.org/2000/svg}g"):
        if group.get("class") == "room":
            box = group.find("{http://www.w3.org/2000/svg}rect")
            name = group.find("{http://www.w3.org/2000/svg}text")
            assert box is not None and name is not None and name.text
            rows.setdefault(float(box.attrib["y"]), []).append((float(box.attrib["x"]), name.text))
    return [[name for _, name in sorted(rows[y])] for y in sorted(rows)]


def first_line(room: str) -> str:
    """The first line of a package's or module's docstring."""
    folder = ROOT / "workbench" / room
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0].replace("``", "")


def svg() -> str:
    """The drawing."""
    extra = [c for c in contracts() if c["type"] != "layers"]
    parts: list[str] = []
    y = 34
    for row in layers():
        width = (WIDTH - LEFT - GAP * len(row)) / len(row)
        told = [textwrap.wrap(first_line(room), int((width - 2 * PAD) / 6.9)) for room in row]
        height = 2 * PAD + LINE * (1 + max(map(len, told)))
        for i, (room, lines) in enumerate(zip(row, told, strict=True)):
            x = LEFT + i * (width + GAP)
            marks = [n for n, rule in enumerate(extra, 1) if f"workbench.{room}" in rule["source_modules"]]
            parts += _box(x, y, width, height, room, lines, " ".join(f"({n})" for n in marks))
        y += height + GAP
    foot = [f"({n}) {rule['name']}" for n, rule in enumerate(extra, 1)]
    for line in foot:
        y += LINE
        parts.append(_text(LEFT, y, line, MUTED))
    arrow = (
        f'<path d="M14 40V{y - LINE * (len(foot) + 1)}m-5-9 5 9 5-9" fill="none" stroke="{ACCENT}" stroke-width="2"/>'
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 16}" role="img" '
            'font-family="system-ui, sans-serif" font-size="12.5">',
            "<title>The rooms of workbench: each may import those below it, none may import those above</title>",
            f'<rect width="{WIDTH}" height="{y + 16}" fill="#FFFFFF"/>',
            _text(LEFT, 22, "A room may import those below it, never those above or beside it.", MUTED),
            arrow,
            *parts,
            "</svg>\n",
        ]
    )


def _box(x: float, y: float, width: float, height: float, room: str, lines: list[str], marks: str) -> list[str]:
    return [
        '<g class="room">',
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{BOX}" stroke="{EDGE}"/>',
        f'<text x="{x + PAD:g}" y="{y + PAD + 12:g}" fill="{INK}" font-weight="600">{escape(room)}</text>',
        f'<text x="{x + width - PAD:g}" y="{y + PAD + 12:g}" fill="{ACCENT}" text-anchor="end">{marks}</text>',
        *(_text(x + PAD, y + PAD + 12 + LINE * (n + 1), line, MUTED) for n, line in enumerate(lines)),
        "</g>",
    ]


def _text(x: float, y: float, words: str, colour: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}">{escape(words)}</text>'


if __name__ == "__main__":
    TARGET.write_text(svg(), encoding="utf-8")
