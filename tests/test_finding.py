"""A drawing on many faces: the encoder runs once a face, and the answer is that of a whole forward pass."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.shaping import oval, tiny_tufa
from workbench import finding
from workbench.errors import DataError, UnknownNameError
from workbench.finding import Found, average_face, encode_face, find_on, other_views, spread, tween
from workbench.landmarks.geometry import apply
from workbench.shaping import find_shape


@pytest.fixture(scope="module")
def model():
    return tiny_tufa()


@pytest.fixture(scope="module")
def faces(model):
    return [encode_face(model, wb.sample_face(name)) for name in ("astronaut", "frontal-a", "frontal-b")]


def test_the_answer_is_that_of_a_forward_pass_on_each_face(model, faces) -> None:
    found = find_on(model, faces, oval(7), looks=True)
    for face, path in zip(faces, found.path, strict=True):
        np.testing.assert_allclose(path, find_shape(model, face.face, oval(7)).trajectory(), atol=1e-5)
    np.testing.assert_array_equal(found.points, found.path[:, -1])
    assert found.looks is not None
    assert found.looks.shape[:2] == (3, 7)
    np.testing.assert_allclose(found.looks.sum((-1, -2)), 1, atol=1e-5)  # a mean of softmax rows
    assert all(name.endswith(".cross") for name in found.looked)


def test_a_new_drawing_does_not_run_the_encoder(model, faces, monkeypatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(model, "encode", never)
    assert find_on(model, faces, oval(3)).points.shape == (3, 3, 2)


def test_what_cannot_be_asked_for(model, faces, tiny_model) -> None:
    with pytest.raises(DataError, match="encode at least one"):
        find_on(model, [], oval(3))
    with pytest.raises(DataError, match="encode at least one"):
        find_on(tiny_tufa("other"), faces, oval(3))
    with pytest.raises(UnknownNameError, match="own landmarks only"):
        encode_face(tiny_model, wb.sample_face("astronaut"))


def test_between_two_shapes() -> None:
    steps = tween(np.zeros((2, 2)), np.ones((2, 2)), 3)
    np.testing.assert_allclose(np.array(steps)[:, 0, 0], [0, 0.5, 1])


def test_the_average_face_lies_where_the_landmarks_say(model, faces, monkeypatch) -> None:
    """Found where the plane has them, faces are averaged as they are; found to the right, they move to the left."""
    own = model.prompt().detach().double().numpy()
    crop = faces[0].face.crop(32).astype(float)
    for shift in (0.0, 0.25):
        path = np.broadcast_to(own + np.array([shift, 0]), (1, 1, 68, 2))
        monkeypatch.setattr(finding, "find_on", lambda *_, path=path: Found(path))
        mean = average_face(model, faces[:1], side=32).astype(float)
        moved = round(32 * shift)
        assert np.abs(mean[:, : 32 - moved] - crop[:, moved:]).mean() < 2


class _SeesAll:
    """Answers that follow the picture exactly: the plane's points, carried by a view's own map."""

    def __init__(self, views, wrong: float = 0.0) -> None:
        self.views, self.wrong, self.place = views, wrong, {id(one): k for k, one in enumerate(views.faces)}

    def __call__(self, _model, faces, points) -> Found:
        out = []
        for one in faces:
            k = self.place[id(one)]
            there = points if k else apply(self.views.mirror, points)  # the mirror map is its own inverse here
            linear, shift = self.views.back[k][:, :2], self.views.back[k][:, 2]
            out.append((there - shift) @ np.linalg.inv(linear).T + [self.wrong, 0] * np.array([[1]] + [[0]] * 6))
        return Found(np.stack(out)[:, None])


def test_answers_that_follow_the_picture_have_no_spread(model, monkeypatch) -> None:
    views = other_views(model, wb.sample_face("astronaut"))
    assert len(views.faces) == len(views.back) == 5
    points = oval(7)
    np.testing.assert_allclose(apply(views.mirror, apply(views.mirror, points)), points, atol=0.02)
    monkeypatch.setattr(finding, "find_on", _SeesAll(views))
    np.testing.assert_allclose(spread(model, views, points, points), 0, atol=0.02)
    monkeypatch.setattr(finding, "find_on", _SeesAll(views, wrong=0.3))
    moved = spread(model, views, points, points)
    assert moved[0] == pytest.approx(0.3, abs=0.03)  # the first point alone goes its own way
    assert (moved[1:] < 0.02).all()


def test_other_views_show_the_same_face(model) -> None:
    """A place of the face keeps its colour in every view."""
    face, size = wb.sample_face("astronaut"), 256
    views = other_views(model, face)
    np.testing.assert_array_equal(views.faces[0].face.crop(model.input_size)[:, ::-1], face.crop(model.input_size))
    own = face.crop(size).astype(float)
    ys, xs = (axis.ravel() for axis in np.mgrid[20 : size - 20, 20 : size - 20])
    for one, back in zip(views.faces[1:], views.back[1:], strict=True):
        x, y = np.rint(size * apply(back, np.stack([xs, ys], -1) / size)).astype(int).T
        picture = one.face.crop(size)[ys, xs]
        assert np.abs(own[y, x] - picture).mean() < 0.5 * np.abs(own[ys, xs] - picture).mean()


def test_a_crop_at_the_limits_has_other_views(model) -> None:
    for factor in (0.5, 4):
        assert len(other_views(model, wb.sample_face("astronaut").with_factor(factor)).faces) == 5


def test_a_painted_face_and_another_system_have_no_other_views(model, tiny_model) -> None:
    with pytest.raises(DataError, match="painted"):
        other_views(model, wb.sample_face("astronaut").occlude(0.3, 0.3, 0.2, 0.2))
    with pytest.raises(UnknownNameError, match="own landmarks only"):
        other_views(tiny_model, wb.sample_face("astronaut"))
