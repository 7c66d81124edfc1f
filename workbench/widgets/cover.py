"""An occluder as widgets send and draw it: {x, y, w, h, fill}, upper left corner and size in [0, 1] of the crop."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from workbench.errors import TraceError

FILLS: Mapping[str, tuple[int, int, int] | None] = {
    "grey": (128, 128, 128),
    "black": (0, 0, 0),
    "skin": (205, 160, 130),
    "noise": None,
}
"""What the widget offers to cover a face with, as ``workbench.faces.Occluder`` names and paints it (None: a pattern);
the colours are for the moment until the covered crop itself arrives."""


def cover_of(given: Any) -> dict[str, Any] | None:
    """The widget's form {x, y, w, h, fill} of a mapping or an ``Occluder``."""
    if not given:
        return None
    if not isinstance(given, Mapping):
        if given.shape != "rectangle":
            raise TraceError(f"The widget draws rectangles, not an occluder of the shape {given.shape}.")
        given = {"x": given.x, "y": given.y, "w": given.width, "h": given.height, "fill": given.fill}
    try:
        place = {key: round(float(given[key]), 5) for key in ("x", "y", "w", "h")}
        fill = str(given["fill"])
    except (KeyError, TypeError, ValueError):
        raise TraceError("An occluder of the widget has the numbers x, y, w and h and a fill.") from None
    if not np.isfinite(list(place.values())).all() or place["w"] <= 0 or place["h"] <= 0:
        raise TraceError("An occluder needs finite numbers and a positive size: draw it again.")
    return {**place, "fill": fill}


def pixels_of(cover: Mapping[str, Any], side: int) -> list[float]:
    """x0, y0, x1, y1 of the pixels that an occluder touches in a crop of ``side`` pixels, normalised."""
    low = np.clip(np.floor(np.array([cover["x"], cover["y"]]) * side), 0, side - 1)
    high = np.array([cover["x"] + cover["w"], cover["y"] + cover["h"]]) * side
    high = np.clip(np.floor(high) + 1, low + 1, side)
    return [float(value) / side for value in (*low, *high)]


def patch_of(crop: np.ndarray, box: list[float]) -> bytes:
    """The part of a crop (S, S, 3) within a normalised box, as PNG."""
    x0, y0, x1, y1 = (round(value * crop.shape[0]) for value in box)
    file = io.BytesIO()
    Image.fromarray(crop[y0:y1, x0:x1]).save(file, "PNG", compress_level=1)
    return file.getvalue()
