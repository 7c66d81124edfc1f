"""The label of a face from a data set stands on every face canvas, where the crop shows it."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.app import labels, readings, state
from workbench.app.labels import Label
from workbench.explain.captions import Clause, compose
from workbench.views import VIEWS
from workbench.widgets import relations_payload, uncertainty_payload

FACE = wb.sample_face("frontal-a").with_factor(1.5)


@pytest.fixture
def labelled(tiny_model, monkeypatch) -> Label:
    """The model's own answer, 3 px to the right in the photograph, one point unknown."""
    points = wb.read(tiny_model, FACE, taps=()).landmarks + np.array([3.0, 0.0])
    points[5] = np.nan
    label = Label(points, "A model is 2.50 % off its label in a set test.")
    monkeypatch.setattr(labels, "current", lambda selection=None: label)
    monkeypatch.setattr(readings, "face", lambda selection: FACE)
    monkeypatch.setattr(state, "current", lambda: None)
    return label


@pytest.mark.parametrize(("name", "build"), [("relations", relations_payload), ("uncertainty", uncertainty_payload)])
def test_it_lies_where_the_crop_shows_it(name, build, labelled, tiny_model) -> None:
    reading = wb.read(tiny_model, FACE)
    payload = build(reading)
    shown = labels.on(name, payload)
    truth = shown["meta"]["truth"]
    assert truth[5] is None and payload["meta"].get("truth") is None  # the cached payload stays as it is
    answer = reading.points()
    off = np.array([place for place in truth if place]) - np.delete(answer, 5, 0)
    np.testing.assert_allclose(off, np.tile([3.0 / FACE.original_side, 0.0], (67, 1)), atol=2e-5)
    said = [Clause(**clause) for clause in shown["meta"]["caption"] if not clause["when"]]
    assert compose(said[-1:], {}) == "yellow crosses: the data set's label, each joined to its answer"


def test_where_it_says_nothing_nothing_is_drawn(labelled, tiny_model, monkeypatch) -> None:
    payload = relations_payload(wb.read(tiny_model, FACE))
    assert labels.on("structure", payload) is payload
    other = {"meta": {**payload["meta"], "face": {"count": 98}}, "blobs": payload["blobs"]}
    assert labels.on("relations", other) is other
    monkeypatch.setattr(labels.st, "session_state", {labels._SHOWN: False})
    assert labels.on("relations", payload) is payload


def test_widgets_with_faces_are_views() -> None:
    assert set(labels.FACES) - {"effect"} <= set(VIEWS)
