"""A tracked face over time: jitter by hand, the words, and what the figure and the film draw."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from workbench import figures
from workbench.errors import DataError
from workbench.explain.timeline import jitter, timeline
from workbench.figures.film import mark_frame, save_film
from workbench.landmarks import get_scheme
from workbench.tracking import TrackedFrame

SQUARE = np.array([[120.0, 60.0], [180.0, 60.0], [150.0, 90.0], [126.0, 120.0], [174.0, 120.0]])


def moved(shift: float) -> np.ndarray:
    """The five points, moved to the right."""
    return np.add(SQUARE, [shift, 0])


def frame(index: int, state: str, shift: float = 0.0) -> TrackedFrame:
    photo, lost = Image.new("RGB", (360, 200), (90, 90, 90)), state == "lost"
    points, pose = (None, None) if lost else (moved(shift), np.array([0.0, 0.0, math.pi / 6]))
    region = (80.0, 30.0, 220.0, 170.0)
    return TrackedFrame(index, photo, state, state != "tracked", region, points, pose, 0.1 if lost else 0.9)


def test_even_motion_leaves_no_jitter_and_a_step_does() -> None:
    even = [moved(2.0 * k) for k in range(4)]
    np.testing.assert_allclose(jitter(even), [np.nan, 0, 0, np.nan], atol=1e-12)
    # Off by six pixels of a face of sixty, in the middle frame.
    np.testing.assert_allclose(jitter([SQUARE, moved(6), SQUARE])[1], 10)
    assert np.isnan(jitter([SQUARE, None, SQUARE, SQUARE])).all()


def test_a_timeline_counts_states_and_turns_angles_into_degrees() -> None:
    frames = [frame(0, "detected"), frame(1, "tracked", 6), frame(2, "tracked"), frame(3, "lost")]
    found = timeline(frames)
    assert found.searched.tolist() == [True, False, False, True]
    np.testing.assert_allclose(found.angles[1], [0, 0, 30])
    assert np.isnan(found.angles[3]).all()
    assert found.caption(0.7).startswith("4 frames: 2 tracked from the frame before, 1 found by the detector, 1 lost")
    assert "10.00 % on average" in found.caption(0.7)
    with pytest.raises(DataError, match="no tracked frame"):
        timeline([])


def test_the_figure_breaks_its_curves_where_the_face_was_lost() -> None:
    states = ["detected", "tracked", "lost", "detected", "tracked"]
    drawn = figures.timeline([frame(k, state) for k, state in enumerate(states)], "film").to_plotly_json()["layout"]
    colour = "#0072B2"  # yaw
    runs = [s for s in drawn["shapes"] if s["type"] == "path" and s["line"].get("color") == colour]
    assert len(runs) == 2
    marks = [s for s in drawn["shapes"] if s["type"] == "path" and s.get("fillcolor")]
    assert len(marks) == 3  # the detector ran three times


def test_a_marked_frame_shows_its_region_axes_and_state() -> None:
    scheme = get_scheme("five")
    tracked, lost = (np.asarray(mark_frame(frame(0, s), scheme)).astype(int) for s in ("tracked", "lost"))
    assert tracked.shape == (220, 360, 3)
    green = (np.abs(tracked[:200] - [0, 158, 115]).sum(-1) < 60).sum()
    grey = (np.abs(lost[:200] - [127, 134, 143]).sum(-1) < 40).sum()
    assert green > 300 and grey > 300
    y, x = np.nonzero(np.abs(tracked[:200] - [0, 114, 178]).sum(-1) < 60)
    assert len(x) > 20 and np.corrcoef(x, y)[0, 1] > 0.5  # rolled clockwise: what was right goes down


def test_what_cannot_be_a_film(tmp_path) -> None:
    picture = Image.new("RGB", (8, 8))
    assert save_film([picture, Image.new("RGB", (8, 8), "white")], tmp_path / "a.webp", 20).stat().st_size > 0
    for pictures, name, fps in (([picture], "a.mp4", 10), ([], "a.gif", 10), ([picture], "a.gif", 0)):
        with pytest.raises(DataError):
            save_film(pictures, tmp_path / name, fps)
