"""A painted hand: tapered fingers as a height field, lit like the portrait, laid over the lower face."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter, shift

from tools.portraits.average import CANVAS, Head, smoothstep, to_linear
from tools.portraits.paint import Colour, millimetre, noise, over
from tools.portraits.turn import lambert

# Joints in mm: x along the middle finger from the wrist, y towards the little finger; (x, y, radius) from
# knuckle to tip.
FINGERS = (
    ((96, -30, 13.5), (134, -34, 11.2), (156, -34.5, 10.0), (171, -34, 8.8)),
    ((101, -8, 13.8), (146, -9.5, 11.5), (170, -9.5, 10.2), (186, -9, 9.0)),
    ((95, 14, 13.2), (136, 15, 11.0), (159, 16, 9.8), (174, 16.5, 8.6)),
    ((84, 34, 12.0), (114, 38, 9.8), (131, 40, 8.8), (143, 41, 7.8)),
)
THUMB = ((26, -26, 18.0), (60, -52, 13.5), (88, -62, 12.0), (106, -66, 10.0))
BACK = (
    ((-140, 3, 30.0), (8, 1, 27.0), (50, -8, 27.0)),
    ((50, 0, 28.0), (88, -20, 16.0)),
    ((50, 6, 28.0), (84, 22, 15.0)),
)
CUFF = -22.0  # mm along the arm where the sleeve ends


def hand(picture: np.ndarray, head: Head, sleeve: Colour, angle: float = -20.0, rise: float = -4.0) -> np.ndarray:
    """`picture` (C, C, 3) with a hand from image left whose fingers lie over the mouth and far cheek.

    `angle` in degrees turns the arm (negative: fingers upwards), `rise` in mm lifts it.
    """
    mm = millimetre(head)
    mouth = head.points[[87, 93]].mean(0)
    y, x = np.indices((CANVAS, CANVAS), dtype=float)
    turn = np.deg2rad(angle)
    dx, dy = (x - mouth[0]) / mm, (y - mouth[1]) / mm + rise
    u = dx * np.cos(turn) + dy * np.sin(turn) + 128
    v = -dx * np.sin(turn) + dy * np.cos(turn)
    palm = _smooth_max([0.55 * _tube(u, v, joints) for joints in BACK], 5.0)
    fingers = [_tube(u, v, joints) for joints in FINGERS]
    height = _smooth_max([palm, *(f - 4 for f in fingers)], 3.0)
    height = np.maximum(height, _smooth_max([height, _tube(u, v, THUMB) - 5], 2.5))
    tendons = sum(
        np.exp(-(((v - _along(u, f)) / 4) ** 2)) * smoothstep(25, 85, u) * smoothstep(104, 92, u) for f in FINGERS
    )
    knuckles = sum(np.exp(-(((u - f[0][0] + 3) / 9) ** 2 + ((v - f[0][1]) / 7) ** 2)) for f in FINGERS)
    cover = smoothstep(-4.6, -4.0, height)
    relief = gaussian_filter(np.maximum(height, -5) + 1.0 * tendons + 1.6 * knuckles + _creases(u, v), 0.8 * mm)
    relief = relief + 0.015 * noise(np.random.default_rng(3), 1.4)
    light = 0.30 + 0.80 * lambert(relief * mm, (-0.25, -0.55, 1.0))
    hollow = smoothstep(0, 7, gaussian_filter(np.maximum(height, -6), 5 * mm) - height)
    skin = _skin(head)
    tone = skin * (light * (1 - 0.45 * hollow))[..., None] ** np.array([0.95, 1.03, 1.05])
    blush = knuckles * 0.16 + sum(np.exp(-(((u - f[-1][0]) ** 2 + (v - f[-1][1]) ** 2) / 130)) for f in FINGERS) * 0.14
    tone = (
        tone
        * (1 - blush[..., None] * np.array([0.1, 0.75, 0.7]))
        * (1 + 0.03 * noise(np.random.default_rng(4), 9))[..., None]
    )
    for finger in (*FINGERS, THUMB):
        nail, shine = _nail(u, v, finger)
        pale = skin * np.array([1.20, 1.08, 1.08]) * (0.45 + 0.62 * light)[..., None] + 0.16 * shine[..., None]
        rim = nail * (1 - nail) * 4
        tone = over(tone * (1 - 0.3 * rim)[..., None], pale, 0.6 * nail)
    arm = _tube(u, v, ((-160, 3, 40.0), (CUFF, 1, 35.0))) * 0.6
    cloth = smoothstep(-0.5, 0.5, arm + 4) * smoothstep(CUFF + 1.0, CUFF - 1.0, u + 0.004 * v * v)
    woven = 0.35 + 0.75 * lambert(
        gaussian_filter(arm * mm, 3) + 3 * noise(np.random.default_rng(5), (16, 30)), (-0.25, -0.55, 1.0)
    )
    rib = 1 - 0.25 * np.exp(-(((u - CUFF + 14) / 1.2) ** 2)) + 0.03 * np.sin(v * 2.2) * (u > CUFF - 14)
    tone = over(tone, to_linear(np.array(sleeve)) * (woven * rib)[..., None], cloth)
    cover = np.maximum(cover, cloth)
    drop = shift(gaussian_filter(cover, 3.5 * mm), (4 * mm, 2 * mm), order=1, mode="nearest")
    contact = gaussian_filter(cover, 1.2 * mm)
    shaded = picture * (1 - (0.5 * drop + 0.25 * contact) * (1 - cover))[..., None]
    return over(shaded, tone, gaussian_filter(cover, 0.9))


def _tube(u: np.ndarray, v: np.ndarray, joints: tuple[tuple[float, float, float], ...]) -> np.ndarray:
    """Height (mm) of a tapered round chain through `joints`, lying on a table.

    Outside it is negative and falls with the distance.
    """
    best = np.full(u.shape, -99.0)
    for (ax, ay, ar), (bx, by, br) in pairwise(joints):
        dx, dy = bx - ax, by - ay
        t = np.clip(((u - ax) * dx + (v - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        radius = ar + t * (br - ar)
        away = np.hypot(u - ax - t * dx, v - ay - t * dy)
        inside = np.sqrt(np.maximum(radius**2 - away**2, 0))
        best = np.maximum(best, np.where(away < radius, inside, radius - away))
    return best


def _smooth_max(heights: list[np.ndarray], width: float) -> np.ndarray:
    """Maximum of `heights` with rounded seams about `width` mm wide (log-sum-exp)."""
    stack = np.stack(heights) / width
    top = stack.max(0)
    return width * (top + np.log(np.exp(stack - top).sum(0))) - width * np.log(len(heights)) * np.exp(-np.abs(top))


def _along(u: np.ndarray, finger: tuple[tuple[float, float, float], ...]) -> np.ndarray:
    """Where the tendon of `finger` runs at `u`: straight from the wrist to its knuckle, mm."""
    return finger[0][1] * np.clip(u / finger[0][0], 0, 1)


def _creases(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Small folds over the finger joints, mm of height."""
    total = np.zeros_like(u)
    for finger in FINGERS:
        for (x, y, r), depth in zip(finger[1:3], (0.55, 0.3), strict=True):
            across = np.exp(-(((v - y) / (0.75 * r)) ** 2))
            for offset in (-3.2, -0.4, 2.2):
                total -= depth * across * np.exp(-(((u - x - offset - 0.02 * (v - y) ** 2) / 0.8) ** 2))
            total += 1.1 * across * np.exp(-(((u - x) / 6) ** 2))
    return total


def _nail(
    u: np.ndarray, v: np.ndarray, finger: tuple[tuple[float, float, float], ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Cover of the nail of `finger` and of its highlight."""
    (ax, ay, _), (bx, by, r) = finger[-2:]
    along = np.array([bx - ax, by - ay]) / np.hypot(bx - ax, by - ay)
    p = (u - bx) * along[0] + (v - by) * along[1] + 0.5
    q = -(u - bx) * along[1] + (v - by) * along[0]
    size = (np.abs(p / (0.95 * r)) ** 2.6 + np.abs(q / (0.70 * r)) ** 2.6) ** (1 / 2.6)
    shine = np.exp(-((q + 0.2 * r) ** 2) / 2.5) * smoothstep(0.8, 0.3, np.abs(p) / r)
    return smoothstep(1.08, 0.94, size), shine * smoothstep(1.0, 0.8, size)


def _skin(head: Head) -> np.ndarray:
    """The head's skin as linear light (3,): the median over the cheeks and the forehead."""
    x, y = head.points[[164, 165, 168, 169, 75, 77]].astype(int).T
    return np.median(head.colour[y, x], axis=0) * 0.95
