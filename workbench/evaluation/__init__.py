"""A model over a whole data set: errors, failures, and whether its uncertainty means something."""

from workbench.evaluation.calibration import calibrate
from workbench.evaluation.dataset import Report, evaluate
from workbench.evaluation.mechanisms import MechanismReport, mechanism_report
from workbench.evaluation.occlusion import SIDES, OcclusionReport, sigma_under_occlusion
from workbench.evaluation.study import Study, study

__all__ = [
    "SIDES",
    "MechanismReport",
    "OcclusionReport",
    "Report",
    "Study",
    "calibrate",
    "evaluate",
    "mechanism_report",
    "sigma_under_occlusion",
    "study",
]
