"""Paint around and over an average head: wall, clothes, glasses, a medical mask, a hand.

All pictures are linear light on the canvas. Lengths of painted things are in millimetres times
`millimetre(head)`, which takes a face to be 140 mm wide between the temples.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter, shift
from skimage.draw import polygon2mask

from tools.portraits.average import CANVAS, SCALE, Head, smoothstep, to_linear
from tools.portraits.turn import depth_map, lambert

TEMPLES = (234, 454)  # MediaPipe's numbers
Colour = tuple[float, float, float]  # sRGB 0..1


def millimetre(head: Head) -> float:
    """Canvas px per millimetre."""
    return float(np.linalg.norm(np.diff(head.dense[list(TEMPLES)], axis=0))) / 140


def noise(rng: np.random.Generator, sigma: float | tuple[float, float]) -> np.ndarray:
    """Smooth noise (C, C) of mean 0 and standard deviation 1."""
    field = gaussian_filter(rng.standard_normal((CANVAS, CANVAS)), sigma, mode="wrap")
    return (field - field.mean()) / field.std()


def over(below: np.ndarray, colour: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """`colour` (..., 3) laid over `below` (C, C, 3) where `cover` (C, C) is 1."""
    return below + cover[..., None] * (colour - below)


def wall(colour: Colour, rng: np.random.Generator, spots: int = 0) -> np.ndarray:
    """A background (C, C, 3).

    A lit wall of `colour`, or an out-of-focus place with `spots` blurred patches.
    """
    y, x = np.indices((CANVAS, CANVAS)) / CANVAS
    light = 1.12 - 0.55 * ((x - 0.42) ** 2 + (y - 0.35) ** 2) + 0.02 * noise(rng, 60)
    picture = to_linear(np.array(colour)) * light[..., None]
    for _ in range(spots):
        cx, cy, r = rng.uniform(0, 1), rng.uniform(0, 0.9), rng.uniform(0.05, 0.16)
        tint = np.clip(np.array(colour) * rng.uniform(0.6, 1.35) + rng.uniform(-0.05, 0.05, 3), 0, 1)
        patch = smoothstep(1.25, 0.75, np.hypot((x - cx) / r, (y - cy) / (r * rng.uniform(0.8, 1.8))))
        picture = over(picture, to_linear(tint), 0.55 * patch)
    return gaussian_filter(picture, (26, 26, 0)) if spots else picture


def clothes(picture: np.ndarray, head: Head, colour: Colour, rng: np.random.Generator, high: bool) -> np.ndarray:
    """`picture` (C, C, 3) with a plain jumper from the neck down.

    `high`: with a rolled collar close under the chin.
    """
    p, y, x = head.points, *np.indices((CANVAS, CANVAS), dtype=float)
    left, right = p[145, 0], p[157, 0]
    middle, half = (left + right) / 2, (right - left) / 2
    top = p[129, 1] + SCALE * (2.0 if high else 11.0)  # of the collar beside the neck
    dip, band = SCALE * (11.0 if high else 17.0), SCALE * (17.0 if high else 8.0)
    across = (x - middle) / (half + SCALE * (4 if high else 7))
    neckline = top + dip * np.clip(1 - across**2, 0, 1) ** 0.75
    away = np.maximum(np.abs(across) - 1, 0) * half / SCALE
    slope = 13 * (1 - np.exp(-away / 13)) + 0.24 * away + 0.0012 * away**2
    shoulder = top + band * smoothstep(0, 4, away) * high + SCALE * slope
    edge = gaussian_filter(np.where(np.abs(across) < 1, neckline, shoulder), (0, 9), mode="nearest")
    depth = y - edge  # px below the edge of the cloth
    folds = noise(rng, (46, 14)) * 0.05 + noise(rng, (22, 40)) * 0.035
    weave = noise(rng, (1.2, 0.9)) * 0.03
    round_off = 0.74 + 0.26 * smoothstep(-1, 40, depth)
    sides = 1.05 - 0.28 * (np.abs(x - 0.45 * CANVAS) / CANVAS * 2) ** 2
    light = sides * round_off * (1 + folds + weave)
    inner = np.where(np.abs(across) < 1.04, depth, 99)
    rib = 1 + 0.05 * np.sin(x / 3.1 + 0.002 * (x - middle) * (y - top)) * (inner < band)
    seam = 1 - 0.28 * np.exp(-(((inner - band) / 3.0) ** 2))
    below_chin = 1 - 0.35 * np.exp(-(((x - middle) / half) ** 2) - (np.maximum(depth, 0) / (16 * SCALE)) ** 2)
    cloth = to_linear(np.array(colour)) * (light * rib * seam * below_chin)[..., None]
    cover = gaussian_filter(smoothstep(-1.5, 1.5, depth), 0.8)
    shadow = gaussian_filter(smoothstep(-1.5, 1.5, depth + 5), 6) * head.alpha
    return over(picture * (1 - 0.35 * shadow[..., None]), cloth, cover)


def assemble(head: Head, background: np.ndarray) -> np.ndarray:
    """`head` before `background` (C, C, 3)."""
    return over(background, head.colour, head.alpha)


def glasses(head: Head, dark: bool, frame: Colour = (0.20, 0.13, 0.10)) -> Head:
    """`head` wearing spectacles, or sunglasses when `dark`.

    Lenses about the pupils, bridge, temples to the ears.
    """
    mm, p = millimetre(head), head.points
    pupils = np.stack([p[0], p[1]])
    along = (pupils[1] - pupils[0]) / np.linalg.norm(pupils[1] - pupils[0])
    down = np.array([-along[1], along[0]])
    y, x = np.indices((CANVAS, CANVAS), dtype=float)
    width, height, power = (28.0, 22.5, 3.2) if dark else (27.5, 20.5, 2.8)
    ring = np.full((CANVAS, CANVAS), np.inf)
    for pupil, outward in zip(pupils, (-1, 1), strict=True):
        centre = pupil + down * (4.0 if dark else 2.5) * mm + along * outward * 1.5 * mm
        u = ((x - centre[0]) * along[0] + (y - centre[1]) * along[1]) / mm
        v = ((x - centre[0]) * down[0] + (y - centre[1]) * down[1]) / mm
        wide = width * (1 - 0.10 * np.clip(v / height, -1, 1) - 0.04 * outward * np.sign(u))
        radius = ((np.abs(u) / wide) ** power + (np.abs(v) / height) ** power) ** (1 / power)
        ring = np.minimum(ring, (radius - 1) * min(width, height))
    thick = 1.7 if dark else 1.2
    rim = smoothstep(0.35, -0.35, np.abs(ring) - thick)
    middle = pupils.mean(0) + down * (-2.0 if dark else -1.5) * mm
    inner = np.linalg.norm(pupils[1] - pupils[0]) / 2 + (1.5 - width) * mm
    ears = np.stack([p[115] + (p[109] - p[115]) * 0.45, p[120] + (p[112] - p[120]) * 0.45]) - down * 2 * mm
    bridge = np.stack([middle + along * t * inner - down * (1 - t * t) * 2.5 * mm for t in np.linspace(-1, 1, 9)])
    strokes = _stroke(bridge, 1.3 * mm)
    for pupil, ear, outward in zip(pupils, ears, (-1, 1), strict=True):
        corner = pupil + along * outward * (width + 0.5) * mm - down * 7 * mm
        hinge = pupil + along * outward * (width + 6.0) * mm - down * 7 * mm
        strokes = np.maximum(strokes, _stroke(np.stack([corner, hinge]), 2.0 * mm))
        strokes = np.maximum(strokes, _stroke(np.stack([hinge, ear]), 1.7 * mm))
    solid = np.maximum(rim, strokes)
    v = ((x - middle[0]) * down[0] + (y - middle[1]) * down[1]) / mm
    lens = smoothstep(0.5, -0.5, ring)
    drop = shift(
        gaussian_filter(np.maximum(solid, lens * (0.5 if dark else 0)), 2.2 * mm), (4 * mm, 1.2 * mm), order=1
    )
    colour = head.colour * (1 - 0.45 * drop * (1 - 0.5 * lens * (not dark)))[..., None]
    u = ((x - middle[0]) * along[0] + (y - middle[1]) * along[1]) / mm
    sheen = smoothstep(5, 0, np.abs(np.mod(u, 62) - 22 + 0.75 * v)) + smoothstep(
        2, 0, np.abs(np.mod(u, 62) - 32 + 0.75 * v)
    )
    sky = smoothstep(16, -24, v)
    if dark:
        tint = 0.012 + 0.05 * sky[..., None] * np.array([0.8, 0.95, 1.1]) + 0.018 * sheen[..., None]
        colour = over(colour, tint, 0.95 * lens)
    else:
        colour = over(colour, np.array([0.9, 0.95, 1.0]), lens * (0.03 * sky + 0.045 * gaussian_filter(sheen, 3)))
    ridge = lambert(gaussian_filter(solid, 1.0) * 1.6 * mm, (-0.3, -0.9, 0.8))
    material = to_linear(np.array(frame)) * (0.5 + ridge)[..., None] + 0.10 * (ridge[..., None] ** 8)
    seen = np.maximum(rim, strokes)
    return replace(head, colour=over(colour, material, seen), alpha=np.maximum(head.alpha, seen * (ring < 6 * mm)))


def _stroke(path: np.ndarray, half: float) -> np.ndarray:
    """Cover (C, C) of a line through `path` (N, 2) with round ends, `half` px to either side."""
    return smoothstep(0.7, -0.7, _distance(path) - half)


def _distance(path: np.ndarray) -> np.ndarray:
    """Distance (C, C) of each pixel from the polyline `path` (N, 2), px."""
    y, x = np.indices((CANVAS, CANVAS), dtype=float)
    best = np.full((CANVAS, CANVAS), np.inf)
    for (ax, ay), (bx, by) in pairwise(path):
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
        best = np.minimum(best, np.hypot(x - ax - t * dx, y - ay - t * dy))
    return best


def mask(head: Head, colour: Colour = (0.70, 0.83, 0.89)) -> Head:
    """`head` wearing a pleated medical mask from the bridge of the nose to under the chin.

    Looped over the ears.
    """
    mm, p, mesh = millimetre(head), head.points, head.dense[:, :2]
    bridge = mesh[197]
    corners = np.stack([mesh[234] + (7 * mm, 12 * mm), mesh[454] + (-7 * mm, 12 * mm)])
    jaw = np.stack([mesh[172] + (3 * mm, -6 * mm), mesh[397] + (-3 * mm, -6 * mm)])
    chin = mesh[152] + (0, 5 * mm)
    cheeks = (mesh[50] + (0, -2 * mm), mesh[280] + (0, -2 * mm))
    low = (mesh[149] + (0, 3 * mm), mesh[378] + (0, 3 * mm))
    sides = (corners + jaw) / 2
    right = [cheeks[1], corners[1], sides[1], jaw[1], low[1]]
    left = [low[0], jaw[0], sides[0], corners[0], cheeks[0]]
    ring = np.stack([bridge, *right, chin, *left, bridge])
    outline = CubicSpline(np.r_[0, np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1))], ring, bc_type="periodic")
    smooth = outline(np.linspace(0, outline.x[-1], 400))
    cover = gaussian_filter(polygon2mask((CANVAS, CANVAS), smooth[:, ::-1]).astype(float), 1.0)
    surface = gaussian_filter(-depth_map(head), 6 * mm)
    y, x = np.indices((CANVAS, CANVAS), dtype=float)
    share = (y - bridge[1]) / (chin[1] - bridge[1])
    bow = 0.16 * ((x - bridge[0]) / (corners[1, 0] - bridge[0])) ** 2
    pleats = sum(
        _pleat((share + s * bow - at) * (chin[1] - bridge[1]) / mm) for at, s in ((0.36, -1), (0.53, 0), (0.70, 1))
    )
    wire = np.exp(
        -((((np.min([_distance(smooth[:90]), _distance(smooth[-90:])], axis=0)) - 4 * mm) / (1.1 * mm)) ** 2)
    )
    edge = np.exp(-((_distance(smooth) / (1.6 * mm)) ** 2))
    light = 0.08 + 1.05 * lambert(surface + 1.6 * mm * pleats, (-0.15, -0.5, 1.0)) - 0.10 * edge + 0.05 * wire
    light *= 1 + 0.012 * noise(np.random.default_rng(7), 1.0) + 0.02 * noise(np.random.default_rng(8), (6, 18))
    shadow = gaussian_filter(cover, 3.5 * mm) * (1 - cover)
    loops = np.zeros_like(cover)
    for corner, low_corner, ear in zip(corners, jaw, (p[[109, 115]].mean(0), p[[112, 120]].mean(0)), strict=True):
        under = np.array([ear[0], p[[119, 124], 1].mean() - 4 * mm])
        loops = np.maximum(loops, _stroke(np.stack([corner + np.array([0, mm]), ear]), 0.9 * mm))
        loops = np.maximum(
            loops, _stroke(np.stack([low_corner, (low_corner + under) / 2 + (0, 2 * mm), under]), 0.9 * mm)
        )
    skin = head.colour * (1 - 0.6 * shadow - 0.3 * gaussian_filter(loops, mm) * (1 - loops))[..., None]
    skin = over(skin, np.array([0.82, 0.84, 0.86]) * 0.9, loops * 0.9)
    cloth = to_linear(np.array(colour)) * light[..., None]
    return replace(head, colour=over(skin, cloth, cover), alpha=np.maximum(head.alpha, cover))


def _pleat(distance: np.ndarray) -> np.ndarray:
    """Height profile of one fold at `distance` mm below its edge: a soft step down, then a slow return."""
    return smoothstep(-1.6, 1.6, -distance) * np.exp(np.minimum(distance, 0) / 5.0)
