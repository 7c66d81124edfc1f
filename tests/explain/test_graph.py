"""A landmark graph: edges against 1 / degree, steps of the nodes, and P S - P S* by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from workbench.errors import TraceError
from workbench.explain.graph import Graph, arrow_factor, centres, graph
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace

LINKED = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], bool)
P = np.array([[-1, 1, 0], [0.5, -1, 0.5], [0, 1, -1]])


def made(weights: list[list[float]]) -> Graph:
    """Three landmarks in a chain, one layer, two steps."""
    even = LINKED / LINKED.sum(1, keepdims=True)
    steps = np.array([[[0, 0], [0.1, 0], [0.2, 0]], [[0, 0], [0.1, 0.03], [0.2, 0.04]]])
    return Graph(
        ("layer",), np.array([weights], np.float32), even[None].astype(np.float32), LINKED, steps, ("start", "end"),
        "nodes", P, "p", {"start": steps[0]},
    )  # fmt: skip


def test_edges_and_their_departure_from_one_over_degree() -> None:
    found = made([[0.75, 0.25, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0.5, 0.5]])
    np.testing.assert_allclose(found.even[1], [1 / 3, 1 / 3, 1 / 3])
    np.testing.assert_allclose(found.edges(0, "even")[0], [0.25, -0.25, 0], atol=1e-6)
    np.testing.assert_allclose(found.edges(0, "change"), found.edges(0, "even"), atol=1e-6)
    # Two of seven edges are half as large or as small again.
    np.testing.assert_allclose(found.departure(found.weights), [2 * 0.5 / 7], rtol=1e-5)
    np.testing.assert_allclose(found.departure(found.learned), [0], atol=1e-6)
    assert found.top["face"] == 0.5 and found.top["even"] == 0.25


def test_residuals_are_the_neighbours_mean_less_oneself() -> None:
    found = made([[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0.5, 0.5]])
    np.testing.assert_allclose(found.residual(1, "start"), [[0, 0.03], [0, 0.02 - 0.03], [0, 0.03 - 0.04]], atol=1e-12)
    np.testing.assert_allclose(found.residual(0, "start"), 0)
    np.testing.assert_allclose(found.moves()[1], [[0, 0], [0, 0.03], [0, 0.04]], atol=1e-12)


def test_a_factor_that_makes_arrows_easy_to_see() -> None:
    assert arrow_factor(np.array([[0.0, 0.002]])) == 50
    assert arrow_factor(np.array([[0.3, 0.4]])) == 1


def test_centres_count_from_the_middle_of_a_cell() -> None:
    maps = np.zeros((2, 2, 4))
    maps[0, 1, 3] = 2
    maps[1, 0, :2] = 1
    np.testing.assert_allclose(centres(maps), [[0.875, 0.75], [0.25, 0.25]])


def graph_reading() -> Reading:
    """Two layers over the 68 landmarks of a drawn face, three steps in pixels."""
    torch.manual_seed(0)
    plain, trace = synthetic_reading(68, attention=False), Trace()
    linked = (torch.rand(68, 68) < 0.08) | torch.eye(68, dtype=torch.bool)
    for name in ("a", "b"):
        scores = torch.randn(1, 68, 68).masked_fill(~linked, -torch.inf)
        trace[f"{name}.adjacency"] = NamedTensor(scores.softmax(-1), ("batch", "query_landmark", "key_landmark"))
        even = torch.zeros(1, 68, 68).masked_fill(~linked, -torch.inf).softmax(-1)
        trace[f"{name}.learned"] = NamedTensor(even, ("batch", "node", "neighbour"))
    answer = plain.alignment.landmarks
    steps = torch.stack([answer + shift for shift in (4.0, 1.0, 0.0)])
    trace["nodes"] = NamedTensor(steps, ("stage", "batch", "node", "xy"))
    rows = linked.float() - torch.eye(68)
    relative = rows / rows.sum(1, keepdim=True).clamp_min(1) - torch.eye(68)
    trace["relative"] = NamedTensor(relative[None], ("batch", "landmark", "neighbour"))
    return replace(plain, trace=trace)


def test_a_reading_tells_its_graph() -> None:
    reading = graph_reading()
    found = graph(reading)
    assert found.layers == ("a.adjacency", "b.adjacency") and found.names == ("input layer", "block 1", "block 2")
    np.testing.assert_allclose(found.steps[-1], reading.points(), atol=1e-5)
    np.testing.assert_allclose(found.departure(found.learned), 0, atol=1e-4)
    labels = reading.points() + 0.01
    known = graph(reading, labels)
    assert list(known.references) == ["truth", "mean"]
    assert np.abs(known.residual(-1, "truth")[known.linked.sum(1) > 1]).max() < 1e-6  # a shift is no residual
    with pytest.raises(TraceError, match=r"\(68, 2\)"):
        graph(reading, labels[:5])
    with pytest.raises(TraceError, match="no landmark graph"):
        graph(synthetic_reading(68))
