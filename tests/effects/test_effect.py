"""The effect of an intervention on an answer."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.errors import UnknownNameError
from workbench.tracing import edits


def test_an_effect_is_measured_in_pixels_of_the_photograph_and_of_the_eyes() -> None:
    model, face = wb.load_model("dslpt-68", device="cpu"), wb.sample_face("astronaut")
    plain = wb.read(model, face, taps=())
    found = wb.effect(model, face, {"relation.layers.*.cross": edits.Uniform()})
    np.testing.assert_array_equal(found.before, plain.landmarks)
    np.testing.assert_allclose(found.displacement, np.hypot(*(found.after - found.before).T))
    left, right = plain.landmarks[list(plain.scheme.eye_corners)]
    np.testing.assert_allclose(found.percent, 100 * found.displacement / np.hypot(*(right - left)))
    assert found.displacement.mean() > 1
    assert found.sigma_change.shape == (68,)
    assert np.abs(found.sigma_change).max() > 0
    assert found.edits == {"relation.layers.*.cross": ["uniform over the keys"]}
    assert "relation.layers.*.cross uniform over the keys: landmarks move by" in found.caption
    np.testing.assert_array_equal(wb.read(model, face, taps=()).landmarks, plain.landmarks)


def test_an_edit_that_changes_nothing_has_no_effect_and_a_wrong_path_is_a_sentence() -> None:
    model, face = wb.load_model("scc-68", device="cpu"), wb.sample_face("astronaut")
    found = wb.effect(model, face, {"maps": [edits.Identity()]})
    assert found.displacement.max() < 1e-3
    assert found.sigma_change is None
    with pytest.raises(UnknownNameError, match="No tap matches 'map'"):
        wb.effect(model, face, {"map": edits.Zero()})


def test_activation_patching_with_the_own_value_changes_nothing_and_with_another_face_s_does() -> None:
    model = wb.load_model("slpt-68", device="cpu")
    face, donor = wb.sample_face("astronaut"), wb.sample_face(wb.sample_names()[1])
    own, other = (wb.read(model, f, taps=("maps.*",)).trace for f in (face, donor))
    assert wb.effect(model, face, {"maps.*": edits.Replace(own)}).displacement.max() < 1e-3
    moved = wb.effect(model, face, {"maps.*": edits.Replace(other)})
    assert moved.displacement.mean() > 1
