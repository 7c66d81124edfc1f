"""The sample faces and their credits."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from workbench.errors import UnknownNameError
from workbench.faces import sample, sample_face, sample_info, sample_names, sample_photo


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_loads_with_its_licence(name: str) -> None:
    face = sample_face(name)
    assert face.name == name
    assert face.crop(64).std() > 10
    info = sample_info(name)
    assert all(info[key] for key in ("title", "credit", "licence", "licence_url"))


def test_the_astronaut_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    np.testing.assert_array_equal(np.asarray(sample_photo("astronaut")), astronaut())  # without a loss
    assert sample_names()[0] == "astronaut"


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'astronaut'"):
        sample_face("astronot")
    with pytest.raises(UnknownNameError, match="there are"):
        sample_info("zzz")


@pytest.fixture
def other_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sample, "_FOLDER", tmp_path)
    sample._credits.cache_clear()
    yield tmp_path
    sample._credits.cache_clear()


def test_any_number_of_composites(other_folder: Path) -> None:
    assert sample_names() == []
    Image.new("RGB", (64, 64), (9, 90, 200)).save(other_folder / "blue.png")
    entry = {"name": "blue", "file": "blue.png", "title": "Blue", "box": [10, 10, 50, 50]}
    (other_folder / "credits.json").write_text(json.dumps([entry]), encoding="utf-8")
    sample._credits.cache_clear()
    assert sample_names() == ["blue"]
    assert sample_face("blue").box == (10, 10, 50, 50)
