"""Heatmap-guided selective features and the cascade that they feed (CHS, Fig. 1, 4 and 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.axes import BRANCHES, CASCADES, FACE_MAP, FEATURES, RECTS, own
from workbench.errors import TraceError
from workbench.explain.facts import Facts, named

if TYPE_CHECKING:
    from workbench.reading import Reading

PHOTO, BEFORE, GATE, AFTER, HEATMAPS, BOUNDARY = "photo", "branch", "gate", "after", "heatmaps", "boundary"
_KEPT = re.compile(r"NME .*, (\d+) cascades")


@dataclass(frozen=True)
class Task:
    """What one task takes from the branches.

    Attributes:
        name: "heatmaps", "cascade 1" ...
        weights, weights_tensor: (B, C), they sum to 1 over the branches; and their key of the trace.
        gates, gate_tensors: (B, C, h, w) by what each branch is multiplied, and their keys; None and () without any.
        after, after_tensor: (h, w) mean of the absolute values of the attended features, and their key.
        channels: of the attended features.
    """

    name: str
    weights: np.ndarray
    weights_tensor: str
    gates: np.ndarray | None
    gate_tensors: tuple[str, ...]
    after: np.ndarray
    after_tensor: str
    channels: int


@dataclass(frozen=True)
class Cascade:
    """What one reading tells of its cascade. Maps float32, places normalised.

    Attributes:
        before, before_tensors: (B, h, w) mean of the absolute values of each branch's features, and their keys.
        branch_channels: of a branch.
        tasks: the heatmap task first.
        heatmaps: (N, h, w); ``boundary`` (h, w) and its key, None and "" without one.
        peaks: (N, 2) middle of the cell where each landmark's heatmap is largest.
        steps: (T, N, 2) y_0 off the heatmaps, then the answer after each cascade: what the model pruned to so many
            cascades answers.
        rects: (T - 1, N, 4) x, y, width, height of what each cascade saw of each landmark's neighbourhood.
        sizes: (T,) parameters of the model pruned to so many cascades; None where they were not recorded.
        errors: cascades kept -> NME that the card tells.
    """

    before: np.ndarray
    before_tensors: tuple[str, ...]
    branch_channels: int
    tasks: tuple[Task, ...]
    heatmaps: np.ndarray
    boundary: np.ndarray | None
    boundary_tensor: str
    peaks: np.ndarray
    steps: np.ndarray
    rects: np.ndarray
    sizes: np.ndarray | None
    errors: dict[int, float]

    def keys(self, task: int) -> list[str]:
        """The maps that there are of a task, from left to right."""
        branches = range(len(self.before))
        gates = [f"{GATE}{k}" for k in branches] if self.tasks[task].gates is not None else []
        boundary = [BOUNDARY] if self.boundary is not None else []
        return [PHOTO, *(f"{BEFORE}{k}" for k in branches), *gates, AFTER, HEATMAPS, *boundary]

    def picture(self, key: str, task: int, channel: int | None = None, landmark: int | None = None) -> np.ndarray:
        """(h, w) of one of :meth:`keys`: of gates a channel or the mean, of heatmaps a landmark's or the largest."""
        kind, at = _split(key)
        if kind == BEFORE:
            return np.asarray(self.before[at])
        if kind == GATE:
            gates = self.tasks[task].gates
            assert gates is not None
            return np.asarray(gates[at].mean(0) if channel is None else gates[at, channel])
        if kind == HEATMAPS:
            return np.asarray(self.heatmaps.max(0) if landmark is None else self.heatmaps[landmark])
        if kind == BOUNDARY:
            assert self.boundary is not None
            return self.boundary
        return self.tasks[task].after

    def tensor(self, key: str, task: int) -> str:
        """The key of the trace behind one of :meth:`keys`; "" for the photograph."""
        kind, at = _split(key)
        if kind == PHOTO:
            return ""
        if kind == BEFORE:
            return self.before_tensors[at]
        if kind == GATE:
            return self.tasks[task].gate_tensors[at]
        return {HEATMAPS: "alignment.heatmaps", BOUNDARY: self.boundary_tensor, AFTER: self.tasks[task].after_tensor}[
            kind
        ]


def title(key: str) -> str:
    """What stands above one of ``Cascade.keys``."""
    kind, at = _split(key)
    return {
        PHOTO: "Photograph", BEFORE: f"Branch {at + 1}, before", GATE: f"Gate of branch {at + 1}",
        AFTER: "After selection", HEATMAPS: "Heatmaps", BOUNDARY: "Boundary",
    }[kind]  # fmt: skip


def cascade(reading: Reading) -> Cascade:
    """Find it in a reading that recorded branch weights, features, maps, rectangles and sizes.

    Order and size alone tell what is what: the first features are the branches; those with as many channels as a
    task's weights, recorded before these, are its gates; the first ones after them are what it attends to.

    Raises:
        TraceError: the trace holds no branch weights, or the answer no stages or heatmaps.
    """
    trace, answer = reading.trace, reading.alignment
    names = list(trace)
    weights = [n for n in names if own(trace[n].axes) in BRANCHES]
    rects = [n for n in names if own(trace[n].axes) == RECTS]
    if not weights or not rects or answer.stages is None or answer.heatmaps is None:
        raise TraceError(
            f"The trace of {reading.model_name} holds no cascade of branches; choose a model that has one."
        )
    features = [n for n in names if own(trace[n].axes) == FEATURES]
    count = len(_of(reading, weights[0]))
    before = features[:count]
    tasks, taken = [], set(before)
    for k, name in enumerate(weights):
        values, at = _of(reading, name), names.index(name)
        earlier = [n for n in features if n not in taken and names.index(n) < at]
        gates = [n for n in earlier if trace[n].shape["channel"] == values.shape[1]][-count:]
        after = next(n for n in features if names.index(n) > at)
        taken |= {*earlier, after}
        attended = _of(reading, after)
        stacked = np.stack([_of(reading, n) for n in gates]) if len(gates) == count else None
        tasks.append(
            Task(
                "heatmaps" if k == 0 else f"cascade {k}",
                values,
                name,
                stacked,
                tuple(gates) if stacked is not None else (),
                np.abs(attended).mean(0),
                after,
                len(attended),
            )
        )
    maps = answer.heatmaps[0].cpu().numpy().astype(np.float32)
    boundary = next((n for n in names if own(trace[n].axes) == FACE_MAP), "")
    sizes = next((n for n in names if own(trace[n].axes) == CASCADES), "")
    branches = [_of(reading, n) for n in before]
    seen = trace[rects[0]].at(batch=0).numpy().astype(np.float64)
    return Cascade(
        np.stack([np.abs(values).mean(0) for values in branches]), tuple(before), len(branches[0]), tuple(tasks), maps,
        _of(reading, boundary) if boundary else None, boundary, peaks(maps),
        answer.stages[:, -1, 0].cpu().numpy().astype(np.float64) / reading.input_size, seen,
        _of(reading, sizes).round().astype(np.int64) if sizes else None, errors_by_size(reading.metrics),
    )  # fmt: skip


def peaks(maps: np.ndarray) -> np.ndarray:
    """(N, 2) middle of the cell where each of (N, h, w) maps is largest, in [0, 1]."""
    h, w = maps.shape[1:]
    best = maps.reshape(len(maps), -1).argmax(1)
    return np.stack([(best % w + 0.5) / w, (best // w + 0.5) / h], 1)


def errors_by_size(metrics: tuple[object, ...]) -> dict[int, float]:
    """Cascades kept -> NME in percent, of a card's metrics."""
    rows = [row for row in metrics if isinstance(row, dict)]
    found = [(_KEPT.fullmatch(str(row["metric"])), row) for row in rows]
    return {int(match[1]): float(row["value"]) for match, row in found if match}


def cascade_facts(
    reading: Reading, found: Cascade, key: str = AFTER, *, task: int = 0, span: tuple[float, float] | None = None,
    channel: int | None = None, landmark: int | None = None, kept: int | None = None,
) -> Facts:  # fmt: skip
    """Facts of ``system_captions.CASCADE``.

    Args:
        key: of ``Cascade.keys``, or "row" for all of them.
        task: from 0, the heatmap task.
        span: where the scale begins and ends; None for the photograph.
        channel: of the gates; None for the mean of all.
        kept: cascades that pruning leaves; None for all.
    """
    kind, at = _split(key)
    chosen = found.tasks[task]
    row = kind == "row"
    shape = found.heatmaps.shape if kind in (HEATMAPS, BOUNDARY, "row") else chosen.after.shape
    return {
        "tensor": chosen.weights_tensor if row else found.tensor(key, task) or None,
        "kind": kind,
        "task": chosen.name,
        "branch": at + 1,
        "branches": len(found.before),
        "channels": {BEFORE: found.branch_channels, GATE: chosen.weights.shape[1]}.get(kind, chosen.channels),
        "channel": channel if kind == GATE else None,
        "landmark": named(reading.scheme, landmark),
        "landmarks": reading.scheme.count,
        "rows": shape[-2],
        "columns": shape[-1],
        "low": span[0] if span else None,
        "high": span[1] if span else None,
        "kept": None if kept is None or kept >= len(found.steps) - 1 else kept,
        "cascades": len(found.steps) - 1,
        "widget": False,
    }


def _split(key: str) -> tuple[str, int]:
    """A key without its number, and the number (0 without one)."""
    kind = key.rstrip("0123456789")
    return kind, int(key[len(kind) :] or 0)


def _of(reading: Reading, name: str) -> np.ndarray:
    return reading.trace[name].at(batch=0).numpy().astype(np.float32)
