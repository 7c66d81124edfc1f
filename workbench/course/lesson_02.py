"""Checks of lesson 2, self-attention on a face."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from workbench.course.verdict import called, exercise, near, numbers
from workbench.models.decoding import centre_of_mass, spatial_softmax
from workbench.training.ssfa import prior_loss_plain, prior_mask


def _layer(z: np.ndarray, w: tuple[np.ndarray, ...], gamma: float, axis: int = 1) -> np.ndarray:
    scores = torch.from_numpy((z @ w[0]) @ (z @ w[1]).T)
    return np.asarray(z + gamma * scores.softmax(axis).numpy() @ (z @ w[2]))


@exercise
def non_local(layer: Any) -> str:
    """A function (z, w_query, w_key, w_value, gamma) is asked for that gives back a map like z."""
    rng = np.random.default_rng(5)
    z = rng.normal(size=(9, 4))
    w = tuple(rng.normal(size=shape) for shape in ((4, 2), (4, 2), (4, 4)))
    found = numbers(called(layer, z, *w, 0.7), z.shape)
    if near(found, _layer(z, w, 0.7)):
        large = called(layer, 40 * z, *w, 0.7)
        return "" if np.isfinite(np.asarray(large)).all() else "Right for small numbers; large scores overflow."
    if near(found, _layer(z, w, 0.7, axis=0)):
        return "Each column sums to one there; each row, a query, has to."
    if near(found, _layer(z, w, 0.7) - z):
        return "That is what the layer adds; the map itself is missing."
    if near(found, _layer(z, w, 1.0)):
        return "The weight gamma is missing."
    if near(found, z + 0.7 * ((z @ w[0]) @ (z @ w[1]).T) @ (z @ w[2])):
        return "Those are the raw products; the softmax is missing."
    return "Begin with the scores: entry (i, j) is the product of the query of i and the key of j."


@exercise
def chance_leak(chance: Any) -> str:
    """A function of a map of booleans is asked for that gives one number."""
    rng = np.random.default_rng(2)
    for share in (0.2, 0.7):
        inside = rng.random((12, 15)) < share
        found = numbers(called(chance, inside))
        if near(found, inside.mean()):
            return "That is what stays inside; the rest leaks."
        if not near(found, (~inside).mean()):
            return "Each of the keys gets the same weight, and all weights sum to one: what part lies outside?"
    return ""


@exercise
def prior_loss(loss: Any) -> str:
    """A function (weights, mask) is asked for that gives one number."""
    torch.manual_seed(3)
    points = torch.rand(1, 5, 2, dtype=torch.float64)
    mask = prior_mask(torch.cat([points, points[:, :2]], 1), 8, 0.8, 1.5)  # where landmarks crowd it exceeds 1
    weights = torch.rand(1, 64, 64, dtype=torch.float64).softmax(-1)
    found = numbers(called(loss, weights[0].numpy(), mask[0].numpy()))
    truth = float(prior_loss_plain(weights, mask))
    if near(found, truth, 1e-4):
        return ""
    m = mask[0].flatten()
    inside = m > 0
    if near(found, truth * float(inside.sum() / m.sum()), 1e-4):
        return "Divide by how many places lie inside, not by the sum of the mask."
    if near(found, float((weights[0][:, ~inside].sum(1))[inside].mean()), 1e-4):
        return "The mask's own values, the weights of the queries, are missing."
    if near(found, truth * float(inside.sum()), 1e-4):
        return "The size of the neighbourhood is missing."
    return "For each query inside: the sum of its row over the keys outside, times the mask at the query."


@exercise
def same_answer(change: Any) -> str:
    """A function of scores (h, w) is asked for that gives other scores of the same shape."""
    rng = np.random.default_rng(7)
    for _ in range(3):
        scores = rng.normal(size=(8, 8)) * 3
        found = numbers(called(change, scores.copy()), scores.shape)
        if np.abs(found - scores).max() < 1e-3:
            return "Nothing changed."
        before, after = (centre_of_mass(spatial_softmax(torch.tensor(s)[None, None])) for s in (scores, found))
        if (before - after).abs().max() > 1e-4:
            return "The landmark moves. Which numbers does a softmax not notice?"
    return ""
