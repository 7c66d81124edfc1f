"""Shapes to start a drawing from: parts of a face, spectacles, a mask, make-up, a dense set and a lattice.

Each is made from 68 points of the plane at hand, so it fits any model that has learned those; the parts keep their
origin, so that they are anchors still. Conventions that a model has not learned are placed by their mean shapes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from workbench.landmarks.drawing import Drawing, Look
from workbench.landmarks.geometry import affine, apply
from workbench.landmarks.scheme import Group, user_scheme
from workbench.landmarks.schemes import get_scheme

LATTICE_SIDE = 10
_MEANS = Path(__file__).with_name("means.json")
_LIPS, _BLUSH, _SHADOW, _FRAME, _MASK = "#c2334d", "#e58a8a", "#7a5ea8", "#2f3b52", "#7fb8d6"

Piece = tuple[str, np.ndarray, bool, Look]
"""A polyline: name, points (n, 2), whether it is closed, its look."""


def library(guide: Drawing, known: Sequence[str] = ()) -> dict[str, tuple[str, Drawing]]:
    """Shapes by name, each with its kind ("conventions", "parts" or "shapes").

    Args:
        guide: 68 points on the plane; of any other convention there is the lattice alone.
        known: conventions that the model has learned, which are left out.
    """
    out: dict[str, tuple[str, Drawing]] = {}
    if guide.scheme.name == "ibug68":
        face = guide.points
        for name, drawing in _conventions(face).items():
            if name not in known:
                out[name] = ("conventions", drawing)
        out |= {name: ("parts", _part(guide, groups, name)) for name, groups in _PARTS.items()}
        out |= {name: ("shapes", _drawing(name, make(face))) for name, make in _SHAPES.items()}
    out[f"{LATTICE_SIDE} x {LATTICE_SIDE} lattice"] = ("shapes", _lattice())
    return out


_PARTS: dict[str, tuple[str, ...]] = {
    "both eyes": ("image-left eye", "image-right eye"),
    "both brows": ("image-left brow", "image-right brow"),
    "lips": ("outer lip", "inner lip"),
    "nose": ("nose bridge", "nose base"),
    "jaw line": ("jaw",),
}


def _part(guide: Drawing, names: tuple[str, ...], title: str) -> Drawing:
    groups = [g for g in guide.scheme.groups if g.name in names]
    index = list(dict.fromkeys(i for g in groups for i in g.indices))
    place = {i: k for k, i in enumerate(index)}
    own = [Group(g.name, g.part, tuple(place[i] for i in g.indices), g.closed) for g in groups]
    scheme = user_scheme(title, len(index), groups=own, labels=tuple(guide.scheme.label(i) for i in index))
    return Drawing(scheme, guide.points[index], guide.template, tuple(index))


def along(line: np.ndarray, count: int, closed: bool = False) -> np.ndarray:
    """(count, 2) at equal distances along a polyline (n, 2); of a closed one the first is not repeated."""
    path = np.concatenate([line, line[:1]]) if closed else np.asarray(line, float)
    ends = np.concatenate([[0.0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()])
    at = np.linspace(0, ends[-1], count, endpoint=not closed)
    return np.stack([np.interp(at, ends, path[:, k]) for k in (0, 1)], 1)


def _oval(centre: np.ndarray, across: np.ndarray, down: np.ndarray, count: int, power: float = 2.0) -> np.ndarray:
    """A (super-)ellipse with half axes ``across`` and ``down``."""
    turn = np.linspace(0, 2 * np.pi, 16 * count, endpoint=False)
    c, s = np.cos(turn), np.sin(turn)
    u, v = (np.sign(t) * np.abs(t) ** (2 / power) for t in (c, s))
    return along(centre + u[:, None] * across + v[:, None] * down, count, closed=True)


def _axes(face: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Both eye centres, the way from one to the other, and as long a way downwards."""
    left, right = face[36:42].mean(0), face[42:48].mean(0)
    across = right - left
    return left, right, across, np.array([-across[1], across[0]])


def _glasses(face: np.ndarray) -> list[Piece]:
    left, right, across, down = _axes(face)
    look = Look(_FRAME)
    drop = 0.06 * down
    lens = [_oval(eye + drop, 0.4 * across, 0.31 * down, 20, 2.8) for eye in (left, right)]
    bridge = np.stack([left + drop + 0.4 * across, (left + right) / 2 - 0.06 * down, right + drop - 0.4 * across])
    arms = [
        np.stack([left + drop - 0.4 * across - 0.06 * down, face[0] - 0.04 * across]),
        np.stack([right + drop + 0.4 * across - 0.06 * down, face[16] + 0.04 * across]),
    ]
    return [
        ("image-left lens", lens[0], True, look),
        ("image-right lens", lens[1], True, look),
        ("bridge", along(bridge, 5), False, look),
        ("image-left temple", along(arms[0], 4), False, look),
        ("image-right temple", along(arms[1], 4), False, look),
    ]


def _mask(face: np.ndarray) -> list[Piece]:
    top = np.stack([face[14], 0.5 * (face[46] + face[14]), face[28], 0.5 * (face[41] + face[2]), face[2]])
    return [("mask", along(np.concatenate([face[2:15], top[1:4]]), 40, closed=True), True, Look(_MASK, True))]


def _make_up(face: np.ndarray) -> list[Piece]:
    _, _, across, down = _axes(face)
    out: list[Piece] = [("lipstick", along(face[48:60], 28, closed=True), True, Look(_LIPS, True))]
    for side, jaw, wing, eye, brow in (
        ("image-left", 2, 31, face[36:40], face[17:22]),
        ("image-right", 14, 35, face[42:46], face[22:27]),
    ):
        cheek = 0.5 * (face[jaw] + face[wing]) - 0.05 * down
        blush = _oval(cheek, 0.24 * across, 0.17 * down, 16)
        upper = 0.45 * along(brow, 8) + 0.55 * along(eye, 8)
        shadow = np.concatenate([along(eye, 8), upper[::-1]])
        out.append((f"{side} blush", blush, True, Look(_BLUSH, True)))
        out.append((f"{side} eye shadow", shadow, True, Look(_SHADOW, True)))
    return out


def _dense(face: np.ndarray) -> list[Piece]:
    """314 points: every line of the 68 finely, both cheeks and the forehead as nets."""
    *_, down = _axes(face)
    plain = Look()
    out: list[Piece] = [
        ("jaw", along(face[:17], 57), False, plain),
        ("image-left brow", along(face[17:22], 20), False, plain),
        ("image-right brow", along(face[22:27], 20), False, plain),
        ("nose bridge", along(face[27:31], 16), False, plain),
        ("nose base", along(face[31:36], 20), False, plain),
        ("image-left eye", along(face[36:42], 28, closed=True), True, plain),
        ("image-right eye", along(face[42:48], 28, closed=True), True, plain),
        ("outer lip", along(face[48:60], 44, closed=True), True, plain),
        ("inner lip", along(face[60:68], 32, closed=True), True, plain),
    ]
    for side, jaw, wing, corner in (("image-left", (2, 4), 31, 41), ("image-right", (14, 12), 35, 46)):
        outer = along(face[np.linspace(*jaw, 3).astype(int)], 4)
        inner = along(np.stack([face[corner] + 0.12 * down, face[wing] + 0.25 * down]), 4)
        for k, t in enumerate((0.2, 0.5, 0.8)):
            row = (1 - t) * outer + t * inner
            out.append((f"{side} cheek {k + 1}", along(row, (5, 5, 4)[k]), False, plain))
    brows = np.concatenate([face[17:22], face[22:27]])
    for k, t in enumerate((0.15, 0.3, 0.45)):
        row = along(brows - t * down, 7)
        out.append((f"forehead {k + 1}", row, False, plain))
    return out


_SHAPES = {"spectacles": _glasses, "mask outline": _mask, "make-up": _make_up, "dense 314": _dense}


def _drawing(name: str, pieces: list[Piece]) -> Drawing:
    groups, labels, first = [], [], 0
    for title, points, closed, _ in pieces:
        n = len(points)
        part = next((g.part for g in get_scheme("ibug68").groups if g.name == title), "other")
        groups.append(Group(title, part, tuple(range(first, first + n)), closed))
        labels += [f"{title} {k + 1} of {n}" for k in range(n)]
        first += n
    points = np.concatenate([piece[1] for piece in pieces])
    scheme = user_scheme(name, first, groups=groups, labels=labels)
    return Drawing(scheme, points, looks=tuple(look for *_, look in pieces))


def _lattice(side: int = LATTICE_SIDE) -> Drawing:
    ends = np.linspace(0.05, 0.95, side)
    points = np.stack(np.meshgrid(ends, ends), -1).reshape(-1, 2)
    groups = [Group(f"row {k + 1}", "other", tuple(range(k * side, (k + 1) * side))) for k in range(side)]
    return Drawing(user_scheme(f"{side} x {side} lattice", side * side, groups=groups), points)


def _conventions(face: np.ndarray) -> dict[str, Drawing]:
    """Conventions placed on a plane by 68 points of it: 19 from those themselves, others by their mean shapes."""
    eye = [face[36:42].mean(0), face[42:48].mean(0)]
    mouth = 0.5 * (face[62] + face[66])
    index = [17, 19, 21, 22, 24, 26, 36, eye[0], 39, 42, eye[1], 45, 31, 30, 35, 48, mouth, 54, 8]
    nineteen = np.stack([face[i] if isinstance(i, int) else i for i in index])
    out = {"aflw19": Drawing(get_scheme("aflw19"), nineteen)}
    for name, mean in _means().items():
        out[name] = Drawing(get_scheme(name), place(mean["points"], mean["ibug68"], face))
    return out


def place(points: np.ndarray, own: np.ndarray, plane: np.ndarray) -> np.ndarray:
    """Points (P, 2) carried onto the plane by the affine map of least squares that takes ``own`` (68, 2), a face in
    the same unit, onto ``plane`` (68, 2) (thesis 6.3, the zero-shot test)."""
    return apply(affine(own, plane), points)


@cache
def _means() -> dict[str, dict[str, np.ndarray]]:
    raw = json.loads(_MEANS.read_text(encoding="utf-8"))
    return {name: {key: np.array(entry[key]) for key in ("points", "ibug68")} for name, entry in raw.items()}
