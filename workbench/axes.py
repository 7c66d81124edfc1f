"""The axes by which taps say what they are, and views what they need.

A tap's own axes leave out ``batch`` and ``stage``, which any recording may add.
"""

from __future__ import annotations

from collections.abc import Iterable

Axes = tuple[str, ...]

LANDMARK_PAIRS: tuple[Axes, ...] = (("head", "query_landmark", "key_landmark"), ("query_landmark", "key_landmark"))
"""Weights between landmarks, rows are queries: attention of several heads, or the edges of a graph."""
ENCODINGS: tuple[Axes, ...] = (("landmark", "encoding"),)
"""Structure encodings, a constant of the weights: the same for every face."""
SPATIAL_ATTENTION: tuple[Axes, ...] = (("query_y", "query_x", "key_y", "key_x"),)
"""Attention between the places of a map."""
FACE_MAP: Axes = ("y", "x")
"""One map over the face: a gate, or what is visible."""
FEATURES: Axes = ("channel", "y", "x")
CHANNELS: Axes = ("channel",)
"""One number a channel: a gate, or a vector."""
PRODUCTS: Axes = ("product", "y", "x")
"""Products of two views of the face, one map a pair of their channels; a square number of them, row by row."""
RECOVERED: Axes = ("rank", "landmark", "xy")
"""What a low-rank matrix would answer were it cut to each rank, from 0."""
SINGULAR: Axes = ("rank",)
"""The singular values of that matrix, largest first."""
NODES: tuple[Axes, ...] = (("node", "xy"),)
"""Positions of a graph's nodes, after each of its blocks."""
LEARNED: Axes = ("node", "neighbour")
"""Edge weights that are parameters, the same for every face."""
RELATIVE: Axes = ("landmark", "neighbour")
"""Rows that take the mean of a landmark's neighbours less itself."""
BRANCHES: tuple[Axes, ...] = (("branch", "channel"),)
"""What each branch gives to a channel; they sum to 1 over the branches."""
RECTS: Axes = ("landmark", "rect")
CASCADES: Axes = ("cascade",)
"""How many parameters a model has that stops after each cascade, from 0."""
LANDMARK_MAPS: Axes = ("landmark", "y", "x")
LANDMARK_TO_MAP: tuple[Axes, ...] = (("head", "landmark", "y", "x"),)
"""Where each landmark looks on a map of the face."""
PLANE_POINTS: tuple[Axes, ...] = (("landmark", "xy"),)
"""Positions of landmarks, such as the points of the face plane that a structure prompt holds."""
GENERAL: tuple[Axes, ...] = (*LANDMARK_PAIRS, *ENCODINGS)
"""What is recorded unless something else is asked for: the small tensors that the general views share."""

READ: tuple[Axes, ...] = (*GENERAL, *SPATIAL_ATTENTION, *LANDMARK_TO_MAP)
"""What ``read`` records by default: every system's own attention too."""


def own(axes: Iterable[str]) -> Axes:
    """The axes without those that a recording adds."""
    return tuple(axis for axis in axes if axis not in ("batch", "stage"))
