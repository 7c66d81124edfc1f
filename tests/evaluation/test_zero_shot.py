"""Zero-shot protocols: exact where a model is, told where it is not, on sets drawn for it."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import workbench as wb
from tests.readings import drawn_shape
from tests.synthetic import draw_face
from workbench.errors import UnknownNameError, WorkbenchError
from workbench.evaluation import drawn_shapes, zero_shot
from workbench.landmarks import get_scheme
from workbench.landmarks.schemes import to_five

SIZE = 64


@dataclass
class Config:
    conventions: tuple[str, ...] = ("ibug68",)
    scheme: str = "ibug68"


class Plane:
    """A "model" to which every face is the plane itself: it answers each point with its own place, moved by
    ``off``. What a protocol measures with it can be worked out by hand."""

    name, input_size, device, config, card = "plane", SIZE, torch.device("cpu"), Config(), None
    scheme = get_scheme("ibug68")

    def __init__(self, off: float = 0.0) -> None:
        self.off = off

    def prompt(self, name: str | None = None) -> Tensor:
        return torch.from_numpy(drawn_shape(self.scheme)).float()

    def prepare(self, images: Tensor) -> Tensor:
        assert images.shape[1:] == (3, SIZE, SIZE) and 0 <= float(images.min()) <= float(images.max()) <= 1
        return images

    def encode(self, images: Tensor) -> Tensor:
        return images

    def decode(self, encoded: Tensor, prompt: Tensor) -> tuple[Tensor, None]:
        return (prompt + torch.tensor([self.off, 0.0])).expand(1, len(encoded), *prompt.shape), None


def written(folder: Path, faces: list[np.ndarray], test: int) -> Path:
    """A table of faces (N, 2) in pixels of pictures of 256; the first ``test`` of them are the test part."""
    folder.mkdir()
    (folder / "crops").mkdir()
    rng = np.random.default_rng(0)
    with (folder / "annotations.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "subset", *(f"{a}{i}" for i in range(len(faces[0])) for a in "xy")])
        for k, face in enumerate(faces):
            draw_face(rng)[0].save(folder / "crops" / f"{k}.jpg")
            rows.writerow([f"{k}.jpg", "test" if k < test else "train", *face.ravel().round(4)])
    return folder


def spread(shape: np.ndarray, count: int) -> list[np.ndarray]:
    """The same shape, smaller or larger, in other places."""
    r = np.random.default_rng(1)
    return [shape * 256 * r.uniform(0.6, 0.9) + r.uniform(5, 40, 2) for _ in range(count)]


def test_a_convention_whose_faces_are_the_plane_is_found_without_error(tmp_path: Path) -> None:
    shape = drawn_shape(get_scheme("98"))
    found = zero_shot(Plane(), written(tmp_path / "a", spread(shape, 8), 4), progress=False)  # type: ignore[arg-type]
    assert (found.convention, found.faces, found.mean_of, found.known) == ("wflw98", 4, 4, False)
    assert found.nme == pytest.approx(0, abs=0.05)
    assert found.points[1] == 98 and 0 < found.points[0] < 98
    assert "zero-shot" in found.text() and [r["labels"].split(", ")[0] for r in found.rows()] == ["wflw98"] * 2


def test_one_label_that_differs_costs_its_distance(tmp_path: Path) -> None:
    shape = drawn_shape(get_scheme("98"))
    faces = spread(shape, 8)
    for face in faces[:4]:  # the test part alone, so that the mean shape does not know
        apart = np.linalg.norm(face[60] - face[72])
        face[54] += (0.0, 0.49 * apart)  # inside the box of all points, which stays as it is
    found = zero_shot(Plane(), written(tmp_path / "a", faces, 4), progress=False)  # type: ignore[arg-type]
    assert found.nme == pytest.approx(100 * 0.49 / 98, abs=0.05)


def test_a_set_without_a_training_part_is_measured_half_by_half(tmp_path: Path) -> None:
    shape = np.random.default_rng(5).uniform(0.2, 0.8, (7, 2))
    folder = written(tmp_path / "a", spread(shape, 6), 0)
    found = zero_shot(Plane(), folder, convention=7, progress=False)  # type: ignore[arg-type]
    assert (found.split, found.faces, found.mean_of, found.convention) == ("all", 6, 3, "7 points")
    assert found.nme == pytest.approx(0, abs=0.1)


def test_five_labels_from_drawn_points_are_exact_for_an_affine_face(tmp_path: Path) -> None:
    """To this model drawn points are the same in every crop, so the linear map can but give the mean label."""
    five = to_five(drawn_shape(get_scheme("68")), "ibug68")
    r = np.random.default_rng(2)
    faces = [f + r.normal(0, 3, (5, 2)) for f in spread(five, 24)]
    found = drawn_shapes(Plane(), written(tmp_path / "a", faces, 8), progress=False)  # type: ignore[arg-type]
    assert len(found.errors) == 10 and (found.fitted, found.faces) == (16, 8)
    np.testing.assert_allclose(found.errors, found.constant, atol=1e-6)
    assert found.constant > 1 and "+- 0.00 %" in found.text()


def test_a_model_of_its_own_landmarks_only_is_refused(tiny_model: Any, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="needs a TUFA"):
        zero_shot(tiny_model, tmp_path)


def test_a_convention_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="no landmark scheme"):
        zero_shot(Plane(), tmp_path, convention="mine")  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_shell_tells_both_protocols(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.cli.evaluate import evaluate

    shape = drawn_shape(get_scheme("68"))
    evaluate(
        written(tmp_path / "a", spread(shape[:30], 6), 2), model="tufa", zero_shot=True, convention="30", as_json=True
    )
    told = json.loads(capsys.readouterr().out)
    assert told["convention"] == "30 points" and told["nme"] > 0 and told["ratio"] == told["nme"] / told["trained"]
    assert told["trained"] == pytest.approx(
        next(r["value"] for r in wb.load_model("tufa", device="cpu").card.metrics if r["metric"] == "NME inter-ocular")
    )
    evaluate(written(tmp_path / "b", spread(to_five(shape, "68"), 8), 4), model="tufa", zero_shot=True)
    assert "drawn shapes of 10 points" in capsys.readouterr().out
