"""Imports run one way: no module of the package needs, however indirectly, a module that needs it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "workbench"


def modules(package: Path) -> dict[str, Path]:
    """Dotted name -> file, of a package and everything in it."""
    names = {}
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imports(name: str, path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of ``known`` that one of them imports anywhere: at the top, inside functions, for type checkers,
    relatively, and by a name given to ``import_module`` as a literal."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
                base = f"{above}.{base}".rstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in known else base)
        elif (
            isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module"
        ):
            found |= {a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return (found & set(known)) - {name}


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """A path that comes back to where it began, or nothing."""
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in done:
            for other in sorted(graph[name]):
                if found := walk(other, [*path, name]):
                    return found
            done.add(name)
        return []

    return next(filter(None, (walk(name, []) for name in graph)), [])


def test_no_module_imports_itself_through_others() -> None:
    known = modules(PACKAGE)
    graph = {name: imports(name, path, known) for name, path in known.items()}
    assert graph["workbench.reading"] >= {"workbench.tracing", "workbench.models.base"}  # the graph sees something
    assert not (found := cycle(graph)), " -> ".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "from p import b",
        "from . import b",
        "import p.b",
        "from p.b import x",
        "def f():\n    from .b import x",
        "if TYPE_CHECKING:\n    from p.b import x",
        "import_module('p.b')",
    ],
)
def test_every_way_of_importing_is_seen(tmp_path: Path, line: str) -> None:
    package = tmp_path / "p"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text(line)
    (package / "b.py").write_text("from p.a import y")
    known = modules(package)
    graph = {name: imports(name, path, known) for name, path in known.items()}
    assert cycle(graph) == ["p.a", "p.b", "p.a"]
