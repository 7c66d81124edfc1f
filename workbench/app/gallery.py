"""The strip of faces on the Start page: sample faces and this session's own photographs."""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

import streamlit as st
from PIL import Image, ImageOps

_SCRIPT = (Path(__file__).parent / "gallery.js").read_text(encoding="utf-8")
_mount = st.components.v2.component("workbench_gallery", js=_SCRIPT)


@dataclass(frozen=True)
class Tile:
    """One face of the strip: its ``name``, what stands below it, its tooltip, and the picture as a data URL."""

    name: str
    label: str
    title: str
    src: str


def gallery(tiles: Sequence[Tile], selected: str, on_pick: Callable[[str], None], key: str = "gallery") -> None:
    """Place the strip; ``on_pick`` is called with the name of a tile that was clicked."""

    labels = short_labels([tile.label for tile in tiles])

    def picked() -> None:
        name = st.session_state[key].pick
        if name in {tile.name for tile in tiles}:
            on_pick(name)

    _mount(
        key=key,
        data={
            "items": [asdict(tile) | {"label": label} for tile, label in zip(tiles, labels, strict=True)],
            "selected": selected,
        },
        on_pick_change=picked,
    )


def short_labels(titles: Sequence[str]) -> list[str]:
    """Titles as two short lines can hold them; equal ones are told apart by letters, as the samples' names are."""
    short = [title.replace(" degrees to ", "° ") for title in titles]
    short = [re.sub(r"^With (?:a )?(.)", lambda found: found[1].upper(), label) for label in short]
    seen: Counter[str] = Counter()
    labels = []
    for label in short:
        labels.append(f"{label} {chr(ord('a') + seen[label] % 26)}" if short.count(label) > 1 else label)
        seen[label] += 1
    return labels


def picture_html(source: str, alt: str) -> str:
    """A picture that says what it shows. ``source`` is a data URL."""
    return f'<img class="wb-picture" src="{source}" alt="{escape(alt, quote=True)}">'


def thumbnail(picture: Image.Image, side: int = 152) -> str:
    """A square JPEG of ``side`` pixels as a data URL."""
    return data_url(ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS, centering=(0.5, 0.4)))


def data_url(picture: Image.Image, format: str = "JPEG") -> str:
    """A picture as a data URL."""
    buffer = io.BytesIO()
    picture.save(buffer, format, **({"quality": 85} if format == "JPEG" else {}))
    return f"data:image/{format.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
