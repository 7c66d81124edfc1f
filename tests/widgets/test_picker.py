"""The picker: what it is sent, and how boxes and crops belong together."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.widgets.javascript import run
from workbench.errors import ImageError
from workbench.faces import Face
from workbench.landmarks import get_scheme
from workbench.widgets.picker import LONGEST, picker_payload

BOXES = ((10.0, 20.0, 50.0, 70.0), (60.0, 20.0, 90.0, 40.0))


def detections():
    photo = Image.new("RGB", (100, 80), (90, 120, 150))
    found = tuple(SimpleNamespace(box=box) for box in BOXES)  # all that the picker needs of a detection
    return Face(photo, BOXES[0], detections=found)


def test_a_detected_face():
    payload = picker_payload(detections().with_index(1))
    meta = payload["meta"]
    assert meta["photo"] == meta["original"] == [100, 80]
    assert meta["boxes"] == [list(box) for box in BOXES]
    assert (meta["index"], meta["box"], meta["factor"]) == (1, list(BOXES[1]), 1.2)
    assert meta["state"] == {"choice": {"index": 1}}
    assert Image.open(io.BytesIO(payload["blobs"]["photo"])).size == (100, 80)


def test_a_box_by_hand_keeps_the_detected_ones():
    meta = picker_payload(detections().with_box((5, 5, 35, 45)).with_factor(1.5))["meta"]
    assert len(meta["boxes"]) == 2
    assert (meta["index"], meta["box"], meta["factor"]) == (None, [5, 5, 35, 45], 1.5)
    assert meta["state"] == {"choice": {"box": [5, 5, 35, 45]}}


def test_a_photograph_without_a_face():
    meta = picker_payload(Image.new("RGB", (30, 20)), [])["meta"]
    assert (meta["boxes"], meta["index"], meta["box"]) == ([], None, None)
    assert meta["state"] == {"choice": {}}


def test_large_photographs_travel_small_with_full_coordinates():
    payload = picker_payload(Image.new("RGB", (4000, 2000)), [(1000, 500, 1500, 1100)], 0)
    assert payload["meta"]["photo"] == [4000, 2000]
    assert payload["meta"]["box"] == [1000, 500, 1500, 1100]
    assert Image.open(io.BytesIO(payload["blobs"]["photo"])).size == (LONGEST, LONGEST // 2)


def test_landmarks_come_with_their_colours():
    scheme = get_scheme("five")
    points = np.arange(10.0).reshape(5, 2)
    meta = picker_payload(detections(), landmarks=points, scheme=scheme)["meta"]
    assert meta["points"] == points.tolist()
    assert len(meta["face"]["colour"]) == 5


def test_what_does_not_fit():
    photo = Image.new("RGB", (30, 20))
    with pytest.raises(ImageError, match="four finite numbers"):
        picker_payload(photo, [(5, 5, 5, 9)])
    with pytest.raises(ImageError, match="no face 2"):
        picker_payload(photo, [(1, 1, 9, 9)], 1)
    with pytest.raises(ImageError, match="scheme"):
        picker_payload(photo, [(1, 1, 9, 9)], 0, landmarks=np.zeros((5, 2)))


def test_crop_and_box_are_those_of_a_face(tmp_path):
    face = detections().with_factor(1.4)
    got = run(
        tmp_path,
        "picker",
        """const crop = cropOf(input.box, 1.4);
        return { crop, box: boxOf(moveRect(crop, 3, -2), 1.4) };""",
        box=face.box,
    )
    half = face.side / 2
    assert got["crop"] == pytest.approx([*(face.centre - half), *(face.centre + half)])
    moved = face.with_box(got["box"])
    assert moved.side == pytest.approx(face.side, abs=0.2)
    np.testing.assert_allclose(moved.centre, face.centre + np.array([3, -2]), atol=0.1)


def test_centre_stays_in_the_photograph(tmp_path):
    got = run(
        tmp_path,
        "picker",
        "return [[-30, 10, 10, 50], [90, 70, 130, 110], [10, 10, 20, 20]].map((r) => keepCentre(r, [100, 80]));",
    )
    assert got == [[-20, 10, 20, 50], [79, 59, 119, 99], [10, 10, 20, 20]]


def test_view_holds_photograph_and_crop(tmp_path):
    got = run(
        tmp_path,
        "picker",
        """const size = [100, 80], crop = [40, 30, 60, 50], v = fitPhoto(200, 200, regionOf(size, null));
        return {
          near: regionOf(size, crop, true), beyond: regionOf(size, [-30, 0, 30, 60]), all: regionOf(size, crop),
          corner: v.px([-0.5, -0.5]), back: v.unit(v.px([12, 34])),
        };""",
    )
    assert got["all"] == [-0.5, -0.5, 99.5, 79.5]
    assert got["near"] == pytest.approx([26, 16, 74, 64])  # 0.7 of the crop's side around it
    assert got["beyond"] == pytest.approx([-25, -3.125, 99.5, 79.5])  # at most a quarter beyond
    assert got["corner"] == pytest.approx([0, 20])  # 2 pixels each, 40 rows left over
    assert got["back"] == pytest.approx([12, 34])


def test_a_near_view_stays_while_the_crop_fits(tmp_path):
    got = run(
        tmp_path,
        "picker",
        """const crops = [[20, 20, 60, 60], [70, 20, 110, 60], [0, 0, 90, 90], [40, 40, 60, 60]];
        return crops.map((crop) => stillFits([0, 0, 100, 100], crop, true));""",
    )
    assert got == [True, False, False, False]  # well inside, over the edge, too large, too small
