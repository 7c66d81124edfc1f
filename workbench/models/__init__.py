"""The systems, their shelf, and what they answer with."""

from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel, ModelCard
from workbench.models.systems import PRESETS, SYSTEMS, build, preset
from workbench.models.zoo import DEFAULT, Offers, list_models, load_model, offers, save_checkpoint

__all__ = [
    "DEFAULT",
    "PRESETS",
    "SYSTEMS",
    "Alignment",
    "FaceModel",
    "ModelCard",
    "Offers",
    "build",
    "list_models",
    "load_model",
    "offers",
    "preset",
    "save_checkpoint",
]
