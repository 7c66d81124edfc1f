"""dlib's HOG face detector, made tolerant: before it gives up it looks again tilted, closer and with a lower bar.

dlib's frontal detector (King 2015, "Max-Margin Object Detection") slides five templates, about 80 pixels wide, over a
pyramid of the photo: frontal, turned to either side, tilted to either side. A photo below 1024 pixels is magnified for
smaller faces unless the first look finds one face without doubt. Boxes snap to the pyramid's scales and cells, so each
face is looked at again at a few scales and those boxes are averaged.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import dlib
import numpy as np
from PIL import Image

from workbench.faces.crop import Box, apply, invert, sample
from workbench.faces.detection import BoxMapping, Detection

VIEWS = ("front", "turned to image left", "turned to image right", "tilted to image left", "tilted to image right")
"""What dlib's five templates answer to, in its order."""

# Fitted on 150 faces of the 300-W training part, each tight crop set into a wider canvas, and on their mirror images
# (299 of the 300 found), left and right made alike. Residuals as fractions of the landmark box's longer side: half of
# the centres within 0.054, 95 % within 0.119; 90 % of the true sides between 0.93 and 1.14 of the mapped one. One
# mapping for all views would leave 0.09 and 0.19: a turned head fills the detector's box off centre.
MAPPINGS: Mapping[str, BoxMapping] = {
    "front": BoxMapping(0.0, 0.074, 0.958),
    "turned to image left": BoxMapping(0.112, 0.119, 0.929),
    "turned to image right": BoxMapping(-0.112, 0.119, 0.929),
    "tilted to image left": BoxMapping(0.0, 0.071, 0.99),
    "tilted to image right": BoxMapping(0.0, 0.071, 0.99),
}


@dataclass(frozen=True)
class _Pass:
    """One pass over the photo, its longest side `side` pixels (magnified at most `most` times), turned by `roll`
    degrees."""

    side: int
    roll: float = 0.0
    most: float = 2.0


_FIRST = _Pass(1024, most=1.0)  # a small photo as it is
_SMALLER = _Pass(1024)
_TILTED = (_Pass(768, 25.0), _Pass(768, -25.0))
_CLOSE = _Pass(2048)
_RESERVE = -0.2  # a face scored above this in the first pass counts if no other finds one
_SURE = 0.25  # a face scored below this counts only where nobody scores above
_ZOOMS = (95, 106, 120, 135)  # face widths, in pixels, at which a found face is looked at again
_ZOOM_BAR = -0.6
_SAME_PLACE = 0.3  # of the face's width
_PLAIN = 1.0  # a face scored above this is one without doubt
_LARGE = 84  # photo pixels: wider than the smallest that the templates see, 74, so that it was no near miss
_WEIGHTS = Path(__file__).with_name("frontal.svm")
"""dlib's own five templates, unpacked: dlib takes half a second to unpack what it carries. A test compares both."""


@dataclass(frozen=True)
class _Hit:
    """A template's answer: centre (2,) and width in photo pixels, the photo turned by `roll` degrees."""

    centre: np.ndarray
    width: float
    score: float
    view: int
    roll: float


class HogDetector:
    """dlib's five-template detector. Works offline; calls from several threads wait for each other."""

    name = "dlib"

    def __init__(self, mappings: Mapping[str, BoxMapping] = MAPPINGS) -> None:
        self._mappings = mappings
        self._detector = dlib.fhog_object_detector(str(_WEIGHTS))
        self._lock = threading.Lock()

    def detect(self, photo: Image.Image) -> list[Detection]:
        """All faces of an upright RGB photo, boxes in its pixels."""
        first = self._search(photo, _FIRST, _RESERVE)
        hits = _sure([hit for hit in first if hit.score > 0])
        alone = len(hits) == 1 and hits[0].width >= _LARGE and hits[0].score >= _PLAIN
        if max(photo.size) < _SMALLER.side and not alone:
            first = self._search(photo, _SMALLER, _RESERVE)
            hits = _sure([hit for hit in first if hit.score > 0])
        if not hits:
            hits = _sure([hit for tilted in _TILTED for hit in self._search(photo, tilted, 0.0)])
        hits = hits or _sure(self._search(photo, _CLOSE, 0.0)) or first[:1]
        return [self._refine(photo, hit) for hit in hits]

    def _search(self, photo: Image.Image, chosen: _Pass, bar: float) -> list[_Hit]:
        zoom = min(chosen.side / max(photo.size), chosen.most)
        return self._scan(photo, np.asarray(photo.size) / 2 - 0.5, photo.size, zoom, chosen.roll, bar)

    def _scan(
        self, photo: Image.Image, centre: np.ndarray, extent: Sequence[float], zoom: float, roll: float, bar: float
    ) -> list[_Hit]:
        """Hits in the part of the photo around `centre`, `extent` photo pixels wide and high, at the given zoom."""
        size = (max(1, round(extent[0] * zoom)), max(1, round(extent[1] * zoom)))
        there = _view_of(centre, size, zoom, roll)
        picture = sample(photo, there, size)
        with self._lock:
            boxes, scores, views = self._detector.run(picture, 0, bar)
        back = invert(there)
        hits = []
        for box, score, view in zip(boxes, scores, views, strict=True):
            middle = apply(back, [(box.left() + box.right()) / 2, (box.top() + box.bottom()) / 2])
            hits.append(_Hit(middle, box.width() / zoom, float(score), int(view), roll))
        return sorted(hits, key=lambda hit: -hit.score)

    def _refine(self, photo: Image.Image, hit: _Hit) -> Detection:
        """Look at a found face again at several scales, average the boxes, map them to the landmarks' box."""
        again = [
            near
            for target in _ZOOMS
            for near in self._scan(
                photo, hit.centre, (2 * hit.width, 2 * hit.width), target / hit.width, hit.roll, _ZOOM_BAR
            )
            if np.linalg.norm(near.centre - hit.centre) < _SAME_PLACE * hit.width
        ]
        if not again:
            again = [hit]
        centre = np.mean([near.centre for near in again], axis=0)
        width = float(np.mean([near.width for near in again]))
        view = VIEWS[np.bincount([near.view for near in again], minlength=len(VIEWS)).argmax()]
        mapped = np.array(self._mappings[view](_square((0.0, 0.0), width)))
        turn = _view_of(np.zeros(2), (0, 0), 1.0, hit.roll)[:, :2]
        shift = np.linalg.solve(turn, (mapped[:2] + mapped[2:]) / 2)
        box = _square(centre + shift, mapped[2] - mapped[0])
        return Detection(box, _square(centre, width), hit.score, view, hit.roll)


def _view_of(centre: np.ndarray, size: tuple[int, int], zoom: float, roll: float) -> np.ndarray:
    """(2, 3) map from photo pixels to a picture of `size`, zoomed and turned counter-clockwise about `centre`."""
    cos, sin = zoom * np.cos(np.deg2rad(roll)), zoom * np.sin(np.deg2rad(roll))
    linear = np.array([[cos, sin], [-sin, cos]])
    return np.column_stack([linear, (np.asarray(size) - 1) / 2 - linear @ centre])


def _square(centre: Sequence[float] | np.ndarray, width: float) -> Box:
    half = width / 2
    return cast(Box, tuple(float(v) for v in (centre[0] - half, centre[1] - half, centre[0] + half, centre[1] + half)))


def _sure(hits: list[_Hit]) -> list[_Hit]:
    """The best hit of each face when several passes found it; doubtful ones only when there is nothing better."""
    kept: list[_Hit] = []
    for hit in sorted(hits, key=lambda hit: -hit.score):
        if all(np.linalg.norm(hit.centre - other.centre) > other.width / 2 for other in kept):
            kept.append(hit)
    return [hit for hit in kept if hit.score >= _SURE] or kept[:1]
