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
LANDMARK_TO_MAP: tuple[Axes, ...] = (("head", "landmark", "y", "x"),)
"""Where each landmark looks on a map of the face."""
PLANE_POINTS: tuple[Axes, ...] = (("landmark", "xy"),)
"""Positions of landmarks, such as the points of the face plane that a structure prompt holds."""
GENERAL: tuple[Axes, ...] = (*LANDMARK_PAIRS, *ENCODINGS)
"""What is recorded unless something else is asked for: the small tensors that the general views share."""


def own(axes: Iterable[str]) -> Axes:
    """The axes without those that a recording adds."""
    return tuple(axis for axis in axes if axis not in ("batch", "stage"))
