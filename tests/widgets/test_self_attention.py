"""The Self-attention view: rows, masks and leaked mass as they are sent, and what the browser makes of a place."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

import workbench as wb
from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench.errors import TraceError
from workbench.explain.self_attention import background_share, leak_account, leaked_mass, structure_prior
from workbench.tracing import NamedTensor, Trace
from workbench.widgets.payload import pack
from workbench.widgets.self_attention import Panel, panel_of, self_attention_payload

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


def narrow(size: int = 8, seed: int = 0, channels: int = 4, border: bool = True) -> Panel:
    """A panel whose attention is a softmax over products of a few channels, with a border that nobody looks at."""
    given = panel(size, seed=seed)
    rng = np.random.default_rng(seed)
    q, k = (rng.standard_normal((size * size, channels)) for _ in range(2))
    scores = (q @ k.T).reshape(size, size, size, size)
    if border:
        scores[..., [0, -1], :] = scores[..., [0, -1]] = -1e4
    rows = torch.tensor(scores, dtype=torch.float32).flatten(2).softmax(-1).view(1, size, size, size, size)
    trace = Trace()
    trace[NAME] = NamedTensor(rows, ("batch", "query_y", "query_x", "key_y", "key_x"))
    return replace(given, reading=replace(given.reading, trace=trace))


def test_rows_masks_and_leaks_of_both_models_arrive() -> None:
    panels = [panel(12), panel(12, beta=0.0, seed=1)]
    payload = self_attention_payload(panels, {"landmark": 30})
    for at, given in enumerate(panels):
        weights = given.reading.trace[NAME].at(batch=0).numpy()
        points, meta = given.reading.points(), payload["meta"]["panels"][at]
        assert meta["ranks"] is None  # random logits have no narrow factors
        sent = np.frombuffer(payload["blobs"][f"attention.{at}"], "<f2").astype(float) * meta["unit"]
        np.testing.assert_allclose(sent.reshape(12, 12, 12, 12), weights, rtol=2**-11)
        prior = structure_prior(points, 12, 0.5, 1.5)
        mask = np.frombuffer(payload["blobs"][f"mask.{at}"], "<f2").reshape(12, 12)
        np.testing.assert_array_equal(mask > 0, prior.mask > 1e-7)
        outside = np.frombuffer(payload["blobs"][f"outside.{at}"], "<f2").reshape(12, 12)
        np.testing.assert_allclose(outside, background_share(weights, prior.neighbourhood), atol=1e-3)
        np.testing.assert_allclose(meta["leak"], leaked_mass(weights, points, 0.5, 1.5).values, atol=1e-5)
        assert (meta["sigma"], meta["radius"], meta["share"]) == (0.5, 1.5, round(prior.share, 4))
    assert [p["beta"] for p in payload["meta"]["panels"]] == [0.1, 0.0]
    assert payload["meta"]["state"]["selection"]["landmark"] == 30


def test_factors_give_the_recorded_rows_and_leaks_under_any_mask(tmp_path) -> None:
    given, other = narrow(12), narrow(12, seed=1)
    change = replace(given, minus=other.reading)
    payload = self_attention_payload([given, change], {"sigma": 0.9, "radius": 2.5})
    meta = payload["meta"]["panels"]
    assert meta[0]["ranks"] == [5] and meta[1]["ranks"] == [5, 5] and "attention.0" not in payload["blobs"]
    got = run(
        tmp_path,
        "self_attention",
        """const bytes = (name) => Uint8Array.from(atob(input.blobs[name] ?? ""), (c) => c.charCodeAt(0));
        const v = selfAttentionState({ meta: input.meta, bytes, get: () => input.meta.state.selection });
        const [p, change] = v.panels;
        const { leak, account, share, moved } = p.now;
        const rows = [0, 37, 143].map((k) => [[...p.row(k)], [...change.row(k)]]);
        return { rows, leak, account, share, moved };""",
        meta=payload["meta"],
        blobs={name: base64.b64encode(blob).decode() for name, blob in payload["blobs"].items()},
    )
    weights, minus = (one.reading.trace[NAME].at(batch=0).numpy().reshape(144, 144) for one in (given, other))
    for k, (plain, changed) in zip((0, 37, 143), got["rows"], strict=True):
        np.testing.assert_allclose(plain, weights[k], atol=1e-5)
        np.testing.assert_allclose(changed, weights[k] - minus[k], atol=2e-5)
    points, whole = given.reading.points(), given.reading.trace[NAME].at(batch=0).numpy()
    np.testing.assert_allclose(got["leak"], leaked_mass(whole, points, 0.9, 2.5).values, atol=1e-5)
    mine = leak_account(whole, points, 0.9, 2.5)
    assert mine is not None and got["moved"]
    for name, value in asdict(mine).items():
        np.testing.assert_allclose(got["account"][name], value, atol=1e-5)
    # Uniform attention reaches ten by ten cells, not the border.
    near = structure_prior(points, 12, 0.9, 2.5).neighbourhood
    assert mine.chance == pytest.approx((~near)[1:-1, 1:-1].mean())
    assert 0 <= mine.sink <= mine.mean and 0 <= mine.inside <= mine.mean


def test_the_shipped_models_travel_in_less_than_a_megabyte() -> None:
    record = [("query_y", "query_x", "key_y", "key_x")]
    face = wb.sample_face("frontal-a")
    names = ("ssfa-68", "ssfa-68-free")
    readings = [wb.read(wb.load_model(name, device="cpu"), face, record) for name in names]
    bare = wb.read(wb.load_model("ssfa-68-baseline", device="cpu"), face, ())
    payload = self_attention_payload([panel_of(one) for one in readings], baseline=bare)
    assert payload["meta"]["baseline"]["title"] == "without attention"
    assert len(pack(payload)) < 1e6
    assert all(meta["ranks"] == [33] and meta["departure"] < 1e-4 for meta in payload["meta"]["panels"])
    chances = [meta["account"]["chance"] for meta in payload["meta"]["panels"]]
    assert max(chances) < max(1 - meta["share"] for meta in payload["meta"]["panels"])


def test_of_a_large_map_every_second_query_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.widgets.self_attention.MOST_QUERIES", 16)
    monkeypatch.setattr("workbench.widgets.self_attention.factorised", lambda *_: None)
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
