"""Attributions of models that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.attribution import toys
from workbench import attribution
from workbench.attribution.captums import pieces, profile
from workbench.attribution.sweeps import coalitions, shapley_values
from workbench.errors import Cancelled, SettingsError, UnknownNameError
from workbench.models.alignment import Alignment

FACE = toys.face()
RGB = FACE.pixels.transpose(2, 0, 1) / 255.0


def weight_of(model: toys.Linear, landmark: int, axis: int) -> np.ndarray:
    return model.weight[landmark, axis].detach().numpy()


@pytest.mark.parametrize(("target", "axis"), [("x", 0), ("y", 1)])
def test_integrated_gradients_of_a_linear_model_are_weights_times_what_changes(target: str, axis: int) -> None:
    model = toys.linear()
    found = attribution.attribute(model, FACE, 2, target, "integrated_gradients", fill="black", steps=8)
    by_hand = (weight_of(model, 2, axis) * RGB).sum(0)
    np.testing.assert_allclose(found.map, by_hand, atol=1e-6)
    assert found.completeness_error == pytest.approx(0, abs=1e-5)
    assert found.total == pytest.approx(float(by_hand.sum()), abs=1e-5)


def test_saliency_is_the_norm_of_the_weights_and_noise_does_not_change_it() -> None:
    model = toys.linear()
    w = model.weight[3].detach().numpy()
    found = attribution.attribute(model, FACE, 3, "x", "saliency")
    np.testing.assert_allclose(found.map, np.sqrt((w[0] ** 2).sum(0)), rtol=1e-5)
    both = attribution.attribute(model, FACE, 3, "displacement", "smoothgrad")
    np.testing.assert_allclose(both.map, np.sqrt((w**2).sum((0, 1))), rtol=1e-5)
    assert both.total is None and both.completeness_error is None


def test_occlusion_is_the_change_under_each_window_and_captum_s_is_the_same() -> None:
    model = toys.linear()
    given = {"fill": "black", "window": 4, "stride": 4}
    found = attribution.attribute(model, FACE, 1, "y", "occlusion", **given)
    product = (weight_of(model, 1, 1) * RGB).sum(0)
    by_hand = product.reshape(4, 4, 4, 4).sum((1, 3))
    np.testing.assert_allclose(found.map, by_hand, atol=1e-5)
    theirs = attribution.attribute(model, FACE, 1, "y", "captum_occlusion", **given)
    np.testing.assert_allclose(theirs.map, found.on_crop, atol=1e-5)


@pytest.mark.parametrize("target", ["x", "displacement"])
@pytest.mark.parametrize(("window", "stride"), [(4, 2), (5, 3), (6, 4)])
def test_overlapping_windows_are_averaged_as_captum_averages_them(target: str, window: int, stride: int) -> None:
    model = toys.linear(3)
    found, theirs = (
        attribution.attribute(model, FACE, 0, target, method, window=window, stride=stride)
        for method in ("occlusion", "captum_occlusion")
    )
    np.testing.assert_allclose(found.on_crop, theirs.on_crop, atol=2e-5)


def test_shapley_values_of_two_and_three_players_by_hand() -> None:
    # v() = 0, v(a) = 1, v(b) = 2, v(ab) = 5: a gets (1 + (5 - 2)) / 2 = 2, b gets (2 + (5 - 1)) / 2 = 3.
    np.testing.assert_allclose(shapley_values(coalitions(2), np.array([0.0, 1, 2, 5])), [2, 3])
    # The glove game: c has the right glove, a and b a left one each; a pair is worth 1.
    present = coalitions(3)
    worth = (present[:, 2] & (present[:, 0] | present[:, 1])).astype(float)
    np.testing.assert_allclose(shapley_values(present, worth), [1 / 6, 1 / 6, 4 / 6])


def test_parts_of_a_linear_model_are_worth_the_sum_of_their_pixels_by_every_method() -> None:
    model = toys.linear()
    product = (weight_of(model, 4, 0) * RGB).sum(0)
    for method, tolerance in (("shapley", 1e-5), ("feature_ablation", 1e-5), ("kernel_shap", 1e-3)):
        found = attribution.attribute(model, FACE, 4, "x", method, fill="black")
        by_hand = [product[found.parts.mask == k].sum() for k in range(len(found.parts.names))]
        np.testing.assert_allclose(found.values, by_hand, atol=tolerance, err_msg=method)
        np.testing.assert_allclose(found.map, found.values[found.parts.mask])
    assert found.parts.names == ("eyes", "nose", "mouth", "rest")


def test_a_displacement_is_how_far_the_landmark_moves() -> None:
    weight = torch.zeros(5, 2, 3, toys.SIZE, toys.SIZE)
    weight[2, 0, 0, :4, :4], weight[2, 1, 0, :4, :4] = 3 / 16, 4 / 16  # mean red of a corner: (3, 4), 5 px far
    model = toys.linear(weight=weight)
    red = toys.Crop(np.full((toys.SIZE, toys.SIZE, 3), 255, np.uint8))
    found = attribution.attribute(model, red, 2, "displacement", "occlusion", fill="black", window=4, stride=4)
    assert found.map[0, 0] == pytest.approx(5, abs=1e-4)
    assert np.abs(found.map).sum() == pytest.approx(5, abs=1e-4)
    x = attribution.attribute(model, red, 2, "x", "occlusion", fill="black", window=4, stride=4)
    assert x.map[0, 0] == pytest.approx(3, abs=1e-4)  # what is there holds x up by 3 px
    path = attribution.attribute(model, red, 2, "displacement", "integrated_gradients", fill="black")
    assert path.sum == pytest.approx(path.total, abs=1e-3) == pytest.approx(5, abs=1e-3)
    other = attribution.attribute(model, red, 0, "displacement", "occlusion", fill="black", window=4, stride=4)
    assert np.abs(other.map).max() == 0


def test_steps_of_an_integral_go_where_the_path_leaps() -> None:
    places = np.linspace(0, 1, 11)
    leap = np.where(places < 0.35, 0.0, 10.0)
    knots = pieces(places, leap, 10)
    assert knots[0] == 0 and knots[-1] == 1 and (np.diff(knots) > 0).all()
    assert ((knots > 0.3) & (knots < 0.4)).sum() >= 4
    np.testing.assert_allclose(pieces(places, np.zeros(11), 5), np.linspace(0, 1, 6))


def test_a_profile_looks_closer_where_the_answer_changes() -> None:
    asked: list[float] = []

    def step(places: np.ndarray) -> np.ndarray:
        asked.extend(places)
        return np.where(places < 0.3, 0.0, 1.0)

    places, values = profile(step, 65)
    assert len(asked) == len(places) == 65 and (np.diff(places) > 0).all()
    np.testing.assert_array_equal(values, step(places))
    leap = int(np.flatnonzero(np.diff(values))[0])
    assert places[leap] < 0.3 <= places[leap + 1] and places[leap + 1] - places[leap] < 1 / 33 / 8


class Leaping(toys.Linear):
    """Its x is a steep step of the brightness: a few even steps would miss it."""

    def forward(self, images: Tensor) -> Alignment:
        bright = images.mean((1, 2, 3))
        x = 8 / (1 + torch.exp(-400 * (bright - 0.07)))
        return Alignment(toys.SIZE * self.mean_shape + torch.stack([x, 0 * x], -1)[:, None])


def test_a_leap_on_the_path_is_not_missed() -> None:
    model = Leaping(torch.zeros(5, 2, 3, toys.SIZE, toys.SIZE), toys.shape()).eval()
    found = attribution.attribute(model, FACE, 0, "x", "integrated_gradients", fill="black", steps=64)
    assert found.total == pytest.approx(8, abs=0.01)
    assert abs(found.completeness_error) < 0.02 * 8


def test_layer_methods_see_the_layer_and_leave_no_hook() -> None:
    model = toys.linear()
    before = {name: len(m._forward_hooks) + len(m._forward_pre_hooks) for name, m in model.named_modules()}
    found = attribution.attribute(model, FACE, 2, "x", "layer_integrated_gradients", fill="black", layer="seen")
    np.testing.assert_allclose(found.map, (weight_of(model, 2, 0) * RGB).sum(0), atol=1e-5)
    cam = attribution.attribute(model, FACE, 2, "x", "grad_cam", layer="seen")
    np.testing.assert_allclose(cam.map, np.einsum("c,chw->hw", weight_of(model, 2, 0).mean((1, 2)), RGB), atol=1e-5)
    after = {name: len(m._forward_hooks) + len(m._forward_pre_hooks) for name, m in model.named_modules()}
    assert after == {**before, "": after[""]}  # the recorder's own, which holds no state


def test_bad_input_is_one_sentence() -> None:
    model = toys.linear()
    cases = [
        ({"method": "magic"}, UnknownNameError, "There is no attribution method 'magic'; choose one of occlusion"),
        ({"target": "z"}, UnknownNameError, "There is no target 'z'"),
        ({"target": "log_sigma"}, SettingsError, "toy predicts no sigma"),
        ({"landmark": 5}, UnknownNameError, "toy has the landmarks 0 to 4, not 5"),
        ({"landmark": -1}, UnknownNameError, "toy has the landmarks 0 to 4, not -1"),
        ({"landmark": 1.5}, UnknownNameError, "toy has the landmarks 0 to 4"),
        ({"fill": "sand"}, UnknownNameError, "There is no fill 'sand'"),
        ({"steps": 0}, SettingsError, "steps must be at least 1"),
        ({"noise": 2.0}, SettingsError, "noise must lie above 0"),
        ({"window": 99}, SettingsError, "does not fit into a crop of 16 px"),
        ({"window": 2, "stride": 4}, SettingsError, "leaves gaps"),
        ({"method": "grad_cam", "layer": "nowhere"}, UnknownNameError, "toy has no layer 'nowhere'"),
    ]
    for given, kind, words in cases:
        with pytest.raises(kind, match=words):
            attribution.attribute(model, FACE, **{"landmark": 2, **given})


@pytest.mark.parametrize("method", attribution.METHODS)
def test_every_method_counts_its_passes_and_can_be_called_off(method: str) -> None:
    model, told = toys.linear(), []
    options = (
        {"layer": "seen"} if attribution.METHODS[method].name in ("grad_cam", "layer_integrated_gradients") else {}
    )
    attribution.attribute(model, FACE, 2, "displacement", method, progress=lambda *at: told.append(at), **options)
    assert told[-1][0] == told[-1][1] > 1
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    fresh = toys.linear(9)
    with pytest.raises(Cancelled, match="cancelled"):
        attribution.attribute(fresh, FACE, 2, "x", method, progress=lambda done, total: done < total / 2, **options)
    assert not any(m._forward_hooks for m in fresh.modules())
    attribution.attribute(fresh, FACE, 2, "x", method, **options)  # the lock is free again
