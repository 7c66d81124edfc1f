"""A drawing on the face plane and what was found of it, side by side."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from workbench.explain.caption_tables import SHAPE
from workbench.explain.captions import compose
from workbench.figures import marks, palette
from workbench.figures.canvas import Box, Canvas
from workbench.figures.relations import sheet_title
from workbench.landmarks import Drawing
from workbench.shaping import shape_facts

if TYPE_CHECKING:
    from workbench.shaping import ShapeReading

OWN = "#F0E442"
"""Colour of points that no facial part claims: the one of Okabe and Ito's palette that no part has."""
FILL = 0.38
"""How much of a filled outline covers what lies below."""
_EDGE = 0.06
_SIDE = 520


def shape(reading: ShapeReading, numbers: bool | None = None) -> go.Figure:
    """The drawing on the plane, over the mean face, and its points found on the crop; equal numbers belong together.

    Args:
        reading: from ``find_shape``.
        numbers: write every point's index beside it; by default up to 30 points.
    """
    drawing, points = reading.drawing, reading.drawing.points
    numbers = len(points) <= 30 if numbers is None else numbers
    boxes = [Box(_SIDE, _SIDE, "Face plane"), Box(_SIDE, _SIDE, "Found on the photograph")]
    canvas = Canvas(f"Shape, {sheet_title(reading)}", compose(SHAPE, shape_facts(reading)), boxes)
    plane, photo = canvas.panels
    low = min(0.0, float(points.min())) - _EDGE
    scale = _SIDE / (max(1.0, float(points.max())) + _EDGE - low)
    if reading.plane:
        guide = reading.plane[0]
        placed = (guide.points - low) * scale
        marks.outline(plane, placed, guide.scheme, alpha=1, width=1.4, colour=palette.FAINT)
        plane.dots(placed, palette.FAINT, 2, rim_width=0)
    plane.rect((0.0 - low) * scale, (0.0 - low) * scale, scale, scale, line=1, colour=palette.FAINT)
    marks.photograph(photo, reading, _SIDE)
    colours = drawing_colours(drawing, reading.plane)
    for panel, places in ((plane, (points - low) * scale), (photo, reading.points() * _SIDE)):
        own = None if drawing.template else OWN
        marks.outline(panel, places, drawing.scheme, alpha=1, width=1.8, colour=own)
        names = [
            f"<b>{i}</b> {escape(drawing.scheme.label(i))}<br>plane {x:.3f}, {y:.3f}<br>photo {u:.1f}, {v:.1f} px"
            for i, ((x, y), (u, v)) in enumerate(zip(points, reading.landmarks, strict=True))
        ]
        for k, group in enumerate(drawing.scheme.groups):
            look = drawing.look(k)
            if look.fill and len(group.indices) > 2:
                fill = palette.alpha(look.colour or palette.line_colour(group), FILL)
                panel.polyline(places[list(group.indices)], close=True, fill=fill)
        sure = ~reading.guesses
        kinds = (("circle", reading.trained), ("diamond", ~reading.trained & sure), ("diamond-open", reading.guesses))
        for symbol, chosen in kinds:
            which = chosen.nonzero()[0]
            if len(which):
                shown, words = ([values[i] for i in which] for values in (colours, names))
                panel.dots(places[which], shown, 3.75, rim=palette.INK, words=words, symbol=symbol)
        if numbers:
            ink = palette.INK if panel is plane else palette.NIGHT_INK
            for i, (x, y) in enumerate(places):
                if 0 <= x <= _SIDE and 0 <= y <= _SIDE:
                    panel.text(x + 6, y - 6, str(i), size=9, colour=ink)
    return canvas.figure()


def drawing_colours(drawing: Drawing, plane: tuple[Drawing, ...] = ()) -> list[str]:
    """A colour for every point: that of its landmark in the template, else of its group's part, else :data:`OWN`."""
    template = next((known for known in plane if known.template == drawing.template), None)
    theirs = palette.landmark_colours(template.scheme) if template else []
    out = []
    for part, side, origin in zip(drawing.scheme.part_of, drawing.scheme.side_of, drawing.origin, strict=True):
        colour = theirs[origin] if 0 <= origin < len(theirs) else palette.shade(part, side)
        out.append(OWN if part == "other" and origin < 0 else colour)
    for k in reversed(range(len(drawing.looks))):
        for i in drawing.scheme.groups[k].indices:
            out[i] = drawing.looks[k].colour or out[i]
    return out
