"""Packages whose names load on first use: what their stub promises is there, typed, and nothing loads before."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STUBS = sorted((ROOT / "workbench").rglob("__init__.pyi"))


def package(stub: Path) -> str:
    return ".".join(stub.parent.relative_to(ROOT).parts)


def names(stub: Path) -> dict[str, str]:
    """Every name of a stub and the module it comes from."""
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module or "" for node in imports for alias in node.names}


@pytest.mark.parametrize("stub", STUBS, ids=package)
def test_a_package_has_what_its_stub_says(stub: Path) -> None:
    module = importlib.import_module(package(stub))
    assert set(module.__all__) == set(names(stub)) == set(dir(module))
    for name, place in names(stub).items():
        owner = importlib.import_module(f"{package(stub)}.{place or name}")
        assert getattr(module, name) is (getattr(owner, name) if place else owner)


def test_the_stubs_are_those_of_the_lazy_packages() -> None:
    lazy = [p for p in (ROOT / "workbench").rglob("__init__.py") if "attach_stub" in p.read_text(encoding="utf-8")]
    assert (
        {p.parent for p in lazy} == {p.parent for p in STUBS} >= {ROOT / "workbench", ROOT / "workbench" / "widgets"}
    )
    others = [p for p in (ROOT / "workbench").rglob("*.py") if "def __getattr__(name" in p.read_text(encoding="utf-8")]
    assert others == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "heavy"),
    [
        ("import workbench", "torch"),
        ("from workbench import cli", "torch"),
        ("import workbench; workbench.list_models()", "torch"),
        ("import workbench.training", "lightning"),
        ("from workbench.training import RECIPES", "lightning"),
        ("from workbench.widgets import relations_payload", "streamlit"),
        ("from workbench.widgets import relations_payload", "anywidget"),
    ],
)
def test_heavy_packages_wait_until_they_are_asked_for(first: str, heavy: str) -> None:
    code = f"{first}; import sys; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120).returncode == 0


@pytest.mark.slow
def test_a_type_checker_knows_the_names(tmp_path) -> None:
    """The project's own settings, so that what mypy has read before is not read again."""
    program = tmp_path / "program.py"
    program.write_text(
        "import workbench as wb\n"
        "from workbench.widgets import relations_payload\n"
        "reveal_type(wb.load_face)\n"
        "reveal_type(wb.read)\n"
        "reveal_type(relations_payload)\n"
        "wb.nothing_of_ours\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(program)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    told = done.stdout
    assert "-> workbench.faces.face.Face" in told, told + done.stderr
    assert "-> workbench.reading.Reading" in told
    assert 'has no attribute "nothing_of_ours"' in told
    assert 'revealed type is "any"' not in told.lower()
