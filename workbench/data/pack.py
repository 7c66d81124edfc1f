"""A data set as two arrays: square crops of one size and the landmarks in their pixels."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from workbench.data.samples import FaceDataset, Sample
from workbench.errors import DataError, SettingsError
from workbench.faces import Face
from workbench.faces.crop import tight_box
from workbench.files import from_json, replacing
from workbench.landmarks.geometry import square_crop

REACH = 8
"""How many times the longer side of its photograph a crop may measure."""
MARGIN = 1.4
"""Side of a stored crop over the longer side of the landmarks' box; the papers' crop (1.2) and its jitter fit
in."""


@dataclass(frozen=True)
class Packed:
    """Crops and landmarks of M faces; index it, or hand it to a DataLoader, for (image, points, valid).

    Attributes:
        images: uint8 (M, 3, S, S), RGB.
        points: float32 (M, N, 2) in pixels of the stored crop, pixel centres at integers; 0 where not valid.
        valid: bool (M, N), False where a landmark is missing.
        files: M names.
        skipped: a sentence for every face that was left out.
    """

    images: Tensor
    points: Tensor
    valid: Tensor
    files: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int | slice | Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.images[index], self.points[index], self.valid[index]

    @property
    def size(self) -> int:
        """Side S of a stored crop in pixels."""
        return int(self.images.shape[-1])

    def labelled(self) -> np.ndarray:
        """Landmarks (M, N, 2) float64 in pixels of the stored crop, NaN where missing."""
        return torch.where(self.valid[..., None], self.points.double(), torch.nan).numpy()

    def face(self, index: int) -> Face:
        """One of the faces, for ``read``, with the papers' crop around its labelled landmarks.

        Raises:
            DataError: there is no such face, or it has no labels.
        """
        if not -len(self) <= index < len(self):
            raise DataError(f"There are {len(self)} faces, so there is no face {index}.")
        known = self.points[index][self.valid[index]]
        if not len(known):
            raise DataError(f"{self.files[index]} has no labelled landmark, so its face cannot be cropped.")
        picture = Image.fromarray(self.images[index].permute(1, 2, 0).numpy())
        return Face(picture, tight_box(known.numpy()), name=self.files[index])

    def divided(self, index: int, count: int) -> tuple[Packed, Packed]:
        """The faces without fold ``index`` (from 1) of ``count``, and that fold; names decide, not the order.

        Raises:
            SettingsError: no such fold.
            DataError: one of both is empty.
        """
        if not 1 <= index <= count or count < 2:
            raise SettingsError(f"There is no fold {index}/{count}; they go from 1/2 or 1/5 to 2/2 or 5/5.")
        inside = np.array(
            [int(hashlib.sha256(name.encode()).hexdigest(), 16) % count == index - 1 for name in self.files]
        )
        if inside.all() or not inside.any():
            raise DataError(f"{len(self)} faces are too few for {count} folds.")
        files = np.array(self.files)
        without, within = (Packed(*self[torch.from_numpy(k)], tuple(files[k].tolist())) for k in (~inside, inside))
        return without, within

    def save(self, path: str | Path, key: str = "") -> None:
        """Write everything into one safetensors file."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {"files": json.dumps(self.files), "skipped": json.dumps(self.skipped), "key": key}
        with replacing(path) as part:
            save_file({"images": self.images, "points": self.points, "valid": self.valid}, part, metadata=about)

    @staticmethod
    def load(path: str | Path, key: str | None = None) -> Packed:
        """Read a file of :meth:`save`.

        Raises:
            DataError: when it is missing, damaged, or has another ``key``.
        """
        try:
            with safe_open(path, framework="pt") as file:
                about = file.metadata() or {}
                if key is not None and about.get("key") != key:
                    raise DataError(f"The packed faces in {path} belong to other data; delete the file.")
                images, points, valid = (file.get_tensor(name) for name in ("images", "points", "valid"))
                files, skipped = (tuple(from_json(about[name])) for name in ("files", "skipped"))
                return Packed(images, points, valid, files, skipped)
        except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{path} holds no packed faces ({error}).") from error


def pack(
    dataset: FaceDataset,
    size: int = 192,
    cache: str | Path | None = None,
    progress: bool = True,
    workers: int | None = None,
) -> Packed:
    """Decode a data set into square crops of ``size`` pixels.

    A set of crops is resized; from photographs a square of 1.4 x the longer side of the landmarks' tight box
    is cut, edge pixels repeated outside the photograph.

    Args:
        dataset: from ``open_dataset``.
        size: side of the stored crops, such as 192 or 256.
        cache: a ``.safetensors`` file, or a folder for one, that is used when it was made from the same data
            and written otherwise. Nothing is stored without it.
        progress: show a progress bar.
        workers: decoding threads, by default as many as processors, at most eight.

    Raises:
        DataError: when no face is usable. Single unusable pictures are left out, counted in ``skipped``, and
            mentioned in one warning.
    """
    if size < 1:
        raise DataError(f"Crops of {size} pixels cannot be packed; give a positive size.")
    key = _key(dataset, size)
    target = _target(dataset, size, cache)
    if target is not None and target.is_file():
        try:
            return Packed.load(target, key)
        except DataError:
            pass  # made from other data, or cut short: packed anew below
    workers = workers or min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        jobs = pool.map(lambda sample: _try(sample, size), dataset.samples)
        bar = tqdm(jobs, total=len(dataset), desc=f"packing {dataset.name}", unit="face", disable=not progress)
        results = list(bar)
    packed = _gather(dataset, results)
    if target is not None:
        packed.save(target, key)
    return packed


def join(parts: Sequence[Packed]) -> Packed:
    """Several packed sets as one.

    Raises:
        DataError: when there is none, or when crop sizes or landmark counts differ.
    """
    if not parts:
        raise DataError("There is no packed set to join.")
    if len({(p.size, p.points.shape[1]) for p in parts}) > 1:
        sizes = ", ".join(f"{p.points.shape[1]} points at {p.size} px" for p in parts)
        raise DataError(f"Packed sets of different kinds cannot be joined: {sizes}.")
    if len(parts) == 1:
        return parts[0]
    images, points, valid = (torch.cat(tensors) for tensors in zip(*(p[:] for p in parts), strict=True))
    files = tuple(name for p in parts for name in p.files)
    return Packed(images, points, valid, files, tuple(line for p in parts for line in p.skipped))


def pack_one(sample: Sample, size: int) -> tuple[np.ndarray, np.ndarray]:
    """One stored crop, uint8 (3, size, size), and its landmarks (N, 2) in the crop's pixels, NaN where
    missing.

    Raises:
        DataError: an unreadable picture, or landmarks that all lie on one spot.
    """
    # Edges in Pillow's sense: pixel i covers [i, i + 1], so a centre at x lies at x + 0.5.
    centre, side = square_crop(sample.points, MARGIN)
    image = sample.image()
    if sample.cropped:
        left, top = 0.0, 0.0
        scale = np.array([size / image.width, size / image.height])
        crop = image.resize((size, size), Image.Resampling.LANCZOS)
    else:
        left, top = (centre + 0.5 - side / 2).tolist()
        scale = np.array([size / side, size / side])
        crop = _cut(image, left, top, side, size)
    points = (sample.points + 0.5 - (left, top)) * scale - 0.5
    return np.ascontiguousarray(np.asarray(crop).transpose(2, 0, 1)), points


def _cut(image: Image.Image, left: float, top: float, side: float, size: int) -> Image.Image:
    """A square of a photograph resized to ``size``, its border repeated outside."""
    if side > REACH * max(image.size):
        raise DataError(
            f"The landmarks span {side / MARGIN:.3g} pixels, but their picture has {image.width} x {image.height}: "
            "they belong to another picture, or one of them is wrong."
        )
    pixels = np.asarray(image)
    x0, y0 = int(np.floor(left)), int(np.floor(top))
    x1, y1 = int(np.ceil(left + side)), int(np.ceil(top + side))
    rows = np.arange(y0, y1).clip(0, pixels.shape[0] - 1)
    columns = np.arange(x0, x1).clip(0, pixels.shape[1] - 1)
    part = Image.fromarray(pixels[rows[:, None], columns])
    box = (left - x0, top - y0, left - x0 + side, top - y0 + side)
    return part.resize((size, size), Image.Resampling.LANCZOS, box=box)


def _try(sample: Sample, size: int) -> tuple[np.ndarray, np.ndarray] | str:
    try:
        return pack_one(sample, size)
    except DataError as error:
        return str(error)


def _gather(dataset: FaceDataset, results: list[tuple[np.ndarray, np.ndarray] | str]) -> Packed:
    good = [(s.name, r) for s, r in zip(dataset, results, strict=True) if not isinstance(r, str)]
    bad = [r for r in results if isinstance(r, str)]
    if not good:
        reason = f" ({bad[0]})" if bad else ""
        raise DataError(f"No face of {dataset.folder} can be used{reason}.")
    if bad:
        warnings.warn(f"{len(bad)} of {len(results)} faces were left out; the first: {bad[0]}", stacklevel=3)
    images = torch.from_numpy(np.stack([image for _, (image, _) in good]))
    points = torch.from_numpy(np.stack([marks for _, (_, marks) in good])).float()
    valid = torch.isfinite(points).all(-1)
    points = torch.where(valid[..., None], points, 0.0)
    return Packed(images, points, valid, tuple(name for name, _ in good), dataset.skipped + tuple(bad))


def _target(dataset: FaceDataset, size: int, cache: str | Path | None) -> Path | None:
    if cache is None:
        return None
    path = Path(cache).expanduser()
    if path.suffix == ".safetensors":
        return path
    return path / f"{dataset.name}-{dataset.split or 'all'}-{dataset.labels or 'own'}-{size}.safetensors"


def _key(dataset: FaceDataset, size: int) -> str:
    """Changes with the faces, their labels, the pictures' sizes on disk and the way of packing."""
    digest = hashlib.sha256(f"1:{size}:{MARGIN}".encode())
    for sample in dataset:
        length = sample.path.stat().st_size if sample.path is not None and sample.path.is_file() else 0
        digest.update(f"{sample.name}:{length}:{sample.cropped}".encode())
        digest.update(np.ascontiguousarray(sample.points, float).tobytes())
    return digest.hexdigest()
