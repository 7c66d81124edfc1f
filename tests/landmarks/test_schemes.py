from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import DataError, UnknownNameError
from workbench.landmarks import PARTS, SCHEMES, Group, Scheme, get_scheme, to_five, to_ibug68, user_scheme

COUNTS = {"ibug68": 68, "wflw98": 98, "cofw29": 29, "aflw19": 19, "five": 5, "webmorph189": 189}


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_every_scheme_is_whole(name: str) -> None:
    scheme = get_scheme(name)
    assert scheme.count == COUNTS[name]
    assert {i for group in scheme.groups for i in group.indices} == set(range(scheme.count))
    assert set(scheme.part_of) <= set(PARTS)
    assert [scheme.flip[scheme.flip[i]] for i in range(scheme.count)] == list(range(scheme.count))
    opposite = {"image left": "image right", "image right": "image left", "centre": "centre"}
    for i, side in enumerate(scheme.side_of):
        assert scheme.side_of[scheme.flip[i]] == opposite[side]
        assert scheme.part_of[scheme.flip[i]] == scheme.part_of[i]
        assert (scheme.flip[i] == i) == (side == "centre")


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_mirrored_groups_are_groups(name: str) -> None:
    """A mirror maps each polyline's set of points onto a polyline's set of points."""
    scheme = get_scheme(name)
    drawn = {frozenset(g.indices) for g in scheme.groups}
    assert {frozenset(scheme.flip[i] for i in g.indices) for g in scheme.groups} == drawn
    for group in scheme.groups:
        for word, side in (("image-left", "image left"), ("image-right", "image right")):
            if group.name.startswith(word):
                assert {scheme.side_of[i] for i in group.indices} == {side}


def test_known_points() -> None:
    ibug, wflw, cofw = SCHEMES["ibug68"], SCHEMES["wflw98"], SCHEMES["cofw29"]
    assert (ibug.eye_corners, wflw.eye_corners, cofw.eye_corners) == ((36, 45), (60, 72), (8, 9))
    assert ibug.pupils == ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47))
    assert (wflw.pupils, cofw.pupils) == (((96,), (97,)), ((16,), (17,)))
    assert [ibug.flip[i] for i in (0, 8, 17, 36, 41, 48, 60, 67)] == [16, 8, 26, 45, 46, 54, 64, 65]
    assert [wflw.flip[i] for i in (0, 33, 38, 60, 76, 95, 96)] == [32, 46, 50, 72, 82, 93, 97]
    assert ibug.label(0) == "jaw 1 of 17"
    assert cofw.label(28) == "chin"
    assert ibug.side_of[36] == "image left"
    assert ibug.part_of[36] == "eyes"
    assert ibug.group_of[36] == "image-left eye"
    assert ibug.polylines()[0] == tuple(range(17))
    assert ibug.polylines()[5] == (36, 37, 38, 39, 40, 41, 36)


def test_names_and_aliases() -> None:
    assert get_scheme("68") is get_scheme(68) is get_scheme("300W") is get_scheme(SCHEMES["ibug68"])
    assert get_scheme("98").name == "wflw98"
    with pytest.raises(UnknownNameError, match="did you mean 'wflw98'"):
        get_scheme("wlfw98")


def test_conversions() -> None:
    wflw = np.stack([np.arange(98.0), -np.arange(98.0)], axis=-1)
    ibug = to_ibug68(wflw)
    assert ibug.shape == (68, 2)
    assert ibug[:, 0][[0, 16, 17, 22, 27, 31, 36, 39, 45, 48, 60, 67]].tolist() == [
        0, 32, 33, 42, 51, 55, 60, 64, 72, 76, 88, 95,
    ]  # fmt: skip
    five = to_five(wflw[None], "wflw98")
    assert five[0, :, 0].tolist() == [96, 97, 54, 76, 82]
    five = to_five(np.stack([np.arange(68.0)] * 2, axis=-1), "ibug68")
    assert five[:, 0].tolist() == [38.5, 44.5, 30, 48, 54]
    assert to_five(np.zeros((3, 189, 2)), "webmorph189").shape == (3, 5, 2)
    with pytest.raises(DataError, match="68, 2"):
        to_five(wflw, "ibug68")


def test_conversions_keep_sides() -> None:
    """Reducing the mirrored face is the same as mirroring the reduced face."""
    five, ibug, wflw = SCHEMES["five"], SCHEMES["ibug68"], SCHEMES["wflw98"]
    points = np.random.default_rng(0).normal(size=(98, 2))
    np.testing.assert_allclose(to_ibug68(points[list(wflw.flip)]), to_ibug68(points)[list(ibug.flip)])
    for scheme in (wflw, ibug, SCHEMES["cofw29"], SCHEMES["aflw19"], SCHEMES["webmorph189"]):
        points = np.random.default_rng(0).normal(size=(scheme.count, 2))
        mirrored = to_five(points[list(scheme.flip)], scheme)
        np.testing.assert_allclose(mirrored, to_five(points, scheme)[list(five.flip)])


@pytest.mark.parametrize("scheme", [*SCHEMES.values(), user_scheme("dots", 3)], ids=lambda s: s.name)
def test_json_round_trip(scheme: Scheme, tmp_path) -> None:
    assert Scheme.from_json(scheme.to_json()) == scheme
    path = tmp_path / "scheme.json"
    path.write_text(scheme.to_json(), encoding="utf-8")
    assert Scheme.from_json(path) == scheme


def test_a_scheme_of_ones_own() -> None:
    scheme = user_scheme("ears", 3, groups={"image-left ear": [0], "image-right ear": [1]}, flip=[1, 0, 2])
    assert scheme.side_of == ("image left", "image right", "centre")
    assert scheme.part_of == ("other",) * 3
    assert scheme.group_of[2] == ""
    assert scheme.label(2) == "landmark 2"
    by_points = user_scheme("ears", [[0, 0], [9, 0], [5, 3]], flip=[1, 0, 2])
    assert by_points.count == 3
    assert by_points.side_of == ("image left", "image right", "centre")
    bare = user_scheme("bare", 2)
    assert not bare.can_flip
    assert bare.side_of == ("centre", "centre")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_is_read_whatever_editor_has_saved_it(tmp_path, encoding: str) -> None:
    path = tmp_path / "five.json"
    path.write_text(get_scheme("five").to_json(), encoding=encoding)
    assert Scheme.from_json(path) == get_scheme("five")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"points": 0}, "at least one"),
        ({"points": [1.0, 2.0]}, r"\(N, 2\)"),
        ({"points": 2, "flip": [0]}, "1 flip entries for 2"),
        ({"points": 2, "flip": ["a", "b"]}, "whole numbers"),
        ({"points": 2, "flip": [0.5, 1]}, "whole numbers"),
        ({"points": 2, "flip": [float("inf"), 1]}, "whole numbers"),
        ({"points": 3, "flip": [1, 2, 0]}, "0 mirrors 1, but 1 mirrors 2"),
        ({"points": 2, "flip": [0, 7]}, "name 7"),
        ({"points": 2, "groups": {"brow": [0, 2]}}, "group 'brow' name 2"),
        ({"points": 2, "groups": [Group("brow", "hat", (0, 1))]}, "part 'hat'"),
        ({"points": 2, "eye_corners": (1, 1)}, "two different"),
        ({"points": 2, "pupils": ((0,), ())}, "each of the two pupils"),
        ({"points": 2, "labels": ["a"]}, "1 labels for 2"),
    ],
)
def test_contradictions_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        user_scheme("own", **arguments)


@pytest.mark.parametrize(
    "text",
    ["{", "[1]", '{"name": "x"}', '{"name": "x", "count": 2, "hat": 1}', '{"name": "x", "count": "many"}'],
)
def test_bad_json_is_named(text: str) -> None:
    with pytest.raises(DataError):
        Scheme.from_json(text)
