"""Faces of a set in batches, decoded ahead while a model reads those before, in constant memory."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from workbench.data.pack import pack_one
from workbench.data.samples import FaceDataset, Sample
from workbench.errors import DataError

PACK_SIZE = 256
AHEAD = 3
"""Batches that are decoded or read at a time, beside those that are being read, for every worker."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class Clock:
    """Seconds of work, summed over the threads that did it."""

    loading: float = 0.0
    model: float = 0.0
    metrics: float = 0.0
    wall: float = 0.0
    threads: int = 1
    rounds: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """Some faces of a set.

    Attributes:
        samples: those whose pictures could be read, B of them.
        images: uint8 (B, 3, P, P), stored crops.
        points, valid: (B, N, 2) in their pixels, (B, N).
        skipped: a sentence for every other.
        seconds: that decoding took.
        size: how many there were, skipped ones included.
    """

    samples: tuple[Sample, ...]
    images: Tensor
    points: Tensor
    valid: Tensor
    skipped: tuple[str, ...]
    seconds: float
    size: int


def decode(samples: Sequence[Sample], size: int = PACK_SIZE) -> Batch:
    """Square crops of ``size`` pixels, as :func:`workbench.data.pack` makes them."""
    start = time.perf_counter()
    good, images, marks, bad = [], [], [], []
    for sample in samples:
        try:
            image, points = pack_one(sample, size)
        except DataError as error:
            bad.append(str(error))
            continue
        good.append(sample)
        images.append(torch.from_numpy(image))
        marks.append(points)
    count = len(samples[0].points)
    placed = torch.from_numpy(np.stack(marks) if marks else np.empty((0, count, 2))).float()
    valid = torch.isfinite(placed).all(-1)
    return Batch(
        tuple(good),
        torch.stack(images) if images else torch.empty(0, 3, size, size, dtype=torch.uint8),
        torch.where(valid[..., None], placed, 0.0),
        valid,
        tuple(bad),
        time.perf_counter() - start,
        len(samples),
    )


def ahead(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterator[T], many: int) -> Iterator[R]:
    """Results of ``work`` in order, ``many`` of them under way at a time."""
    waiting: deque[Future[R]] = deque()
    for item in islice(items, many):
        waiting.append(pool.submit(work, item))
    while waiting:
        found = waiting.popleft().result()
        for item in islice(items, 1):
            waiting.append(pool.submit(work, item))
        yield found


def over(
    dataset: FaceDataset,
    read: Callable[[Batch], R],
    *,
    batch: int,
    device: torch.device,
    clock: Clock,
    progress: str | None = None,
) -> Iterator[R]:
    """What ``read`` says of every batch, in order.

    On a CPU several batches are read at once, each by one thread, which keeps every core busy where many small steps
    cannot be shared out; on a GPU one after the other.

    Args:
        dataset: the faces.
        read: called in a thread of its own, under inference mode.
        batch: faces in each.
        clock: is told how long things took.
        progress: words for a bar, None for none.
    """
    many = min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    readers = many if device.type == "cpu" else 1
    clock.threads = readers
    samples = dataset.samples
    parts = (samples[start : start + batch] for start in range(0, len(samples), batch))

    def reading(found: Batch) -> tuple[R, int]:
        with torch.inference_mode():
            return read(found), found.size

    start = time.perf_counter()
    bar = tqdm(total=len(samples), desc=progress, unit="face", disable=progress is None)
    with _threads(1 if readers > 1 else 0), ThreadPoolExecutor(many) as loading, ThreadPoolExecutor(readers) as models:

        def counted() -> Iterator[Batch]:
            for found in ahead(loading, decode, parts, many * AHEAD):
                clock.loading += found.seconds
                yield found

        for result, size in ahead(models, reading, counted(), readers + 1):
            bar.update(size)
            yield result
    bar.close()
    clock.wall += time.perf_counter() - start


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """PyTorch's own threads for one step, 0 to leave them."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count:
            torch.set_num_threads(before)
