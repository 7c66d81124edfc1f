"""A cascade of selective features: what belongs to which task, told by order and size; peaks; errors by size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from workbench.errors import TraceError
from workbench.explain.cascade import cascade, errors_by_size, peaks
from workbench.models.alignment import Alignment
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace

FEATURES = ("channel", "y", "x")


def cascade_reading() -> Reading:
    """Two branches of 6 channels, weights for 3, one cascade, in the order in which such a network records."""
    torch.manual_seed(0)
    plain, trace = synthetic_reading(68, attention=False), Trace()

    def add(name: str, axes: tuple[str, ...], *sizes: int, stage: bool = False) -> None:
        lead = ("stage", "batch") if stage else ("batch",)
        trace[name] = NamedTensor(torch.rand(*(1 for _ in lead), *sizes), (*lead, *axes))

    for k in range(2):
        add(f"maps.{k}", FEATURES, 6, 8, 8)
    add("select.weights", ("branch", "channel"), 2, 3)
    add("select.attended", FEATURES, 5, 8, 8)
    add("edges", ("y", "x"), 8, 8)
    add("guide", FEATURES, 69, 8, 8)
    add("seen", ("landmark", "rect"), 68, 4, stage=True)
    for k in range(2):
        add(f"gates.{k}", FEATURES, 3, 8, 8)
    add("c.weights", ("branch", "channel"), 2, 3)
    add("c.attended", FEATURES, 4, 8, 8)
    trace["sizes"] = NamedTensor(torch.tensor([[1000.0, 1500.0]]), ("batch", "cascade"))
    answer = plain.alignment.landmarks
    alignment = Alignment(answer, stages=torch.stack([answer - 2, answer])[:, None], heatmaps=torch.rand(1, 68, 8, 8))
    metrics = ({"metric": "NME inter-ocular, 0 cascades", "value": 3.5}, {"metric": "NME inter-ocular", "value": 3.1})
    return replace(plain, trace=trace, alignment=alignment, metrics=metrics)


def test_what_belongs_to_which_task() -> None:
    reading = cascade_reading()
    found = cascade(reading)
    first, second = found.tasks
    assert found.before_tensors == ("maps.0", "maps.1") and found.boundary_tensor == "edges"
    assert (first.weights_tensor, first.gate_tensors, first.after_tensor) == ("select.weights", (), "select.attended")
    assert (second.weights_tensor, second.after_tensor) == ("c.weights", "c.attended")
    assert second.gate_tensors == ("gates.0", "gates.1") and second.channels == 4
    np.testing.assert_allclose(found.before[1], np.abs(reading.trace["maps.1"].numpy()[0]).mean(0), rtol=1e-6)
    np.testing.assert_array_equal(found.picture("gate1", 1, channel=2), reading.trace["gates.1"].numpy()[0, 2])
    np.testing.assert_allclose(found.picture("heatmaps", 0), found.heatmaps.max(0))
    assert found.keys(0) == ["photo", "branch0", "branch1", "after", "heatmaps", "boundary"]
    assert "gate0" in found.keys(1) and found.tensor("gate0", 1) == "gates.0"
    assert found.sizes is not None and found.sizes.tolist() == [1000, 1500] and found.errors == {0: 3.5}
    np.testing.assert_allclose(found.steps[1] - found.steps[0], 2 / reading.input_size, atol=1e-6)


def test_without_branches_there_is_no_cascade() -> None:
    with pytest.raises(TraceError, match="no cascade of branches"):
        cascade(synthetic_reading(68))


def test_a_maximum_lies_in_the_middle_of_its_cell() -> None:
    maps = np.zeros((1, 2, 4))
    maps[0, 1, 2] = 1
    np.testing.assert_allclose(peaks(maps), [[0.625, 0.75]])


def test_only_errors_after_so_many_cascades_count() -> None:
    rows = ({"metric": "FR@0.10", "value": 1}, {"metric": "NME inter-ocular, 12 cascades", "value": 2})
    assert errors_by_size(rows) == {12: 2.0}
