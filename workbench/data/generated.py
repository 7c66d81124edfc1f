"""Faces drawn by code, with exact landmarks: for exercises, and wherever no photograph may travel."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from workbench.data.pack import MARGIN, Packed
from workbench.errors import DataError
from workbench.landmarks import Scheme, get_scheme
from workbench.landmarks.geometry import apply, square_crop

# Every other scheme's points among the 98: a point, or several whose mean it is.
_FROM_98: dict[str, tuple[int | tuple[int, ...], ...]] = {
    "cofw29": (
        33, 46, 37, 42, 35, (39, 40), 44, (48, 49), 60, 72, 64, 68, 62, 66, 70, 74, 96, 97, 55, 59, 54, 57,
        76, 82, 79, 90, 94, 85, 16,
    ),
    "aflw19": (33, 35, 37, 42, 44, 46, 60, 96, 64, 68, 97, 72, 55, 54, 59, 76, (90, 94), 82, 16),
    "five": (96, 97, 54, 76, 82),
}  # fmt: skip


def _shapes(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The landmarks of a random upright face, 68 and 98 of them on the same lines; one unit is half the face's width,
    y points down."""

    def arc(cx: float, cy: float, rx: float, ry: float, degrees: np.ndarray) -> np.ndarray:
        turn = np.deg2rad(degrees)
        return np.stack([cx + rx * np.cos(turn), cy + ry * np.sin(turn)], axis=-1)

    def line(a: tuple[float, float], b: tuple[float, float], n: int) -> np.ndarray:
        return np.linspace(a, b, n)

    eye_x, eye_open, mouth = rng.uniform(0.4, 0.48), rng.uniform(0.06, 0.11), rng.uniform(0.26, 0.38)
    lips, gap, brow = rng.uniform(0.1, 0.16), rng.uniform(0.2, 0.7), rng.uniform(0.22, 0.3)
    chin = rng.uniform(1.1, 1.3)
    # Around an eye from the image-left corner over the upper lid: corner, two above, corner, two below.
    around = np.array([180.0, 240.0, 300.0, 0.0, 60.0, 120.0])
    eighth = np.arange(180.0, 540.0, 45.0)
    mouth_lines = [
        arc(0, 0.7, mouth, lips, np.arange(180.0, 540.0, 30.0)),
        arc(0, 0.7, 0.8 * mouth, gap * lips, eighth),
    ]
    nose = [line((0, -0.1), (0, 0.3), 4), line((-0.16, 0.4), (0.16, 0.4), 5) + np.outer([0, 2, 4, 2, 0], [0, 0.01])]
    brows = [arc(x, -brow, 0.26, 0.1, np.linspace(180, 360, 5)) for x in (-eye_x, eye_x)]
    below = [arc(x, -brow, 0.26, 0.02, np.linspace(330, 210, 4)) for x in (-eye_x, eye_x)]
    jaws = {n: arc(0, 0, 1.0, chin, np.linspace(180, 0, n)) for n in (17, 33)}
    eyes = [[arc(x, -0.1, 0.17, eye_open, turns) for x in (-eye_x, eye_x)] for turns in (around, eighth)]
    pupils = np.array([[-eye_x, -0.1], [eye_x, -0.1]])
    return {
        "ibug68": np.concatenate([jaws[17], *brows, *nose, *eyes[0], *mouth_lines]),
        "wflw98": np.concatenate(
            [jaws[33], brows[0], below[0], brows[1], below[1], *nose, *eyes[1], *mouth_lines, pupils]
        ),
    }


def _points(shapes: dict[str, np.ndarray], scheme: Scheme) -> np.ndarray:
    if scheme.name in shapes:
        return shapes[scheme.name]
    if scheme.name not in _FROM_98:
        known = ", ".join((*shapes, *_FROM_98))
        raise DataError(f"A drawn face has no landmarks of the scheme '{scheme.name}'; choose one of {known}.")
    return np.stack([shapes["wflw98"][np.atleast_1d(i)].mean(0) for i in _FROM_98[scheme.name]])


def face_shape(rng: np.random.Generator, scheme: str | Scheme = "ibug68") -> np.ndarray:
    """The landmarks (N, 2) of a random upright face; one unit is half the face's width, y points down.

    Raises:
        DataError: a scheme that a drawn face does not have.
    """
    return _points(_shapes(rng), get_scheme(scheme))


def draw_face(
    rng: np.random.Generator, size: int = 256, scheme: str | Scheme = "ibug68"
) -> tuple[Image.Image, np.ndarray]:
    """One drawn face, in its crop of 1.4 x the landmarks' box, and its landmarks (N, 2) in pixels.

    Raises:
        DataError: a scheme that a drawn face does not have.
    """
    shapes = _shapes(rng)
    shape, asked = shapes["ibug68"], _points(shapes, get_scheme(scheme))
    angle = np.deg2rad(rng.normal(0, 12))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0]])
    centre, side = square_crop(apply(turn, shape), MARGIN)
    zoom = size / side
    matrix = np.column_stack([turn[:, :2] * zoom, size / 2 - zoom * centre])
    return _painted(rng, apply(matrix, shape), matrix, zoom, size), apply(matrix, asked)


def _painted(rng: np.random.Generator, points: np.ndarray, matrix: np.ndarray, zoom: float, size: int) -> Image.Image:
    over = 3  # drawn three times larger: Pillow has no smooth edges
    skin = rng.integers(90, 230)
    hue = np.array([1.0, rng.uniform(0.7, 0.9), rng.uniform(0.55, 0.8)])
    tone = (skin * hue).astype(int)
    picture = Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8))
    picture = picture.resize((size * over, size * over), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)

    def place(xy: np.ndarray) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in (xy + 0.5) * over]

    def fill(indices: tuple[int, ...], colour: np.ndarray | tuple[int, ...]) -> None:
        pen.polygon(place(points[list(indices)]), fill=tuple(int(v) for v in colour))

    def stroke(indices: tuple[int, ...], colour: np.ndarray, width: float) -> None:
        pen.line(place(points[list(indices)]), fill=tuple(int(v) for v in colour), width=int(width * over))

    forehead = apply(matrix, np.stack([np.cos(t := np.linspace(0, -np.pi, 30)), 1.2 * np.sin(t)], axis=-1))
    pen.polygon(place(np.concatenate([points[:17], forehead])), fill=tuple(tone.tolist()))
    dark = (tone * 0.45).astype(int)
    for group in get_scheme("ibug68").groups:
        if group.part == "brows":
            stroke(group.indices, dark // 2, 5)
        elif group.part == "eyes":
            fill(group.indices, (245, 245, 245))
            x, y = points[list(group.indices)].mean(0)
            r = 0.06 * zoom
            box = place(np.array([[x - r, y - r], [x + r, y + r]]))
            pen.ellipse([*box[0], *box[1]], fill=tuple(rng.integers(10, 110, 3).tolist()))
            stroke(group.path, dark, 1.5)
        elif group.part == "outer_lip":
            fill(group.indices, (min(int(tone[0]) + 20, 255), tone[1] // 2, tone[2] // 2))
        elif group.part == "inner_lip":
            fill(group.indices, (60, 15, 20))
        else:
            stroke(group.indices, dark, 2)
    picture = picture.resize((size, size), Image.Resampling.BOX)
    noise = rng.normal(0, 4, (size, size, 3))
    pixels = np.clip(np.asarray(picture, float) * rng.uniform(0.7, 1.15) + noise, 0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


def drawn(n: int, seed: int = 0, scheme: str | Scheme = "ibug68", size: int = 192) -> Packed:
    """Drawn faces with exact landmarks, ready for ``train_steps``.

    Args:
        n: how many.
        seed: the same seed draws the same faces; the first ones of a larger set are those of a smaller.
        scheme: of the landmarks.
        size: side of the crops in pixels.

    Raises:
        DataError: none at all, or a scheme that a drawn face does not have.
    """
    if n < 1:
        raise DataError(f"At least one face is drawn, not {n}.")
    rng = np.random.default_rng(seed)
    made = [draw_face(rng, size, scheme) for _ in range(n)]
    images = torch.from_numpy(np.stack([np.asarray(picture) for picture, _ in made])).permute(0, 3, 1, 2).contiguous()
    points = torch.from_numpy(np.stack([points for _, points in made])).float()
    names = tuple(f"drawn_{i:04d}" for i in range(n))
    return Packed(images, points, torch.ones(points.shape[:2], dtype=torch.bool), names)


def write_drawn(
    folder: str | Path,
    train: int = 16,
    test: int = 8,
    *,
    seed: int = 0,
    size: int = 256,
    scheme: str | Scheme = "ibug68",
) -> Path:
    """Draw a set of faces into ``folder`` in the csv format (``annotations.csv`` and ``crops/``).

    Args:
        folder: is made when needed.
        train, test: number of faces in each part.
        seed: the same seed draws the same faces.
        size: side of the crops in pixels.
        scheme: of the landmarks.

    Returns:
        The folder, ready for ``open_dataset``, ``evaluate`` and ``train``.

    Raises:
        DataError: a scheme that a drawn face does not have.
    """
    folder, count = Path(folder), get_scheme(scheme).count
    (folder / "crops").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    with (folder / "annotations.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "subset", *(f"{a}{i}" for i in range(count) for a in "xy")])
        for index in range(train + test):
            picture, points = draw_face(rng, size, scheme)
            name = f"drawn_{index:04d}.png"
            picture.save(folder / "crops" / name)
            subset = "train" if index < train else "test"
            writer.writerow([name, subset, *(f"{v:.3f}" for v in points.reshape(-1))])
    return folder
