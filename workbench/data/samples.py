"""One labelled face, and a set of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from workbench.errors import DataError
from workbench.faces.image import formats, to_rgb
from workbench.landmarks import Scheme


@dataclass(frozen=True)
class Sample:
    """One face of a benchmark.

    Attributes:
        name: file name inside the set, unique.
        points: (N, 2) float64 landmarks in pixels of the picture, pixel centres at integers; NaN where
            missing.
        subset: ``"train"`` or ``"test"``.
        path: the picture, or None when ``pixels`` gives it.
        groups: the finer parts that it belongs to, such as ``"common"`` and ``"full"``, or ``"occlusion"``.
        box: x0, y0, x1, y1 of the benchmark's face box in pixels, or None.
        cropped: whether the picture is already a square crop around one face.
        pixels: reads the picture from a container file, uint8 (H, W) or (H, W, 3).
        covered: (N,) bool, True where the labels say that something covers the point; None where they do not tell.
        pose: yaw, pitch, roll in degrees as ``landmarks.geometry.rotation`` counts them, or None.
        sequence: the video that it is a frame of, in the order of the frames; may be empty.
    """

    name: str
    points: np.ndarray
    subset: str
    path: Path | None = None
    groups: tuple[str, ...] = ()
    box: tuple[float, float, float, float] | None = None
    cropped: bool = False
    pixels: Callable[[], np.ndarray] | None = None
    covered: np.ndarray | None = None
    pose: tuple[float, float, float] | None = None
    sequence: str = ""

    def image(self) -> Image.Image:
        """The picture as RGB in its stored orientation, to which the labels belong.

        Raises:
            DataError: when it is missing or damaged.
        """
        if self.path is None and self.pixels is None:
            raise DataError(f"The face '{self.name}' has no picture; give its path or its pixels.")
        try:
            if self.pixels is not None:
                return to_rgb(Image.fromarray(self.pixels()))
            with Image.open(str(self.path), formats=formats()) as picture:
                return to_rgb(picture)
        except FileNotFoundError as error:
            raise DataError(f"The picture {self.path} is missing; unpack the photos beside their labels.") from error
        except (OSError, SyntaxError, ValueError, KeyError, Image.DecompressionBombError) as error:
            raise DataError(f"The picture {self.path or self.name} cannot be read ({error}).") from error


@dataclass(frozen=True)
class FaceDataset:
    """Labelled faces of one scheme, in the order of their files.

    Attributes:
        name: the folder's name.
        folder: where it lies.
        format: the reader that recognised it.
        scheme: of the landmarks.
        samples: the faces.
        split: the part that was asked for, or None.
        labels: None for the set's own labels, or the name of its machine-made ones.
        skipped: a sentence for every face, line or file that was left out, each with its file.
        subset: the finer part that was asked for, or None.
    """

    name: str
    folder: Path
    format: str
    scheme: Scheme
    samples: tuple[Sample, ...]
    split: str | None = None
    labels: str | None = None
    skipped: tuple[str, ...] = ()
    subset: str | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]

    @property
    def part(self) -> str:
        """Which part this is, in words: split and subset."""
        return " ".join(name for name in (self.split or ("" if self.subset else "all"), self.subset) if name)

    def points(self) -> np.ndarray:
        """All landmarks (M, N, 2) in pixels of their pictures, NaN where missing."""
        return np.stack([sample.points for sample in self.samples])
