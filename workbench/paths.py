"""Where the parts that live beside the package are: in a checkout the root, in an installed wheel ``_share``."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def share(name: str) -> Path:
    """The folder ``name`` ("checkpoints", "pages", "notebooks") of this installation."""
    beside = _PACKAGE.parent / name
    return beside if (_PACKAGE.parent / "pyproject.toml").is_file() else _PACKAGE / "_share" / name
