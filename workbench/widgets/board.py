"""What the views of one system's own mechanisms are fed with alike: a face, and named maps for ``board.js``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.explain.captions import Clause, as_meta
from workbench.reading import Reading
from workbench.widgets.inside import scaled_half
from workbench.widgets.payload import PHOTO_SIDE, face_meta, luts, photo, rounded

LANDMARK = "all of them"


def board(reading: Reading, view: str, caption: Sequence[Clause]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What every such widget needs: ``meta`` without bounds and state, and the photograph with the colour maps."""
    meta = {
        "face": face_meta(reading.scheme),
        "points": rounded(reading.points()),
        "size": reading.input_size,
        "title": f"{reading.card_title or reading.model_name}, {reading.face.name}",
        "caption": as_meta(caption),
        "stem": reading.stem(view),
    }
    side = max(PHOTO_SIDE, reading.input_size)
    return meta, {"photo": photo(reading.face.crop(side)), **luts("inferno", "diverging", "cividis")}


def packed(name: str, arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Arrays as float16: their shapes and units by key, and the blobs ``NAME.KEY`` (``arraysOf`` in board_maps.js)."""
    told, blobs = {}, {}
    for key, values in arrays.items():
        blobs[f"{name}.{key}"], unit = scaled_half(values)
        told[key] = {"shape": list(values.shape), "unit": unit}
    return told, blobs


def exact(values: np.ndarray) -> bytes:
    """Values as little-endian float32, for places that shall not be rounded."""
    return np.ascontiguousarray(values, dtype="<f4").tobytes()
