"""Points of one's own are found by one forward pass, and a shape's reading fits the other views."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import workbench as wb
from tests.shaping import CONVENTIONS, oval, tiny_tufa
from workbench import figures
from workbench.errors import DataError, UnknownNameError
from workbench.figures.shape import OWN, drawing_colours
from workbench.finding import other_views, spread, with_spread
from workbench.landmarks import Drawing, drawing, get_scheme, user_scheme
from workbench.models.base import to_tensor
from workbench.shaping import conventions, find_shape, shape_json, shape_rows


@pytest.fixture(scope="module")
def model():
    return tiny_tufa()


@pytest.fixture(scope="module")
def face():
    return wb.sample_face("astronaut")


def test_the_plane_holds_every_trained_convention_after_alignment(model) -> None:
    known = conventions(model)
    assert tuple(known) == CONVENTIONS
    moved = known["wflw98"].points - model.shape_of("wflw98").numpy()
    np.testing.assert_allclose(moved, np.tile([0.01, -0.005], (98, 1)), atol=1e-6)  # half the embedding
    assert known["five"].scheme == get_scheme("five")
    assert known["five"].origin == tuple(range(5))


def test_a_convention_without_a_mean_shape_is_left_out() -> None:
    model = tiny_tufa()
    model.mean_shapes["five"].zero_()
    assert "five" not in conventions(model)


def test_an_untouched_template_is_the_models_own_answer(model, face) -> None:
    plain = wb.read(model, face, taps=())
    found = find_shape(model, face, conventions(model)["ibug68"])
    np.testing.assert_allclose(found.landmarks, plain.landmarks, atol=1e-3)
    assert (found.zero_shot, found.scheme) == (0, plain.scheme)


def test_points_of_ones_own_are_the_prompt(model, face) -> None:
    points = oval(12)
    found = find_shape(model, face, points)
    image = model.prepare(to_tensor(face.crop(64)))
    with torch.no_grad():
        expected = model(image, torch.from_numpy(points).float()).landmarks[0].numpy() / 64
    np.testing.assert_allclose(found.points(), expected, atol=1e-6)
    assert found.zero_shot == 12
    assert found.trajectory().shape == (1 + model.config.layers, 12, 2)
    np.testing.assert_allclose(found.trajectory()[0], points)
    assert found.trace.meta["plane"] == points.round(6).tolist()


def test_one_moved_point_changes_only_what_is_zero_shot(model, face) -> None:
    template = conventions(model)["five"]
    points = template.points.copy()
    points[2] += 0.05
    found = find_shape(model, face, Drawing(template.scheme, points, "five", template.origin))
    assert found.trained.tolist() == [True, True, False, True, True]


def test_a_point_of_another_convention_counts_as_trained(model, face) -> None:
    assert find_shape(model, face, conventions(model)["wflw98"].points[[60, 72]]).zero_shot == 0


def test_rows_and_json_hold_plane_and_photograph(model, face) -> None:
    found = find_shape(model, face, [[0.5, 0.25], [1.2, -0.1]])
    rows = shape_rows(found)
    assert [(r["plane_x"], r["plane_y"], r["guess"]) for r in rows] == [
        (0.5, 0.25, int(found.guesses[0])),
        (1.2, -0.1, 1),
    ]
    np.testing.assert_allclose([r["anchor_distance_percent"] for r in rows], 100 * found.away, atol=1e-3)
    np.testing.assert_allclose([[r["x"], r["y"]] for r in rows], found.landmarks, atol=1e-3)
    assert all(r["spread_percent"] is None for r in rows)
    whole = json.loads(shape_json(found))
    assert whole["model"] == "tufa"
    assert whole["landmarks"] == rows


def test_rows_tell_the_spread_where_it_was_measured(model, face) -> None:
    found = with_spread(model, find_shape(model, face, [[0.5, 0.25], [0.4, 0.6]]))
    moved = spread(model, other_views(model, face), found.drawing.points, found.points())
    assert [r["spread_percent"] for r in shape_rows(found)] == (100 * moved).round(3).tolist()


@pytest.mark.parametrize("points", [[], [[0.5]], [[float("nan"), 0.5]], [[7.0, 0.0]], np.zeros((501, 2))])
def test_what_cannot_be_asked_for(model, face, points) -> None:
    with pytest.raises(DataError, match="shape"):
        find_shape(model, face, points)


def test_another_system_says_so(tiny_model, face) -> None:
    for ask in (lambda: find_shape(tiny_model, face, oval()), lambda: wb.read(tiny_model, face, prompt=oval())):
        with pytest.raises(UnknownNameError, match="own landmarks only; choose a model that takes"):
            ask()


@pytest.mark.slow
def test_the_other_views_take_a_shape(model, face) -> None:
    found = find_shape(model, face, oval())
    for draw in (figures.landmarks, figures.trajectory, figures.shape):
        assert figures.to_bytes(draw(found), "png").startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_figure_says_checkpoint_plane_and_zero_shot(model, face) -> None:
    known = conventions(model)
    drawn = Drawing(user_scheme("<b>mine</b>", 2), np.array([[0.5, 0.1], known["ibug68"].points[30]]))
    figure = figures.shape(find_shape(model, face, drawn))
    caption = figure.layout.meta["caption"]
    assert "68 anchors of ibug68, after the alignment embedding" in caption
    assert "1 of 2 points (diamonds) are none of the" in caption
    assert "% of the side away (median)" in caption
    assert "by tufa" in caption
    written = " ".join(line.text for line in figure.layout.annotations)
    assert "<b>mine" not in written
    assert "&lt;b&gt;mine" in written
    figure = figures.shape(find_shape(model, face, known["ibug68"]))
    assert "all 68 points are anchors" in figure.layout.meta["caption"]
    for kind, start in (("svg", b"<?xml"), ("html", b"<!DOCTYPE html>"), ("json", b"{")):
        assert figures.to_bytes(figure, kind).lower().startswith(start.lower().rstrip(b">"))


def test_points_keep_the_colour_of_what_they_were(model) -> None:
    known = tuple(conventions(model).values())
    colours = drawing_colours(
        Drawing(user_scheme("mixed", {"points": 2}["points"]), oval(2), "ibug68", (30, -1)), known
    )
    assert colours == [figures.palette.landmark_colours(get_scheme("68"))[30], OWN]
    assert drawing_colours(drawing(oval(1)), known) == [OWN]
