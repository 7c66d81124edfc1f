"""A selection written into a link comes back; nonsense in a link becomes a default and one sentence."""

from __future__ import annotations

import pytest

from workbench.app.url_state import Limits, Selection, Shelf, clamp, from_link, to_link

SHELF = Shelf(
    samples=("astronaut", "composite-01"),
    models={"dslpt-68": Limits(3, 4, 8, 68), "dslpt-98": Limits(3, 2, 4, 98)},
    default_sample="astronaut",
    default_model="dslpt-68",
)


def test_an_empty_link_is_the_default_without_a_word() -> None:
    assert from_link({}, SHELF) == (Selection(sample="astronaut", model="dslpt-68"), "")


@pytest.mark.parametrize(
    "selection",
    [
        Selection(sample="astronaut", model="dslpt-68"),
        Selection(sample="composite-01", model="dslpt-98", stage=0, layer=1, head=3, landmark=97, kind="self"),
        Selection(sample="astronaut", model="dslpt-68", box=(10.0, 20.5, 110.0, 140.0), factor=1.25, index=2),
    ],
)
def test_a_selection_survives_its_link(selection: Selection) -> None:
    assert from_link(to_link(selection), SHELF) == (selection, "")


def test_face_stage_layer_and_head_count_from_one_in_links() -> None:
    link = to_link(Selection(sample="astronaut", model="dslpt-68", stage=2, layer=1, head=0))
    assert (link["stage"], link["layer"], link["head"]) == ("3", "2", "1")
    assert to_link(Selection(sample="astronaut", model="dslpt-68", index=1))["face"] == "2"


def test_an_own_photograph_is_never_in_a_link() -> None:
    link = to_link(Selection(photo="ab" * 32, model="dslpt-68", box=(1, 2, 30, 40), stage=1))
    assert link == {"photo": "own", "model": "dslpt-68", "stage": "2"}
    selection, sentence = from_link(link, SHELF)
    assert selection == Selection(sample="astronaut", model="dslpt-68", stage=1)
    assert "never part of a link" in sentence


@pytest.mark.parametrize(
    ("key", "value", "field", "default"),
    [
        ("sample", "../../etc", "sample", "astronaut"),
        ("sample", "", "sample", "astronaut"),
        ("model", "dslpt-1000000", "model", "dslpt-68"),
        ("stage", "99", "stage", None),
        ("stage", "0", "stage", None),
        ("stage", "-1", "stage", None),
        ("layer", "5", "layer", None),
        ("head", "nan", "head", None),
        ("head", "٣", "head", None),
        ("landmark", "abc", "landmark", None),
        ("landmark", "68", "landmark", None),
        ("landmark", "9" * 5000, "landmark", None),
        ("kind", "<script>alert(1)</script>", "kind", ""),
    ],
)
def test_nonsense_becomes_the_default_and_one_short_sentence(
    key: str, value: str, field: str, default: object
) -> None:
    selection, sentence = from_link({key: value}, SHELF)
    assert getattr(selection, field) == default
    assert sentence.count(".") - value.count(".") == 1
    assert key in sentence
    assert len(sentence) < 250


@pytest.mark.parametrize("box", ["", "1,2,3", "1,2,3,4,5", "9,9,1,1", "nan,0,9,9", "0,0,inf,9", "a,b,c,d"])
def test_a_bad_box_is_refused(box: str) -> None:
    selection, sentence = from_link({"sample": "astronaut", "box": box}, SHELF)
    assert selection.box is None
    assert "x0,y0,x1,y1" in sentence


@pytest.mark.parametrize("factor", ["0", "nan", "1e9", "wide"])
def test_a_bad_crop_factor_is_refused(factor: str) -> None:
    selection, sentence = from_link({"sample": "astronaut", "factor": factor}, SHELF)
    assert selection.factor is None
    assert "factor" in sentence


def test_a_box_does_not_travel_to_another_face() -> None:
    selection, _ = from_link({"sample": "nobody", "box": "1,2,30,40", "factor": "1.5"}, SHELF)
    assert (selection.sample, selection.box, selection.factor) == ("astronaut", None, None)


def test_several_mistakes_are_told_in_one_sentence() -> None:
    _, sentence = from_link({"stage": "99", "landmark": "abc", "model": "x"}, SHELF)
    assert all(word in sentence for word in ("stage", "landmark", "model"))
    assert sentence.endswith(".")


def test_another_model_keeps_what_it_also_has() -> None:
    chosen = Selection(sample="astronaut", model="dslpt-98", stage=2, layer=3, head=7, landmark=97)
    assert clamp(chosen, SHELF.models["dslpt-98"]) == Selection(
        sample="astronaut", model="dslpt-98", stage=2, landmark=97
    )
