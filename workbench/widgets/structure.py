"""The Structure view's data: what the structure encodings of one or two models have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.errors import TraceError
from workbench.explain import cosine_similarity, part_statistic
from workbench.explain.caption_tables import STRUCTURE
from workbench.explain.captions import as_meta
from workbench.explain.structure import PAIR_KINDS
from workbench.landmarks.geometry import twins
from workbench.reading import Encodings, Reading
from workbench.widgets.payload import Payload, face_meta, half, luts, rounded
from workbench.widgets.selection import Entry, Table, resolve

SELECTION: Table = (
    Entry("model", 0, index="model"),  # the panel in which the landmark is pinned
    Entry("landmark", index="landmark", none="nothing is pinned"),
)


def structure_payload(
    readings: Reading | Sequence[Reading | Encodings], selection: Mapping[str, Any] | None = None
) -> Payload:
    """What the ``structure`` widget shows: cosine similarities (N, N) of each model as float16, and mean faces.

    Args:
        readings: one or two, or their encodings alone.
        selection: entries of :data:`SELECTION` to start from.

    Raises:
        TraceError: a trace holds no structure encoding, or the selection names what is not there.
    """
    several = [readings] if isinstance(readings, Reading) else list(readings)
    if not 1 <= len(several) <= 2:
        raise TraceError(f"The structure view shows one or two models, not {len(several)}.")
    given = [item.encodings() if isinstance(item, Reading) else item for item in several]
    blobs = luts("diverging", "cividis")
    models = []
    for at, item in enumerate(given):
        scheme, vectors, other = item.scheme, item.vectors, given[1 - at] if len(given) == 2 else None
        values = cosine_similarity(vectors)
        blobs[f"similarity.{at}"] = half(values)
        found = part_statistic(values, scheme)
        means = (found.adjacent, found.mirrored, found.within, found.rest)
        models.append(
            {
                "face": face_meta(scheme),
                "points": rounded(item.mean_shape),
                "title": f"{scheme.count} points · {item.model}",
                "width": int(vectors.shape[1]),
                "statistic": [
                    [kind, float(mean), count]
                    for kind, mean, count in zip(PAIR_KINDS, means, found.counts, strict=True)
                    if np.isfinite(mean)
                ],
                "twin": [] if other is None else twins(scheme, item.mean_shape, other.scheme, other.mean_shape),
            }
        )
    counts = [item.scheme.count for item in given]
    bounds = {"model": len(given), "landmark": {"by": "model", "of": counts}}
    meta = {
        "models": models,
        "tensor": given[0].tensor,
        "caption": as_meta(STRUCTURE),
        "stem": f"{'-'.join(item.model for item in given)}-structure",
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, selection, bounds)},
    }
    return {"meta": meta, "blobs": blobs}
