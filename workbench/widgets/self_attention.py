"""The Self-attention view's data: where each place of the face looks, in one or two models, and the prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.axes import SPATIAL_ATTENTION, own
from workbench.errors import TraceError
from workbench.explain.caption_tables import SELF_ATTENTION
from workbench.explain.captions import as_meta
from workbench.explain.self_attention import (
    background_share,
    face_outline,
    factorised,
    landmark_masks,
    leak_account,
    leaked_mass,
    structure_prior,
)
from workbench.reading import Reading
from workbench.widgets.board import exact
from workbench.widgets.inside import scaled_half
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, half, luts, photo, rounded
from workbench.widgets.selection import Entry, Table, resolve

SELECTION: Table = (
    # (x, y) in [0, 1] of the crop
    Entry("place", none="the landmark's, or the middle of the face", between=(0, 1), size=2),
    Entry("landmark", index="landmark", none="none"),
    Entry("opacity", 0.75, between=(0, 1)),
    Entry("scale", "map", ("map", "both")),  # each map to its largest weight, or one scale for both models
    Entry("mask", False),  # whether the prior is drawn
    Entry("sigma", none="as in training", between=(0.2, 4.0)),  # of the prior mask, in cells
    Entry("radius", none="as in training", between=(0.5, 8.0)),
    Entry("points", True),
)
MOST_QUERIES = 1600
"""Of a larger map that has no narrow factors every second, third ... row and column of queries is sent; the keys are
always all there."""
BASELINE = "without attention"


@dataclass(frozen=True)
class Panel:
    """One model's attention, as the view shows it.

    Attributes:
        reading: whose trace holds ``tensor`` with the axes query_y, query_x, key_y, key_x.
        tensor: key of the trace.
        title: what tells the model from the other, such as "with the prior".
        sigma, radius: of the prior mask (Eq 3), in cells of the attention's map.
        beta: weight of the prior loss in training (Eq 9); 0 for a model that was trained without.
        normalise: "softmax" or "none" (raw products).
        minus: a reading of the same model whose attention is taken off, so that changes are shown; everything else is
            of ``reading``.
    """

    reading: Reading
    tensor: str
    title: str
    sigma: float
    radius: float
    beta: float
    normalise: str = "softmax"
    minus: Reading | None = None


def panel_of(reading: Reading, tensor: str | None = None) -> Panel:
    """A reading's attention between places, with the prior that its model's configuration tells.

    Args:
        tensor: key of the trace; None is the last one with these axes.

    Raises:
        TraceError: the trace holds none.
    """
    names = [name for name, entry in reading.trace.items() if own(entry.axes) in SPATIAL_ATTENTION]
    if not names:
        raise TraceError(f"The trace of {reading.model_name} holds no self-attention between places of the face.")
    c = reading.config
    beta = float(c.get("beta", 0.0))
    return Panel(
        reading,
        tensor or names[-1],
        "with the prior" if beta else "without the prior",
        float(c.get("prior_sigma", 1.0)),
        float(c.get("prior_radius", 3.0)),
        beta,
        str(c.get("normalise", "softmax")),
    )


def self_attention_payload(
    panels: Reading | Sequence[Panel], selection: Mapping[str, Any] | None = None, baseline: Reading | None = None
) -> Payload:
    """What the ``self_attention`` widget shows: each attention matrix, the prior mask and the leaked mass.

    A matrix travels as its factors (:func:`workbench.explain.self_attention.factorised`) in float32, or where it has
    none as its rows in float16. Mask and leaked mass are of each model's own answer.

    Args:
        panels: one or two of the same face and scheme; or a reading, whose last attention is shown.
        selection: entries of :data:`SELECTION` to start from.
        baseline: of the same face by a model without attention, for a panel that says so and shows its heatmaps.

    Raises:
        TraceError: no or more than two panels, different schemes, or a tensor that is not the attention of a square
            map.
    """
    panels = [panel_of(panels)] if isinstance(panels, Reading) else panels
    if not 1 <= len(panels) <= 2:
        raise TraceError(f"The self-attention view shows one or two models, not {len(panels)}.")
    first = panels[0].reading
    if any(panel.reading.scheme.name != first.scheme.name for panel in panels):
        raise TraceError("Two models side by side must place the same landmarks; choose two of one scheme.")
    blobs = {
        "photo": photo(first.face.crop(max(PHOTO_SIDE, first.input_size))),
        **luts("inferno", "diverging"),
    }
    shown = []
    for at, panel in enumerate(panels):
        meta, own = _panel(panel)
        shown.append(meta)
        blobs |= {f"{name}.{at}": blob for name, blob in own.items()}
    plain = None
    if baseline is not None and baseline.alignment.heatmaps is not None and baseline.scheme.name == first.scheme.name:
        most = baseline.alignment.heatmaps[0].amax(0).cpu().numpy()
        blobs["baseline"], unit = scaled_half(most)
        plain = {
            "title": BASELINE,
            "model": baseline.card_title or baseline.model_name,
            "points": rounded(baseline.points()),
            "size": len(most),
            "unit": unit,
            "count": baseline.scheme.count,
        }
    bounds = {"landmark": first.scheme.count}
    meta = {
        "face": face_meta(first.scheme),
        "panels": shown,
        "baseline": plain,
        "signed": any(panel.minus is not None for panel in panels),
        "title": first.face.name,
        "caption": as_meta(SELF_ATTENTION),
        "stem": first.stem("self-attention"),
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, selection, bounds)},
    }
    return {"meta": meta, "blobs": blobs}


def _panel(panel: Panel) -> tuple[dict[str, Any], dict[str, bytes]]:
    reading = panel.reading
    weights = reading.trace[panel.tensor].at(batch=0).numpy()
    points, size = reading.points(), weights.shape[-1]
    prior = structure_prior(points, size, panel.sigma, panel.radius)
    leak = leaked_mass(weights, points, panel.sigma, panel.radius)
    outside = background_share(weights, prior.neighbourhood)
    account = leak_account(weights, points, panel.sigma, panel.radius)
    softmax = panel.normalise == "softmax"
    taken = [weights, *([] if panel.minus is None else [panel.minus.trace[panel.tensor].at(batch=0).numpy()])]
    factors = [factorised(one.reshape(size * size, size * size), softmax) for one in taken]
    every = 1
    meta: dict[str, Any] = {}
    blobs: dict[str, bytes] = {}
    if all(one is not None for one in factors):
        for sign, found in zip(("", "minus."), factors, strict=False):
            assert found is not None
            blobs |= {f"{sign}left": exact(found.left), f"{sign}right": exact(found.right)}
            blobs[f"{sign}reached"] = found.reached.astype(np.uint8).tobytes()
        meta = {
            "ranks": [found.left.shape[1] for found in factors if found is not None],
            "departure": max(found.departure for found in factors if found is not None),
            "unit": 1.0,
        }
    else:
        while (-(-size // every)) ** 2 > MOST_QUERIES:
            every += 1
    kept = slice(every // 2, None, every)
    if not blobs:
        changed = taken[0] - taken[1] if len(taken) > 1 else weights
        blobs["attention"], unit = scaled_half(changed[kept, kept].reshape(-1, size * size))
        meta = {"ranks": None, "departure": None, "unit": unit}
    meta |= {
        "title": panel.title,
        "model": reading.card_title or reading.model_name,
        "tensor": panel.tensor,
        "size": size,
        "every": every,
        "queries": len(range(size)[kept]),
        "normalise": panel.normalise,
        "points": rounded(points),
        "sigma": panel.sigma,
        "radius": panel.radius,
        "beta": panel.beta,
        "share": round(prior.share, 4),
        "leak": [None if not np.isfinite(v) else round(float(v), 5) for v in leak.values],
        "account": None if account is None else asdict(account),
    }
    masks = landmark_masks(points, size, panel.sigma, panel.radius).max(0)
    return meta, {
        **blobs,
        "mask": half(prior.mask),
        "crest": half(masks),
        "outside": half(outside[kept, kept]),
        "outline": face_outline(points, size).astype(np.uint8).tobytes(),
    }
