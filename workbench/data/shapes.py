"""Files of drawn shapes: our own, tables, the authors' prompt files, ``.pts``, and what annotation tools save.

A file is read as points of the face plane where its numbers lie there, and otherwise as pixels of a picture, which are
then placed as a crop places a face (Xia, thesis 2024, section 3.1): 1.2 times the longer side of their box is the
plane. What a file holds besides is named, not dropped in silence.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.texts import as_text, numbers, pts_numbers
from workbench.data.tool_shapes import LONGEST, Found, coco, cvat, labelme, landmarker, listed
from workbench.errors import DataError
from workbench.files import from_json
from workbench.landmarks import Drawing, Group
from workbench.landmarks.drawing import FORMAT, MOST, REACH
from workbench.landmarks.geometry import CROP_FACTOR, square_crop
from workbench.landmarks.scheme import user_scheme

ENDINGS = (".json", ".ljson", ".csv", ".npz", ".pts", ".xml")
"""What :func:`open_shape` reads."""
SAVED = (".json", ".csv", ".npz", ".pts")
"""What :func:`shape_bytes` writes."""
PROMPT_SIDE = 256
"""Side of the crop in whose pixels the authors' prompt files stand."""
_LARGEST = 16 * 2**20  # bytes of a file
_CROP = f"crop: {PROMPT_SIDE}\n"  # what a .pts of ours says of its pixels


@dataclass(frozen=True)
class OpenedShape:
    """A drawing from a file, and what a person should know of how it came from there ("" for nothing)."""

    drawing: Drawing
    words: str = ""


def open_shape(source: Path | bytes, name: str = "") -> OpenedShape:
    """Read a shape of any known format.

    Args:
        source: a file, or what one holds.
        name: the file's name where ``source`` is its content; its ending tells the format.

    Raises:
        DataError: it cannot be read, is no known format, holds no point that can be placed, or more than a drawing
            may have.
    """
    if isinstance(source, Path):
        name = source.name
        try:
            if not source.is_file():
                raise DataError(f"There is no shape file at {source}.")
            if source.stat().st_size > _LARGEST:
                raise DataError(f"{name} is too large for a shape of at most {MOST} points.")
            source = source.read_bytes()
        except OSError as error:
            raise DataError(f"The shape cannot be read: {(error.strerror or str(error)).lower()}.") from None
    if len(source) > _LARGEST:
        raise DataError(f"The file is too large for a shape of at most {MOST} points.")
    ending = Path(name).suffix.lower() or ".json"
    if ending not in _READERS:
        raise DataError(f"{name} is no shape: use one of {', '.join(ENDINGS)}.")
    found = _READERS[ending](source)
    return found if isinstance(found, OpenedShape) else _placed(found, Path(name).stem or "shape")


def shape_bytes(drawing: Drawing, ending: str) -> bytes:
    """A drawing as the content of a file that :func:`open_shape` reads back.

    JSON holds all of it; CSV the points, their names and the first line that each lies on; NPZ and ``.pts`` the points
    alone, in pixels of a 256-pixel crop as the authors' prompt files and 300-W have them.

    Raises:
        DataError: another ending.
    """
    pixels = drawing.points * PROMPT_SIDE
    match ending:
        case ".json":
            return (drawing.to_json() + "\n").encode()
        case ".csv":
            return _csv(drawing).encode()
        case ".npz":
            kept = io.BytesIO()
            np.savez(kept, offset=pixels)
            return kept.getvalue()
        case ".pts":
            rows = "\n".join(f"{x:.6f} {y:.6f}" for x, y in pixels + 1)  # its first pixel is 1
            return f"version: 1\n{_CROP}n_points: {len(pixels)}\n{{\n{rows}\n}}\n".encode()
    raise DataError(f"A shape is not saved as '{ending}': use one of {', '.join(SAVED)}.")


_COLUMNS = ("x", "y", "name", "line", "place", "closed")


def _csv(drawing: Drawing) -> str:
    scheme, out = drawing.scheme, io.StringIO()
    groups = {g.name: g for g in scheme.groups}
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for i, (x, y) in enumerate(drawing.points):
        line = ("", "", "")
        if group := groups.get(scheme.group_of[i]):
            line = (group.name, str(group.indices.index(i)), str(int(group.closed)))
        rows.writerow((f"{x:.6f}", f"{y:.6f}", scheme.labels[i] if scheme.labels else "", *line))
    return out.getvalue()


def _placed(found: Found, title: str) -> OpenedShape:
    """Points on the plane, without those that have no place."""
    try:
        points = np.array([[float(x), float(y)] for x, y in found.points], float).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError):
        raise DataError("The points of a shape must be pairs of numbers [x, y].") from None
    there = np.isfinite(points).all(1)
    if not there.any():
        raise DataError(f"{title} holds no point that can be placed{_without(found.unused)}.")
    words = []
    if not there.all():
        gone = int((~there).sum())
        words.append(
            f"{gone} points without a place are left out" if gone > 1 else "1 point without a place is left out"
        )
    index = np.cumsum(there) - 1
    points = points[there]
    if len(points) > MOST:
        raise DataError(f"A shape has at most {MOST} points, not {len(points)}.")
    on_plane = bool((points >= -REACH).all() and (points <= 1 + REACH).all())
    if not (on_plane if found.plane is None else found.plane):
        if not np.ptp(points, axis=0).any():
            raise DataError(f"The points of {title} are pixels, all in one place, so they have no shape.")
        centre, side = square_crop(points)
        points = (points - centre) / side + 0.5
        words.append(f"its pixels were placed so that {CROP_FACTOR:g} times their box is the plane")
    names = [str(name)[:LONGEST] for name, has in zip(found.names, there, strict=True) if has]
    lines = [(n, [int(index[i]) for i in path if there[i]], closed) for n, path, closed in found.lines]
    scheme = user_scheme(title[:LONGEST], len(points), groups=_groups(lines), labels=_labels(names))
    if found.unused:
        words.append(f"not used: {listed(found.unused)}")
    return OpenedShape(Drawing(scheme, points), _sentence(words))


def _sentence(words: list[str]) -> str:
    text = "; ".join(words)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _groups(lines: list[tuple[str, list[int], bool]]) -> list[Group]:
    """Lines of two points and more, each of a name of its own."""
    groups: dict[str, Group] = {}
    for given, path, closed in lines:
        if len(path) < 2:
            continue
        plain = (given or "line")[:LONGEST]
        name = next(n for k in range(len(lines) + 1) if (n := plain if not k else f"{plain} {k + 1}") not in groups)
        groups[name] = Group(name, "other", tuple(path), closed and len(path) > 2)
    return list(groups.values())


def _labels(names: list[str]) -> tuple[str, ...]:
    return tuple(name or f"point {k}" for k, name in enumerate(names)) if any(names) else ()


def _without(unused: list[str]) -> str:
    return f" (not used: {listed(unused)})" if unused else ""


def _pts(data: bytes) -> Found:
    text = as_text(data, "The file")
    points = pts_numbers(text, "The file") - 1
    ours = _CROP.strip() in text.partition("{")[0]
    return _prompted(points) if ours else Found(points.tolist(), [""] * len(points), plane=False)


def _npz(data: bytes) -> Found:
    """``offset``, else ``init``, else ``points``: the authors' prompt files, in 256-pixel units."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            known = next((key for key in ("offset", "init", "points") if key in file.files), None)
            if known is None:
                raise DataError(
                    "The file has neither 'offset' nor 'init' nor 'points'; it holds "
                    f"{listed(file.files) or 'nothing'}."
                )
            points = np.asarray(file[known], dtype=np.float64)
            unused = [key for key in file.files if key != known]
    except (OSError, ValueError, TypeError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
        raise DataError(f"The file is no readable .npz of plain numbers ({type(error).__name__}).") from None
    except (MemoryError, OverflowError):
        raise DataError("The file promises more numbers than it can hold.") from None
    if points.ndim != 2 or points.shape[1:] != (2,):
        raise DataError(f"'{known}' must be N points (x, y), not an array {points.shape}.")
    found = _prompted(points) if known != "points" else Found(points.tolist(), [""] * len(points))
    found.unused = unused
    return found


def _prompted(points: np.ndarray) -> Found:
    return Found((points / PROMPT_SIDE).tolist(), [""] * len(points), plane=True)


def _table(data: bytes) -> Found:
    """Columns x, y and perhaps name, line, the place in it, and closed; without a heading the first are x and y."""
    text = as_text(data, "The table")
    try:
        dialect = csv.Sniffer().sniff(text[:4096], ",;\t ")
        rows = [[cell.strip() for cell in row if cell.strip() or dialect.delimiter != " "]
                for row in csv.reader(io.StringIO(text), dialect) if any(cell.strip() for cell in row)]  # fmt: skip
    except csv.Error:
        rows = [re.split(r"[\s,;]+", line.strip()) for line in text.splitlines() if line.strip()]
    if not rows:
        raise DataError("The table is empty; give one point a line, x and y.")
    head = [cell.lower() for cell in rows[0]]
    if {"x", "y"} <= set(head):
        rows = rows[1:]
    elif any(re.search(r"[a-zA-Z]", cell) for cell in rows[0][:2]):
        raise DataError(f"The table has no columns 'x' and 'y', but {listed(rows[0])}.")
    else:
        head = list(_COLUMNS)
    found, lines = Found(), dict[str, list[tuple[float, int, bool]]]()
    for number, row in enumerate(rows, 1):
        cells = dict(zip(head, row, strict=False))
        where = f"Line {number} of the table"
        point = [cells.get("x", ""), cells.get("y", "")]
        found.add([numbers([p or "nan" for p in point], where).tolist()], cells.get("name", ""))
        if line := cells.get("line", ""):
            path = lines.setdefault(line, [])
            place = float(numbers([cells.get("place") or str(len(path))], where)[0])
            path.append((place, number - 1, cells.get("closed", "").lower() in ("1", "true", "yes")))
    found.lines = [(name, [i for _, i, _ in sorted(path)], path[0][2]) for name, path in lines.items()]
    found.unused = [f"column {h}" for h in dict.fromkeys(head) if h and h not in _COLUMNS]
    return found


def _json(data: bytes) -> OpenedShape | Found:
    try:
        fields = from_json(as_text(data, "The file"))
    except ValueError:
        raise DataError("The file is no shape: it is not readable JSON; choose one that was saved here.") from None
    if isinstance(fields, list):
        return Found([p if _pair(p) else (np.nan, np.nan) for p in fields], [""] * len(fields))
    if not isinstance(fields, Mapping):
        raise DataError("The file is no shape: it must be a JSON object with 'points'.")
    if fields.get("format") == FORMAT:
        return OpenedShape(Drawing.from_json(fields))
    try:
        for known, reader in _JSONS:
            if known(fields):
                return reader(fields)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise DataError(f"The shape cannot be read: a field is not what it is called ({error!r:.80}).") from None
    if "points" not in fields:
        raise DataError(
            "The shape has no 'points': give a list of [x, y] pairs in [0, 1] of the face plane, or a file of "
            f"landmarker.io, labelme, COCO or CVAT. It holds {listed(sorted(map(str, fields))) or 'nothing'}."
        )
    opened = Drawing.from_json(fields)
    own = {*Drawing.__dataclass_fields__, *opened.scheme.__dataclass_fields__, "version", "format"}
    unused = [str(key) for key in fields if key not in own]
    return OpenedShape(opened, _sentence([f"not used: {listed(unused)}"] if unused else []))


def _pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(v, (int, float)) for v in value)


_JSONS: tuple[tuple[Callable[[Mapping[str, Any]], bool], Callable[[Mapping[str, Any]], Found]], ...] = (
    (lambda f: ("groups" in f and "points" not in f) or isinstance(f.get("landmarks"), Mapping), landmarker),
    (lambda f: isinstance(f.get("shapes"), list), labelme),
    (lambda f: isinstance(f.get("annotations"), list), coco),
)
_READERS: dict[str, Callable[[bytes], OpenedShape | Found]] = {
    ".json": _json, ".ljson": _json, ".csv": _table, ".npz": _npz, ".pts": _pts, ".xml": cvat,
}  # fmt: skip
