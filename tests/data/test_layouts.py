"""The published layouts, each written as a tiny folder of its own kind."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from workbench.data import open_dataset, pack
from workbench.data.matlab import AFLW_TRAIN, FLIP, rotation_of
from workbench.data.points import VW_A, VW_B, VW_C
from workbench.errors import DataError
from workbench.landmarks import get_scheme
from workbench.landmarks.geometry import rotation


def picture(path: Path, colour: tuple[int, int, int] = (200, 10, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), colour).save(path)


def write_pts(path: Path, points: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "\n".join(f"{x:g} {y:g}" for x, y in points)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n")


def spread(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(5, 25, (count, 2)).round(2)


def container(path: Path, labels: np.ndarray, photos: list[np.ndarray], suffix: str = "T") -> None:
    with h5py.File(path, "w") as file:
        cells = [file.create_dataset(f"#refs#/{i}", data=photo.T) for i, photo in enumerate(photos)]
        file.create_dataset(f"Is{suffix}", data=np.array([[cell.ref for cell in cells]], dtype=h5py.ref_dtype))
        file.create_dataset(f"phis{suffix}", data=labels)


def test_cofw_keeps_its_flags(tmp_path: Path) -> None:
    flags = np.zeros((29, 2))
    flags[[0, 28], 1] = 1
    labels = np.concatenate([np.full((58, 2), 7.0), flags])
    container(tmp_path / "COFW_test_color.mat", labels, [np.zeros((4, 6, 3), np.uint8)] * 2)
    first, second = open_dataset(tmp_path, split="test")
    assert not first.covered.any()
    assert np.flatnonzero(second.covered).tolist() == [0, 28]


def test_cofw68(tmp_path: Path) -> None:
    photos = [np.full((4, 6, 3), value, np.uint8) for value in (10, 20)]
    container(tmp_path / "COFW_test_color.mat", np.zeros((87, 2)), photos)
    places = tmp_path / "COFW68_Data" / "test_annotations"
    places.mkdir(parents=True)
    for number in (1, 2, 10):
        covered = (np.arange(68) == number).astype("u1")
        savemat(places / f"{number}_points.mat", {"Points": spread(68, number), "Occ": covered[:, None]})
    savemat(tmp_path / "COFW68_Data" / "cofw68_test_bboxes.mat", {"bboxes": np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]])})
    savemat(places / "3_points.mat", {"Points": spread(29), "Occ": np.zeros(29)})
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.scheme.name) == ("cofw68", "ibug68")
    assert [s.name for s in dataset] == ["1_points", "2_points", "10_points"]
    assert dataset[1].box == (5, 6, 12, 14) and dataset[2].box is None
    assert np.flatnonzero(dataset[1].covered).tolist() == [2]
    assert np.asarray(dataset[1].image())[0, 0].tolist() == [20, 20, 20]
    (told,) = dataset.skipped
    assert str(places / "3_points.mat") in told and "not (68, 2)" in told
    with pytest.raises(DataError, match="has no picture 10 in IsT"):
        dataset[2].image()


@pytest.mark.slow
def test_aflw19(tmp_path: Path) -> None:
    count = AFLW_TRAIN + 3
    names = np.empty((count, 1), object)
    names[:, 0] = [np.array([f"0/image{i:05}.jpg"]) for i in range(count)]
    data = np.tile(np.arange(38.0), (count, 1))
    seen = np.ones((count, 19))
    seen[0, 4] = 0
    order = np.arange(count, 0, -1)[None]  # the first faces come last, and test
    boxes = np.tile([1.0, 9, 2, 8], (count, 1))
    path = tmp_path / "AFLWinfo_release.mat"
    savemat(path, {"nameList": names, "data": data, "bbox": boxes, "mask_new": seen, "ra": order})
    picture(tmp_path / "flickr" / "0" / "image00000.jpg")
    dataset = open_dataset(tmp_path, split="test")
    assert (dataset.scheme.name, len(dataset)) == ("aflw19", 3)
    assert [s.name for s in open_dataset(tmp_path, subset="frontal")] == ["0/image00002.jpg#3", "0/image00001.jpg#2"]
    last = dataset[2]
    assert last.points[1].tolist() == [1, 20] and last.box == (1, 2, 9, 8)
    assert np.flatnonzero(last.covered).tolist() == [4]
    assert last.image().size == (40, 30)
    savemat(path, {"nameList": names, "data": data, "bbox": boxes, "mask_new": seen, "ra": np.ones((1, count))})
    with pytest.raises(DataError, match="order 'ra'"):
        open_dataset(tmp_path)


def test_merl_rav_in_its_folders(tmp_path: Path) -> None:
    for place in ("frontal/testset", "lefthalf/trainset", "right/testset"):
        write_pts(tmp_path / "merl_rav_organized" / place / "image00002_1.pts", -spread(68))
    dataset = open_dataset(tmp_path)
    assert [(s.subset, s.groups) for s in dataset] == [
        ("test", ("frontal",)), ("train", ("half-profile",)), ("test", ("profile",)),
    ]  # fmt: skip
    assert dataset[0].covered.all()
    np.testing.assert_allclose(dataset[0].points, spread(68) - 1)


def test_menpo_holds_two_conventions(tmp_path: Path) -> None:
    write_pts(tmp_path / "aflw__face_1.pts", spread(68))
    write_pts(tmp_path / "aflw__face_2.pts", spread(39))
    (semi,) = open_dataset(tmp_path, scheme="ibug68")
    assert semi.groups == ("semifrontal",)
    (profile,) = (dataset := open_dataset(tmp_path, subset="profile"))
    assert dataset.scheme.count == 39 and len(profile.points) == 39
    with pytest.raises(DataError, match="mixes schemes"):
        open_dataset(tmp_path)
    told = open_dataset(tmp_path, scheme="ibug68").skipped
    assert told == ("aflw__face_2 has 39 points, not the 68 of ibug68.",)


def test_masked_300w_is_300w_with_masks(tmp_path: Path) -> None:
    root = tmp_path / "Masked_300W"
    write_pts(root / "ibug" / "a.pts", spread(68))
    write_pts(root / "helen" / "testset" / "b.pts", spread(68))
    assert {s.name: s.groups for s in open_dataset(root)} == {
        "ibug/a": ("challenging", "full", "masked"),
        "helen/testset/b": ("common", "full", "masked"),
    }


def test_300vw(tmp_path: Path) -> None:
    assert [len(videos) for videos in (VW_A, VW_B, VW_C)] == [31, 19, 14]
    assert len(VW_A | VW_B | VW_C) == 64
    for video in ("002", "114", "203", "410"):
        for frame in (1, 2):
            write_pts(tmp_path / video / "annot" / f"{frame:06}.pts", spread(68, frame))
    picture(tmp_path / "114" / "frames" / "000002.jpg")
    frames = [Image.new("RGB", (40, 30), (100 * i, 0, 0)) for i in range(2)]
    frames[0].save(tmp_path / "203" / "vid.avi", "GIF", save_all=True, append_images=frames[1:])
    dataset = open_dataset(tmp_path, split="test")
    assert dataset.format == "300vw"
    assert [(s.name, s.groups, s.sequence) for s in dataset][::2] == [
        ("114/000001", ("A",), "114"), ("203/000001", ("B",), "203"), ("410/000001", ("C",), "410"),
    ]  # fmt: skip
    assert [s.name for s in open_dataset(tmp_path, split="train")] == ["002/000001", "002/000002"]
    assert dataset[1].image().size == (40, 30)
    pytest.importorskip("av")
    seen = [np.asarray(dataset[i].image())[0, 0, 0] for i in (3, 2, 3)]  # backwards too
    assert seen[0] == seen[2] > seen[1] + 50
    with pytest.raises(DataError, match=r"410.vid\.avi"):
        dataset[4].image()


def test_poses_of_300w_lp_and_aflw2000(tmp_path: Path) -> None:
    pose = np.zeros((1, 7), "f4")
    pose[0, :3] = np.deg2rad([5, 40, -10])  # pitch, yaw, roll
    points = np.stack([spread(68)[:, 0], spread(68)[:, 1]])
    for place in ("AFW/AFW_1_1_0", "IBUG_Flip/IBUG_image_1_0", "LFPW/LFPW_image_test_1"):
        picture(tmp_path / f"{place}.jpg")
        savemat(tmp_path / f"{place}.mat", {"pt2d": points, "Pose_Para": pose})
    (tmp_path / "landmarks" / "AFW").mkdir(parents=True)
    savemat(tmp_path / "landmarks" / "AFW" / "AFW_1_1_0_pts.mat", {"pts_2d": points.T})
    deep = np.concatenate([points, np.zeros((1, 68))])
    for name, turn in (("image00002", 40), ("image00004", 100)):
        pose[0, 1] = np.deg2rad(turn)
        savemat(tmp_path / f"{name}.mat", {"pt3d_68": deep, "pt2d": np.full((2, 21), -1.0), "Pose_Para": pose})
    (tmp_path / "image00008.mat").write_bytes(b"nothing")
    dataset = open_dataset(tmp_path)
    assert dataset.format == "pose"
    told = {s.name: (s.subset, s.groups) for s in dataset}
    assert told == {
        "AFW/AFW_1_1_0": ("train", ("common",)),
        "IBUG_Flip/IBUG_image_1_0": ("train", ("challenging",)),
        "LFPW/LFPW_image_test_1": ("train", ("common",)),
        "image00002": ("test", ("yaw-60", "within-99")),
        "image00004": ("test", ()),
    }
    np.testing.assert_allclose(dataset[0].points, points.T)
    assert any("image00008.mat" in line and "damaged" in line for line in dataset.skipped)
    ours = np.deg2rad(dataset[0].pose)
    np.testing.assert_allclose(rotation(ours), FLIP @ rotation_of(*np.deg2rad([5, 40, -10])) @ FLIP, atol=1e-6)


@pytest.mark.parametrize(
    ("theirs", "ours"), [((0, 30, 0), (-30, 0, 0)), ((20, 0, 0), (0, 20, 0)), ((0, 0, 9), (0, 0, 9))]
)
def test_one_angle_at_a_time_changes_its_name_and_sign(tmp_path: Path, theirs: tuple, ours: tuple) -> None:
    pose = np.zeros((1, 7))
    pose[0, :3] = np.deg2rad(theirs)
    savemat(tmp_path / "image1.mat", {"pt3d_68": np.zeros((3, 68)) + spread(68).T[[0, 1, 1]], "Pose_Para": pose})
    (sample,) = open_dataset(tmp_path)
    np.testing.assert_allclose(sample.pose, ours, atol=1e-6)
    nose = rotation(np.deg2rad(sample.pose)) @ [0, 0, -1]  # towards the camera
    assert np.sign(nose[0].round(6)) == np.sign(ours[0]) and np.sign(-nose[1].round(6)) == np.sign(ours[1])


def test_celeba(tmp_path: Path) -> None:
    header = (
        "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"
    )
    rows = [f"{i:06}.jpg  10 10  20 11  15 15  11   20  19 20" for i in (1, 2, 3)]
    (tmp_path / "Anno").mkdir()
    text = "\n".join(["3", header, *rows, "000004.jpg 1 2"])
    (tmp_path / "Anno" / "list_landmarks_align_celeba.txt").write_text(text)
    (tmp_path / "list_eval_partition.txt").write_text("000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n")
    picture(tmp_path / "img_align_celeba" / "img_align_celeba" / "000003.jpg")
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.scheme.name) == ("celeba", "five")
    assert [s.subset for s in dataset] == ["train", "validation", "test"]
    assert dataset[2].points.tolist() == [[10, 10], [20, 11], [15, 15], [11, 20], [19, 20]]
    assert dataset[2].image().size == (40, 30)
    assert "Line 6" in dataset.skipped[0] and "3 fields" in dataset.skipped[0]


def test_a_table_may_tell_of_cover_pose_groups_and_facts(tmp_path: Path) -> None:
    names = [f"{a}{i}" for i in range(5) for a in "xy"]
    head = ["file", "subset", "groups", "glasses", "yaw", "pitch", "roll", *names, *(f"c{i}" for i in range(5))]
    five = "10,10,20,10,15,15,11,20,19,20"
    rows = [f"a.png,test,dark blurred,1,10,0,-5,{five},0,0,1,0,0", f"b.png,test,,2,,,,-1,-1,0,0,{five[12:]},0,0,0,0,0"]
    (tmp_path / "annotations.csv").write_text("\n".join([",".join(head), *rows]))
    first, second = open_dataset(tmp_path)
    assert first.groups == ("dark", "blurred", "glasses=1") and second.groups == ("glasses=2",)
    assert first.pose == (10, 0, -5) and second.pose is None
    assert first.covered.tolist() == [False, False, True, False, False]
    assert np.isnan(second.points[:2]).all() and np.isfinite(second.points[2:]).all()
    assert [s.name for s in open_dataset(tmp_path, split="test", subset="glasses=2")] == ["b.png"]
    with pytest.raises(DataError, match="no 'glasses=3' part; it has blurred, dark, glasses=1"):
        open_dataset(tmp_path, split="test", subset="glasses=3")


def test_what_cannot_be_used_is_told_with_its_file_and_the_rest_is_read(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_pts(tmp_path / f"{name}.pts", spread(68))
    picture(tmp_path / "a.jpg")
    (tmp_path / "c.pts").write_text("nothing")
    dataset = open_dataset(tmp_path, scheme=get_scheme(68))
    with pytest.warns(UserWarning, match="1 of 2 faces were left out"):
        packed = pack(dataset, size=32, progress=False)
    assert packed.files == ("a",)
    unreadable, missing = packed.skipped
    assert "c.pts is no landmark file" in unreadable
    assert "b." in missing and "is missing" in missing
