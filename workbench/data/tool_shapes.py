"""Points as annotation tools save them: landmarker.io, labelme, COCO's keypoints and CVAT."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import numpy as np

from workbench.data.texts import as_text, numbers
from workbench.errors import DataError

LONGEST = 80
"""Letters of a name that are kept."""


@dataclass
class Found:
    """What a format gave: points as they stand there, their names, lines (name, indices, closed), whether they are
    points of the plane (None: their numbers tell), and what was not used."""

    points: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    lines: list[tuple[str, list[int], bool]] = field(default_factory=list)
    plane: bool | None = None
    unused: list[str] = field(default_factory=list)

    def add(self, points: Sequence[Sequence[float]], name: str, line: bool = False, closed: bool = False) -> None:
        """More points of one name; several make a line where that is said."""
        first = len(self.points)
        self.points += points
        self.names += [name if len(points) == 1 else ""] * len(points)
        if line and len(points) > 1:
            self.lines.append((name, list(range(first, first + len(points))), closed))


def listed(unused: Sequence[str]) -> str:
    """A few of the names, and how many more there are."""
    short = [text if len(text) <= LONGEST else f"{text[:LONGEST]}…" for text in unused]
    return ", ".join(short[:6]) + (f" and {len(short) - 6} more" if len(short) > 6 else "")


def landmarker(fields: Mapping[str, Any]) -> Found:
    """landmarker.io's LJSON, versions 1 to 3: points are (y, x), null where missing; labels name runs of them."""
    groups = fields.get("groups")
    if isinstance(groups, Mapping):
        groups = next(iter(groups.values()))
        fields = {**groups, "unused": [f"group {other}" for other in list(fields["groups"])[1:]]}
    elif isinstance(groups, list):  # version 1: the points lie in the groups
        found = Found(plane=None)
        for group in groups:
            points = [_yx(one["point"]) for one in group["landmarks"]]
            found.add(points, str(group.get("label", "")), line=True)
        return found
    points = [_yx(p) for p in fields["landmarks"]["points"]]
    found = Found(points, [""] * len(points), unused=list(fields.get("unused", ())))
    joined = {tuple(map(int, edge)) for edge in fields["landmarks"].get("connectivity") or ()}
    for label in fields.get("labels") or ():
        path = [int(i) for i in label["mask"] if 0 <= int(i) < len(points)]
        ends = (path[-1], path[0]) if path else (0, 0)
        found.lines.append((str(label.get("label", "")), path, ends in joined or ends[::-1] in joined))
    return found


def _yx(point: Any) -> tuple[float, float]:
    y, x = (np.nan if v is None else float(v) for v in (point or (None, None))[:2])
    return x, y


def labelme(fields: Mapping[str, Any]) -> Found:
    """labelme: shapes of type point, line, linestrip and polygon."""
    found = Found(plane=False, unused=[k for k in ("imagePath", "imageData", "flags") if fields.get(k)])
    for number, shape in enumerate(fields["shapes"], 1):
        kind, label = str(shape.get("shape_type") or "polygon"), str(shape.get("label") or "")
        if kind not in ("point", "points", "line", "linestrip", "polygon"):
            found.unused.append(f"shape {number} ('{label}'), a {kind}")
            continue
        points = [(float(x), float(y)) for x, y in shape["points"]]
        found.add(points, label, line=kind not in ("point", "points"), closed=kind == "polygon")
    return found


def coco(fields: Mapping[str, Any]) -> Found:
    """COCO keypoints: x, y, v in threes, v = 0 for a point without a place; the first face that has any."""
    faces = [a for a in fields["annotations"] if a.get("keypoints")]
    if not faces:
        raise DataError("The file has annotations, but none with 'keypoints'.")
    face = faces[0]
    flat = [float(v) for v in face["keypoints"]]
    if len(flat) % 3:
        raise DataError(f"'keypoints' holds {len(flat)} numbers; they come in threes: x, y, visibility.")
    points = [(x, y) if v > 0 else (np.nan, np.nan) for x, y, v in zip(flat[::3], flat[1::3], flat[2::3], strict=True)]
    kinds = [c for c in fields.get("categories") or () if c.get("id") == face.get("category_id")]
    names = [str(n) for n in (kinds[0].get("keypoints") or ())] if kinds else []
    found = Found(points, names if len(names) == len(points) else [""] * len(points), plane=False)
    edges = (kinds[0].get("skeleton") or ()) if kinds else ()
    found.lines = [("", path, False) for path in _chains([(int(a) - 1, int(b) - 1) for a, b in edges], len(points))]
    if len(faces) > 1:
        found.unused.append(f"{len(faces) - 1} more annotated faces")
    return found


def _chains(edges: Sequence[tuple[int, int]], count: int) -> Iterator[list[int]]:
    """Edges as runs, each of which goes on where the one before ended."""
    run: list[int] = []
    for a, b in edges:
        if not (0 <= a < count and 0 <= b < count):
            raise DataError(f"The skeleton joins points {a + 1} and {b + 1} of {count}.")
        if run and run[-1] == a:
            run.append(b)
            continue
        if run:
            yield run
        run = [a, b]
    if run:
        yield run


def cvat(data: bytes) -> Found:
    """CVAT for images: <points>, <polyline> and <polygon> of the first picture that has any."""
    text = as_text(data, "The file")
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.I):
        raise DataError("The file declares a document type, which no file of CVAT does; it is not read.")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise DataError(f"The file is no readable XML ({str(error)[:60]}).") from None
    kinds = ("points", "polyline", "polygon")
    pictures = [i for i in root.iter("image") if any(s.tag in kinds for s in i.iter())]
    if not pictures:
        raise DataError("The file has no picture with points, polylines or polygons in CVAT's form.")
    found = Found(plane=False)
    for number, shape in enumerate((s for s in pictures[0].iter() if s is not pictures[0]), 1):
        label = shape.get("label", "")
        if shape.tag in kinds:
            where = f"Shape {number} ('{label[:40]}')"
            pairs = [numbers(p.split(","), where).tolist() for p in shape.get("points", "").split(";") if p.strip()]
            if any(len(p) != 2 for p in pairs):
                raise DataError(f"{where} must hold points as x,y;x,y.")
            found.add(pairs, label, line=shape.tag != "points", closed=shape.tag == "polygon")
        elif shape.tag not in ("attribute", "skeleton"):
            found.unused.append(f"shape {number} ('{label}'), a {shape.tag}")
    if len(pictures) > 1:
        found.unused.append(f"{len(pictures) - 1} more pictures")
    return found
