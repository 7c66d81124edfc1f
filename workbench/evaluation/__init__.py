"""A model over a whole data set: errors, failures, and whether its uncertainty means something."""

from workbench.evaluation.calibration import calibrate
from workbench.evaluation.dataset import Report, evaluate
from workbench.evaluation.mechanisms import MechanismReport, mechanism_report
from workbench.evaluation.occlusion import SIDES, OcclusionReport, sigma_under_occlusion

__all__ = [
    "SIDES",
    "MechanismReport",
    "OcclusionReport",
    "Report",
    "calibrate",
    "evaluate",
    "mechanism_report",
    "sigma_under_occlusion",
]
