"""What every face detector gives, and the way from its box to the landmarks' box.

The papers crop around the box of the *ground-truth landmarks*; a detector draws another box. `BoxMapping` moves and
scales it so that a detected face lands in the crop where training put it. Each detector's constants stand beside it;
they were fitted by `tools.detector_boxes.fit_box_mapping`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

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
