"""What is installed: one set of versions, and a wheel that brings everything it needs."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest

import workbench as wb
from workbench import paths

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def plain(requirement: str) -> str:
    """The normalised name in a requirement."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


@pytest.fixture(scope="module")
def pinned() -> set[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith("#")]
    assert all(re.match(r"[\w.-]+==[\w.]+( ;.*)?$", line) for line in kept), "exact versions only"
    assert "torch==2.13.0" in kept
    return {plain(line) for line in kept}


def test_every_package_we_name_is_pinned(pinned) -> None:
    named = PROJECT["dependencies"] + [r for extra in PROJECT["optional-dependencies"].values() for r in extra]
    assert {plain(r) for r in named} - {"workbench"} <= pinned


def test_what_those_packages_need_is_pinned_too(pinned) -> None:
    """Followed through the packages as they are installed here; extras and other platforms are left out."""
    todo, seen = {plain(r) for r in PROJECT["dependencies"]}, set()
    while todo:
        name = todo.pop()
        seen.add(name)
        for needed in requires(name) or []:
            if "extra ==" in needed or "sys_platform" in needed or "platform_system" in needed or "python_" in needed:
                continue
            if plain(needed) not in seen:
                todo.add(plain(needed))
    assert seen <= pinned


OTHER_NAMES = {"PIL": "pillow", "dlib": "dlib-bin", "skimage": "scikit-image", "traitlets": "ipywidgets"}
"""Modules that are not called as the package that brings them."""


@pytest.mark.slow
def test_what_is_imported_is_asked_for() -> None:
    """Without an extra nothing but training may need more; what the other extras bring is imported by its name."""
    core = {plain(r) for r in PROJECT["dependencies"]}
    train = core | {plain(r) for r in PROJECT["optional-dependencies"]["train"]}
    course = core | {plain(r) for r in PROJECT["optional-dependencies"]["notebook"]}
    met = set()
    for path in (ROOT / "workbench").rglob("*.py"):
        allowed = train if "training" in path.parts else course if "course" in path.parts else core
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for top in {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"workbench"}:
                package = plain(OTHER_NAMES.get(top, top))
                assert package in allowed, f"{path.relative_to(ROOT)} imports {top}"
                met.add(package)
    assert core <= met, f"asked for, but never imported: {core - met}"


def test_public_names_are_there() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", wb.__version__)
    for name in wb.__all__:
        assert getattr(wb, name) is not None
    assert set(wb.__all__) <= set(dir(wb))
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        wb.nothing_of_ours  # noqa: B018


def test_the_parts_beside_the_package_are_found() -> None:
    assert {p.name for p in paths.share("checkpoints").glob("*.safetensors")} >= {"dslpt-68.safetensors"}
    assert (paths.share("pages") / "start.py").is_file()
    assert (paths.share(".streamlit") / "config.toml").is_file()


def test_checkpoints_are_small_and_have_cards() -> None:
    for card in wb.list_models():
        weights = paths.share("checkpoints") / card.weights
        assert weights.stat().st_size <= 12e6
        assert card.metrics
        assert card.licence


def test_our_licence_is_the_one_we_name() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "The workbench authors" in text


@pytest.mark.slow
def test_a_wheel_brings_pages_weights_scripts_and_notebooks(tmp_path) -> None:
    if importlib.util.find_spec("hatchling") is None:
        pytest.fail("Install the dev extra: the wheel is built with hatchling.", pytrace=False)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "workbench/py.typed",
        "workbench/__init__.pyi",
        "workbench/widgets/__init__.pyi",
        "workbench/widgets/host.js",
        "workbench/app/style.css",
        "workbench/faces/samples/credits.json",
        "workbench/_share/checkpoints/dslpt-68.safetensors",
        "workbench/_share/checkpoints/dslpt-68.json",
        "workbench/_share/notebooks/01_reading_a_face.ipynb",
        "workbench/_share/pages/start.py",
        "workbench/_share/.streamlit/config.toml",
    ):
        assert name in names
    tracked = subprocess.run(["git", "ls-files", "workbench"], cwd=ROOT, capture_output=True, text=True)
    assert set(tracked.stdout.split()) <= names
    assert not any("tests/" in name for name in names)
