"""The rectangle that a person moves, and the pace at which its changes are sent, in Node."""

from __future__ import annotations

from tests.widgets.javascript import run

RECT = "const r = [2, 2, 6, 4], b = { bounds: [0, 0, 10, 10], min: 1 }, q = { ...b, square: true };"


def test_rectangles_move_and_stay_inside(tmp_path):
    got = run(
        tmp_path,
        "uncertainty",
        RECT
        + """return [
          moveRect(r, 1, -1, b), moveRect(r, 99, -99, b), moveRect(r, -5, 0), moveRect([0, 0, 20, 1], 3, 0, b),
        ];""",
    )
    assert got == [[3, 1, 7, 3], [6, 0, 10, 2], [-3, 2, 1, 4], [0, 0, 20, 1]]


def test_rectangles_resize_without_flipping(tmp_path):
    got = run(
        tmp_path,
        "uncertainty",
        RECT
        + """const pulls = [["se", 1, 2], ["nw", 99, 99], ["e", 99, 5], ["n", 3, -99]];
        return pulls.map(([h, x, y]) => resizeRect(r, h, x, y, b));""",
    )
    assert got == [[2, 2, 7, 6], [5, 3, 6, 4], [2, 2, 10, 4], [2, 0, 6, 4]]


def test_squares_stay_squares(tmp_path):
    got = run(
        tmp_path,
        "picker",
        RECT
        + """const pulls = [["se", 2, 0], ["nw", -1, -3], ["e", 2, 9], ["se", 99, 99], ["n", 0, 99], ["s", 0, 3]];
        return pulls.map(([h, x, y]) => resizeRect([2, 2, 6, 6], h, x, y, q));""",
    )
    assert got[0] == [2, 2, 7, 7]  # the mean of both ways
    assert got[1] == [0, 0, 6, 6]  # from the opposite corner
    assert got[2] == [2, 1, 8, 7]  # an edge grows to both sides
    assert got[3] == [2, 2, 10, 10]  # as far as the bounds
    assert got[4] == [3.5, 5, 4.5, 6]  # as small as allowed
    assert got[5] == [0.5, 2, 7.5, 9]
    assert all(x1 - x0 == y1 - y0 for x0, y0, x1, y1 in got)


def test_keys_nudge_and_resize(tmp_path):
    got = run(
        tmp_path,
        "picker",
        RECT
        + """return [
          nudgeRect(r, "ArrowLeft", false, 1, b), nudgeRect(r, "ArrowDown", true, 1, b),
          nudgeRect([2, 2, 6, 6], "ArrowRight", true, 1, q), nudgeRect(r, "Enter", false, 1, b),
        ];""",
    )
    assert got == [[1, 2, 5, 4], [2, 2, 6, 5], [2, 2, 7, 7], None]


def test_hit_and_span(tmp_path):
    got = run(
        tmp_path,
        "picker",
        """const boxes = [[0, 0, 10, 10], [2, 2, 4, 4], [20, 20, 30, 30]];
        return { hits: [[3, 3], [5, 5], [15, 15], [20, 30]].map((p) => smallestAt(boxes, p)),
          span: spanRect([5, 8], [-3, 2], { bounds: [0, 0, 10, 10] }) };""",
    )
    assert got["hits"] == [1, 0, -1, 2]
    assert got["span"] == [0, 2, 5, 8]


def test_questions_wait_for_answers(tmp_path):
    got = run(
        tmp_path,
        "uncertainty",
        """let clock = 0, alarms = [];
        const sent = [], never = (alarm) => { alarms = alarms.filter((a) => a !== alarm); };
        const later = (ring, ms) => { const alarm = { ring, at: clock + ms }; alarms.push(alarm); return alarm; };
        const pace = pacer((v) => sent.push([clock, v]), { gap: 120, patience: 1500, now: () => clock, later, never });
        const until = (t) => {
          for (;;) {
            const next = alarms.filter((a) => a.at <= t).sort((a, b) => a.at - b.at)[0];
            if (!next) break;
            never(next); clock = next.at; next.ring();
          }
          clock = t;
        };
        pace.offer("a");                        // at once
        until(50); pace.offer("b"); until(60); pace.offer("c");
        until(90); pace.answered(); until(300); // c at 120, b never
        until(310); pace.offer("d"); until(5000); // no answer to c: d after the patience
        pace.offer("e"); pace.offer("f", true); until(9000); // a final one goes at once and e with it
        return sent;""",
    )
    assert got == [[0, "a"], [120, "c"], [1620, "d"], [5000, "e"], [5000, "f"]]
