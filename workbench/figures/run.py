"""Drawings of a whole run as SVG: the CED, errors by landmark on the mean face, coverage, single faces as points."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from workbench.figures import palette
from workbench.landmarks import Scheme

Series = Sequence[tuple[str, np.ndarray, np.ndarray]]
_LEFT, _BOTTOM, _RIGHT, _TOP = 52, 40, 14, 12
_COLOURS = (palette.ACCENT, palette.PART_COLOURS["outer_lip"], palette.PART_COLOURS["eyes"], palette.MUTED)


def chart(
    series: Series,
    across: str,
    up: str,
    limits: tuple[float, float],
    size: tuple[int, int] = (460, 300),
    said: str = "",
) -> str:
    """Lines over [0, limits[0]] x [0, limits[1]].

    Args:
        series: (name, x, y); with one there is no legend.
        across, up: what the axes are, with units.
        said: the drawing in words.
    """
    wide, tall = size
    w, h = wide - _LEFT - _RIGHT, tall - _TOP - _BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        return _LEFT + w * x / limits[0], _TOP + h * (1 - y / limits[1])

    parts = [_open(wide, tall, said or f"{up} over {across}")]
    for i in range(6):
        x, y = limits[0] * i / 5, limits[1] * i / 5
        (px, _), (_, py) = at(x, 0), at(0, y)
        parts.append(f'<path d="M{px:.1f} {_TOP}V{_TOP + h}M{_LEFT} {py:.1f}H{_LEFT + w}" stroke="{palette.FAINT}"/>')
        parts.append(_text(px, _TOP + h + 16, f"{x:.3g}", "middle"))
        parts.append(_text(_LEFT - 7, py + 4, f"{y:.3g}", "end"))
    for (name, xs, ys), colour in zip(series, _COLOURS, strict=False):
        path = "L".join(
            f"{px:.1f} {py:.1f}" for px, py in (at(float(x), float(y)) for x, y in zip(xs, ys, strict=True))
        )
        parts.append(
            f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"><title>{_safe(name)}</title></path>'
        )
    if len(series) > 1:
        for i, ((name, _, _), colour) in enumerate(zip(series, _COLOURS, strict=False)):
            y = _TOP + h - 14 - 17 * (len(series) - 1 - i)
            parts.append(f'<path d="M{_LEFT + w - 150} {y - 4}h18" stroke="{colour}" stroke-width="3"/>')
            parts.append(_text(_LEFT + w - 126, y, name))
    parts.append(_text(_LEFT + w / 2, tall - 6, across, "middle", palette.MUTED))
    middle = _TOP + h / 2
    parts.append(
        f'<text x="13" y="{middle}" text-anchor="middle" fill="{palette.MUTED}" transform="rotate(-90 13 {middle})">'
        f"{_safe(up)}</text></svg>"
    )
    return "".join(parts)


def mean_face(shape: np.ndarray, errors: np.ndarray, scheme: Scheme, size: int = 360) -> str:
    """Each landmark's mean error as the area of a disc on the mean face.

    Args:
        shape: (N, 2) mean of the labels in [0, 1] of the crop.
        errors: (N,) in per cent of the normaliser, NaN where no face has the point.
    """
    most = float(np.nanmax(errors))
    parts = [_open(size, size, f"Mean error of every landmark, at most {most:.2f} %"), _lines(shape, scheme, size)]
    for i, ((x, y), error) in enumerate(zip(shape * size, errors, strict=True)):
        if np.isfinite(error):
            colour = palette.to_hex(palette.sample(palette.ELSEWHERE, error / most))
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{11 * np.sqrt(error / most):.2f}" fill="{colour}" '
                f'fill-opacity="0.9"><title>{_safe(scheme.label(i))}: {error:.2f} %</title></circle>'
            )
    return "".join([*parts, "</svg>"])


def face(truth: np.ndarray, points: np.ndarray, scheme: Scheme, words: str, picture: str = "", size: int = 170) -> str:
    """One face: labels as a line drawing, answers as dots with a line to their label.

    Args:
        truth, points: (N, 2) in [0, 1] of the crop; NaN labels are left out.
        words: the drawing in words.
        picture: a data address to lie below, or "".
    """
    parts = [_open(size, size, words)]
    ink = palette.INK
    if picture:
        parts.append(f'<image href="{picture}" width="{size}" height="{size}"/>')
        ink = "#FFFFFF"
    parts.append(_lines(truth, scheme, size, ink))
    colours = palette.landmark_colours(scheme)
    for (x, y), (u, v), colour in zip(truth * size, points * size, colours, strict=True):
        if np.isfinite(x) and np.isfinite(u):
            parts.append(f'<path d="M{x:.1f} {y:.1f}L{u:.1f} {v:.1f}" stroke="{colour}"/>')
            parts.append(f'<circle cx="{u:.1f}" cy="{v:.1f}" r="2" fill="{colour}"/>')
    return "".join([*parts, "</svg>"])


def _lines(shape: np.ndarray, scheme: Scheme, size: int, colour: str = palette.INK) -> str:
    """The scheme's polylines, broken at points without a place."""
    out = []
    for path in scheme.polylines():
        pen = "M"
        for x, y in shape[list(path)] * size:
            if not np.isfinite(x):
                pen = "M"
                continue
            out.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
    return f'<path d="{"".join(out)}" fill="none" stroke="{colour}" stroke-opacity="0.45"/>'


def _open(wide: int, tall: int, said: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}" '
        f'role="img" aria-label="{_safe(said)}" font-family="system-ui, sans-serif" font-size="11" '
        f'fill="{palette.INK}">'
    )


def _text(x: float, y: float, words: str, anchor: str = "start", colour: str = palette.INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{_safe(words)}</text>'


def _safe(words: str) -> str:
    return html.escape(words, quote=True)
