"""The Structure view's data: what the structure encodings of one or two models have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.errors import TraceError
from workbench.explain import cosine_similarity, part_statistic
from workbench.explain.caption_tables import STRUCTURE
from workbench.explain.captions import as_meta
from workbench.landmarks import Scheme
from workbench.landmarks.geometry import twins
from workbench.reading import Reading
from workbench.widgets.payload import Payload, face_meta, half, luts, rounded

Encoded = tuple[Scheme, np.ndarray, np.ndarray, str]
"""Scheme, mean shape (N, 2) normalised, structure encodings (N, d), title."""
DEFAULTS: Mapping[str, Any] = {"model": 0, "landmark": None}
"""State key ``selection`` of the widget: the pinned landmark and the panel it was pinned in."""
KINDS = ("neighbours on a line", "mirrored pairs", "same part", "all other pairs")


def structure_payload(
    readings: Reading | Sequence[Reading | Encoded], selection: Mapping[str, Any] | None = None
) -> Payload:
    """What the ``structure`` widget shows: cosine similarities (N, N) of each model as float16, and mean faces.

    Args:
        readings: one or two, or tuples of scheme, mean shape, encodings and title.
        selection: ``model`` (0 or 1) and ``landmark`` (from 0, or None) to start from.

    Raises:
        TraceError: a trace holds no structure encoding, or the selection names what is not there.
    """
    several = [readings] if isinstance(readings, Reading) else list(readings)
    if not 1 <= len(several) <= 2:
        raise TraceError(f"The structure view shows one or two models, not {len(several)}.")
    given = [_encoded(item) for item in several]
    blobs = luts("diverging", "cividis")
    models = []
    for at, (scheme, shape, vectors, title) in enumerate(given):
        values = cosine_similarity(vectors)
        blobs[f"similarity.{at}"] = half(values)
        found = part_statistic(values, scheme)
        means = (found.adjacent, found.mirrored, found.within, found.rest)
        models.append(
            {
                "face": face_meta(scheme),
                "points": rounded(shape),
                "title": title,
                "width": int(vectors.shape[1]),
                "statistic": [
                    [kind, round(mean, 4), count]
                    for kind, mean, count in zip(KINDS, means, found.counts, strict=True)
                    if np.isfinite(mean)
                ],
                "twin": twins(*given[at][:2], *given[1 - at][:2]) if len(given) == 2 else [],
            }
        )
    state = {"selection": _resolve(dict(selection or {}), [scheme.count for scheme, *_ in given])}
    meta = {"models": models, "tensor": "relation.structure", "caption": as_meta(STRUCTURE), "state": state}
    return {"meta": meta, "blobs": blobs}


def _encoded(item: Reading | Encoded) -> Encoded:
    if not isinstance(item, Reading):
        return item
    title = f"{item.scheme.count} points · {item.model_name}"
    return item.scheme, item.mean_shape, item.structure(), title


def _resolve(given: dict[str, Any], counts: list[int]) -> dict[str, Any]:
    unknown = given.keys() - DEFAULTS.keys()
    if unknown:
        raise TraceError(f"A selection has no '{sorted(unknown)[0]}'; it has {', '.join(DEFAULTS)}.")
    chosen = {**DEFAULTS, **given}
    if not 0 <= chosen["model"] < len(counts):
        raise TraceError(f"There are {len(counts)} models here, so model {chosen['model']} is not there.")
    count, landmark = counts[chosen["model"]], chosen["landmark"]
    if landmark is not None and not 0 <= landmark < count:
        raise TraceError(f"The scheme has {count} landmarks (0 to {count - 1}), so {landmark} is not there.")
    return chosen
