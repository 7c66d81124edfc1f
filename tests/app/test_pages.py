"""Every page opens on a face that is already read, survives a bad link and a bad picture, and never shows a
traceback."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import Opener, words
from tests.readings import synthetic_reading
from workbench.app import explorer, readings, uncertainty
from workbench.app.structure import effect_words
from workbench.app.url_state import Selection
from workbench.faces import Occluder
from workbench.landmarks import get_scheme
from workbench.models import ModelCard, card

pytestmark = pytest.mark.slow

PAGES = ("start", "inside", "relations", "structure", "uncertainty")
SELECTION = "wb_selection"


def selection(at: AppTest) -> Selection:
    return at.session_state[SELECTION]


def widgets(at: AppTest) -> list[str]:
    """Names of the mounted canvas widgets."""
    return [e.proto.component_name for e in at.get("bidi_component") if "shell" not in e.proto.component_name]


def healthy(at: AppTest) -> bool:
    return not at.exception and not [b for b in at.button if (b.key or "").startswith("wb_problem")]


@pytest.mark.parametrize("page", PAGES)
def test_the_first_visit_shows_a_read_face_and_writes_the_link(page: str, open_page: Opener) -> None:
    at = open_page(page)
    assert healthy(at)
    assert "read in" in words(at)
    assert at.query_params == {"sample": "astronaut", "model": "dslpt-68"}


@pytest.mark.parametrize("page", PAGES)
def test_nonsense_in_a_link_becomes_defaults_and_a_sentence(page: str, open_page: Opener) -> None:
    at = open_page(page, sample="../../etc", stage="99", landmark="abc", model="gpt")
    assert healthy(at)
    assert selection(at) == Selection(sample="astronaut", model="dslpt-68")
    assert at.query_params == {"sample": "astronaut", "model": "dslpt-68"}


def test_the_sentence_names_what_was_ignored(open_page: Opener) -> None:
    text = words(open_page("start", stage="99", landmark="abc"))
    assert "stage" in text
    assert "landmark" in text


def test_a_link_restores_face_model_and_view(open_page: Opener) -> None:
    at = open_page(
        "start", sample="frontal-a", model="dslpt-98", stage="2", layer="1", head="2", landmark="97", kind="self"
    )
    assert selection(at) == Selection(
        sample="frontal-a", model="dslpt-98", stage=1, layer=0, head=1, landmark=97, kind="self"
    )
    assert healthy(at)


@pytest.mark.parametrize("link", [{"face": "7"}, {"box": "9000,9000,9900,9900"}])
def test_a_face_that_is_not_there_becomes_the_first(link: dict[str, str], open_page: Opener) -> None:
    at = open_page("start", sample="astronaut", **link)
    assert healthy(at)
    assert (selection(at).index, selection(at).box) == (0, None)
    assert "The first face is shown." in words(at)


def test_a_corrupt_picture_is_told_in_one_sentence_and_the_old_face_stays(open_page: Opener) -> None:
    at = open_page("start", sample="frontal-a")
    at.file_uploader[0].upload("broken.jpg", b"\xff\xd8\xff not a picture", "image/jpeg").run()
    assert not at.exception
    assert selection(at).sample == "frontal-a"
    assert "What you had is still here." in words(at)


def test_a_picture_without_a_face_asks_for_a_box(open_page: Opener, no_face: bytes) -> None:
    at = open_page("start")
    at.file_uploader[0].upload("wall.png", no_face, "image/png").run()
    assert not at.exception
    assert selection(at).photo
    assert "No face was found" in words(at)
    assert at.query_params["photo"] == "own"


def test_one_of_five_faces_can_be_chosen(open_page: Opener, five_faces: bytes) -> None:
    at = open_page("start")
    at.file_uploader[0].upload("five.png", five_faces, "image/png").run()
    assert healthy(at)
    key = replace(readings.FaceKey.of(selection(at)), name="five.png")  # as this session calls it
    assert len(readings.FACES.get(key, pytest.fail)[0].boxes) == 5


def test_the_camera_is_asked_for_only_on_request(open_page: Opener) -> None:
    at = open_page("start")
    assert not at.camera_input
    at.button(key="camera_open").click().run()
    assert len(at.camera_input) == 1
    at.button(key="camera_close").click().run()
    assert not at.camera_input


def test_another_model_keeps_the_face_and_the_part(open_page: Opener) -> None:
    at = open_page("start", sample="frontal-a", landmark="30")
    at.selectbox(key="model_choice").select("dslpt-98").run()
    assert healthy(at)
    now = selection(at)
    assert now == Selection(sample="frontal-a", model="dslpt-98", landmark=now.landmark)
    named = {name: {g.name: g.indices for g in get_scheme(name).groups} for name in ("68", "98")}
    assert now.landmark in named["98"]["nose bridge"]
    at.selectbox(key="model_choice").select("dslpt-68").run()
    assert selection(at).landmark in named["68"]["nose bridge"]


def test_a_wider_crop_is_read_afresh_and_stands_in_the_link(open_page: Opener) -> None:
    at = open_page("start")
    at.slider(key="crop_factor").set_value(1.5).run()
    assert healthy(at)
    assert at.query_params["factor"] == "1.5"
    assert readings.face(selection(at)).factor == 1.5


def test_the_selection_follows_to_another_page(open_page: Opener) -> None:
    at = open_page("start", sample="frontal-a", landmark="5")
    at = at.switch_page("../../pages/relations.py").run()
    assert healthy(at)
    assert at.query_params["landmark"] == "5"


def test_an_occluder_is_read_and_the_relations_answer(open_page: Opener) -> None:
    at = open_page("uncertainty")
    at.button(key="cover_mouth").click().run()
    assert healthy(at)
    assert "of their attention" in words(at)


def test_an_unusable_occluder_is_no_occluder() -> None:
    assert uncertainty.occluder_of({}) is None
    assert uncertainty.occluder_of({"x": 0, "y": 0, "w": -1, "h": 1, "fill": "grey"}) is None
    assert uncertainty.occluder_of({"x": 0, "y": 0, "w": 1, "h": float("nan")}) is None
    assert uncertainty.occluder_of({"x": 0, "y": 0, "w": 1, "h": 1, "fill": "glitter"}) is None


def test_a_fault_of_ours_is_a_sentence_and_goes_to_the_log(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(readings, "view", broken)
    at = open_page("relations")
    assert not at.exception
    assert "a fault in the workbench" in words(at)
    assert "secret detail" not in words(at)
    assert "secret detail" in caplog.text


def test_a_model_is_loaded_once_for_all_sessions(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    load = readings.load_model
    monkeypatch.setattr(readings, "load_model", lambda name, **how: (loads.append(name), load(name, **how))[1])
    first, second = open_page("start"), open_page("start", sample="frontal-a")
    assert healthy(first)
    assert healthy(second)
    assert loads == ["dslpt-68"]


@pytest.mark.parametrize("page", PAGES)
def test_everything_that_can_be_saved_can_be_made(
    page: str, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, bytes | str] = {}

    def collect(*items: explorer.Item, key: str) -> None:
        made.update({name: make() for _, name, _, make in items})

    monkeypatch.setattr(explorer, "save_menu", collect)
    assert healthy(open_page(page, landmark="30"))
    assert made
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "html": "<!doctype html>", "json": "{"}
    for name, content in made.items():
        begin = starts.get(name.rsplit(".", 1)[1])
        assert content
        if isinstance(content, bytes) and isinstance(begin, bytes):
            assert content.startswith(begin), name
        elif begin is not None and isinstance(content, str):
            assert content.lower().startswith(str(begin)), name


def test_without_any_model_a_sentence_says_so(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(card, "share", lambda name: tmp_path)
    for page in PAGES:
        at = open_page(page)
        assert not at.exception
        assert "There is no model" in words(at)


def test_a_picture_without_a_face_does_not_break_the_other_pages(open_page: Opener, no_face: bytes) -> None:
    at = open_page("start")
    at.file_uploader[0].upload("wall.png", no_face, "image/png").run()
    for page in ("relations", "uncertainty"):
        at = at.switch_page(f"../../pages/{page}.py").run()
        assert not at.exception
        assert "No face was found in wall" in words(at)
    at = at.switch_page("../../pages/structure.py").run()
    assert healthy(at)
    assert selection(at).photo


def test_a_box_that_cannot_be_cropped_changes_nothing(open_page: Opener) -> None:
    script = """
import streamlit as st
from workbench.app import state
state.try_face(box=(9000.0, 9000.0, 9900.0, 9900.0), index=0)
st.write(state.current().box)
st.write(state.take_notice())
"""
    at = AppTest.from_string(script, default_timeout=60).run()
    assert not at.exception
    assert at.markdown[0].value == "`None`"
    assert "lies outside the photograph" in at.markdown[1].value


def test_a_kept_reading_says_that_it_is_kept(open_page: Opener) -> None:
    at = open_page("start")
    assert "from memory" not in words(at)
    assert "from memory" in words(at.run())


def test_back_from_a_sample_to_one_s_own_photograph(open_page: Opener, five_faces: bytes) -> None:
    at = open_page("start")
    at.file_uploader[0].upload("five.png", five_faces, "image/png").run()
    digest = selection(at).photo
    own = dict(at.query_params)
    at.query_params.clear()
    at.query_params.update({"sample": "frontal-a", "model": "dslpt-68"})
    at.run()
    assert selection(at).sample == "frontal-a"
    at.query_params.clear()
    at.query_params.update({**own, "stage": "2"})
    at.run()
    assert healthy(at)
    assert (selection(at).photo, selection(at).sample, selection(at).stage) == (digest, "", 1)


def test_the_same_picture_is_called_what_each_session_calls_it(open_page: Opener, five_faces: bytes) -> None:
    for name, other in (("anna.png", "berta.png"), ("berta.png", "anna.png")):
        at = open_page("start")
        at.file_uploader[0].upload(name, five_faces, "image/png").run()
        page = " ".join(e.value for e in (*at.markdown, *at.caption, *at.get("html")) if isinstance(e.value, str))
        assert name.removesuffix(".png") in page
        assert other.removesuffix(".png") not in page


def test_the_mouth_is_covered_where_it_is() -> None:
    reading = synthetic_reading()
    occluder = uncertainty.occluder_of(uncertainty.mouth(reading))
    assert occluder is not None
    covered = occluder.covers(reading.points())
    assert covered[48:68].all()
    assert covered.sum() < 30


def test_every_occluder_has_a_reading_of_its_own(open_page: Opener) -> None:
    chosen = Selection(sample="frontal-a", model="dslpt-68")
    first = readings.occluded(chosen, Occluder(0.2, 0.2, 0.3, 0.3, "black"))
    second = readings.occluded(chosen, Occluder(0.5, 0.5, 0.3, 0.3, "black"))
    assert (first.reading.face.crop(64)[20, 20] == 0).all()
    assert (second.reading.face.crop(64)[20, 20] != 0).any()
    assert (second.reading.face.crop(64)[40, 40] == 0).all()


def test_the_structure_page_tells_the_answer_without_the_encodings_from_the_card():
    shelf = Path(__file__).parents[2] / "checkpoints"
    said = effect_words(ModelCard.load(shelf / "dslpt-68.json"))
    assert said.startswith("NME of dslpt-68 on w300_68 test: ")
    assert "without its structure encodings (set to zero)" in said and "landmark queries" in said
    assert effect_words(ModelCard.load(shelf / "scc-68.json")) == ""
