"""What a widget is sent: JSON-able ``meta`` and named ``blobs`` of bytes, packed into one byte string.

Neither Streamlit nor anywidget carries bytes inside a dictionary. ``meta["state"]`` holds the initial value of every
state key that the widget commits on click.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
from functools import cache
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from workbench.explain import order_by_part
from workbench.figures import palette, style
from workbench.landmarks import Scheme
from workbench.reading import Reading

MAGIC = b"WBW1"
PHOTO_SIDE = 640
"""Side in pixels of the crop that is sent as background; the model's own input may be smaller."""


class Payload(TypedDict):
    """What a widget shows: ``meta`` (JSON-able; ``meta["state"]`` the initial state) and ``blobs``."""

    meta: dict[str, Any]
    blobs: dict[str, bytes]


def pack(payload: Payload, rev: int = 0) -> bytes:
    """The wire form that ``host.js`` unpacks: magic, header length (uint32), header JSON, blobs (8-aligned).

    Args:
        payload: meta must be JSON-able without NaN; ``drawing`` (figures/style.py) is added to it.
        rev: a new number makes the browser take over ``meta["state"]``; with the same one it keeps its own.
    """
    places: dict[str, tuple[int, int]] = {}
    body = bytearray()
    for name, blob in payload["blobs"].items():
        places[name] = (len(body), len(blob))
        body += blob
        body += bytes(-len(body) % 8)
    meta = {**payload["meta"], "drawing": style.drawing()}
    shown = {key: value for key, value in meta.items() if key != "state"}
    digest = hashlib.blake2b(body, digest_size=12)
    digest.update(json.dumps(shown, allow_nan=False).encode())
    header = {"meta": meta, "blobs": places, "digest": digest.hexdigest(), "rev": rev}
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    start = MAGIC + struct.pack("<I", len(text)) + text
    return start + bytes(-len(start) % 8) + bytes(body)


@cache
def lut(name: str) -> bytes:
    """256 x RGB of a colour map of ``figures.palette`` ("inferno", "cividis", "diverging")."""
    return palette.table(name).tobytes()


def luts(*names: str) -> dict[str, bytes]:
    """Blobs ``lut.<name>`` of the named colour maps."""
    return {f"lut.{name}": lut(name) for name in names}


def half(values: ArrayLike) -> bytes:
    """Values as little-endian float16 (11 significant bits); ``decodeHalf`` in draw.js reads them."""
    return np.ascontiguousarray(values, dtype="<f2").tobytes()


def photo(crop: np.ndarray) -> bytes:
    """A crop (S, S, 3) uint8 as JPEG, for a blob that ``loadImage`` in draw.js reads."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(crop, dtype=np.uint8)).save(file, "JPEG", quality=93, subsampling=0)
    return file.getvalue()


def rounded(points: ArrayLike, digits: int = 5) -> list[Any]:
    """Coordinates as nested lists, normalised ones to a thousandth of a crop pixel."""
    return np.asarray(points, dtype=np.float64).round(digits).tolist()


def inter_ocular(reading: Reading) -> float | None:
    """Distance of the outer eye corners in the answer, normalised; None where the scheme has none."""
    if reading.scheme.eye_corners is None:
        return None
    left, right = reading.points()[list(reading.scheme.eye_corners)]
    distance = float(np.hypot(*(right - left)))
    return round(distance, 6) if distance > 1e-6 else None


def face_meta(scheme: Scheme) -> dict[str, Any]:
    """What draw.js needs of a scheme.

    ``count``, ``name``; per landmark ``label``, ``part``, ``side``, ``colour``; ``lines`` (name, part, colour,
    path); ``order`` (landmarks by part) and ``brackets`` (part, text, colour, start, stop in that order).
    """
    order = order_by_part(scheme)
    ends = zip(order.parts, order.starts[:-1].tolist(), order.starts[1:].tolist(), strict=True)
    return {
        "name": scheme.name,
        "count": scheme.count,
        "label": [scheme.label(i) for i in range(scheme.count)],
        "part": list(scheme.part_of),
        "side": list(scheme.side_of),
        "colour": palette.landmark_colours(scheme),
        "lines": [
            {"name": g.name, "part": g.part, "colour": palette.line_colour(g), "path": list(g.path)}
            for g in scheme.groups
        ],
        "order": order.index.tolist(),
        "brackets": [
            {"part": part, "text": palette.PART_NAMES[part], "colour": palette.shade(part), "start": i, "stop": j}
            for part, i, j in ends
        ],
    }
