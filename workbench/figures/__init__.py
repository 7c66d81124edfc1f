"""Pure functions from a reading to a Plotly figure, each captioned with its tensor, scale and treatment."""

from __future__ import annotations

from workbench.figures import palette
from workbench.figures.attribution import attribution, attribution_check
from workbench.figures.calibration import calibration, error_against_sigma
from workbench.figures.export import face_alone, save, to_bytes
from workbench.figures.inside import inside, self_attention
from workbench.figures.patches import patches
from workbench.figures.points import landmarks, trajectory
from workbench.figures.prompts import prompts
from workbench.figures.relation_change import relation_change
from workbench.figures.relations import matrix, partners, relations
from workbench.figures.shape import shape
from workbench.figures.structure import structure, structure_neighbours
from workbench.figures.study import study, study_targets
from workbench.figures.thumbnails import thumbnails
from workbench.figures.uncertainty import sigma_bars, uncertainty

__all__ = [
    "attribution",
    "attribution_check",
    "calibration",
    "error_against_sigma",
    "face_alone",
    "inside",
    "landmarks",
    "matrix",
    "palette",
    "partners",
    "patches",
    "prompts",
    "relation_change",
    "relations",
    "save",
    "self_attention",
    "shape",
    "sigma_bars",
    "structure",
    "structure_neighbours",
    "study",
    "study_targets",
    "thumbnails",
    "to_bytes",
    "trajectory",
    "uncertainty",
]
