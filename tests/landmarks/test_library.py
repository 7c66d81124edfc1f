"""Shapes to start from: they lie on the plane at hand, and what they are made of is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.readings import drawn_shape
from workbench.landmarks import Drawing, get_scheme
from workbench.landmarks.geometry import apply, hull, inside
from workbench.landmarks.library import along, library, place


@pytest.fixture(scope="module")
def guide() -> Drawing:
    return Drawing(get_scheme("68"), drawn_shape(get_scheme("68")), "ibug68", tuple(range(68)))


def test_what_there_is(guide: Drawing) -> None:
    shapes = library(guide)
    assert {name for name, (kind, _) in shapes.items() if kind == "conventions"} == {"aflw19", "webmorph189"}
    assert {"both eyes", "lips", "jaw line", "spectacles", "mask outline", "make-up", "10 x 10 lattice"} <= set(shapes)
    assert shapes["dense 314"][1].scheme.count == 314
    assert "aflw19" not in library(guide, ["aflw19"])
    other = Drawing(get_scheme("five"), np.full((5, 2), 0.5), "five")
    assert list(library(other)) == ["10 x 10 lattice"]


def test_parts_stay_anchors(guide: Drawing) -> None:
    eyes = library(guide)["both eyes"][1]
    assert eyes.template == "ibug68"
    assert eyes.origin == tuple(range(36, 48))
    np.testing.assert_array_equal(eyes.points, guide.points[36:48])


def test_a_shape_follows_the_plane(guide: Drawing) -> None:
    """Moved and scaled evenly, every shape is moved and scaled with it."""
    matrix = np.array([[0.8, 0.0, 0.1], [0.0, 0.8, 0.05]])
    moved = Drawing(guide.scheme, apply(matrix, guide.points), guide.template, guide.origin)
    for name, (_, drawing) in library(guide).items():
        if "lattice" not in name:
            np.testing.assert_allclose(library(moved)[name][1].points, apply(matrix, drawing.points), atol=1e-9)


def test_equal_distances() -> None:
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(along(corner, 5), [[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1]])
    assert len(along(corner, 6, closed=True)) == 6


def test_a_mean_shape_is_carried_by_an_affine_map() -> None:
    rng = np.random.default_rng(0)
    own, points = rng.random((68, 2)), rng.random((9, 2))
    matrix = np.array([[1.1, 0.2, 0.3], [-0.1, 0.9, 0.0]])
    np.testing.assert_allclose(place(points, own, apply(matrix, own)), apply(matrix, points))


def test_hull_and_inside_by_hand() -> None:
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5], [0.5, 0]])
    corners = hull(square)
    assert sorted(map(tuple, corners)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    asked = np.array([[0.5, 0.5], [1, 0.5], [1.01, 0.5], [-0.05, 1.04]])
    assert inside(asked, corners).tolist() == [True, True, False, False]
    assert not inside(asked, hull(np.array([[0, 0], [1, 1]]))).any()
