from __future__ import annotations

import json

import pytest

from tests.readings import synthetic_reading
from workbench import explain


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
