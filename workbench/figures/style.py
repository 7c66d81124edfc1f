"""What a figure and a widget must draw alike: geometry, line widths, digits, colours.

Figures take it from here; a widget gets it in ``meta["drawing"]``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font
from numpy.typing import ArrayLike, NDArray

from workbench.explain.captions import number as number
from workbench.figures import palette

BEND = 0.1
"""Control point of a line's quadratic Bezier: middle + BEND * (dy, -dx), d = end - start in pixels, y down. The line
so bends to the left on its way from query to key."""
WIDTH = (0.7, 7.0)
"""A line's width in pixels: max(WIDTH[0], WIDTH[1] * weight / top)."""
FAINT, FAINT_CASE = 0.4, palette.alpha("#FFFFFF", 0.22)
"""Lines of less than this part of the scale's end lie on a light casing, so that dark skin does not swallow them."""
DIM = 0.45
"""Opacity of the darkness over a photograph that lies under lines."""

# The saved sheet in pixels: the title's line, panels side by side, the caption below.
FACE, LEGEND = 640, 50
"""Side of a face, and height of the strip with its legend below it."""
SIDE = 480
"""Width of what stands beside a face."""
MARGIN, GAP = 24, 20
"""Around the sheet, and between panels."""
TITLE, CAPTION, LINE = 16, 12, 17
"""Sizes of the title's and the caption's letters, and from one line of the caption to the next."""
TEXT_SCALE = 0.84
"""A browser's sans is narrower than Matplotlib's own, which PNG and SVG of a figure are written with."""


def line_width(weight: ArrayLike, top: float) -> NDArray[np.float64]:
    """Width in pixels of a line, linear in its weight; ``top`` is where the scale ends."""
    return np.maximum(WIDTH[0], WIDTH[1] * np.asarray(weight, np.float64) / top)


def line_colour(weight: float, top: float, name: str = palette.OVER_PHOTO) -> str:
    """The colour of a weight on a scale from 0 to ``top``."""
    return palette.to_hex(palette.sample(name, min(1.0, weight / top)))


def control(start: np.ndarray, end: np.ndarray, bend: float = BEND) -> np.ndarray:
    """The control point of a line from ``start`` to ``end``, (2,) pixels with y down."""
    dx, dy = end - start
    return np.asarray((start + end) / 2 + bend * np.array([dy, -dx]))


def ticks(low: float, high: float, count: float = 4) -> list[float]:
    """Round values from ``low`` to ``high``, about ``count`` of them; ``ticks`` in numbers.js is the same rule."""
    raw = (high - low) / count
    if not raw > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    out = []
    while first * step <= high + step * 1e-9:
        out.append(float(f"{first * step:.12g}"))  # without what powers of ten leave in the last digits
        first += 1
    return out


@lru_cache(4096)
def text_width(words: str, size: float) -> float:
    """About how many pixels a line of text takes at a font size in pixels."""
    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    font.set_size(100, 72)
    font.set_text(words)
    return float(font.get_width_height()[0]) / 64 / 100 * size * TEXT_SCALE


def drawing() -> dict[str, Any]:
    """The whole of it, for a payload."""
    return {
        "bend": BEND,
        "width": list(WIDTH),
        "dim": DIM,
        "faint": FAINT,
        "faintCase": FAINT_CASE,
        "face": FACE,
        "legend": LEGEND,
        "side": SIDE,
        "margin": MARGIN,
        "gap": GAP,
        "title": TITLE,
        "caption": CAPTION,
        "line": LINE,
        "night": palette.NIGHT,
        "nightInk": palette.NIGHT_INK,
        "nightMuted": palette.NIGHT_MUTED,
        "hidden": palette.HIDDEN,
        "truth": palette.TRUTH,
    }
