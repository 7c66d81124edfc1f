"""From what was typed to faces, and from readings to plain values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import ImageError, NoFaceError, UnknownNameError

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.landmarks import Drawing
    from workbench.models import FaceModel
    from workbench.reading import Reading

SAMPLE = "sample:"
Corners = tuple[float, float, float, float]


def faces_of(image: str, box: Corners | None, which: int | None) -> Iterator[Face]:
    """The faces of a photograph that were asked for.

    Args:
        image: a path, or ``sample:NAME``.
        box: a box drawn by hand instead of a search.
        which: from 1, the most prominent first; None for all.

    Raises:
        ImageError, NoFaceError, UnknownNameError: see ``load_face`` and ``sample_photo``.
    """
    from workbench.faces import load_face, sample_face

    if image.startswith(SAMPLE):
        first = sample_face(image.removeprefix(SAMPLE))
        first = first if box is None else first.with_box(box)
    else:
        try:
            first = load_face(Path(image), box=box)
        except NoFaceError:
            words = "say where it is with --box x0,y0,x1,y1, or try another photograph"
            raise NoFaceError(f"No face was found in {Path(image).name}: {words}.") from None
    if box is not None or (not first.detections and which in (None, 1)):
        yield first
    elif which is None:
        yield from (first.with_index(i) for i in range(len(first.detections)))
    else:
        yield first.with_index(which - 1)


def one_face(image: str, box: str | None, which: int) -> Face:
    """The one face that a command is about."""
    return next(faces_of(image, parse_box(box), which))


def parse_face(text: str) -> int | None:
    """ "all" -> None, "2" -> 2. Raises UnknownNameError."""
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UnknownNameError(f"--face takes a number from 1 or 'all', not '{text}'.")
    return int(text)


def parse_box(text: str | None) -> Corners | None:
    """Four numbers with commas between -> the same as numbers. Raises ImageError."""
    if text is None:
        return None
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise ImageError(f"--box takes four numbers x0,y0,x1,y1, not '{text}'.") from None
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise ImageError(f"--box takes four finite numbers x0,y0,x1,y1, not '{text}'.")
    return x0, y0, x1, y1


def parse_place(text: str) -> tuple[float, float]:
    """ "x,y" in [0, 1] of the crop. Raises UnknownNameError."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        x = y = math.nan
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise UnknownNameError(f"--at takes a place x,y in [0, 1] of the crop, such as 0.4,0.45, not '{text}'.")
    return x, y


def from_one(number: int | None) -> int | None:
    """Stages, layers and heads as people count them -> from zero; negative ones count from the end."""
    if number == 0:
        raise UnknownNameError("Stages, layers and heads are counted from 1; -1 is the last.")
    return number if number is None or number < 0 else number - 1


def drawing_from(text: str, model: FaceModel) -> Drawing:
    """A drawing from a file, or a convention by name as the model has it on its plane.

    Raises:
        DataError: the file is no drawing.
        UnknownNameError: neither a file nor a convention that the model has learned.
    """
    from workbench.landmarks import Drawing, get_scheme
    from workbench.shaping import conventions

    known = conventions(model)
    path = Path(text)
    if path.suffix or path.exists():
        return Drawing.from_json(path)
    name = text if text in known else get_scheme(text).name
    if name not in known:
        raise UnknownNameError(f"{model.name} has learned no '{name}'; it knows {', '.join(known)}.")
    return known[name]


def describe(reading: Reading, image: str) -> dict[str, Any]:
    """One answer as plain values: where it comes from, confidence and pose (degrees) where the system has them, and
    the rows of ``landmarks_table``."""
    from workbench.explain import landmarks_table

    answer = {
        "image": image,
        "face": reading.face.index + 1,
        "model": reading.model_name,
        "scheme": reading.scheme.name,
        "box": [round(float(v), 2) for v in reading.face.original_box],
    }
    if reading.alignment.confidence is not None:
        answer["confidence"] = round(float(reading.alignment.confidence[0]), 4)
    if reading.alignment.pose is not None:
        angles = (round(math.degrees(v), 2) for v in reading.alignment.pose[0].tolist())
        answer["pose_degrees"] = dict(zip(("yaw", "pitch", "roll"), angles, strict=True))
    return {**answer, "landmarks": landmarks_table(reading)}


def sentence(reading: Reading, image: str) -> str:
    """One answer as a line for a person."""
    x0, y0, x1, y1 = (round(v) for v in reading.face.original_box)
    words = f"{image} face {reading.face.index + 1}: {reading.scheme.count} landmarks, box {x0},{y0},{x1},{y1}"
    if reading.alignment.pose is not None:
        yaw, pitch, roll = (math.degrees(v) for v in reading.alignment.pose[0].tolist())
        words += f", yaw {yaw:.0f}, pitch {pitch:.0f}, roll {roll:.0f} degrees"
    if reading.alignment.confidence is not None:
        words += f", confidence {float(reading.alignment.confidence[0]):.2f}"
    if reading.alignment.variance is None:
        return words
    return f"{words}, mean sigma {reading.sigma().mean() * reading.face.original_side:.2f} photo px"


def as_csv(answers: list[dict[str, Any]]) -> str:
    """One line a landmark."""
    from workbench.explain import to_csv

    origin = ("image", "face", "model")
    return to_csv([{**{k: a[k] for k in origin}, **row} for a in answers for row in a["landmarks"]])


def write_answers(folder: Path, image: str, answers: list[dict[str, Any]], taken: set[str]) -> Path:
    """One JSON file a photograph; equal names of one run get a number, so that none is lost.

    Raises:
        ImageError: the file cannot be written.
    """
    stem = Path(image.removeprefix(SAMPLE)).stem
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name)
    target = folder / f"{name}.json"
    try:
        target.write_text(json.dumps(answers, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ImageError(f"{target} could not be written: {(error.strerror or str(error)).lower()}.") from None
    return target
