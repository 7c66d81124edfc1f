"""The Shape editor: what it is sent, what it commits, and the edits themselves."""

from __future__ import annotations

import json

import numpy as np
import pytest

import workbench as wb
from tests.shaping import oval, tiny_tufa
from tests.widgets.javascript import run
from workbench.errors import DataError
from workbench.explain.caption_tables import SHAPE
from workbench.explain.captions import compose
from workbench.finding import encode_face, other_views, spread
from workbench.landmarks import Drawing, Group, get_scheme, user_scheme
from workbench.landmarks.library import library
from workbench.shaping import conventions, find_shape
from workbench.widgets import pack
from workbench.widgets.shape import (
    EMPTY,
    answers_to,
    drawing_of,
    film_of,
    shape_editor,
    shape_payload,
    state_of,
)
from workbench.widgets.shape_packing import pack_state, unpack_state


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


def test_groups_keep_the_order_of_choosing_and_never_delete_one_another(tmp_path, payload) -> None:
    got = run(
        tmp_path,
        "shape",
        """const five = fromTemplate("five", input.meta.templates.five);
        const one = nameGroup(five, "band", new Set([3, 1, 4])), two = nameGroup(one, "band", new Set([0, 4]), true);
        const [whole] = groupsOf(two, new Set([0, 4]));
        const shut = changeGroup(two, whole, { closed: false, colour: "#112233", fill: true, name: "band" });
        const none = changeGroup(shut, shut.groups.at(-1), null);
        const fewer = none.groups.length - one.groups.length;
        return [two.groups.slice(-2), shut.groups.at(-1), fewer, none.ids.length];""",
        meta=payload["meta"],
    )
    assert [(g["name"], g["ids"], g["closed"]) for g in got[0]] == [
        ("band", [3, 1, 4], False),
        ("band 2", [0, 4], True),
    ]
    assert got[1] == {
        "name": "band 2",
        "part": "other",
        "closed": False,
        "ids": [0, 4],
        "colour": "#112233",
        "fill": True,
    }
    assert got[2:] == [0, 5]


def test_a_stroke_becomes_points_at_equal_distances(tmp_path) -> None:
    got = run(
        tmp_path,
        "shape",
        """const open = resample([[0, 0], [1, 0], [1, 3]], 5);
        const shut = resample([[0, 0], [1, 0], [1, 1], [0, 1]], 8, true);
        return { open, shut, still: resample([[0.2, 0.3], [0.2, 0.3]], 4),
          round: ellipse([0, 0], [1, 1], 4), net: lattice([0, 0], [2, 1], 8),
          one: lattice([0, 0], [0, 0], 4).length };""",
    )
    np.testing.assert_allclose(got["open"], [[0, 0], [1, 0], [1, 1], [1, 2], [1, 3]])
    np.testing.assert_allclose(got["shut"][:3], [[0, 0], [0.5, 0], [1, 0]])
    assert len(got["shut"]) == 8
    assert got["still"] == [[0.2, 0.3]]
    np.testing.assert_allclose(got["round"], [[0.5, 0], [1, 0.5], [0.5, 1], [0, 0.5]], atol=1e-3)
    np.testing.assert_allclose(got["net"], [[x, y] for y in (0, 1) for x in np.linspace(0, 2, 4)])
    assert got["one"] >= 1


def test_what_is_done_to_chosen_points(tmp_path) -> None:
    got = run(
        tmp_path,
        "shape",
        """const base = { name: "d", template: "", points: [[0.2, 0.2], [0.4, 0.2], [0.4, 0.5]], ids: [0, 1, 7],
          origin: [-1, -1, -1], groups: [{ name: "g", part: "other", closed: true, ids: [0, 1], fill: true }] };
        const all = new Set([0, 1, 7]), pair = new Set([0, 1]), box = [-0.4, 1.4];
        const twice = copied(base, pair, 0.1, 99), over = mirrored(base, pair, 0.5, 99);
        const again = mirrored(over.drawing, new Set([0]), 0.5, 99);
        const side = { ...over.drawing };
        return {
          quarter: turned(base, pair, Math.PI / 2, 2, box).points, aligned: aligned(base, all, 1, box).points,
          even: distributed({ ...base, points: [[0, 0], [0.3, 0], [0.4, 0]] }, all, box).points,
          twice: [twice.ids, twice.drawing.points.slice(3), twice.drawing.groups[1]],
          over: [over.drawing.points.slice(3), over.drawing.groups[1].name], again: again.ids.length,
          twin: twinOf(side, 0, 0.5), moved: moveTwins(side, new Set([0]), new Set([8]), 0.1, 0, -0.4, 1.4).points[3],
          full: copied(base, all, 0.1, 4).ids.length,
          snap: [snapped([0.5, 0.5], [[0.51, 0.5]], 0.02), snapped([0, 0], [[1, 1]], 0.02)],
          inside: [[0.5, 0.5], [1.5, 0.5]].map((p) => within(p, [[0, 0], [1, 0], [1, 1], [0, 1]])),
        };""",
    )
    np.testing.assert_allclose(got["quarter"][:2], [[0.3, 0.0], [0.3, 0.4]], atol=1e-9)
    np.testing.assert_allclose(np.array(got["aligned"])[:, 1], 0.3)
    np.testing.assert_allclose(got["even"], [[0, 0], [0.2, 0], [0.4, 0]])
    assert got["twice"][0] == [8, 9]
    np.testing.assert_allclose(got["twice"][1], [[0.3, 0.3], [0.5, 0.3]])
    assert got["twice"][2] == {"name": "g 2", "part": "other", "closed": True, "ids": [8, 9], "fill": True}
    np.testing.assert_allclose(got["over"][0], [[0.8, 0.2], [0.6, 0.2]])
    assert got["over"][1] == "g, mirrored"
    assert got["again"] == 0  # its twin is there already
    assert got["twin"] == 8
    np.testing.assert_allclose(got["moved"], [0.7, 0.2])  # the other way
    assert got["full"] == 1
    assert got["snap"] == [[0.51, 0.5], [0, 0]]
    assert got["inside"] == [True, False]


def test_from_the_photograph_back_to_the_plane(tmp_path) -> None:
    rng = np.random.default_rng(0)
    photo = rng.random((30, 2))
    turn = np.array([[0.9, 0.2], [-0.1, 1.1]])
    asked = rng.random((5, 2))
    got = run(
        tmp_path,
        "shape",
        """const back = warp(input.photo, input.plane);
        return [input.asked.map(back), back(input.photo[3]), warp([], [])([0, 0])];""",
        photo=photo.tolist(),
        plane=(photo @ turn + 0.1).tolist(),
        asked=asked.tolist(),
    )
    np.testing.assert_allclose(got[0], asked @ turn + 0.1, atol=1e-6)  # an affine map is found exactly
    np.testing.assert_allclose(got[1], photo[3] @ turn + 0.1, atol=1e-9)
    assert got[2] is None


def test_a_guess_is_told_by_the_hull_and_the_distance(tmp_path, payload) -> None:
    got = run(
        tmp_path,
        "shape",
        """const d = (p) => ({ ...fromTemplate(""), points: [p], ids: [0], origin: [-1] });
        const corners = [[0, 0], [1, 0], [1, 1], [0, 1]], meta = { ...input.meta, anchors: corners, hull: corners };
        return [[0.01, 0.01], [0.5, 0.5], [-0.05, 1.04]].map((p) => pointLook(d(p), 0, meta));""",
        meta=payload["meta"],
    )
    assert [(look["outside"], look["guess"]) for look in got] == [(False, False), (False, True), (True, True)]
    assert got[1]["away"] == pytest.approx(2**-0.5)


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


def test_undo_and_redo_without_a_limit_and_over_a_reload(tmp_path) -> None:
    got = run(
        tmp_path,
        "shape",
        """const past = history(); let now = 0;
        for (let k = 1; k <= 1000; k++) { past.push(now); now = k; }
        for (let k = 0; k < 1000; k++) now = past.undo(now);
        const first = now, end = past.undo(now);
        now = past.redo(now);
        const after = history(JSON.parse(JSON.stringify(past.all)));
        const again = after.redo(now);
        after.push(again);
        return [first, end, again, after.undo("x"), after.canRedo, history().canUndo];""",
    )
    assert got == [0, None, 2, 2, True, False]


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


def test_corrections_are_remembered_face_by_face(tmp_path) -> None:
    got = run(
        tmp_path,
        "shape_store",
        """const held = new Map();
        globalThis.localStorage = { getItem: (k) => held.get(k) ?? null, setItem: (k, v) => held.set(k, v) };
        const store = browserStore();
        const none = store.marksOf("a");
        for (let k = 0; k < 60; k++) store.keepMarks({ face: `f${k}`, root: 0, at: k, points: [[k, 0.5, 0.5]] });
        store.keepMarks({ face: "f59", root: 0, at: 99, points: [] });
        return [none, store.marksOf("f9"), store.marksOf("f10").points, store.marksOf("f59").at];""",
    )
    assert got == [None, None, [[10, 0.5, 0.5]], 99]


def test_a_correction_takes_the_place_of_what_was_found_on_the_photograph_alone(tmp_path) -> None:
    got = run(
        tmp_path,
        "shape_drawing",
        """const v = { drawing: { ids: [4, 7], points: [[0, 0], [1, 1]] }, step: null, meta: {},
          found: { ids: [4, 7], points: [[0.1, 0.2], [0.3, 0.4]], others: [[[0.5, 0.5], [0.6, 0.6]]] },
          marks: new Map([[7, [0.9, 0.8]], [99, [0, 0]]]) };
        return ["photo", "plane", 0].map((where) => [...placesOf(v, where)]);""",
    )
    assert got == [[[4, [0.1, 0.2]], [7, [0.9, 0.8]]], [[4, [0, 0]], [7, [1, 1]]], [[4, [0.5, 0.5]], [7, [0.6, 0.6]]]]


def test_marks_travel_only_where_a_model_can_be_taught(face, plane, model) -> None:
    reading = find_shape(model, face, plane[0])
    assert "teach" not in shape_payload(face, plane, reading)["meta"]
    given = {"face": "f", "root": 0, "at": 3, "points": [[1, 0.5, 0.5]]}
    meta = shape_payload(face, plane, reading, marks=given)["meta"]
    assert meta["teach"] == "f" and meta["state"]["marks"] == given


def test_further_faces_looks_and_an_animation_travel(model, face, plane) -> None:
    other = wb.sample_face("frontal-a")
    faces = [encode_face(model, one) for one in (face, other)]
    drawn = Drawing(user_scheme("oval", 6), oval(6))
    state = {**state_of(drawn, at=5), "film": (oval(6) * 0.5 + 0.25).tolist()}
    told = answers_to(model, faces, plane, drawn, state)
    payload = shape_payload(face, plane, told, state, others=[other])
    meta = payload["meta"]
    assert meta["faces"] == ["frontal-a"]
    np.testing.assert_allclose(meta["found"]["others"][0], find_shape(model, other, drawn).points(), atol=1e-4)
    film = np.array(meta["film"]["points"])
    assert film.shape[1:] == (2, 6, 2)
    np.testing.assert_allclose(film[-1, 0], meta["found"]["points"], atol=1e-4)
    start = find_shape(model, face, oval(6) * 0.5 + 0.25)
    np.testing.assert_allclose(film[0, 0], start.points(), atol=1e-4)
    shape = meta["looks"]["shape"]
    looks = np.frombuffer(payload["blobs"]["looks"], np.uint8).reshape(shape)
    assert shape[:2] == [2, 6]
    assert (looks.max((-1, -2)) == 255).all()
    assert {"photo", "face.0"} <= payload["blobs"].keys()
    assert answers_to(model, faces, plane, drawn, {**state, "live": True}).found.looks is None


@pytest.mark.parametrize("film", [None, "x", [[1, 2]], [[0.1, float("nan")]] * 6, [[1]] * 6])
def test_a_film_that_cannot_be_used_is_left_out(film) -> None:
    assert film_of({**state_of(Drawing(user_scheme("oval", 6), oval(6))), "film": film}) is None


def test_looks_of_groups_survive_state_link_and_file(plane) -> None:
    name, (_, drawing) = next((n, v) for n, v in library(plane[0]).items() if n == "make-up")
    back = drawing_of(unpack_state(pack_state(state_of(drawing, at=3))), plane)
    assert back is not None
    assert back.looks == drawing.looks
    assert {look.fill for look in back.looks} == {True}
    assert Drawing.from_json(drawing.to_json()).looks == drawing.looks
    assert name == drawing.scheme.name
    with pytest.raises(DataError, match="#rrggbb"):
        drawing_of({**state_of(drawing), "groups": [{**state_of(drawing)["groups"][0], "colour": "red"}]})


def test_the_notebook_finds_every_edit(model, face, plane) -> None:
    widget = shape_editor(model, face)
    before = widget.packed
    drawn = Drawing(user_scheme("oval", 6), oval(6))
    widget.state = {"drawing": state_of(drawn, at=1)}
    assert widget.packed != before
    sent = json.loads(widget.packed[8 : 8 + int.from_bytes(widget.packed[4:8], "little")])["meta"]
    expected = find_shape(model, face, drawn)
    np.testing.assert_allclose(sent["found"]["points"], expected.points(), atol=2e-5)
    np.testing.assert_allclose(sent["found"]["photo"], expected.landmarks, atol=0.02)
    np.testing.assert_allclose(sent["found"]["path"], expected.trajectory(), atol=1e-4)
    assert sent["looks"]["shape"][:2] == [1, 6]
    widget.state = {"drawing": {**EMPTY, "at": 2}}
    assert b'"found":null' in widget.packed
    kept = widget.packed
    widget.state = {"drawing": {**EMPTY, "points": [[9, 9]], "ids": [0], "origin": [-1]}}
    assert widget.packed == kept


def test_the_spread_over_other_views_is_told_of_every_point(tmp_path, model, face, plane) -> None:
    drawn, encoded, views = (
        Drawing(user_scheme("oval", 6), oval(6)),
        [encode_face(model, face)],
        other_views(model, face),
    )
    state = state_of(drawn, at=5)
    told = answers_to(model, encoded, plane, drawn, state, views)
    wanted = spread(model, views, drawn.points, told.found.points[0])
    assert (wanted > 0).all()
    payload = shape_payload(face, plane, told, state)
    np.testing.assert_allclose(payload["meta"]["found"]["spread"], wanted, atol=1e-5)
    assert f"{100 * np.median(wanted):.2f}"[:3] in compose(SHAPE, payload["meta"]["facts"])
    lines = run(
        tmp_path,
        "shape",
        """const v = { drawing: { ...fromTemplate(""), ...input.meta.state.drawing }, found: input.meta.found,
          meta: input.meta };
        return describe(v, 2);""",
        meta=payload["meta"],
    )
    assert [
        "mirrored, cropped otherwise",
        f"moves by {100 * payload['meta']['found']['spread'][2]:.2f} % of the crop",
    ] in lines
    assert answers_to(model, encoded, plane, drawn, {**state, "live": True}, views).spread is None  # a drag is quick
    assert "ring" not in compose(
        SHAPE, shape_payload(face, plane, answers_to(model, encoded, plane, drawn, state))["meta"]["facts"]
    )
