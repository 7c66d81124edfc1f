"""An attribution over the face with what each facial part has of it, and the checks of a map."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain.captions import compose
from workbench.explain.why_captions import ATTRIBUTION
from workbench.figures import palette, style
from workbench.figures.canvas import HAIR, SOFT, Box, Canvas, Panel
from workbench.figures.inside import OPACITY, draw_map, span_of
from workbench.figures.relations import FACE_BOX, sheet_title

if TYPE_CHECKING:
    from workbench.attribution import Agreement, Attribution, AttributionReading, Curves, Randomised

MOST = 0.99
"""Share of the cells whose absolute values the colours of scale "most" hold."""
ROW, TOP, BAR, AFTER = 46, 44, 13, 66
"""Of the bars beside the face, in pixels: from row to row, above the first, their height, and right of the longest."""
UNIT = {
    "displacement": "px that it moves",
    "x": "px of its x",
    "y": "px of its y",
    "log_sigma": "log of its sigma",
}
_LINES = {"this map": (palette.ACCENT, "solid"), "nearness": ("#D55E00", "dash"), "random": ("#7F868F", "dot")}
_CHART = (270.0, 220.0)
_SIDES = {"deletion": "covered", "insertion": "shown"}
_NAMES = {"attribution": "this map", "attention": "attention", "edit": "edit", "nearness": "nearness"}


def attribution(
    reading: AttributionReading, landmark: int | None = None, opacity: float = OPACITY, scale: str | None = None
) -> go.Figure:
    """The map of one landmark over the face, and what each part has of it.

    Args:
        landmark: which one, of those that were attributed; the chosen one by default.
        scale: "max", colours reach to the largest value, or "most", to the 99th percentile of the absolute values; by
            default "most" for maps of single pixels.

    Raises:
        TraceError: nothing was attributed for it.
    """
    found = reading.shown(landmark)
    scale = scale or scale_of(found)
    low, high, colours = span_of(found.map)
    if scale == "most":
        ordered = np.sort(np.abs(found.map), axis=None)
        top = float(ordered[int(MOST * (ordered.size - 1))])
        low, high = (-top if low < 0 else 0.0, top) if top > 0 else (low, high)
    boxes = [FACE_BOX, Box(style.SIDE, style.FACE + style.LEGEND)]
    caption = compose(ATTRIBUTION, found.facts(low, high, scale == "most"))
    canvas = Canvas(f"{found.how.title}, {sheet_title(reading)}", caption, boxes)
    draw_map(canvas.panels[0], reading, found.map, (low, high, colours), opacity, unit_words(found))
    at = reading.points()[found.landmark] * style.FACE
    for radius, line in ((7.0, 2.0), (11.0, 1.2)):
        canvas.panels[0].circle(at, radius, line=line, colour="#FFFFFF", layer="above")
    _parts(canvas.panels[1], found)
    return canvas.figure()


def scale_of(found: Attribution) -> str:
    """How far the colours of a map reach unless something else is asked for."""
    return "most" if found.how.slopes and found.map.size > 32**2 else "max"


def unit_words(found: Attribution) -> str:
    """What the legend of a map says."""
    unit = UNIT[found.target]
    return f"{unit} for RGB from 0 to 1" if found.how.slopes and not found.how.filled else unit


def parts_title(found: Attribution) -> str:
    """What the bars beside a map are."""
    return f"{found.how.value.capitalize()}, {UNIT[found.target]}" if found.how.parts else "Mean of the absolute map"


def _parts(panel: Panel, found: Attribution) -> None:
    """A bar a part; ``drawParts`` in attribution_drawing.js is the same."""
    panel.text(0, 0, parts_title(found), size=13, bold=True, middle="top", most=panel.width)
    panel.text(0, 18, "of each part of the crop", size=11, colour=SOFT, middle="top")
    low, high = min(0.0, float(found.values.min())), max(0.0, float(found.values.max()))
    long = panel.width - AFTER
    zero = -low / (high - low or 1.0) * long
    for k, (name, kind, value) in enumerate(zip(found.parts.names, found.parts.kinds, found.values, strict=True)):
        y = TOP + ROW * k
        panel.text(0, y, name, size=12, middle="top")
        panel.rect(0, y + 17, long, BAR, fill=HAIR)
        wide = abs(float(value)) / (high - low or 1.0) * long
        panel.rect(zero if value >= 0 else zero - wide, y + 17, wide, BAR, fill=palette.shade(kind))
        panel.rect(zero - 0.5, y + 14, 1, BAR + 6, fill=SOFT)
        panel.text(long + 8, y + 17 + BAR / 2, style.number(value), size=12)


def attribution_check(
    curves: Curves | None = None,
    agreement: Agreement | None = None,
    randomised: Randomised | None = None,
    side: str = "",
    words: bool = True,
) -> go.Figure:
    """Deletion and insertion curves with their baselines, agreement with other rankings, and scrambled weights: what
    is given, side by side.

    Args:
        side: "deletion" or "insertion", that curve alone.
        words: whether the captions stand below, which a page may show itself.
    """
    boxes: list[Box] = []
    wide, tall = _CHART
    if curves is not None:
        boxes += [Box(wide, tall + 38, name.capitalize()) for name in _SIDES if side in ("", name)]
    if agreement is not None:
        boxes.append(Box(wide, tall + 38, "Rank agreement"))
    if randomised is not None:
        boxes.append(Box(wide, tall + 38, "Scrambled weights"))
    said = [one.caption for one in (curves, agreement, randomised) if one is not None and words]
    title = "Does the map hold?"
    if len(boxes) == 1 and not words:
        title, boxes = boxes[0].title, [replace(boxes[0], title="")]
    canvas = Canvas(title, " ".join(said), boxes)
    panels = iter(canvas.panels)
    if curves is not None:
        top = max(float(v.max()) for side in (curves.deletion, curves.insertion) for v in side.values()) or 1.0
        for name in _SIDES:
            if side not in ("", name):
                continue
            panel, done, lines = next(panels), _SIDES[name], getattr(curves, name)
            _frame(panel, 0.0, top, f"share of the crop {done}", f"change of the answer, {curves.unit}")
            low, high = (_line(panel, curves.fractions, row, 0.0, top) for row in curves.spread[name])
            panel.polyline(np.concatenate([low, high[::-1]]), close=True, fill=palette.alpha("#7F868F", 0.2))
            for order, values in lines.items():
                colour, dash = _LINES[order]
                pairs = zip(curves.fractions, values, strict=True)
                at = _line(panel, curves.fractions, values, 0.0, top)
                panel.polyline(at, colour=colour, width=2.2, dash=dash)
                panel.dots(
                    at, colour, 2.6, rim_width=0, words=[f"{order}<br>{f:.0%}: {style.number(v)}" for f, v in pairs]
                )
            _key(panel, _LEFT + 8 if name == "deletion" else _CHART[0] - 6)
    if agreement is not None:
        _agreement(next(panels), agreement)
    if randomised is not None:
        panel = next(panels)
        floor = min(0.0, float(np.nanmin(randomised.correlation)))
        _frame(panel, floor, 1.0, "share of the layers scrambled", "rank correlation with the map")
        kept = np.isfinite(randomised.correlation)
        at = _line(panel, randomised.shares[kept], randomised.correlation[kept], floor, 1.0)
        panel.polyline(at, colour=palette.ACCENT, width=2.2)
        reached = [name for name, there in zip(randomised.reached, kept, strict=True) if there]
        told = [f"{style.number(v)}<br>{name or 'whole'}"
                 for v, name in zip(randomised.correlation[kept], reached, strict=True)]  # fmt: skip
        panel.dots(at, palette.ACCENT, 3.5, rim_width=0, words=told)
    return canvas.figure()


_LEFT = 44.0


def _line(panel: Panel, x: np.ndarray, y: np.ndarray, low: float, high: float) -> np.ndarray:
    wide, tall = _CHART
    return np.stack([_LEFT + x * (wide - _LEFT - 6), tall - (y - low) / (high - low) * (tall - 22)], 1)


def _frame(panel: Panel, low: float, high: float, under: str, beside: str) -> None:
    wide, tall = _CHART
    for value in style.ticks(low, high, 4):
        y = tall - (value - low) / (high - low) * (tall - 22)
        panel.rect(_LEFT, y - 0.5, wide - _LEFT - 6, 1, fill=HAIR)
        panel.text(_LEFT - 6, y, style.number(value), colour=SOFT, anchor="right")
    for share in (0.0, 0.5, 1.0):
        x = _LEFT + share * (wide - _LEFT - 6)
        panel.text(x, tall + 5, f"{share:.0%}", colour=SOFT, anchor="center", middle="top")
    panel.text(_LEFT, tall + 22, under, colour=SOFT, middle="top")
    panel.text(0, 0, beside, colour=SOFT, middle="top")


def _key(panel: Panel, edge: float) -> None:
    """What the lines are, where they leave room: right of an edge in the left half, else left of it."""
    left = edge < _CHART[0] / 2
    for row, (name, (colour, dash)) in enumerate(_LINES.items()):
        y = 32 + 15.0 * row
        start = edge if left else edge - style.text_width(name, 11) - 30
        panel.polyline(np.array([[start, y], [start + 24, y]]), colour=colour, width=2.2, dash=dash)
        panel.text(start + 30, y, name, colour=SOFT)


def _agreement(panel: Panel, found: Agreement) -> None:
    """Rank correlations above, shared first ones below the diagonal."""
    count = len(found.names)
    left, top = 74.0, 40.0
    cell = (_CHART[0] - left) / max(count, 3)
    panel.text(0, 0, f"upper: Spearman · lower: shared first {found.top}", colour=SOFT, middle="top")
    for k, name in enumerate(found.names):
        panel.text(left - 8, top + (k + 0.5) * cell, _NAMES[name], anchor="right", most=left - 8)
        panel.text(left + (k + 0.5) * cell, top - 10, _NAMES[name], size=10, anchor="center", most=cell - 2)
    for r in range(count):
        for c in range(count):
            x, y = left + c * cell, top + r * cell
            if r == c:
                panel.rect(x, y, cell - 2, cell - 2, fill=HAIR)
                continue
            value = float(found.spearman[r, c] if c > r else found.overlap[r, c])
            share = (value + 1) / 2 if c > r else value
            name = palette.DIVERGING if c > r else palette.ELSEWHERE
            paint = palette.to_hex(palette.sample(name, share))
            dark = sum(palette.rgb(paint)) < 380
            panel.rect(x, y, cell - 2, cell - 2, fill=paint)
            words = f"{value:.2f}" if c > r else f"{value:.0%}"
            ink = "#FFFFFF" if dark else palette.INK
            panel.text(x + cell / 2 - 1, y + cell / 2 - 1, words, size=12, colour=ink, anchor="center")
    panel.text(left, top + max(count, 3) * cell + 6, f"by chance {found.chance:.0%} shared", colour=SOFT, middle="top")
