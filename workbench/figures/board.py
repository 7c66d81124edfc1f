"""Rows of small faces with maps, as the views of one system's own mechanisms show them (``board_row.js``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.figures import marks, palette, style
from workbench.figures.canvas import HAIR, SOFT, Box, Panel, pixels_uri
from workbench.figures.inside import Span, span_of
from workbench.figures.legends import scale_bar

if TYPE_CHECKING:
    from workbench.reading import Reading

SIDE = 300
"""Of a face in a row, in pixels."""
OPACITY = 0.8
_LEAST = 256


def face_box(title: str) -> Box:
    """The panel of one face with the strip of its scale."""
    return Box(SIDE, SIDE + style.LEGEND, title, palette.NIGHT)


def small_face(
    panel: Panel, reading: Reading, values: np.ndarray | None, span: Span | None = None, words: str = "", *,
    points: np.ndarray | None = None, sheer: str = "large", dots: bool = True,
) -> None:  # fmt: skip
    """A face with a map (h, w) over it and its scale below; without a map the photograph and the landmarks.

    Args:
        span: where the colours begin and end, and the colour map; by default from 0 to the largest value here.
        words: what the scale measures.
        points: (N, 2) normalised; the answer by default.
        sheer: which values are opaque, "large" or "small".
    """
    marks.photograph(panel, reading, SIDE, veil=0.0)
    if values is not None:
        low, high, name = span or span_of(values)
        shares = ((values - low) / (high - low)).clip(0, 1)
        strength = np.abs(2 * shares - 1) if name == palette.DIVERGING else 1 - shares if sheer == "small" else shares
        alpha = 0.3 + 0.7 * np.sqrt(strength)
        pixels = np.concatenate([palette.sample(name, shares), (255 * alpha)[..., None].astype(np.uint8)], -1)
        fine = -(-_LEAST // max(values.shape))
        panel.image(pixels_uri(pixels.repeat(fine, 0).repeat(fine, 1)), 0, 0, SIDE, SIDE, OPACITY)
        ink, soft = palette.NIGHT_INK, palette.NIGHT_MUTED
        scale_bar(
            panel, 14, SIDE + style.LEGEND - 22, SIDE - 28, name, low, high, words, ink=ink, soft=soft, above=True
        )
    if dots:
        where = (reading.points() if points is None else points) * SIDE
        panel.dots(where, palette.landmark_colours(reading.scheme), 1.8, rim=marks.LIGHT_RIM,
                   words=marks.point_words(reading), data=np.arange(reading.scheme.count))  # fmt: skip


def bars(
    panel: Panel, rows: np.ndarray, x: float, y: float, width: float, height: float, colours: list[str],
    said: list[str] | None = None, top: float | None = None,
) -> float:  # fmt: skip
    """Bars from zero, the rows (R, M) on one another, with an axis at the left; gives back where the scale ends."""
    most = float(np.clip(rows, 0, None).sum(0).max()) if top is None else top
    most = most if most > 0 else 1.0

    def at(value: float) -> float:
        return y + height - value / most * height

    for value in style.ticks(0, most, 4):
        panel.rect(x, at(value) - 0.5, width, 1, fill=HAIR)
        panel.text(x - 6, at(value), style.number(value), colour=SOFT, anchor="right")
    step = width / rows.shape[1]
    gap = min(2.0, 0.2 * step) if step > 4 else 0.0
    for k in range(rows.shape[1]):
        up = 0.0
        for row, colour in zip(rows[:, k], colours, strict=True):
            panel.rect(x + k * step + gap / 2, at(up + row), max(0.6, step - gap), at(up) - at(up + row), fill=colour)
            up += float(row)
    if said:
        spots = np.stack([x + (np.arange(len(said)) + 0.5) * step, np.full(len(said), y + height / 2)], 1)
        panel.dots(spots, palette.INK, max(2.0, step / 2), alpha=0.0, rim_width=0, words=said)
    return most


def curve(
    panel: Panel, values: np.ndarray, x: float, y: float, width: float, height: float, low: float = 0.0
) -> np.ndarray:
    """A line through (M,) values at equal distances over an axis from ``low``; gives back its (M, 2) places."""
    most = max(float(values.max()), low + 1e-9)
    places = y + height - (values - low) / (most - low) * height
    for value in style.ticks(low, most, 3):
        at = y + height - (value - low) / (most - low) * height
        panel.rect(x, at - 0.5, width, 1, fill=HAIR)
        panel.text(x - 6, at, style.number(value), colour=SOFT, anchor="right")
    points = np.stack([x + np.linspace(0, 1, len(values)) * width, places], 1)
    panel.polyline(points, colour=palette.INK, width=1.6)
    return points
