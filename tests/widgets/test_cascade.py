"""The Cascade view: what arrives in the browser is what was recorded, pruned answers are those of the pruned model."""

from __future__ import annotations

import base64

import numpy as np
import pytest

import workbench as wb
from tests.explain.test_cascade import cascade_reading
from tests.widgets.javascript import run
from workbench import figures
from workbench.errors import TraceError
from workbench.explain.captions import compose
from workbench.explain.cascade import cascade, cascade_facts
from workbench.explain.system_captions import CASCADE
from workbench.figures.inside import span_of
from workbench.views import get_view
from workbench.widgets.cascade import cascade_payload

STATE = """globalThis.document = { createElement: () => ({ getContext: () => ({
  createImageData: (w, h) => ({ data: new Array(4 * w * h) }), putImageData() {} }) }) };
const bytes = (name) => Uint8Array.from(atob(input.blobs[name] ?? ""), (c) => c.charCodeAt(0));
const v = cascadeState({ meta: input.meta, bytes, get: () => input.meta.state.selection });
"""


def test_every_map_of_every_task_in_the_browser(tmp_path) -> None:
    reading = cascade_reading()
    found, payload = cascade(reading), cascade_payload(reading, {"task": 1, "channel": 1})
    got = run(
        tmp_path,
        "cascade",
        STATE
        + """const out = [];
        for (const task of [0, 1]) {
          v.s = { ...v.s, task };
          for (const key of v.task().keys.slice(1)) {
            v.s = { ...v.s, map: key };
            const text = captionText(composeCaption(v.meta.caption, cascadeFacts(v)));
            out.push([task, key, [...v.picture(key).values], text]);
          }
        }
        v.s = { ...v.s, landmark: 5, kept: 0 };
        return { out, one: [...v.picture("heatmaps").values], drawn: v.drawn(), kept: cascadeFacts(v).kept };""",
        meta=payload["meta"],
        blobs={name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()},
    )
    assert len(got["out"]) == 12
    for task, key, values, text in got["out"]:
        mine = found.picture(key, task, channel=1)
        np.testing.assert_allclose(values, mine.ravel(), atol=1e-3)
        low, high, _ = span_of(np.asarray(values))
        facts = cascade_facts(reading, found, key, task=task, span=(low, high), channel=1)
        assert text == compose(CASCADE, {**facts, "widget": True})
    np.testing.assert_allclose(got["one"], found.heatmaps[5].ravel(), atol=1e-3)
    np.testing.assert_allclose(got["drawn"], found.steps[0], atol=1e-5)
    assert got["kept"] == 0


def test_a_pruned_answer_is_that_of_the_pruned_model() -> None:
    model, face = wb.load_model("chs-68", device="cpu"), wb.sample_face("frontal-a")
    reading = wb.read(model, face, get_view("cascade").recorded)
    found = cascade(reading)
    assert found.sizes is not None and len(found.tasks) == len(found.steps) == 3
    for kept in range(3):
        pruned = model.prune(kept).eval()
        np.testing.assert_allclose(wb.read(pruned, face, ()).points(), found.steps[kept], atol=1e-6)
        assert sum(p.numel() for p in pruned.parameters()) == found.sizes[kept]
    assert set(found.errors) == {0, 1, 2}
    sent = cascade_payload(reading)
    assert sum(map(len, sent["blobs"].values())) < 1_000_000


def test_the_figure_names_every_tensor_and_what_is_kept() -> None:
    reading = cascade_reading()
    figure = figures.cascade(reading, kept=0)
    notes = " ".join(note["text"] for note in figure.to_plotly_json()["layout"]["annotations"])
    assert all(name in notes for name in ("gates.0", "gates.1", "c.attended", "alignment.heatmaps", "edges"))
    assert "pruned to 0 of 1 cascades" in figure.layout.meta["caption"]
    assert "maps.0" in str(figures.cascade(reading, 0).to_plotly_json()["layout"]["annotations"])
    for wrong in ({"task": 2}, {"kept": 3}, {"landmark": 68}):
        with pytest.raises(TraceError):
            figures.cascade(reading, **wrong)
    with pytest.raises(TraceError, match="map"):
        cascade_payload(reading, {"task": 0, "map": "gate0"})
