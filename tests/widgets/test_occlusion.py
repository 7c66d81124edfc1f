"""The Occlusion view: what arrives in the browser is what was recorded, and both makers say the same."""

from __future__ import annotations

import base64

import numpy as np
import pytest

import workbench as wb
from tests.explain.test_occlusion import occluded_reading
from tests.widgets.javascript import run
from workbench import figures
from workbench.errors import TraceError
from workbench.explain.captions import compose
from workbench.explain.occlusion import occlusion, occlusion_facts
from workbench.explain.system_captions import OCCLUSION
from workbench.faces import Occluder, occlude
from workbench.reading import Reading
from workbench.views import get_view
from workbench.widgets.occlusion import occlusion_payload

BOX = Occluder(0.3, 0.6, 0.4, 0.2)


@pytest.fixture(scope="module")
def pair() -> tuple[Reading, Reading]:
    """The shipped model on a covered and on a plain face."""
    view, model, face = get_view("occlusion"), wb.load_model("aodn-68", device="cpu"), wb.sample_face("frontal-a")
    painted, _ = occlude(face.crop(640), BOX)
    return wb.read(model, face.with_crop(painted), view.recorded), wb.read(model, face, view.recorded)


def sent(payload, name: str, key: str) -> np.ndarray:
    told = payload["meta"]["sets"][name]["maps"][key]
    return np.frombuffer(payload["blobs"][f"{name}.{key}"], "<f2").astype(float).reshape(told["shape"]) * told["unit"]


def test_what_is_sent_is_what_the_model_used(pair) -> None:
    payload = occlusion_payload(pair[0], BOX, pair[1])
    for name, reading in zip(("with", "without"), pair, strict=True):
        found = occlusion(reading)
        for key, values in found.maps.items():
            top = np.abs(values).max()
            np.testing.assert_allclose(sent(payload, name, key), values, rtol=2**-11, atol=top * 2**-24)
        assert np.array_equal(np.frombuffer(payload["blobs"][f"{name}.recovered"], "<f4"), found.recovered.ravel())
        np.testing.assert_allclose(found.recovered[-1], reading.points(), atol=1e-4)
        np.testing.assert_allclose(payload["meta"]["sets"][name]["gate"], found.gate, atol=1e-5)
    assert sum(map(len, payload["blobs"].values())) < 1_000_000
    before, after = payload["meta"]["under"]["visible"][:2]
    assert before > 0.9 and after < before - 0.15


def test_rank_difference_and_channel_in_the_browser(pair, tmp_path) -> None:
    payload = occlusion_payload(pair[0], BOX, pair[1])
    got = run(
        tmp_path,
        "occlusion",
        """globalThis.document = { createElement: () => ({ getContext: () => ({
          createImageData: (w, h) => ({ data: new Array(4 * w * h) }), putImageData() {} }) }) };
        const bytes = (name) => input.blobs[name] && Uint8Array.from(atob(input.blobs[name]), (c) => c.charCodeAt(0));
        const host = { meta: input.meta, bytes, get: () => input.meta.state.selection };
        const v = occlusionState(host);
        const out = { whole: v.drawn(), text: captionText(composeCaption(v.meta.caption, occlusionFacts(v))) };
        v.s = { ...v.s, rank: 4, mode: "difference", map: "after", channel: 7 };
        const map = v.picture("after");
        return { ...out, cut: v.drawn(), from: v.from(), change: [...map.values], span: map.span,
          gate: v.gate(), move: v.moves()[4], last: v.moves()[96], facts: occlusionFacts(v) };""",
        meta=payload["meta"],
        blobs={name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()},
    )
    covered, plain = (occlusion(reading) for reading in pair)
    np.testing.assert_allclose(got["whole"], pair[0].points(), atol=1e-4)
    np.testing.assert_allclose(got["cut"], covered.recovered[4], atol=1e-6)
    np.testing.assert_allclose(got["from"], pair[0].points(), atol=1e-4)
    change = covered.maps["after"][7] - plain.maps["after"][7]
    np.testing.assert_allclose(got["change"], change.ravel(), atol=1e-3 * np.abs(covered.maps["after"]).max())
    assert got["span"]["lo"] == -got["span"]["hi"] and got["span"]["signed"]
    np.testing.assert_allclose(got["gate"], covered.gate - plain.gate, atol=2e-5)
    moved = np.linalg.norm(covered.recovered[4] - covered.recovered[-1], axis=1).mean() * pair[0].input_size
    assert got["move"] == pytest.approx(moved, rel=1e-4) and got["last"] == 0
    mine = occlusion_facts(pair[0], covered, span=(0.0, 1.0), occluder="grey", covered=0.08)
    assert got["text"] == compose(OCCLUSION, {**mine, "widget": True})
    wanted = occlusion_facts(
        pair[0], covered, "after", span=(got["span"]["lo"], got["span"]["hi"]), mode="difference", channel=7, rank=4,
        occluder="grey", covered=0.08,
    )  # fmt: skip
    assert got["facts"] == {**wanted, "widget": True}


def test_the_figure_shows_every_map_with_its_scale(pair) -> None:
    figure = figures.occlusion(pair[0], 4, baseline=pair[1], occluder=BOX, difference=True)
    notes = " ".join(note["text"] for note in figure.to_plotly_json()["layout"]["annotations"])
    found = occlusion(pair[0])
    assert all(name in notes for name in found.tensors.values() if name)
    caption = figure.layout.meta["caption"]
    assert "grey over 8 % of the crop" in caption and "4 largest singular values of 96" in caption
    with pytest.raises(TraceError, match="rank"):
        figures.occlusion(pair[0], 97)


def test_what_does_not_belong_together_is_refused(pair) -> None:
    with pytest.raises(TraceError, match="same face read by the same model"):
        occlusion_payload(pair[0], BOX, occluded_reading())
    with pytest.raises(TraceError, match="map"):
        occlusion_payload(pair[1], selection={"map": "nowhere"})
    with pytest.raises(TraceError, match="rank"):
        occlusion_payload(pair[1], selection={"rank": 97})
