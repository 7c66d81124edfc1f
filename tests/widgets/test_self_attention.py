"""The Self-attention view: rows, masks and leaked mass as they are sent, and what the browser makes of a place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench.errors import TraceError
from workbench.explain.self_attention import background_share, leaked_mass, structure_prior
from workbench.tracing import NamedTensor, Trace
from workbench.widgets.self_attention import Panel, self_attention_payload

NAME = "attention_b.spatial.attention"


def panel(size: int = 8, beta: float = 0.1, seed: int = 0, scheme: int | str = 68) -> Panel:
    """A panel of random attention over a map of ``size`` x ``size`` cells; rows sum to 1."""
    torch.manual_seed(seed)
    rows = torch.randn(1, size * size, size * size).mul(2).softmax(-1)
    trace = Trace()
    trace[NAME] = NamedTensor(
        rows.unflatten(1, (size, size)).unflatten(-1, (size, size)),
        ("batch", "query_y", "query_x", "key_y", "key_x"),
    )
    reading = replace(synthetic_reading(scheme, attention=False), trace=trace)
    return Panel(reading, NAME, "with the prior" if beta else "without the prior", 0.5, 1.5, beta)


def test_rows_masks_and_leaks_of_both_models_arrive() -> None:
    panels = [panel(), panel(beta=0.0, seed=1)]
    payload = self_attention_payload(panels, {"landmark": 30})
    for at, given in enumerate(panels):
        weights = given.reading.trace[NAME].at(batch=0).numpy()
        points, meta = given.reading.points(), payload["meta"]["panels"][at]
        sent = np.frombuffer(payload["blobs"][f"attention.{at}"], "<f2").astype(float) * meta["unit"]
        np.testing.assert_allclose(sent.reshape(8, 8, 8, 8), weights, rtol=2**-11)
        prior = structure_prior(points, 8, 0.5, 1.5)
        mask = np.frombuffer(payload["blobs"][f"mask.{at}"], "<f2").reshape(8, 8)
        np.testing.assert_array_equal(mask > 0, prior.mask > 1e-7)
        outside = np.frombuffer(payload["blobs"][f"outside.{at}"], "<f2").reshape(8, 8)
        np.testing.assert_allclose(outside, background_share(weights, prior.neighbourhood), atol=1e-3)
        np.testing.assert_allclose(meta["leak"], leaked_mass(weights, points, 0.5, 1.5).values, atol=1e-5)
        assert (meta["sigma"], meta["radius"], meta["share"]) == (0.5, 1.5, round(prior.share, 4))
    assert [p["beta"] for p in payload["meta"]["panels"]] == [0.1, 0.0]
    assert payload["meta"]["state"]["selection"]["landmark"] == 30


def test_of_a_large_map_every_second_query_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.widgets.self_attention.MOST_QUERIES", 16)
    given = panel(8)
    payload = self_attention_payload([given])
    meta = payload["meta"]["panels"][0]
    assert (meta["size"], meta["every"], meta["queries"]) == (8, 2, 4)
    sent = np.frombuffer(payload["blobs"]["attention.0"], "<f2").astype(float) * meta["unit"]
    weights = given.reading.trace[NAME].at(batch=0).numpy()
    np.testing.assert_allclose(sent.reshape(4, 4, 8, 8), weights[1::2, 1::2], rtol=2**-11)


def test_what_cannot_stand_side_by_side() -> None:
    with pytest.raises(TraceError, match="one or two models, not 0"):
        self_attention_payload([])
    with pytest.raises(TraceError, match="same landmarks"):
        self_attention_payload([panel(), panel(scheme="five")])
    with pytest.raises(TraceError, match="'colour'"):
        self_attention_payload([panel()], {"colour": 1})


def test_a_place_finds_its_query(tmp_path) -> None:
    got = run(
        tmp_path,
        "self_attention",
        """const full = { size: 8, every: 1, queries: 8 }, thin = { size: 8, every: 2, queries: 4 };
        return [queryAt([0.51, 0], full), queryAt([1, -1], full), queryAt([0, 0], thin), queryAt([0.99, 0.5], thin),
          cellCentre({ row: 1, col: 3 }, 8)];""",
    )
    assert got == [
        {"row": 0, "col": 4, "at": 4},
        {"row": 0, "col": 7, "at": 7},
        {"row": 1, "col": 1, "at": 0},
        {"row": 5, "col": 7, "at": 11},
        [0.4375, 0.1875],
    ]


def test_every_query_that_is_sent_finds_itself(tmp_path) -> None:
    got = run(
        tmp_path,
        "self_attention",
        """const p = { size: 64, every: 2, queries: 32 }, out = [];
        for (let row = 1; row < 64; row += 2) for (let col = 1; col < 64; col += 2) {
          const q = queryAt(cellCentre({ row, col }, 64), p);
          if (q.row !== row || q.col !== col || q.at !== (row >> 1) * 32 + (col >> 1)) out.push([row, col, q]);
        }
        return out;""",
    )
    assert got == []


def test_bars_stand_in_pairs_in_the_order_of_the_parts(tmp_path) -> None:
    got = run(
        tmp_path,
        "self_attention",
        "return leakRows([{ leak: [0.1, 0.2] }, { leak: [0.3, null] }], [1, 0]);",
    )
    assert got == [0.2, None, 0, 0.1, 0.3, 0]


def test_caption_names_tensor_prior_and_scale(tmp_path) -> None:
    payload = self_attention_payload([panel()])
    got = run(
        tmp_path,
        "self_attention",
        """const now = { query: { row: 2, col: 5 }, span: { lo: 0, hi: 0.125 } };
        return ["map", "both"].map((scale) =>
          captionText(composeCaption(input.meta.caption,
            selfAttentionFacts(input.meta.panels[0], now.query, now.span, scale))));""",
        meta=payload["meta"],
    )
    assert got[0].startswith(f"{NAME} · query y 2, x 5 of 8 \u00d7 8 · softmax over all keys: a row sums to 1")
    assert "scale 0 to 0.125, the largest here" in got[0]
    assert "sigma 0.5, R 1.5 cells" in got[0]
    assert got[0].endswith("beta 0.1")
    assert "the larger of both maps" in got[1]
