"""A landmark graph on the face (SCC): edges of a layer, departures from 1 / degree, relations to the neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain.captions import compose
from workbench.explain.graph import MODES, REFERENCES, Graph, arrow_factor, graph_facts, one_of
from workbench.explain.graph import graph as find
from workbench.explain.structure import order_by_part
from workbench.explain.system_captions import GRAPH
from workbench.figures import marks, palette, style
from workbench.figures.board import bars
from workbench.figures.canvas import SOFT, Box, Canvas, Panel
from workbench.figures.legends import face_scale, weight_scale
from workbench.figures.relations import FACE_BOX, sheet_title
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

LEARNED, HERE = "#E69F00", "#0072B2"
_TEXT = {
    "face": "edge weight, line width and colour",
    "learned": "learned edge weight, line width and colour",
    "change": "weight on this face less learned",
    "even": "weight on this face less 1 / degree",
}


def graph(
    reading: Reading,
    layer: int = -1,
    landmark: int | None = None,
    *,
    show: str = "edges",
    mode: str = "face",
    step: int = -1,
    reference: str = "",
    truth: np.ndarray | None = None,
) -> go.Figure:
    """The graph on the face and, beside it, the layers' departures from 1 / degree and |P S - P S*|.

    Args:
        layer: whose edges are drawn, zero-based, negative from the end.
        landmark: the lines of this one alone.
        show: "edges", "moves" (how far a step moved each node) or "residuals" (P S - P S*).
        mode: "face", "learned", "change" (this face less learned) or "even" (this face less 1 / degree).
        step: after which step of the network the nodes are drawn.
        reference: what S* is, see ``explain.graph.REFERENCES``; the first there is for "".
        truth: (N, 2) labels in [0, 1] of the crop, where they are known.

    Raises:
        TraceError: the trace holds no landmark graph, or there is no such layer, step, mode,
            reference or landmark.
    """
    found = find(reading, truth)
    one_of("view of a graph", show, ("edges", "moves", "residuals"))
    one_of("kind of edges", mode, MODES)
    one_of("reference", reference, ("", *found.references))
    check_index("layer", layer, len(found.layers))
    check_index("step", step, len(found.steps))
    reference = reference or next(iter(found.references))
    vectors = found.residual(step, reference) if show == "residuals" else found.moves()[step]
    every = (
        found.moves() if show == "moves" else np.stack([found.residual(k, reference) for k in range(len(found.steps))])
    )
    factor, top = arrow_factor(every), found.top[mode]
    facts = graph_facts(
        reading, found, show=show, layer=layer, mode=mode, step=step, reference=reference, top=top, arrows=factor,
        landmark=landmark,
    )  # fmt: skip
    canvas = Canvas(sheet_title(reading), compose(GRAPH, facts), [FACE_BOX, Box(style.SIDE, style.FACE)])
    face, side = canvas.panels
    points = found.steps[step] * style.FACE
    marks.photograph(face, reading, veil=style.DIM)
    marks.outline(face, points, reading.scheme, alpha=0.4, width=1, colour="#FFFFFF")
    if show == "edges":
        _edges(face, found, points, layer, mode, landmark, top)
    else:
        shift = vectors * style.FACE * factor
        start = points - shift if show == "moves" else points
        for begin, move in zip(start, shift, strict=True):
            marks.arrow(face, begin, begin + move, colour="#FFFFFF", width=1.6, bend=0, head=5.6)
        longer = f" · arrows {style.number(factor)} times as long as they are" if factor > 1 else ""
        words = f"after: {found.names[step]}{longer}"
        face.text(18, style.FACE + style.LEGEND / 2, words, colour=palette.NIGHT_MUTED)
    face.dots(points, palette.landmark_colours(reading.scheme), 2.4, rim=marks.LIGHT_RIM,
              words=marks.point_words(reading), data=np.arange(reading.scheme.count))  # fmt: skip
    _departures(side, found)
    _residuals(side, reading, found, step, reference)
    return canvas.figure()


def _edges(
    panel: Panel, found: Graph, points: np.ndarray, layer: int, mode: str, landmark: int | None, top: float
) -> None:
    """The lines of a layer, weakest first, by weight or on a scale about zero."""
    weights, signed = found.edges(layer, mode), mode in ("change", "even")
    rows, columns = np.nonzero(found.linked & ~np.eye(len(weights), dtype=bool))
    if landmark is not None:
        rows, columns = rows[rows == landmark], columns[rows == landmark]
    for k in np.argsort(np.abs(weights[rows, columns]), kind="stable"):
        i, j, weight = rows[k], columns[k], float(weights[rows[k], columns[k]])
        share = 0.5 + weight / (2 * top) if signed else min(1.0, weight / top)
        colour = palette.to_hex(palette.sample(palette.DIVERGING if signed else palette.OVER_PHOTO, share))
        marks.arrow(panel, points[i], points[j], colour=colour, width=float(style.line_width(abs(weight), top)))
    if signed:
        face_scale(panel, palette.DIVERGING, -top, top, _TEXT[mode])
    else:
        weight_scale(panel, top, _TEXT[mode])


def _departures(panel: Panel, found: Graph) -> None:
    panel.text(0, 0, "How far edges depart from 1 / degree, layer by layer", size=13, bold=True, middle="top")
    pairs = [found.departure(found.learned), found.departure(found.weights)]
    most = max(float(values.max()) for values in pairs)
    width, step = panel.width - 50, (panel.width - 50) / len(found.layers)
    for at, (values, colour, name) in enumerate(zip(pairs, (LEARNED, HERE), ("learned", "on this face"), strict=True)):
        for k, value in enumerate(values):
            tall = 180 * float(value) / (most or 1)
            panel.rect(46 + k * step + at * 0.36 * step, 216 - tall, 0.33 * step, tall, fill=colour)
        panel.rect(46 + 130 * at, 244, 10, 10, fill=colour)
        panel.text(62 + 130 * at, 249, name, colour=SOFT)
    for value in style.ticks(0, most, 4):
        panel.text(40, 216 - 180 * value / (most or 1), style.number(value), colour=SOFT, anchor="right")
    for k in range(len(found.layers)):
        panel.text(46 + (k + 0.36) * step, 227, str(k + 1), colour=SOFT, anchor="center")
    panel.text(46 + width, 249, "mean |weight × degree - 1|", colour=SOFT, anchor="right")


def _residuals(panel: Panel, reading: Reading, found: Graph, step: int, reference: str) -> None:
    if found.relative is None:
        return
    order = order_by_part(reading.scheme).index
    values = np.linalg.norm(found.residual(step, reference), axis=1) * reading.input_size
    words = f"|P S - P S*| in px, mean {style.number(values.mean())}; S*: {REFERENCES[reference]}"
    panel.text(0, 300, words, size=13, bold=True, middle="top", most=panel.width)
    colours = palette.landmark_colours(reading.scheme)
    said = [f"<b>{i}</b> {reading.scheme.label(int(i))}<br>{values[i]:.3f} px" for i in order]
    rows = np.zeros((len(order), len(order)))
    rows[np.arange(len(order)), np.arange(len(order))] = values[order]
    bars(
        panel, rows, 46, 330, panel.width - 50, 200, [colours[i] for i in order], said, top=float(values.max()) or 1.0
    )
