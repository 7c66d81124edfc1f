"""The Structure view: similarities sent, twins between schemes, and the arithmetic in the browser."""

from __future__ import annotations

import numpy as np
import pytest

from tests.readings import synthetic_reading
from tests.widgets.javascript import run
from workbench.errors import TraceError
from workbench.landmarks import get_scheme, user_scheme
from workbench.reading import Encodings
from workbench.widgets.structure import structure_payload


def test_two_readings_side_by_side():
    readings = [synthetic_reading(68), synthetic_reading(98)]
    payload = structure_payload(readings)
    assert [m["face"]["count"] for m in payload["meta"]["models"]] == [68, 98]
    for at, reading in enumerate(readings):
        vectors = reading.structure()
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        n = reading.scheme.count
        sent = np.frombuffer(payload["blobs"][f"similarity.{at}"], "<f2").reshape(n, n)
        np.testing.assert_allclose(sent, unit @ unit.T, atol=1e-3)
        assert payload["meta"]["models"][at]["statistic"][0][0] == "neighbours on a line"


def test_twins_lie_on_the_same_group():
    payload = structure_payload([synthetic_reading(68), synthetic_reading(98)])
    there, back = (m["twin"] for m in payload["meta"]["models"])
    small, large = get_scheme("68"), get_scheme("98")
    assert [small.group_of[i] == large.group_of[t] for i, t in enumerate(there)] == [True] * 68
    assert there[8] == 16  # the chin
    assert (there[36], there[45]) == (60, 72)  # outer eye corners
    assert back[16] == 8
    assert (back[96], back[97]) == (-1, -1)  # 68 points have no pupils


def test_encodings_alone_and_schemes_without_groups():
    scheme = user_scheme("three", 3)
    vectors = np.array([[1.0, 0], [1, 1], [-1, 0]])
    item = Encodings(scheme, np.array([[0.2, 0.2], [0.8, 0.2], [0.5, 0.8]]), vectors, "own.codes", "mine")
    payload = structure_payload([item, item], {"model": 1, "landmark": 2})
    sent = np.frombuffer(payload["blobs"]["similarity.0"], "<f2").reshape(3, 3)
    np.testing.assert_allclose(sent, [[1, 0.7071, -1], [0.7071, 1, -0.7071], [-1, -0.7071, 1]], atol=1e-3)
    assert payload["meta"]["models"][0]["twin"] == [-1, -1, -1]
    assert payload["meta"]["tensor"] == "own.codes"
    assert payload["meta"]["state"] == {"selection": {"model": 1, "landmark": 2}}


def test_one_reading_alone():
    payload = structure_payload(synthetic_reading(68))
    assert payload["meta"]["models"][0]["twin"] == []


def test_what_is_not_there():
    reading = synthetic_reading(68)
    with pytest.raises(TraceError, match="one or two"):
        structure_payload([])
    with pytest.raises(TraceError, match="model 1"):
        structure_payload([reading], {"model": 1})
    with pytest.raises(TraceError, match="68 landmarks"):
        structure_payload([reading], {"landmark": 68})
    with pytest.raises(TraceError, match="structure"):
        structure_payload(synthetic_reading(68, attention=False))


def test_most_similar_leaves_itself_out(tmp_path):
    got = run(
        tmp_path,
        "structure",
        "return mostSimilar([1, 0.2, 0.9, 0.2, 1, -0.5, 0.9, -0.5, 1], 3, 0, 2);",
    )
    assert got == [{"i": 2, "v": 0.9}, {"i": 1, "v": 0.2}]


def test_mean_face_fits_and_keeps_its_aspect(tmp_path):
    got = run(
        tmp_path,
        "structure",
        """const v = fitPoints([[0.2, 0.4], [0.6, 0.6]], 200, 100, 10);
        return [v.px([0.2, 0.4]), v.px([0.6, 0.6]), v.unit(v.px([0.3, 0.5]))]
          .map((p) => p.map((x) => +x.toFixed(6)));""",
    )
    # 180 / 0.4 = 450 and 80 / 0.2 = 400 pixels a unit: the smaller one, so x covers 160 of 200
    assert got == [[20, 10], [180, 90], [0.3, 0.5]]


def test_caption_names_the_nearest_encodings(tmp_path):
    both = structure_payload([synthetic_reading(68), synthetic_reading(98)])["meta"]
    got = run(
        tmp_path,
        "structure",
        """const near = [{ i: 29, v: 0.98765 }, { i: 31, v: 0.5 }, { i: 2, v: -0.25 }];
        const say = (meta, i, near) => captionText(composeCaption(meta.caption, structureFacts(meta, 0, i, near)));
        return [say(input.meta, 30, near), say(input.meta, 30, near.slice(1)), say(input.meta, null, []),
          say({ ...input.meta, models: input.meta.models.slice(0, 1) }, null, [])];""",
        meta=both,
    )
    assert got[0].startswith("relation.structure \u00b7 cosine similarity of 68 encodings of width")
    assert "and of 98 encodings of width" in got[0]
    near = "nose bridge 3 of 4 0.988, nose base 1 of 5 0.5, jaw 3 of 17 -0.25"
    assert got[0].endswith(f"nose bridge 4 of 4 (30) of 68: {near}")
    assert got[1].endswith("nose base 1 of 5 0.5, jaw 3 of 17 -0.25")
    assert got[2].endswith("point at a landmark or a row for its nearest encodings")
    assert "and of" not in got[3]
