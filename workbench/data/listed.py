"""Readers of sets whose faces stand in a list, one a line: plain tables, WFLW and CelebA.

A reader gives a :class:`Sample` for every face, and a sentence for every line that cannot be used.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from workbench.data.samples import Sample
from workbench.data.texts import numbers, read_text, table_rows, without
from workbench.errors import DataError

WFLW_SUBSETS = ("pose", "expression", "illumination", "makeup", "occlusion", "blur")
"""WFLW's attributes in the order of their flags: large pose, exaggerated expression, extreme illumination, make-up,
occlusion, blur."""
VALUES = 12
"""A column of a table that has at most so many values makes subsets, such as ``glasses=1``."""
OWN = ("file", "subset", "groups", "yaw", "pitch", "roll", "sequence")
"""Columns of a table that mean something of themselves, beside the points' own."""


def read_csv(folder: Path, files: list[Path]) -> Iterator[Sample | str]:
    """``annotations.csv`` with columns file, x0, y0, x1, y1, ... and optionally subset, groups (names apart by
    spaces), c0, c1, ... (1 where a point is covered), yaw, pitch, roll (degrees), sequence.

    An empty field or ``nan`` is missing, and so is a point at ``-1 -1`` or ``0 0``. Fields are parted by commas,
    semicolons or tabs, with or without spaces. Rows without a subset count as ``train``. Coordinates are pixels of
    the picture that ``file`` names.
    """
    (path,) = files
    try:
        header, *rows = table_rows(read_text(path))
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path} is not a readable CSV file with a header ({error}).") from error
    places = {column: i for i, column in enumerate(header)}
    count = sum(1 for column in header if re.fullmatch(r"x\d+", column))
    missing = [c for c in ("file", *(f"{a}{i}" for i in range(max(count, 1)) for a in "xy")) if c not in places]
    if missing:
        raise DataError(f"{path} has no column '{missing[0]}'; it needs file, x0, y0, x1, y1, and so on.")
    columns = [places[f"{a}{i}"] for i in range(count) for a in "xy"]
    flags = [places[f"c{i}"] for i in range(count)] if f"c{count - 1}" in places else []
    angles = [places[a] for a in ("yaw", "pitch", "roll")] if {"yaw", "pitch", "roll"} <= set(places) else []
    facts = _facts(header, rows, {*columns, *flags})
    crops = folder / "crops"
    pictures = crops if crops.is_dir() else folder

    def field(row: list[str], column: str) -> str:
        return row[places[column]] if column in places else ""

    for line, row in enumerate(rows, start=2):
        where = f"Line {line} of {path}"
        if len(row) != len(header):
            yield f"{where} has {len(row)} fields, its header {len(header)}."
            continue
        try:
            points = numbers([row[i] or "nan" for i in columns], where).reshape(-1, 2)
            covered = numbers([row[i] or "0" for i in flags], where) > 0 if flags else None
            pose = numbers([row[i] or "nan" for i in angles], where).tolist() if angles else None
        except DataError as error:
            yield str(error)
            continue
        groups = (*field(row, "groups").split(), *(f"{name}={row[i]}" for name, i in facts if row[i]))
        yield Sample(
            name=row[places["file"]],
            points=without(points, -1, 0),
            subset=field(row, "subset") or "train",
            path=pictures / row[places["file"]],
            groups=groups,
            cropped=pictures == crops,
            covered=covered,
            pose=None if pose is None or not np.isfinite(pose).all() else (pose[0], pose[1], pose[2]),
            sequence=field(row, "sequence"),
        )


def _facts(header: list[str], rows: list[list[str]], points: set[int]) -> list[tuple[str, int]]:
    """Columns whose few values part the set."""
    found = []
    for i, name in enumerate(header):
        if i in points or name in OWN or re.fullmatch(r"[xyc]\d+", name):
            continue
        if len({row[i] for row in rows if i < len(row)}) <= VALUES:
            found.append((name, i))
    return found


def read_wflw(folder: Path, lists: list[Path]) -> Iterator[Sample | str]:
    """WFLW: 196 coordinates, the box, six flags (:data:`WFLW_SUBSETS`) and the picture's path on every line."""
    images = next((p for p in sorted(folder.rglob("WFLW_images")) if p.is_dir()), folder)
    for path in lists:
        subset = "test" if "test" in path.stem else "train"
        for line, text in enumerate(read_text(path).splitlines(), start=1):
            fields = text.split()
            if not fields:
                continue
            where = f"Line {line} of {path}"
            if len(fields) < 207:
                yield f"{where} has {len(fields)} fields; a WFLW line has 98 points, 4 + 6 numbers and a file."
                continue
            try:
                found = numbers(fields[:206], where)
            except DataError as error:
                yield str(error)
                continue
            file = " ".join(fields[206:])
            x0, y0, x1, y1 = found[196:200].tolist()
            yield Sample(
                name=f"{file}#{subset}{line}",  # one photo may show several labelled faces
                points=found[:196].reshape(-1, 2),
                subset=subset,
                path=images / file,
                groups=tuple(name for name, flag in zip(WFLW_SUBSETS, found[200:], strict=True) if flag > 0),
                box=(x0, y0, x1, y1),
            )


CELEBA_PARTS = ("train", "validation", "test")


def read_celeba(folder: Path, lists: list[Path]) -> Iterator[Sample | str]:
    """CelebA: ``list_landmarks_align_celeba.txt`` (pictures of 178 x 218) or ``list_landmarks_celeba.txt``; a count, a
    header, and a file with five points a line. ``list_eval_partition.txt`` gives the parts."""
    path = next((p for p in lists if "align" in p.stem), lists[0])
    parts = {
        name: CELEBA_PARTS[int(part)]
        for found in folder.rglob("list_eval_partition.txt")
        for name, part in (line.split() for line in read_text(found).splitlines() if len(line.split()) == 2)
        if part in ("0", "1", "2")
    }
    names = ("img_align_celeba", "img_celeba") if "align" in path.stem else ("img_celeba", "img_align_celeba")
    images = next((p for name in names for p in sorted(folder.rglob(name)) if p.is_dir()), folder)
    inner = images / images.name  # as some archives unpack
    images = inner if inner.is_dir() else images
    lines = read_text(path).splitlines()
    for line, text in enumerate(lines[2:], start=3):
        fields = text.split()
        if not fields:
            continue
        where = f"Line {line} of {path}"
        if len(fields) != 11:
            yield f"{where} has {len(fields)} fields; a CelebA line has a file and five points."
            continue
        try:
            points = numbers(fields[1:], where).reshape(5, 2)
        except DataError as error:
            yield str(error)
            continue
        yield Sample(fields[0], points, parts.get(fields[0], "train"), images / fields[0])
