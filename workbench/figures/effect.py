"""Where each landmark goes under a change, with means over facial parts beside the face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain.captions import compose, number
from workbench.explain.effects import by_part, effect_facts, visible_times
from workbench.explain.why_captions import EFFECT
from workbench.figures import marks, palette, style
from workbench.figures.canvas import HAIR, SOFT, Box, Canvas, Panel
from workbench.figures.legends import face_scale
from workbench.figures.relations import FACE_BOX, sheet_title
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.effects import EffectReading

HEAD, WIDTH = 8.0, 2.0
"""Of an arrow: its head's length and its line's width in pixels."""
_COLUMNS = (200.0, 270.0, 350.0, 440.0)
"""Right edges of the table's columns."""
_ROW = 30.0


def effect(reading: EffectReading, landmark: int | None = None, times: int | None = None) -> go.Figure:
    """An arrow from the plain answer of each landmark to the changed one, over the face.

    Args:
        reading: from ``effects.ask``.
        landmark: which one is singled out.
        times: by what arrows are lengthened; None takes what can be seen.

    Raises:
        TraceError: there is no such landmark.
    """
    moved = reading.effect.displacement
    times = times or visible_times(reading)
    if landmark is not None:
        landmark = check_index("landmark", landmark, len(moved))
    caption = compose(EFFECT, effect_facts(reading, times))
    boxes = [FACE_BOX, Box(style.SIDE, style.FACE + style.LEGEND)]
    canvas = Canvas(f"What if, {sheet_title(reading)}", caption, boxes)
    panel = canvas.panels[0]
    before = reading.plain.points() * style.FACE
    tips = before + times * (reading.points() * style.FACE - before)
    marks.photograph(panel, reading, veil=style.DIM)
    marks.outline(panel, before, reading.scheme, alpha=0.35, width=1, colour="#FFFFFF")
    top = float(moved.max()) or 1.0
    for i in np.argsort(moved, kind="stable"):
        _arrow(panel, before[i], tips[i], palette.to_hex(palette.sample(palette.ARROWS, moved[i] / top)))
    said = [f"<br>moved by {number(v)} px" for v in moved]
    radii = [4.4 if i == landmark else 2.0 for i in range(len(moved))]
    panel.dots(before, palette.landmark_colours(reading.scheme), radii, rim=palette.alpha("#FFFFFF", 0.8),
               words=marks.point_words(reading.plain, said), data=np.arange(len(moved)))  # fmt: skip
    if landmark is not None:
        marks.tag(panel, f"{reading.scheme.label(landmark)} · {landmark}", before[landmark], style.FACE, style.FACE)
    face_scale(panel, palette.ARROWS, 0.0, top, "px of the photograph")
    _table(canvas.panels[1], reading)
    return canvas.figure()


def _arrow(panel: Panel, start: np.ndarray, end: np.ndarray, colour: str) -> None:
    """A straight arrow; ``drawArrow`` in draw.js without a bend is the same."""
    way = end - start
    long = float(np.linalg.norm(way))
    if long < 0.5:
        return
    ux, uy = way / long
    size = min(HEAD, 0.6 * long)
    panel.polyline(np.array([start, end - 0.8 * size * way / long]), colour=colour, width=WIDTH)
    base, aside = end - size * way / long, 0.45 * size * np.array([uy, -ux])
    panel.polyline(np.array([end, base + aside, base - aside]), close=True, fill=colour, colour=colour, width=WIDTH)


def _table(panel: Panel, reading: EffectReading) -> None:
    """Means over facial parts: pixels, percent, and what becomes of sigma."""
    rows = by_part(reading)
    panel.text(0, 0, "How far landmarks move, by part", size=13, bold=True, middle="top")
    told = any(row.sigma is not None for row in rows)
    titles = ("mean px", "most px", "% of eyes", "Δσ, px" if told else "")
    for right, title in zip(_COLUMNS, titles, strict=True):
        panel.text(right, 30, title, colour=SOFT, anchor="right", middle="top")
    for k, row in enumerate(rows):
        y = 54 + _ROW * k
        panel.rect(0, y, _COLUMNS[-1], 1, fill=HAIR)
        name = "all landmarks" if row.part == "all" else palette.PART_NAMES[row.part]
        if row.part != "all":
            panel.circle((6, y + _ROW / 2), 5, fill=palette.shade(row.part))
        panel.text(18, y + _ROW / 2, name, size=12, bold=row.part == "all")
        for right, value in zip(_COLUMNS, (row.mean, row.most, row.percent, row.sigma), strict=True):
            if value is not None:
                panel.text(right, y + _ROW / 2, number(round(value, 3)), size=12, anchor="right")
