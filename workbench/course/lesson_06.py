"""Checks of lesson 6, uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.course.verdict import called, exercise, near, numbers


@exercise
def laplace(function: Any) -> str:
    """A function (y, mean, variance) is asked for that gives an array of their shape."""
    rng = np.random.default_rng(1)
    y, mean, variance = rng.normal(size=6), rng.normal(size=6), rng.uniform(0.2, 5, 6)
    found = numbers(called(function, y, mean, variance), (6,))
    apart = np.abs(y - mean)

    def nll(b: np.ndarray) -> np.ndarray:
        return np.asarray(np.log(2 * b) + apart / b)

    if near(found, nll(np.sqrt(variance / 2))):
        return ""
    if near(found, nll(np.sqrt(variance))) or near(found, nll(variance)):
        return "The scale b is not the deviation, nor the variance: the variance is 2 b squared."
    if near(found, 0.5 * np.log(2 * np.pi * variance) + apart**2 / (2 * variance)):
        return "That is the Gaussian's."
    if np.ptp(found - nll(np.sqrt(variance / 2))) < 1e-6:
        return "Right but for a constant: the log of 2 b has a 2 in it."
    if near(found, np.exp(-nll(np.sqrt(variance / 2)))):
        return "That is the density; its negative logarithm is asked for."
    return "Turn the variance into the scale b first; then the density above, its logarithm, and a minus."


@exercise
def coverage(function: Any) -> str:
    """A function (errors, sigmas) is asked for that gives three parts of 1."""
    rng = np.random.default_rng(2)
    errors, sigmas = rng.laplace(size=(40, 5, 2)), rng.uniform(0.5, 2, (40, 5, 2))
    errors[:9, 0] = np.nan
    ratio = np.abs(errors) / sigmas
    known = ratio[np.isfinite(ratio)]
    found = numbers(called(function, errors, sigmas), (3,))
    if near(found, [(known <= k).mean() for k in (1, 2, 3)]):
        return ""
    if near(found, [(ratio <= k).mean() for k in (1, 2, 3)]):
        return "Missing labels count as misses there; leave them out."
    if near(found, [(known > k).mean() for k in (1, 2, 3)]):
        return "Those lie outside."
    if near(found, [((errors / sigmas)[np.isfinite(errors)] <= k).mean() for k in (1, 2, 3)]):
        return "An error may be negative; its size counts."
    if near(found, [(known**2 <= k).mean() for k in (1, 2, 3)]):
        return "Compare errors with sigmas, not their squares."
    return "For each coordinate: how many sigmas is the error? Then the parts that are at most 1, 2 and 3."


@exercise
def scale(function: Any) -> str:
    """A function (errors, sigmas) is asked for that gives one number."""
    rng = np.random.default_rng(3)
    errors, sigmas = rng.laplace(size=(30, 4)), rng.uniform(0.4, 2, (30, 4))
    z = np.abs(errors) / sigmas
    found = numbers(called(function, errors, sigmas))
    if near(found, np.sqrt(2) * z.mean()):
        return ""
    if near(found, np.sqrt((z**2).mean())):
        return "That is the Gaussian's scalar."
    if near(found, z.mean()):
        return "The factor is missing: sigma is not the Laplace scale b."
    if near(found, 1 / (np.sqrt(2) * z.mean())):
        return "Upside down: when errors are larger than promised, sigma has to grow."
    if near(found, np.sqrt(2) * np.median(z)):
        return "The median fits one point of the curve; the likelihood asks for the mean."
    return "The mean loss is log s + sqrt(2) mean(z) / s, up to a constant. Where is its slope zero?"
