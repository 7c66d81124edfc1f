"""Landmark conventions, geometry and metrics: plain NumPy, no model and no picture."""

from __future__ import annotations

from workbench.landmarks import geometry, metrics
from workbench.landmarks.drawing import Drawing, Look, drawing
from workbench.landmarks.scheme import PARTS, Group, Scheme, user_scheme
from workbench.landmarks.schemes import SCHEMES, get_scheme, to_five, to_ibug68

__all__ = [
    "PARTS",
    "SCHEMES",
    "Drawing",
    "Group",
    "Look",
    "Scheme",
    "drawing",
    "geometry",
    "get_scheme",
    "metrics",
    "to_five",
    "to_ibug68",
    "user_scheme",
]
