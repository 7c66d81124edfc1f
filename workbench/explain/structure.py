"""What the structure encodings know of a face: cosine similarity, neighbours, parts (thesis Fig. 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.explain.caption_tables import STRUCTURE_SIMILARITY
from workbench.explain.captions import Fact, compose, number
from workbench.landmarks import PARTS, Scheme

if TYPE_CHECKING:
    from workbench.reading import Reading


PAIR_KINDS = ("neighbours on a line", "mirrored pairs", "same part", "all other pairs")
"""What :class:`PartStatistic` tells apart, in its order."""


@dataclass(frozen=True)
class Similarity:
    """Cosine similarity of encodings.

    Attributes:
        values: (N, N) in [-1, 1], symmetric, ones on the diagonal.
        caption: of which tensor.
    """

    values: np.ndarray
    caption: str


@dataclass(frozen=True)
class Neighbours:
    """The most similar other landmarks of each.

    Attributes:
        index: (N, k), most similar first.
        value: (N, k) their similarities.
        caption: how they were chosen.
    """

    index: np.ndarray
    value: np.ndarray
    caption: str


@dataclass(frozen=True)
class PartOrder:
    """Landmarks sorted by facial part.

    Attributes:
        index: (N,) landmark shown at each place.
        parts: the parts present, in order.
        starts: (P + 1,) first place of each part, then N.
        caption: the order in words.
    """

    index: np.ndarray
    parts: tuple[str, ...]
    starts: np.ndarray
    caption: str

    def middle(self, part: int) -> float:
        """The place in the middle of a part, for its label."""
        return float(self.starts[part] + self.starts[part + 1] - 1) / 2


@dataclass(frozen=True)
class PartStatistic:
    """Mean similarity of four kinds of landmark pairs; NaN where a scheme has none of a kind.

    Attributes:
        adjacent: neighbours on one polyline.
        mirrored: left-right pairs.
        within: any two landmarks of one part.
        rest: pairs of different parts that do not mirror each other.
        counts: number of pairs of each kind, in this order.
        caption: the four numbers in words.
    """

    adjacent: float
    mirrored: float
    within: float
    rest: float
    counts: tuple[int, int, int, int]
    caption: str


def cosine_similarity(vectors: np.ndarray) -> np.ndarray:
    """(N, d) vectors -> (N, N) cosine similarities; a zero vector is similar to nothing but itself."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.asarray(vectors, float) / np.where(norms > 0, norms, 1)
    values = np.clip(unit @ unit.T, -1, 1)
    np.fill_diagonal(values, 1.0)
    return values


def structure_similarity(reading: Reading) -> Similarity:
    """Cosine similarity of the model's structure encodings. They are weights: the same for every photograph.

    Raises:
        TraceError: the model has no structure encoding or it was not recorded.
    """
    tensor, vectors = reading.structure_path(), reading.structure()
    count, width = vectors.shape
    facts: dict[str, Fact] = {"tensor": tensor, "count": count, "width": width, "count2": None}
    return Similarity(cosine_similarity(vectors), compose(STRUCTURE_SIMILARITY, facts))


def neighbours(similarity: Similarity | np.ndarray, k: int = 3) -> Neighbours:
    """For each landmark the ``k`` others whose encodings are most similar (thesis Fig. 5.3, right: k = 3)."""
    values = np.array(similarity.values if isinstance(similarity, Similarity) else similarity, float)
    np.fill_diagonal(values, -np.inf)
    k = max(1, min(k, len(values) - 1))
    index = np.argsort(-values, axis=1, kind="stable")[:, :k]
    caption = f"the {k} most similar other landmarks of each" if k > 1 else "the most similar other landmark"
    return Neighbours(index, np.take_along_axis(values, index, 1), caption)


def order_by_part(scheme: Scheme) -> PartOrder:
    """Landmarks by part (jaw, brows, eyes, nose, lips, other), inside a part along the drawn lines."""
    drawn = list(dict.fromkeys(i for group in scheme.groups for i in group.indices))
    drawn += [i for i in range(scheme.count) if i not in set(drawn)]
    index = [i for part in PARTS for i in drawn if scheme.part_of[i] == part]
    parts = tuple(part for part in PARTS if part in scheme.part_of)
    sizes = [scheme.part_of.count(part) for part in parts]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    return PartOrder(np.array(index, int), parts, starts, "ordered by facial part")


def part_statistic(similarity: Similarity | np.ndarray, scheme: Scheme) -> PartStatistic:
    """How similar neighbouring, mirrored and same-part landmarks are, against all the rest."""
    values = similarity.values if isinstance(similarity, Similarity) else np.asarray(similarity)
    part = np.array(scheme.part_of)
    upper = np.triu(np.ones((scheme.count, scheme.count), bool), 1)
    mirror = np.zeros_like(upper)
    for i, j in enumerate(scheme.flip):
        mirror[i, j] = i != j
    chain = np.zeros_like(upper)
    for line in scheme.polylines():
        chain[list(line[:-1]), list(line[1:])] = True
    chain |= chain.T
    same = part[:, None] == part[None]
    masks = (chain & upper, mirror & upper, same & upper, ~same & ~mirror & upper)
    adjacent, mirrored, within, rest = (float(values[m].mean()) if m.any() else float("nan") for m in masks)
    a, b, c, d = (int(m.sum()) for m in masks)
    named = zip(PAIR_KINDS, (adjacent, mirrored, within, rest), strict=True)
    caption = "mean similarity: " + ", ".join(f"{name} {number(mean)}" for name, mean in named if np.isfinite(mean))
    return PartStatistic(adjacent, mirrored, within, rest, (a, b, c, d), caption)
