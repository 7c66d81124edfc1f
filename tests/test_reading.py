"""A face read by a model: the answer, the trace, and the way back to the photograph."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

import workbench as wb
from workbench.errors import CheckpointError, TraceError, UnknownNameError
from workbench.models import build, preset
from workbench.reading import read


@pytest.fixture(scope="module")
def face():
    return wb.sample_face("astronaut")


def model(**changes):
    torch.manual_seed(0)
    config = replace(preset("dslpt-68-compact"), layers=2, **changes)
    return build(config, torch.rand(68, 2) * 0.8 + 0.1).eval()


@pytest.fixture(scope="module")
def reading(face):
    return read(model(), face)


def test_shapes_and_units(reading) -> None:
    assert reading.landmarks.shape == (68, 2)
    assert (reading.stages, reading.layers) == (3, 2)
    assert reading.trajectory().shape == (7, 68, 2)
    assert reading.attention("cross").shape == reading.attention("self").shape == (3, 2, 4, 68, 68)
    assert reading.structure().shape == (68, 128)
    assert reading.rects().shape == (3, 68, 4)
    np.testing.assert_allclose(reading.trajectory()[0], reading.mean_shape)
    np.testing.assert_allclose(reading.trajectory()[-1], reading.points())
    np.testing.assert_allclose(reading.trajectory()[3], reading.points(stage=1, layer=0))
    sigma = np.sqrt(reading.variance()[-1]) * reading.rects()[-1, :, 2:]
    np.testing.assert_allclose(reading.sigma(), sigma, rtol=1e-5)


def test_landmarks_lie_on_the_photograph_where_the_crop_says(reading, face) -> None:
    expected = face.centre + (reading.points() - 0.5) * face.side
    np.testing.assert_allclose(reading.landmarks, expected, atol=1e-6)


def test_the_trace_says_what_it_is(reading, face) -> None:
    meta = reading.trace.meta
    assert meta["scheme"] == "ibug68" and meta["face"] == "astronaut" and meta["input_size"] == 128
    places = np.column_stack([reading.landmarks, np.ones(len(reading.landmarks))]) @ np.transpose(meta["affine"])
    np.testing.assert_allclose(places, reading.points() * meta["input_size"])


@pytest.mark.slow
def test_landmarks_of_a_very_large_photo_are_in_its_own_pixels(face) -> None:
    large = wb.load_face(face.photo.resize((5120, 5120)), box=[10 * v for v in face.box])
    reading = wb.read(model(), large)
    assert large.photo.width == 4096
    np.testing.assert_allclose(reading.landmarks, 1.25 * (reading.to_photo(reading.points()) + 0.5) - 0.5)
    places = np.column_stack([reading.landmarks, np.ones(68)]) @ np.transpose(reading.trace.meta["affine"])
    np.testing.assert_allclose(places, reading.points() * reading.input_size)


def test_only_what_was_asked_for_is_recorded(face) -> None:
    network = model()
    assert set(read(network, face, taps=()).trace) == set()
    assert "patches.features" in read(network, face, taps=None).trace
    assert list(read(network, face, taps="relation.structure").trace) == ["relation.structure"]
    assert list(read(network, face, taps=[("landmark", "encoding"), ("no", "such")]).trace) == ["relation.structure"]
    general = set(read(network, face).trace)
    assert general == {"relation.structure", *(f"relation.layers.{i}.{k}" for i in (0, 1) for k in ("self", "cross"))}
    with pytest.raises(UnknownNameError, match="relation.structure"):
        read(network, face, taps="relation.nothing")


def test_a_system_without_uncertainty_says_so(face) -> None:
    point_only = read(model(likelihood=None), face)
    with pytest.raises(TraceError, match="DSLPT"):
        point_only.sigma()
    with pytest.raises(TraceError, match="no uncertainty"):
        point_only.variance()


def test_broken_weights_are_named_and_not_drawn(face) -> None:
    network = model()
    network.name = "broken"
    with torch.no_grad():
        network.head.mean.weight.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="broken"):
        read(network, face)


def test_reading_twice_gives_the_same(face, reading) -> None:
    again = read(model(), face)
    np.testing.assert_array_equal(again.landmarks, reading.landmarks)


def test_the_package_s_front_door_is_lazy_and_complete() -> None:
    for name in wb.__all__:
        assert getattr(wb, name) is not None
    with pytest.raises(AttributeError):
        _ = wb.nothing


@pytest.mark.slow
def test_fifty_sessions_keep_their_own_traces(face) -> None:
    """On one model and on two, faces and taps of their own, all begun at once."""
    pair = [model(dim=32, heads=2), model(dim=32, heads=2, stages=2)]
    rng = np.random.default_rng(0)
    faces = [face.with_crop(rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)) for _ in range(10)]
    alone = {(m, f): read(pair[m], faces[f], taps=None) for m in range(2) for f in range(10)}
    begin, faults = threading.Barrier(50), []

    def session(k: int) -> None:
        which, (m, f) = k % 3, (k % 2, k % 10)
        begin.wait()
        found = read(pair[m], faces[f], taps=None) if which else read(pair[m], faces[f], taps=())
        expected = alone[m, f]
        if list(found.trace) != (list(expected.trace) if which else []):
            faults.append(f"{k}: other taps")
        for name, entry in found.trace.items():
            if not torch.allclose(entry.tensor, expected.trace[name].tensor, atol=1e-5):
                faults.append(f"{k}: {name}")
        if not np.allclose(found.points(), expected.points(), atol=1e-5):
            faults.append(f"{k}: other landmarks")

    people = [threading.Thread(target=session, args=(k,)) for k in range(50)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert not faults
