"""Videos followed from answer to answer against their labels: gaps begin anew, failures are counted."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

import workbench as wb
from tests.synthetic import write_synthetic
from workbench.data import Sample, open_dataset
from workbench.errors import CheckpointError, DataError
from workbench.evaluation import follow, tracking_mode
from workbench.evaluation.tracking_mode import sequences
from workbench.landmarks.metrics import nme
from workbench.tracking import next_region, read_region


def frame(video: str, number: int) -> Sample:
    return Sample(f"{video}/{number:06}", np.ones((68, 2)), "test", sequence=video)


def test_a_gap_and_another_video_begin_a_new_sequence() -> None:
    samples = [frame("b", 1), frame("a", 3), frame("a", 1), frame("a", 2), frame("a", 6), frame("b", 2)]
    samples.append(Sample("alone", np.ones((68, 2)), "test"))
    found = [[s.name[-1] + s.name[0] for s in run] for run in sequences(samples)]
    assert found == [["1b", "2b"], ["1a", "2a", "3a"], ["6a"]]


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Six drawn faces as a video of two sequences: frame 3 has no label."""
    folder = write_synthetic(tmp_path_factory.mktemp("film") / "drawn", train=0, test=7)
    table = folder / "annotations.csv"
    rows = list(csv.DictReader(table.read_text().splitlines()))
    del rows[3]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "sequence"])
        writer.writeheader()
        writer.writerows({**row, "sequence": "one"} for row in rows)
    return folder


@pytest.fixture(scope="module")
def atpn():
    return wb.load_model("atpn-68", device="cpu")


def test_a_face_that_is_never_lost(film, atpn) -> None:
    found = follow(atpn, film, threshold=0.0, progress=False)
    assert (found.sequences, found.detection_frames, found.tracking_frames, found.failures) == (2, 2, 4, 0)
    assert found.failure_rate == 0 and len(found.errors) == len(found.detected) == 6
    # The second frame by hand: its crop is the first answer's box, grown by a quarter on each side.
    first, second = list(open_dataset(film))[:2]
    start, _, _ = read_region(atpn, first.image(), next_region(first.points, 0.1))
    points, _, _ = read_region(atpn, second.image(), next_region(start, 0.25))
    assert found.errors[1] == pytest.approx(nme(points[None], second.points[None], "ibug68")[0], abs=1e-6)
    assert found.errors[0] == found.detected[0]
    assert "2 sequences, 2 detection frames, 4 tracking frames, 0 failures" in found.text()


def test_every_tracking_frame_below_the_threshold_is_a_failure_and_read_again(film, atpn) -> None:
    found = follow(atpn, film, threshold=1.1, progress=False)
    assert (found.detection_frames, found.tracking_frames, found.failures) == (6, 4, 4)
    assert found.failure_rate == 1 and found.errors == found.detected
    assert found.to_dict()["failure_rate_percent"] == 100


def test_a_failure_in_the_middle(film, atpn, monkeypatch) -> None:
    calls: list[tuple] = []
    sure = iter([1, 1, 1, 1, 0.2, 1, 1, 1, 1, 1, 1])

    def read(model, photo, region):
        calls.append(region)
        points = torch.rand(68, 2).numpy() * 50 + 100
        return points, None, float(next(sure))

    monkeypatch.setattr(tracking_mode, "read_region", read)
    found = follow(atpn, film, progress=False)
    # Frames 0 (label), 1 (label, tracked), 2 (label, tracked: lost), then the next sequence.
    assert (found.sequences, found.detection_frames, found.tracking_frames, found.failures) == (2, 3, 4, 1)
    assert found.threshold == atpn.config.threshold


def test_what_cannot_be_followed_gets_a_sentence(film, atpn, tiny_model, tmp_path) -> None:
    with pytest.raises(CheckpointError, match="no tracking branch"):
        follow(tiny_model, film, progress=False)
    write_synthetic(tmp_path / "still", train=0, test=2)
    with pytest.raises(DataError, match="has no videos to follow"):
        follow(atpn, tmp_path / "still", progress=False)
