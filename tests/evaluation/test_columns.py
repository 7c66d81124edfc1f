"""One number a face: what they are, and how those of two runs come together."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made_run import made_run
from workbench.errors import DataError
from workbench.evaluation import Run
from workbench.evaluation.columns import columns, matched


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return made_run(tmp_path_factory.mktemp("made"), 10)


def test_columns_are_those_of_the_run(run) -> None:
    found = columns(run)
    assert next(iter(found)) == "error, % of the normaliser"
    np.testing.assert_allclose(found["error, % of the normaliser"], 100 * run.nme)
    sigma = run.arrays["sigma"]
    np.testing.assert_allclose(found["σ, % of the crop"], 100 * np.sqrt(sigma[..., 0] * sigma[..., 1]).mean(1))
    eyes = np.array(run.scheme.part_of) == "eyes"
    np.testing.assert_allclose(found["error of the eyes, %"], 100 * run.errors[:, eyes].mean(1))
    assert {len(values) for values in found.values()} == {10}


def test_a_face_without_a_part_is_nan_there_and_nowhere_else(run) -> None:
    truth = run.arrays["truth"].copy()
    truth[3, np.array(run.scheme.part_of) == "jaw"] = np.nan
    found = columns(Run({**run.arrays, "truth": truth}, run.meta))
    assert np.flatnonzero(np.isnan(found["error of the jaw, %"])).tolist() == [3]
    assert np.isfinite(found["largest error of a point, %"]).all()


def test_another_runs_numbers_stand_beside_their_faces(run) -> None:
    half = run.only(np.array([7, 2]))
    other = Run({**half.arrays, "nme": np.array([0.5, 0.25])}, {**half.meta, "model": "other"})
    found = columns(run, other)
    theirs = found["error of other, %"]
    assert theirs[[7, 2]].tolist() == [50, 25] and np.isnan(theirs).sum() == 8
    np.testing.assert_allclose(found["error less other's, points"][2], 100 * run.nme[2] - 25)
    assert matched(run, other, other.arrays["points"]).shape == (10, 68, 2)
    with pytest.raises(DataError, match="no face in common"):
        columns(run, Run(half.arrays, {**half.meta, "data": "elsewhere"}))
