"""What covers a face: gates found by order and size, means under a rectangle, the effective rank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from workbench.errors import TraceError
from workbench.explain.occlusion import AFTER, BEFORE, SPATIAL, VISIBLE, coverage, effective_rank, gated, occlusion
from workbench.models.alignment import Alignment
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace

SIZES = {"y": 4, "x": 4, "channel": 3, "product": 4, "rank": 2, "landmark": 68, "xy": 2}


def trace_of(*entries: tuple[str, ...]) -> Trace:
    """(name, axes ...) in the order of recording, seeded values; "name:8" gives its channels another number."""
    torch.manual_seed(0)
    trace = Trace()
    for name, *axes in entries:
        label, _, count = name.partition(":")
        sizes = {**SIZES, **({"channel": int(count)} if count else {})}
        trace[label] = NamedTensor(torch.rand(1, *(sizes[axis] for axis in axes)), ("batch", *axes))
    return trace


MAP, CHANNEL, FEATURES = ("y", "x"), ("channel",), ("channel", "y", "x")


def occluded_reading() -> Reading:
    trace = trace_of(
        ("early:8", *FEATURES), ("z", *FEATURES), ("seen", *MAP), ("mc", *CHANNEL), ("ms", *MAP), ("f", *FEATURES),
        ("pairs", "product", "y", "x"), ("code:9", *CHANNEL), ("answers", "rank", "landmark", "xy"), ("sizes", "rank"),
    )  # fmt: skip
    plain = synthetic_reading(68, attention=False)
    alignment = Alignment(plain.alignment.landmarks, visible=trace["seen"].tensor)
    return replace(plain, trace=trace, alignment=alignment)


def test_gates_lie_between_features_of_one_size() -> None:
    found = gated(occluded_reading().trace)
    assert (found.before, found.after, found.maps, found.channels) == ("z", "f", ("seen", "ms"), ("mc",))


def test_features_of_another_size_are_not_what_is_gated() -> None:
    found = gated(trace_of(("low", *FEATURES), ("top:8", *FEATURES), ("heat", *MAP), ("gated", *FEATURES)))
    assert (found.before, found.after, found.channels) == ("low", "gated", ())


@pytest.mark.parametrize(
    "entries", [[("z", *FEATURES)], [("seen", *MAP), ("f", *FEATURES)], [("z", *FEATURES), ("seen", *MAP)]]
)
def test_without_features_on_both_sides_nothing_is_gated(entries: list[tuple[str, ...]]) -> None:
    with pytest.raises(TraceError, match="choose another model"):
        gated(trace_of(*entries))


def test_the_map_of_what_is_visible_is_told_from_the_other_gate() -> None:
    reading = occluded_reading()
    found = occlusion(reading)
    assert {k: v for k, v in found.tensors.items() if v} == {VISIBLE: "seen", SPATIAL: "ms", BEFORE: "z", AFTER: "f"}
    assert found.gate_tensor == "mc" and found.low_rank == "sizes, answers"
    values = reading.trace["z"].numpy()[0]
    np.testing.assert_allclose(found.picture(BEFORE), np.abs(values).mean(0), rtol=1e-6)
    np.testing.assert_array_equal(found.picture(BEFORE, 2), values[2])
    assert found.products is not None and found.products.shape == (2, 2, 4, 4)
    np.testing.assert_array_equal(found.products[1, 0], reading.trace["pairs"].numpy()[0, 2])
    with pytest.raises(TraceError, match="does not tell what of a face is visible"):
        occlusion(synthetic_reading(68))


def test_a_cell_is_covered_by_as_much_as_the_rectangle_reaches_into_it() -> None:
    cells = coverage((2, 4), (0.125, 0.5, 0.25, 0.25))
    np.testing.assert_allclose(cells, [[0, 0, 0, 0], [0.25, 0.25, 0, 0]])
    assert coverage((2, 2), (-1, -1, 3, 3)).tolist() == [[1, 1], [1, 1]]


def test_the_effective_rank_counts_equal_values_whole() -> None:
    assert effective_rank(np.ones(5, np.float32)) == 5
    assert effective_rank(np.array([7, 0, 0], np.float32)) == 1
