"""Readers of sets with one file of points beside each picture, and of videos with one file a frame."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from workbench.data.samples import Sample
from workbench.data.texts import beside, fields_of, numbers, pts_numbers, read_text
from workbench.errors import DataError, WorkbenchError

TEST_FOLDERS = {"testset", "test", "ibug", "300w", "01_indoor", "02_outdoor"}
TRAIN_FOLDERS = {"trainset", "train", "afw"}
SOURCE_FOLDERS = {"afw", "helen", "lfpw", "ibug", "trainset", "testset"}
PHOTO_SOURCES = {"afw", "helen", "lfpw", "ibug", "300w", "01_indoor", "02_outdoor"}
"""Folders of 300-W, in whose files a negative number is a place."""
MERL_GROUPS = {
    "frontal": "frontal",
    "lefthalf": "half-profile",
    "righthalf": "half-profile",
    "left": "profile",
    "right": "profile",
}
PROFILE = 39
"""Points of a Menpo profile."""
VW_A = frozenset((
    114, 124, 125, 126, 150, 158, 401, 402, 505, 506, 507, 508, 509, 510, 511, 514, 515, 518, 519, 520, 521, 522, 524,
    525, 537, 538, 540, 541, 546, 547, 548,
))  # fmt: skip
VW_B = frozenset((203, 208, 211, 212, 213, 214, 218, 224, *range(403, 410), 412, 550, 551, 553))
VW_C = frozenset((410, 411, 516, 517, 526, 528, 529, 530, 531, 533, 557, 558, 559, 562))
"""The 64 test videos of 300VW by category (scenarios 1, 2 and 3 of the challenge); the other 50 train."""


def pts_points(path: Path) -> np.ndarray:
    """The coordinates of a ``.pts`` file (N, 2), as they stand there. Raises DataError."""
    return pts_numbers(read_text(path), str(path))


def read_pts(folder: Path, files: list[Path]) -> Iterator[Sample | str]:
    """300-W and its sources, Masked 300W, Menpo and MERL-RAV: ``.pts`` files, whose coordinates start at 1.

    A file below a folder named testset, test, ibug or 300w (01_Indoor, 02_Outdoor) is a test face, others are
    training faces. The test groups of 300-W are ``common``, ``challenging`` (ibug), ``full`` (both) and ``private``
    (300w). A folder 300w that holds the sources (afw, helen, lfpw, ibug) is the whole data set, not its private test
    part. MERL-RAV's folders give ``frontal``, ``half-profile`` and ``profile``; where files of 39 points lie among
    others (Menpo) they are ``profile`` and the others ``semifrontal``; a path with "masked" in it adds ``masked``.

    Below the folders of 300-W a negative number is a place outside of the picture. Elsewhere MERL-RAV's rule holds:
    ``-1 -1`` is a landmark without a place, ``-x -y`` one at (x, y) that something covers.
    """
    made: list[tuple[Path, np.ndarray]] = []
    for path in files:
        try:
            made.append((path, pts_points(path)))
        except DataError as error:
            yield str(error)
    mixed = len({len(points) == PROFILE for _, points in made}) > 1
    for path, found in made:
        inside = path.relative_to(folder)
        own = {part.lower() for part in inside.parts[:-1]}
        parts = own | {folder.name.lower()}
        if own & SOURCE_FOLDERS:
            parts -= {"300w"}
        test = bool(parts & TEST_FOLDERS) and not own & TRAIN_FOLDERS
        groups = list(_groups(parts, len(found), mixed, test))
        points, covered = (found, None) if parts & PHOTO_SOURCES else placed(found)
        name = str(inside.with_suffix(""))
        subset = "test" if test else "train"
        yield Sample(name, points - 1, subset, beside(path), tuple(groups), covered=covered)


def _groups(parts: set[str], count: int, mixed: bool, test: bool) -> Iterator[str]:
    if test and parts & {"300w", "01_indoor", "02_outdoor"}:
        yield "private"
    elif test and parts & {*SOURCE_FOLDERS, "300w"} and not parts & set(MERL_GROUPS):
        yield from ("challenging" if "ibug" in parts else "common", "full")
    for folder, group in MERL_GROUPS.items():
        if folder in parts:
            yield group
    if mixed:
        yield "profile" if count == PROFILE else "semifrontal"
    if any("masked" in part for part in parts):
        yield "masked"


def placed(points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """MERL-RAV's rule: points (N, 2) with NaN for ``-1 -1`` and (x, y) for ``-x -y``, and which of them are covered
    (N,), None where no number tells. A single negative coordinate is a place outside of the picture."""
    both = points.max(-1) < 0
    missing = both & (points == -1).all(-1)
    if not both.any():
        return points, None
    out = np.where(missing[:, None], np.nan, np.where(both[:, None], -points, points))
    return out, both


def read_tem(folder: Path, files: list[Path]) -> Iterator[Sample | str]:
    """WebMorph templates: the number of points, one ``x y`` a line, then the drawing lines, which are not
    needed."""
    for path in files:
        try:
            points = _tem_points(path)
        except DataError as error:
            yield str(error)
            continue
        yield Sample(str(path.relative_to(folder).with_suffix("")), points, "train", beside(path))


def _tem_points(path: Path) -> np.ndarray:
    lines = read_text(path).split("\n")
    count = lines[0].strip()
    if not count.isdigit() or len(lines) <= int(count):
        raise DataError(f"{path} is no WebMorph template; its first line must count the points that follow.")
    found = numbers(fields_of(" ".join(lines[1 : int(count) + 1])), str(path))
    if len(found) != 2 * int(count):
        raise DataError(f"{path} promises {count} points and has {len(found) / 2:g}.")
    return found.reshape(-1, 2)


def read_300vw(folder: Path, files: list[Path]) -> Iterator[Sample | str]:
    """300VW: folders of videos, each with ``annot/000001.pts`` and so on, and ``vid.avi`` or its frames as pictures
    ``000001.jpg`` in ``frames/``, ``images/`` or ``image/``."""
    films: dict[Path, Film] = {}
    for path in files:
        video = path.parent.parent
        try:
            points = pts_points(path) - 1
        except DataError as error:
            yield str(error)
            continue
        group = next((n for n, those in (("A", VW_A), ("B", VW_B), ("C", VW_C)) if _number(video.name) in those), "")
        frames = next((p for n in ("frames", "images", "image") if (p := video / n).is_dir()), None)
        film = films.setdefault(video, Film(video / "vid.avi")) if frames is None else None
        yield Sample(
            name=f"{video.name}/{path.stem}",
            points=points,
            subset="test" if group else "train",
            path=beside(frames / path.name) if frames is not None else video / "vid.avi",
            groups=(group,) if group else (),
            pixels=None if film is None else functools.partial(film.frame, max(_number(path.stem) - 1, 0)),
            sequence=video.name,
        )


def _number(name: str) -> int:
    """The digits of a folder or a frame; frames are counted from 1."""
    digits = re.sub(r"\D", "", name)
    return int(digits) if digits else 0


class Film:
    """Frames of a video by their number; asked for in order, each is decoded once."""

    def __init__(self, path: Path) -> None:
        self.path, self.lock = path, threading.Lock()
        self.frames: Iterator[np.ndarray] | None = None
        self.at, self.last = -1, np.empty(0)

    def frame(self, number: int) -> np.ndarray:
        """Frame ``number`` from 0, uint8 (H, W, 3). Raises DataError: the video ends before, or cannot be read."""
        from workbench.tracking import read_video

        with self.lock:
            try:
                if self.frames is None or number < self.at:
                    self.frames, self.at = (np.asarray(p) for p in read_video(self.path)), -1
                while self.at < number:
                    self.last, self.at = next(self.frames), self.at + 1
            except StopIteration:
                raise DataError(f"{self.path} ends before frame {number + 1}, which has labels.") from None
            except WorkbenchError as error:
                raise DataError(str(error)) from error
            return self.last
