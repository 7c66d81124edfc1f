"""Any view under an occluder: what travels, what the caption says, and that changes are drawn by their size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench.effects import difference
from workbench.errors import TraceError
from workbench.explain import attention_stack
from workbench.tracing import NamedTensor, Trace
from workbench.widgets import inside_payload, relations_payload
from workbench.widgets.covered import covered_payload
from workbench.widgets.payload import pack

PLAIN, COVERED = synthetic_reading(68, seed=0), synthetic_reading(68, seed=1)
COVER = {"x": 0.3, "y": 0.5, "w": 0.2, "h": 0.1, "fill": "grey"}


def texts(payload: dict) -> list[str]:
    return [clause["text"] for clause in payload["meta"]["caption"]]


def test_a_difference_is_taken_entry_by_entry_and_says_so() -> None:
    found = difference(COVERED, PLAIN)
    a, b = (attention_stack(reading, "cross") for reading in (COVERED, PLAIN))
    np.testing.assert_allclose(attention_stack(found, "cross"), a - b, atol=1e-6)
    assert found.trace.meta["difference"] and "difference" not in COVERED.trace.meta
    np.testing.assert_array_equal(found.points(), COVERED.points())
    with pytest.raises(TraceError, match="no tensor of the same shape"):
        difference(COVERED, replace(PLAIN, trace=Trace()))
    other = Trace()
    other["relation.layers.0.cross"] = NamedTensor(torch.zeros(1, 2), ("batch", "other"))
    with pytest.raises(TraceError):
        difference(replace(COVERED, trace=other), PLAIN)


def test_without_an_occluder_a_payload_offers_one_and_is_otherwise_the_same() -> None:
    whole = relations_payload(PLAIN)
    payload = covered_payload(whole, PLAIN, PLAIN, None)
    assert pack(payload)
    assert payload["meta"]["live"] and set(payload["meta"]["fills"]) == {"grey", "black", "skin", "noise"}
    assert payload["meta"]["occluder"] is None and payload["meta"]["from"] is None
    assert payload["meta"]["caption"] == whole["meta"]["caption"] and "cover" not in payload["blobs"]
    assert payload["blobs"]["attention.cross"] == whole["blobs"]["attention.cross"]


def test_with_without_and_difference_say_what_is_seen() -> None:
    shown = covered_payload(relations_payload(COVERED), PLAIN, COVERED, COVER, "with")
    assert "grey over 2 % of the crop" in texts(shown) and shown["blobs"]["cover"].startswith(b"\x89PNG")
    assert np.allclose(shown["meta"]["from"], PLAIN.points(), atol=1e-5) and not shown["meta"]["signed"]
    plain = covered_payload(relations_payload(PLAIN), PLAIN, COVERED, COVER, "without")
    assert "grey over 2 % of the crop, taken away for the moment" in texts(plain) and plain["meta"]["from"] is None
    changed = covered_payload(relations_payload(difference(COVERED, PLAIN)), PLAIN, COVERED, COVER, "difference")
    assert changed["meta"]["signed"] and "lut.diverging" in changed["blobs"]
    said = texts(changed)
    assert said[0] == "{tensor}" and said[1].startswith("covered minus uncovered (grey over 2 % of the crop)")
    assert any("scale −{top} to {top}, centred on no change" in text for text in said)
    assert not any("scale 0 to {top}" in text for text in said)
    assert any("largest changes of" in text for text in said) and not any("strongest" in text for text in said)


def test_inside_shows_a_change_of_a_weight() -> None:
    name = "relation.layers.0.cross"
    payload = inside_payload(difference(COVERED, PLAIN), name)
    assert payload["meta"]["signed"] and payload["meta"]["tensor"]["value"] == "change of attention weight"
    assert inside_payload(PLAIN, name)["meta"]["tensor"]["value"] == "attention weight"


def test_changes_rank_by_their_size_and_weights_as_before(tmp_path: Path) -> None:
    out = run(
        tmp_path,
        "relations",
        """
        const w = [0, 0.1, -0.4, 0.2, 0, 0, 0.3, -0.05, 0];
        const plain = [0.2, 0.5, 0.3, 0.6, 0.4, 0, 0.1, 0.2, 0.7];
        const map = { css: (t) => t };
        return { partners: partners(w, 3, 0, { threshold: 0.15 }), edges: edgesOf(w, 3, null, { topk: 1 }),
          largest: largest(w, 3, false), plain: partners(plain, 3, 0), top: largest(plain, 3, false),
          look: [-1, 0, 1].map((x) => weightLook({ width: [0.5, 4] }, map, x, 1, -1)),
          old: weightLook({ width: [0.5, 4] }, map, 0.5, 1) };
        """,
    )
    assert out["partners"] == [{"q": 0, "k": 2, "w": -0.4}]
    assert [edge["w"] for edge in out["edges"]] == [0.2, 0.3, -0.4]
    assert out["largest"] == 0.4 and out["top"] == 0.6
    assert [edge["k"] for edge in out["plain"]] == [1, 2]
    assert out["look"] == [{"colour": 0, "width": 4}, {"colour": 0.5, "width": 0.5}, {"colour": 1, "width": 4}]
    assert out["old"] == {"colour": 0.5, "width": 2}


def test_a_scale_of_changes_is_centred_on_zero(tmp_path: Path) -> None:
    out = run(
        tmp_path,
        "inside",
        """
        return { up: centred([0, 0.5, 0.25]), down: centred([0.1, -2]), none: centred([0, 0]),
          far: [...together([1, -3, -2, 2], 2, "far")] };
        """,
    )
    assert out["up"] == {"lo": -0.5, "hi": 0.5, "signed": True}
    assert out["down"] == {"lo": -2, "hi": 2, "signed": True}
    assert out["none"] == {"lo": -1, "hi": 1, "signed": True}
    assert out["far"] == [-2, -3]
