"""The Shape editor: what it is sent, what it commits, and the edits themselves."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.shaping import oval, tiny_tufa
from tests.widgets.javascript import run
from workbench.errors import DataError
from workbench.explain.caption_tables import SHAPE
from workbench.explain.captions import compose
from workbench.landmarks import Drawing, Group, get_scheme, user_scheme
from workbench.shaping import conventions, find_shape
from workbench.widgets import pack
from workbench.widgets.shape import EMPTY, drawing_of, shape_editor, shape_payload, state_of


@pytest.fixture(scope="module")
def model():
    return tiny_tufa()


@pytest.fixture(scope="module")
def face():
    return wb.sample_face("astronaut")


@pytest.fixture(scope="module")
def plane(model):
    return list(conventions(model).values())


@pytest.fixture(scope="module")
def payload(model, face, plane):
    return shape_payload(face, plane, find_shape(model, face, plane[3]))


def test_what_the_editor_is_sent(payload, plane, model, face) -> None:
    meta = payload["meta"]
    assert list(meta["templates"]) == ["ibug68", "wflw98", "cofw29", "five"]
    assert meta["guide"] == "ibug68"
    assert meta["state"]["drawing"]["points"] == np.round(plane[3].points, 5).tolist()
    found = find_shape(model, face, plane[3])
    np.testing.assert_allclose(meta["found"]["points"], found.points(), atol=1e-5)
    np.testing.assert_allclose(meta["found"]["photo"], found.landmarks, atol=0.01)
    assert meta["found"]["ids"] == [0, 1, 2, 3, 4]
    assert "all 5 points are anchors" in compose(SHAPE, meta["facts"])
    assert pack(payload)


def test_the_photograph_reaches_beyond_the_crop(payload, face, plane) -> None:
    margin = payload["meta"]["margin"]
    around = face.with_factor(face.factor * (1 + 2 * margin))
    corners = np.array([[-margin, -margin], [1 + margin, 1 + margin]])
    np.testing.assert_allclose(
        face.to_photo(corners * 256), around.to_photo(np.array([[0, 0], [256, 256]])), atol=1e-6
    )
    assert shape_payload(face.with_factor(4), plane)["meta"]["margin"] == 0


def test_an_empty_plane_finds_nothing(face, plane) -> None:
    meta = shape_payload(face, plane, None, EMPTY)["meta"]
    assert meta["found"] is None
    assert "nothing is found" in compose(SHAPE, meta["facts"])


def test_an_untouched_template_keeps_its_scheme(plane) -> None:
    state = state_of(plane[0], at=7)
    back = drawing_of(state, plane)
    assert back is not None
    assert (back.scheme, back.origin, state["at"]) == (get_scheme("68"), tuple(range(68)), 7)


def test_ids_become_indices_and_points_keep_their_names(plane) -> None:
    state = {
        **EMPTY,
        "name": "two",
        "template": "ibug68",
        "points": [[0.5, 0.6], [0.1, 0.1], [0.2, 0.1]],
        "ids": [30, 68, 70],
        "origin": [30, -1, -1],
        "groups": [{"name": "hair", "part": "other", "closed": False, "ids": [70, 68]}],
    }
    drawn = drawing_of(state, plane)
    assert drawn is not None
    assert drawn.scheme.groups == (Group("hair", "other", (2, 1)),)
    assert drawn.scheme.labels == (get_scheme("68").label(30), "hair 2 of 2", "hair 1 of 2")
    assert drawing_of(EMPTY) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": [[0.5, None]], "ids": [0], "origin": [-1]},
        {"points": [[0.5, 9]], "ids": [0], "origin": [-1]},
        {"points": [[0.5, 0.5], [0.1, 0.1]], "ids": [0, 0], "origin": [-1, -1]},
        {"points": [[0.5, 0.5]], "ids": [0], "origin": [-1], "groups": [{"name": "a"}]},
        {"points": [[0.5, 0.5]], "ids": ["x"], "origin": [-1]},
        {"points": [[0.1, 0.1]] * 501, "ids": list(range(501)), "origin": [-1] * 501},
        {"points": "many", "ids": None},
    ],
)
def test_a_state_that_is_no_drawing(wrong, plane) -> None:
    with pytest.raises(DataError):
        drawing_of({**EMPTY, **wrong}, plane)


def test_edits(tmp_path, payload) -> None:
    got = run(
        tmp_path,
        "shape",
        """const five = fromTemplate("five", input.meta.templates.five);
        const more = addPoint(five, [0.5, 0.1], 6), full = addPoint(more, [0, 0], 6);
        const moved = movePoints(more, new Set([2, 5]), 0.1, -9, -0.06, 1.06);
        const less = dropPoints(moved, new Set([0]));
        return {
          ids: more.ids, origin: more.origin, name: more.name, full: full === more, less: less.ids,
          groups: less.groups.map((g) => [g.name, g.ids]),
          by: moved.points.map((p, i) => p.map((v, k) => v - more.points[i][k])),
          again: addPoint(dropPoints(less, new Set([5])), [0, 0], 99).ids,
          untouched: five.points.length, kept: five.points[2],
        };""",
        meta=payload["meta"],
    )
    assert got["ids"] == [0, 1, 2, 3, 4, 5]
    assert got["origin"] == [0, 1, 2, 3, 4, -1]
    assert got["name"] == "five, edited"
    assert got["full"] is True
    assert got["less"] == [1, 2, 3, 4, 5]
    assert got["again"][-1] == 6  # an id is never used twice
    assert "image-left eye" not in dict(got["groups"])
    steps = np.array(got["by"])
    assert steps[:2].tolist() == [[0, 0]] * 2
    np.testing.assert_allclose(steps[2], steps[5])  # together, and no farther than the edge
    np.testing.assert_allclose(steps[5], [0.1, -0.16])
    assert got["untouched"] == 5
    assert got["kept"] == payload["meta"]["templates"]["five"]["points"][2]


def test_a_named_group_is_replaced_and_ended(tmp_path, payload) -> None:
    got = run(
        tmp_path,
        "shape",
        """const five = fromTemplate("five", input.meta.templates.five);
        const one = nameGroup(five, "band", new Set([3, 1])), two = nameGroup(one, "band", new Set([0, 4]));
        return [one.groups.at(-1).ids, two.groups.filter((g) => g.name === "band").map((g) => g.ids),
          nameGroup(two, "band", new Set()).groups.length - five.groups.length];""",
        meta=payload["meta"],
    )
    assert got == [[1, 3], [[0, 4]], 0]


def test_what_stands_where_it_was_trained(tmp_path, payload) -> None:
    got = run(
        tmp_path,
        "shape",
        """const five = addPoint(fromTemplate("five", input.meta.templates.five), [0.5, 0.1], 9);
        const moved = movePoints(five, new Set([1]), 0.01, 0, 0, 1);
        const looks = moved.ids.map((_, i) => pointLook(moved, i, input.meta));
        return looks.map((look) => [look.anchor, look.colour]);""",
        meta=payload["meta"],
    )
    assert [anchor for anchor, _ in got] == [True, False, True, True, True, False]
    assert got[5][1] == payload["meta"]["own"]
    assert [colour for _, colour in got[:5]] == payload["meta"]["templates"]["five"]["face"]["colour"]


def test_undo_and_redo(tmp_path) -> None:
    got = run(
        tmp_path,
        "shape",
        """const past = history(2); let now = "a"; const seen = [];
        for (const next of ["b", "c", "d"]) { past.push(now); now = next; }
        for (const way of ["undo", "undo", "undo", "redo", "redo", "redo"]) {
          now = past[way](now) ?? now;
          seen.push(now);
        }
        past.undo(now); past.push("x");
        return [seen, past.canRedo, past.canUndo];""",
    )
    assert got == [
        ["c", "b", "b", "c", "d", "d"],
        False,
        True,
    ]  # two steps back at most; a new edit ends what was ahead


def test_the_view_holds_every_point(tmp_path) -> None:
    got = run(
        tmp_path,
        "shape",
        "return [planeSpan([], 0.25), planeSpan([[0.5, 1.15]], 0.25), planeSpan([[-0.25, 0.2]], 0.25)];",
    )
    np.testing.assert_allclose(got, [[-0.06, 1.06], [-0.06, 1.18], [-0.25, 1.06]])


def test_which_drawing_a_reload_takes_up(tmp_path) -> None:
    got = run(
        tmp_path,
        "shape",
        """const stored = { at: 5, tab: "t", points: [] };
        return [newer(stored, { at: 0 }, "u"), newer(stored, { at: 3 }, "u"), newer(stored, { at: 3 }, "t"),
          newer(stored, { at: 9 }, "t"), newer(null, { at: 0 }, "t"), newer({ at: 5 }, { at: 0 }, "t")];""",
    )
    assert got == [True, False, True, False, False, False]


def test_the_notebook_finds_every_edit(model, face, plane) -> None:
    widget = shape_editor(model, face)
    before = widget.packed
    drawn = Drawing(user_scheme("oval", 6), oval(6))
    widget.state = {"drawing": state_of(drawn, at=1)}
    assert widget.packed != before
    expected = shape_payload(face, plane, find_shape(model, face, drawn), widget.state["drawing"])
    assert widget.packed == pack(expected)
    widget.state = {"drawing": {**EMPTY, "at": 2}}
    assert b'"found":null' in widget.packed
    kept = widget.packed
    widget.state = {"drawing": {**EMPTY, "points": [[9, 9]], "ids": [0], "origin": [-1]}}
    assert widget.packed == kept
