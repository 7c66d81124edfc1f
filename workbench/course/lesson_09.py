"""Checks of lesson 9, a whole data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.course.verdict import called, exercise, near, numbers
from workbench.landmarks import metrics


def _errors(seed: int, faces: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Of two models, on faces that are hard or easy for both."""
    rng = np.random.default_rng(seed)
    hard = rng.gamma(4, 0.012, faces)
    return hard + rng.normal(0, 0.002, faces), hard + 0.001 + rng.normal(0, 0.002, faces)


@exercise
def auc(function: Any) -> str:
    """A function (errors, threshold) is asked for that gives one number."""
    for seed, threshold in ((1, 0.1), (2, 0.05)):
        errors, _ = _errors(seed)
        found = numbers(called(function, errors, threshold))
        if near(found, metrics.auc(errors, threshold)):
            continue
        if near(found, (errors <= threshold).mean()):
            return "That is the curve's height at the threshold; the area below it is asked for."
        if near(found, metrics.auc(errors, threshold) * threshold):
            return "Over the threshold, so that a perfect model has 1."
        if near(found, (threshold - errors).mean() / threshold):
            return "A face above the threshold contributes nothing, not a negative area."
        return "Each face below the threshold brings threshold - error; the mean over all faces, over the threshold."
    return ""


@exercise
def paired(function: Any) -> str:
    """A function (first, second, rng) is asked for that gives back (low, high)."""
    first, second = _errors(3)
    low, high = numbers(called(function, first, second, np.random.default_rng(0)), (2,))
    difference = first - second
    middle, spread = difference.mean(), 1.96 * difference.std() / np.sqrt(len(first))
    if not low < high:
        return "The lower end first."
    if abs((low + high) / 2 + middle) < 0.2 * spread:
        return "The other way round: first minus second."
    width = (high - low) / (2 * spread)
    if abs((low + high) / 2 - middle) > 0.3 * spread:
        return "The interval is not around the difference of the means."
    if width > 2:
        return "Far too wide: hard faces are hard for both, so draw the same faces for both."
    if not 0.85 < width < 1.15:
        return "Draw as many faces as there are, with replacement, and take the 2.5th and the 97.5th percentile."
    return ""


@exercise
def enough(function: Any) -> str:
    """A function (first, second, w) is asked for that gives a whole number."""
    for seed, w in ((4, 0.0005), (5, 0.0002)):
        first, second = _errors(seed)
        found = float(numbers(called(function, first, second, w)))
        right = (1.96 * (first - second).std() / w) ** 2
        if found in (np.ceil(right), np.ceil((1.96 * (first - second).std(ddof=1) / w) ** 2)):
            continue
        if abs(found - right) <= 1:
            return "Round up, to a whole number of faces."
        if (
            abs(found / (1.96 * first.std() / w) ** 2 - 1) < 0.02
            or abs(found / (1.96 * second.std() / w) ** 2 - 1) < 0.02
        ):
            return "That is one model's scatter; their difference, face by face, scatters far less."
        if abs(found - 1.96 * (first - second).std() / w) <= 1:
            return "The standard error falls with the root of the number, so the number grows with the square."
        return "Solve 1.96 s / sqrt(n) = w for n, with s the deviation of the differences."
    return ""
