"""Faces that may be shown to anybody: NASA's astronaut, and composite portraits that show no real person."""

from __future__ import annotations

import json
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from workbench.errors import UnknownNameError
from workbench.faces.face import Face, load_face

_FOLDER = Path(__file__).parent / "samples"


@cache
def _credits() -> dict[str, dict[str, Any]]:
    file = _FOLDER / "credits.json"
    rows = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    return {row["name"]: row for row in rows}


def sample_names() -> list[str]:
    """Names of the sample faces, in the order of the gallery."""
    return list(_credits())


def sample_info(name: str) -> dict[str, Any]:
    """Title, credit, licence and origin of a sample. Raises UnknownNameError with the nearest name."""
    known = _credits()
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}."
        raise UnknownNameError(f"There is no sample face '{name}'; {hint}")
    return dict(known[name])


def sample_photo(name: str) -> Image.Image:
    """The picture of a sample, RGB. Raises UnknownNameError."""
    with Image.open(_FOLDER / sample_info(name)["file"]) as image:
        return image.convert("RGB")


def sample_face(name: str) -> Face:
    """A sample face. Raises UnknownNameError."""
    return load_face(sample_photo(name), box=sample_info(name).get("box"), name=name)
