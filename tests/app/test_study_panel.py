"""A study beside the chosen face: what is asked for, what is refused, and what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from tests.app.conftest import words
from tests.synthetic import write_synthetic
from workbench.app import study as panel
from workbench.app import uploads
from workbench.evaluation import study


@pytest.fixture
def kept(checkpoints: Path, tmp_path: Path) -> Path:
    write_synthetic(tmp_path / "drawn", train=0, test=4)
    model = wb.load_model(checkpoints / "dslpt-68.safetensors", device="cpu")
    out = tmp_path / "study.safetensors"
    study(model, tmp_path / "drawn", out=out, progress=False)
    return out


def test_the_page_says_how_a_study_is_made_and_shows_one(open_page, kept: Path, tmp_path: Path) -> None:
    at = open_page("relations")
    assert "Make one: workbench study FOLDER --model dslpt-68 --out study.safetensors" in words(at)
    at.text_input(key=panel._PATH).set_value(str(kept)).run()
    assert not at.exception and not [m for m in at.markdown if ":material/error:" in m.value]
    assert "Mean of 4 faces of drawn test" in words(at)
    assert "Uniform weights would reach" in words(at)
    at.text_input(key=panel._PATH).set_value(str(tmp_path / "none.safetensors")).run()
    assert any("There is no study at" in m.value for m in at.markdown)


def test_a_study_of_other_weights_is_refused(open_page, kept: Path) -> None:
    at = open_page("relations", model="dslpt-98")
    at.text_input(key=panel._PATH).set_value(str(kept)).run()
    assert any("of other weights than those that read this face" in m.value for m in at.markdown)


def test_files_stay_closed_to_guests(open_page, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "own_machine", lambda: False)
    at = open_page("relations")
    assert panel._PATH not in at.session_state
    assert "start the app without --host" in words(at)


def test_the_rollout_has_no_what_if(open_page) -> None:
    at = open_page("relations", kind="rollout")
    assert not at.exception
    assert "The rollout is computed from MSA and MCA" in words(at)
    assert not [b for b in at.button if b.label.startswith("What does each")]
