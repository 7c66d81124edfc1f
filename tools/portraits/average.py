"""Average several portraits into one: read WebMorph rows, warp to a mean shape, mix in linear light.

Everything here works on one square canvas of `CANVAS` px. It shows the 256 px crop of the data set with a
margin (`MARGIN` crop px left and right, less above, more below), so that painted shoulders have room.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import gaussian_filter, grey_erosion, map_coordinates, zoom
from scipy.spatial import ConvexHull
from skimage.color import rgb2lab
from skimage.draw import polygon2mask

from workbench.errors import DataError

CANVAS = 768
CROP = 256
MARGIN = 25.0  # crop px of canvas left and right of the crop
ABOVE = 16.0  # crop px of canvas above the crop
SCALE = CANVAS / (CROP + 2 * MARGIN)  # canvas px per crop px
POINTS = 189
LICENCE = "CC-BY-4.0"
CAMERA = {"canada": (0.82, 1.0, 0.99), "neutral_front": (1.0, 1.0, 1.0)}  # gains per set
WALL = 0.72  # linear light of a well exposed studio wall
SMOOTHING = 30.0  # of the thin-plate spline: a few misplaced points must not fold the picture
# WebMorph's numbers
OUTLINE = range(145, 158)  # of the hair, from neck to neck
JAW = range(125, 134)
HAIRLINE, CROWN_ARC = range(136, 143), range(149, 154)
FACE = (*range(134, 145), *reversed(JAW))
IMAGE_LEFT_EAR = (109, 115, 116, 117, 118, 119, 110)
IMAGE_RIGHT_EAR = (112, 120, 121, 122, 123, 124, 113)
FOREHEAD, CHEEKS, CROWN = (137, 142, 75, 77), (164, 165, 168, 169), (150, 151, 152)
# A fringe that hides the hairline and two shaven heads leave patches in an average.
LEFT_OUT = ("neutral_front_003_03", "neutral_front_021_03", "neutral_front_172_03")
WEIGHTS = np.array([1.4, 1, 1, 0.9, 0.5, 0.5, 1, 0.8, 0.8, 0.5, 0.6, 0.8])  # of `appearance`, skin tone first


@dataclass(frozen=True)
class Row:
    """One portrait: its crop, 189 points (189, 2) and dense mesh points (478, 3), all in crop pixels."""

    path: Path
    stimset: str
    points: np.ndarray
    dense: np.ndarray

    def pixels(self) -> np.ndarray:
        """sRGB crop, float (256, 256, 3) in 0..1."""
        with Image.open(self.path) as picture:
            return np.asarray(picture.convert("RGB"), dtype=float) / 255


@dataclass(frozen=True)
class Head:
    """A head on the canvas: linear light (C, C, 3), cover 0..1 (C, C), points (189, 2), mesh (478, 3)."""

    colour: np.ndarray
    alpha: np.ndarray
    points: np.ndarray
    dense: np.ndarray


def read_rows(folder: Path) -> list[Row]:
    """The openly licensed rows of a `webmorph189` folder, in file order.

    Raises DataError when the folder lacks annotations, crops, dense points or any CC-BY 4.0 row.
    """
    table, dense = folder / "annotations.csv", folder / "dense_mediapipe.npz"
    if not table.is_file() or not dense.is_file():
        raise DataError(f"{folder} is not a webmorph189 folder: annotations.csv or dense_mediapipe.npz is missing.")
    with np.load(dense) as packed:
        packs = zip(packed["files"], packed["points"], packed["ok"], strict=True)
        meshes = {str(name): points.astype(float) for name, points, ok in packs if ok}
    with table.open(newline="") as lines:
        records = [r for r in csv.DictReader(lines) if r.get("licence") == LICENCE and r["file"] in meshes]
    if not records or f"x{POINTS - 1}" not in records[0]:
        raise DataError(f"{folder} has no {LICENCE} row with {POINTS} points: give the webmorph189 folder.")
    rows = []
    for record in records:
        points = np.array([[float(record[f"x{i}"]), float(record[f"y{i}"])] for i in range(POINTS)])
        rows.append(Row(folder / "crops" / record["file"], record["stimset"], points, meshes[record["file"]]))
    missing = [row.path.name for row in rows if not row.path.is_file()]
    if missing:
        raise DataError(
            f"{folder} lacks {len(missing)} crops, the first is crops/{missing[0]}: copy the folder whole."
        )
    return rows


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB 0..1 to linear light 0..1 (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light 0..1 to sRGB 0..1, clipped."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def to_canvas(points: np.ndarray) -> np.ndarray:
    """Crop pixels to canvas pixels; a third column (depth) is scaled alike."""
    moved = np.array(points, dtype=float)
    moved[..., 0] += MARGIN
    moved[..., 1] += ABOVE
    return moved * SCALE


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def warp(
    image: np.ndarray, source: np.ndarray, target: np.ndarray, size: int, step: int = 8, smoothing: float = SMOOTHING
) -> np.ndarray:
    """Thin-plate warp (Bookstein 1989): what lies at `source` comes to `target`, both (N, 2) as x, y.

    `image` (H, W, C) becomes (size, size, C). The inverse map is evaluated on a grid of `step` px and
    interpolated; edge pixels are repeated. With `smoothing` 0 the points are met exactly.
    """
    ends = np.array([[x, y] for x in (0, 0.5, 1) for y in (0, 0.5, 1) if (x, y) != (0.5, 0.5)])
    border_to = ends * (size - 1)
    border_from = border_to @ _affine(target, source)[:, :2].T + _affine(target, source)[:, 2]
    inverse = RBFInterpolator(
        np.vstack([target, border_to]),
        np.vstack([source, border_from]),
        kernel="thin_plate_spline",
        smoothing=smoothing,
    )
    axis = np.arange(0, size + step, step, dtype=float)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    coarse = inverse(grid).reshape(len(axis), len(axis), 2)
    where = np.indices((size, size)) / step
    at = [map_coordinates(coarse[..., i], where, order=1) for i in (1, 0)]
    return np.stack([map_coordinates(image[..., c], at, order=3, mode="nearest") for c in range(image.shape[-1])], -1)


def _affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares affine (2, 3) from `source` to `target`, both (N, 2)."""
    padded = np.column_stack([source, np.ones(len(source))])
    return np.linalg.lstsq(padded, target, rcond=None)[0].T


def average(images: list[np.ndarray], weights: list[np.ndarray] | None = None) -> np.ndarray:
    """Mean of sRGB images (H, W, 3) in linear light, weighted per pixel (H, W) when given.

    Returns linear light.
    """
    if weights is None:
        weights = [np.ones(image.shape[:2]) for image in images]
    shares = np.stack(weights) + 1e-6
    shares = shares / shares.sum(0)
    mean = np.zeros_like(images[0])
    for image, share in zip(images, shares, strict=True):
        mean += share[..., None] * to_linear(np.clip(image, 0, 1))
    return mean


def head_mask(points: np.ndarray, size: int, hair: bool = False) -> np.ndarray:
    """Face, ears and neck, with the `hair` above the face or not: bool (size, size).

    Points (189, 2) in its pixels.
    """
    left, right = points[[*JAW[:2], OUTLINE[0]]], points[[OUTLINE[-1], *JAW[-2:]]]
    neck = np.vstack([left, [[left[-1, 0], size], [right[0, 0], size]], right])
    parts = [neck, *(points[list(ring)] for ring in (FACE, IMAGE_LEFT_EAR, IMAGE_RIGHT_EAR))]
    if hair:
        crown = points[54] + 0.95 * (points[list(CROWN_ARC)] - points[54])
        parts.append(np.vstack([points[list(HAIRLINE)], crown[::-1]]))
    return np.any([polygon2mask((size, size), ring[:, ::-1]) for ring in parts], axis=0)


def matte(image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cover (C, C) of the person on a plain studio wall and the wall's linear colour (3,).

    `image` is an sRGB canvas and `points` its 189 canvas points. The wall is a quadratic in x and y per Lab
    channel, fitted around the head; whatever differs from it is the person.
    """
    clipped = np.clip(image, 0, 1)
    small, size = clipped[::4, ::4], len(image) // 4
    lab = rgb2lab(small)
    around = np.vstack([points[list(FACE)], points[list(OUTLINE)]]) / 4
    inside = polygon2mask((size, size), around[ConvexHull(around).vertices][:, ::-1])
    y, x = np.indices((size, size)) / size
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], -1)
    wall = (gaussian_filter(inside.astype(float), size / 40) < 0.02) & (y < 0.62)
    for _ in range(4):
        fit = np.linalg.lstsq(basis[wall], lab[wall], rcond=None)[0]
        difference = np.linalg.norm(lab - basis @ fit, axis=-1)
        wall &= difference < max(3.0, 1.5 * float(np.median(difference[wall])))
    distance = np.linalg.norm(rgb2lab(clipped) - _enlarge(basis @ fit, len(image)), axis=-1)
    held = gaussian_filter(head_mask(points, len(image)).astype(float), 3)
    return np.maximum(smoothstep(7, 22, distance), held), np.median(to_linear(small[wall]), axis=0)


def balance(image: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """sRGB `image` under a neutral light.

    The linear `wall` colour turns grey and comes half-way to `WALL`.
    """
    gain = wall.mean() / wall * (WALL / wall.mean()) ** 0.5
    return to_srgb(to_linear(np.clip(image, 0, 1)) * gain)


def _enlarge(image: np.ndarray, size: int) -> np.ndarray:
    """Bilinear enlargement of (h, h, C) to (size, size, C)."""
    factor = size / len(image)
    return zoom(image, (factor, factor, 1), order=1, grid_mode=True, mode="nearest")


def appearance(rows: list[Row]) -> np.ndarray:
    """Measured look of each row, (rows, 12), in units of the set's standard deviation.

    Colour of skin (Lab) and hair (Lab), hair beside the neck, the chin and the lips against the skin, and
    three proportions: length of the face, width of the jaw, gap between brow and eye.
    """
    looks = []
    for row in rows:
        lab = rgb2lab(gaussian_filter(row.pixels(), (2, 2, 0)))
        p = row.points
        skin = _sample(lab, p[[*FOREHEAD, *CHEEKS]])
        hair = _sample(lab, p[list(CROWN)] + (0, 8))
        beside = _sample(lab, p[[125, 133]] + [(-22, 10), (22, 10)])
        chin, lips = (
            _sample(lab, p[[158, 163, 174, 176, 178]]) - skin,
            _sample(lab, p[[90, 105, 106, 107]]) - skin,
        )
        width = np.ptp(p[[125, 133], 0])
        shape = [
            np.ptp(p[[139, 129], 1]),
            np.ptp(p[[127, 131], 0]),
            p[[28, 31], 1].mean() - p[[83, 85], 1].mean(),
        ]
        looks.append(np.concatenate([skin, hair, beside[:1], chin[:1], lips[1:2], np.array(shape) / width]))
    measured = np.array(looks)
    return (measured - measured.mean(0)) / measured.std(0)


def groups(rows: list[Row], seeds: dict[str, tuple[str, int]]) -> dict[str, list[Row]]:
    """For each name, the `count` rows that look most like its seed file: {name: (file stem, count)} -> rows.

    Every row is used once, seeds first; a group stays within one stimset, whose light and wall are the same.
    Raises DataError when a seed is not among the rows.
    """
    looks = appearance(rows) * WEIGHTS
    index = {row.path.stem: i for i, row in enumerate(rows)}
    missing = [stem for stem, _ in seeds.values() if stem not in index]
    if missing:
        raise DataError(
            f"The portrait {missing[0]} is not among the {LICENCE} rows: give the whole webmorph189 folder."
        )
    free = (
        set(range(len(rows)))
        - {index.get(stem, -1) for stem in LEFT_OUT}
        - {index[stem] for stem, _ in seeds.values()}
    )
    chosen = {}
    for name, (stem, count) in seeds.items():
        seed = index[stem]
        near = sorted(
            free,
            key=lambda i: (rows[i].stimset != rows[seed].stimset, np.linalg.norm(looks[i] - looks[seed])),
        )
        free -= set(near[: count - 1])
        chosen[name] = [rows[i] for i in (seed, *near[: count - 1])]
    return chosen


def _sample(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Median colour of `image` (H, W, C) at `points` (N, 2)."""
    x, y = np.clip(np.rint(points), 0, CROP - 1).astype(int).T
    return np.median(image[y, x], axis=0)


def composite(rows: list[Row], mean_of_all: np.ndarray, exaggerate: float = 1.0) -> Head:
    """The average of `rows`: faces warped to their mean shape and averaged in linear light, walls left out.

    `exaggerate` > 1 moves the mean shape that much further from `mean_of_all` (189, 2), as a caricature
    would.
    """
    mean = mean_of_all + exaggerate * (np.mean([row.points for row in rows], axis=0) - mean_of_all)
    target = to_canvas(mean)
    images, covers = [], []
    for row in rows:
        image = warp(row.pixels(), row.points, target, CANVAS)
        cover, wall = matte(image, target)
        images.append(balance(image, wall / CAMERA.get(row.stimset, 1.0)))
        covers.append(cover * _inside_crop(row, target))
    dense = np.mean([_carry(row, mean) for row in rows], axis=0)
    mean_cover = np.mean(covers, axis=0)
    colour = flow_outwards(average(images, [cover**3 for cover in covers]), mean_cover)
    held = gaussian_filter(head_mask(target, CANVAS, hair=True).astype(float), 3)
    alpha = np.maximum(smoothstep(0.5, 0.85, gaussian_filter(mean_cover, 2.5)), held) * _above_clothes(target)
    return Head(sharpen(colour), alpha, target, to_canvas(dense))


def sharpen(colour: np.ndarray, amount: float = 0.7, sigma: float = 2.5) -> np.ndarray:
    """Mild unsharp mask of linear light (H, W, 3), in sRGB so that dark and light edges gain alike."""
    image = to_srgb(colour)
    return to_linear(np.clip(image + amount * (image - gaussian_filter(image, (sigma, sigma, 0))), 0, 1))


def flow_outwards(colour: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """`colour` (C, C, 3) without the wall's light.

    Where `cover` (C, C) is partial, colours flow in from where it is full.
    """
    core = smoothstep(0.80, 0.97, gaussian_filter(grey_erosion(cover, 11), 2))
    spread = gaussian_filter(core, 6) + 0.05 * gaussian_filter(core, 20) + 1e-6
    near = gaussian_filter(colour * core[..., None], (6, 6, 0))
    far = gaussian_filter(colour * core[..., None], (20, 20, 0))
    flowed = (near + 0.05 * far + 1e-6 * colour) / spread[..., None]
    return core[..., None] * colour + (1 - core[..., None]) * flowed


def _above_clothes(points: np.ndarray) -> np.ndarray:
    """1 over head, hair and neck, 0 where collars and loose ends lie beside the neck; (C, C)."""
    near = smoothstep(0.05, 0.4, gaussian_filter(head_mask(points, CANVAS).astype(float), 5))
    height = np.arange(CANVAS)[:, None]
    below = smoothstep(points[[119, 124], 1].mean(), points[[126, 132], 1].mean(), height)
    return 1 - below * (1 - near)


def _inside_crop(row: Row, target: np.ndarray) -> np.ndarray:
    """0 where the warped canvas shows repeated pixels left, right or above the crop, else 1; (C, C)."""
    ramp = np.clip(np.stack(np.meshgrid(np.arange(CROP), np.arange(CROP)), -1) / 1.0, 0, CROP - 1)
    at = warp(ramp, row.points, target, CANVAS)
    x, y = at[..., 0], at[..., 1]
    return smoothstep(0.5, 5, x) * smoothstep(0.5, 5, CROP - 1 - x) * smoothstep(0.5, 5, y)


def _carry(row: Row, mean: np.ndarray) -> np.ndarray:
    """The dense points of `row` moved with its 189 points to the `mean` shape, (478, 3) crop px."""
    forward = RBFInterpolator(row.points, mean, kernel="thin_plate_spline", smoothing=SMOOTHING)
    return np.column_stack([forward(row.dense[:, :2]), row.dense[:, 2]])
