"""Tracked frames with what was found drawn on them, as an animation to keep."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from workbench.errors import DataError
from workbench.explain.pose import AXES, head_axes
from workbench.figures import palette
from workbench.figures.pose import COLOURS
from workbench.figures.timeline import STATE_COLOURS

if TYPE_CHECKING:
    from workbench.landmarks import Scheme
    from workbench.tracking import FilmReading, TrackedFrame

SUFFIXES = (".gif", ".webp")
LONGEST = 480
"""Longer side of a written frame in pixels, at most."""
_FINE = 2  # lines are drawn at twice the size and then shrunk
_LONG = 0.55  # of an axis, in parts of the longer side of the landmarks' box


def mark_frame(frame: TrackedFrame, scheme: Scheme, *others: TrackedFrame) -> Image.Image:
    """One frame of at most :data:`LONGEST` pixels: the square that was read, landmarks with lines, the head's axes.

    The line below tells its number, how the face was found, the confidence, and yaw, pitch and roll in degrees.

    Args:
        frame: of the face that the line tells of.
        scheme: of its landmarks.
        others: what was found of further faces in the same frame.
    """
    scale = min(1.0, LONGEST / max(frame.photo.size))
    width, height = (max(1, round(side * scale)) for side in frame.photo.size)
    picture = frame.photo.convert("RGB").resize((_FINE * width, _FINE * height), Image.Resampling.LANCZOS)
    pen, zoom = ImageDraw.Draw(picture), _FINE * scale
    for one in (*others, frame):
        if one.region is not None:
            pen.rectangle([zoom * v for v in one.region], outline=STATE_COLOURS[one.state], width=2 * _FINE)
        if one.landmarks is not None:
            _face(pen, one.landmarks * zoom, scheme)
            if one.pose is not None:
                _axes(pen, one.landmarks * zoom, one.pose, scheme)
    out = Image.new("RGB", (width, height + 20), palette.NIGHT)
    out.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (0, 0))
    named = frame.name or (str(frame.index) if frame.time is None else f"{frame.index}  {frame.time:.2f} s")
    words = f"{named}  {frame.state}  {frame.confidence:.2f}"
    if frame.pose is not None:
        words += "".join(f"  {name} {value:.0f}" for name, value in zip("ypr", np.degrees(frame.pose), strict=True))
    line = ImageDraw.Draw(out)
    line.rectangle((6, height + 6, 14, height + 14), fill=STATE_COLOURS[frame.state])
    line.text((20, height + 4), words, fill=palette.NIGHT_INK, font=ImageFont.load_default(11))
    return out


def film_bytes(reading: FilmReading) -> bytes:
    """A film with all that was found drawn on its frames, as a GIF that keeps the film's own pace (to 0.02 s)."""
    marked = []
    for k in range(len(reading.pictures)):
        first, *others = reading.small(k)
        marked.append(mark_frame(first, reading.scheme, *others))
    file = io.BytesIO()
    times = [one.time for one in reading.faces[0]]
    lasts: int | list[int] = 80
    if len(times) > 1 and all(time is not None for time in times):
        gaps = np.diff(np.array(times, float))
        lasts = [max(20, 10 * round(100 * gap)) for gap in (*gaps, gaps[-1])]
    marked[0].save(file, "GIF", save_all=True, append_images=marked[1:], duration=lasts, loop=0)
    return file.getvalue()


def _face(pen: ImageDraw.ImageDraw, points: np.ndarray, scheme: Scheme) -> None:
    for group in scheme.groups:
        path = [tuple(points[i]) for i in group.path]
        if len(path) > 1:
            pen.line(path, fill=palette.line_colour(group), width=2 * _FINE, joint="curve")
    for (x, y), colour in zip(points, palette.landmark_colours(scheme), strict=True):
        r = 2 * _FINE
        pen.ellipse((x - r, y - r, x + r, y + r), fill=colour, outline="white")


def _axes(pen: ImageDraw.ImageDraw, points: np.ndarray, pose: np.ndarray, scheme: Scheme) -> None:
    """From the middle of the nose, without perspective; those that point away from the camera first."""
    nose = [i for i, part in enumerate(scheme.part_of) if part == "nose"]
    start = (points[nose] if nose else points).mean(0)
    axes = head_axes(np.asarray(pose, float)) * _LONG * float(np.ptp(points, axis=0).max())
    assert len(axes) == len(AXES)
    for k in np.argsort(-axes[:, 2], kind="stable"):
        pen.line([tuple(start), tuple(start + axes[k, :2])], fill=COLOURS[k], width=3 * _FINE)


def save_film(pictures: Sequence[Image.Image], path: str | Path, fps: float = 12.5) -> Path:
    """Write pictures as an animated GIF or WebP that plays ``fps`` frames a second and begins anew.

    Raises:
        DataError: another suffix, no picture, a rate that no film has, or a place that cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise DataError(f"{target} cannot be written: a film is saved as {' or '.join(SUFFIXES)}.")
    if not pictures:
        raise DataError("There is no frame to write: give a video with at least one.")
    if not 0.1 <= fps <= 50:
        raise DataError(f"A film plays 0.1 to 50 frames a second, not {fps:g}.")
    try:
        pictures[0].save(target, save_all=True, append_images=pictures[1:], duration=round(1000 / fps), loop=0)
    except OSError as error:
        raise DataError(f"{target} could not be written: {(error.strerror or str(error)).lower()}.") from None
    return target
