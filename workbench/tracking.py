"""A face followed through a video: detected once, then found again from its own last landmarks (thesis 3.2).

The loop has two states. *Detecting*: the face detector searches the frame. *Tracking*: the box of the last landmarks,
grown by a quarter of its size on each side, is where the network looks, and no detector runs. A face stays tracked
while the network's tracking branch is more confident than 0.7; else the frame is searched anew.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from os import PathLike
from typing import Any

import numpy as np
import torch
from PIL import Image

from workbench.errors import CheckpointError, DataError
from workbench.faces import Detection, Face, detect, load_image
from workbench.faces.crop import Box, tight_box
from workbench.faces.film import VideoFrame, read_frames
from workbench.models.base import FaceModel, to_tensor
from workbench.reading import Reading, read

Detector = Callable[[Image.Image], list[Detection]]
SAME = 0.5
"""Two faces whose centres lie within this part of the larger one's side are one face."""


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
        time: seconds from the first frame, as the film tells; None where it tells none.
        name: of the frame's own file; "" in a film.
    """

    index: int
    photo: Image.Image
    state: str
    searched: bool
    region: Box | None
    landmarks: np.ndarray | None
    pose: np.ndarray | None
    confidence: float
    time: float | None = None
    name: str = ""


@dataclass(frozen=True)
class _Seen:
    region: Box
    landmarks: np.ndarray
    pose: np.ndarray | None
    confidence: float

    @property
    def middle(self) -> np.ndarray:
        return (self.landmarks.min(0) + self.landmarks.max(0)) / 2


@dataclass
class _Followed:
    """One face on its way: where to look next, and where it was last."""

    region: Box | None = None
    last: np.ndarray = field(default_factory=lambda: np.full(2, np.nan))


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
        frames: pictures as ``load_image`` takes them (PIL images, arrays, paths), or what :func:`read_frames` gives.
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
    for found in track_faces(frames, model, most=1, threshold=threshold, margin=margin, detector=detector):
        yield found[0]


def track_faces(
    frames: Iterable[Any],
    model: FaceModel,
    *,
    most: int = 4,
    every: int = 12,
    threshold: float | None = None,
    margin: float | None = None,
    detector: str | Detector = "default",
) -> Iterator[tuple[TrackedFrame, ...]]:
    """Follow several faces, each in a loop of its own; one search of the detector serves all that are lost.

    Args:
        most: how many faces are followed.
        every: where fewer are followed, the detector looks for further ones in each so manieth frame.
        frames, model, threshold, margin, detector: as :func:`track` takes them.

    Yields:
        A frame of each face that has turned up so far, the first one always; a face keeps its place.

    Raises:
        CheckpointError, ImageError: as :func:`track`.
    """
    least = getattr(model.config, "threshold", 0.7) if threshold is None else threshold
    grow = getattr(model.config, "margin", 0.25) if margin is None else margin
    search: Detector = (lambda photo: detect(photo, detector)) if isinstance(detector, str) else detector
    faces = [_Followed()]
    for index, given in enumerate(frames):
        frame = given if isinstance(given, VideoFrame) else VideoFrame(load_image(given))
        photo = frame.photo
        if index == 0:  # a model without a tracking branch says so even where there is no face
            read_region(model, photo, (0.0, 0.0, float(photo.width), float(photo.height)))
        seen: list[_Seen | None] = [None] * len(faces)
        state, sure = ["lost"] * len(faces), list[_Seen]()
        for k, face in enumerate(faces):
            if face.region is not None and _inside(face.region, photo.size):
                found = seen[k] = _Seen(face.region, *read_region(model, photo, face.region))
                if found.confidence > least and _usable(found.landmarks) and not _among(found, sure):
                    state[k] = "tracked"
                    sure.append(found)
        searched = "lost" in state or (len(faces) < most and index % every == 0 and index > 0)
        if searched:
            for place in [next_region(np.reshape(d.box, (2, 2)), grow) for d in search(photo)]:
                # The detector's box stands for the landmarks' box, so it grows as that does.
                lost = [k for k, now in enumerate(state) if now == "lost"]
                if (not lost and len(faces) >= most) or _over(place, sure):
                    continue
                found = _Seen(place, *read_region(model, photo, place))
                good = found.confidence > least and _usable(found.landmarks) and not _among(found, sure)
                if lost:
                    k = min(lost, key=lambda i: _far(faces[i], found)) if good else lost[0]
                    seen[k] = found
                elif good:
                    k = len(faces)
                    faces.append(_Followed())
                    seen.append(found)
                    state.append("lost")
                if good:
                    state[k] = "detected"
                    sure.append(found)
                if most == 1:
                    break
        out = []
        for k, face in enumerate(faces):
            found_here, kept = seen[k], seen[k] if state[k] != "lost" else None
            face.region = None if kept is None else next_region(kept.landmarks, grow)
            face.last = face.last if kept is None else kept.middle
            out.append(
                TrackedFrame(
                    index,
                    photo,
                    state[k],
                    searched,
                    None if found_here is None else found_here.region,
                    None if kept is None else kept.landmarks,
                    None if kept is None else kept.pose,
                    0.0 if found_here is None else found_here.confidence,
                    frame.time,
                    frame.name,
                )
            )
        yield tuple(out)


def _among(found: _Seen, others: list[_Seen]) -> bool:
    """Whether a face is one of those that are followed already."""
    sides = [float(np.ptp(one.landmarks, axis=0).max()) for one in (found, *others)]
    gaps = [float(np.linalg.norm(found.middle - one.middle)) for one in others]
    return any(gap < SAME * max(sides[0], side) for gap, side in zip(gaps, sides[1:], strict=True))


def _over(place: Box, others: list[_Seen]) -> bool:
    """Whether the middle of a detection lies on a face that is followed already."""
    middle = np.array([(place[0] + place[2]) / 2, (place[1] + place[3]) / 2])
    return any(
        bool((np.abs(middle - one.middle) < SAME * np.ptp(one.landmarks, axis=0).max()).all()) for one in others
    )


def _far(face: _Followed, found: _Seen) -> float:
    """How far a face would have leapt; nothing for one that was never seen."""
    gap = float(np.linalg.norm(face.last - found.middle))
    return gap if np.isfinite(gap) else 0.0


def _usable(points: np.ndarray) -> bool:
    return bool(np.isfinite(points).all() and np.ptp(points, axis=0).max() >= 4)


def _inside(region: Box, size: tuple[int, int]) -> bool:
    """Whether the centre of a region lies in the frame."""
    x, y = (region[0] + region[2]) / 2, (region[1] + region[3]) / 2
    return 0 <= x < size[0] and 0 <= y < size[1]


def read_video(source: str | PathLike[str]) -> Iterator[Image.Image]:
    """The frames of a video, one at a time, RGB; :func:`read_frames` without their times and names.

    Raises:
        ImageError: nothing there, nothing that can be read, or PyAV missing.
    """
    frames = read_frames(source)
    return (frame.photo for frame in frames)


LONGEST = 480
"""Longer side in pixels of a frame that a :class:`FilmReading` keeps, at most."""
AWAY = "away"
"""The state of a further face before it turned up."""


@dataclass(frozen=True, kw_only=True, repr=False)
class FilmReading(Reading):
    """Faces followed through a film; as a reading, that of the first frame in which one was found.

    Attributes:
        film: what the film is called.
        faces: for each face one frame for every one of the film, T in all, without their pictures.
        pictures: JPEGs of the T frames, at most :data:`LONGEST` pixels long.
        size: width and height of the frames themselves.
        threshold: confidence above which a face stays tracked.
        cut: whether the film went on.
    """

    film: str
    faces: tuple[tuple[TrackedFrame, ...], ...]
    pictures: tuple[bytes, ...]
    size: tuple[int, int]
    threshold: float
    cut: bool = False

    def picture(self, frame: int) -> Image.Image:
        """The kept picture of a frame, RGB."""
        with Image.open(io.BytesIO(self.pictures[frame])) as image:
            return image.convert("RGB")

    def small(self, frame: int) -> list[TrackedFrame]:
        """What was found of all faces in a frame, in pixels of its kept picture, which it holds."""
        picture = self.picture(frame)
        scale = np.array(picture.size) / self.size
        out = []
        for face in self.faces:
            one = face[frame]
            region: Box | None = None
            if one.region is not None:
                (x0, y0), (x1, y1) = np.reshape(one.region, (2, 2)) * scale
                region = float(x0), float(y0), float(x1), float(y1)
            points = None if one.landmarks is None else one.landmarks * scale
            out.append(replace(one, photo=picture, region=region, landmarks=points))
        return out


def film_reading(
    model: FaceModel,
    frames: Iterable[Any],
    name: str = "film",
    *,
    most: int = 4,
    every: int = 12,
    limit: int = 300,
    progress: Callable[[int], None] | None = None,
    detector: str | Detector = "default",
) -> FilmReading:
    """Follow the faces of a film and keep what a view of it needs.

    Args:
        model, frames, most, every, detector: as :func:`track_faces` takes them.
        limit: frames that are read, at most.
        progress: told how many frames are done.

    Raises:
        DataError: there is no frame, or the frames are not of one size.
        CheckpointError, ImageError: as :func:`track_faces`.
    """
    kept: list[tuple[TrackedFrame, ...]] = []
    pictures: list[bytes] = []
    first: Face | None = None
    size = (0, 0)
    left = iter(frames)
    for found in track_faces(islice(left, limit), model, most=most, every=every, detector=detector):
        photo = found[0].photo
        if pictures and photo.size != size:
            raise DataError(
                f"Frame {len(pictures)} is {photo.width} x {photo.height} pixels and those before it are {size[0]} x "
                f"{size[1]}: give frames of one size."
            )
        size = photo.size
        seen = next((one for one in found if one.landmarks is not None), None)
        if seen is not None and first is None and seen.region is not None:
            first = Face(photo, seen.region, factor=1.0, name=name)
        pictures.append(_shrunk(photo))
        kept.append(tuple(replace(one, photo=_NO_PICTURE) for one in found))
        if progress is not None:
            progress(len(pictures))
    if not kept:
        raise DataError(f"{name} holds no frame; give another film.")
    if first is None:
        first = Face(Image.new("RGB", size), (0.0, 0.0, float(size[0]), float(size[1])), factor=1.0, name=name)
    plain = read(model, first, taps=())
    count = len(kept[-1])
    faces = [[frame[k] if k < len(frame) else _away(frame[0]) for frame in kept] for k in range(count)]
    return FilmReading(
        **{name: getattr(plain, name) for name in Reading.__dataclass_fields__},
        film=name,
        faces=tuple(map(tuple, faces)),
        pictures=tuple(pictures),
        size=size,
        threshold=float(getattr(model.config, "threshold", 0.7)),
        cut=next(left, None) is not None,
    )


_NO_PICTURE = Image.new("RGB", (1, 1))


def _away(frame: TrackedFrame) -> TrackedFrame:
    return replace(frame, state=AWAY, region=None, landmarks=None, pose=None, confidence=0.0)


def _shrunk(photo: Image.Image) -> bytes:
    scale, file = min(1.0, LONGEST / max(photo.size)), io.BytesIO()
    side = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    photo.resize(side, Image.Resampling.BILINEAR).save(file, "JPEG", quality=85)
    return file.getvalue()
