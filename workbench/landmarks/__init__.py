"""Landmark conventions, shapes and metrics: plain NumPy, no model and no picture."""

from __future__ import annotations

from workbench.landmarks import metrics, shapes
from workbench.landmarks.drawing import Drawing, drawing
from workbench.landmarks.scheme import PARTS, Group, Scheme, user_scheme
from workbench.landmarks.schemes import SCHEMES, get_scheme, to_five, to_ibug68

__all__ = [
    "PARTS",
    "SCHEMES",
    "Drawing",
    "Group",
    "Scheme",
    "drawing",
    "get_scheme",
    "metrics",
    "shapes",
    "to_five",
    "to_ibug68",
    "user_scheme",
]
