"""The picker's data: a photograph, the faces found in it, and the square that is cropped."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from workbench.errors import ImageError
from workbench.explain.caption_tables import PICKER
from workbench.explain.captions import as_meta
from workbench.landmarks import Scheme
from workbench.landmarks.geometry import CROP_FACTOR
from workbench.widgets.payload import Payload, face_meta, rounded
from workbench.widgets.selection import Entry, Table

if TYPE_CHECKING:
    from workbench.faces import Face

LONGEST = 1600
"""Longer side in pixels of the photograph as it is sent; all coordinates stay those of the full one."""


CHOICE: Table = (
    Entry("index", index="face", none="a box of one's own"),
    Entry("box", size=4, none="one of the faces found"),
)


def picker_payload(
    photo: Face | Image.Image,
    boxes: Sequence[Sequence[float]] | None = None,
    index: int | None = None,
    box: Sequence[float] | None = None,
    *,
    factor: float | None = None,
    original: tuple[int, int] | None = None,
    landmarks: ArrayLike | None = None,
    scheme: Scheme | None = None,
) -> Payload:
    """What the ``picker`` widget shows.

    Its state key ``choice`` is what the person chose: ``{"index": i}``, a detected face, ``{"box": [x0, y0, x1, y1]}``
    in photo pixels, drawn by hand or by moving the crop, or ``{}``. The crop is a square of ``factor`` times the
    box's longer side around its centre, so ``Face.with_box(choice["box"])`` cuts what the widget shows.

    Args:
        photo: a Face, from which everything else follows unless it is given, or an upright RGB photograph.
        boxes: of the detected faces, x0, y0, x1, y1 in photo pixels; empty when none was found, and then the
            widget asks for a box.
        index: which of them is chosen; None when the box was drawn by hand or nothing is chosen.
        box: the chosen box; that of ``index`` when it is left out.
        factor: side of the crop over the longer side of the box.
        original: width and height that the photograph has itself, where a smaller one is worked on.
        landmarks: (N, 2) photo pixels to draw over the photograph, with their ``scheme``.

    Raises:
        ImageError: boxes that are not four finite numbers, an index without a box, landmarks without a scheme.
    """
    if not isinstance(photo, Image.Image):
        face = photo
        photo = face.photo
        boxes = [found.box for found in face.detections] if boxes is None else boxes
        box = face.box if box is None else box
        factor = face.factor if factor is None else factor
        original = face.original_size if original is None else original
        index = _same(boxes, box) if index is None else index
    found = [_box(one) for one in boxes or ()]
    if index is not None and not 0 <= index < len(found):
        raise ImageError(f"There is no face {index + 1} among the {len(found)} boxes.")
    chosen = _box(box) if box is not None else found[index] if index is not None else None
    choice: dict[str, Any] = {} if chosen is None else {"box": chosen} if index is None else {"index": index}
    meta = {
        "photo": list(photo.size),
        "original": list(original or photo.size),
        "boxes": found,
        "index": index,
        "box": chosen,
        "factor": CROP_FACTOR if factor is None else float(factor),
        **_landmarks(landmarks, scheme),
        "caption": as_meta(PICKER),
        "bounds": {"index": len(found)},
        "state": {"choice": choice},
    }
    return {"meta": meta, "blobs": {"photo": _jpeg(photo)}}


def _same(boxes: Sequence[Sequence[float]], box: Sequence[float]) -> int | None:
    """Which of the boxes this is."""
    near = (i for i, one in enumerate(boxes) if np.allclose(one, box, atol=0.05))
    return next(near, None)


def _box(values: Sequence[float]) -> list[float]:
    """Four floats to a thousandth of a pixel."""
    box = np.asarray(values, np.float64)
    if box.shape != (4,) or not np.isfinite(box).all() or (box[2:] <= box[:2]).any():
        raise ImageError("A box is four finite numbers x0, y0, x1, y1 with x0 < x1 and y0 < y1.")
    return [float(value) for value in box.round(3)]


def _landmarks(landmarks: ArrayLike | None, scheme: Scheme | None) -> dict[str, Any]:
    if landmarks is None:
        return {"face": None, "points": None}
    points = np.asarray(landmarks, np.float64)
    if scheme is None or points.shape != (scheme.count, 2):
        raise ImageError("Landmarks are drawn with their scheme and need one point (x, y) for each of its landmarks.")
    return {"face": face_meta(scheme), "points": rounded(points, 2)}


def _jpeg(photo: Image.Image) -> bytes:
    """The photograph, its longer side at most LONGEST pixels."""
    small = photo.convert("RGB")
    if max(small.size) > LONGEST:
        small = small.copy()
        small.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS, reducing_gap=2)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=88)
    return file.getvalue()
