"""Checks of lesson 8, gates, graphs and cascades."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from workbench.course.verdict import called, exercise, near, numbers
from workbench.effects import effect
from workbench.faces import sample_face
from workbench.reading import read, shelf_model
from workbench.tracing.edits import Replace

TAP = "attention.gate.spatial"


@exercise
def gate(function: Any) -> str:
    """A function (features, first, second) is asked for that gives back a map like the features."""
    rng = np.random.default_rng(6)
    features, first, second = rng.normal(size=(4, 3, 5)), rng.normal(size=(2, 4)), rng.normal(size=(4, 2))
    hidden = first @ features.mean((1, 2))
    found = numbers(called(function, features.copy(), first, second), features.shape)

    def gated(logits: np.ndarray) -> np.ndarray:
        return np.asarray(features / (1 + np.exp(-logits))[:, None, None])

    if near(found, gated(second @ np.maximum(0, hidden))):
        return ""
    if near(found, gated(second @ hidden)):
        return "Between both matrices negative numbers become zero."
    if near(found, (second @ np.maximum(0, hidden))[:, None, None] * features):
        return "Bring the weights between 0 and 1 before they multiply."
    if near(found, gated(second @ np.maximum(0, first @ features.max((1, 2))))):
        return "Squeeze by the mean over the places, not by the largest."
    if near(found, gated(second @ np.maximum(0, first @ features.sum((1, 2))))):
        return "Squeeze by the mean over the places, not by their sum."
    return "A mean a channel, first matrix, no negatives, second matrix, sigmoid; then every channel times its weight."


@cache
def moved(face: str, donor: str) -> np.ndarray:
    """How far each landmark of a face moves with a donor's gate, percent of the eyes' distance."""
    model = shelf_model("aodn-68", "cpu")
    percent = effect(model, sample_face(face), {TAP: Replace(read(model, donor, taps=(TAP,)).trace)}).percent
    assert percent is not None
    return percent


@exercise
def other(answer: Any) -> str:
    """One number is asked for: percent of the eyes' distance."""
    found = numbers(answer)
    right = moved("frontal-a", "mask")
    if near(found, right.mean(), 0.02):
        return ""
    if near(found, right.max(), 0.02):
        return "That is the landmark that moves most; the mean is asked for."
    if near(found, moved("mask", "frontal-a").mean(), 0.02):
        return "The other way round: the bare face is read, the masked one gives its gate."
    if near(found, moved("frontal-a", "frontal-b").mean(), 0.02):
        return "That donor wears no mask."
    if near(found, moved("astronaut", "mask").mean(), 0.02):
        return "That is another face than the one asked for."
    return "One call of wb.effect with wb.edits.Replace(covered.trace) for that tap."


@exercise
def needed(function: Any) -> str:
    """A function of two lists of rows is asked for that gives back a list of names."""
    plain = [("a", 0.1, 0.05, 0.2), ("b", 0.01, -0.01, 0.03), ("c", 0.0, -0.1, 0.1), ("d", -0.2, -0.3, -0.1)]
    covered = [("a", 0.4, 0.3, 0.5), ("b", 0.2, 0.1, 0.3), ("c", 0.1, -0.1, 0.3), ("d", 0.3, 0.2, 0.4)]
    said = called(function, plain, covered)
    if isinstance(said, str):
        return "A list of names is asked for, also where it holds one."
    found = {str(name) for name in said}
    if found == {"b", "d"}:
        return ""
    if found == {"a", "b", "d"}:
        return "Those that plain faces need as well do not belong to it."
    if "c" in found:
        return "One of them has an interval that holds zero, so nothing was shown: look at its low end."
    if found == {"a"}:
        return "That one is needed on plain faces too."
    if found == {"b"}:
        return "An interval that lies below zero on plain faces is not above zero."
    return "Under the rectangle low > 0, on plain faces not."
