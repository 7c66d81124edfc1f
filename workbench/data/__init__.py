"""Labelled faces: readers of the public benchmarks, packing and augmentation."""

from __future__ import annotations

from workbench.data.augment import (
    AugmentConfig,
    AugmentedBatch,
    augment_batch,
    augment_preset,
    eval_batch,
    occlude,
)
from workbench.data.pack import Packed, join, pack
from workbench.data.readers import READERS, Reader, open_dataset
from workbench.data.samples import FaceDataset, Sample

__all__ = [
    "READERS",
    "AugmentConfig",
    "AugmentedBatch",
    "FaceDataset",
    "Packed",
    "Reader",
    "Sample",
    "augment_batch",
    "augment_preset",
    "eval_batch",
    "join",
    "occlude",
    "open_dataset",
    "pack",
]
