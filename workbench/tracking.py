"""A face followed through a video: detected once, then found again from its own last landmarks (thesis 3.2).

The loop has two states. *Detecting*: the face detector searches the frame. *Tracking*: the box of the last landmarks,
grown by a quarter of its size on each side, is where the network looks, and no detector runs. A face stays tracked
while the network's tracking branch is more confident than 0.7; else the frame is searched anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageSequence

from workbench.errors import CheckpointError, ImageError
from workbench.faces import Detection, Face, detect, load_image
from workbench.faces.crop import Box, tight_box
from workbench.faces.image import check_size, formats
from workbench.models.base import FaceModel, to_tensor

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".avif")
ANIMATIONS = (".gif", ".webp", ".png", ".apng")

Detector = Callable[[Image.Image], list[Detection]]


@dataclass(frozen=True)
class TrackedFrame:
    """What became of one frame.

    Attributes:
        index: from 0.
        photo: the frame, RGB.
        state: "detected" (the detector found the face), "tracked" (the last landmarks led to it) or "lost".
        searched: whether the detector ran in this frame.
        region: x0, y0, x1, y1 in pixels of the frame: the square that was read last, None when nothing was.
        landmarks: (N, 2) pixels of the frame, None when lost.
        pose: (3,) yaw, pitch, roll in radians, None when lost or when the model has no pose branch.
        confidence: of the face in ``region``, 0 when nothing was read. A lost frame keeps the low confidence that
            lost it.
    """

    index: int
    photo: Image.Image
    state: str
    searched: bool
    region: Box | None
    landmarks: np.ndarray | None
    pose: np.ndarray | None
    confidence: float


@dataclass(frozen=True)
class _Seen:
    region: Box
    landmarks: np.ndarray
    pose: np.ndarray | None
    confidence: float


def next_region(points: np.ndarray, margin: float = 0.25) -> Box:
    """The search region of the next frame: the tight box, grown by ``margin`` of its width and height on each
    side, as the square of the longer side around the same centre.

    Args:
        points: (N, 2) pixels.
        margin: 0.25 in the thesis.
    """
    x0, y0, x1, y1 = tight_box(points)
    half = (0.5 + margin) * max(x1 - x0, y1 - y0)
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    return cx - half, cy - half, cx + half, cy + half


@torch.inference_mode()
def read_region(model: FaceModel, photo: Image.Image, region: Box) -> tuple[np.ndarray, np.ndarray | None, float]:
    """Read one square of a frame.

    Returns:
        Landmarks (N, 2) in pixels of the frame, pose (3,) or None, and the confidence.

    Raises:
        CheckpointError: the model has no tracking branch.
    """
    size, face = model.input_size, Face(photo, region, factor=1.0)
    answer = model(model.prepare(to_tensor(face.crop(size))))
    if answer.confidence is None:
        raise CheckpointError(f"{model.name or 'The model'} has no tracking branch; choose an ATPN model.")
    points = face.to_photo(answer.landmarks[0].cpu().numpy(), size=size)
    pose = None if answer.pose is None else answer.pose[0].cpu().numpy()
    return points, pose, float(answer.confidence[0])


def track(
    frames: Iterable[Any],
    model: FaceModel,
    *,
    threshold: float | None = None,
    margin: float | None = None,
    detector: str | Detector = "default",
) -> Iterator[TrackedFrame]:
    """Follow the most prominent face.

    Args:
        frames: pictures as ``load_image`` takes them (PIL images, arrays, paths), such as :func:`read_video` gives.
        model: with a tracking branch.
        threshold: least confidence; the model's own (0.7) when left out.
        margin: see :func:`next_region`; the model's own (0.25) when left out.
        detector: a detector's name, or a function from a photo to detections, the most prominent first.

    Yields:
        One :class:`TrackedFrame` a frame, as the frames come.

    Raises:
        CheckpointError: the model has no tracking branch.
        ImageError: a frame that cannot be read.
    """
    least = getattr(model.config, "threshold", 0.7) if threshold is None else threshold
    grow = getattr(model.config, "margin", 0.25) if margin is None else margin
    region: Box | None = None
    for index, frame in enumerate(frames):
        photo = load_image(frame)
        if index == 0:  # a model without a tracking branch says so even where there is no face
            read_region(model, photo, (0.0, 0.0, float(photo.width), float(photo.height)))
        state, searched, seen = "lost", False, None
        if region is not None and _inside(region, photo.size):
            seen = _Seen(region, *read_region(model, photo, region))
            if seen.confidence > least and _usable(seen.landmarks):
                state = "tracked"
        if state == "lost":
            searched = True
            found = detect(photo, detector) if isinstance(detector, str) else detector(photo)
            if found:
                # The detector's box stands for the landmarks' box, so it grows as that does.
                place = next_region(np.reshape(found[0].box, (2, 2)), grow)
                seen = _Seen(place, *read_region(model, photo, place))
                if seen.confidence > least and _usable(seen.landmarks):
                    state = "detected"
        kept = seen if state != "lost" else None
        region = None if kept is None else next_region(kept.landmarks, grow)
        yield TrackedFrame(
            index,
            photo,
            state,
            searched,
            None if seen is None else seen.region,
            None if kept is None else kept.landmarks,
            None if kept is None else kept.pose,
            0.0 if seen is None else seen.confidence,
        )


def _usable(points: np.ndarray) -> bool:
    return bool(np.isfinite(points).all() and np.ptp(points, axis=0).max() >= 4)


def _inside(region: Box, size: tuple[int, int]) -> bool:
    """Whether the centre of a region lies in the frame."""
    x, y = (region[0] + region[2]) / 2, (region[1] + region[3]) / 2
    return 0 <= x < size[0] and 0 <= y < size[1]


def read_video(source: str | PathLike[str]) -> Iterator[Image.Image]:
    """The frames of a video, one at a time, RGB.

    Animated GIF, WebP and PNG, and folders of pictures (in the order of their names, numbers counted as numbers) are
    read as they are; any other file needs PyAV.

    Raises:
        ImageError: nothing there, nothing that can be read, or PyAV missing.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise ImageError(f"There is no video at '{path}': check the path.")
    return _animation(path) if path.suffix.lower() in ANIMATIONS else _film(path)


def _folder(path: Path) -> Iterator[Image.Image]:
    try:
        pictures = sorted((p for p in path.iterdir() if p.suffix.lower() in PICTURES), key=_natural)
    except OSError as error:
        raise ImageError(f"The folder '{path}' cannot be read ({(error.strerror or str(error)).lower()}).") from None
    if not pictures:
        raise ImageError(f"The folder '{path}' holds no pictures: name one with the frames of a video.")
    return (load_image(picture) for picture in pictures)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorts frame_2 before frame_10."""
    out, digits, text = [], "", ""
    for letter in path.name.lower() + "\0":
        if letter.isdecimal():
            digits += letter
            continue
        if digits:
            out += [(0, text), (int(digits), "")]
            digits = text = ""
        text += letter
    return [*out, (0, text)]


def _animation(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=formats()) as film:
            check_size(*film.size)
            for frame in ImageSequence.Iterator(film):
                yield load_image(frame.copy())
    except ImageError:
        raise
    except Exception as error:  # decoders raise many kinds on damaged files
        raise ImageError(f"'{path}' is no animation that can be read ({error}).") from error


def _film(path: Path) -> Iterator[Image.Image]:
    try:
        av = import_module("av")
    except ImportError:
        raise ImageError(
            f"To read '{path.name}', install the extra (pip install -c constraints.txt -e '.[video]'), or save the "
            "video as an animated GIF, WebP or PNG or as a folder of pictures."
        ) from None
    return _decode(path, av)


def _decode(path: Path, av: Any) -> Iterator[Image.Image]:
    try:
        with av.open(str(path)) as film:
            if not film.streams.video:
                raise ImageError(f"'{path.name}' holds no pictures, only sound.")
            for frame in film.decode(video=0):
                image = frame.to_image()
                turn = int(getattr(frame, "rotation", 0) or 0)  # of a telephone held upright, counter-clockwise
                yield load_image(image.rotate(turn, expand=True) if turn else image)
    except av.FFmpegError as error:
        raise ImageError(f"'{path.name}' is no video that can be read ({error}).") from error
