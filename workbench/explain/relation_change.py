"""What an occluder does to the relations: which landmarks are listened to more and which less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.explain.relations import attention_matrix

if TYPE_CHECKING:
    from workbench.faces import Occluder
    from workbench.reading import Reading

_CHANGED = 12


@dataclass(frozen=True)
class RelationChange:
    """Weights between landmarks with an occluder against the same without.

    Attributes:
        covered: (N,) which landmarks lie under the occluder, by the answer without it.
        received: (N,) by how much the mean weight on each landmark changed (mean over the N queries).
        edges: (E, 2) the (query, key) pairs whose weight changed most, largest change first.
        change: (E,) by how much.
        before, now: the share of their attention, in [0, 1], that uncovered landmarks give to covered ones.
        caption: the tensor and what was done to it.
    """

    covered: np.ndarray
    received: np.ndarray
    edges: np.ndarray
    change: np.ndarray
    before: float
    now: float
    caption: str

    def sentence(self) -> str:
        """The effect in words."""
        count = int(self.covered.sum())
        if not count:
            return "The occluder covers no landmark; move it onto the face."
        if count == len(self.covered):
            return f"The occluder covers all {count} landmarks, so none is left to listen from outside."
        return (
            f"Uncovered landmarks gave the {count} covered ones **{self.before:.1%}** of their attention; "
            f"with the occluder they give **{self.now:.1%}**."
        )


def relation_change(
    reading: Reading, plain: Reading, occluder: Occluder, stage: int | None = -1, layer: int | None = None
) -> RelationChange:
    """How the relations of a system's first kind changed under an occluder, heads averaged.

    Args:
        reading, plain: the same face and model with and without the occluder.
        stage, layer: zero-based, None the mean of all.

    Raises:
        TraceError: the readings hold no weights between landmarks.
    """
    now, before = (attention_matrix(r, None, stage, layer, None) for r in (reading, plain))
    covered = occluder.covers(plain.points())
    difference = now.weights - before.weights
    order = np.argsort(-np.abs(difference), axis=None, kind="stable")[:_CHANGED]
    pairs = np.stack(np.unravel_index(order, difference.shape), axis=1)
    return RelationChange(
        covered=covered,
        received=difference.mean(0),
        edges=pairs,
        change=difference[pairs[:, 0], pairs[:, 1]],
        before=_share_on(before.weights, covered),
        now=_share_on(now.weights, covered),
        caption=f"{now.caption} · with the occluder minus without",
    )


def _share_on(weights: np.ndarray, covered: np.ndarray) -> float:
    """The part of the uncovered queries' weight that covered keys get."""
    if covered.all() or not covered.any():
        return float(covered.all())
    return float(weights[~covered][:, covered].sum(1).mean())
