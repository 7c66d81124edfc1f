"""Checks of lesson 10, a ninth system."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from workbench.course.verdict import called, exercise, near, numbers
from workbench.models.decoding import centre_of_mass


@exercise
def soft(function: Any) -> str:
    """A function of looks (N, H, W) is asked for that gives back (N, 2)."""
    for seed, h, w in ((1, 4, 4), (2, 3, 6)):
        looks = np.random.default_rng(seed).dirichlet(np.full(h * w, 0.4), 5).reshape(5, h, w)
        found = numbers(called(function, looks), (5, 2))
        right = centre_of_mass(torch.from_numpy(looks)[None])[0].numpy()
        if near(found, right):
            continue
        if near(found, right[:, ::-1]):
            return "x and y are exchanged: x runs along the last axis."
        if near(found, right - 0.5 / np.array([w, h])):
            return "Half a cell is missing: cell 0 has its centre half a cell from the border."
        if near(found, right * (w, h)) or near(found, right * (w, h) - 0.5):
            return "In cells; asked is for parts of the map's side."
        peak = looks.reshape(5, -1).argmax(1)
        if near(found, np.stack([(peak % w + 0.5) / w, (peak // w + 0.5) / h], 1)):
            return "That is the place of the largest look; the mean place under all looks is asked for."
        return "The mean of x, weighed by the looks summed over y; and the same for y."
    return ""


@exercise
def error(function: Any) -> str:
    """A function (found, truth) is asked for that gives one number."""
    rng = np.random.default_rng(3)
    truth = rng.random((4, 68, 2)) * np.array([20, 40, 80, 160]).reshape(4, 1, 1)
    found = truth + rng.normal(0, 3, truth.shape)
    apart = np.linalg.norm(found - truth, axis=-1)
    eyes = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=-1)
    said = numbers(called(function, found, truth))
    right = (apart.mean(1) / eyes).mean()
    if near(said, 100 * right):
        return ""
    if near(said, right):
        return "As a part of one; in percent, please."
    if near(said, 100 * apart.mean() / eyes.mean()):
        return "Divide each face by its own distance, then take the mean over the faces."
    if near(said, 100 * (apart.mean(1) / np.linalg.norm(found[:, 36] - found[:, 45], axis=-1)).mean()):
        return "The eyes of the true points, not of those that were found."
    if near(said, apart.mean()):
        return "That is in pixels; divide by the distance between the outer eye corners."
    return "Distances (M, 68), their mean over the landmarks, over the eyes' distance (M,), the mean, times 100."


@exercise
def verdict(function: Any) -> str:
    """A function of two errors is asked for that gives back "needed", "weak" or "idle"."""
    tables = ((4, 9, "needed"), (4, 4.2, "weak"), (4, 4.01, "idle"), (20, 20.7, "needed"), (4, 3, "idle"))
    for trained, uniform, right in tables:
        said = called(function, trained, uniform)
        if said not in ("needed", "weak", "idle"):
            return 'One of the three words, "needed", "weak" or "idle".'
        if said == right:
            continue
        if uniform < trained:
            return "An edit that makes the error smaller costs nothing."
        ratio = {"needed": "large", "weak": "between", "idle": "small"}[right]
        return f"From {trained:g} to {uniform:g} is {ratio}: points are the difference of two errors, not their ratio."
    return ""
