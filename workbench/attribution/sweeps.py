"""One loop of forward passes that answers for every landmark and target at once: occlusion and coalitions of parts."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from workbench.attribution.answers import Answer, Asked, Meter, Progress
from workbench.attribution.parts import Parts
from workbench.attribution.register import positions
from workbench.tracing import taps

if TYPE_CHECKING:
    from workbench.models.base import FaceModel

_KEPT = 8
"""Sweeps that are remembered for each model."""


@dataclass(frozen=True)
class Sweep:
    """What a model answers with parts of one crop covered.

    Attributes:
        size: side S of the crop in pixels.
        plain: (N, 2) the answer to the whole crop, pixels of the crop.
        points: (K, N, 2) the answers.
        log_sigma: (1 + K, N) logs of sigma, of the whole crop first; None without an uncertainty.
        window, stride: of an occlusion, pixels; 0 for others.
    """

    size: int
    plain: np.ndarray
    points: np.ndarray
    log_sigma: np.ndarray | None
    window: int = 0
    stride: int = 0

    def change(self, target: str) -> np.ndarray:
        """(K, N) the target of the whole crop less that of each covered one; for "displacement" how far each landmark
        moved."""
        if target == "log_sigma":
            assert self.log_sigma is not None
            return np.asarray(self.log_sigma[:1] - self.log_sigma[1:])
        moved = self.plain - self.points
        return np.linalg.norm(moved, axis=-1) if target == "displacement" else moved[..., "xy".index(target)]


def sweep(asked: Asked, rgb: Tensor, fill: Tensor, masks: Tensor, window: int = 0, stride: int = 0) -> Sweep:
    """Ask for the whole crop and for each covered one.

    Args:
        rgb, fill: (3, S, S) in [0, 1].
        masks: (K, S, S) bool, true where the fill is seen.
    """
    whole = torch.cat([torch.zeros_like(masks[:1]), masks])
    found: Answer = asked.under(rgb, fill, whole)
    points = found.points.cpu().numpy().astype(np.float64)
    sigma = None if found.log_sigma is None else found.log_sigma.cpu().numpy().astype(np.float64)
    return Sweep(rgb.shape[-1], points[0], points[1:], sigma, window, stride)


def window_masks(size: int, window: int, stride: int) -> Tensor:
    """(K, S, S) bool, one window each, row by row."""
    edges = positions(size, window, stride)
    masks = torch.zeros(len(edges) ** 2, size, size, dtype=torch.bool)
    for k, (y, x) in enumerate((y, x) for y in edges for x in edges):
        masks[k, y : y + window, x : x + window] = True
    return masks


def occlusion_maps(found: Sweep, change: np.ndarray) -> np.ndarray:
    """(N, h, w) the mean change over the windows that cover each cell, Zeiler and Fergus 2014 as Captum averages it.

    Args:
        change: (K, N) of :meth:`Sweep.change`. Cells are squares whose pixels lie under the same windows.
    """
    size = found.size
    edges = positions(size, found.window, found.stride)
    cell = math.gcd(size, found.stride, found.window)
    at = np.arange(size // cell) * cell
    under = np.array([(at >= edge) & (at < edge + found.window) for edge in edges], float)
    count = np.outer(under.sum(0), under.sum(0))
    grid = change.reshape(len(edges), len(edges), -1)
    total = np.einsum("abn,ay,bx->nyx", grid, under, under)
    return np.asarray(total / count)


def coalitions(parts: int) -> np.ndarray:
    """(2^P, P) bool: every choice of present parts, none first, all last."""
    return ((np.arange(2**parts)[:, None] >> np.arange(parts)) & 1).astype(bool)


def shapley_values(present: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """(P, ...) exact Shapley values: sum over S without i of |S|! (P - |S| - 1)! / P! (v(S with i) - v(S)).

    Args:
        present: (2^P, P) of :func:`coalitions`.
        worth: (2^P, ...) what each coalition is worth.
    """
    parts = present.shape[1]
    index, size = np.arange(len(present)), present.sum(1)
    share = np.array([math.factorial(k) * math.factorial(parts - k - 1) for k in range(parts)]) / math.factorial(parts)
    out = []
    for i in range(parts):
        without = index[~present[:, i]]
        weight = share[size[without]].reshape(-1, *[1] * (worth.ndim - 1))
        out.append((weight * (worth[without | (1 << i)] - worth[without])).sum(0))
    return np.stack(out)


def coalition_masks(parts: Parts) -> Tensor:
    """(2^P, S, S) bool: the pixels of absent parts, in the order of :func:`coalitions`."""
    return torch.from_numpy(np.stack([parts.coalition(row) for row in coalitions(len(parts.names))]))


# Remembered


_LOCK = threading.Lock()
_SWEEPS: WeakKeyDictionary[FaceModel, OrderedDict[Any, Sweep]] = WeakKeyDictionary()
_TURNS: WeakKeyDictionary[FaceModel, threading.RLock] = WeakKeyDictionary()
_PATIENCE = 0.2


@contextmanager
def turn(model: FaceModel, progress: Progress | None = None) -> Iterator[None]:
    """One attribution of a model at a time; who waits can still be called off through ``progress``."""
    with _LOCK:
        lock = _TURNS.setdefault(model, threading.RLock())
    while not lock.acquire(timeout=_PATIENCE):
        Meter(1, progress).add(0)
    try:
        yield
    finally:
        lock.release()


def remembered(model: FaceModel, key: tuple[Any, ...], make: Callable[[], Sweep]) -> Sweep:
    """The sweep of a key, made if this model, with its weights as they are, has none; under taps that record or edit
    it is made afresh."""
    if any(tap.active for tap in taps(model).values()):
        return make()
    full = (*key, _weights(model))
    with _LOCK:
        kept = _SWEEPS.setdefault(model, OrderedDict())
        if full in kept:
            kept.move_to_end(full)
            return kept[full]
    made = make()
    with _LOCK:
        kept[full] = made
        while len(kept) > _KEPT:
            kept.popitem(last=False)
    return made


def digest(*arrays: np.ndarray) -> str:
    """What arrays are told by."""
    found = hashlib.blake2b(digest_size=16)
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _weights(model: FaceModel) -> tuple[tuple[int, int], ...]:
    """Changes with every change of a parameter or buffer in place."""
    return tuple((id(t), t._version) for t in (*model.parameters(), *model.buffers()))
