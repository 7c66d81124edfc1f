from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from workbench import explain
from workbench.errors import TraceError
from workbench.models.patches import size_scale


def test_ellipses_are_the_deviation_times_the_patch() -> None:
    reading = synthetic_reading(68)
    found = explain.ellipses(reading)
    variance = reading.alignment.variance
    assert variance is not None
    expected = np.sqrt(variance[2, 1, 0].numpy()) * reading.rects()[2, :, 2:]
    np.testing.assert_allclose(found.sigma, expected, rtol=1e-5)
    np.testing.assert_allclose(found.mass, [0.3935, 0.8647, 0.9889], atol=1e-4)
    assert "39, 86, 99 %" in found.caption
    assert "stage 3 of 3 · layer 2 of 2" in found.caption


def trained_otherwise(**changes):
    """The synthetic reading of a model that says something else of itself."""
    reading = synthetic_reading(68)
    return replace(reading, alignment=replace(reading.alignment, **changes))


def test_a_laplace_prediction_has_its_own_mass_inside() -> None:
    found = explain.ellipses(trained_otherwise(likelihood="laplace"))
    draws = np.random.default_rng(0).laplace(scale=1 / np.sqrt(2), size=(400_000, 2))  # deviation 1
    radius = np.hypot(*draws.T)
    np.testing.assert_allclose(found.mass, [(radius <= k).mean() for k in (1, 2, 3)], atol=3e-3)
    assert "a Laplace distribution has 52, 86, 96 %" in found.caption


@pytest.mark.parametrize("rule", ["variance", "deviation"])
def test_patch_states_follow_the_models_own_rule(rule: str) -> None:
    reading = synthetic_reading(68, size_rule=rule)
    found = explain.patch_states(reading)
    assert (found.states[0] == "first").all()
    assert found.error < 1e-4
    spread = torch.tensor(reading.variance()[0].max(-1))
    factor = size_scale(spread, rule, (0.5, 0.7)).numpy()
    assert ((found.states[1] == "floor") == (factor == 0.5)).all()
    assert ((found.states[1] == "ceiling") == (factor == 0.7)).all()
    assert sum(found.count(1).values()) == 68
    if rule == "variance":
        assert set(found.count(1)) == {"floor", "active", "ceiling"}


def test_the_size_factor_is_the_models(tiny_model) -> None:
    with torch.no_grad():
        answer = tiny_model(torch.rand(1, 3, 128, 128))
    scaled = size_scale(torch.tensor(0.05), "deviation", (0.0, 9.0)).item()
    assert scaled == pytest.approx(0.05**0.5 * answer.size_factor)
    assert (answer.size_rule, answer.size_limits, answer.likelihood) == ("deviation", (0.5, 0.7), "laplace")


def test_patches_without_a_variance_are_fixed() -> None:
    reading = synthetic_reading(68, variance=False)
    found = explain.patch_states(reading)
    assert found.count(0) == {"first": 68}
    assert found.count(1) == {"fixed": 68}
    with pytest.raises(TraceError, match="predicts no uncertainty"):
        explain.ellipses(reading)


def test_patches_that_contradict_the_rule_are_refused() -> None:
    with pytest.raises(TraceError, match="do not follow"):
        explain.patch_states(trained_otherwise(size_limits=(0.2, 0.3)))


def test_sigma_order_falls() -> None:
    reading = synthetic_reading(68)
    found = explain.sigma_order(reading)
    assert (np.diff(found.sigma) <= 0).all()
    first = found.index[0]
    assert found.sigma[0] == pytest.approx(256 * np.sqrt(reading.sigma()[first].prod()))
    with pytest.raises(TraceError, match="no stage 3"):
        explain.sigma_order(reading, stage=3)


def test_path_names_its_steps() -> None:
    reading = synthetic_reading(68)
    found = explain.trajectory(reading)
    assert found.labels[:3] == ("mean face", "stage 1, layer 1", "stage 1, layer 2")
    assert found.stage.tolist() == [-1, 0, 0, 1, 1, 2, 2]
    np.testing.assert_allclose(found.points[0], reading.mean_shape)
    np.testing.assert_allclose(found.points[-1], reading.points())
    steps = np.linalg.norm(np.diff(found.points[:, 5], axis=0), axis=1)
    assert found.length[5] == pytest.approx(steps.sum())


def test_a_recalibrated_reading_has_every_spread_times_its_stages_scalar() -> None:
    plain = replace(synthetic_reading(68), calibration={"scales": [1.25, 0.8, 1.1], "fitted": "drawn test"})
    mended = plain.recalibrated()
    for stage, scale in enumerate((1.25, 0.8, 1.1)):
        np.testing.assert_allclose(explain.ellipses(mended, stage=stage).sigma, scale * plain.sigma(stage))
        assert f"σ × {scale:g} in this stage, fitted on drawn test" in explain.sigma_order(mended, stage).caption
    np.testing.assert_allclose(mended.recalibrated().sigma(), mended.sigma())
    assert explain.patch_states(mended).error < 1e-4  # the sizes follow the variance as predicted
    assert "recalibrated" not in explain.ellipses(plain).caption
    for nothing in (synthetic_reading(68), replace(plain, calibration={"scales": [1.0]})):
        with pytest.raises(TraceError, match="stays as predicted"):
            nothing.recalibrated()
