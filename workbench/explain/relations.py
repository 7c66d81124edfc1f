"""Who looks at whom: attention between landmarks as matrices, edges, partners and a rollout.

Rows are queries, columns are keys, everywhere. Nothing here renormalises a weight; what a mean, a top-k or a
threshold did is said in the result's caption.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from workbench.errors import TraceError, UnknownNameError
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

Kind = Literal["cross", "self"]
Direction = Literal["query", "key"]
Scale = Literal["map", "all"]


@dataclass(frozen=True)
class Relations:
    """Attention weights between landmarks.

    Attributes:
        weights: (N, N), row = query, column = key; every row sums to 1 as the softmax left it.
        kind: "cross" (queries look at the patches) or "self" (queries look at one another).
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
    """For each landmark the one it looks at most (thesis Fig. 4.6).

    Attributes:
        key: (N,) the partner of landmark ``i``; may be ``i`` itself.
        weight: (N,) the weight between them.
        caption: how the partners were chosen.
    """

    key: np.ndarray
    weight: np.ndarray
    caption: str


def attention_stack(reading: Reading, kind: Kind = "cross") -> np.ndarray:
    """(stage, layer, head, N, N) attention weights of a reading.

    Raises:
        TraceError: the model has no relation layers or they were not recorded.
        UnknownNameError: ``kind`` is neither "cross" nor "self".
    """
    if kind not in ("cross", "self"):
        raise UnknownNameError(f"There is no attention of the kind '{kind}'; use 'cross' or 'self'.")
    if f"relation.layers.0.{kind}" not in reading.trace:
        raise TraceError(
            f"The trace of {reading.model_name} holds no {kind}-attention between landmarks; "
            "read the face with an SLPT or DSLPT model and record 'relation.layers.*'."
        )
    return reading.attention(kind)


def attention_matrix(
    reading: Reading,
    kind: Kind = "cross",
    stage: int | None = -1,
    layer: int | None = 0,
    head: int | None = None,
) -> Relations:
    """The attention of one stage, layer and head, or its arithmetic mean over those given as None.

    Args:
        kind: "cross" (Eq. 5.3-5.4) or "self" (Eq. 5.1-5.2).
        stage, layer, head: zero-based, negative from the end; None is the mean over all.

    Raises:
        TraceError: the trace holds none, or an index is out of range.
    """
    stack = attention_stack(reading, kind)
    sizes = stack.shape[:3]
    stage, layer, head = (
        _index(name, pick, size)
        for name, pick, size in zip(("stage", "layer", "head"), (stage, layer, head), sizes, strict=True)
    )
    values = stack
    for axis, pick in ((2, head), (1, layer), (0, stage)):
        values = values.mean(axis=axis) if pick is None else values.take(pick, axis=axis)
    return Relations(values, kind, stage, layer, head, describe(kind, stage, layer, head, sizes))


def largest_weight(weights: np.ndarray, own: bool = True) -> float:
    """The largest of weights (..., N, N), those of a landmark on itself only if ``own``; 1 where all are zero."""
    counted = weights if own else np.where(np.eye(weights.shape[-1], dtype=bool), 0, weights)
    return float(counted.max(initial=0.0)) or 1.0


def describe(kind: str, stage: int | None, layer: int | None, head: int | None, sizes: tuple[int, ...]) -> str:
    """The caption of an attention matrix, such as ``relation.layers.0.cross · stage 3 · mean of 8 heads``.

    The tensor's name counts from 0 as the code does; stage and head are told from 1.

    Args:
        stage, layer, head: zero-based and not negative; None is the mean.
        sizes: how many stages, layers and heads there are.
    """
    stages, layers, heads = sizes
    path = f"relation.layers.{'*' if layer is None else layer}.{kind}"
    parts = [path]
    if layer is None:
        parts.append(f"mean of {layers} layers")
    parts.append(f"mean of {stages} stages" if stage is None else f"stage {stage + 1} of {stages}")
    parts.append(f"mean of {heads} heads" if head is None else f"head {head + 1} of {heads}")
    return " · ".join(parts)


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
        include_self: whether a landmark's look at itself counts.
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
    top_k = None if top_k is not None and top_k >= count - (not include_self) else top_k
    caption = _edges_caption(top_k, threshold, landmark, include_self, direction, share)
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
    caption = "the strongest key of each landmark other than itself"
    caption += f", {_from(threshold)}" if threshold > 0 else ""
    if landmark is None:
        return replace(every, caption=f"{caption}; they carry {every.share:.0%} of the weight")
    landmark = check_index("landmark", landmark, len(weights))
    kept = (every.query if direction == "query" else every.key) == landmark
    share = float(every.weight[kept].sum() / (weights.sum() or 1.0))
    caption += f"; only where landmark {landmark} is the {direction}"
    return Edges(every.query[kept], every.key[kept], every.weight[kept], share, caption)


def _from(threshold: float) -> str:
    """The threshold for a caption, to two digits."""
    return f"weights from {'' if float(f'{threshold:.2g}') == threshold else 'about '}{threshold:.2g}"


def _edges_caption(
    top_k: int | None, threshold: float, landmark: int | None, include_self: bool, direction: Direction, share: float
) -> str:
    whose = "each landmark" if landmark is None else f"landmark {landmark}"
    whom = "keys of" if direction == "query" else "queries on"
    partners = f"all {whom} {whose}" if top_k is None else f"the {top_k} strongest {whom} {whose}"
    parts = [partners, "with itself" if include_self else "without itself"]
    if threshold > 0:
        parts.append(_from(threshold))
    return ", ".join(parts) + f"; they carry {share:.0%} of the weight"


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
    caption = "the key with the highest weight of each landmark"
    caption += ", itself left out" if exclude_self else f"; {itself} of {len(key)} choose themselves (rings)"
    return Partners(key, weight, caption)


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
