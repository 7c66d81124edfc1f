"""Photographs in, faces out: safe loading, detection, the crop and its inverse, samples, occluders."""

from workbench.faces.crop import CROP_FACTOR, Box
from workbench.faces.detect import DETECTORS, detect
from workbench.faces.detection import Detection
from workbench.faces.face import Face, load_face
from workbench.faces.image import load_image
from workbench.faces.occlude import Occluder, occlude
from workbench.faces.sample import sample_face, sample_info, sample_names, sample_photo

__all__ = [
    "CROP_FACTOR",
    "DETECTORS",
    "Box",
    "Detection",
    "Face",
    "Occluder",
    "detect",
    "load_face",
    "load_image",
    "occlude",
    "sample_face",
    "sample_info",
    "sample_names",
    "sample_photo",
]
