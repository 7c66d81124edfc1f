"""The Uncertainty explorer's data: spreads, patches and the path of one reading, with and without an occluder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.errors import TraceError
from workbench.explain.caption_tables import UNCERTAINTY
from workbench.explain.captions import as_meta
from workbench.explain.uncertainty import ellipses, patch_states, trajectory
from workbench.figures import palette
from workbench.reading import Reading
from workbench.widgets.cover import FILLS, cover_of, patch_of, pixels_of
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, inter_ocular, photo, rounded
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
    cover = cover_of(occluder)
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
        "ocular": inter_ocular(plain),
        "occluder": cover,
        "covered": pixels_of(cover, side) if cover else None,
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
        blobs["cover"] = patch_of(reading.face.crop(side), pixels_of(cover, side))
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
