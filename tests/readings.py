"""Readings without a model: a drawn face and seeded tensors that obey every rule a real reading obeys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from workbench.landmarks import Scheme, get_scheme
from workbench.models.alignment import Alignment
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace

# centre x, centre y, half width, half height, first and last angle in degrees (y down, 90 is the chin)
_ARCS = {
    "jaw": (0.50, 0.42, 0.41, 0.49, 180, 0),
    "image-left brow": (0.31, 0.30, 0.13, 0.07, 190, 340),
    "image-right brow": (0.69, 0.30, 0.13, 0.07, 200, 350),
    "image-left eye": (0.32, 0.39, 0.075, 0.032, 180, 540),
    "image-right eye": (0.68, 0.39, 0.075, 0.032, 180, 540),
    "nose base": (0.50, 0.585, 0.085, 0.035, 180, 0),
    "outer lip": (0.50, 0.74, 0.15, 0.065, 180, 540),
    "inner lip": (0.50, 0.74, 0.12, 0.025, 180, 540),
}


def drawn_shape(scheme: Scheme) -> np.ndarray:
    """(N, 2) normalised: a plain face for ibug68 or wflw98, a spiral for any other scheme."""
    turn = np.linspace(0, 4 * np.pi, scheme.count)
    radius = np.linspace(0.1, 0.4, scheme.count)
    points = 0.5 + radius[:, None] * np.stack([np.cos(turn), np.sin(turn)], 1)
    for group in scheme.groups:
        index, count = list(group.indices), len(group.indices)
        if group.name in _ARCS:
            x, y, w, h, first, last = _ARCS[group.name]
            angle = np.radians(np.linspace(first, last, count, endpoint=last - first != 360))
            points[index] = np.stack([x + w * np.cos(angle), y + h * np.sin(angle)], 1)
        elif group.name == "nose bridge":
            points[index] = np.stack([np.full(count, 0.5), np.linspace(0.38, 0.55, count)], 1)
        elif group.name.endswith("pupil"):
            points[index] = (0.32 if "left" in group.name else 0.68, 0.39)
    return points


@dataclass(frozen=True)
class DrawnFace:
    """Stands in for a Face: an oval on a grey wall; the crop is the photograph's middle at half scale."""

    name: str = "drawn"
    painted: float = 0.0

    def affine_to(self, size: int) -> np.ndarray:
        return np.array([[0.5, 0.0, -20.0], [0.0, 0.5, -20.0]]) * size / 256

    def crop(self, size: int = 256) -> np.ndarray:
        y, x = np.mgrid[:size, :size] / size
        inside = np.clip(8 * (1 - ((x - 0.5) / 0.42) ** 2 - ((y - 0.5) / 0.48) ** 2), 0, 1)[..., None]
        light = (0.75 + 0.3 * (0.6 - x))[..., None]
        skin = np.array([205.0, 160.0, 135.0]) * light
        wall = np.array([120.0, 130.0, 140.0]) * (0.8 + 0.3 * y[..., None])
        return np.clip(inside * skin + (1 - inside) * wall, 0, 255).astype(np.uint8)

    def to_photo(self, points: np.ndarray, size: int = 256) -> np.ndarray:
        return (np.asarray(points, float) * (256 / size) + 20) * 2

    def to_original(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(points, float)


def synthetic_reading(
    n: int | str = 68,
    stages: int = 3,
    layers: int = 2,
    heads: int = 4,
    seed: int = 0,
    variance: bool = True,
    attention: bool = True,
    size_rule: str = "variance",
) -> Reading:
    """A reading of a drawn face; equal arguments give equal numbers.

    Args:
        n: landmark count or scheme name.
        variance: False leaves out the uncertainty, as SLPT does (patches then halve).
        attention: False leaves the trace empty.
    """
    return _reading(get_scheme(n).name, stages, layers, heads, seed, variance, attention, size_rule)


@lru_cache(maxsize=16)
def _reading(
    name: str, stages: int, layers: int, heads: int, seed: int, variance: bool, attention: bool, rule: str
) -> Reading:
    scheme, size = get_scheme(name), 256
    rng = np.random.default_rng(seed)
    start = drawn_shape(scheme)
    goal = (start - 0.5) @ np.array([[0.98, 0.06], [-0.05, 0.97]]) + 0.5
    goal = goal + 0.006 * rng.standard_normal(goal.shape)
    steps = stages * layers
    gain = 1 - 0.75 ** np.arange(1, steps + 1)
    walk = start + gain[:, None, None] * (goal - start)
    walk = walk.reshape(stages, layers, scheme.count, 2)
    spread = rng.uniform(0.015, 0.08, (stages, layers, scheme.count, 2))
    half = np.full(scheme.count, 0.125)
    rects = []
    centres = start
    for stage in range(stages):
        corner = np.minimum(np.clip(centres - half[:, None], 0, 1), 1 - 2 * half[:, None])
        rects.append(np.concatenate([corner, np.repeat(2 * half[:, None], 2, 1)], 1))
        worst = spread[stage, -1].max(-1)
        worst = np.sqrt(worst) if rule == "deviation" else worst
        half = half * (np.clip(12 * worst, 0.5, 0.7) if variance else 0.5)
        centres = walk[stage, -1]
    tensors = [torch.tensor(v, dtype=torch.float32) for v in (walk, spread, np.stack(rects))]
    alignment = Alignment(
        landmarks=size * tensors[0][-1, -1][None],
        stages=size * tensors[0][:, :, None],
        variance=tensors[1][:, :, None] if variance else None,
        likelihood="gaussian" if variance else None,
        rects=size * tensors[2][:, None],
        size_rule=rule if variance else "halve",
        size_factor=12.0,
        size_limits=(0.5, 0.7),
    )
    return Reading(
        face=DrawnFace(),  # type: ignore[arg-type]
        scheme=scheme,
        model_name="synthetic",
        input_size=size,
        alignment=alignment,
        trace=_trace(scheme, start, rng, stages, layers, heads) if attention else Trace(),
        mean_shape=start,
    )


def _trace(scheme: Scheme, shape: np.ndarray, rng: np.random.Generator, stages: int, layers: int, heads: int) -> Trace:
    """Attention towards near, mirrored and a few random landmarks, and encodings of the same kind."""
    trace = Trace()
    distance = ((shape[:, None] - shape[None]) ** 2).sum(-1)
    mirror = np.zeros_like(distance)
    if scheme.flip:
        mirror[np.arange(scheme.count), list(scheme.flip)] = 1
    axes = ("stage", "batch", "head", "query_landmark", "key_landmark")
    for layer in range(layers):
        for kind in ("self", "cross"):
            reach = rng.uniform(0.01, 0.3, (stages, 1, heads, 1, 1))
            liking = rng.uniform(-1, 4, (stages, 1, heads, 1, 1))
            logits = -distance / reach + liking * mirror
            logits = logits + 0.9 * rng.standard_normal((stages, 1, heads, scheme.count, scheme.count))
            weights = np.exp(logits - logits.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            trace[f"relation.layers.{layer}.{kind}"] = NamedTensor(torch.tensor(weights, dtype=torch.float32), axes)
    folded = np.stack([np.abs(shape[:, 0] - 0.5), shape[:, 1], 0.3 * shape[:, 0]], 1)
    waves = np.sin(14 * folded @ rng.standard_normal((3, 32)) + rng.uniform(0, 6, 32))
    trace["relation.structure"] = NamedTensor(
        torch.tensor(waves[None], dtype=torch.float32), ("batch", "landmark", "channel")
    )
    return trace
