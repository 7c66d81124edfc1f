"""Films as frames: animated pictures, folders of pictures, and with PyAV any video; and one made of the samples."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from workbench.errors import ImageError
from workbench.faces.image import check_size, endings, formats, is_picture, load_image
from workbench.faces.sample import sample_photo
from workbench.files import expanded


@dataclass(frozen=True)
class VideoFrame:
    """One frame.

    Attributes:
        photo: RGB, upright, with square pixels.
        time: seconds from the first frame, as the film tells (frames need not be equally far apart); None where it
            tells none.
        name: of the frame's own file; "" in a film.
    """

    photo: Image.Image
    time: float | None = None
    name: str = ""


def read_frames(source: str | PathLike[str]) -> Iterator[VideoFrame]:
    """The frames of a film, one at a time.

    Animated pictures (GIF, WebP, PNG, AVIF), pictures of several pages (TIFF) and folders of pictures (in the
    order of their names, numbers counted as numbers) are read as they are; any other file needs PyAV.

    Raises:
        ImageError: nothing there, nothing that can be read, or PyAV missing.
    """
    path = expanded(source)
    if os.path.isdir(path):
        return _folder(path)
    if not os.path.isfile(path):
        raise ImageError(f"There is no video at '{path}': check the path.")
    return _animation(path, str(path)) if path.suffix.lower() in endings() else _film(path, path.name)


def frames_of(files: Sequence[tuple[str, bytes]]) -> Iterator[VideoFrame]:
    """The frames of files that lie in memory: (name, bytes) of one film, or of many pictures in any order.

    Raises:
        ImageError: nothing that can be read, or PyAV missing.
    """
    if len(files) == 1:
        name, data = files[0]
        file = io.BytesIO(data)
        return _animation(file, name) if Path(name).suffix.lower() in endings() else _film(file, name)
    ordered = sorted(files, key=lambda file: _natural(file[0]))
    return (VideoFrame(load_image(data), None, Path(name).name) for name, data in ordered)


def _folder(path: Path) -> Iterator[VideoFrame]:
    try:
        pictures = [p for p in path.iterdir() if is_picture(p.relative_to(path))]
    except OSError as error:
        raise ImageError(f"The folder '{path}' cannot be read ({(error.strerror or str(error)).lower()}).") from None
    if not pictures:
        raise ImageError(f"The folder '{path}' holds no pictures: name one with the frames of a video.")
    return (VideoFrame(load_image(p), None, p.name) for p in sorted(pictures, key=lambda p: _natural(p.name)))


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts frame_2 before frame_10."""
    out, digits, text = [], "", ""
    for letter in name.lower() + "\0":
        if letter.isdecimal():
            digits += letter
            continue
        if digits:
            out += [(0, text), (int(digits), "")]
            digits = text = ""
        text += letter
    return [*out, (0, text)]


def _animation(file: Any, name: str) -> Iterator[VideoFrame]:
    time = 0.0
    try:
        with Image.open(file, formats=formats()) as film:
            check_size(*film.size)
            for frame in ImageSequence.Iterator(film):
                photo = load_image(frame.copy())
                lasts = frame.info.get("duration")  # some decoders tell it once they have decoded
                yield VideoFrame(photo, time if lasts else None)
                time += float(lasts or 0) / 1000
    except ImageError:
        raise
    except Exception as error:  # decoders raise many kinds on damaged files
        raise ImageError(f"'{name}' is no animation that can be read ({error}).") from error


def _film(file: Any, name: str) -> Iterator[VideoFrame]:
    try:
        av = import_module("av")
    except ImportError:
        raise ImageError(
            f"To read '{name}', install the extra (pip install -c constraints.txt -e '.[video]'), or save the "
            "video as an animated GIF, WebP or PNG or as a folder of pictures."
        ) from None
    return _decode(file, name, av)


def _square(image: Image.Image, frame: Any, stream: Any) -> Image.Image:
    """A frame as players show it: pixels that are not square are stretched."""
    ratio = getattr(frame, "sample_aspect_ratio", None) or getattr(stream, "sample_aspect_ratio", None)
    if not ratio or ratio == 1 or not 1 / 16 < ratio < 16:
        return image
    return image.resize((max(1, round(image.width * float(ratio))), image.height), Image.Resampling.BILINEAR)


def _decode(file: Any, name: str, av: Any) -> Iterator[VideoFrame]:
    first: float | None = None
    try:
        with av.open(str(file) if isinstance(file, Path) else file) as film:
            if not film.streams.video:
                raise ImageError(f"'{name}' holds no pictures, only sound.")
            for frame in film.decode(video=0):
                image = _square(frame.to_image(), frame, film.streams.video[0])
                turn = int(getattr(frame, "rotation", 0) or 0)  # of a telephone held upright, counter-clockwise
                told = getattr(frame, "time", None)
                first = told if first is None else first
                time = None if told is None or first is None else float(told) - float(first)
                yield VideoFrame(load_image(image.rotate(turn, expand=True) if turn else image), time)
    except av.FFmpegError as error:
        raise ImageError(f"'{name}' is no video that can be read ({error}).") from error


SAMPLE_FRAMES = 48
_WIDE, _TALL = 560, 300


def sample_film() -> Iterator[VideoFrame]:
    """A film made of sample portraits, at 12.5 frames a second: one face glides, grows and tilts, leaps in frame 24,
    and is covered in frames 36 to 39; another one comes in from image right in frame 14."""
    first, second = (
        sample_photo(name).resize((260, 260), Image.Resampling.LANCZOS) for name in ("frontal-a", "turned-left-30")
    )
    for k in range(SAMPLE_FRAMES):
        canvas = Image.new("RGB", (_WIDE, _TALL), (116, 124, 132))
        u = k / (SAMPLE_FRAMES - 1)
        if k >= 14:
            _lay(canvas, second, (max(465, 640 - 12 * (k - 14)), 175), 0.62, 0)
        leap = 70 if k >= 24 else 0
        _lay(canvas, first, (120 + 60 * u + leap, 130 + 30 * np.sin(6 * u)), 0.66 + 0.25 * u, 9 * np.sin(9 * u))
        if 36 <= k < 40:
            canvas.paste((70, 74, 80), (60, 20, 350, 290))
        yield VideoFrame(canvas, round(k * 0.08, 3))


def _lay(canvas: Image.Image, face: Image.Image, middle: tuple[float, float], scale: float, tilt: float) -> None:
    side = round(face.width * scale)
    mask = Image.new("L", face.size, 255)
    turned, alpha = (one.resize((side, side)).rotate(tilt, Image.Resampling.BILINEAR) for one in (face, mask))
    canvas.paste(turned, (round(middle[0] - side / 2), round(middle[1] - side / 2)), alpha)
