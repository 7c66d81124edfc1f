"""Where the parts that live beside the package are: in a checkout the root, in an installed wheel ``_share``."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def share(name: str) -> Path:
    """The folder ``name`` ("checkpoints", "pages", "notebooks", "docs") of this installation."""
    beside = _PACKAGE.parent / name
    return beside if (_PACKAGE.parent / "pyproject.toml").is_file() else _PACKAGE / "_share" / name


def own_folder() -> Path:
    """The user's own folder for what the workbench keeps: ``WORKBENCH_HOME``, else below the XDG data folder. It need
    not exist yet."""
    named = os.environ.get("WORKBENCH_HOME")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "workbench"
