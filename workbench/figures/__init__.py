"""Pure functions from a reading to a Plotly figure, each captioned with its tensor, scale and treatment."""

from __future__ import annotations

from workbench.figures import palette
from workbench.figures.export import save, to_bytes
from workbench.figures.inside import maps, over_crop, relations_matrix, self_attention
from workbench.figures.points import landmarks, trajectory
from workbench.figures.relation_change import relation_change
from workbench.figures.relations import matrix, partners, relations, thumbnails
from workbench.figures.shape import shape
from workbench.figures.structure import structure, structure_neighbours
from workbench.figures.uncertainty import calibration, patches, sigma_bars, uncertainty

__all__ = [
    "calibration",
    "landmarks",
    "maps",
    "matrix",
    "over_crop",
    "palette",
    "partners",
    "patches",
    "relation_change",
    "relations",
    "relations_matrix",
    "save",
    "self_attention",
    "shape",
    "sigma_bars",
    "structure",
    "structure_neighbours",
    "thumbnails",
    "to_bytes",
    "trajectory",
    "uncertainty",
]
