"""Readers of the public benchmarks: :data:`READERS`; :func:`open_dataset` recognises a folder by what lies in it.

A label file that is damaged or has another number of points stops the reading with a DataError. A face
without any landmark is left out and counted in ``FaceDataset.skipped``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from workbench.data.cofw import read_cofw
from workbench.data.samples import PICTURES, FaceDataset, Sample
from workbench.errors import DataError, UnknownNameError
from workbench.landmarks import Scheme, get_scheme

TEST_FOLDERS = {"testset", "test", "ibug", "300w", "01_indoor", "02_outdoor"}
TRAIN_FOLDERS = {"trainset", "train", "afw"}
SOURCE_FOLDERS = {"afw", "helen", "lfpw", "ibug", "trainset", "testset"}
LABEL_FILES = {"pseudo98": ("pseudo98_pfld.npz", "wflw98")}


def open_dataset(
    folder: str | Path,
    *,
    scheme: str | Scheme | None = None,
    split: str | None = None,
    labels: str | None = None,
) -> FaceDataset:
    """Open a benchmark folder, whatever its format.

    Args:
        folder: the set, laid out as one of :data:`READERS` expects it.
        scheme: of the landmarks; by default the built-in scheme with as many points.
        split: ``"train"``, ``"test"``, a finer part the format knows (300-W: ``"common"``, ``"challenge"``,
            ``"private"``), or None for all.
        labels: None for the set's own labels; ``"pseudo98"`` for 98 machine-made points in
            ``pseudo98_pfld.npz`` (csv format only).

    Raises:
        DataError: nothing known lies there, labels are damaged or of another scheme, or the part is empty.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}; give the folder that holds the data set.")
    name, samples = _recognise(folder)
    if labels is not None:
        samples = _relabel(folder, name, samples, labels)
        scheme = LABEL_FILES[labels][1] if scheme is None else scheme
    known = [s for s in samples if _labelled(s)]
    if not known:
        raise DataError(f"{folder} holds no face with landmarks ({len(samples)} without); check its label files.")
    wanted = samples if split is None else [s for s in samples if split in (s.subset, s.group)]
    chosen = [s for s in wanted if _labelled(s)]
    skipped = [f"{s.name} has no landmark." for s in wanted if not _labelled(s)]
    if not chosen:
        parts = sorted({part for s in known for part in (s.subset, s.group) if part})
        raise DataError(f"{folder.name} has no '{split}' part; it has {', '.join(parts)}.")
    found = _scheme(folder, scheme, known)
    return FaceDataset(folder.name, folder, name, found, tuple(chosen), split, labels, tuple(skipped))


def _labelled(sample: Sample) -> bool:
    return bool(np.isfinite(sample.points).all(-1).any())


def _recognise(folder: Path) -> tuple[str, list[Sample]]:
    for reader in READERS.values():
        found = folder.rglob(reader.pattern) if reader.anywhere else folder.glob(reader.pattern)
        files = sorted(path for path in found if path.is_file())
        if files:
            return reader.name, reader.read(folder, files)
    wanted = ", ".join(f"{reader.pattern} ({reader.title})" for reader in READERS.values())
    raise DataError(f"{folder} is no data set that can be read; looked for {wanted}.")


def read_csv(folder: Path, files: list[Path]) -> list[Sample]:
    """``annotations.csv`` with columns file, x0, y0, x1, y1, ... and optionally subset; empty or ``nan`` is
    missing.

    Rows without a subset count as ``train``. Coordinates are pixels of the picture that ``file`` names.
    """
    (path,) = files
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            header, *rows = [row for row in csv.reader(stream) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path} is not a readable CSV file with a header ({error}).") from error
    places = {column: i for i, column in enumerate(header)}
    count = sum(1 for column in header if re.fullmatch(r"x\d+", column))
    missing = [c for c in ("file", *(f"{a}{i}" for i in range(max(count, 1)) for a in "xy")) if c not in places]
    if missing:
        raise DataError(f"{path} has no column '{missing[0]}'; it needs file, x0, y0, x1, y1, and so on.")
    columns = [places[f"{a}{i}"] for i in range(count) for a in "xy"]
    crops = folder / "crops"
    pictures = crops if crops.is_dir() else folder
    samples = []
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise DataError(f"Line {line} of {path} has {len(row)} fields, its header {len(header)}.")
        points = _numbers([row[i] or "nan" for i in columns], f"Line {line} of {path}").reshape(-1, 2)
        file = row[places["file"]]
        subset = row[places["subset"]] if "subset" in places else "train"
        samples.append(Sample(file, points, subset or "train", pictures / file, cropped=pictures == crops))
    return samples


def read_wflw(folder: Path, lists: list[Path]) -> list[Sample]:
    """WFLW: 196 coordinates, the box, six attributes and the picture's path on every line."""
    images = next((p for p in sorted(folder.rglob("WFLW_images")) if p.is_dir()), folder)
    samples = []
    for path in lists:
        subset = "test" if "test" in path.stem else "train"
        for line, text in enumerate(_text(path).splitlines(), start=1):
            fields = text.split()
            if not fields:
                continue
            where = f"Line {line} of {path}"
            if len(fields) < 207:
                raise DataError(
                    f"{where} has {len(fields)} fields; a WFLW line has 98 points, 4 + 6 numbers and a file."
                )
            numbers = _numbers(fields[:200], where)
            file = " ".join(fields[206:])
            x0, y0, x1, y1 = numbers[196:].tolist()
            name = f"{file}#{subset}{line}"  # one photo may show several labelled faces
            samples.append(Sample(name, numbers[:196].reshape(-1, 2), subset, images / file, box=(x0, y0, x1, y1)))
    return samples


def read_pts(folder: Path, files: list[Path]) -> list[Sample]:
    """300-W and its sources: ``.pts`` files, whose coordinates start at 1.

    A file below a folder named testset, test, ibug or 300w (01_Indoor, 02_Outdoor) is a test face, others are
    training faces; the test groups are ``common``, ``challenge`` (ibug) and ``private`` (300w), as in the
    300-W protocol. A folder 300w that holds the sources (afw, helen, lfpw, ibug) is the whole data set, not its
    private test part.
    """
    samples = []
    for path in files:
        match = re.search(r"\{([^}]*)\}", _text(path))
        if match is None:
            raise DataError(f"{path} is no landmark file; it needs its points between braces.")
        numbers = _numbers(match.group(1).split(), str(path))
        if len(numbers) % 2:
            raise DataError(f"{path} has an odd number of coordinates.")
        inside = path.relative_to(folder)
        own = {part.lower() for part in inside.parts[:-1]}
        parts = own | {folder.name.lower()}
        if own & SOURCE_FOLDERS:
            parts -= {"300w"}
        test = bool(parts & TEST_FOLDERS) and not own & TRAIN_FOLDERS
        private = parts & {"300w", "01_indoor", "02_outdoor"}
        group = ("challenge" if "ibug" in parts else "private" if private else "common") if test else ""
        subset = "test" if test else "train"
        samples.append(Sample(str(inside.with_suffix("")), numbers.reshape(-1, 2) - 1, subset, _beside(path), group))
    return samples


def read_tem(folder: Path, files: list[Path]) -> list[Sample]:
    """WebMorph templates: the number of points, one ``x y`` a line, then the drawing lines, which are not
    needed."""
    samples = []
    for path in files:
        lines = _text(path).split("\n")
        count = lines[0].strip()
        if not count.isdigit() or len(lines) <= int(count):
            raise DataError(f"{path} is no WebMorph template; its first line must count the points that follow.")
        numbers = _numbers(" ".join(lines[1 : int(count) + 1]).split(), str(path))
        if len(numbers) != 2 * int(count):
            raise DataError(f"{path} promises {count} points and has {len(numbers) / 2:g}.")
        samples.append(
            Sample(str(path.relative_to(folder).with_suffix("")), numbers.reshape(-1, 2), "train", _beside(path))
        )
    return samples


@dataclass(frozen=True)
class Reader:
    """How one kind of data set is read.

    Attributes:
        name: the ``format`` of the data sets that it gives.
        title: which data sets have it.
        pattern: of the file names by which a folder is recognised.
        layout: what the folder has to hold.
        read: (folder, files that match) -> its faces; raises DataError.
        anywhere: whether those files may lie below the folder, or in it alone.
    """

    name: str
    title: str
    pattern: str
    layout: str
    read: Callable[[Path, list[Path]], list[Sample]]
    anywhere: bool = True


READERS = {
    reader.name: reader
    for reader in (
        Reader(
            name="csv",
            title="a simple table",
            pattern="annotations.csv",
            layout="columns file, [subset,] x0, y0, x1, y1, ...; pictures in crops/ (one face each) or beside",
            read=read_csv,
            anywhere=False,
        ),
        Reader(
            name="wflw",
            title="WFLW",
            pattern="list_98pt_rect_attr_*.txt",
            layout="list_98pt_rect_attr_train.txt and ..._test.txt, pictures in WFLW_images/",
            read=read_wflw,
        ),
        Reader(
            name="cofw",
            title="COFW",
            pattern="COFW_*_color.mat",
            layout="COFW_train_color.mat and COFW_test_color.mat, which hold the pictures (needs h5py)",
            read=read_cofw,
        ),
        Reader(
            name="pts",
            title="300-W and its sources",
            pattern="*.pts",
            layout="a .pts file beside each picture, in folders named as in LFPW, HELEN, AFW, iBUG and 300W",
            read=read_pts,
        ),
        Reader(
            name="tem",
            title="WebMorph",
            pattern="*.tem",
            layout="a .tem file beside each picture",
            read=read_tem,
        ),
    )
}
"""The readers by format, in the order in which a folder is tried."""


def _relabel(folder: Path, name: str, samples: list[Sample], labels: str) -> list[Sample]:
    """Exchange the landmarks for machine-made ones; faces that have none get NaN."""
    if labels not in LABEL_FILES:
        raise UnknownNameError(f"There are no labels '{labels}'; known are {', '.join(LABEL_FILES)}.")
    path, scheme = folder / LABEL_FILES[labels][0], get_scheme(LABEL_FILES[labels][1])
    if name != "csv" or not path.is_file():
        raise DataError(f"{folder} has no labels '{labels}'; they would lie in {path.name} beside annotations.csv.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            files, points = archive["files"].tolist(), archive["points"].astype(float)
    except Exception as error:  # a damaged archive raises nearly every kind
        raise DataError(f"{path} is damaged; it needs the arrays 'files' and 'points' ({error}).") from error
    if points.shape != (len(files), scheme.count, 2):
        raise DataError(f"The points of {path} have the shape {points.shape}, not ({len(files)}, {scheme.count}, 2).")
    found = dict(zip(files, points, strict=True))
    absent = np.full((scheme.count, 2), np.nan)
    return [replace(sample, points=found.get(sample.name, absent)) for sample in samples]


def _scheme(folder: Path, scheme: str | Scheme | None, samples: Iterable[Sample]) -> Scheme:
    counts = {len(sample.points): sample.name for sample in samples}
    if len(counts) > 1:
        (a, first), (b, second) = list(counts.items())[:2]
        raise DataError(f"{folder} mixes schemes: {first} has {a} points, {second} has {b}.")
    count = next(iter(counts))
    if scheme is None:
        try:
            return get_scheme(count)
        except UnknownNameError as error:
            raise DataError(f"{folder} has {count} points a face, which no scheme has; pass a user_scheme.") from error
    scheme = get_scheme(scheme)
    if scheme.count != count:
        raise DataError(f"{folder} has {count} points a face, but scheme '{scheme.name}' has {scheme.count}.")
    return scheme


def _beside(path: Path) -> Path:
    """The picture of the same name; the first known ending when there is none, so that the error names a
    file."""
    for suffix in PICTURES:
        for picture in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
            if picture.is_file():
                return picture
    return path.with_suffix(PICTURES[0])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a readable text file ({error}).") from error


def _numbers(fields: list[str], where: str) -> np.ndarray:
    try:
        numbers = np.array([float(field) for field in fields])
    except ValueError as error:
        raise DataError(f"{where} holds something that is no number ({error}).") from error
    numbers[np.isinf(numbers)] = np.nan
    return numbers
