"""Checks of lesson 7, shapes on a plane."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from workbench.course.verdict import called, exercise, near, numbers
from workbench.faces import sample_face
from workbench.reading import shelf_model
from workbench.shaping import find_shape


@exercise
def encode(function: Any) -> str:
    """A function (places, frequencies) is asked for that gives back (N, 2F)."""
    places, frequencies = np.array([0.1, 0.4, 0.45, 2.0]), np.array([1.0, 2.5, 7.0])
    found = numbers(called(function, places, frequencies), (4, 6))
    shift = places[:, None] - places[None]
    inner = np.cos(shift[..., None] * frequencies).sum(-1)
    if near(found @ found.T, inner):
        angles = places[:, None] * frequencies
        columns = {tuple(c) for c in np.concatenate([np.sin(angles), np.cos(angles)], 1).T.round(6)}
        if {tuple(c) for c in found.T.round(6)} == columns:
            return ""
        return "Its inner products are right, but its columns are not the sines and cosines above."
    if near(np.abs(found[:, :3]), np.abs(found[:, 3:])) or near(found[:, :3], found[:, 3:]):
        return "The same numbers stand there twice; one half are cosines."
    return "For each place and frequency an angle, their product; then its sine and its cosine."


@exercise
def away(function: Any) -> str:
    """A function (points, anchors) is asked for that gives back (N,)."""
    rng = np.random.default_rng(4)
    points, anchors = rng.random((5, 2)), rng.random((9, 2))
    apart = np.linalg.norm(points[:, None] - anchors[None], axis=-1)
    found = numbers(called(function, points, anchors), (5,))
    if near(found, apart.min(1)):
        return ""
    if near(found, apart.argmin(1)):
        return "That is which anchor is the nearest; how far it is, is asked for."
    if near(found, apart.mean(1)) or near(found, apart.max(1)):
        return "The nearest anchor counts, not all of them or the farthest."
    if near(found, (apart**2).min(1)):
        return "That is squared; take the root."
    return "The straight distance from each point to every anchor, then the smallest."


@cache
def off(name: str, i: int, j: int) -> tuple[float, float]:
    """How far a found midpoint lies from the middle of both found ends: pixels, percent of the eyes' distance."""
    model = shelf_model("tufa", "cpu")
    plane = model.prompt("ibug68").detach().cpu().numpy()  # type: ignore[operator]
    points = find_shape(model, sample_face(name), np.concatenate([plane, (plane[[i]] + plane[[j]]) / 2])).landmarks
    apart = float(np.linalg.norm(points[-1] - (points[i] + points[j]) / 2))
    return apart, 100 * apart / float(np.linalg.norm(points[36] - points[45]))


@exercise
def midpoint(answer: Any) -> str:
    """One number is asked for: percent of the distance between the outer eye corners."""
    found = numbers(answer)
    pixels, percent = off("tilted-left", 48, 54)
    if near(found, percent, 0.02):
        return ""
    if near(found, percent / 100, 0.02):
        return "As a part of one; in percent, please."
    if near(found, pixels, 0.02):
        return "That is in pixels; divide by the distance between the outer eye corners."
    if near(found, off("frontal-a", 48, 54)[1], 0.02):
        return "That is the face of before."
    if near(found, off("tilted-left", 36, 39)[1], 0.02):
        return "Those are the corners of an eye."
    return "Find the 68 points and the plane's midpoint together, as off_the_middle does."
