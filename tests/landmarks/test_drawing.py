"""A drawing keeps its points, and a file that is none costs one sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.landmarks import Drawing, Group, drawing, user_scheme
from workbench.landmarks.drawing import MOST, REACH


def test_a_drawing_survives_its_file(tmp_path) -> None:
    scheme = user_scheme("hairline", 3, groups=[Group("hair", "other", (0, 2, 1))], labels=("a", "b", "c"))
    given = Drawing(scheme, np.array([[0.1, -0.2], [1.1, 0.25], [0.3333333, 0.5]]), "ibug68", (-1, 4, -1))
    path = tmp_path / "shape.json"
    path.write_text(given.to_json(), encoding="utf-8")
    for source in (path, path.read_text(), path.read_bytes(), json.loads(path.read_text())):
        read = Drawing.from_json(source)
        assert (read.scheme, read.template, read.origin) == (scheme, "ibug68", (-1, 4, -1))
        np.testing.assert_allclose(read.points, given.points, atol=1e-6)
    assert Drawing.from_json(path).digest == Drawing.from_json(Drawing.from_json(path).to_json()).digest


def test_points_alone_are_enough() -> None:
    read = Drawing.from_json('{"points": [[0.5, 0.5], [0, 1]]}')
    assert (read.scheme.name, read.scheme.count, read.origin) == ("shape", 2, (-1, -1))


def test_equal_drawings_have_equal_digests() -> None:
    assert drawing([[0.1, 0.2]]).digest == drawing([[0.1, 0.2]]).digest
    assert drawing([[0.1, 0.2]]).digest != drawing([[0.1, 0.3]]).digest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not readable JSON"),
        ("{", "not readable JSON"),
        ("[" * 100_000, "not readable JSON"),
        (b"\xff\xfe\x00", "not readable JSON"),
        ("[1, 2]", "JSON object"),
        ("{}", "'points'"),
        ('{"points": []}', "pairs"),
        ('{"points": [[1, 2, 3]]}', "pairs"),
        ('{"points": [[0, 1], [2]]}', "pairs"),
        ('{"points": [["a", "b"]]}', "pairs"),
        ('{"points": [{"x": 1}]}', "pairs"),
        ('{"points": [[0.5, NaN]]}', "Point 0 of the shape is not a finite"),
        ('{"points": [[0.5, 0.5], [Infinity, 0]]}', "Point 1 of the shape is not a finite"),
        ('{"points": [[0.5, 0.5], [9, 0]]}', "too far off"),
        ('{"points": [[0.5, 0.5]], "count": 3}', "names 3 points but places 1"),
        ('{"points": [[0.5, 0.5]], "count": 1e999}', "whole numbers"),
        ('{"points": [[0.5, 0.5]], "groups": [{"name": "a", "indices": [7]}]}', "name 7"),
        ('{"points": [[0.5, 0.5]], "groups": 7}', "cannot be read"),
        ('{"points": [[0.5, 0.5]], "origin": [1, 2]}', "origins"),
        ('{"points": [' + "[0,0]," * 400_000 + "[0,0]]}", "too large"),
    ],
)
def test_what_is_no_drawing(text: str | bytes, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        Drawing.from_json(text)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path) -> None:
    with pytest.raises(DataError, match="There is no shape file"):
        Drawing.from_json(tmp_path / "none.json")


def test_the_bounds() -> None:
    assert drawing([[-REACH, 1 + REACH]]).scheme.count == 1
    assert drawing(np.zeros((MOST, 2))).scheme.count == MOST
    with pytest.raises(DataError, match=f"at most {MOST}"):
        drawing(np.zeros((MOST + 1, 2)))


def test_what_other_tools_keep_beside_the_points_is_theirs() -> None:
    others = '"imagePath": "a.jpg", "flags": {}, "version": "5"'
    found = Drawing.from_json(f'{{"points": [[0.3, 0.4], [0.7, 0.4]], {others}}}')
    assert found.points.tolist() == [[0.3, 0.4], [0.7, 0.4]]
    assert found.scheme.name == "shape"
