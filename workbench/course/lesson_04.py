"""Checks of lesson 4, is attention an explanation?"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.attribution.checks import spearman as truth
from workbench.course.verdict import called, exercise, near, numbers


def _pair(seed: int, count: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    c = rng.normal(size=count)
    return np.exp(c + rng.normal(size=count)), c + rng.normal(size=count), c


@exercise
def spearman(function: Any) -> str:
    """A function of two arrays is asked for that gives one number."""
    for seed in (1, 2):
        a, b, _ = _pair(seed)
        found = numbers(called(function, a, b))
        if near(found, truth(a, b)):
            continue
        if near(found, np.corrcoef(a, b)[0, 1]):
            return "That is the correlation of the values; of their ranks it is asked for."
        if near(found, np.corrcoef(np.argsort(a), np.argsort(b))[0, 1]):
            return "np.argsort gives the order, not yet the rank of each entry."
        return "Ranks first, then their correlation."
    return ""


@exercise
def nearness(function: Any) -> str:
    """A function (points, landmark) is asked for that gives (N,) scores."""
    points = np.random.default_rng(3).random((7, 2))
    for landmark in (0, 4):
        found = numbers(called(function, points, landmark), (7,))
        distance = np.linalg.norm(points - points[landmark], axis=1)
        if near(found, -distance):
            continue
        if near(found, distance):
            return "The nearest has the smallest score there; it should have the largest."
        if near(found, -(distance**2)):
            return "That is the squared distance: the same order, but another score."
        return "Minus the straight distance between two points, x and y together."
    return ""


@exercise
def area(function: Any) -> str:
    """A function (fractions, moved) is asked for that gives one number."""
    x, y = np.array([0.0, 0.05, 0.1, 0.4, 0.8]), np.array([0.0, 2.0, 3.0, 3.5, 5.0])
    found = numbers(called(function, x, y))
    whole = float(np.trapezoid(y, x))
    if near(found, whole / 0.8):
        return ""
    if near(found, y.mean()):
        return "That counts each point alike; the points are not evenly spaced."
    if near(found, whole):
        return "That is the area; the mean height divides it by the width."
    return "The width of each step times the mean of its two heights, added up, over the whole width."


@exercise
def beyond(function: Any) -> str:
    """A function of three arrays is asked for that gives one number."""
    for seed in (4, 5):
        a, b, c = _pair(seed, 30)
        ab, ac, bc = truth(a, b), truth(a, c), truth(b, c)
        found = numbers(called(function, a, b, c))
        if near(found, (ab - ac * bc) / np.sqrt((1 - ac**2) * (1 - bc**2))):
            continue
        if near(found, ab):
            return "That is the plain correlation; what c explains is still in it."
        if near(found, ab - ac * bc):
            return "The numerator alone; what is left of a and b is smaller than they were."
        return "Ranks for all three correlations, and the formula above."
    return ""
