"""The recipe of the sample portraits on small made-up inputs, and the shipped pictures with their credits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tools.portraits.__main__ as portraits
import workbench.faces
from tools.portraits.average import (
    CROP,
    SCALE,
    SMOOTHING,
    Row,
    average,
    groups,
    read_rows,
    to_canvas,
    to_linear,
    to_srgb,
    warp,
)
from tools.portraits.turn import _nearest_surface, lambert, rotate_points
from workbench.errors import DataError

SAMPLES = Path(workbench.faces.__file__).parent / "samples"
CREDITS = json.loads((SAMPLES / "credits.json").read_text(encoding="utf-8"))
MADE = [entry for entry in CREDITS if entry["name"] != "astronaut"]  # a photograph, as it was


def test_every_picture_is_credited_and_every_credit_has_its_picture() -> None:
    assert {entry["file"] for entry in CREDITS} == {p.name for p in SAMPLES.iterdir() if p.suffix in (".jpg", ".webp")}
    assert len(CREDITS) >= 11
    assert len({entry["name"] for entry in CREDITS}) == len(CREDITS)
    planned = ["astronaut"] + [recipe.name for recipe in portraits.PORTRAITS] + ["group"]
    assert [entry["name"] for entry in CREDITS] == planned


@pytest.mark.parametrize("entry", MADE, ids=lambda entry: entry["name"])
def test_a_picture_is_small_and_opens(entry: dict[str, object]) -> None:
    path = SAMPLES / str(entry["file"])
    assert path.stat().st_size < 40_000
    with Image.open(path) as picture:
        picture.load()
        assert picture.mode == "RGB"
        assert min(picture.size) >= 256
        assert max(picture.size) <= 640


@pytest.mark.parametrize("entry", MADE, ids=lambda entry: entry["name"])
def test_a_credit_names_source_licence_and_changes(entry: dict[str, object]) -> None:
    assert all(entry[key] for key in ("title", "credit", "licence", "licence_url", "changes"))
    assert entry["licence"] == "CC BY 4.0"
    assert "DeBruine" in str(entry["credit"])
    assert "webmorphR.stim" in str(entry["credit"])
    made_from = entry["made_from"]
    assert isinstance(made_from, dict)
    assert 6 <= made_from["portraits"] / made_from["faces"] <= 10
    assert set(made_from["stimsets"]) <= {"canada", "neutral_front"}


def test_warp_brings_a_point_to_its_target() -> None:
    y, x = np.indices((64, 64), dtype=float)
    source = np.array([[20, 30], [10, 10], [50, 10], [10, 50], [50, 50]], dtype=float)
    target = source.copy()
    target[0] = 28, 34
    # A picture of its own coordinates tells where each pixel came from.
    warped = warp(np.stack([x, y], -1), source, target, 64, step=1, smoothing=0)
    assert warped[34, 28] == pytest.approx([20, 30], abs=0.01)
    assert warped[50, 10] == pytest.approx([10, 50], abs=0.01)


def test_smoothing_bears_a_misplaced_point() -> None:
    grid = np.stack(np.meshgrid(np.arange(20, 240, 20), np.arange(20, 240, 20)), -1).reshape(-1, 2).astype(float)
    source, target = np.vstack([grid, [[118.0, 120.0]]]), np.vstack([grid, [[123.0, 120.0]]])  # close by, yet 5 px off
    ramp = np.indices((256, 256))[1][..., None].astype(float)

    def steepest_fall(smoothing: float) -> float:
        return float(np.diff(warp(ramp, source, target, 256, step=1, smoothing=smoothing)[115:126, 100:140, 0]).min())

    assert steepest_fall(0) < 0  # the exact spline folds the picture back over itself
    assert steepest_fall(SMOOTHING) > 0


def test_warp_without_motion_is_the_identity() -> None:
    image = np.random.default_rng(0).random((32, 32, 2))
    corners = np.array([[0, 0], [31, 0], [0, 31], [31, 31], [12, 17]], dtype=float)
    assert np.abs(warp(image, corners, corners, 32) - image).max() < 1e-6


def test_average_mixes_light_and_not_code_values() -> None:
    black, white = np.zeros((4, 4, 3)), np.ones((4, 4, 3))
    mixed = average([black, white])
    assert np.allclose(mixed, 0.5)
    # Half the light is sRGB 0.7354, brighter than the middle code value.
    assert to_srgb(mixed)[0, 0, 0] == pytest.approx(0.7354, abs=1e-4)


def test_average_leaves_out_what_has_no_weight() -> None:
    red, blue = np.zeros((2, 2, 3)), np.zeros((2, 2, 3))
    red[..., 0], blue[..., 2] = 1, 1
    left = np.array([[1.0, 0.0], [1.0, 0.0]])
    mixed = average([red, blue], [left, 1 - left])
    assert np.allclose(mixed[:, 0], [1, 0, 0], atol=1e-5)
    assert np.allclose(mixed[:, 1], [0, 0, 1], atol=1e-5)


def test_light_and_code_values_are_inverse() -> None:
    values = np.linspace(0, 1, 11)
    assert np.allclose(to_srgb(to_linear(values)), values, atol=1e-6)


def test_canvas_scales_depth_like_width() -> None:
    moved = to_canvas(np.array([[0.0, 0.0, 10.0], [10.0, 0.0, 0.0]]))
    assert moved[1, 0] - moved[0, 0] == pytest.approx(10 * SCALE)
    assert moved[0, 2] == pytest.approx(10 * SCALE)


def test_rotation_by_nothing_is_the_identity() -> None:
    points = np.random.default_rng(1).normal(size=(7, 3))
    assert np.allclose(rotate_points(points, 0, (3.0, -2.0)), points)


def test_rotation_to_the_right_moves_the_nose_to_the_right() -> None:
    nose = np.array([[100.0, 50.0, -40.0]])  # 40 px before the axis
    turned = rotate_points(nose, 30, (100.0, 0.0))[0]
    assert turned == pytest.approx([120.0, 50.0, -40 * np.cos(np.pi / 6)])
    ears = rotate_points(np.array([[60.0, 50.0, 0.0], [140.0, 50.0, 0.0]]), 30, (100.0, 0.0))
    assert ears[1, 2] > 0 > ears[0, 2]  # the ear on the right goes away from the viewer


def test_of_two_pieces_over_a_pixel_the_nearer_is_seen() -> None:
    x = np.array([[0.0, 1.0, 2.0, 3.0, 2.0, 1.0]])  # folds back over itself at column 3
    z = np.array([[5.0, 5.0, 5.0, 0.0, -5.0, -5.0]])
    source, seen = _nearest_surface(x, z, np.ones((1, 6), dtype=bool))
    assert source[0, :4].tolist() == [0, 5, 4, 3]
    assert seen[0].tolist() == [True, True, True, True, False, False]


def test_a_flat_field_is_lit_by_the_cosine_of_the_light() -> None:
    assert np.allclose(lambert(np.zeros((4, 4)), (3.0, 0.0, 4.0)), 0.8)


def _rows(folder: Path, shades: list[int]) -> list[Row]:
    points = np.random.default_rng(2).uniform(60, 190, size=(189, 2))
    rows = []
    for number, shade in enumerate(shades):
        path = folder / f"face{number}.png"
        noise = np.random.default_rng(number).integers(0, 6, size=(CROP, CROP, 3))
        Image.fromarray((noise + shade).astype(np.uint8)).save(path)
        jitter = np.random.default_rng(number).normal(size=points.shape)
        rows.append(Row(path, "canada", points + jitter, np.zeros((478, 3))))
    return rows


def test_groups_gather_alike_rows_and_use_each_once(tmp_path: Path) -> None:
    rows = _rows(tmp_path, [40, 200, 44, 205, 48, 210])
    chosen = groups(rows, {"dark": ("face0", 3), "light": ("face1", 3)})
    names = {name: {row.path.stem for row in members} for name, members in chosen.items()}
    assert names == {"dark": {"face0", "face2", "face4"}, "light": {"face1", "face3", "face5"}}


def test_groups_refuse_an_absent_seed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nobody"):
        groups(_rows(tmp_path, [40, 80, 120]), {"dark": ("nobody", 2)})


def test_another_folder_is_refused_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match="not a webmorph189 folder"):
        read_rows(tmp_path)
    assert portraits.main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_without_open_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "annotations.csv").write_text("file,stimset,licence\na.jpg,3dsk,research\n")
    np.savez(tmp_path / "dense_mediapipe.npz", files=["a.jpg"], points=np.zeros((1, 478, 3)), ok=[True])
    with pytest.raises(DataError, match="CC-BY"):
        read_rows(tmp_path)
