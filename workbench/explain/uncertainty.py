"""How sure a model is: ellipses, patch sizes and their clamp, the trajectory to the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import TraceError
from workbench.explain.calibration import law
from workbench.explain.caption_tables import UNCERTAINTY_STEP
from workbench.explain.captions import Fact, compose, number
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

STATES = ("first", "floor", "active", "ceiling", "fixed")
"""What set a patch's size: the first stage's constant, the clamp's floor, the variance itself, the clamp's
ceiling, or a rule that ignores the variance (halving)."""


@dataclass(frozen=True)
class Ellipses:
    """Axis-aligned ellipses around each landmark.

    Attributes:
        centres: (N, 2) normalised crop coordinates.
        sigma: (N, 2) standard deviations along x and y, normalised.
        levels: radii in standard deviations.
        mass: probability inside each level if the prediction is calibrated, by the model's own likelihood.
        caption: the tensor and the stage.
    """

    centres: np.ndarray
    sigma: np.ndarray
    levels: tuple[float, ...]
    mass: tuple[float, ...]
    caption: str


@dataclass(frozen=True)
class SigmaOrder:
    """Landmarks from least to most certain.

    Attributes:
        index: (N,) landmarks, largest sigma first.
        sigma: (N,) in the same order: geometric mean of both axes, crop pixels of the model's input.
        caption: the tensor, its unit and what was done.
    """

    index: np.ndarray
    sigma: np.ndarray
    caption: str


@dataclass(frozen=True)
class PatchStates:
    """What set the size of every patch.

    Attributes:
        rects: (stage, N, 4) x0, y0, width, height, normalised.
        states: (stage, N) of :data:`STATES`.
        wanted: (stage, N) the factor before the clamp; NaN where the rule has none.
        error: largest difference between the recomputed and the recorded size factor.
        rule: what a side is multiplied by before the clamp, such as "12 max √v"; "" where the rule has none.
        words: the rule in words.
        caption: the tensor and the rule.
    """

    rects: np.ndarray
    states: np.ndarray
    wanted: np.ndarray
    error: float
    rule: str
    words: str
    caption: str

    def count(self, stage: int) -> dict[str, int]:
        """State -> number of patches in a stage, absent states left out."""
        found = self.states[stage].tolist()
        return {state: found.count(state) for state in STATES if state in found}


@dataclass(frozen=True)
class Trajectory:
    """The trajectory of every landmark from the mean face to the answer.

    Attributes:
        points: (step, N, 2) normalised; step 0 is the mean shape.
        stage, layer: (step,) zero-based, -1 for the mean shape.
        labels: (step,) such as "stage 1, layer 2".
        length: (N,) length of the trajectory, normalised.
        caption: what is shown.
    """

    points: np.ndarray
    stage: np.ndarray
    layer: np.ndarray
    labels: tuple[str, ...]
    length: np.ndarray
    caption: str


def ellipses(
    reading: Reading, levels: tuple[float, ...] = (1.0, 2.0, 3.0), stage: int = -1, layer: int = -1
) -> Ellipses:
    """Ellipses with radii ``k sqrt(v) * patch size`` (Eq. 5.6) at ``k`` in ``levels``.

    Raises:
        TraceError: the model predicts no uncertainty.
    """
    sigma = deviation(reading, stage, layer)
    mass = tuple(ellipse_mass(k, reading.alignment.likelihood) for k in levels)
    shown, inside = ", ".join(map(number, levels)), ", ".join(number(round(100 * m)) for m in mass)
    caption = (
        f"{step_words(reading, stage, layer)} · ellipses at {shown} σ, σ = √variance × patch side; "
        f"a {law(reading.alignment.likelihood)} has {inside} % of its mass inside"
    )
    return Ellipses(reading.points(stage, layer), sigma, tuple(levels), mass, caption)


def ellipse_mass(level: float, likelihood: str | None = "gaussian") -> float:
    """Probability inside the ellipse with radii ``level`` sigma when both axes are independent.

    1 - exp(-k^2 / 2) for Gaussian axes; for Laplace axes (scale sigma / sqrt 2) the integral over one axis of its
    density times the other's probability within the ellipse, by Simpson's rule.
    """
    if likelihood != "laplace":
        return float(1 - np.exp(-(level**2) / 2))
    angle = np.linspace(0, np.pi / 2, 2001)  # x = k sin(angle) keeps the integrand smooth at the ellipse's end
    density = np.sqrt(2) * np.exp(-np.sqrt(2) * level * np.sin(angle)) * level * np.cos(angle)
    inside = density * (1 - np.exp(-np.sqrt(2) * level * np.cos(angle)))
    step = angle[1] / 3
    return float(step * (inside[0] + 4 * inside[1:-1:2].sum() + 2 * inside[2:-1:2].sum() + inside[-1]))


def deviation(reading: Reading, stage: int = -1, layer: int = -1) -> np.ndarray:
    """(N, 2) predicted standard deviation, normalised.

    Raises:
        TraceError: the model predicts no uncertainty, or there is no such stage or layer.
    """
    variance = reading.alignment.variance
    if variance is None:
        raise TraceError(f"{reading.model_name} predicts no uncertainty; choose a model that predicts one.")
    for name, index, size in (("stage", stage, variance.shape[0]), ("layer", layer, variance.shape[1])):
        check_index(name, index, size)
    return reading.sigma(stage, layer)


def sigma_order(reading: Reading, stage: int = -1, layer: int = -1) -> SigmaOrder:
    """Landmarks sorted by their predicted deviation, the least certain first.

    Raises:
        TraceError: the model predicts no uncertainty.
    """
    sigma = np.sqrt(deviation(reading, stage, layer).prod(1)) * reading.input_size
    index = np.argsort(-sigma, kind="stable")
    caption = (
        f"{step_words(reading, stage, layer)} · √(σx σy) in pixels of the {reading.input_size} px crop, largest first"
    )
    return SigmaOrder(index, sigma[index], caption)


def patch_states(reading: Reading) -> PatchStates:
    """Which patches follow their variance and which are held by the clamp (thesis 5.2.2).

    A patch's side is the last one's times ``clamp(12 max(v_x, v_y), low, high)``, or ``12 max(sqrt v)`` under
    the rule of the text ("deviation"); v is the last layer's variance of the stage before. The sizes are
    recomputed and compared with the recorded ones.

    Raises:
        TraceError: the model reads no patches, or the recorded sizes contradict the rule.
    """
    rects = reading.rects()
    stages, count = rects.shape[:2]
    states = np.full((stages, count), "first", dtype="<U7")
    wanted = np.full((stages, count), np.nan)
    power = {"variance": "max v", "deviation": "max √v"}.get(reading.alignment.size_rule or "")
    factor, limits = reading.alignment.size_factor, reading.alignment.size_limits
    if reading.alignment.variance is None or power is None or factor is None or limits is None:
        states[1:] = "fixed"
        words = "every stage halves the side"
        return PatchStates(rects, states, wanted, 0.0, "", words, f"patches.rects · {words}")
    low, high = limits
    spread = reading.variance().max(-1)
    spread = np.sqrt(spread) if reading.alignment.size_rule == "deviation" else spread
    wanted[1:] = factor * spread[:-1]
    states[1:] = np.where(wanted[1:] <= low, "floor", np.where(wanted[1:] >= high, "ceiling", "active"))
    error = _size_error(rects, np.clip(wanted[1:], low, high))
    if error > 0.01:
        raise TraceError(
            f"The patches of {reading.model_name} do not follow its size rule (factors differ by "
            f"{error:.2f}); read the face again with a matching checkpoint."
        )
    rule = f"{number(factor)} {power}"
    words = f"side = last side × clamp({rule}, {number(low)}, {number(high)})"
    return PatchStates(rects, states, wanted, error, rule, words, f"patches.rects · {words}")


def _size_error(rects: np.ndarray, factor: np.ndarray) -> float:
    """Largest difference of recorded and recomputed factors, among patches not cut at the crop's edge."""
    side = rects[..., 2:].max(-1)
    inside = ((rects[..., :2] > 1e-6) & (rects[..., :2] + rects[..., 2:] < 1 - 1e-6)).all(-1)
    square = inside | (np.abs(rects[..., 2] - rects[..., 3]) < 1e-6)
    both = square[1:] & square[:-1]
    if not both.any():
        return 0.0
    return float(np.abs(side[1:] / np.maximum(side[:-1], 1e-9) - factor)[both].max())


def trajectory(reading: Reading) -> Trajectory:
    """The mean face, then the answer of every layer of every stage."""
    points = reading.trajectory()
    steps = np.arange(len(points) - 1)
    stage, layer = steps // reading.layers, steps % reading.layers
    labels = ("mean face", *(f"stage {s + 1}, layer {k + 1}" for s, k in zip(stage, layer, strict=True)))
    length = np.linalg.norm(np.diff(points, axis=0), axis=-1).sum(0)
    caption = f"alignment.stages · mean face, then {reading.stages} stages × {reading.layers} layers"
    stage, layer = (np.concatenate([[-1], index]) for index in (stage, layer))
    return Trajectory(points, stage, layer, labels, length, caption)


def step_words(reading: Reading, stage: int | None, layer: int) -> str:
    """The tensor, the stage and the layer, counted from 1; stage None is the mean face."""
    return compose(
        UNCERTAINTY_STEP,
        {
            "stage": None if stage is None else stage % reading.stages + 1,
            "stages": reading.stages,
            "layer": layer % reading.layers + 1,
            "layers": reading.layers,
            **scale_facts(reading, stage),
        },
    )


def scale_facts(reading: Reading, stage: int | None) -> dict[str, Fact]:
    """What a caption says of a recalibrated sigma: by what it was multiplied and where that comes from."""
    told = reading.rescaled and stage is not None
    return {
        "scale": reading.scale(stage) if told and stage is not None else None,
        "fitted": reading.calibration["fitted"] if told else None,
    }
