"""The Graph view's data: edges of every layer, node positions after every block, relations to the neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.explain.graph import MODES, REFERENCES, arrow_factor, graph
from workbench.explain.system_captions import GRAPH
from workbench.reading import Reading
from workbench.widgets.board import board, packed
from workbench.widgets.payload import Payload, inter_ocular, rounded
from workbench.widgets.selection import Entry, Table, resolve

SELECTION: Table = (
    Entry("show", "edges", ("edges", "moves", "residuals")),
    Entry("layer", -1, index="layer"),
    Entry("mode", "face", MODES),
    Entry("step", -1, index="step"),
    Entry("reference"),  # what S* is
    Entry("landmark", index="landmark", none="all of them"),
    Entry("points", True),
)


def graph_payload(
    reading: Reading, selection: Mapping[str, Any] | None = None, truth: np.ndarray | None = None
) -> Payload:
    """What the ``graph`` widget shows.

    Args:
        reading: with the axes that the view records.
        selection: entries of :data:`SELECTION` to start from.
        truth: (N, 2) labels in [0, 1] of the crop, where they are known.

    Raises:
        TraceError: the trace holds no landmark graph, or the selection names what is not there.
    """
    found = graph(reading, truth)
    meta, blobs = board(reading, "graph", GRAPH)
    arrays = {"weights": found.weights}
    if found.learned is not found.weights:
        arrays["learned"] = found.learned
    told, more = packed("graph", arrays)
    residuals = {
        name: np.stack([found.residual(k, name) for k in range(len(found.steps))]) for name in found.references
    }
    bounds = {
        "layer": len(found.layers),
        "step": len(found.steps),
        "reference": list(found.references),
        "landmark": reading.scheme.count,
    }
    meta |= {
        "arrays": told,
        "layers": list(found.layers),
        "degree": found.linked.sum(1).tolist(),
        "top": found.top,
        "departure": {
            "learned": found.departure(found.learned).round(4).tolist(),
            "face": found.departure(found.weights).round(4).tolist(),
        },
        "steps": rounded(found.steps, 7),
        "names": list(found.names),
        "positions": found.positions,
        "relative": found.relative_tensor,
        "residuals": {name: rounded(values, 7) for name, values in residuals.items()},
        "references": {name: REFERENCES[name] for name in found.references},
        "arrows": {
            "moves": arrow_factor(found.moves()),
            **{name: arrow_factor(values) for name, values in residuals.items()},
        },
        "ocular": inter_ocular(reading),
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, selection, bounds)},
    }
    return {"meta": meta, "blobs": blobs | more}
