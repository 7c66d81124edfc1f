"""A landmark graph on a face (SCC): edge weights learned and on this face, node positions after each block, and how
landmarks lie to their neighbours (P S - P S*)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.axes import LANDMARK_MAPS, LANDMARK_PAIRS, LEARNED, NODES, RELATIVE, own
from workbench.errors import TraceError
from workbench.explain.facts import Facts, named
from workbench.landmarks.geometry import apply, similarity

if TYPE_CHECKING:
    from workbench.reading import Reading

MODES = ("face", "learned", "change", "even")
"""Of edges: as this face has them; the parameters alone; the first less the second; the first less 1 / degree."""
REFERENCES = {
    "truth": "the labels",
    "start": "the centres of its maps",
    "mean": "the mean face, brought over by a similarity",
}
"""What S* can be, and what it is called."""


def one_of(what: str, value: str, known: Sequence[str]) -> None:
    """Raises TraceError unless the value is among the known ones."""
    if value not in known:
        raise TraceError(f"There is no {what} '{value}'; choose {' or '.join(filter(None, known))}.")


@dataclass(frozen=True)
class Graph:
    """What one reading tells of its graph. Weights float32, places normalised.

    Attributes:
        layers: keys of the trace of each layer's edge weights, in the order of the network.
        weights: (layer, N, N) as this face has them, rows take from columns; ``learned`` the same of the parameters
            alone; where those were not recorded, the same array.
        linked: bool (N, N), where there is an edge, self-loops included.
        steps: (step, N, 2), where the answer would lie if the network ended there; where the nodes are located, the
            first step is the centres of their maps. The last step is the answer.
        names: of the steps.
        positions: key of the trace.
        relative: P, (N, N), or None; ``relative_tensor`` its key.
        references: name of :data:`REFERENCES` -> S*, (N, 2).
    """

    layers: tuple[str, ...]
    weights: np.ndarray
    learned: np.ndarray
    linked: np.ndarray
    steps: np.ndarray
    names: tuple[str, ...]
    positions: str
    relative: np.ndarray | None
    relative_tensor: str
    references: dict[str, np.ndarray]

    @property
    def even(self) -> np.ndarray:
        """(N, N) 1 / degree where there is an edge: what a layer gives that prefers none."""
        return self.linked / np.maximum(self.linked.sum(1, keepdims=True), 1)

    def edges(self, layer: int, mode: str) -> np.ndarray:
        """(N, N) weights of a layer, or their differences, as :data:`MODES` says."""
        now = self.weights[layer]
        if mode == "learned":
            return self.learned[layer]
        if mode == "change":
            return now - self.learned[layer]
        return now - self.even.astype(np.float32) if mode == "even" else now

    def departure(self, weights: np.ndarray) -> np.ndarray:
        """(layer,) mean over the edges of |weight x degree - 1|: 0 where all are 1 / degree."""
        ratio = weights / np.where(self.linked, self.even, 1)
        return np.asarray(np.abs(ratio - 1)[:, self.linked].mean(1))

    @property
    def top(self) -> dict[str, float]:
        """Mode -> the largest weight or difference between two landmarks in any layer."""
        apart = ~np.eye(len(self.linked), dtype=bool)
        layers = range(len(self.layers))
        return {m: max(float(np.abs(self.edges(k, m)[apart]).max()) for k in layers) or 1.0 for m in MODES}

    def moves(self) -> np.ndarray:
        """(step, N, 2) how far each step moved each node, normalised; zero in the first."""
        return np.diff(self.steps, axis=0, prepend=self.steps[:1])

    def residual(self, step: int, reference: str) -> np.ndarray:
        """(N, 2) P S - P S*, normalised; zero for all where P was not recorded."""
        if self.relative is None:
            return np.zeros_like(self.steps[step])
        return np.asarray(self.relative @ (self.steps[step] - self.references[reference]))


def graph(reading: Reading, truth: np.ndarray | None = None) -> Graph:
    """Find it in a reading that recorded edges, positions and, where there are any, maps.

    Args:
        truth: (N, 2) labels, normalised, where they are known.

    Raises:
        TraceError: the trace holds no graph of this face's landmarks, or the labels are of another number.
    """
    trace, count = reading.trace, reading.scheme.count
    pairs = [n for n, entry in trace.items() if own(entry.axes) == LANDMARK_PAIRS[1]]
    nodes = [n for n, entry in trace.items() if own(entry.axes) in NODES]
    if not pairs or not nodes:
        raise TraceError(f"The trace of {reading.model_name} holds no landmark graph; choose a model that has one.")
    if truth is not None and np.shape(truth) != (count, 2):
        raise TraceError(f"The labels must be ({count}, 2), not {np.shape(truth)}.")
    weights = np.stack([_of(reading, name) for name in pairs])
    static = [n for n, entry in trace.items() if own(entry.axes) == LEARNED]
    learned = np.stack([_of(reading, name) for name in static]) if len(static) == len(pairs) else weights
    blocks = _of(reading, nodes[0]) / reading.input_size
    maps = [n for n, entry in trace.items() if own(entry.axes) == LANDMARK_MAPS]
    steps, names = list(blocks), ["input layer", *(f"block {k}" for k in range(1, len(blocks)))]
    references = {}
    if maps:
        start = centres(_of(reading, maps[-1]))
        steps, names = [start, *steps], ["centres of the maps", *names]
        references["start"] = start
    whole = np.stack(steps).astype(np.float64)
    mean = reading.mean_shape
    references["mean"] = apply(similarity(mean, whole[-1]), mean)
    if truth is not None:
        references = {"truth": np.asarray(truth, np.float64), **references}
    relative = next((n for n, entry in trace.items() if own(entry.axes) == RELATIVE), "")
    return Graph(
        tuple(pairs), weights, learned, np.asarray((weights > 0).any(0)), whole, tuple(names), nodes[0],
        _of(reading, relative).astype(np.float64) if relative else None, relative, references,
    )  # fmt: skip


def arrow_factor(vectors: np.ndarray) -> float:
    """A round factor by which arrows (..., 2) become easy to see: the longest then reaches at most an eighth of the
    crop; never below 1."""
    longest = float(np.linalg.norm(vectors, axis=-1).max())
    return max([f for f in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0) if f * longest <= 0.125], default=1.0)


def centres(maps: np.ndarray) -> np.ndarray:
    """Expected places (N, 2) in [0, 1] under maps (N, h, w); the centre of cell i lies at (i + 1/2) / size."""
    weight = np.clip(maps, 0, None).astype(np.float64)
    weight /= np.maximum(weight.sum((1, 2), keepdims=True), 1e-6)
    y, x = ((np.arange(n) + 0.5) / n for n in maps.shape[1:])
    return np.stack([(weight.sum(1) * x).sum(1), (weight.sum(2) * y).sum(1)], 1)


def graph_facts(
    reading: Reading, found: Graph, *, show: str = "edges", layer: int = -1, mode: str = "face", step: int = -1,
    reference: str = "", top: float = 0.0, arrows: float = 1.0, landmark: int | None = None,
) -> Facts:  # fmt: skip
    """Facts of ``system_captions.GRAPH``.

    Args:
        show: "edges", "moves" (from the step before) or "residuals".
        layer, step: zero-based, negative from the end.
        mode: of :data:`MODES`; ``reference`` of :data:`REFERENCES`, the first there is for "".
        top: where the scale of the edges ends.
        arrows: by how much arrows are longer than what they stand for.
    """
    return {
        "show": show,
        "tensor": found.layers[layer] if show == "edges" else found.positions,
        "relative": found.relative_tensor,
        "layer": layer % len(found.layers) + 1,
        "layers": len(found.layers),
        "mode": mode,
        "step": found.names[step],
        "first": step % len(found.names) == 0,
        "reference": REFERENCES[reference or next(iter(found.references))],
        "low": 0.0 if mode in ("face", "learned") else -top,
        "top": top,
        "arrows": arrows,
        "landmark": named(reading.scheme, landmark),
        "widget": False,
    }


def _of(reading: Reading, name: str) -> np.ndarray:
    return reading.trace[name].at(batch=0).numpy().astype(np.float32)
