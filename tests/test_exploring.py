"""What a cell needs: widgets, readings from names, tensors that NumPy takes, drawn faces, short trainings."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import workbench as wb
from workbench.course.verdict import exercise, near, numbers
from workbench.errors import DataError, SettingsError, TraceError, UnknownNameError
from workbench.landmarks import get_scheme
from workbench.tracing import NamedTensor
from workbench.views import VIEWS
from workbench.widgets import JupyterWidget

COVER = {"x": 0.3, "y": 0.6, "w": 0.3, "h": 0.2, "fill": "grey"}
OWN = {"ssfa-68": "place", "chs-68": "task", "aodn-68": "rank", "atpn-68": "axes", "dslpt-68": "threshold"}
"""An entry of the selection of the view that a system is shown in."""


def test_names_are_read() -> None:
    readings = wb.read("dslpt-68", ["astronaut", wb.sample_face("frontal-a")], device="cpu")
    assert [reading.face.name for reading in readings] == ["astronaut", "frontal-a"]
    assert repr(readings[0]) == "<Reading of astronaut by dslpt-68: 68 landmarks, 9 recorded tensors>"
    assert readings[0]._repr_png_().startswith(b"\x89PNG")
    picture = wb.sample_face("astronaut").photo
    assert wb.read("dslpt-68", picture).landmarks.shape == (68, 2)
    with pytest.raises(UnknownNameError, match="did you mean 'astronaut'"):
        wb.read("dslpt-68", "astronot")


def test_what_is_shown_of_models_is_short() -> None:
    assert len(repr(wb.list_models())) < 2000
    card = wb.list_models()[0]
    assert card.title in card._repr_html_()
    assert "relation.layers.0.cross" in wb.read("dslpt-68", "astronaut").trace._repr_html_()


@pytest.mark.parametrize("name", OWN)
def test_a_reading_is_explored_in_the_view_of_its_system(name: str) -> None:
    assert OWN[name] in wb.explore(wb.read(name, "astronaut")).state["selection"]


def test_views_complete_and_say_what_they_are() -> None:
    assert dir(wb.explore) == sorted(VIEWS)
    assert VIEWS["relations"].sentence in wb.explore.relations.__doc__
    with pytest.raises(AttributeError, match="no view 'relation'"):
        wb.explore.relation  # noqa: B018


@pytest.mark.parametrize("view", ["relations", "uncertainty"])
def test_a_widget_reads_the_covered_face_again(view: str) -> None:
    reading = wb.read("dslpt-68", "astronaut")
    widget = getattr(wb.explore, view)(reading)
    before = widget.packed
    widget.state = {**widget.state, "occluder": COVER}
    assert widget.packed != before
    covered = wb.read("dslpt-68", reading.face.occlude(0.3, 0.6, 0.3, 0.2))
    widget.packed = before
    widget.state = {**widget.state, "occluder": {}}
    assert isinstance(wb.explore(wb.compare(reading, covered)), JupyterWidget)


def test_a_widget_brings_a_picture() -> None:
    data, _ = wb.explore(wb.read("dslpt-68", "astronaut"))._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "image/jpeg", "text/plain"}


def test_a_reading_of_unknown_weights_is_shown_without_its_model(tiny_model) -> None:
    reading = wb.read(tiny_model, "astronaut")
    widget = wb.explore.uncertainty(reading)
    before = widget.packed
    widget.state = {**widget.state, "occluder": COVER}
    assert widget.packed == before
    live = wb.explore.uncertainty(reading, model=tiny_model)
    before = live.packed
    live.state = {**live.state, "occluder": COVER}
    assert live.packed != before


def test_named_tensors_are_arrays() -> None:
    tensor = NamedTensor(torch.arange(6.0).reshape(2, 3), ("head", "key"))
    np.testing.assert_array_equal(np.asarray(tensor), [[0, 1, 2], [3, 4, 5]])
    assert tensor[1, 2] == 5
    assert np.asarray(tensor.max("key")).tolist() == [2, 5]
    assert np.asarray(tensor.sum("head")).tolist() == [3, 5, 7]
    assert float(tensor.mean("head", "key")) == 2.5
    assert len(tensor) == 2
    with pytest.raises(TraceError, match='over which axes, such as mean\\("head" or "key"\\)'):
        tensor.mean()


def test_a_face_is_covered_twice() -> None:
    face = wb.sample_face("astronaut").occlude(0.1, 0.1, 0.2, 0.2).occlude(0.6, 0.6, 0.2, 0.2, fill="black")
    for size in (256, 128):
        crop = face.crop(size)
        assert (crop[size // 5, size // 5] == 128).all()
        assert (crop[7 * size // 10, 7 * size // 10] == 0).all()


def test_a_model_is_a_function_with_slopes() -> None:
    model, face = wb.load_model("dslpt-68", device="cpu"), wb.sample_face("astronaut")
    rgb = wb.rgb_of(model, face).requires_grad_()
    x = wb.answer_of(model, 30)(rgb)
    assert x.item() == pytest.approx(wb.read(model, face).points()[30, 0] * model.input_size, abs=1e-3)
    x.sum().backward()
    assert rgb.grad.abs().sum() > 0
    with pytest.raises(UnknownNameError, match="no 'z'"):
        wb.answer_of(model, 30, "z")


@pytest.mark.parametrize("name", ["ibug68", "wflw98", "cofw29", "aflw19", "five"])
def test_drawn_faces_have_landmarks_of_every_scheme(name: str) -> None:
    scheme, drawn = get_scheme(name), wb.data.drawn(2, seed=4, scheme=name, size=96)
    assert drawn.points.shape == (2, scheme.count, 2)
    shape = wb.data.generated.face_shape(np.random.default_rng(1), name)
    np.testing.assert_allclose(shape[list(scheme.flip)] * [-1, 1], shape, atol=1e-9)
    np.testing.assert_array_equal(drawn.images[0], wb.data.drawn(1, seed=4, size=96).images[0])
    assert drawn.face(1).crop(64).shape == (64, 64, 3)
    with pytest.raises(DataError, match="no landmarks of the scheme 'webmorph189'"):
        wb.data.drawn(1, scheme="webmorph189")


@pytest.mark.slow
def test_some_steps_change_what_they_may() -> None:
    model, faces = wb.load_model("ssfa-68", device="cpu"), wb.data.drawn(4, size=160)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    told = wb.train_steps(model, faces, 3, only="attention_b", batch=2, seed=1)
    assert {name: len(values) for name, values in told.items()} == {"loss": 3, "prior": 3}
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith("attention_b") for name in changed)
    assert not model.training and all(p.requires_grad for p in model.parameters())
    again = wb.train_steps(wb.load_model("ssfa-68", device="cpu"), faces, 3, only="attention_b", batch=2, seed=1)
    np.testing.assert_allclose(again["loss"], told["loss"], rtol=1e-4)
    with pytest.raises(SettingsError, match="No parameter begins with nothing"):
        wb.train_steps(model, faces, 1, only="nothing")
    with pytest.raises(DataError, match="98 landmarks are not the 68"):
        wb.train_steps(model, wb.data.drawn(2, scheme="wflw98"), 1)


@pytest.mark.slow
def test_a_loss_of_ones_own_trains_too(tiny_model) -> None:
    import copy

    model = copy.deepcopy(tiny_model)

    def loss(images: torch.Tensor, batch: object) -> torch.Tensor:
        return (model(images).landmarks / model.input_size - batch.points).abs().mean()  # type: ignore[attr-defined]

    told = wb.train_steps(model, wb.data.drawn(8, size=160), 30, loss=loss, batch=4, views="paper")
    assert told["loss"][-5:].mean() < told["loss"][:5].mean()


def test_a_check_is_kind_to_what_is_no_answer() -> None:
    @exercise
    def two(answer: object) -> str:
        """One number is asked for."""
        return "" if near(numbers(answer), 2) else "Not that."

    assert two(2.0) and str(two(2.0)) == "Right."
    assert not two(3) and str(two(3)) == "Not that."
    assert "Nothing to check yet" in str(two(None))
    assert "One number is asked for" in str(two("two"))
    assert "one number is asked for, not the shape (2,)" in str(two([1, 2]))
