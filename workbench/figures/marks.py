"""What is drawn on a face, as draw.js draws it: photograph, outline, lines of weights, dots, tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from workbench.figures import palette, style
from workbench.figures.canvas import Panel, crop_uri, place

if TYPE_CHECKING:
    from workbench.landmarks import Scheme
    from workbench.reading import Reading

PHOTO_GROUND = "#101114"
VEIL = "#0C0C10"
LIGHT_RIM = palette.alpha("#FFFFFF", 0.8)


def photograph(panel: Panel, reading: Reading, side: float = style.FACE, veil: float = 0.0) -> None:
    """The crop at the panel's upper left; ``veil`` (0 to 1) darkens it so that thin lines stay readable."""
    panel.rect(0, 0, side, side, fill=PHOTO_GROUND, layer="below")
    panel.image(crop_uri(reading), 0, 0, side, side)
    if veil:
        panel.rect(0, 0, side, side, fill=palette.alpha(VEIL, veil))


def outline(
    panel: Panel, points: np.ndarray, scheme: Scheme, *, alpha: float = 0.8, width: float = 1.2,
    colour: str | None = None,
) -> None:  # fmt: skip
    """The scheme's polylines through (N, 2) pixels, by part or in one colour."""
    for group in scheme.groups:
        path = list(group.path)
        if len(path) > 1:
            paint = palette.alpha(colour or palette.line_colour(group), alpha)
            panel.polyline(points[path], colour=paint, width=width)


def arrow(
    panel: Panel, start: np.ndarray, end: np.ndarray, *, colour: str, width: float, bend: float = style.BEND,
    head: float = 0.0,
) -> None:  # fmt: skip
    """A line that bends to the left as one walks, so that there and back stay apart; ``head`` pixels of arrow."""
    length = float(np.hypot(*(end - start)))
    if length < 0.5:
        return
    middle = style.control(start, end, bend)
    unit = (end - middle) / (float(np.hypot(*(end - middle))) or 1.0)
    size = min(head, 0.6 * length)
    last = end - 0.8 * size * unit
    panel.shape("path", path=f"M{place(start)}Q{place(middle)} {place(last)}", colour=colour, width=width)
    if size:
        aside = 0.45 * size * np.array([unit[1], -unit[0]])
        panel.polyline(np.stack([end, end - size * unit + aside, end - size * unit - aside]), close=True, fill=colour)


def weighted(
    panel: Panel, points: np.ndarray, query: np.ndarray, key: np.ndarray, weight: np.ndarray, top: float, *,
    heads: bool = False, cased: bool = False, name: str = palette.OVER_PHOTO,
) -> None:  # fmt: skip
    """Lines from queries to keys, the strongest on top: width and colour by weight on a scale from 0 to ``top``; a
    ring where a landmark is its own key.

    Args:
        points: (N, 2) pixels.
        heads: arrows at the keys.
        cased: a light edge along each line, for few of them.
    """
    for at in np.argsort(weight, kind="stable"):
        start, end = points[query[at]], points[key[at]]
        width, colour = float(style.line_width(weight[at], top)), style.line_colour(weight[at], top, name)
        if query[at] == key[at]:
            panel.circle(start, 7 + width / 2, line=width, colour=colour)
            continue
        if cased:
            arrow(panel, start, end, colour=palette.alpha("#FFFFFF", 0.45), width=width + 1.6)
        elif weight[at] < style.FAINT * top:
            arrow(panel, start, end, colour=style.FAINT_CASE, width=width + 1.2)
        arrow(panel, start, end, colour=colour, width=width, head=6 + 1.6 * width if heads else 0)


def chosen(panel: Panel, point: np.ndarray, colour: str) -> None:
    """The landmark that is chosen: its dot in two rings."""
    panel.circle(point, 5, line=2, colour="#FFFFFF", fill=colour, layer="above")
    panel.circle(point, 8.5, line=1.2, colour="#FFFFFF", layer="above")


def tag(panel: Panel, words: str, point: np.ndarray, width: float, height: float, top: float = 0.0) -> None:
    """Words on a dark ground beside a point, kept inside of ``width`` x ``height`` whose upper edge is ``top``; the
    point counts from there."""
    wide = style.text_width(words, 11) * 1.06 + 10
    left = min(max(2.0, point[0] + 8), width - wide - 2)
    top += min(max(2.0, point[1] - 22), height - 20)
    panel.rect(left, top, wide, 18, fill=palette.alpha(PHOTO_GROUND, 0.85), layer="above")
    panel.text(left + 5, top + 9.5, words, colour=palette.NIGHT_INK, bold=True)


def point_words(reading: Reading, more: Sequence[str] | None = None) -> list[str]:
    """What every landmark says when pointed at: index, name, place in the photograph, and ``more`` of each."""
    said = more or [""] * reading.scheme.count
    return [
        f"<b>{i}</b> {reading.scheme.label(i)}<br>photo x {x:.1f}, y {y:.1f} px{rest}"
        for i, ((x, y), rest) in enumerate(zip(reading.landmarks, said, strict=True))
    ]
