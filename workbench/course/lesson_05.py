"""Checks of lesson 5, structure encodings."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from workbench.course.verdict import called, exercise, near, numbers
from workbench.explain.structure import cosine_similarity
from workbench.tracing import NamedTensor


@exercise
def similarity(function: Any) -> str:
    """A function of vectors (N, d) is asked for that gives back (N, N)."""
    for seed in (1, 2):
        vectors = np.random.default_rng(seed).normal(size=(5, 3)) * np.arange(1, 6)[:, None]
        found = numbers(called(function, vectors), (5, 5))
        if near(found, cosine_similarity(vectors)):
            continue
        if near(found, vectors @ vectors.T):
            return "Those are the inner products; divide by both lengths."
        if np.allclose(np.diag(found), 0):
            return "That is a distance; a vector and itself have the cosine 1."
        return "Bring every row to length 1 first; then inner products are cosines."
    return ""


@exercise
def nearest(function: Any) -> str:
    """A function of a matrix (N, N) is asked for that gives back (N,) places."""
    for seed in (3, 4):
        matrix = cosine_similarity(np.random.default_rng(seed).normal(size=(8, 4)))
        given = matrix.copy()
        found = numbers(called(function, given), (8,))
        others = matrix.copy()
        np.fill_diagonal(others, -np.inf)
        if (found == np.arange(8)).all():
            return "Each landmark is nearest to itself; leave the diagonal out."
        if (found == others.argmin(1)).all() or (found == matrix.argmin(1)).all():
            return "Those are the least similar."
        if near(found, others.max(1)):
            return "Those are the cosines themselves; the places are asked for."
        if not (found == others.argmax(1)).all():
            return "The place of the largest entry of each row, its own left out."
        if not np.array_equal(given, matrix):
            return "Right, but the matrix that was handed over is changed; work on a copy."
    return ""


@exercise
def swap(function: Any) -> str:
    """A function of two landmarks is asked for that gives back an edit."""
    encodings = torch.arange(30.0).reshape(1, 6, 5)
    for i, j in ((0, 4), (5, 2)):
        edit = called(function, i, j)
        if not callable(edit):
            return "swap(i, j) gives back a function: def edit(values, site): ..."
        found = called(edit, NamedTensor(encodings.clone(), ("batch", "landmark", "encoding")), None)
        found = found.tensor if isinstance(found, NamedTensor) else found
        numbers(found, (1, 6, 5))
        right = encodings.clone()
        right[:, [i, j]] = encodings[:, [j, i]]
        if torch.equal(found, right):
            continue
        if torch.equal(found, encodings):
            return "Nothing is exchanged."
        same = (found[0] == encodings[0]).all(1)
        if int(same.sum()) == 5:
            return "Only one of the two changes: keep a copy of the first before you overwrite it."
        return "Those two rows exchange their places, and no other moves."
    return ""
