"""A small drawn set of faces with exact landmarks, so that the whole path runs where no photograph may
travel."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from workbench.landmarks import SCHEMES
from workbench.landmarks.geometry import apply, square_crop

CROP = 256
MARGIN = 1.4


def face_shape(rng: np.random.Generator) -> np.ndarray:
    """68 iBUG landmarks (68, 2) of a random upright face; one unit is half the face's width, y points
    down."""

    def arc(cx: float, cy: float, rx: float, ry: float, degrees: np.ndarray) -> np.ndarray:
        turn = np.deg2rad(degrees)
        return np.stack([cx + rx * np.cos(turn), cy + ry * np.sin(turn)], axis=-1)

    def line(a: tuple[float, float], b: tuple[float, float], n: int) -> np.ndarray:
        return np.linspace(a, b, n)

    eye_x, eye_open, mouth = rng.uniform(0.4, 0.48), rng.uniform(0.06, 0.11), rng.uniform(0.26, 0.38)
    lips, gap, brow = rng.uniform(0.1, 0.16), rng.uniform(0.2, 0.7), rng.uniform(0.22, 0.3)
    # Around an eye from the image-left corner over the upper lid: corner, two above, corner, two below.
    around = np.array([180.0, 240.0, 300.0, 0.0, 60.0, 120.0])
    outer = np.arange(180.0, 540.0, 30.0)
    inner = np.arange(180.0, 540.0, 45.0)
    return np.concatenate(
        [
            arc(0, 0, 1.0, rng.uniform(1.1, 1.3), np.linspace(180, 0, 17)),
            arc(-eye_x, -brow, 0.26, 0.1, np.linspace(180, 360, 5)),
            arc(eye_x, -brow, 0.26, 0.1, np.linspace(180, 360, 5)),
            line((0, -0.1), (0, 0.3), 4),
            line((-0.16, 0.4), (0.16, 0.4), 5) + np.outer([0, 0.02, 0.04, 0.02, 0], [0, 1]),
            arc(-eye_x, -0.1, 0.17, eye_open, around),
            arc(eye_x, -0.1, 0.17, eye_open, around),
            arc(0, 0.7, mouth, lips, outer),
            arc(0, 0.7, 0.8 * mouth, gap * lips, inner),
        ]
    )


def draw_face(rng: np.random.Generator, size: int = CROP) -> tuple[Image.Image, np.ndarray]:
    """One drawn face, in its crop of 1.4 x the landmarks' box, and its landmarks (68, 2) in pixels."""
    shape = face_shape(rng)
    angle = np.deg2rad(rng.normal(0, 12))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0]])
    points = apply(turn, shape)
    centre, side = square_crop(points, MARGIN)
    zoom = size / side
    matrix = np.column_stack([turn[:, :2] * zoom, size / 2 - zoom * centre])
    points = apply(matrix, shape)

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
    head = np.concatenate([points[:17], forehead])
    pen.polygon(place(head), fill=tuple(tone.tolist()))
    dark = (tone * 0.45).astype(int)
    for group in SCHEMES["ibug68"].groups:
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
    return Image.fromarray(pixels.astype(np.uint8)), points


def write_synthetic(folder: str | Path, train: int = 16, test: int = 8, *, seed: int = 0, size: int = CROP) -> Path:
    """Draw a set of faces into ``folder`` in the csv format (``annotations.csv`` and ``crops/``).

    Args:
        folder: is made when needed.
        train, test: number of faces in each part.
        seed: the same seed draws the same faces.
        size: side of the crops in pixels.

    Returns:
        The folder, ready for ``open_dataset``.
    """
    folder = Path(folder)
    (folder / "crops").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    with (folder / "annotations.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "subset", *(f"{a}{i}" for i in range(68) for a in "xy")])
        for index in range(train + test):
            picture, points = draw_face(rng, size)
            name = f"drawn_{index:04d}.png"
            picture.save(folder / "crops" / name)
            subset = "train" if index < train else "test"
            writer.writerow([name, subset, *(f"{v:.3f}" for v in points.reshape(-1))])
    return folder
