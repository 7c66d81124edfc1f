"""Which landmark attends to which: attention between landmarks as matrices, edges, partners and a rollout.

Rows are queries, columns are keys, everywhere. Nothing here renormalises a weight; what a mean, a top-k or a
threshold did is said in the result's caption.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.axes import LANDMARK_PAIRS
from workbench.errors import TraceError, UnknownNameError
from workbench.explain.caption_tables import RELATION_EDGES, RELATION_MAP
from workbench.explain.captions import Fact, compose
from workbench.tracing import Axed, NamedTensor, check_index, layers_of

if TYPE_CHECKING:
    from workbench.reading import Reading

Direction = Literal["query", "key"]
Scale = Literal["map", "all"]


@dataclass(frozen=True)
class RelationKind:
    """One mechanism by which a system lets landmarks attend to one another, over all its layers.

    Attributes:
        name: the end of its paths, "cross" or "self" in the papers' decoders.
        title: "MCA", "MSA" or "edge weight", with what tells it from others of that title.
        tensor: its path with ``{layer}`` for the layer, which counts from 0.
        paths: by layer.
        idle: layers, from 0, whose weights no answer can depend on by construction (``Tap.idle``).
        even: layers of edge weights that are all 1 / degree within 5 %; told of a reading or trace alone.
    """

    name: str
    title: str
    tensor: str
    paths: tuple[str, ...]
    idle: tuple[int, ...] = ()
    even: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        """The first layer, from 0, whose weights an answer can depend on."""
        return next((layer for layer in range(len(self.paths)) if layer not in self.idle), 0)

    @property
    def unit(self) -> str:
        """What one number is, for a legend."""
        return "edge weight" if self.title.startswith("edge") else "attention weight"


@dataclass(frozen=True)
class Relations:
    """Attention weights between landmarks.

    Attributes:
        weights: (N, N), row = query, column = key; every row sums to 1 as the softmax left it.
        kind: the :class:`RelationKind`'s name.
        stage, layer, head: zero-based; None is the mean over that axis.
        caption: the tensor and what was done to it.
    """

    weights: np.ndarray
    kind: str
    stage: int | None
    layer: int | None
    head: int | None
    caption: str


@dataclass(frozen=True)
class Edges:
    """Directed relations, strongest first.

    Attributes:
        query, key: (E,) landmark indices.
        weight: (E,) as in the matrix.
        share: the part of the considered queries' total weight that these edges carry, in [0, 1].
        caption: how the edges were chosen.
    """

    query: np.ndarray
    key: np.ndarray
    weight: np.ndarray
    share: float
    caption: str

    def __len__(self) -> int:
        return len(self.query)


@dataclass(frozen=True)
class Partners:
    """For each landmark the one it weighs most (thesis Fig. 4.6).

    Attributes:
        key: (N,) the partner of landmark ``i``; may be ``i`` itself.
        weight: (N,) the weight between them.
        caption: how the partners were chosen.
    """

    key: np.ndarray
    weight: np.ndarray
    caption: str


_TITLES = {"cross": "MCA", "self": "MSA"}


def relation_kinds(source: Reading | Mapping[str, Axed]) -> list[RelationKind]:
    """The kinds of weights between landmarks that a reading (or a trace, or a model's taps) holds.

    Args:
        source: a reading, a trace, or ``taps(model)``, which costs no forward pass.

    Returns:
        Cross-attention first, then in the order of the network.
    """
    seen = source if isinstance(source, Mapping) else source.trace
    idle = {*getattr(seen, "meta", {}).get("idle", ()), *(p for p, tap in seen.items() if getattr(tap, "idle", False))}
    found = layers_of(seen, LANDMARK_PAIRS)
    titles = [
        _TITLES.get(layers.name.split(".")[-1], "attention") if "head" in layers.axes else "edge weight"
        for layers in found
    ]
    kinds = [
        RelationKind(
            layers.name,
            title if titles.count(title) == 1 else f"{title}, {layers.name.split('.')[0]}",
            layers.template,
            layers.paths,
            tuple(layer for layer, path in enumerate(layers.paths) if path in idle),
            tuple(layer for layer, path in enumerate(layers.paths) if title.startswith("edge") and _even(seen[path])),
        )
        for layers, title in zip(found, titles, strict=True)
    ]
    return sorted(kinds, key=lambda kind: kind.title != "MCA")


def _even(entry: Axed) -> bool:
    """Whether every row's weights other than zero are equal within 5 %."""
    if not isinstance(entry, NamedTensor):
        return False
    weights = entry.tensor.detach().cpu().numpy()
    share = weights * (weights > 0).sum(-1, keepdims=True)
    return bool((np.abs(share - 1)[weights > 0] < 0.05).all())


def relation_kind(reading: Reading, kind: str | None = None) -> RelationKind:
    """The kind of that name; the first one for None.

    Raises:
        TraceError: the reading holds none.
        UnknownNameError: it holds no such kind.
    """
    found = relation_kinds(reading)
    if not found:
        raise TraceError(
            f"The trace of {reading.model_name} holds no attention between landmarks; choose another model, or "
            "record it."
        )
    for one in found:
        if kind in (None, one.name):
            return one
    known = " and ".join(repr(one.name) for one in found)
    raise UnknownNameError(f"There is no attention of the kind '{kind}' in {reading.model_name}; it has {known}.")


def attention_stack(reading: Reading, kind: str | None = None) -> np.ndarray:
    """(stage, layer, head, N, N) weights of a reading; axes that the system does not have are of length 1.

    Raises:
        TraceError, UnknownNameError: as :func:`relation_kind`.
    """
    return reading.attention(relation_kind(reading, kind).name)


def attention_matrix(
    reading: Reading,
    kind: str | None = None,
    stage: int | None = -1,
    layer: int | None = 0,
    head: int | None = None,
) -> Relations:
    """The attention of one stage, layer and head, or its arithmetic mean over those given as None.

    Args:
        kind: of :func:`relation_kinds`: "cross" (Eq. 5.3-5.4), "self" (Eq. 5.1-5.2) ...; None is the first.
        stage, layer, head: zero-based, negative from the end; None is the mean over all.

    Raises:
        TraceError: the trace holds none, or an index is out of range.
        UnknownNameError: the trace holds no such kind.
    """
    found = relation_kind(reading, kind)
    stack = reading.attention(found.name)
    sizes = stack.shape[:3]
    stage, layer, head = (
        _index(name, pick, size)
        for name, pick, size in zip(("stage", "layer", "head"), (stage, layer, head), sizes, strict=True)
    )
    values = stack
    for axis, pick in ((2, head), (1, layer), (0, stage)):
        values = values.mean(axis=axis) if pick is None else values.take(pick, axis=axis)
    return Relations(
        values, found.name, stage, layer, head, compose(RELATION_MAP, map_facts(found, stage, layer, head, sizes))
    )


def largest_weight(weights: np.ndarray, own: bool = True) -> float:
    """The largest of weights (..., N, N), those of a landmark on itself only if ``own``; 1 where all are zero."""
    counted = weights if own else np.where(np.eye(weights.shape[-1], dtype=bool), 0, weights)
    return float(counted.max(initial=0.0)) or 1.0


def map_facts(
    kind: RelationKind, stage: int | None, layer: int | None, head: int | None, sizes: tuple[int, ...]
) -> dict[str, Fact]:
    """What ``caption_tables.RELATION_MAP`` says of a matrix: its tensor, and stage, layer and head from 1.

    The tensor's name counts layers from 0 as the code does.

    Args:
        stage, layer, head: zero-based and not negative; None is the mean.
        sizes: how many stages, layers and heads there are.
    """
    mean = layer is None and sizes[1] > 1
    facts: dict[str, Fact] = {"tensor": kind.tensor.replace("{layer}", "*") if mean else kind.paths[layer or 0]}
    for name, pick, size in zip(("stage", "layer", "head"), (stage, layer, head), sizes, strict=True):
        facts |= {name: None if pick is None else pick + 1, f"{name}s": size}
    return facts | {"idle": layer in kind.idle, "even": layer in kind.even, "rolled": False}


def edges(
    matrix: Relations | np.ndarray,
    top_k: int | None = 3,
    threshold: float = 0.0,
    landmark: int | None = None,
    include_self: bool = False,
    direction: Direction = "query",
) -> Edges:
    """The strongest relations of a matrix.

    Args:
        matrix: (N, N) weights, rows are queries.
        top_k: how many keys of each query (of each key how many queries, by ``direction``); None keeps all.
        threshold: weights below it are left out, and those that are zero.
        landmark: only this one's; None takes every landmark's.
        include_self: whether the weight of a landmark on itself counts.
        direction: "query": whom each landmark listens to; "key": who listens to it.

    Returns:
        Edges sorted by weight, strongest first; ties by query, then key.

    Raises:
        TraceError: the matrix is not square, there is no such landmark, or the threshold is no number.
    """
    if not math.isfinite(threshold):
        raise TraceError("The threshold must be a number from 0 to 1.")
    weights = _square(matrix)
    weights = weights if direction == "query" else weights.T
    count = len(weights)
    rows = np.arange(count) if landmark is None else np.array([check_index("landmark", landmark, count)])
    kept = count if top_k is None else min(max(top_k, 0), count)
    ranked = weights[rows].astype(float)
    if not include_self:
        ranked[np.arange(len(rows)), rows] = -np.inf
    order = np.argsort(-ranked, axis=1, kind="stable")[:, :kept]
    queries = np.repeat(rows, order.shape[1])
    keys = order.reshape(-1)
    values = np.take_along_axis(ranked, order, 1).reshape(-1)
    keep = np.isfinite(values) & (values >= threshold) & (values > 0)
    queries, keys, values = queries[keep], keys[keep], values[keep]
    if direction == "key":
        queries, keys = keys, queries
    order = np.lexsort((keys, queries, -values))
    total = float(weights[rows].sum())
    share = float(values.sum()) / total if total else 0.0
    caption = _edges_caption("lines", threshold, landmark, direction, share, top_k, include_self, count)
    return Edges(queries[order], keys[order], values[order], share, caption)


def best_edges(
    matrix: Relations | np.ndarray,
    threshold: float = 0.0,
    landmark: int | None = None,
    direction: Direction = "query",
) -> Edges:
    """One edge from each landmark to the key it weighs most other than itself (thesis Fig. 4.6).

    Args:
        matrix, threshold: as in :func:`edges`.
        landmark: only the edges in which it is the query or, by ``direction``, the key.

    Raises:
        TraceError: as :func:`edges`.
    """
    weights = _square(matrix)
    every = edges(weights, 1, threshold)
    if landmark is None:
        return replace(every, caption=_edges_caption("best", threshold, None, direction, every.share))
    landmark = check_index("landmark", landmark, len(weights))
    kept = (every.query if direction == "query" else every.key) == landmark
    share = float(every.weight[kept].sum() / (weights.sum() or 1.0))
    caption = _edges_caption("best", threshold, landmark, direction, share)
    return Edges(every.query[kept], every.key[kept], every.weight[kept], share, caption)


def _edges_caption(
    mode: str, threshold: float, landmark: int | None, direction: Direction, share: float, top_k: int | None = 1,
    own: bool = False, count: int = 0,
) -> str:  # fmt: skip
    facts: dict[str, Fact] = {
        "mode": mode, "threshold": threshold, "direction": direction, "own": own,
        "topk": 0 if top_k is None or top_k >= count - (not own) else top_k,
        "landmark": None if landmark is None else f"landmark {landmark}",
    }  # fmt: skip
    return f"{compose(RELATION_EDGES, facts)} · {share:.0%} of the weight"


def partners(matrix: Relations | np.ndarray, exclude_self: bool = False) -> Partners:
    """The arg-max key of every query: one arrow a landmark (thesis Fig. 4.6).

    Args:
        exclude_self: leave the diagonal out of the choice.
    """
    weights = _square(matrix).astype(float)
    if exclude_self:
        np.fill_diagonal(weights, -np.inf)
    key = weights.argmax(1)
    weight = weights[np.arange(len(key)), key]
    itself = int((key == np.arange(len(key))).sum())
    caption = "the key that each landmark weighs most"
    caption += ", other than itself" if exclude_self else f" · {itself} of {len(key)} weigh themselves most"
    return Partners(key, weight, caption)


def can_roll(reading: Reading) -> bool:
    """Whether :func:`rollout` has what it needs: self- and cross-attention, and no change of them."""
    names = {kind.name for kind in relation_kinds(reading)}
    return {"cross", "self"} <= names and "difference" not in reading.trace.meta


def rollout(reading: Reading, stage: int = -1) -> Relations:
    """From which patches a landmark's final state was gathered over all layers of a stage: an approximation.

    Attention rollout (Abnar and Zuidema, 2020) carried over to layers with self- and cross-attention: with
    ``R = 0`` at the zero start, every layer does ``R <- (R + S R) / 2`` for its self-attention S (skip and
    attention count alike) and ``R <- R + C`` for its cross-attention C, heads averaged; rows are scaled to
    sum 1 at the end. Values, feed-forward blocks and norms are ignored, so it shows where information could
    come from, never how much it mattered.

    Raises:
        TraceError: the trace lacks self- or cross-attention, or there is no such stage.
    """
    cross, own = attention_stack(reading, "cross"), attention_stack(reading, "self")
    stages, layers = cross.shape[:2]
    stage = check_index("stage", stage, stages)
    rolled = np.zeros(cross.shape[-2:])
    for layer in range(layers):
        rolled = (rolled + own[stage, layer].mean(0) @ rolled) / 2 + cross[stage, layer].mean(0)
    rolled /= rolled.sum(1, keepdims=True)
    caption = (
        f"attention rollout over {layers} layers · stage {stage + 1} of {stages} · mean of heads, skip and "
        "self-attention counted alike, rows scaled to sum 1 · approximation: values, feed-forward blocks and norms "
        "ignored"
    )
    return Relations(rolled, "rollout", stage, None, None, caption)


def _index(name: str, pick: int | None, size: int) -> int | None:
    return None if pick is None else check_index(name, pick, size)


def _square(matrix: Relations | np.ndarray) -> np.ndarray:
    weights = np.array(matrix.weights if isinstance(matrix, Relations) else matrix)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1]:
        raise TraceError(f"Relations need a square matrix (N, N), not the shape {weights.shape}.")
    return weights
