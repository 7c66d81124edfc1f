"""What an occluder does to the relations: which weights, and which landmarks, gain attention and which lose it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain.caption_tables import RELATION_CHANGE
from workbench.explain.captions import compose
from workbench.explain.facts import Facts
from workbench.figures import marks, palette, style
from workbench.figures.canvas import Canvas
from workbench.figures.legends import scale_bar
from workbench.figures.relations import FACE_BOX, sheet_title

if TYPE_CHECKING:
    from workbench.explain import RelationChange
    from workbench.reading import Reading


def relation_change(change: RelationChange, reading: Reading, plain: Reading) -> go.Figure:
    """The weights that changed most as lines, and each landmark coloured by the change of the mean weight on it.

    Both scales are centred on zero: red gained, blue lost.

    Args:
        change: from ``explain.relation_change``.
        reading, plain: the same face and model with and without the occluder; the photograph is the covered one, the
            landmarks are the uncovered answer.
    """
    points, scheme = plain.points() * style.FACE, plain.scheme
    most = float(np.abs(change.change).max(initial=0.0)) or 1.0
    reach = float(np.abs(change.received).max(initial=0.0)) or 1.0
    facts: Facts = {"map": change.caption, "count": len(change.edges), "most": most, "reach": reach,
             "covered": int(change.covered.sum())}  # fmt: skip
    canvas = Canvas(f"Change of the relations, {sheet_title(reading)}", compose(RELATION_CHANGE, facts), [FACE_BOX])
    panel = canvas.panels[0]
    marks.photograph(panel, reading, veil=style.DIM)
    marks.outline(panel, points, scheme, alpha=0.5, width=1)
    for at in np.argsort(np.abs(change.change), kind="stable"):
        query, key = change.edges[at]
        value = float(change.change[at])
        width = float(style.line_width(abs(value), most))
        if query == key:
            panel.circle(points[query], 7 + width / 2, line=width, colour=_colour(value, most))
        else:
            marks.arrow(panel, points[query], points[key], colour=_colour(value, most), width=width)
    words = marks.point_words(plain, [f"<br>mean weight on it {value:+.2g}" for value in change.received])
    for symbol, chosen in (("circle", ~change.covered), ("square", change.covered)):
        which = np.flatnonzero(chosen)
        if len(which):
            colours = [_colour(float(change.received[i]), reach) for i in which]
            panel.dots(points[which], colours, 4.5, words=[words[i] for i in which], symbol=symbol, data=which)
    y, half = style.FACE + style.LEGEND - 25, (style.FACE - 56) / 2
    for x, end, wedge, text in (
        (18.0, most, style.WIDTH[1], "lines: change of a weight"),
        (38 + half, reach, 0.0, "dots: change of the mean weight on a landmark"),
    ):
        scale_bar(panel, x, y, half, palette.DIVERGING, -end, end, text, wedge=wedge, ink=palette.NIGHT_INK,
                  soft=palette.NIGHT_MUTED, above=True)  # fmt: skip
    return canvas.figure()


def _colour(value: float, reach: float) -> str:
    return palette.to_hex(palette.sample(palette.DIVERGING, 0.5 + value / reach / 2))
