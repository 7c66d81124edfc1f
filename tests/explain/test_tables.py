from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.readings import synthetic_reading
from workbench import explain
from workbench.data.readers import read_pts
from workbench.explain.tables import to_pts


def test_landmarks_table_holds_photo_and_crop_pixels() -> None:
    reading = synthetic_reading(68)
    rows = explain.landmarks_table(reading)
    assert len(rows) == 68
    assert rows[36]["part"] == "eyes"
    assert rows[36]["side"] == "image left"
    assert rows[36]["x"] == pytest.approx(2 * (rows[36]["crop_x"] + 20), abs=0.01)
    assert rows[36]["patch"] in explain.STATES
    assert rows[36]["sigma_x"] == pytest.approx(256 * reading.sigma()[36, 0], abs=1e-3)
    assert "sigma_x" not in explain.landmarks_table(synthetic_reading(68, variance=False))[0]


def test_rows_as_files() -> None:
    rows = [{"query": 0, "query_name": "jaw 1 of 17", "weight": 0.75}]
    assert explain.to_csv(rows).splitlines() == ["query,query_name,weight", "0,jaw 1 of 17,0.75"]
    assert json.loads(explain.to_json(rows)) == rows
    assert explain.to_csv([]) == ""


def test_a_pts_file_is_read_back_as_it_was(tmp_path) -> None:
    points = np.array([[0.0, 0.0], [12.345, 6.5]])
    (tmp_path / "face.pts").write_text(to_pts(points))
    Image.new("RGB", (20, 20)).save(tmp_path / "face.png")
    (sample,) = read_pts(tmp_path, [tmp_path / "face.pts"])
    np.testing.assert_allclose(sample.points, points, atol=1e-3)
