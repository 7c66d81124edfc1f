"""Questions to one part of one tensor: what can be asked, what is then done, and that nobody else notices."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import workbench as wb
from workbench.axes import ENCODINGS, LANDMARK_PAIRS, SPATIAL_ATTENTION
from workbench.effects import ACTS, EffectReading, Question, acts, ask, head_effects, parts
from workbench.errors import Cancelled, TraceError, UnknownNameError
from workbench.models import FaceModel
from workbench.tracing import edits

PAIRS = LANDMARK_PAIRS[0]
CROSS = "relation.layers.0.cross"


@pytest.fixture(scope="module")
def dslpt() -> FaceModel:
    return wb.load_model("dslpt-68", device="cpu")


def test_parts_follow_from_the_axes_and_from_what_is_singled_out() -> None:
    assert parts(PAIRS, {}) == {"all": ()}
    assert parts(PAIRS, {"head": 2}) == {"all": (("head", 2),)}
    row = {"head": 2, "query_landmark": 30, "key_landmark": 8}
    assert parts(PAIRS, row) == {
        "all": (("head", 2),),
        "row": (("head", 2), ("query_landmark", 30)),
        "column": (("head", 2), ("key_landmark", 8)),
        "edge": (("head", 2), ("query_landmark", 30), ("key_landmark", 8)),
    }
    place = {"query_y": 1, "query_x": 2, "key_y": 1, "key_x": 2}
    assert parts(SPATIAL_ATTENTION[0], place)["row"] == (("query_y", 1), ("query_x", 2))
    assert parts(("channel", "y", "x"), {"channel": 5}) == {"all": (), "one": (("channel", 5),)}
    assert parts(("batch", "channel"), {"head": 1}) == {"all": ()}


def test_what_can_be_done_follows_from_the_axes() -> None:
    assert acts(PAIRS) == list(ACTS)
    assert acts(PAIRS, ["query_landmark", "key_landmark"]) == ["knock_out", "donor"]  # of one number
    assert acts(("batch", "channel"), ["channel"]) == ["knock_out", "donor"]
    assert "donor" not in acts(ENCODINGS[0])  # encodings are the same for every face


@pytest.mark.parametrize(
    ("question", "edit"),
    [
        (Question(CROSS, "knock_out", (("head", 1),), 2), edits.OnStage(edits.Drop("head", (1,)), 2)),
        (Question(CROSS, "knock_out", (("query_landmark", 30), ("key_landmark", 8))), edits.DropEdges(((30, 8),))),
        (Question(CROSS, "uniform"), edits.Uniform()),
        (Question("relation.layers.*.cross", "knock_out"), edits.Zero()),
    ],
)  # fmt: skip
def test_a_question_is_the_edit_that_it_says(question: Question, edit: object, dslpt: FaceModel) -> None:
    face = wb.sample_face("astronaut")
    found = ask(dslpt, face, question)
    assert isinstance(found, EffectReading)
    np.testing.assert_array_equal(found.effect.after, wb.effect(dslpt, face, {question.tap: edit}).after)
    np.testing.assert_array_equal(found.plain.landmarks, wb.read(dslpt, face, taps=()).landmarks)


def test_a_part_is_taken_from_another_face_and_from_itself(dslpt: FaceModel) -> None:
    face, donor = wb.sample_face("astronaut"), wb.sample_face("frontal-a")
    question = Question("relation.layers.*.cross", "donor")
    assert ask(dslpt, face, question, face).effect.displacement.max() < 1e-3
    moved = ask(dslpt, face, question, donor)
    assert moved.effect.displacement.max() > 0.5 and moved.done == "taken from frontal-a"
    with pytest.raises(TraceError, match="Choose the face"):
        ask(dslpt, face, question)


def test_what_cannot_be_asked_is_a_sentence(dslpt: FaceModel) -> None:
    face = wb.sample_face("astronaut")
    with pytest.raises(UnknownNameError, match="There is no 'burn'"):
        ask(dslpt, face, Question(CROSS, "burn"))
    with pytest.raises(TraceError, match="cannot be asked that"):
        ask(dslpt, face, Question(CROSS, "scramble", (("query_landmark", 1), ("key_landmark", 2))))
    with pytest.raises(TraceError, match="68 entries along 'query_landmark'"):
        ask(dslpt, face, Question(CROSS, "knock_out", (("query_landmark", 68),)))
    with pytest.raises(TraceError, match="different axes"):
        ask(dslpt, face, Question("*", "knock_out"))


def test_where_is_told_in_words(dslpt: FaceModel) -> None:
    at = (("head", 1), ("query_landmark", 30))
    found = ask(dslpt, wb.sample_face("astronaut"), Question(CROSS, "knock_out", at, 2))
    assert found.where == "stage 3, head 2, query nose bridge 4 of 4 (30)" and found.done == "set to zero"


def test_a_pose_that_turns_is_told() -> None:
    model = wb.load_model("atpn-68", device="cpu")
    effect = ask(model, wb.sample_face("astronaut"), Question("heatmap", "scramble")).effect
    assert effect.turn is not None and np.abs(effect.turn).max() > 0.1
    assert effect.displacement.max() == 0  # the heatmap is there for the pose


@pytest.mark.slow
def test_every_head_of_every_layer_is_knocked_out_in_turn(dslpt: FaceModel) -> None:
    face, told = wb.sample_face("astronaut"), []
    found = head_effects(dslpt, face, "cross", 2, lambda done, of: told.append((done, of)))
    assert found.shape == (4, 5, 2) and told[0] == (1, 20) and told[-1] == (20, 20)
    one = ask(dslpt, face, Question("relation.layers.1.cross", "knock_out", (("head", 3),), 2)).effect
    whole = ask(dslpt, face, Question("relation.layers.1.cross", "knock_out", (), 2)).effect
    assert one.percent is not None and whole.percent is not None
    np.testing.assert_allclose(found[1, 3], [one.displacement.mean(), one.percent.mean()], atol=1e-4)
    np.testing.assert_allclose(found[1, 4], [whole.displacement.mean(), whole.percent.mean()], atol=1e-4)
    with pytest.raises(UnknownNameError, match="no weights between landmarks called 'sideways'"):
        head_effects(dslpt, face, "sideways")

    def stop(done: int, of: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        head_effects(dslpt, face, "cross", 2, stop)


@pytest.mark.slow
def test_two_at_once_on_one_model_do_not_see_each_other(dslpt: FaceModel) -> None:
    face = wb.sample_face("astronaut")
    questions = [Question(CROSS, "uniform"), Question(CROSS, "knock_out"), Question("maps.0", "knock_out")]
    alone = [ask(dslpt, face, question).effect.after for question in questions]
    plain = wb.read(dslpt, face, taps=()).landmarks
    found: dict[int, np.ndarray] = {}
    start = threading.Barrier(len(questions) + 1)

    def run(which: int) -> None:
        start.wait()
        if which == len(questions):
            found[which] = wb.read(dslpt, face, taps=()).landmarks
        else:
            found[which] = ask(dslpt, face, questions[which]).effect.after

    threads = [threading.Thread(target=run, args=(k,)) for k in range(len(questions) + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for which, expected in enumerate([*alone, plain]):
        np.testing.assert_allclose(found[which], expected, atol=1e-4)
