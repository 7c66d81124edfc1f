from __future__ import annotations

import csv
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from workbench.data import READERS, open_dataset
from workbench.errors import DataError, UnknownNameError
from workbench.landmarks import user_scheme


def picture(path: Path, size: tuple[int, int] = (40, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (200, 10, 10)).save(path)


def write_csv(folder: Path, rows: list[list[str]], header: list[str] | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    header = header or ["file", "subset", *(f"{a}{i}" for i in range(5) for a in "xy")]
    with (folder / "annotations.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


FIVE = [str(v) for v in (10, 10, 20, 10, 15, 15, 11, 20, 19, 20)]


def test_csv_of_crops(tmp_path: Path) -> None:
    picture(tmp_path / "crops" / "a.png")
    write_csv(
        tmp_path,
        [
            ["a.png", "train", *FIVE],
            ["b.png", "test", "nan", "", *FIVE[2:]],
            ["c.png", "test", *["nan"] * 10],
        ],
    )
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.scheme.name, len(dataset)) == ("csv", "five", 2)
    assert dataset.skipped == ("c.png has no landmark.",)
    first, second = dataset
    assert first.cropped
    assert first.image().size == (40, 30)
    assert first.points.tolist() == [[10, 10], [20, 10], [15, 15], [11, 20], [19, 20]]
    assert np.isnan(second.points[0]).all()
    assert np.isfinite(second.points[1:]).all()
    assert [s.name for s in open_dataset(tmp_path, split="test")] == ["b.png"]
    assert open_dataset(tmp_path, split="test").skipped == dataset.skipped
    assert open_dataset(tmp_path, split="train").skipped == ()
    assert dataset.points().shape == (2, 5, 2)
    with pytest.raises(DataError, match=r"b\.png is missing"):
        second.image()


def test_deep_grey_pictures_keep_their_range(tmp_path: Path) -> None:
    header = ["file", *(f"{a}{i}" for i in range(19) for a in "xy")]
    write_csv(tmp_path, [["a.png", *map(str, range(38))]], header)
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    Image.fromarray(ramp).save(tmp_path / "a.png")
    seen = np.asarray(open_dataset(tmp_path)[0].image())
    np.testing.assert_allclose(seen[..., 0], ramp / 257, atol=1)


def test_simple_csv_beside_its_photos(tmp_path: Path) -> None:
    header = ["file", *(f"{a}{i}" for i in range(19) for a in "xy")]
    write_csv(tmp_path, [["photos/a.jpg", *map(str, range(38))]], header)
    sample = open_dataset(tmp_path, split="train")[0]
    assert sample.path == tmp_path / "photos" / "a.jpg"
    assert not sample.cropped
    assert open_dataset(tmp_path).scheme.name == "aflw19"


def test_pseudo_labels(tmp_path: Path) -> None:
    write_csv(tmp_path / "s", [["a.png", "train", *FIVE], ["b.png", "train", *FIVE]])
    with pytest.raises(DataError, match="has no labels 'pseudo98'"):
        open_dataset(tmp_path / "s", labels="pseudo98")
    with pytest.raises(UnknownNameError, match="pseudo98"):
        open_dataset(tmp_path / "s", labels="human")
    points = np.random.default_rng(0).uniform(0, 255, (1, 98, 2)).astype("f4")
    np.savez(tmp_path / "s" / "pseudo98_pfld.npz", files=np.array(["b.png"]), points=points)
    dataset = open_dataset(tmp_path / "s", labels="pseudo98")
    assert dataset.scheme.name == "wflw98"
    assert dataset.labels == "pseudo98"
    assert [s.name for s in dataset] == ["b.png"]
    assert len(dataset.skipped) == 1
    np.testing.assert_allclose(dataset[0].points, points[0])
    np.savez(tmp_path / "s" / "pseudo98_pfld.npz", files=np.array(["b.png"]), points=points[:, :68])
    with pytest.raises(DataError, match="not \\(1, 98, 2\\)"):
        open_dataset(tmp_path / "s", labels="pseudo98")
    for broken in (b"", b"PK\x03\x04broken"):
        (tmp_path / "s" / "pseudo98_pfld.npz").write_bytes(broken)
        with pytest.raises(DataError, match="damaged"):
            open_dataset(tmp_path / "s", labels="pseudo98")


@pytest.mark.parametrize("root", ["mine", "300W", "test"])
def test_pts_starts_at_one(root: str, tmp_path: Path) -> None:
    tmp_path = tmp_path / root
    lines = "\n".join(f"{i + 1} {2 * i + 1}" for i in range(68))
    text = f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n"
    places = {
        "helen/trainset/a": ("train", ()),
        "afw/b": ("train", ()),
        "lfpw/testset/c": ("test", ("common", "full")),
        "ibug/d": ("test", ("challenging", "full")),
        "300w/01_Indoor/e": ("test", ("private",)),
    }
    for place in places:
        picture((tmp_path / place).with_suffix(".png"))
        (tmp_path / place).with_suffix(".pts").write_text(text)
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.scheme.name) == ("pts", "ibug68")
    assert {s.name: (s.subset, s.groups) for s in dataset} == places
    assert dataset[0].points[3].tolist() == [3.0, 6.0]  # written as 4 7
    assert all(s.image().size == (40, 30) for s in dataset)
    assert [s.name for s in open_dataset(tmp_path, split="challenging")] == ["ibug/d"]
    assert [s.name for s in open_dataset(tmp_path, split="test", subset="full")] == ["ibug/d", "lfpw/testset/c"]
    if root == "300W":
        assert open_dataset(tmp_path / "300w")[0].groups == ("private",)
        assert open_dataset(tmp_path / "ibug")[0].groups == ("challenging", "full")


def test_wflw(tmp_path: Path) -> None:
    numbers = [str(v) for v in range(196)]
    line = " ".join([*numbers, "1", "2", "30", "40", *"010101", "0--Parade/my photo.jpg"])
    lists = tmp_path / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    lists.mkdir(parents=True)
    (lists / "list_98pt_rect_attr_train.txt").write_text(line + "\n" + line + "\n\n")
    (lists / "list_98pt_rect_attr_test.txt").write_text(line + "\n")
    picture(tmp_path / "WFLW_images" / "0--Parade" / "my photo.jpg")
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.scheme.name, len(dataset)) == ("wflw", "wflw98", 3)
    assert len(open_dataset(tmp_path, split="train")) == 2
    sample = open_dataset(tmp_path, split="test")[0]
    assert sample.box == (1, 2, 30, 40)
    assert sample.points[97].tolist() == [194, 195]
    assert sample.image().size == (40, 30)
    assert len({s.name for s in dataset}) == 3
    assert sample.groups == ("expression", "makeup", "blur")
    (lists / "list_98pt_rect_attr_test.txt").write_text("1 2 3\n" + line.replace("0 1 0 1 0 1", "") + "\n" + line)
    dataset = open_dataset(tmp_path, split="test")
    assert len(dataset) == 1
    first, second = dataset.skipped
    assert first.startswith(f"Line 1 of {lists}") and "has 3 fields" in first
    assert second.startswith(f"Line 2 of {lists}") and "has 202 fields" in second


def test_webmorph_templates(tmp_path: Path) -> None:
    points = "\n".join(f"{i}.5\t{i + 1}" for i in range(189))
    (tmp_path / "a.tem").write_text(f"189\n{points}\n1\n0\n3\n0 1 2\n")
    picture(tmp_path / "a.JPG")
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.scheme.name) == ("tem", "webmorph189")
    assert dataset[0].points[10].tolist() == [10.5, 11.0]
    assert dataset[0].image().size == (40, 30)
    (tmp_path / "a.tem").write_text("189\n1\t2\n")
    with pytest.raises(DataError, match="must count the points"):
        open_dataset(tmp_path)


def test_cofw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)  # H, W, C
    labels = np.arange(87 * 2, dtype=float).reshape(87, 2)
    boxes = np.array([[1.0, 2], [3, 4], [10, 20], [30, 40]])
    path = tmp_path / "COFW_train_color.mat"
    with h5py.File(path, "w") as file:  # as MATLAB 7.3 lays it out: cells are references, axes run backwards
        photos = {"p": photo.T, "q": photo[..., 0].T}
        cells = [file.create_dataset(f"#refs#/{name}", data=data) for name, data in photos.items()]
        file.create_dataset("IsTr", data=np.array([[cell.ref for cell in cells]], dtype=h5py.ref_dtype))
        file.create_dataset("phisTr", data=labels)
        file.create_dataset("bboxesTr", data=boxes)
    dataset = open_dataset(tmp_path)
    assert (dataset.format, dataset.scheme.name, len(dataset)) == ("cofw", "cofw29", 2)
    assert dataset[1].points[3].tolist() == [labels[3, 1], labels[32, 1]]
    assert dataset[0].box == (1, 3, 11, 33)
    np.testing.assert_array_equal(np.asarray(dataset[0].image()), photo)
    np.testing.assert_array_equal(np.asarray(dataset[1].image())[..., 2], photo[..., 0])
    with h5py.File(path, "r+") as file:
        del file["phisTr"]
    with pytest.raises(DataError, match="no COFW file"):
        open_dataset(tmp_path)
    path.write_bytes(b"no such file")
    with pytest.raises(DataError, match="damaged"):
        open_dataset(tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DataError, match=r"\.\[cofw\]"):
        open_dataset(tmp_path)


def test_unknown_folders_say_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"annotations.csv .*, list_98pt_rect_attr_.*.pts .*, .*.tem"):
        open_dataset(tmp_path)
    with pytest.raises(DataError, match="There is no folder"):
        open_dataset(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        (["picture", "x0", "y0"], [], "no column 'file'"),
        (["file", "x0", "x1", "y1"], [], "no column 'y0'"),
        (["file", "subset"], [], "no column 'x0'"),
        (None, [["a.png", "train", "1"]], "Line 2 .* has 3 fields"),
        (None, [["a.png", "train", *FIVE[:-1], "many"]], "no number"),
        (None, [["a.png", "train", *["nan"] * 10]], "no face with landmarks"),
        (None, [], "no face with landmarks"),
        (["file", "x0", "y0", "x1", "y1"], [["a.png", "1", "2", "3", "4"]], "2 points a face"),
    ],
)
def test_damaged_csv(tmp_path: Path, header: list[str] | None, rows: list[list[str]], message: str) -> None:
    write_csv(tmp_path, rows, header)
    with pytest.raises(DataError, match=message):
        open_dataset(tmp_path)


def test_schemes_and_parts_are_checked(tmp_path: Path) -> None:
    write_csv(tmp_path / "set", [["a.png", "train", *FIVE]])
    with pytest.raises(DataError, match="5 points a face, but scheme 'ibug68' has 68"):
        open_dataset(tmp_path / "set", scheme="ibug68")
    with pytest.raises(DataError, match="no 'test' part; it has train"):
        open_dataset(tmp_path / "set", split="test")
    own = user_scheme("own", 5)
    assert open_dataset(tmp_path / "set", scheme=own).scheme is own
    for name, count in (("a", 5), ("b", 6)):
        marks = "\n".join("1 2" for _ in range(count))
        (tmp_path / f"{name}.pts").write_text(f"{{\n{marks}\n}}")
    (tmp_path / "set" / "annotations.csv").unlink()
    with pytest.raises(DataError, match="mixes schemes: a has 5 points, b has 6"):
        open_dataset(tmp_path)
    chosen = open_dataset(tmp_path, scheme="five")
    assert [s.name for s in chosen] == ["a"] and chosen.skipped == ("b has 6 points, not the 5 of five.",)
    (tmp_path / "b.pts").write_text("nothing")
    ((told,),) = (open_dataset(tmp_path).skipped,)
    assert told.startswith(str(tmp_path / "b.pts")) and "between braces" in told


def test_the_register_says_what_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_dataset(tmp_path)
    for name, reader in READERS.items():
        assert reader.name == name and reader.layout
        assert f"{reader.pattern} ({reader.title})" in str(caught.value)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "annotations.csv").write_text("file")  # a table's pictures lie beside it
    with pytest.raises(DataError, match="no data set that can be read"):
        open_dataset(tmp_path)


def write_pts(path: Path, rows: list[str], count: int | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = "\n".join(rows)
    path.write_text(f"version: 1\nn_points: {len(rows) if count is None else count}\n{{\n{listed}\n}}\n")


ROWS = ["11 11", "21 11", "16 16", "12 21", "20 21"]


def test_missing_and_covered_points_of_merl_rav(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    write_pts(tmp_path / "a.pts", ["-1 -1", "-21 -11", "-3 16", "12 -2", "20.5 21"])
    sample = open_dataset(tmp_path)[0]
    assert np.isnan(sample.points[0]).all()
    assert sample.points[1:].tolist() == [[20, 10], [-4, 15], [11, -3], [19.5, 20]]
    assert sample.covered.tolist() == [True, True, False, False, False]
    picture(tmp_path / "afw" / "b.jpg")  # a photograph of 300-W: a place outside of the picture
    write_pts(tmp_path / "afw" / "b.pts", ["-1 -1", "-21 -11", "-3 16", "12 -2", "20.5 21"])
    sample = open_dataset(tmp_path)[1]
    assert sample.points[:2].tolist() == [[-2, -2], [-22, -12]] and sample.covered is None


def test_a_file_that_promises_other_points_is_told(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    write_pts(tmp_path / "a.pts", ROWS, count=68)
    with pytest.raises(DataError, match=r"a\.pts promises 68 points and has 5"):
        open_dataset(tmp_path)


def test_what_a_system_hides_is_passed_over_and_what_a_person_sees_is_told(tmp_path: Path) -> None:
    junk = b"\x00\x05\x16\x07Mac OS X" + b"\xb0" * 40
    picture(tmp_path / "a.jpg")
    write_pts(tmp_path / "a.pts", ROWS)
    (tmp_path / "._a.pts").write_bytes(junk)
    for place in ("__MACOSX", ".trash"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "b.pts").write_bytes(junk)
    assert len(open_dataset(tmp_path)) == 1
    (tmp_path / "b.pts").write_bytes(junk)
    (told,) = open_dataset(tmp_path).skipped
    assert "b.pts is not a readable text file" in told


def test_a_folder_that_lies_in_a_hidden_one_is_read(tmp_path: Path) -> None:
    picture(tmp_path / ".cache" / "set" / "a.jpg")
    write_pts(tmp_path / ".cache" / "set" / "a.pts", ROWS)
    assert len(open_dataset(tmp_path / ".cache" / "set")) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_is_read_whatever_editor_has_saved_it(tmp_path: Path, encoding: str, end: str) -> None:
    picture(tmp_path / "WFLW_images" / "a.jpg")
    line = " ".join(["20.5"] * 196 + ["0", "0", "30", "30"] + ["0"] * 6 + ["a.jpg"]) + "\n"
    (tmp_path / "list_98pt_rect_attr_test.txt").write_bytes((line * 2).replace("\n", end).encode(encoding))
    assert [len(s.points) for s in open_dataset(tmp_path)] == [98, 98]
    other = tmp_path / "other"
    picture(other / "a.jpg")
    write_pts(other / "a.pts", ROWS)
    text = (other / "a.pts").read_text().replace("\n", end).replace("11 11", "11,\t11").replace("21 11", "21;11")
    (other / "a.pts").write_bytes(text.encode(encoding))
    assert open_dataset(other)[0].points[0].tolist() == [10, 10]


@pytest.mark.parametrize("comma", [",", ", ", ";", "; ", "\t"])
def test_a_table_is_read_however_its_fields_are_parted(tmp_path: Path, comma: str) -> None:
    picture(tmp_path / "a.png")
    header = ["file", *(f"{a}{i}" for i in range(5) for a in "xy")]
    values = ["10.5", *FIVE[1:]]
    if comma == "; ":
        values[0] = "10,5"  # where a comma stands for the point
    text = "\n".join(comma.join(row) for row in (header, ["a.png", *values], [""]))
    (tmp_path / "annotations.csv").write_text(text + "\n", encoding="utf-8-sig")
    (sample,) = open_dataset(tmp_path)
    assert sample.points[0].tolist() == [10.5, 10]


@pytest.mark.parametrize(
    "ending", [".jpe", ".jfif", ".JPG", ".Jpeg", ".ppm", ".jp2", ".webp", ".tif", ".MPO", ".avif"]
)
def test_a_picture_is_found_by_any_ending_of_the_decoder(tmp_path: Path, ending: str) -> None:
    picture(tmp_path / f"a{ending}")
    write_pts(tmp_path / "a.pts", ROWS)
    assert open_dataset(tmp_path)[0].image().size == (40, 30)
