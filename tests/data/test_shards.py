"""Faces in tar shards: what is written is read again, and damaged shards cost a sentence each."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fuzzing import mutated, rng
from tests.synthetic import write_synthetic
from workbench.data import Sample, open_dataset, pack, write_shards
from workbench.errors import DataError


def jpeg(colour: tuple[int, int, int] = (200, 10, 10)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, "PNG")
    return file.getvalue()


def shard(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def label(count: int = 68, **more: object) -> bytes:
    points = np.random.default_rng(0).uniform(5, 25, (count, 2)).round(2).tolist()
    return json.dumps({"points": points, **more}).encode()


def test_any_set_can_be_written_as_shards_and_read_again(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "drawn", train=5, test=2)
    before = open_dataset(tmp_path / "drawn")
    files = write_shards(before, tmp_path / "shards", per=3)
    assert [path.name for path in files] == [f"shard-{i:06}.tar" for i in range(3)]
    after = open_dataset(tmp_path / "shards")
    assert (after.format, after.scheme.name, len(after)) == ("shards", before.scheme.name, 7)
    assert [s.subset for s in after] == [s.subset for s in before]
    np.testing.assert_allclose(after.points(), before.points())
    one, two = np.asarray(after[6].image(), float), np.asarray(before[6].image(), float)
    assert one.shape == two.shape and np.abs(one - two).mean() < 4  # as JPEG keeps it
    packed = pack(open_dataset(tmp_path / "shards", split="train"), size=64, progress=False)
    assert len(packed) == 5
    assert pickle.loads(pickle.dumps(after[0].pixels))().shape == one.shape  # workers are handed samples


def test_labels_tell_all_that_a_face_has(tmp_path: Path) -> None:
    points = [[1.5, 2.0], None, [-1, -1]] + [[3, 4]] * 65
    told = {"points": points, "covered": [True] + [False] * 67, "box": [0, 1, 20, 21], "groups": ["masked"],
            "split": "test", "pose": [10, 0, -3.5], "sequence": "film"}  # fmt: skip
    pts = "version: 1\nn_points: 68\n{\n" + "\n".join("11 21" for _ in range(68)) + "\n}\n"
    shard(
        tmp_path / "faces-val.tar",
        {
            "a/1.png": jpeg(),
            "a/1.json": json.dumps(told).encode(),
            "a/2.pts": pts.encode(),
            "a/2.png": jpeg((0, 99, 0)),
        },
    )
    first, second = open_dataset(tmp_path)
    assert (first.name, first.subset, first.groups, first.box) == (
        "faces-val/a/1",
        "test",
        ("masked",),
        (0, 1, 20, 21),
    )
    assert first.pose == (10, 0, -3.5) and first.sequence == "film"
    assert np.flatnonzero(first.covered).tolist() == [0]
    assert first.points[0].tolist() == [1.5, 2] and np.isnan(first.points[1:3]).all()
    assert second.subset == "test" and second.points[0].tolist() == [10, 20]  # .pts start at 1; "val" tests
    assert np.asarray(second.image())[0, 0].tolist() == [0, 99, 0]
    assert len(open_dataset(tmp_path, subset="masked")) == 1


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"1.png": jpeg()}, "needs a picture and a .json or .pts"),
        ({"1.png": jpeg(), "1.json": b"{"}, "1.json is no JSON"),
        ({"1.png": jpeg(), "1.json": b"7"}, "needs 'points'"),
        ({"1.png": jpeg(), "1.json": b'{"points": [[1, "x"]]}'}, "is no label"),
        ({"1.png": jpeg(), "1.json": b'{"points": [[1, 2, 3]]}'}, "is no label"),
        ({"1.png": jpeg(), "1.json": label(covered=[True])}, "a flag for each of 68 points"),
        ({"1.png": jpeg(), "1.json": label(box=[1, 2])}, "'box' needs 4 numbers"),
        ({"1.png": jpeg(), "1.pts": b"nothing"}, "points between braces"),
        ({"1.png": jpeg(), "1.json": b" " * 4_000_001}, "more than any label"),
    ],
)
def test_what_is_no_face_costs_a_sentence(members: dict[str, bytes], said: str, tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {**members, "ok.png": jpeg(), "ok.json": label()})
    dataset = open_dataset(tmp_path)
    assert [sample.name for sample in dataset] == ["a/ok"]
    (sentence,) = dataset.skipped
    assert said in sentence and "a.tar" in sentence


def test_a_damaged_picture_is_told_when_it_is_read(tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {"1.png": jpeg()[:50], "1.json": label()})
    (sample,) = open_dataset(tmp_path)
    with pytest.raises(DataError, match="a/1 cannot be read"):
        sample.image()


def test_a_shard_damaged_in_any_way_gets_a_sentence(tmp_path: Path) -> None:
    members = {f"{i}.{ending}": data for i in range(3) for ending, data in (("png", jpeg()), ("json", label()))}
    whole = shard(tmp_path / "a.tar", members)
    data, r, read = whole.read_bytes(), rng("shards"), 0
    for _ in range(60):
        whole.write_bytes(mutated(data, r))
        try:
            for sample in open_dataset(tmp_path):
                sample.image()
                read += 1
        except DataError:
            continue
    assert read  # what lies before the damage is read


def test_other_sets_with_an_archive_beside_stay_what_they_are(tmp_path: Path) -> None:
    write_synthetic(tmp_path, train=2, test=1)
    shard(tmp_path / "backup.tar", {"1.png": jpeg(), "1.json": label()})
    assert open_dataset(tmp_path).format == "csv"


def test_shards_that_cannot_be_written_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    face = Sample("x", np.ones((5, 2)), "train", pixels=lambda: np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DataError, match="cannot be written"):
        write_shards([face], tmp_path / "file" / "inner")
