"""What a figure and a widget must draw alike: geometry, line widths, digits, colours.

Figures take it from here; a widget gets it in ``meta["drawing"]``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.explain.captions import number as number
from workbench.figures import palette

BEND = 0.1
"""Control point of a line's quadratic Bezier: middle + BEND * (dy, -dx), d = end - start in pixels, y down. The line
so bends to the left on its way from query to key."""
WIDTH = (0.7, 7.0)
"""A line's width in pixels: max(WIDTH[0], WIDTH[1] * weight / top)."""
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


def line_width(weight: ArrayLike, top: float) -> NDArray[np.float64]:
    """Width in pixels of a line, linear in its weight; ``top`` is where the scale ends."""
    return np.maximum(WIDTH[0], WIDTH[1] * np.asarray(weight, np.float64) / top)


def drawing() -> dict[str, Any]:
    """The whole of it, for a payload."""
    return {
        "bend": BEND,
        "width": list(WIDTH),
        "dim": DIM,
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
    }
