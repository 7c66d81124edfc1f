"""Measure a detector: how many faces it finds, and how its box relates to the landmarks' box.

Recipe for the constants in `workbench.faces.hog` and `centerface` (any folder of photographs with landmarks will do)::

    import numpy as np
    from tools import detector_boxes
    from workbench.faces.detect import get_detector

    rng = np.random.default_rng(1)
    scenes = [detector_boxes.embed(photo, points, rng) for photo, points in rows]     # rows: PIL RGB, (N, 2)
    scenes += [detector_boxes.mirror(photo, points) for photo, points in scenes]      # keeps left and right alike
    for view, fit in detector_boxes.fit_box_mapping(get_detector("dlib"), scenes).items():
        print(view, fit)

`embed` matters where the photographs are tight crops already: a detector needs surroundings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from workbench.errors import DataError
from workbench.faces.crop import square, tight_box
from workbench.faces.detection import BoxMapping, Detection, Detector

Scene = tuple[Image.Image, np.ndarray]
"""A photo and the landmarks (N, 2) of one face in it, in photo pixels."""


@dataclass(frozen=True)
class Fit:
    """A box mapping with its residuals over `count` faces, all as fractions of the landmark box's longer side.

    Attributes:
        mapping: the medians of shift and scale.
        count: faces it was fitted on.
        centre: 50th and 95th percentile of the distance between mapped and true centre.
        scale: 5th and 95th percentile of true over mapped side.
    """

    mapping: BoxMapping
    count: int
    centre: tuple[float, float]
    scale: tuple[float, float]


def fit_box_mapping(detector: Detector, dataset: Iterable[Scene]) -> dict[str, Fit]:
    """Median shift and scale from the detector's box to the landmarks' tight box, one mapping a view.

    A face counts when the mean of its landmarks lies in a detection's box. The key "all" sums up the residuals of
    every face under its own view's mapping (its mapping is the pooled one).

    Raises `DataError` when no face was found.
    """
    offsets: dict[str, list[np.ndarray]] = defaultdict(list)
    for photo, points in dataset:
        match = _match(detector.detect(photo), points)
        if match:
            offsets[match.view].append(_offset(match, points))
    if not offsets:
        raise DataError("The detector found none of the faces, so there is nothing to fit.")
    tables = {view: np.array(rows) for view, rows in offsets.items()}
    medians = {view: np.median(rows, axis=0) for view, rows in tables.items()}
    fits = {view: _fit(rows, np.tile(medians[view], (len(rows), 1))) for view, rows in tables.items()}
    rows = np.concatenate(list(tables.values()))
    own = np.concatenate([np.tile(medians[view], (len(tables[view]), 1)) for view in tables])
    pooled = _fit(rows, own)
    return {**fits, "all": Fit(_mapping(np.median(rows, axis=0)), pooled.count, pooled.centre, pooled.scale)}


def recall(detector: Detector, dataset: Iterable[Scene]) -> tuple[int, int, int]:
    """Faces found, detections that are not the labelled face, faces in all."""
    found = extra = total = 0
    for photo, points in dataset:
        faces = detector.detect(photo)
        hit = _match(faces, points) is not None
        found, extra, total = found + hit, extra + len(faces) - hit, total + 1
    return found, extra, total


def embed(
    photo: Image.Image,
    points: np.ndarray,
    rng: np.random.Generator,
    side: tuple[int, int] = (640, 1024),
    share: tuple[float, float] = (0.12, 0.5),
) -> Scene:
    """Place a tight crop somewhere in a larger canvas, the crop's border pixels repeated around it.

    Args:
        photo, points: the crop and its landmarks (N, 2).
        rng: where and how large.
        side: range of the canvas's longer side in pixels; the other is 3/4 of it, either way round.
        share: range of the landmark box's longer side as a fraction of the canvas's shorter side.
    """
    long = int(rng.integers(side[0], side[1] + 1))
    width, height = (long, long * 3 // 4) if rng.random() < 0.5 else (long * 3 // 4, long)
    scale = rng.uniform(*share) * min(width, height) / square(tight_box(points), 1.0)[1]
    scale = min(scale, width / photo.width, height / photo.height)
    size = (max(1, int(photo.width * scale)), max(1, int(photo.height * scale)))
    small = np.asarray(photo.resize(size, Image.Resampling.BICUBIC))
    left, top = int(rng.integers(0, width - size[0] + 1)), int(rng.integers(0, height - size[1] + 1))
    padding = ((top, height - size[1] - top), (left, width - size[0] - left), (0, 0))
    ratio = np.array(size) / photo.size
    return Image.fromarray(np.pad(small, padding, mode="edge")), (points + 0.5) * ratio - 0.5 + [left, top]


def mirror(photo: Image.Image, points: np.ndarray) -> Scene:
    """The scene seen in a mirror. Points keep their order, which a box does not care about."""
    return photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT), points * [-1, 1] + [photo.width - 1, 0]


def _match(faces: list[Detection], points: np.ndarray) -> Detection | None:
    x, y = np.nanmean(points, axis=0)
    hits = [face for face in faces if face.raw[0] < x < face.raw[2] and face.raw[1] < y < face.raw[3]]
    return max(hits, key=lambda face: face.score, default=None)


def _offset(face: Detection, points: np.ndarray) -> np.ndarray:
    """dx, dy, scale of one face, in units of the detector's box."""
    centre, side = square(face.raw, 1.0)
    true_centre, true_side = square(tight_box(points), 1.0)
    return np.array([*((true_centre - centre) / side), true_side / side])


def _fit(rows: np.ndarray, predicted: np.ndarray) -> Fit:
    """Residuals of `predicted` (M, 3) against `rows` (M, 3)."""
    distance = np.linalg.norm(rows[:, :2] - predicted[:, :2], axis=1) / rows[:, 2]
    centre = np.percentile(distance, [50, 95])
    scale = np.percentile(rows[:, 2] / predicted[:, 2], [5, 95])
    return Fit(
        _mapping(predicted[0]), len(rows), (float(centre[0]), float(centre[1])), (float(scale[0]), float(scale[1]))
    )


def _mapping(values: np.ndarray) -> BoxMapping:
    dx, dy, scale = (round(float(value), 3) for value in values)
    return BoxMapping(dx, dy, scale)
