"""Numbers of the papers' tables, by hand, and how two runs are compared."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.evaluation import Run, statistics
from workbench.landmarks import get_scheme


def run(errors: np.ndarray, **more) -> Run:
    """Five points a face, each ``errors`` (M, 5) to the right of its label; divided by 0.5."""
    faces = len(errors)
    truth = np.tile([[0.3, 0.3], [0.7, 0.3], [0.5, 0.5], [0.4, 0.7], [0.6, 0.7]], (faces, 1, 1))
    points = truth + np.stack([errors, np.zeros_like(errors)], -1)
    arrays = {
        "nme": errors.mean(1) / 0.5, "points": points, "truth": truth, "length": np.full(faces, 0.5),
        "frame": np.ones((faces, 3)), **more.pop("arrays", {}),
    }  # fmt: skip
    meta = {
        "model": "toy", "data": "set", "split": "test", "subset": "", "labels": "", "scheme": "five",
        "normaliser": "inter_pupil", "threshold": 0.1, "files": [f"{i}" for i in range(faces)], "names": ["a", "b"],
        "groups": [[0], [1], [0, 1], []][:faces], "sequences": [""] * faces, "left_out": [], **more,
    }  # fmt: skip
    return Run(arrays, meta)


ERRORS = np.array([[0.01] * 5, [0.02] * 5, [0.03] * 5, [0.2, 0, 0, 0, 0.1]])


def test_subsets_have_their_own_numbers() -> None:
    rows = statistics.by_subset(run(ERRORS))
    assert [(row["subset"], row["faces"]) for row in rows] == [("test", 4), ("a", 2), ("b", 2)]
    assert [row["NME %"] for row in rows] == pytest.approx([6, 4, 5])
    assert [row["FR@0.10 %"] for row in rows] == [25, 0, 0]
    assert rows[1]["AUC@0.10"] == pytest.approx((0.8 + 0.4) / 2)
    with pytest.raises(DataError, match="in 'c'; there are a, b"):
        run(ERRORS).within("c")


def test_parts_landmarks_and_normalisers() -> None:
    found = run(ERRORS)
    parts = {row["part"]: row["error %"] for row in statistics.by_part(found)}
    assert parts["eyes"] == pytest.approx(100 * np.mean([0.02, 0.04, 0.06, 0.4, 0.02, 0.04, 0.06, 0]))
    assert parts["nose"] == pytest.approx(100 * np.mean([0.02, 0.04, 0.06, 0]))
    marks = statistics.by_landmark(found)
    assert [row["error %"] for row in marks] == pytest.approx([13, 3, 3, 3, 8])
    rows = {row["normaliser"]: row for row in statistics.by_normaliser(found)}
    assert set(rows) == {"inter-pupil", "box", "diagonal"}  # five points have no eye corners
    apart = ERRORS.mean(1).mean()
    assert rows["inter-pupil"]["NME %"] == pytest.approx(100 * apart / 0.4, abs=1e-3)
    assert rows["diagonal"]["NME %"] == pytest.approx(100 * apart / np.hypot(0.4, 0.4), abs=1e-3)
    lengths = np.linalg.norm(ERRORS, axis=1) / 5
    assert rows["box"]["NRMSE x 100"] == pytest.approx(100 * (lengths / 0.4).mean(), abs=1e-3)


def test_a_label_that_is_missing_counts_nowhere() -> None:
    found = run(ERRORS)
    found.arrays["truth"][:, 4] = np.nan
    marks = statistics.by_landmark(found)
    assert marks[4]["faces"] == 0 and np.isnan(marks[4]["error %"])
    assert {row["part"]: row["error %"] for row in statistics.by_part(found)}["outer_lip"] == pytest.approx(3)


def test_stages_layers_and_patches() -> None:
    stages = np.array([[[0.1, 0.2]], [[0.3, 0.4]]])  # (face, stage, layer)
    rows = statistics.by_stage(run(ERRORS[:2], arrays={"stages": stages, "inside": np.array([[1.0], [0.5]])}))
    assert [(r["stage"], r["layer"], r["NME %"], r["labels in patches %"]) for r in rows] == [
        (1, 1, 20, 75), (1, 2, 30, 75),
    ]  # fmt: skip
    assert statistics.by_stage(run(ERRORS)) == []


def test_seen_and_covered_points() -> None:
    covered = np.zeros((2, 5), int)
    covered[0, 0], covered[1, 1] = 1, -1
    sigma = np.full((2, 5, 2), 0.01)
    sigma[0, 0] = [0.02, 0.04]
    seen, hidden = statistics.by_visibility(run(ERRORS[:2], arrays={"covered": covered, "sigma": sigma}))
    assert (seen["count"], hidden["count"]) == (8, 1)
    assert hidden["error %"] == pytest.approx(2)
    assert (seen["SQDU px2"], hidden["SQDU px2"]) == pytest.approx((6.5536, 52.4288))


def test_poses_wrap_round_and_unknown_ones_are_left_out() -> None:
    found = np.array([[179.0, 0, 0], [10, 10, 25], [0, 0, 0]])
    truth = np.array([[-179.0, 3, 1], [0, 0, 0], [np.nan, 0, 0]])
    (row,) = statistics.by_angle(run(ERRORS[:3], arrays={"pose": found, "pose.truth": truth}))
    assert (row["faces"], row["yaw MAE"], row["pitch MAE"], row["roll MAE"]) == (2, 6, 6.5, 13)
    assert row["FR@10 %"] == 50
    (lost,) = statistics.by_confidence(run(ERRORS, arrays={"confidence": np.array([0.9, 0.69, 0.7, 0.1])}, least=0.7))
    assert lost["lost %"] == 50


def test_a_paired_comparison_sees_what_faces_share() -> None:
    rng = np.random.default_rng(0)
    hard = rng.uniform(0.01, 0.1, 300)[:, None] * np.ones(5)
    names = {"files": [str(i) for i in range(300)], "groups": [[]] * 300, "sequences": [""] * 300}
    one, other = run(hard, **names), run(hard + 0.001 + rng.normal(0, 1e-4, (300, 5)), **names)
    row = statistics.compare(one, other)[0]
    low, high = (float(v) for v in row["NME 95 %"].split(" .. "))
    assert low < row["NME a - b"] < high < 0 and row["NME a - b"] == pytest.approx(-0.2, abs=0.01)
    assert high - low < 0.01  # unpaired, the spread of the faces would make it 0.6
    assert row["a closer %"] == 100
    back = statistics.compare(other, one)[0]
    assert back["NME a - b"] == -row["NME a - b"]
    shuffled = other.only(np.arange(300)[::-1])
    assert statistics.compare(one, shuffled)[0]["NME a - b"] == row["NME a - b"]
    with pytest.raises(DataError, match="no face in common"):
        statistics.compare(one, run(ERRORS, files=["x", "y", "z", "w"]))
    with pytest.raises(DataError, match="other normalisers"):
        statistics.compare(one, run(hard, **names, normaliser="box"))


def test_a_run_comes_back_from_its_file(tmp_path) -> None:
    found = run(ERRORS)
    path = found.save(tmp_path / "run.safetensors")
    again = Run.load(path)
    np.testing.assert_allclose(again.nme, found.nme, rtol=1e-6)
    assert again.meta == found.meta and again.text() == found.text()
    assert again.scheme is get_scheme("five") and not again.pictures
    with pytest.raises(DataError, match="keeps no pictures"):
        again.thumbs([0])
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    with pytest.raises(DataError, match="is no run"):
        Run.load(tmp_path / "other.safetensors")
    with pytest.raises(DataError, match="written as .safetensors"):
        found.save(tmp_path / "run.csv")
