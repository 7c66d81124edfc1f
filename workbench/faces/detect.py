"""Finding faces, offline: pluggable detectors, and where a detector's box lies relative to the landmarks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
from PIL import Image

from workbench.errors import UnknownNameError
from workbench.faces.crop import Box

DEFAULT_DETECTOR = "dlib"
LONGEST_SIDE = 1000  # pixels: larger photographs are reduced before the search
UPSAMPLED_SIDE = 640  # pixels: up to here a second look is taken at twice the size
TILTS = (0.0, -30.0, 30.0)  # degrees, tried in turn until a face is found
WEAK = 0.25  # a score below this counts only when nothing surer was found
OVERLAP = 0.35  # intersection over union above which two boxes are one face


@dataclass(frozen=True)
class Detection:
    """One face as found.

    Attributes:
        box: the landmarks' tight box that this detection stands for, x0, y0, x1, y1 in photo pixels.
        raw: the detector's own box.
        score: the detector's own score, larger is surer.
    """

    box: Box
    raw: Box
    score: float


@dataclass(frozen=True)
class BoxMapping:
    """Where the landmarks' tight box lies, in sides of the detector's box.

    Attributes:
        dx, dy: from the detector's centre to the landmarks' centre.
        width, height: of the landmarks' box.
    """

    dx: float
    dy: float
    width: float
    height: float

    def __call__(self, raw: Box) -> Box:
        x0, y0, x1, y1 = raw
        side = ((x1 - x0) + (y1 - y0)) / 2
        cx, cy = (x0 + x1) / 2 + self.dx * side, (y0 + y1) / 2 + self.dy * side
        w, h = self.width * side / 2, self.height * side / 2
        return cx - w, cy - h, cx + w, cy + h


# Medians over 343 faces of the 300-W training part, each crop set into a wider canvas; 90 % of the centres lie
# within 0.12 and of the longer sides within 0.88 to 1.06 detector sides of it.
DLIB_MAPPING = BoxMapping(dx=0.0, dy=0.115, width=0.967, height=0.944)


class Detector(Protocol):
    """Anything that finds faces in an RGB array (H, W, 3) uint8: raw boxes with scores, and its mapping."""

    mapping: BoxMapping

    def find(self, pixels: np.ndarray) -> list[tuple[Box, float]]: ...


class DlibDetector:
    """dlib's HOG detector (King 2009): frontal and half-turned upright faces of about 80 pixels and more."""

    mapping = DLIB_MAPPING

    def __init__(self) -> None:
        import dlib

        self._find: Any = dlib.get_frontal_face_detector()
        self._lock = threading.Lock()  # one scanner holds one image pyramid

    def find(self, pixels: np.ndarray) -> list[tuple[Box, float]]:
        upsample = 1 if max(pixels.shape[:2]) <= UPSAMPLED_SIDE else 0
        with self._lock:
            rectangles, scores, _ = self._find.run(np.ascontiguousarray(pixels), upsample, 0.0)
        return [
            ((float(r.left()), float(r.top()), float(r.right()), float(r.bottom())), float(s))
            for r, s in zip(rectangles, scores, strict=True)
        ]


DETECTORS: dict[str, Callable[[], Detector]] = {"dlib": DlibDetector}


@cache
def get_detector(name: str = "default") -> Detector:
    """A detector by name, made once. Raises UnknownNameError."""
    name = DEFAULT_DETECTOR if name == "default" else name
    if name not in DETECTORS:
        raise UnknownNameError(f"There is no face detector '{name}'; choose one of {', '.join(DETECTORS)}.")
    return DETECTORS[name]()


def detect(photo: Image.Image, detector: str | Detector = "default") -> list[Detection]:
    """Faces of a photograph, the most prominent first (large, near the centre); empty when there is none.

    Large photographs are reduced first; when nothing is found upright, two tilted views are tried.
    """
    finder = get_detector(detector) if isinstance(detector, str) else detector
    scale = min(1.0, LONGEST_SIDE / max(photo.size))
    small = photo if scale == 1 else photo.resize([max(1, round(s * scale)) for s in photo.size])
    for tilt in TILTS:
        turned = small.rotate(tilt, Image.Resampling.BILINEAR, fillcolor=(128, 128, 128)) if tilt else small
        found = finder.find(np.asarray(turned))
        if found:
            raws = [(_turn_back(box, tilt, small.size), score) for box, score in found]
            return _rank(raws, scale, finder.mapping, photo.size)
    return []


def _turn_back(box: Box, tilt: float, size: tuple[int, int]) -> Box:
    """A box found in the picture turned by ``tilt`` degrees, as an upright box of the same size."""
    if not tilt:
        return box
    x0, y0, x1, y1 = box
    cx, cy = (size[0] - 1) / 2, (size[1] - 1) / 2
    dx, dy = (x0 + x1) / 2 - cx, (y0 + y1) / 2 - cy
    angle = np.deg2rad(tilt)
    x = cx + np.cos(angle) * dx - np.sin(angle) * dy
    y = cy + np.sin(angle) * dx + np.cos(angle) * dy
    w, h = (x1 - x0) / 2, (y1 - y0) / 2
    return x - w, y - h, x + w, y + h


def _rank(
    found: list[tuple[Box, float]], scale: float, mapping: BoxMapping, size: tuple[int, int]
) -> list[Detection]:
    def prominence(raw: Box) -> float:
        x, y = (raw[0] + raw[2]) / 2 / size[0] - 0.5, (raw[1] + raw[3]) / 2 / size[1] - 0.5
        return (raw[2] - raw[0]) * (raw[3] - raw[1]) * (1 - 0.5 * min(1.0, float(np.hypot(x, y))))

    scaled = [((b[0] / scale, b[1] / scale, b[2] / scale, b[3] / scale), s) for b, s in found]
    kept: list[tuple[Box, float]] = []
    for raw, score in sorted(scaled, key=lambda item: -item[1]):
        if all(_overlap(raw, other) < OVERLAP for other, _ in kept):
            kept.append((raw, score))
    kept = [item for item in kept if item[1] >= WEAK] or kept[:1]
    kept.sort(key=lambda item: -prominence(item[0]))
    return [Detection(mapping(raw), raw, score) for raw, score in kept]


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
