"""What readers of label files share: text from any editor, numbers, and the picture that a file belongs to."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from workbench.errors import DataError
from workbench.faces.image import endings
from workbench.files import decoded


def read_text(path: Path) -> str:
    """The text of a label file, as :func:`as_text` reads it. Raises DataError."""
    try:
        return as_text(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"{path} is not a readable text file ({error}).") from error


def as_text(data: bytes, where: str) -> str:
    """Text in UTF-8 or UTF-16, lines ending in a line feed. Raises DataError that says ``where``."""
    try:
        return decoded(data)
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not a readable text file ({error}).") from error


def fields_of(text: str) -> list[str]:
    """What blanks, commas or semicolons part."""
    return [field for field in re.split(r"[\s,;]+", text) if field]


def table_rows(text: str) -> list[list[str]]:
    """The rows of a table that are not empty, its fields parted by commas, semicolons or tabs, with or without blanks;
    where semicolons part them a comma may stand for the point. Raises ValueError, csv.Error."""
    comma = max(",;\t", key=text.partition("\n")[0].count)
    lines = csv.reader(text.splitlines(), delimiter=comma, skipinitialspace=True)
    rows = [row for row in ([field.strip() for field in line] for line in lines) if any(row)]
    if comma == ";":
        rows = [[re.sub(r"^(-?\d+),(\d+)$", r"\1.\2", field) for field in row] for row in rows]
    return rows


def numbers(fields: list[str], where: str) -> np.ndarray:
    """Fields as float64, infinite ones as NaN. Raises DataError that says ``where``."""
    try:
        found = np.array([float(field) for field in fields])
    except ValueError as error:
        raise DataError(f"{where} holds something that is no number ({error}).") from error
    found[np.isinf(found)] = np.nan
    return found


def pts_numbers(text: str, where: str) -> np.ndarray:
    """The coordinates of a ``.pts`` file (N, 2), as they stand there. Raises DataError that says ``where``."""
    match = re.search(r"\{([^}]*)\}", text)
    if match is None:
        raise DataError(f"{where} is no landmark file; it needs its points between braces.")
    found = numbers(fields_of(match.group(1)), where)
    if len(found) % 2:
        raise DataError(f"{where} has an odd number of coordinates.")
    told = re.search(r"n_points:\s*(\d+)", text[: match.start()])
    if told and int(told[1]) != len(found) // 2:
        raise DataError(f"{where} promises {told[1]} points and has {len(found) // 2}.")
    return found.reshape(-1, 2)


def beside(path: Path) -> Path:
    """The picture of the same name; the first known ending when there is none, so that the error names a file."""
    for suffix in endings():
        for picture in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
            if picture.is_file():
                return picture
    # An ending in mixed case, such as ".Jpg".
    alike = (p for p in path.parent.iterdir() if p.stem == path.stem and p.suffix.lower() in endings())
    return next(alike, path.with_suffix(endings()[0]))


def without(points: np.ndarray, *marks: float) -> np.ndarray:
    """Points (N, 2) with NaN where both coordinates are one of the ``marks``, such as -1."""
    gone = np.logical_or.reduce([(points == mark).all(-1) for mark in marks])
    return np.where(gone[:, None], np.nan, points)
