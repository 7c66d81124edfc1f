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
from workbench.data.generated import drawn, write_drawn
from workbench.data.pack import Packed, join, pack
from workbench.data.readers import READERS, Reader, open_dataset
from workbench.data.samples import FaceDataset, Sample
from workbench.data.shapes import OpenedShape, open_shape, shape_bytes
from workbench.data.shards import write_shards

__all__ = [
    "READERS",
    "AugmentConfig",
    "AugmentedBatch",
    "FaceDataset",
    "OpenedShape",
    "Packed",
    "Reader",
    "Sample",
    "augment_batch",
    "augment_preset",
    "drawn",
    "eval_batch",
    "join",
    "occlude",
    "open_dataset",
    "open_shape",
    "pack",
    "shape_bytes",
    "write_drawn",
    "write_shards",
]
