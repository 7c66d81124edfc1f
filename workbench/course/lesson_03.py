"""Checks of lesson 3, relations: look, then intervene."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from workbench.course.verdict import called, exercise, near, numbers
from workbench.effects import Effect, effect
from workbench.faces import sample_face
from workbench.reading import shelf_model
from workbench.tracing.edits import Drop

MODEL, SELF, CROSS = "dslpt-68", "relation.layers.0.self", "relation.layers.0.cross"


def _rows(seed: int, count: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).dirichlet(np.full(count, 0.3), count))


@exercise
def strongest(function: Any) -> str:
    """A function (weights, k) is asked for that gives back (N, k) columns."""
    for seed, count, k in ((1, 6, 2), (2, 9, 4)):
        weights = _rows(seed, count)
        found = numbers(called(function, weights, k), (count, k))
        order = np.argsort(-weights, axis=1)
        if (found == order[:, :k]).all():
            continue
        if (found == order[:, ::-1][:, :k]).all():
            return "Those are the smallest weights."
        if (np.sort(found) == np.sort(order[:, :k])).all():
            return "The right columns, in another order: the largest first."
        if (found == np.argsort(-weights, axis=0)[:k].T).all():
            return "Those are the rows of each column; a query is a row."
        if near(found, np.sort(weights, 1)[:, ::-1][:, :k]):
            return "Those are the weights themselves; their columns are asked for."
        return "Sort each row by its weights, and keep where the first k of them stood."
    return ""


@exercise
def told(function: Any) -> str:
    """A function of the weights is asked for that gives one number."""
    for seed in (3, 4):
        weights = _rows(seed, 8)
        found = numbers(called(function, weights))
        if near(found, weights.max(1).mean()):
            continue
        if near(found, weights.max(0).mean()):
            return "That is the largest weight of each column; a row is one query's listening."
        if near(found, weights.max()):
            return "That is one arrow alone; the mean over all rows is asked for."
        return "The largest weight of each row first, then the mean over the rows."
    return ""


@cache
def dropped() -> list[Effect]:
    """What dropping each of the first three heads does to the astronaut."""
    model, face = shelf_model(MODEL, "cpu"), sample_face("astronaut")
    return [effect(model, face, {CROSS: Drop("head", (head,))}) for head in range(3)]


@exercise
def head_effect(answer: Any) -> str:
    """One number is asked for: percent of the eyes' distance."""
    found, heads = numbers(answer), dropped()
    assert heads[1].percent is not None
    if near(found, heads[1].percent.mean(), 0.01):
        return ""
    if near(found, heads[1].percent.max(), 0.01):
        return "That is the landmark that moves most; the mean over all landmarks is asked for."
    if near(found, heads[1].displacement.mean(), 0.01):
        return "That is in pixels of the photograph; percent of the eyes' distance is asked for."
    if any(one.percent is not None and near(found, one.percent.mean(), 0.01) for one in (heads[0], heads[2])):
        return "That is another head: Python counts from 0."
    return "Edit the tap of the first layer's cross-attention: set one entry of its axis 'head' to zero."


@exercise
def moves(edit: Any) -> str:
    """An edit is asked for: one of wb.edits, or a function of your own."""
    if not callable(edit) or isinstance(edit, type):
        return "That is no edit: make one, such as wb.edits.Uniform()."
    found = effect(shelf_model(MODEL, "cpu"), sample_face("astronaut"), {SELF: edit})
    if found.percent is not None and found.percent.mean() > 1e-3:
        return ""
    return "Nothing moves: each row of the weights still sums to one, and a mean of equal values is that value."
