"""The change of relations under an occluder, on numbers worked by hand."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from workbench.explain import RelationChange, Relations, relation_change
from workbench.faces import Occluder

POINTS = np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]])
BEFORE = np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.4, 0.4, 0.2]])
NOW = np.array([[0.2, 0.6, 0.2], [0.1, 0.8, 0.1], [0.4, 0.2, 0.4]])


def reading(weights: np.ndarray) -> Any:
    return SimpleNamespace(points=lambda: POINTS, weights=weights)


@pytest.fixture(autouse=True)
def _matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    def matrix(given: Any, kind: str | None, stage: int, layer: int | None, head: int | None) -> Relations:
        return Relations(given.weights, "cross", stage, layer, head, "a tensor")

    monkeypatch.setattr(sys.modules[relation_change.__module__], "attention_matrix", matrix)


def change(occluder: Occluder) -> RelationChange:
    return relation_change(reading(NOW), reading(BEFORE), occluder, None, None)


def test_attention_to_covered_patches_before_and_now() -> None:
    found = change(Occluder(0.4, 0.8, 0.2, 0.2))
    assert found.covered.tolist() == [False, False, True]
    # Queries 0 and 1 gave landmark 2 the weights 0.5 and 0.1, now 0.2 and 0.1.
    assert found.before == pytest.approx(0.3)
    assert found.now == pytest.approx(0.15)
    assert "gave the 1 covered ones **30.0%**" in found.sentence()
    assert "with the occluder minus without" in found.caption


def test_what_each_patch_gained_and_the_largest_changes() -> None:
    found = change(Occluder(0.4, 0.8, 0.2, 0.2))
    assert found.received == pytest.approx([0, (0.3 - 0.2) / 3, (-0.3 + 0.2) / 3])
    assert {tuple(edge) for edge in found.edges[:2].tolist()} == {(0, 1), (0, 2)}
    assert np.abs(found.change[:2]) == pytest.approx([0.3, 0.3])


def test_nothing_or_everything_covered_is_said() -> None:
    assert "covers no landmark" in change(Occluder(0, 0.4, 0.1, 0.1)).sentence()
    assert "covers all 3" in change(Occluder(-1, -1, 3, 3)).sentence()
