"""The Data set page without a browser: what it asks for, what it tells, and what it makes of hostile input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.made_run import made_run
from workbench.app import dataset


@pytest.mark.slow
def test_the_page_says_how_a_run_is_made_and_shows_one(open_page, tmp_path: Path) -> None:
    at = open_page("dataset")
    assert not at.exception
    assert any("workbench evaluate" in caption.value for caption in at.caption)
    path = made_run(tmp_path, 30).save(tmp_path / "run.safetensors")
    at.text_input(key="dataset_source").set_value(str(path)).run()
    assert not at.exception and not [m for m in at.markdown if ":material/error:" in m.value]
    at.text_input(key="dataset_source").set_value(str(tmp_path / "none.safetensors")).run()
    assert any("There is no run at" in m.value for m in at.markdown)


@pytest.mark.slow
def test_a_folder_is_measured_when_asked_for(open_page, tmp_path: Path) -> None:
    made_run(tmp_path, 1)  # draws the set
    at = open_page("dataset")
    at.text_input(key="dataset_source").set_value(str(tmp_path / "drawn")).run()
    (button,) = [b for b in at.button if b.label.startswith("Measure")]
    button.click().run()
    assert not at.exception and not [m for m in at.markdown if ":material/error:" in m.value]
    assert not [b for b in at.button if b.label.startswith("Measure")]


@pytest.mark.parametrize("wanted", [None, "all", [-1, 30, 1.5, True, "0", None], {"0": 1}, [[0]]])
def test_numbers_from_a_browser_are_checked(tmp_path: Path, wanted: object) -> None:
    assert dataset._cards(made_run(tmp_path, 30), None, wanted) == {}


def test_cards_hold_what_is_asked_for_and_no_more(tmp_path: Path) -> None:
    run = made_run(tmp_path, 300)
    cards = dataset._cards(run, None, list(range(300)))
    assert list(cards) == [str(i) for i in range(dataset.MOST)]
    first = cards["0"]
    np.testing.assert_allclose(first["points"], 100 * run.arrays["points"][0], atol=0.051)
    assert first["name"] == run.files[0] and first["src"].startswith("data:image/jpeg;base64,")
