"""Every colour of the workbench. Pages and the canvas widgets take theirs from here too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from workbench.landmarks import PARTS, Group, Scheme

PART_COLOURS: dict[str, str] = {
    "jaw": "#0072B2",
    "brows": "#E69F00",
    "eyes": "#009E73",
    "nose": "#CC79A7",
    "outer_lip": "#D55E00",
    "inner_lip": "#56B4E9",
    "other": "#7F868F",
}
"""Okabe and Ito's palette, which stays apart under the common colour-vision deficiencies."""

PART_NAMES: dict[str, str] = {part: part.replace("_", " ") for part in PARTS}

STATE_COLOURS: dict[str, str] = {
    "first": "#C9CED6",
    "floor": "#56B4E9",
    "active": "#F0E442",
    "ceiling": "#FF7A3D",
    "fixed": "#C9CED6",
}
STATE_DASHES: dict[str, str] = {
    "first": "solid",
    "floor": "dot",
    "active": "solid",
    "ceiling": "dash",
    "fixed": "solid",
}
"""A patch's state is told by its dash as well."""

INK, MUTED, FAINT, PAPER = "#1B2330", "#5B6574", "#DDE2E9", "#FFFFFF"
NIGHT, NIGHT_INK, NIGHT_MUTED = "#0E1118", "#F2F4F8", "#A9B1BE"
HIDDEN = "#3A3D45"
"""What of a matrix is left out."""
ACCENT = "#0072B2"
HEADS = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#FFFFFF", "#4C8DFF")
"""One colour a head, on a dark photograph; they begin anew after eight."""
TRUTH = "#F0E442"
"""The label of a data set, on a photograph."""

OVER_PHOTO = "inferno"
ARROWS = "arrows"
"""The upper part of inferno: what is small must still be seen on a dark ground."""
ELSEWHERE = "cividis"
DIVERGING = "diverging"
MAPS: dict[str, str | list[str]] = {
    OVER_PHOTO: "inferno",
    ARROWS: ["#8A226A", "#BB3754", "#E35933", "#F98C0A", "#F9C932", "#FCFFA4"],
    ELSEWHERE: "cividis",
    DIVERGING: ["#08306B", "#2F7EBC", "#A6CDE4", "#F7F7F7", "#F6B48F", "#D6604D", "#67001F"],
}
"""Every colour map: the name of one of Matplotlib's, or its stops at equal distances. A new map is a row here."""


def shade(part: str, side: str = "centre") -> str:
    """The colour of a facial part: darker at the image left, lighter at the image right."""
    base = PART_COLOURS[part]
    if side == "image left":
        return mix(base, "#000000", 0.22)
    return mix(base, "#FFFFFF", 0.34) if side == "image right" else base


def line_colour(group: Group) -> str:
    """The colour of a scheme's polyline; its name says on which side of the picture it lies."""
    side = next((s for s in ("image left", "image right") if group.name.startswith(s.replace(" ", "-"))), "centre")
    return shade(group.part, side)


def landmark_colours(scheme: Scheme) -> list[str]:
    """One colour a landmark, by part and side."""
    return [shade(part, side) for part, side in zip(scheme.part_of, scheme.side_of, strict=True)]


@cache
def table(name: str) -> np.ndarray:
    """A map of :data:`MAPS` as (256, 3) uint8, sampled as Matplotlib samples it."""
    source = MAPS[name]
    stops = source if isinstance(source, list) else None
    found = LinearSegmentedColormap.from_list(name, stops, 256) if stops else matplotlib.colormaps[str(source)]
    colours = np.array(found(np.linspace(0, 1, 256), bytes=True)[:, :3])
    colours.flags.writeable = False
    return colours


def sample(name: str, at: float | Sequence[float] | np.ndarray) -> np.ndarray:
    """Colours of a map at positions in [0, 1]: (..., 3) uint8, entry round(255 at) of its :func:`table`."""
    places = np.clip(np.asarray(at, float), 0, 1)
    return np.asarray(table(name)[np.floor(255 * places + 0.5).astype(int)])


def colourscale(name: str) -> list[list[float | str]]:
    """The same 256 colours as Plotly's pairs of position and colour, each flat over its own interval."""
    colours = [to_hex(colour) for colour in table(name)]
    edges = np.clip((np.arange(257) - 0.5) / 255, 0, 1).tolist()
    return [[edge, colour] for i, colour in enumerate(colours) for edge in edges[i : i + 2]]


def rgb(colour: str) -> tuple[int, int, int]:
    """ "#RRGGBB" -> three numbers of 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def to_hex(values: Sequence[int] | np.ndarray) -> str:
    """Three numbers of 0 to 255 -> "#RRGGBB"."""
    return "#" + "".join(f"{int(v):02X}" for v in values)


def mix(colour: str, other: str, share: float) -> str:
    """``colour`` with a ``share`` of ``other``."""
    return to_hex(np.round((1 - share) * np.array(rgb(colour)) + share * np.array(rgb(other))))


def alpha(colour: str, opacity: float) -> str:
    """The colour as ``rgba(...)``."""
    return "rgba({},{},{},{:g})".format(*rgb(colour), opacity)
