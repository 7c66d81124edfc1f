"""The Pose view: what arrives in the browser is what was recorded, and both makers say the same."""

from __future__ import annotations

import base64

import numpy as np
import pytest

import workbench as wb
from tests.explain.test_pose import posed_reading
from tests.figures.test_drawn_once import drawn, flat
from tests.widgets.javascript import run
from workbench import figures
from workbench.errors import TraceError
from workbench.explain.captions import compose
from workbench.explain.pose import pose, pose_facts
from workbench.explain.system_captions import POSE
from workbench.figures.inside import span_of
from workbench.views import get_view
from workbench.widgets.pose import pose_payload


def test_maps_captions_and_channels_in_the_browser(tmp_path) -> None:
    reading = posed_reading()
    found, payload = pose(reading), pose_payload(reading)
    got = run(
        tmp_path,
        "pose",
        """globalThis.document = { createElement: () => ({ getContext: () => ({
          createImageData: (w, h) => ({ data: new Array(4 * w * h) }), putImageData() {} }) }) };
        const bytes = (name) => Uint8Array.from(atob(input.blobs[name] ?? ""), (c) => c.charCodeAt(0));
        const v = poseState({ meta: input.meta, bytes, get: () => input.meta.state.selection });
        const out = [];
        for (const channel of [null, 2])
          for (const map of v.keys) {
            v.s = { ...v.s, map, channel };
            const text = captionText(composeCaption(v.meta.caption, poseFacts(v)));
            out.push([map, channel, v.picture(map) && [...v.picture(map).values], v.picture(map)?.span, text]);
          }
        return out;""",
        meta=payload["meta"],
        blobs={name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()},
    )
    assert len(got) == 8
    for key, channel, values, span, text in got:
        scale = None
        if key == "photo":
            assert values is None
        else:
            mine = found.picture(key, channel)
            np.testing.assert_allclose(values, mine.ravel(), atol=2e-3)
            scale = (span["lo"], span["hi"])
            both = np.stack([found.picture(k, channel) for k in ("before", "after")])
            np.testing.assert_allclose(scale, (0, 1) if key == "heatmap" else span_of(both)[:2], rtol=1e-3)
        facts = pose_facts(reading, found, key, span=scale, channel=channel)
        assert text == compose(POSE, {**facts, "widget": True})


def test_the_axes_lie_where_the_angles_say_in_both_makers(tmp_path) -> None:
    reading = posed_reading()
    found, payload = pose(reading), pose_payload(reading)
    body = """const pen = new Pen();
    drawAxes(pen, input.meta, { side: 300, px: ([x, y]) => [300 * x, 300 * y] });
    return pen.marks.filter((mark) => mark.kind === "stroke");"""
    strokes = drawn(tmp_path, payload, "pose", body)
    theirs = {tuple(np.round(flat(mark), 1)) for mark in strokes}
    start = found.origin * 300
    ends = start + found.axes[:, :2] * 0.27 * 300
    assert theirs == {tuple(np.round([*start, *end], 1)) for end in ends}
    paths = [s["path"] for s in figures.pose(reading).to_plotly_json()["layout"]["shapes"] if "Q" in s.get("path", "")]
    assert len(paths) == 6  # each axis on a dark edge
    begins = {path.split("Q")[0] for path in paths}
    assert len(begins) == 1


def test_the_shipped_model_turns_with_the_head() -> None:
    model, record = wb.load_model("atpn-68", device="cpu"), get_view("pose").recorded
    yaws = [pose(wb.read(model, wb.sample_face(name), record)).angles[0] for name in ("turned-left-30", "frontal-a",
                                                                                   "turned-right-30")]  # fmt: skip
    assert yaws[0] < -10 < yaws[1] < 10 < yaws[2]
    reading = wb.read(model, wb.sample_face("frontal-a"), record)
    found = pose(reading)
    np.testing.assert_allclose(found.maps["before"] * found.maps["heatmap"], found.maps["after"], rtol=1e-4, atol=1e-5)
    assert found.errors.keys() == {"yaw", "pitch", "roll"} and found.maps["heatmap"].min() == pytest.approx(0.5)
    with pytest.raises(TraceError, match="map"):
        pose_payload(reading, {"map": "nowhere"})
