"""Turn, tilt and light an average head through a depth map made from its dense points.

Depth grows away from the viewer and is measured in canvas px, like x and y. The dense points are
MediaPipe's 478; they end at the ears, so skull, ears and neck are added as anchors on a rounded head.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.ndimage import gaussian_filter, grey_closing, grey_opening, map_coordinates, zoom

from tools.portraits.average import CANVAS, OUTLINE, SCALE, Head, flow_outwards, smoothstep

STEP = 4  # px between the nodes of the depth grid
CHIN, TEMPLES = 152, (234, 454)  # MediaPipe's numbers
COLLAR = (129, 145, 157, 183, 184)  # WebMorph: chin and neck, by which clothes are hung
HAIRLINE, RIM_OF_EARS = range(134, 145), (115, 116, 117, 118, 120, 121, 122, 123)  # WebMorph's numbers


def rotate_points(points: np.ndarray, yaw: float | np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    """`points` (..., 3) turned about the upright axis through (x, depth) = `centre`.

    `yaw` in degrees, positive towards the right edge of the image; broadcasts against the points.
    Orthographic.
    """
    angle = np.deg2rad(yaw)
    x, z = points[..., 0] - centre[0], points[..., 2] - centre[1]
    turned = (centre[0] + x * np.cos(angle) - z * np.sin(angle), points[..., 1])
    return np.stack([*turned, centre[1] + x * np.sin(angle) + z * np.cos(angle)], -1)


def depth_map(head: Head) -> np.ndarray:
    """Depth of the head's surface at every canvas pixel, (C, C)."""
    p, mesh = head.points, head.dense
    ears = float(mesh[list(TEMPLES), 2].mean()) + 10 * SCALE
    back = ears + 7 * SCALE
    anchors = [np.column_stack([p[list(RIM_OF_EARS)], np.full(len(RIM_OF_EARS), ears + 9 * SCALE)])]
    hairline = np.column_stack([p[list(HAIRLINE)], _nearest_depth(mesh, p[list(HAIRLINE)])])
    outline = p[np.linspace(OUTLINE[2], OUTLINE[-3], len(hairline)).round().astype(int)]
    for t in (0.2, 0.4, 0.6, 0.8, 0.92, 1.0, 1.15):
        rise = 1 - np.sqrt(max(0.0, 1 - t * t))
        flat = hairline[:, :2] + t * (outline - hairline[:, :2])
        anchors.append(np.column_stack([flat, hairline[:, 2] + rise * (back - hairline[:, 2])]))
    neck = float(mesh[CHIN, 2]) + 36 * SCALE
    for y in (p[[145, 157], 1].mean(), CANVAS):
        sides = [[p[145, 0], y, ears], [p[157, 0], y, ears]]
        front = [[x, max(y, p[183, 1]), neck] for x in p[[183, 184], 0]]
        anchors.append(np.array(sides + front))
    edge = [(x, y, back) for x in (-STEP, CANVAS + STEP) for y in (-STEP, CANVAS / 2, CANVAS + STEP)]
    known = np.vstack([mesh, *anchors, np.array(edge)])
    axis = np.arange(0, CANVAS + STEP, STEP, dtype=float)
    coarse = LinearNDInterpolator(known[:, :2], known[:, 2], fill_value=back)(*np.meshgrid(axis, axis))
    smooth = gaussian_filter(coarse, 2.2)
    return map_coordinates(smooth, np.indices((CANVAS, CANVAS)) / STEP, order=1)


def _nearest_depth(mesh: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Depth of the mesh point (478, 3) nearest to each of `points` (N, 2)."""
    return mesh[np.linalg.norm(mesh[None, :, :2] - points[:, None], axis=-1).argmin(1), 2]


def turn(head: Head, yaw: float) -> Head:
    """`head` turned by `yaw` degrees, positive to the right edge of the image.

    The neck follows a third of the way. Turning about an upright axis keeps every pixel in its row, so the
    surface is drawn row by row: each piece between two neighbouring pixels lands on an interval, and of all
    pieces over a pixel the nearest is seen.
    """
    depth = depth_map(head)
    centre = (
        float(head.points[[145, 157], 0].mean()),
        float(head.dense[list(TEMPLES), 2].mean()) - 6 * SCALE,
    )
    y, x = np.indices(depth.shape, dtype=float)
    turned = rotate_points(np.stack([x, y, depth], -1), yaw * _follows(head, y), centre)
    move = _recentre(turned, head.alpha)
    source, seen = _nearest_surface(turned[..., 0] - move, turned[..., 2], head.alpha > 0.02)
    at = [y, source]
    colour = np.stack([map_coordinates(head.colour[..., c], at, order=1, mode="nearest") for c in range(3)], -1)
    alpha = map_coordinates(head.alpha, at, order=1, mode="nearest") * seen
    deep = map_coordinates(depth, head.points.T[::-1], order=1, mode="nearest")
    points = np.column_stack([head.points, deep])
    follows = _follows(head, head.points[:, 1])
    follows[list(COLLAR)] = follows.min()
    moved = rotate_points(points, yaw * follows, centre)[:, :2] - (move, 0)
    whole = _fill_behind(alpha, yaw, centre[0])
    return Head(flow_outwards(colour, alpha), whole, moved, rotate_points(head.dense, yaw, centre) - (move, 0, 0))


def _follows(head: Head, y: np.ndarray) -> np.ndarray:
    """How much of a turn or a lean is taken part in at height `y`: 1 on the face, 0.3 at the collar."""
    chin = head.dense[CHIN, 1]
    return 1 - 0.7 * smoothstep(chin, chin + 30 * SCALE, y)


def _fill_behind(alpha: np.ndarray, yaw: float, middle: float) -> np.ndarray:
    """Cover (C, C) without what a flat photograph gets wrong when turned.

    Near side: hollows behind the ear are closed, since nape and back of the head were not in the
    photograph. Far side: small bumps (the tip of a hidden ear or sideburn) are opened away.
    """
    small = zoom(alpha, 0.25, order=1)
    y, x = np.mgrid[-9:10, -9:10]
    closed = zoom(grey_closing(small, footprint=x * x + y * y <= 81), 4, order=1)
    opened = zoom(grey_opening(small, footprint=x * x + y * y <= 49), 4, order=1)
    opened = smoothstep(0.05, 0.45, gaussian_filter(opened, 4))  # a little wider: only bumps go, the edge stays
    away = -np.sign(yaw) * (np.arange(CANVAS) - middle)
    much = smoothstep(0, 10, np.abs(yaw))
    near, far = smoothstep(0, 10 * SCALE, away) * much, smoothstep(0, 10 * SCALE, -away) * much
    return np.maximum(alpha, closed * near) * (1 - far) + np.minimum(alpha, opened) * far


def _recentre(turned: np.ndarray, alpha: np.ndarray) -> float:
    """A third of the way (px) that the head's middle has left the canvas' middle.

    Taking it back keeps the neck over the shoulders.
    """
    rows = slice(CANVAS // 5, CANVAS // 2)
    covered = turned[rows, :, 0][alpha[rows] > 0.5]
    return float((np.percentile(covered, 1) + np.percentile(covered, 99)) / 2 - CANVAS / 2) / 3


def _nearest_surface(x: np.ndarray, z: np.ndarray, solid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel the source column seen there and whether any is: two (C, C) arrays.

    `x`, `z` (C, C): where each source pixel lands and how deep; pieces between pixels that are not `solid`
    are void.
    """
    height, width = x.shape
    rows = np.arange(height)
    nearest, source = np.full((height, width), np.inf), np.zeros((height, width))
    for i in range(width - 1):
        a, b = x[:, i], x[:, i + 1]
        low = np.ceil(np.minimum(a, b)).astype(int)
        for k in range(int(np.ceil(np.abs(b - a).max())) + 1):
            column = low + k
            t = (column - a) / np.where(np.abs(b - a) < 1e-9, 1e-9, b - a)
            depth = z[:, i] + t * (z[:, i + 1] - z[:, i])
            inside = (t >= 0) & (t <= 1) & (column >= 0) & (column < width) & (solid[:, i] | solid[:, i + 1])
            r, c = rows[inside], column[inside]
            closer = depth[inside] < nearest[r, c]
            r, c = r[closer], c[closer]
            nearest[r, c] = depth[inside][closer]
            source[r, c] = i + t[inside][closer]
    return source, np.isfinite(nearest)


def tilt(head: Head, degrees: float) -> Head:
    """`head` leaning in the image plane, bent at the neck, its shoulders at rest.

    Positive `degrees` lean the crown to the right edge of the image.
    """
    pivot = np.array([head.points[[145, 157], 0].mean(), head.points[[183, 184], 1].mean() + 8 * SCALE])
    y, x = np.indices(head.alpha.shape, dtype=float)
    chin = head.dense[CHIN, 1]
    angle = -np.deg2rad(degrees) * smoothstep(pivot[1] + 12 * SCALE, chin - 12 * SCALE, y)
    dx, dy = x - pivot[0], y - pivot[1]
    at = [
        pivot[1] + dx * np.sin(angle) + dy * np.cos(angle),
        pivot[0] + dx * np.cos(angle) - dy * np.sin(angle),
    ]
    colour = np.stack([map_coordinates(head.colour[..., c], at, order=1, mode="nearest") for c in range(3)], -1)
    alpha = map_coordinates(head.alpha, at, order=1, mode="constant")
    back = np.deg2rad(degrees)
    spin = np.array([[np.cos(back), -np.sin(back)], [np.sin(back), np.cos(back)]])
    dense = head.dense.copy()
    dense[:, :2] = (head.dense[:, :2] - pivot) @ spin.T + pivot
    points = (head.points - pivot) @ spin.T + pivot
    points[list(COLLAR)] = head.points[list(COLLAR)]
    return Head(colour, alpha, points, dense)


def lambert(height: np.ndarray, light: tuple[float, float, float]) -> np.ndarray:
    """Cosine, at least 0, between the normals of a height field and the light.

    `height` (H, W) in px towards the viewer, `light` (x, y, towards the viewer) of any length.
    """
    gy, gx = np.gradient(height)
    direction = np.array(light) / np.linalg.norm(light)
    dot = -gx * direction[0] - gy * direction[1] + direction[2]
    return np.maximum(dot / np.sqrt(1 + gx**2 + gy**2), 0)


def side_light(head: Head, strength: float = 0.9) -> Head:
    """`head` lit by one strong lamp from image left; the far side keeps a tenth of its light.

    Shadows are cast.
    """
    small = zoom(-depth_map(head), 0.5, order=1)
    lit = lambert(gaussian_filter(small, 4.0), (-1.0, -0.25, 0.22))
    blocked = np.zeros_like(small)
    for s in range(2, 120, 3):
        ahead = np.pad(small, ((0, 0), (s, 0)), mode="edge")[:, : small.shape[1]]
        blocked = np.maximum(blocked, smoothstep(0, 14, ahead - small - 0.45 * s))
    gain = 0.10 + 1.75 * gaussian_filter(lit * (1 - 0.7 * blocked), 4.0)
    full = zoom(gain, 2, order=1)[..., None] * np.array([1.04, 1.0, 0.95])
    return replace(head, colour=head.colour * (1 - strength + strength * full))
