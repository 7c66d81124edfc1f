"""Names of a package that load on first use, as its stub lists them, so that ``workbench --help`` does not wait for
torch and editors still complete them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any


def attach_stub(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package from the ``.pyi`` beside its ``__init__.py``, whose
    lines read ``from . import module as module`` or ``from .module import name as name``."""
    where: dict[str, str] = {}
    for node in ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            where.update((alias.name, node.module or "") for alias in node.names)

    def load(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if where[name]:
            value = getattr(import_module(f"{package}.{where[name]}"), name)
        else:
            value = import_module(f"{package}.{name}")
        sys.modules[package].__dict__[name] = value
        return value

    class Lazy(ModuleType):
        """Keeps a function that is called as its module: the import system would put the module in its place."""

        def __setattr__(self, name: str, value: object) -> None:
            if isinstance(value, ModuleType) and where.get(name):
                value = getattr(import_module(f"{package}.{where[name]}"), name)
            super().__setattr__(name, value)

    sys.modules[package].__class__ = Lazy
    names = sorted(where)
    return load, names.copy, names
