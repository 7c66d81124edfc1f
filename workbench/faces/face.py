"""A face: the photograph, the box that was chosen, the crop the network gets, and the way between them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from workbench.errors import ImageError, NoFaceError
from workbench.faces.crop import (
    CROP_FACTOR,
    Box,
    apply,
    check_box,
    crop_affine,
    four_numbers,
    invert,
    sample,
    square,
    tight_box,
)
from workbench.faces.detect import detect
from workbench.faces.detection import Detection, Detector
from workbench.faces.image import load_image, original_size, working_scale
from workbench.faces.occlude import Occluder, occlude

_FACTORS = (0.5, 4.0)
_PAINTED = 256
"""Side in pixels of a crop that is painted over or shown in a notebook."""


@dataclass(frozen=True)
class Face:
    """One face of a photograph.

    Attributes:
        photo: RGB, upright.
        box: x0, y0, x1, y1 in photo pixels around where the landmarks are expected; the crop's square follows from it.
        factor: side of the square over the longer side of the box (1.2 in the papers).
        detections: every face that was found, the most prominent first; empty for a box drawn by hand.
        index: which of them this is.
        name: of the photograph, for captions and files.
    """

    photo: Image.Image
    box: Box
    factor: float = CROP_FACTOR
    detections: tuple[Detection, ...] = ()
    index: int = 0
    name: str = "photograph"
    _pixels: np.ndarray | None = field(default=None, repr=False, compare=False)
    _painted: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All candidates' boxes in photo pixels."""
        return tuple(d.box for d in self.detections) or (self.box,)

    @property
    def scores(self) -> tuple[float, ...]:
        """The detector's confidence in each candidate; empty when the box was drawn by hand."""
        return tuple(d.score for d in self.detections)

    @property
    def detected(self) -> Box | None:
        """What the detector drew, before it was mapped to ``box``; None for a drawn or refined box."""
        if self.index < len(self.detections) and self.detections[self.index].box == self.box:
            return self.detections[self.index].raw
        return None

    def affine_to(self, size: int) -> np.ndarray:
        """(2, 3), pixels of the upright original -> pixels of a ``size`` crop."""
        affine, scale = crop_affine(self.box, self.factor, size), np.array(working_scale(self.photo))
        return np.column_stack([affine[:, :2] * scale, affine[:, :2] @ ((scale - 1) / 2) + affine[:, 2]])

    @property
    def centre(self) -> np.ndarray:
        """(2,) centre of the cropped square in photo pixels."""
        return square(self.box, self.factor)[0]

    @property
    def side(self) -> float:
        """Side of the cropped square in photo pixels."""
        return square(self.box, self.factor)[1]

    def crop(self, size: int = 256) -> np.ndarray:
        """uint8 RGB (size, size, 3), black outside the photograph."""
        if self._pixels is not None and self._pixels.shape[0] == size:
            return self._pixels.copy()
        plain = sample(self.photo, crop_affine(self.box, self.factor, size), size)
        if self._pixels is None or self._painted is None:
            return plain
        # Only what was painted is resized: the rest must stay as it was to the last bit, or the network would answer
        # to the resizing as well.
        scale = size / self._pixels.shape[0]
        paint, share = (
            sample(Image.fromarray(layer).convert("RGB"), [[scale, 0, 0], [0, scale, 0]], size).astype(np.float32)
            for layer in (self._pixels, 255 * self._painted.astype(np.uint8))
        )
        return np.rint(plain + (paint - plain) * (share / 255)).astype(np.uint8)

    def to_photo(self, points: ArrayLike, size: int = 256) -> np.ndarray:
        """Points (..., 2) in pixels of a ``size`` crop -> photo pixels."""
        return self._map(invert(crop_affine(self.box, self.factor, size)), points)

    def to_crop(self, points: ArrayLike, size: int = 256) -> np.ndarray:
        """Points (..., 2) in photo pixels -> pixels of a ``size`` crop."""
        return self._map(crop_affine(self.box, self.factor, size), points)

    @staticmethod
    def _map(affine: np.ndarray, points: ArrayLike) -> np.ndarray:
        array = np.asarray(points, float)
        return apply(affine, array.reshape(-1, 2)).reshape(array.shape)

    def to_original(self, points: ArrayLike) -> np.ndarray:
        """Points (..., 2) in photo pixels -> pixels of the upright original.

        They differ only where ``load_image`` scaled a very large picture down.
        """
        return (np.asarray(points, float) + 0.5) / working_scale(self.photo) - 0.5

    @property
    def original_box(self) -> Box:
        """``box`` in pixels of the upright original."""
        x0, y0, x1, y1 = self.to_original(np.reshape(self.box, (2, 2))).ravel().tolist()
        return x0, y0, x1, y1

    @property
    def original_size(self) -> tuple[int, int]:
        """Width and height of the upright original in pixels."""
        return original_size(self.photo)

    @property
    def original_side(self) -> float:
        """Side of the cropped square in pixels of the upright original."""
        return self.side / float(np.mean(working_scale(self.photo)))

    def with_index(self, index: int) -> Face:
        """Another of the detected faces. Raises NoFaceError when there are not so many."""
        count = len(self.detections)
        if not 0 <= index < count:
            found = "1 face was" if count == 1 else f"{count or 'no'} faces were"
            raise NoFaceError(f"There is no face {index + 1}: {found} found in {self.name}.")
        return replace(self, box=self.detections[index].box, index=index, _pixels=None, _painted=None)

    def with_box(self, box: Sequence[float]) -> Face:
        """The same photograph with a box drawn by hand, photo pixels. Raises ImageError for an unusable one."""
        return replace(self, box=check_box(box, *self.photo.size), _pixels=None, _painted=None)

    def with_factor(self, factor: float) -> Face:
        """A tighter or wider crop. Raises ImageError outside 0.5 to 4."""
        low, high = _FACTORS
        if not low <= factor <= high:
            raise ImageError(f"The crop factor must lie between {low:g} and {high:g}; the papers use {CROP_FACTOR}.")
        return replace(self, factor=float(factor), _pixels=None, _painted=None)

    @property
    def painted(self) -> float:
        """The share of the crop, in [0, 1], that was painted over."""
        return 0.0 if self._painted is None else float(self._painted.mean())

    def with_crop(self, pixels: np.ndarray) -> Face:
        """The same geometry with other pixels in the crop (an occluder painted over it), uint8 (S, S, 3).

        At other sizes the pixels that differ from the crop's own are laid over it. Raises ImageError for anything
        but a square RGB picture of uint8.
        """
        pixels = np.array(pixels)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.shape[0] != pixels.shape[1] or pixels.dtype != np.uint8:
            raise ImageError(f"A crop is a square RGB picture of uint8, not {pixels.dtype} of shape {pixels.shape}.")
        plain = replace(self, _pixels=None, _painted=None).crop(len(pixels))
        return replace(self, _pixels=pixels, _painted=(pixels != plain).any(-1))

    def occlude(
        self, x: float, y: float, width: float, height: float, fill: str = "grey", shape: str = "rectangle"
    ) -> Face:
        """The face with a patch painted over its crop; lengths in [0, 1] of the crop, as for :class:`Occluder`.

        Raises:
            ImageError: an unusable patch, an unknown fill or shape.
        """
        side = _PAINTED if self._pixels is None else len(self._pixels)
        return self.with_crop(occlude(self.crop(side), Occluder(x, y, width, height, fill, shape))[0])

    def _repr_png_(self) -> bytes:
        """The crop, for a notebook."""
        file = io.BytesIO()
        Image.fromarray(self.crop(_PAINTED)).save(file, "PNG")
        return file.getvalue()

    def refine(self, points: ArrayLike) -> Face:
        """The face with the tight box of landmarks (N, 2) in photo pixels, as training crops were made."""
        return self.with_box(tight_box(points))


def load_face(
    source: str | PathLike[str] | Image.Image | np.ndarray | Any,
    *,
    box: Sequence[float] | None = None,
    index: int = 0,
    factor: float | None = None,
    detector: str | Detector = "default",
    name: str | None = None,
) -> Face:
    """A face from a photograph.

    Args:
        source: a path, a PIL image, an array, bytes or an open file, see ``load_image``.
        box: x0, y0, x1, y1 around the landmarks, in pixels of the picture as it was given, turned upright; nothing
            is searched then.
        index: which face, the most prominent first.
        factor: of the crop, 1.2 by default.
        detector: a detector or its name.
        name: for captions and files; the file's name by default.

    Raises:
        ImageError: an unreadable picture or an unusable box.
        NoFaceError: nothing was found, or fewer faces than ``index`` asks for.
        UnknownNameError: an unknown detector.
    """
    photo = load_image(source)
    if name is None:
        name = Path(source).stem if isinstance(source, (str, PathLike)) else "photograph"
    if box is not None:
        scale = working_scale(photo) * 2
        scaled = [(v + 0.5) * s - 0.5 for v, s in zip(four_numbers(box), scale, strict=True)]
        face = Face(photo, check_box(scaled, *photo.size), name=name)
    else:
        found = tuple(detect(photo, detector))
        if not found:
            raise NoFaceError(f"No face was found in {name}: draw a box around the face, or try another photograph.")
        face = Face(photo, found[0].box, detections=found, name=name).with_index(index)
    return face if factor is None else face.with_factor(factor)
