"""Files of drawn shapes: every format there and back, what other tools save, and files as accidents leave them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fuzzing import mutated, rng, twisted
from workbench.data.shapes import SAVED, open_shape, shape_bytes
from workbench.errors import DataError, WorkbenchError
from workbench.landmarks import Drawing, Group, drawing, user_scheme

EYE = [(0.3, 0.4), (0.35, 0.38), (0.4, 0.4)]


def some_drawing(seed: int) -> Drawing:
    """Points anywhere, of which some lie on lines that share none."""
    r = rng(f"shape {seed}")
    count = r.randrange(1, 40)
    order = r.sample(range(count), count)
    cut = r.randrange(count + 1)
    groups = [
        Group(f"line {k}", "other", tuple(path), r.random() < 0.5 and len(path) > 2)
        for k, path in enumerate((order[:cut], order[cut:]))
        if len(path) > 1
    ]
    labels = tuple(f"point, {k}" for k in range(count)) if r.random() < 0.5 else ()
    points = np.array([[r.uniform(-0.4, 1.4), r.uniform(-0.4, 1.4)] for _ in range(count)])
    return Drawing(user_scheme("mine", count, groups=groups, labels=labels), points)


@pytest.mark.parametrize("ending", SAVED)
def test_what_is_saved_is_read_back(ending: str) -> None:
    for seed in range(40):
        one = some_drawing(seed)
        again = open_shape(shape_bytes(one, ending), f"mine{ending}")
        np.testing.assert_allclose(again.drawing.points, one.points, atol=1e-6)
        assert again.words == ""
        if ending in (".json", ".csv"):
            drawn = {(g.name, g.indices, g.closed) for g in again.drawing.scheme.groups}
            assert drawn == {(g.name, g.indices, g.closed) for g in one.scheme.groups}
            assert again.drawing.scheme.labels == one.scheme.labels


def test_the_authors_prompt_files_stand_in_pixels_of_a_256_pixel_crop() -> None:
    kept = io.BytesIO()
    np.savez(kept, init=np.full((3, 2), 1.0), offset=np.array([[64, 128], [128, 128], [192, 32]]))
    found = open_shape(kept.getvalue(), "tufa_shape_3.npz")
    np.testing.assert_allclose(found.drawing.points, [[0.25, 0.5], [0.5, 0.5], [0.75, 0.125]])
    assert found.words == "Not used: init."


def test_pixels_of_a_picture_are_placed_as_a_crop_places_a_face() -> None:
    text = "version: 1\nn_points: 3\n{\n101 201\n221 201\n161 261\n}\n"
    found = open_shape(text.encode(), "face.pts")
    side = 1.2 * 120  # of the box's longer side, centred on (160, 230)
    expected = (np.array([[100, 200], [220, 200], [160, 260]]) - (160 - side / 2, 230 - side / 2)) / side
    np.testing.assert_allclose(found.drawing.points, expected)
    assert "pixels were placed so that 1.2 times their box is the plane" in found.words


TOOLS: dict[str, tuple[str, Any, list[tuple[float, float]], str]] = {
    "landmarker 2": (
        "face.ljson",
        {"version": 2, "labels": [{"label": "eye", "mask": [0, 1, 2]}],
         "landmarks": {"points": [[0.4, 0.3], [0.38, 0.35], [0.4, 0.4]], "connectivity": [[0, 1], [1, 2], [2, 0]]}},
        EYE, "",
    ),
    "landmarker 3": (
        "face.json",
        {"version": 3, "groups": {"LJSON": {"labels": [], "landmarks": {"points": [[0.4, 0.3], None, [0.4, 0.4]]}},
                                  "other": {}}},
        [EYE[0], EYE[2]], "1 point without a place is left out; not used: group other.",
    ),
    "landmarker 1": (
        "face.ljson",
        {"version": 1, "groups": [{"label": "eye", "landmarks": [{"point": [y, x]} for x, y in EYE]}]}, EYE, "",
    ),
    "labelme": (
        "a.json",
        {"imagePath": "a.jpg", "imageWidth": 100, "shapes": [
            {"label": "tip", "shape_type": "point", "points": [[10, 10]]},
            {"label": "eye", "shape_type": "polygon", "points": [[82, 10], [130, 10], [130, 110]]},
            {"label": "head", "shape_type": "rectangle", "points": [[0, 0], [1, 1]]}]},
        # the box is 120 wide and 100 high, in the middle of a plane of 144
        [(1 / 12, 11 / 72), (7 / 12, 11 / 72), (13 / 12 - 1 / 6, 11 / 72), (11 / 12, 61 / 72)], "imagePath",
    ),
    "coco": (
        "coco.json",
        {"images": [{"id": 1}], "categories": [{"id": 7, "keypoints": ["a", "b", "c"], "skeleton": [[1, 2], [2, 3]]}],
         "annotations": [{"category_id": 7, "keypoints": [0, 0, 2, 120, 0, 1, 60, 120, 2]},
                         {"category_id": 7, "keypoints": [1, 1, 2]}]},
        [(1 / 12, 1 / 12), (11 / 12, 1 / 12), (0.5, 11 / 12)], "1 more annotated faces",
    ),
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_what_other_tools_save(tool: str) -> None:
    name, content, expected, words = TOOLS[tool]
    found = open_shape(json.dumps(content).encode(), name)
    points = found.drawing.points
    np.testing.assert_allclose(points, expected, atol=1e-9)
    assert words in found.words
    lines = {g.name: (g.indices, g.closed) for g in found.drawing.scheme.groups}
    match tool:
        case "landmarker 2":
            assert lines == {"eye": ((0, 1, 2), True)}
        case "labelme":
            assert lines == {"eye": ((1, 2, 3), True)} and "shape 3 ('head'), a rectangle" in found.words
            assert found.drawing.scheme.labels[0] == "tip"
        case "coco":
            assert lines == {"line": ((0, 1, 2), False)} and found.drawing.scheme.labels == ("a", "b", "c")


CVAT = (
    '<annotations><image id="0" name="a.jpg" width="9" height="9"><box label="face" xtl="0" ytl="0" xbr="1" ybr="1"/>'
    '<points label="tip" points="60,120"/><polyline label="brow" points="0,0;120,0"/></image>'
    '<image id="1"><points label="tip" points="1,1"/></image></annotations>'
)


def test_cvat() -> None:
    found = open_shape(CVAT.encode(), "annotations.xml")
    np.testing.assert_allclose(found.drawing.points, [(0.5, 11 / 12), (1 / 12, 1 / 12), (11 / 12, 1 / 12)])
    assert [g.name for g in found.drawing.scheme.groups] == ["brow"]
    assert "shape 1 ('face'), a box" in found.words and "1 more pictures" in found.words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x,y\n0.25,0.5\n0.75,0.5\n", [(0.25, 0.5), (0.75, 0.5)]),
        ("\ufeff0.25;0.5\r\n0.75;0.5\r\n", [(0.25, 0.5), (0.75, 0.5)]),
        ("0.25 0.5\n0.75  0.5\n", [(0.25, 0.5), (0.75, 0.5)]),
        ("name\ty\tx\tnote\na\t0.5\t0.25\tz\nb\t0.5\t0.75\tz\n", [(0.25, 0.5), (0.75, 0.5)]),
        ("0.1,0.2\n", [(0.1, 0.2)]),
    ],
)
def test_tables_as_people_write_them(text: str, expected: list[tuple[float, float]]) -> None:
    found = open_shape(text.encode(), "points.csv")
    np.testing.assert_allclose(found.drawing.points, expected)
    assert ("column note" in found.words) == ("note" in text)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.docx", b"x", "use one of .json"),
        ("a.json", b"{", "not readable JSON"),
        ("a.json", b'{"imagePath": "a.jpg"}', "It holds imagePath"),
        ("a.json", b'{"annotations": [{"bbox": [1]}]}', "none with 'keypoints'"),
        ("a.json", b'{"shapes": [{"shape_type": "point", "points": 3}]}', "a field is not what it is called"),
        ("a.npz", b"PK", "no readable .npz"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"name,size\na,1\n", "no columns 'x' and 'y'"),
        ("a.csv", b"x,y\n1,a\n", "no number"),
        ("a.pts", b"{ 5 5 5 5 }", "all in one place"),
        ("a.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><annotations/>', "document type"),
        ("a.xml", b"<annotations/>", "no picture"),
        ("a.csv", b"1,2\n" * 501, "at most 500 points"),
    ],
)
def test_what_is_no_shape_is_told(name: str, content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words.replace("(", r"\(")):
        open_shape(content, name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no shape file"):
        open_shape(tmp_path / "none.csv")


def test_mutated_files_end_in_a_drawing_or_a_sentence() -> None:
    whole = some_drawing(3)
    seeds = {f"a{ending}": shape_bytes(whole, ending) for ending in SAVED} | {"a.xml": CVAT.encode()}
    trees = {f"{tool}{name}": tree for tool, (name, tree, _, _) in TOOLS.items()}
    r = rng("shapes")
    for k in range(600):
        name = r.choice([*seeds, *trees])
        data = mutated(seeds[name], r) if name in seeds else json.dumps(twisted(trees[name], r)).encode()
        try:
            opened = open_shape(data, name)
        except WorkbenchError:
            continue
        assert np.isfinite(opened.drawing.points).all(), k
        opened.words.encode()


def test_a_bare_list_of_pairs_is_a_drawing() -> None:
    found = open_shape(b"[[0.5, 0.25], [0.5, 0.75]]", "a.json")
    np.testing.assert_allclose(found.drawing.points, drawing([[0.5, 0.25], [0.5, 0.75]]).points)
