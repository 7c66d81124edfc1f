"""A drawing on the face plane and what was found of it, side by side."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from workbench.figures import palette
from workbench.figures.canvas import Canvas
from workbench.landmarks import Drawing

if TYPE_CHECKING:
    from workbench.shaping import ShapeReading

OWN = "#F0E442"
"""Colour of points that no facial part claims: the one of Okabe and Ito's palette that no part has."""
_EDGE = 0.06


def shape(reading: ShapeReading, numbers: bool | None = None) -> go.Figure:
    """The drawing on the plane, over the mean face, and its points found on the crop; equal numbers belong together.

    Args:
        reading: from ``find_shape``.
        numbers: write every point's index beside it; by default up to 30 points.
    """
    drawing, size = reading.drawing, reading.input_size
    points = drawing.points
    numbers = len(points) <= 30 if numbers is None else numbers
    canvas = Canvas("Shape", shape_caption(reading), columns=2, width=520, size=size, heads=True)
    low = min(0.0, float(points.min())) - _EDGE
    high = max(1.0, float(points.max())) + _EDGE
    scale = size / (high - low)
    canvas.head(0, "Face plane")
    canvas.head(1, "Found on the photograph")
    if reading.plane:
        guide = reading.plane[0]
        placed = (guide.points - low) * scale
        canvas.face(placed, guide.scheme, palette.FAINT, 1.4)
        canvas.dots(placed, palette.FAINT, 4)
    corner = [(v - low) * scale for v in (0.0, 1.0)]
    canvas.shape("rect", corner[0], corner[0], corner[1], corner[1], line={"color": palette.FAINT, "width": 1})
    canvas.photo(reading, 1)
    found = reading.points() * size
    colours = drawing_colours(drawing, reading.plane)
    for column, places in enumerate(((points - low) * scale, found)):
        canvas.face(places, drawing.scheme, None if drawing.template else OWN, 1.8, column)
        names = [
            f"<b>{i}</b> {escape(drawing.scheme.label(i))}<br>plane {x:.3f}, {y:.3f}<br>photo {u:.1f}, {v:.1f} px"
            for i, ((x, y), (u, v)) in enumerate(zip(points, reading.landmarks, strict=True))
        ]
        for symbol, chosen in (("circle", reading.trained), ("diamond", ~reading.trained)):
            marker = {"symbol": symbol, "line": {"color": palette.INK, "width": 0.8}}
            which = chosen.nonzero()[0]
            if len(which):
                shown = [[values[i] for i in which] for values in (colours, names)]
                canvas.dots(places[which], shown[0], 7.5, column, hovertext=shown[1], marker=marker)
        if numbers:
            ink = palette.NIGHT_INK if column else palette.INK
            for i, (x, y) in enumerate(places):
                if 0 <= x <= size and 0 <= y <= size:
                    canvas.text(x + 6 * canvas.unit, y - 6 * canvas.unit, str(i), column, 9, ink)
    return canvas.figure()


def drawing_colours(drawing: Drawing, plane: tuple[Drawing, ...] = ()) -> list[str]:
    """A colour for every point: that of its landmark in the template, else of its group's part, else :data:`OWN`."""
    template = next((known for known in plane if known.template == drawing.template), None)
    theirs = palette.landmark_colours(template.scheme) if template else []
    out = []
    for part, side, origin in zip(drawing.scheme.part_of, drawing.scheme.side_of, drawing.origin, strict=True):
        colour = theirs[origin] if 0 <= origin < len(theirs) else palette.shade(part, side)
        out.append(OWN if part == "other" and origin < 0 else colour)
    return out


def shape_caption(reading: ShapeReading) -> str:
    """What was asked of which checkpoint, on which plane, and what of it was never trained."""
    drawing, total = reading.drawing, reading.drawing.scheme.count
    off = reading.zero_shot
    if off:
        zero = (
            f"{off} of {total} points (diamonds) lie off every trained convention and are found zero-shot: "
            "nothing was measured for them"
        )
    else:
        zero = f"all {total} points are anchors that were trained"
    plane = reading.plane[0] if reading.plane else None
    anchors = f"{plane.scheme.count} anchors of {plane.template}, after the alignment embedding" if plane else "empty"
    checkpoint = str(reading.trace.meta.get("checkpoint", ""))[:8]
    return (
        f"prompter.points → alignment.landmarks · {escape(drawing.scheme.name)} by {reading.model_name}"
        f"{f' (weights {checkpoint})' if checkpoint else ''} · plane in grey: {anchors} · {zero} · "
        f"in the {reading.input_size} px crop, nothing smoothed"
    )
