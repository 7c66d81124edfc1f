"""The Cascade view's data: what each task takes from the branches, heatmaps, steps, close-ups and pruning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.explain.cascade import AFTER, HEATMAPS, cascade, title
from workbench.explain.system_captions import CASCADE
from workbench.reading import Reading
from workbench.widgets.board import board, packed
from workbench.widgets.payload import Payload, inter_ocular, rounded
from workbench.widgets.selection import Entry, Table, resolve

SELECTION: Table = (
    Entry("task", 0, index="task"),
    Entry("map", AFTER),  # what the large face shows
    Entry("channel", index="channel", none="all of them"),  # of the gates and the branch weights
    Entry("landmark", index="landmark", none="all of them"),
    Entry("kept", index="kept", none="all cascades"),  # that pruning leaves
    Entry("points", True),
)


def cascade_payload(reading: Reading, selection: Mapping[str, Any] | None = None) -> Payload:
    """What the ``cascade`` widget shows.

    Args:
        reading: with the axes that the view records.
        selection: entries of :data:`SELECTION` to start from.

    Raises:
        TraceError: the trace holds no cascade of branches, or the selection names what is not there.
    """
    found = cascade(reading)
    meta, blobs = board(reading, "cascade", CASCADE)
    arrays = {"branch": found.before, HEATMAPS: found.heatmaps}
    arrays[AFTER] = np.stack([task.after for task in found.tasks])
    if found.boundary is not None:
        arrays["boundary"] = found.boundary
    for k, task in enumerate(found.tasks):
        if task.gates is not None:
            arrays[f"gate.{k}"] = task.gates
    told, more = packed("cascade", arrays)
    tasks = [
        {
            "name": task.name,
            "weights": [[round(float(v), 5) for v in row] for row in task.weights],
            "weightsTensor": task.weights_tensor,
            "channels": task.channels,
            "keys": found.keys(k),
            "tensors": {key: found.tensor(key, k) for key in found.keys(k)},
        }
        for k, task in enumerate(found.tasks)
    ]
    bounds = {
        "task": len(found.tasks),
        "map": {"by": "task", "of": [found.keys(k) for k in range(len(found.tasks))]},
        "channel": found.tasks[0].weights.shape[1],
        "landmark": reading.scheme.count,
        "kept": len(found.steps),
    }
    meta |= {
        "arrays": told,
        "tasks": tasks,
        "titles": {key: title(key) for k in range(len(found.tasks)) for key in found.keys(k)},
        "branches": len(found.before),
        "branchChannels": found.branch_channels,
        "peaks": rounded(found.peaks),
        "steps": rounded(found.steps),
        "rects": rounded(found.rects),
        "sizes": None if found.sizes is None else found.sizes.tolist(),
        "errors": {str(k): value for k, value in found.errors.items()},
        "ocular": inter_ocular(reading),
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, selection, bounds)},
    }
    return {"meta": meta, "blobs": blobs | more}
