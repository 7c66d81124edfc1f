"""All heads of all layers at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import plotly.graph_objects as go

from workbench.explain import attention_stack, best_edges, largest_weight, order_by_part, relation_kind
from workbench.explain.caption_tables import THUMBNAILS
from workbench.explain.captions import compose
from workbench.figures import marks, palette, style
from workbench.figures.canvas import SOFT, Box, Canvas, Panel, pixels_uri
from workbench.figures.legends import scale_bar
from workbench.figures.relations import sheet_title
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

_GAP, _LEFT, _TOP = 8, 52, 20
_WIDEST = 3.0


def thumbnails(
    reading: Reading,
    kind: str | None = None,
    stage: int = -1,
    show: Literal["faces", "matrices"] = "faces",
) -> go.Figure:
    """All heads of all layers on one common scale, which ends at the largest weight of them all.

    Every cell carries ``customdata`` (layer, head), zero-based, for a click.

    Args:
        show: "faces" draws each landmark's strongest key other than itself on the outline, "matrices" the N x N
            weights.

    Raises:
        TraceError: the reading holds no such attention.
    """
    every = attention_stack(reading, kind)
    stages, layers, heads = every.shape[:3]
    stage = check_index("stage", stage, stages)
    grid, faces = every[stage], show == "faces"
    cell = min(132, 900 // heads)
    width, height = heads * (cell + _GAP) - _GAP, layers * (cell + _GAP) - _GAP
    top = largest_weight(grid, own=not faces)
    facts = {
        "tensor": relation_kind(reading, kind).tensor.replace("{layer}", "*"),
        "stage": stage + 1, "stages": stages, "layers": layers,
        "heads": heads, "faces": faces, "top": top,
    }  # fmt: skip
    box = Box(_LEFT + width, _TOP + height + 44)
    canvas = Canvas(f"Layers and heads, {sheet_title(reading)}", compose(THUMBNAILS, facts), [box])
    panel = canvas.panels[0]
    corners = [(_LEFT + h * (cell + _GAP), _TOP + y * (cell + _GAP)) for y in range(layers) for h in range(heads)]
    draw = _mini_face if faces else _mini_matrix
    for values, (x, y) in zip(grid.reshape(-1, *grid.shape[2:]), corners, strict=True):
        panel.rect(x, y, cell, cell, fill=palette.NIGHT, layer="below")
        draw(panel, reading, values, top, cell, np.array([x, y]))
    for h in range(heads):
        panel.text(corners[h][0] + cell / 2, 6, f"head {h + 1}", colour=SOFT, anchor="center")
    for y in range(layers):
        panel.text(_LEFT - 8, corners[y * heads][1] + cell / 2, f"layer {y + 1}", colour=SOFT, anchor="right")
    names = [(y, h) for y in range(layers) for h in range(heads)]
    panel.add(
        type="scatter", mode="markers", x=[x + cell / 2 for x, _ in corners], y=[y + cell / 2 for _, y in corners],
        marker={"size": cell, "symbol": "square", "opacity": 0, "color": palette.NIGHT}, hoverinfo="text",
        customdata=names, hovertext=[_cell_words(grid[y, h], y, h) for y, h in names],
    )  # fmt: skip
    wedge = _WIDEST if faces else 0.0
    scale_bar(panel, _LEFT, _TOP + height + 18, width, palette.OVER_PHOTO, 0.0, top, "attention weight", wedge=wedge)
    return canvas.figure()


def _mini_face(panel: Panel, reading: Reading, weights: np.ndarray, top: float, cell: int, corner: np.ndarray) -> None:
    points = reading.points()
    low, span = points.min(0), float(np.ptp(points, axis=0).max()) or 1.0
    at = corner + (points - low - np.ptp(points, axis=0) / 2) / span * (cell - 18) + cell / 2
    marks.outline(panel, at, reading.scheme, alpha=0.25, width=0.8, colour="#FFFFFF")
    found = best_edges(weights)
    for k in reversed(range(len(found))):
        start, end, weight = at[found.query[k]], at[found.key[k]], float(found.weight[k])
        width = float(style.line_width(weight, top)) * _WIDEST / style.WIDTH[1]
        marks.arrow(panel, start, end, colour=style.line_colour(weight, top), width=width)


def _mini_matrix(
    panel: Panel, reading: Reading, weights: np.ndarray, top: float, cell: int, corner: np.ndarray
) -> None:
    order = order_by_part(reading.scheme).index
    colours = palette.sample(palette.OVER_PHOTO, weights[np.ix_(order, order)] / top)
    panel.image(pixels_uri(colours.repeat(4, 0).repeat(4, 1)), float(corner[0]), float(corner[1]), cell, cell)


def _cell_words(weights: np.ndarray, layer: int, head: int) -> str:
    own = style.number(float(np.diag(weights).mean()))
    largest = style.number(float(weights.max()))
    return f"layer {layer + 1}, head {head + 1}<br>largest weight {largest}<br>mean weight on itself {own}"
