"""The systems, their shelf, and what they answer with."""

from workbench.models.alignment import Alignment
from workbench.models.base import Card, FaceModel
from workbench.models.presets import PRESETS, build, preset
from workbench.models.zoo import DEFAULT, list_models, load_model, save_checkpoint

__all__ = [
    "DEFAULT",
    "PRESETS",
    "Alignment",
    "Card",
    "FaceModel",
    "build",
    "list_models",
    "load_model",
    "preset",
    "save_checkpoint",
]
