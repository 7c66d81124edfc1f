"""The Uncertainty explorer: what it is sent."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.readings import synthetic_reading
from workbench.errors import TraceError
from workbench.explain import patch_states, sigma_order
from workbench.faces import Occluder
from workbench.faces.occlude import FILLS as PAINTS
from workbench.faces.occlude import SPECIAL_FILLS
from workbench.figures.palette import STATE_COLOURS, STATE_DASHES
from workbench.widgets.uncertainty import FILLS, SELECTION, uncertainty_payload

COVER = {"x": 0.25, "y": 0.5, "w": 0.5, "h": 0.25, "fill": "grey"}


def test_sigma_can_be_rebuilt_from_what_is_sent():
    reading = synthetic_reading(68)
    meta = uncertainty_payload(reading)["meta"]
    json.dumps(meta, allow_nan=False)
    sigma = np.sqrt(np.array(meta["variance"][-1][-1])) * np.array(meta["rects"][-1])[:, 2:]
    np.testing.assert_allclose(sigma, reading.sigma(), rtol=2e-3)
    order = sigma_order(reading)
    np.testing.assert_allclose(np.sqrt(sigma.prod(1))[order.index] * meta["size"], order.sigma, rtol=2e-3)
    np.testing.assert_allclose(meta["path"], reading.trajectory(), atol=1e-5)
    assert np.shape(meta["path"]) == (1 + 3 * 2, 68, 2)


def test_states_and_rule_are_those_of_the_clamp():
    reading = synthetic_reading(68)
    meta, states = uncertainty_payload(reading)["meta"], patch_states(reading)
    assert meta["states"] == states.states.tolist()
    assert meta["wanted"][0] is None
    np.testing.assert_allclose(meta["wanted"][1:], states.wanted[1:], rtol=1e-4)
    assert meta["rule"] == {"factor": 12.0, "power": "max v", "limits": [0.5, 0.7]}
    assert meta["looks"]["ceiling"] == [STATE_COLOURS["ceiling"], STATE_DASHES["ceiling"]]


def test_rule_of_the_text():
    meta = uncertainty_payload(synthetic_reading(68, size_rule="deviation"))["meta"]
    assert meta["rule"]["power"] == "max √v"


def test_inter_ocular_distance_is_that_of_the_answer():
    reading = synthetic_reading(68)
    left, right = reading.points()[36], reading.points()[45]
    assert uncertainty_payload(reading)["meta"]["ocular"] == pytest.approx(np.hypot(*(right - left)), abs=1e-6)


def test_occluded_reading_brings_its_baseline_and_the_painted_pixels():
    plain, reading = synthetic_reading(68), synthetic_reading(68, seed=1)
    payload = uncertainty_payload(reading, COVER, plain)
    meta = payload["meta"]
    assert meta["occluder"] == COVER
    assert meta["state"]["occluder"] == COVER
    np.testing.assert_allclose(np.array(meta["baseline"]["sigma"])[-1, -1], plain.sigma(), rtol=1e-3)
    np.testing.assert_allclose(np.array(meta["baseline"]["points"])[-1, -1], plain.points(), atol=1e-5)
    # a quarter of 640 is 160, a half 320: the pixels 160..480 and 320..480, and the one that Pillow adds
    assert np.array(meta["covered"]) * 640 == pytest.approx([160, 320, 481, 481])
    cover = Image.open(io.BytesIO(payload["blobs"]["cover"]))
    assert cover.size == (321, 161)
    np.testing.assert_array_equal(np.asarray(cover), reading.face.crop(640)[320:481, 160:481])


def test_an_occluder_of_the_faces_room_is_taken_too():
    reading = synthetic_reading(68)
    meta = uncertainty_payload(reading, Occluder(0.25, 0.5, 0.5, 0.25, "grey"), reading)["meta"]
    assert meta["occluder"] == COVER


@pytest.mark.parametrize("nothing", [None, {}])
def test_without_an_occluder_nothing_is_compared(nothing):
    payload = uncertainty_payload(synthetic_reading(68), nothing, synthetic_reading(68, seed=1))
    assert payload["meta"]["baseline"] is None
    assert payload["meta"]["occluder"] is None
    assert payload["meta"]["state"]["occluder"] == {}
    assert set(payload["blobs"]) == {"photo"}


def test_fills_are_those_that_can_be_painted():
    for name, colour in FILLS.items():
        assert PAINTS[name] == colour if colour else name in SPECIAL_FILLS


def test_selection_counts_from_the_end():
    chosen = uncertainty_payload(synthetic_reading(98), selection={"stage": -2, "landmark": 54})["meta"]["state"]
    assert chosen["selection"] == {
        **{entry.name: entry.default for entry in SELECTION},
        "stage": 1,
        "layer": 1,
        "landmark": 54,
    }
    at_start = uncertainty_payload(synthetic_reading(68), selection={"stage": None})["meta"]["state"]
    assert at_start["selection"]["stage"] is None


@pytest.mark.parametrize(
    ("selection", "words"),
    [({"stage": 3}, "3 stages"), ({"layer": None}, "2 layers"), ({"unit": "mm"}, "'mm'"), ({"zoom": 1}, "'zoom'")],
)
def test_selection_of_what_is_not_there(selection, words):
    with pytest.raises(TraceError, match=words):
        uncertainty_payload(synthetic_reading(68), selection=selection)


@pytest.mark.parametrize("cover", [{"x": 0}, {**COVER, "w": 0}, {**COVER, "x": float("nan")}, {**COVER, "h": "tall"}])
def test_unusable_occluder(cover):
    with pytest.raises(TraceError, match="occluder"):
        uncertainty_payload(synthetic_reading(68), cover)


def test_baseline_of_another_model():
    reading = synthetic_reading(68)
    with pytest.raises(TraceError, match="same model"):
        uncertainty_payload(reading, COVER, replace(reading, model_name="another"))


def test_reading_without_variance():
    with pytest.raises(TraceError, match="no uncertainty"):
        uncertainty_payload(synthetic_reading(68, variance=False))


def test_scalars_travel_where_the_card_tells_them():
    plain = synthetic_reading(68)
    assert uncertainty_payload(plain)["meta"]["calibration"] is None
    with pytest.raises(TraceError, match="tells no calibration"):
        uncertainty_payload(plain, selection={"recalibrated": True})
    told = replace(plain, calibration={"scales": [1.25, 0.8, 1.1], "fitted": "drawn test"})
    meta = uncertainty_payload(told)["meta"]
    assert meta["calibration"] == {"scales": [1.25, 0.8, 1.1], "fitted": "drawn test"}
    assert meta["state"]["selection"]["recalibrated"] is False
    mended = uncertainty_payload(told.recalibrated())["meta"]
    assert mended["state"]["selection"]["recalibrated"] is True
    assert mended["variance"] == meta["variance"]  # the widget multiplies, once
