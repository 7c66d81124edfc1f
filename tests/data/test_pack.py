from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from tests.synthetic import write_synthetic
from workbench.data import Packed, join, open_dataset, pack
from workbench.data.pack import pack_one
from workbench.data.samples import Sample
from workbench.errors import DataError, SettingsError


def blob(width: int, height: int, x: float, y: float, sd: float = 3.0) -> np.ndarray:
    """A grey picture with one bright spot, whose centre is at the pixel (x, y)."""
    v, u = np.mgrid[:height, :width]
    spot = 255 * np.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * sd**2))
    return np.repeat(spot[..., None], 3, axis=-1).round().astype(np.uint8)


def centroid(image: np.ndarray) -> np.ndarray:
    weight = image.astype(float)
    v, u = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(u * weight).sum(), (v * weight).sum()]) / weight.sum()


def photo(points: list[list[float]], pixels: np.ndarray, cropped: bool) -> Sample:
    return Sample("a", np.array(points, float), "train", cropped=cropped, pixels=lambda: pixels)


def test_labels_follow_the_pixels_of_a_resized_crop() -> None:
    sample = photo([[100, 60], [20, 200], [200, 220]], blob(256, 256, 100, 60), cropped=True)
    image, points = pack_one(sample, 192)
    assert image.shape == (3, 192, 192)
    np.testing.assert_allclose(points[0], [100.5 * 0.75 - 0.5, 60.5 * 0.75 - 0.5])
    np.testing.assert_allclose(centroid(image[0]), points[0], atol=0.02)


def test_labels_follow_the_pixels_of_a_photograph() -> None:
    marks = [[130.3, 90.7], [90.0, 60.0], [170.0, 160.0]]  # box 80 x 100, centre (130, 110), side 140
    image, points = pack_one(photo(marks, blob(300, 220, 130.3, 90.7), cropped=False), 192)
    np.testing.assert_allclose(centroid(image[0]), points[0], atol=0.02)
    np.testing.assert_allclose(points[2] - points[1], np.array([80.0, 100.0]) * 192 / 140)
    np.testing.assert_allclose((points[1] + points[2]) / 2, [95.5, 95.5])  # the middle of 192 pixels


def test_the_border_of_a_photograph_is_repeated() -> None:
    pixels = np.zeros((50, 50, 3), np.uint8)
    pixels[:, 0] = (255, 0, 0)
    image, _ = pack_one(photo([[0, 0], [40, 40], [np.nan, np.nan]], pixels, cropped=False), 56)
    assert image[0, 20, :7].min() > 240
    assert image[1].max() < 20
    assert image[0, 20, 20:].max() < 20


def test_packing_a_set(tmp_path: Path) -> None:
    folder = write_synthetic(tmp_path / "drawn", 3, 2, size=64)
    packed = pack(open_dataset(folder, split="train"), size=32, progress=False)
    assert packed.images.shape == (3, 3, 32, 32)
    assert packed.images.dtype == torch.uint8
    assert packed.points.shape == (3, 68, 2)
    assert packed.points.dtype == torch.float32
    assert packed.valid.shape == (3, 68)
    assert packed.valid.dtype == torch.bool
    assert packed.valid.all()
    assert packed.files == ("drawn_0000.png", "drawn_0001.png", "drawn_0002.png")
    assert packed.size == 32
    images, points, valid = next(iter(DataLoader(packed, batch_size=2)))
    assert images.shape == (2, 3, 32, 32)
    assert points.shape == (2, 68, 2)
    assert valid.shape == (2, 68)
    both = join([packed, pack(open_dataset(folder, split="test"), size=32, progress=False)])
    assert len(both) == 5
    assert both.files[-1] == "drawn_0004.png"
    with pytest.raises(DataError, match="cannot be joined: 68 points at 32 px, 68 points at 16 px"):
        join([packed, pack(open_dataset(folder), size=16, progress=False)])
    with pytest.raises(DataError, match="positive size"):
        pack(open_dataset(folder), size=0)
    with pytest.raises(DataError, match="no packed set"):
        join([])


def test_missing_points_and_broken_pictures(tmp_path: Path) -> None:
    folder = write_synthetic(tmp_path / "drawn", 4, 0, size=64)
    path = folder / "annotations.csv"
    rows = list(csv.reader(path.read_text().splitlines()))
    rows[1][2] = "nan"
    rows[2][2:] = ["7.0"] * 136
    path.write_text("\n".join(",".join(row) for row in rows))
    (folder / "crops" / "drawn_0002.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="2 of 4 faces were left out; the first: All landmarks lie on one spot"):
        packed = pack(open_dataset(folder), size=32, progress=False)
    assert packed.files == ("drawn_0000.png", "drawn_0003.png")
    assert len(packed.skipped) == 2
    assert "drawn_0002.png cannot be read" in packed.skipped[1]
    assert packed.valid[0].tolist() == [False] + [True] * 67
    assert packed.points[0, 0].tolist() == [0.0, 0.0]
    assert torch.isfinite(packed.points).all()
    assert np.isnan(packed.labelled()[0, 0]).all()
    assert np.isfinite(packed.labelled()[0, 1:]).all()
    for file in (folder / "crops").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"No face of .* can be used"):
        pack(open_dataset(folder), size=32, progress=False)


def test_the_cache_is_used_only_for_the_same_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_synthetic(tmp_path / "drawn", 2, 0, size=64)
    cache = tmp_path / "cache"
    first = pack(open_dataset(folder), size=32, cache=cache, progress=False)
    (target,) = cache.iterdir()
    assert target.name == "drawn-all-own-32.safetensors"

    def fail(*_: object) -> None:
        raise AssertionError("decoded although cached")

    with monkeypatch.context() as patch:
        patch.setattr(Sample, "image", fail)
        again = pack(open_dataset(folder), size=32, cache=target, progress=False)
    for name in ("images", "points", "valid"):
        assert torch.equal(getattr(first, name), getattr(again, name))
    assert again.files == first.files
    assert again.skipped == ()
    write_synthetic(folder, 2, 0, seed=9, size=64)
    other = pack(open_dataset(folder), size=32, cache=target, progress=False)
    assert not torch.equal(first.points, other.points)
    target.write_bytes(b"cut short")
    assert torch.equal(pack(open_dataset(folder), size=32, cache=target, progress=False).points, other.points)
    with pytest.raises(DataError, match="holds no packed faces"):
        Packed.load(tmp_path / "nothing.safetensors")
    with pytest.raises(DataError, match="belong to other data"):
        Packed.load(target, key="another")


def test_nothing_is_written_without_a_cache(tmp_path: Path) -> None:
    folder = write_synthetic(tmp_path / "drawn", 1, 0, size=64)
    before = sorted(tmp_path.rglob("*"))
    pack(open_dataset(folder), size=32, progress=False)
    assert sorted(tmp_path.rglob("*")) == before


def test_other_picture_modes(tmp_path: Path) -> None:
    for mode in ("L", "RGBA", "P", "CMYK"):
        path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
        Image.new(mode, (20, 20)).save(path)
        image, _ = pack_one(Sample("a", np.array([[2.0, 2], [15, 15]]), "train", path), 16)
        assert image.shape == (3, 16, 16)


def test_folds_are_told_by_names_and_cover_every_face_once() -> None:
    names = tuple(f"face{k}.jpg" for k in range(40))
    packed = Packed(torch.zeros(40, 3, 4, 4), torch.arange(40.0).view(-1, 1, 1), torch.ones(40, 1), names)
    turned = Packed(packed.images, packed.points.flip(0), packed.valid, names[::-1])
    seen = []
    for index in range(1, 6):
        without, within = packed.divided(index, 5)
        assert set(without.files) | set(within.files) == set(names) and not set(without.files) & set(within.files)
        assert set(turned.divided(index, 5)[1].files) == set(within.files)
        assert [f"face{int(p)}.jpg" for p in within.points.flatten()] == list(within.files)
        seen += within.files
    assert sorted(seen) == sorted(names)
    for wrong in ((0, 5), (6, 5), (1, 1)):
        with pytest.raises(SettingsError, match="no fold"):
            packed.divided(*wrong)
    with pytest.raises(DataError, match="too few"):
        Packed(packed.images[:1], packed.points[:1], packed.valid[:1], names[:1]).divided(1, 2)
