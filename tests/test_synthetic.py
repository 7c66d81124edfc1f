from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.synthetic import draw_face, face_shape, write_synthetic
from workbench.data import open_dataset
from workbench.landmarks import get_scheme
from workbench.landmarks.geometry import square_crop


def test_the_set_is_read_back(tmp_path: Path) -> None:
    folder = write_synthetic(tmp_path / "drawn", 3, 2, seed=5)
    dataset = open_dataset(folder)
    assert dataset.scheme.name == "ibug68"
    assert len(dataset) == 5
    assert len(open_dataset(folder, split="test")) == 2
    for sample in dataset:
        assert sample.image().size == (256, 256)
        centre, side = square_crop(sample.points, 1.4)
        np.testing.assert_allclose([*centre, side], [128, 128, 256], atol=0.01)


def test_a_seed_draws_the_same_face() -> None:
    first, points = draw_face(np.random.default_rng(3), 64)
    second, again = draw_face(np.random.default_rng(3), 64)
    np.testing.assert_array_equal(np.asarray(first), np.asarray(second))
    np.testing.assert_array_equal(points, again)


def test_the_shape_is_a_face() -> None:
    """Drawn faces are symmetric, so that mirroring one and exchanging its flip pairs changes nothing."""
    shape = face_shape(np.random.default_rng(0))
    scheme = get_scheme("ibug68")
    assert shape.shape == (68, 2)
    np.testing.assert_allclose(shape[list(scheme.flip)] * [-1, 1], shape, atol=1e-12)
    sides = np.array(scheme.side_of)
    assert (shape[sides == "image left", 0] < 0).all()
    assert (shape[sides == "image right", 0] > 0).all()
    upper, lower = shape[[37, 38, 43, 44], 1], shape[[41, 40, 47, 46], 1]
    assert (upper < lower).all()
    assert shape[8, 1] > shape[57, 1] > shape[51, 1] > shape[33, 1] > shape[27, 1]


def test_features_are_where_the_landmarks_say() -> None:
    picture, points = draw_face(np.random.default_rng(2))
    pixels = np.asarray(picture).astype(int)

    def at(point: np.ndarray) -> np.ndarray:
        x, y = point.round().astype(int)
        return pixels[y - 1 : y + 2, x - 1 : x + 2].mean((0, 1))

    mouth, cheek = points[60:68].mean(0), (points[31] + points[3]) / 2
    brow = points[19]
    assert at(mouth).sum() < 0.7 * at(cheek).sum()
    assert at(brow).sum() < 0.6 * at(cheek).sum()
