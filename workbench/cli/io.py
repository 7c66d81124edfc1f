"""From what was typed to faces, and from readings to plain values."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.errors import DataError, ImageError, NoFaceError, UnknownNameError
from workbench.files import replacing
from workbench.views import Figure, View, figures, offer_of

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.landmarks import Drawing
    from workbench.models import FaceModel
    from workbench.reading import Reading

SAMPLE = "sample:"
Corners = tuple[float, float, float, float]
T = TypeVar("T")


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


def pictures_of(image: str) -> list[str]:
    """The pictures that an argument names: itself, or those of a folder and the folders in it, by name.

    Raises:
        ImageError: a folder without a picture.
    """
    from workbench.faces.image import endings, is_picture

    folder = Path(image)
    if image.startswith(SAMPLE) or not os.path.isdir(folder):
        return [image]
    found = sorted(str(p) for p in folder.rglob("*") if is_picture(p.relative_to(folder)) and p.is_file())
    if not found:
        raise ImageError(f"There is no picture in {folder}; known endings are {', '.join(endings())}.")
    return found


def loaded_ahead(
    items: Sequence[str], load: Callable[[str], T], workers: int = 2
) -> Iterator[tuple[str, Callable[[], T]]]:
    """Every item, in order, with what gives its loaded value or raises its error. The first ones load from now on, the
    next ones meanwhile."""
    import workbench.faces  # noqa: F401  (by one thread, not by all of them at once)

    pool, rest = ThreadPoolExecutor(workers), iter(items)
    waiting = deque((item, pool.submit(load, item)) for item in islice(rest, 2 * workers))

    def given() -> Iterator[tuple[str, Callable[[], T]]]:
        with pool:
            while waiting:
                item, future = waiting.popleft()
                waiting.extend((item, pool.submit(load, item)) for item in islice(rest, 1))
                yield item, future.result

    return given()


def meanwhile(load: Callable[[], T]) -> Callable[[], T]:
    """Starts to load something; the call gives it, or raises its error. A face is found while torch is imported."""
    import workbench.faces  # noqa: F401

    pool = ThreadPoolExecutor(1)
    future = pool.submit(load)
    pool.shutdown(wait=False)
    return future.result


def answering(network: FaceModel, shape: str | None) -> Callable[[Face], Reading]:
    """What reads a face: the model's own landmarks, or the points of a shape."""
    if shape is None:
        from workbench.reading import read

        return lambda face: read(network, face, taps=())
    from workbench.shaping import find_shape

    drawing = drawing_from(shape, network)
    return lambda face: find_shape(network, face, drawing)


def one_face(image: str, box: str | None, which: int) -> Face:
    """The one face that a command is about."""
    return next(faces_of(image, parse_box(box), which))


def parse_face(text: str) -> int | None:
    """ "all" -> None, "2" -> 2. Raises UnknownNameError."""
    if text == "all":
        return None
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or int(text) < 1:
        raise UnknownNameError(f"--face takes a number from 1 or 'all', not '{text[:40]}'.")
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
        DataError: the file is no shape.
        UnknownNameError: neither a file nor a convention that the model has learned.
    """
    from workbench.data.shapes import open_shape
    from workbench.landmarks import get_scheme
    from workbench.shaping import conventions

    known = conventions(model)
    path = Path(text)
    if path.suffix or os.path.exists(path):
        opened = open_shape(path)
        if opened.words:
            sys.stderr.write(f"{path.name}: {opened.words}\n")
        return opened.drawing
    name = text if text in known else get_scheme(text).name
    if name not in known:
        raise UnknownNameError(f"{model.name} has learned no '{name}'; it knows {', '.join(known)}.")
    return known[name]


def as_record(reading: Reading, image: str) -> dict[str, Any]:
    """One answer as plain values: where it comes from, confidence and pose (degrees) where the system has them, and
    the rows of ``landmarks_table``."""
    from workbench.explain import landmarks_table

    record = {
        "image": image,
        "face": reading.face.index + 1,
        "model": reading.model_name,
        "scheme": reading.scheme.name,
        "box": [round(float(v), 2) for v in reading.face.original_box],
    }
    if reading.alignment.confidence is not None:
        record["confidence"] = round(float(reading.alignment.confidence[0]), 4)
    if reading.alignment.pose is not None:
        angles = (round(math.degrees(v), 2) for v in reading.alignment.pose[0].tolist())
        record["pose_degrees"] = dict(zip(("yaw", "pitch", "roll"), angles, strict=True))
    return {**record, "landmarks": landmarks_table(reading)}


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


def as_csv(records: list[dict[str, Any]]) -> str:
    """One line a landmark."""
    from workbench.explain import to_csv

    origin = ("image", "face", "model")
    return to_csv([{**{k: a[k] for k in origin}, **row} for a in records for row in a["landmarks"]])


def write_records(folder: Path, image: str, records: list[dict[str, Any]], taken: set[str]) -> Path:
    """One JSON file a photograph; equal names of one run get a number, so that none is lost.

    Raises:
        DataError: the file cannot be written.
    """
    stem = Path(image.removeprefix(SAMPLE)).stem
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name)
    target = folder / f"{name}.json"
    write_text(target, json.dumps(records, indent=2) + "\n")
    return target


def write_text(target: Path, text: str) -> None:
    """Raises DataError when the file cannot be written."""
    try:
        with replacing(target) as part:
            part.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "strerror", None) or error).lower()
        raise DataError(f"{target} could not be written: {reason}.") from None


def dashed(name: str) -> str:
    """A name as the shell writes it."""
    return name.replace("_", "-")


def figure_named(text: str) -> tuple[View, Figure]:
    """A figure that the command ``figure`` draws, and its view. Raises UnknownNameError."""
    known = figures()
    name = text.replace("-", "_")
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {dashed(near[0])}?" if near else f"choose one of {', '.join(map(dashed, known))}."
        raise UnknownNameError(f"There is no view '{text}'; {hint}")
    return known[name]


def models_for(view: View) -> list[str]:
    """Names of the models on the shelf that a view can show."""
    from workbench.models import list_models

    return [card.name for card in list_models() if view.needs.met_by(offer_of(card))]


def tensor_named(model: FaceModel, path: str | None) -> str:
    """The path of a tap; of one that says much at first sight for None.

    Raises:
        UnknownNameError: the model has no such tap.
        TraceError: it has none at all.
    """
    from workbench.explain.inside import find, first_choice, inner_maps
    from workbench.tracing import taps

    there = inner_maps(taps(model))
    return first_choice(there) if path is None else find(there, path).name


def save_explorer(view: View, reading: Reading, given: dict[str, Any], out: Path) -> Path:
    """Write a view's widget with its data as one HTML file.

    Args:
        given: the shell's options, counted from zero.

    Raises:
        TraceError: the reading does not have what is asked for.
        DataError: the file cannot be written.
    """
    from workbench.widgets import standalone_html

    entries = {"top_k": "topk", "at": "place"}
    payload = view.payload(reading, {entries.get(name, name): value for name, value in given.items()})
    write_text(
        out, standalone_html(view.name, payload, f"{view.title}: {payload['meta'].get('title', reading.face.name)}")
    )
    return out
