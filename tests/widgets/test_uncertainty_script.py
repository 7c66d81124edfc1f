"""The Uncertainty explorer's own arithmetic, in Node."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench.explain import sigma_order
from workbench.widgets.uncertainty import uncertainty_payload


def test_steps_and_stages(tmp_path):
    got = run(
        tmp_path,
        "uncertainty",
        "return [stepOf(4, null, 3), stepOf(4, 0, 0), stepOf(4, 2, 3), stageOf(4, 0), stageOf(4, 1), stageOf(4, 12)];",
    )
    assert got == [0, 1, 12, None, [0, 0], [2, 3]]


def test_ellipse_in_pixels(tmp_path):
    # a canvas of 400 x 300: the face is a square of 300 that starts at x = 50
    got = run(tmp_path, "uncertainty", "return ellipseOf(fitFace(400, 300), [0.5, 0.25], [0.01, 0.02], 3);")
    assert got == pytest.approx([200, 75, 9, 18])


def test_sigma_and_order_agree_with_python(tmp_path):
    reading = synthetic_reading(68)
    meta = uncertainty_payload(reading)["meta"]
    got = run(
        tmp_path,
        "uncertainty",
        """const sigma = sigmaAt(input.meta, 2, 1), values = sigma.map(spread);
        return { sigma, order: barOrder(values), parts: barOrder(values, [2, 0, 1]) };""",
        meta=meta,
    )
    np.testing.assert_allclose(got["sigma"], reading.sigma(), rtol=2e-3)
    expected = sigma_order(reading)
    value = dict(zip(expected.index.tolist(), expected.sigma.tolist(), strict=True))
    np.testing.assert_allclose([value[i] for i in got["order"]], expected.sigma, rtol=2e-3)
    assert got["parts"] == [2, 0, 1]


def test_equal_bars_keep_the_landmarks_order(tmp_path):
    assert run(tmp_path, "uncertainty", "return barOrder([1, 3, 1, 3]);") == [1, 3, 0, 2]


def test_path_between_steps(tmp_path):
    got = run(
        tmp_path,
        "uncertainty",
        """const path = [[[0, 0]], [[1, 2]], [[3, 2]]];
        return [0, 0.25, 1, 1.5, 2, 9].map((t) => positionsAt(path, t)[0]);""",
    )
    assert got == [[0, 0], [0.25, 0.5], [1, 2], [2, 2], [3, 2], [3, 2]]


def test_axis_ends_on_round_numbers(tmp_path):
    got = run(tmp_path, "uncertainty", "return [0, 0.07, 1, 1.01, 4.4, 9.9, 120].map(niceTop);")
    assert got == pytest.approx([1, 0.08, 1, 1.5, 5, 10, 150])


def test_effect_of_an_occluder(tmp_path):
    got = run(
        tmp_path,
        "uncertainty",
        """const o = { x: 0, y: 0, w: 0.5, h: 0.5 }, covered = coveredBy([[0.1, 0.1], [0.5, 0.5], [0.6, 0.1]], o);
        return {
          covered, none: coveredBy([[0, 0]], null),
          effect: effectOf([2, 4, 3], [1, 2, 2.5], covered), all: effectOf([1], [2], [true]),
        };""",
    )
    assert got["covered"] == [True, True, False]
    assert got["none"] == [False]
    assert got["effect"]["covered"] == {"count": 2, "before": 1.5, "now": 3, "ratio": 2}
    assert got["effect"]["free"] == {"count": 1, "before": 2.5, "now": 3, "ratio": 1.2}
    assert got["all"]["free"] is None


def test_caption_names_tensor_stage_and_rule(tmp_path):
    meta = uncertainty_payload(synthetic_reading(68))["meta"]
    plain = synthetic_reading(68)
    reading = replace(plain, alignment=replace(plain.alignment, likelihood="laplace"))
    laplace = uncertainty_payload(reading)["meta"]
    got = run(
        tmp_path,
        "uncertainty",
        """const say = (meta, s, step) => captionText(composeCaption(meta.caption, uncertaintyFacts(meta, s, step)));
        const text = (s, step) => say(input.meta, s, step);
        const all = { ellipses: true, path: true };
        const laplace = say({ ...input.meta, ...input.laplace }, { ellipses: true }, 6);
        const rules = [input.meta.rule, { power: null }].map(sizeRule);
        return [text({ ellipses: true }, 6), text(all, 0), ...rules, laplace];""",
        meta=meta,
        laplace={key: laplace[key] for key in ("likelihood", "inside")},
    )
    assert got[0].startswith("alignment.variance · stage 3 of 3 · layer 2 of 2 · ellipses at 1, 2, 3 ")
    assert "mean face" in got[1]
    assert "ellipses" not in got[1]
    assert got[2].endswith("clamp(12 max v, 0.5, 0.7)")
    assert got[3] == "every stage halves the side"
    assert "a Gaussian has 39, 86, 99 % of its mass inside" in got[0]
    assert "a Laplace distribution has 52, 86, 96 % of its mass inside" in got[4]


def test_captions_of_the_mean_face_and_of_an_occluder(tmp_path):
    meta = uncertainty_payload(synthetic_reading(68))["meta"]
    got = run(
        tmp_path,
        "uncertainty",
        """const meta = { ...input.meta, occluder: { x: 0, y: 0, w: 0.5, h: 0.5, fill: "grey" }, baseline: {} };
        return [0, 6].map((step) =>
          captionText(composeCaption(meta.caption, uncertaintyFacts(meta, { ellipses: true, path: true }, step))));""",
        meta=meta,
    )
    start, landed = got
    for words in ("bars: marks", "white lines", "path:"):
        assert words in landed
        assert words not in start  # nothing of it is drawn there
    assert "grey over 25 % of the crop" in start


def test_the_same_occluder_asks_for_nothing(tmp_path):
    got = run(
        tmp_path,
        "uncertainty",
        """const o = { x: 0.1, y: 0.2, w: 0.3, h: 0.4, fill: "grey" };
        return [[o, { ...o }], [o, { ...o, x: 0.10004 }], [null, {}], [undefined, null], [{}, {}],
          [o, { ...o, fill: "black" }], [o, { ...o, h: 0.41 }], [o, {}],
          [null, o]].map((pair) => sameOccluder(...pair));""",
    )  # fmt: skip
    assert got == [True, True, True, True, True, False, False, False, False]


def test_recalibrated_sigma_agrees_with_python_and_is_named(tmp_path):
    told = {"scales": [1.25, 0.8, 1.1], "fitted": "drawn test"}
    reading = replace(synthetic_reading(68), calibration=told)
    got = run(
        tmp_path,
        "uncertainty",
        """const s = { ellipses: true, recalibrated: true };
        const told = (meta, step) => uncertaintyFacts(meta, s, step);
        const say = (step, meta = input.meta) => captionText(composeCaption(meta.caption, told(meta, step)));
        return { sigma: sigmaAt(input.meta, 1, 0, scaleAt(input.meta, s, 1)), said: say(4), start: say(0),
          without: say(4, { ...input.meta, calibration: null }) };""",
        meta=uncertainty_payload(reading)["meta"],
    )
    np.testing.assert_allclose(got["sigma"], reading.recalibrated().sigma(1, 0), rtol=2e-3)
    np.testing.assert_allclose(reading.recalibrated().sigma(1, 0), 0.8 * reading.sigma(1, 0))
    assert "recalibrated: σ × 0.8 in this stage, fitted on drawn test" in got["said"]
    assert "recalibrated" not in got["start"] and "recalibrated" not in got["without"]


def test_places_and_densities_in_a_patch_by_hand(tmp_path):
    got = run(
        tmp_path,
        "uncertainty",
        """return [inPatch([0.2, 0.4, 0.1, 0.2], [0.25, 0.45]), inPatch([0.2, 0.4, 0.1, 0.2], [0.1, 0.7]),
          densityOver("gaussian", 0.3, 0.3, 0.1), densityOver("gaussian", 0.5, 0.3, 0.1),
          densityOver("laplace", 0.2, 0.3, 0.1)];""",
    )
    # Over the mean's: exp(-2) two deviations off, exp(-sqrt 2) one deviation off under Laplace.
    assert got[0] == pytest.approx([0.5, 0.25]) and got[1] == pytest.approx([-1.0, 1.5])
    assert got[2:] == pytest.approx([1.0, 0.135335, 0.243117], abs=1e-6)


def test_a_pinned_landmark_s_patches_are_told(tmp_path):
    payload = uncertainty_payload(synthetic_reading(68), selection={"landmark": 30})
    got = run(
        tmp_path,
        "uncertainty",
        """const say = (s) => captionText(composeCaption(input.meta.caption, uncertaintyFacts(input.meta, s, 3)));
        const s = input.meta.state.selection;
        return [say(s), say({ ...s, landmark: null })];""",
        meta=payload["meta"],
    )
    assert "(30): answer, 1 and 3 σ of each stage's last layer" in got[0] and "along each axis" in got[0]
    assert "along each axis" not in got[1]
