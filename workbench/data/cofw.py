"""COFW's MATLAB containers, which hold the photographs themselves."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.samples import Sample
from workbench.errors import DataError

COUNT = 29


def read_cofw(folder: Path, files: list[Path]) -> list[Sample]:
    """``COFW_train_color.mat`` and ``COFW_test_color.mat`` (HDF5, MATLAB 7.3).

    The arrays are ``IsTr`` / ``IsT`` (references to the photographs), ``phisTr`` / ``phisT`` (29 x, 29 y, 29
    occlusion flags) and ``bboxesTr`` / ``bboxesT`` (x, y, width, height); coordinates are used as they are.

    Raises:
        DataError: h5py is not installed, or the file has other contents.
    """
    samples: list[Sample] = []
    for path in files:
        subset, suffix = ("test", "T") if "test" in path.stem.lower() else ("train", "Tr")
        try:
            with _open(path) as file:
                labels = np.asarray(file[f"phis{suffix}"], float)
                boxes = np.asarray(file[f"bboxes{suffix}"], float) if f"bboxes{suffix}" in file else None
                count = np.asarray(file[f"Is{suffix}"]).size
        except (OSError, KeyError) as error:
            raise DataError(f"{path} is no COFW file of MATLAB 7.3 ({error}).") from error
        if labels.shape != (3 * COUNT, count) or (boxes is not None and boxes.shape != (4, count)):
            raise DataError(f"{path} has {labels.shape} labels for {count} faces, not ({3 * COUNT}, {count}).")
        for i in range(count):
            points = np.stack([labels[:COUNT, i], labels[COUNT : 2 * COUNT, i]], axis=-1)
            box = None
            if boxes is not None:
                x, y, w, h = boxes[:, i].tolist()
                box = (x, y, x + w, y + h)
            pixels = functools.partial(stored_picture, path, f"Is{suffix}", i)
            covered = labels[2 * COUNT :, i] > 0
            name = f"{path.stem}#{i}"
            samples.append(Sample(name, points, subset, box=box, pixels=pixels, covered=covered))
    return samples


def stored_picture(path: Path, key: str, index: int) -> np.ndarray:
    """Photograph ``index`` of a container, uint8 (H, W) or (H, W, 3); MATLAB stores columns first.

    Raises DataError.
    """
    with _open(path) as file:
        try:
            reference = np.asarray(file[key]).reshape(-1)[index]
            return np.asarray(file[reference], np.uint8).T
        except (KeyError, IndexError, ValueError) as error:
            raise DataError(f"{path} has no picture {index + 1} in {key} ({error}).") from None


def _open(path: Path) -> Any:
    try:
        h5py = importlib.import_module("h5py")  # optional: only this reader needs it
    except ImportError as error:
        raise DataError(
            "COFW's .mat files need the package h5py; install the extra: pip install -c constraints.txt -e '.[cofw]'"
        ) from error
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path} is no MATLAB 7.3 file, or it is damaged ({error}).") from None
