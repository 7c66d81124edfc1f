"""Facts of Inside and Self-attention are the same from the widgets' code and from the figures' side."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.figures.test_inside import KINDS
from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench import figures
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace
from workbench.widgets import inside_payload, self_attention_payload
from workbench.widgets.payload import Payload
from workbench.widgets.self_attention import Panel

PEN = (Path(__file__).parent / "pen.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def reading() -> Reading:
    """Five landmarks and a tensor of every kind, at the precision that a widget is sent."""
    rng, trace = np.random.default_rng(0), Trace()
    for name, (shape, axes, _) in KINDS.items():
        values = torch.tensor(rng.random((1, *shape)), dtype=torch.float16).double()
        trace[name] = NamedTensor(values, ("batch", *axes))
    return replace(synthetic_reading("five", attention=False), trace=trace)


def told(tmp_path: Path, payload: Payload, root: str, body: str, **meta: Any) -> Any:
    blobs = {name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()}
    return run(tmp_path, root, PEN + body, meta={**payload["meta"], **meta}, blobs=blobs)


@pytest.mark.parametrize("name", KINDS)
def test_inside_is_told_in_the_same_words(name: str, reading: Reading, tmp_path: Path) -> None:
    heads, items = KINDS[name][1][0] == "head", name not in ("gate", "code", "branches", "rects", "points", "table")
    states: list[dict[str, Any]] = [{}, {"scale": "all"}]
    states += [{"head": 1}] if heads else []
    key = "channel" if name == "maps" else "landmark"
    states += [{key: 2, "topk": 2}] if items and name not in ("spatial_attention", "tokens") else []
    states += [{"scale": "range"}] if name in ("gate", "heatmaps", "landmark_to_map") else []
    body = """return input.meta.asked.map((state) => {
      const v = insideState(penHost);
      v.s = { ...v.s, ...state };
      return captionText(composeCaption(v.meta.caption, { ...factsNow(v), widget: false }));
    });"""
    theirs = told(tmp_path, inside_payload(reading, name), "inside", body, asked=states)
    for state, words in zip(states, theirs, strict=True):
        figure = figures.inside(
            reading, name, head=state.get("head"), item=state.get(key), top_k=state.get("topk", 3),
            scale=state.get("scale", "map"),
        )  # fmt: skip
        assert figure.layout.meta["caption"] == words


def test_self_attention_is_told_in_the_same_words(reading: Reading, tmp_path: Path) -> None:
    panel = Panel(reading, "spatial_attention", "with the prior", 0.5, 2.0, 1.0, "none")
    body = """return input.meta.asked.map((place) => {
      const v = selfAttentionState(penHost);
      v.s = { ...v.s, place };
      const p = v.panels[0];
      const facts = selfAttentionFacts(p, v.query(p), v.span(p), v.s.scale);
      return captionText(composeCaption(v.meta.caption, { ...facts, widget: false }));
    });"""
    places = [[0.1, 0.9], [0.5, 0.5], [0.99, 0.4]]
    theirs = told(tmp_path, self_attention_payload([panel]), "self_attention", body, asked=places)
    for (x, y), words in zip(places, theirs, strict=True):
        figure = figures.self_attention(reading, "spatial_attention", x, y, prior=(0.5, 2.0, 1.0))
        assert figure.layout.meta["caption"] == words
