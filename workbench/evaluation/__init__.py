"""A model over a whole data set: errors, failures, and whether its uncertainty means something."""

from workbench.evaluation.calibration import calibrate
from workbench.evaluation.dataset import evaluate
from workbench.evaluation.mechanisms import MechanismReport, mechanism_report
from workbench.evaluation.occlusion import SIDES, OcclusionReport, sigma_under_occlusion
from workbench.evaluation.run import Run
from workbench.evaluation.study import Study, study
from workbench.evaluation.tracking_mode import TrackingRun, follow
from workbench.evaluation.zero_shot import DrawnShapes, ZeroShot, drawn_shapes, zero_shot

__all__ = [
    "SIDES",
    "DrawnShapes",
    "MechanismReport",
    "OcclusionReport",
    "Run",
    "Study",
    "TrackingRun",
    "ZeroShot",
    "calibrate",
    "drawn_shapes",
    "evaluate",
    "follow",
    "mechanism_report",
    "sigma_under_occlusion",
    "study",
    "zero_shot",
]
