"""The Uncertainty explorer's data: spreads, patches and the path of one reading, with and without an occluder."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from workbench.errors import TraceError
from workbench.explain.caption_tables import UNCERTAINTY
from workbench.explain.captions import as_meta
from workbench.explain.uncertainty import ellipses, patch_states, trajectory
from workbench.figures import palette
from workbench.reading import Reading
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, photo, rounded
from workbench.widgets.selection import Entry, Table, resolve

SELECTION: Table = (
    Entry("stage", -1, index="stage", none="the mean face, before any stage"),
    Entry("layer", -1, index="layer"),
    Entry("landmark", index="landmark", none="all of them"),
    Entry("ellipses", True),
    Entry("patches", False),
    Entry("path", False),
    Entry("unit", "ocular", ("ocular", "pixel")),  # of the bars: percent of the inter-ocular distance, crop pixels
    Entry("sort", "sigma", ("sigma", "part")),  # sigma: least certain first
    Entry("recalibrated", False),  # sigma times the card's scalar of each stage
)
"""The other state key is ``occluder``: {x, y, w, h, fill}, upper left corner and size in [0, 1] of the crop, or {}."""
FILLS: Mapping[str, tuple[int, int, int] | None] = {
    "grey": (128, 128, 128),
    "black": (0, 0, 0),
    "skin": (205, 160, 130),
    "noise": None,
}
"""What the widget offers to cover a face with, as ``workbench.faces.Occluder`` names and paints it (None: a pattern);
the colours are for the moment until the covered crop itself arrives."""


def uncertainty_payload(
    reading: Reading,
    occluder: Any = None,
    baseline: Reading | None = None,
    selection: Mapping[str, Any] | None = None,
    live: bool = True,
) -> Payload:
    """What the ``uncertainty`` widget shows.

    Args:
        reading: of a system with patches and a predicted variance; of the covered crop when there is an occluder.
        occluder: what covers the crop of ``reading``: the widget's own state value {x, y, w, h, fill}, a
            ``workbench.faces.Occluder``, or None (or {}) for nothing.
        baseline: the same face and model without the occluder; its spreads become the ghosts behind the bars.
        selection: entries of :data:`SELECTION` to start from.
        live: whether Python answers when the person moves the occluder; else the widget offers none.

    Raises:
        TraceError: the model predicts no variance, baseline and reading do not belong together, or the selection
            or the occluder names what is not there.
    """
    spread = ellipses(reading)
    cover = _occluder(occluder)
    plain = reading if baseline is None or cover is None else baseline
    if (plain.model_name, plain.scheme.count) != (reading.model_name, reading.scheme.count):
        raise TraceError("The baseline must be the same face read by the same model without the occluder.")
    states = patch_states(reading)
    side = max(PHOTO_SIDE, reading.input_size)
    if (selection or {}).get("recalibrated"):
        reading.recalibrated()  # says what is missing
    selection = {"recalibrated": reading.rescaled, **(selection or {})}
    bounds = {"stage": reading.stages, "layer": reading.layers, "landmark": reading.scheme.count}
    meta = {
        "face": face_meta(reading.scheme),
        "size": reading.input_size,
        "shape": [reading.stages, reading.layers, reading.scheme.count],
        "path": rounded(trajectory(reading).points),
        "variance": _figures(_variance(reading)),
        "rects": rounded(states.rects),
        "states": states.states.tolist(),
        "wanted": [None, *_figures(states.wanted[1:])],
        "looks": {k: [c, palette.STATE_DASHES[k]] for k, c in palette.STATE_COLOURS.items()},
        "rule": {
            "factor": reading.alignment.size_factor,
            "power": {"variance": "max v", "deviation": "max √v"}.get(reading.alignment.size_rule or ""),
            "limits": [float(limit) for limit in reading.alignment.size_limits or ()],
        },
        "calibration": _calibration(reading),
        "inside": [round(100 * mass) for mass in spread.mass],
        "likelihood": reading.alignment.likelihood or "gaussian",
        "ocular": _inter_ocular(plain),
        "occluder": cover,
        "covered": _pixels(cover, side) if cover else None,
        "baseline": None if plain is reading else _baseline(plain),
        "fills": dict(FILLS),
        "live": live,
        "title": f"{reading.card_title or reading.model_name}, {reading.face.name}",
        "caption": as_meta(UNCERTAINTY),
        "stem": reading.stem("uncertainty"),
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, selection, bounds), "occluder": cover or {}},
    }
    blobs = {"photo": photo(plain.face.crop(side))}
    if cover is not None:
        blobs["cover"] = _patch(reading.face.crop(side), _pixels(cover, side))
    return {"meta": meta, "blobs": blobs}


def _calibration(reading: Reading) -> dict[str, Any] | None:
    """The card's scalar of each stage and where it comes from; None where it tells none."""
    told = reading.calibration
    if len(told.get("scales", ())) != reading.stages:
        return None
    return {"scales": list(told["scales"]), "fitted": told["fitted"]}


def _variance(reading: Reading) -> np.ndarray:
    """(stage, layer, N, 2) in patch sides squared."""
    assert reading.alignment.variance is not None
    return reading.alignment.variance[:, :, 0].cpu().numpy().astype(np.float64)


def _baseline(reading: Reading) -> dict[str, Any]:
    """Normalised spreads as predicted (stage, layer, N, 2) and answers (stage, layer, N, 2) without the occluder."""
    sigma = np.sqrt(_variance(reading)) * reading.rects()[:, None, :, 2:]
    points = reading.trajectory()[1:].reshape(sigma.shape)
    return {"sigma": _figures(sigma), "points": rounded(points)}


def _figures(values: np.ndarray) -> list[Any]:
    """Nested lists with five significant digits."""
    scale = 10.0 ** (4 - np.floor(np.log10(np.maximum(np.abs(values), 1e-12))))
    return (np.round(values * scale) / scale).tolist()


def _inter_ocular(reading: Reading) -> float | None:
    """Distance of the outer eye corners in the answer, normalised; None where the scheme has none."""
    if reading.scheme.eye_corners is None:
        return None
    left, right = reading.points()[list(reading.scheme.eye_corners)]
    distance = float(np.hypot(*(right - left)))
    return round(distance, 6) if distance > 1e-6 else None


def _occluder(given: Any) -> dict[str, Any] | None:
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


def _pixels(cover: Mapping[str, Any], side: int) -> list[float]:
    """x0, y0, x1, y1 of the pixels that an occluder touches in a crop of ``side`` pixels, normalised."""
    low = np.clip(np.floor(np.array([cover["x"], cover["y"]]) * side), 0, side - 1)
    high = np.array([cover["x"] + cover["w"], cover["y"] + cover["h"]]) * side
    high = np.clip(np.floor(high) + 1, low + 1, side)
    return [float(value) / side for value in (*low, *high)]


def _patch(crop: np.ndarray, box: list[float]) -> bytes:
    """The part of a crop (S, S, 3) within a normalised box, as PNG."""
    x0, y0, x1, y1 = (round(value * crop.shape[0]) for value in box)
    file = io.BytesIO()
    Image.fromarray(crop[y0:y1, x0:x1]).save(file, "PNG", compress_level=1)
    return file.getvalue()
