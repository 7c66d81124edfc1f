"""Build hook: what lies beside the package in a checkout travels inside it in a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHARED = ("checkpoints", "pages", "notebooks", ".streamlit")
FILES = ("docs/tour.md",)


class SharedFolders(BuildHookInterface):  # type: ignore[type-arg]
    """Maps each shared folder to ``workbench/_share``; an editable install keeps using the checkout's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        for name in SHARED:
            folder = Path(self.root, name)
            if folder.is_dir():
                build_data["force_include"][str(folder)] = f"workbench/_share/{name}"
        for name in FILES:
            build_data["force_include"][str(Path(self.root, name))] = f"workbench/_share/{name}"
