"""N x N heatmaps whose rows and columns are ordered by facial part."""

from __future__ import annotations

import numpy as np

from workbench.explain import order_by_part
from workbench.figures import palette
from workbench.figures.canvas import Canvas
from workbench.landmarks import Scheme
from workbench.tracing import check_index


def part_heatmap(
    canvas: Canvas,
    values: np.ndarray,
    scheme: Scheme,
    colours: str,
    span: tuple[float, float],
    unit: str,
    hover: str,
    *,
    column: int = 0,
    mark: int | None = None,
    mark_column: bool = False,
    names: tuple[str, str] | None = None,
    bar: bool = True,
) -> None:
    """Draw (N, N) values with part separators, part bars along both sides and a colour bar in true units.

    Args:
        canvas: a panel of free axes with room at its left for part names.
        colours: a map of the palette; ``span`` are the values of its ends.
        unit: title of the colour bar.
        hover: Plotly template; ``customdata`` holds row and column landmark, ``z`` the value.
        mark: landmark whose row, or with ``mark_column`` whose column, is framed.
        names: what rows and columns are.
    """
    order = order_by_part(scheme)
    count, index = scheme.count, order.index
    rows, columns = np.meshgrid(index, index, indexing="ij")
    colourbar = {
        "title": {"text": unit, "font": {"size": 11}}, "thickness": 10, "outlinewidth": 0, "x": 1.02, "xpad": 0,
        "len": 1, "tickfont": {"size": 10, "color": palette.MUTED},
    }  # fmt: skip
    canvas.add(
        column, type="heatmap", z=values[np.ix_(index, index)].astype(np.float32),
        customdata=np.stack([rows, columns], -1).astype(np.int16), colorscale=palette.colourscale(colours),
        zmin=span[0], zmax=span[1], showscale=bar, colorbar=colourbar if bar else None,
        hovertemplate=hover + "<extra></extra>", hoverinfo="z",
    )  # fmt: skip
    thick, edge = 0.014 * count, -0.5
    canvas.axes(column, (edge - 2 * thick, count - 0.5), (count - 0.5, edge - 2 * thick))
    for k, part in enumerate(order.parts):
        first, last = order.starts[k] - 0.5, order.starts[k + 1] - 0.5
        fill = {"fillcolor": palette.PART_COLOURS[part], "line": {"width": 0}}
        inset = 0.12
        canvas.shape("rect", edge - 1.6 * thick, first + inset, edge - 0.5 * thick, last - inset, column, **fill)
        canvas.shape("rect", first + inset, edge - 1.6 * thick, last - inset, edge - 0.5 * thick, column, **fill)
        if k:
            white = {"line": {"color": palette.alpha("#FFFFFF", 0.85), "width": 0.8}}
            canvas.shape("line", first, edge, first, count - 0.5, column, **white)
            canvas.shape("line", edge, first, count - 0.5, first, column, **white)
        if column == 0:
            canvas.text(edge - 2.4 * thick, order.middle(k), palette.PART_NAMES[part], column, size=11, anchor="right")
    if names:
        canvas.text(count / 2, count - 0.5 + 1.6 * thick, names[1], column, size=11, anchor="center",
                    middle="top", colour=palette.MUTED)  # fmt: skip
        canvas.text(edge - 2.4 * thick, edge - thick, names[0], column, size=11, anchor="right", colour=palette.MUTED)
    if mark is not None:
        row = int(np.flatnonzero(index == check_index("landmark", mark, count))[0])
        frame = {"line": {"color": palette.PART_COLOURS["outer_lip"], "width": 2}}
        along, across = (edge, count - 0.5), (row - 0.5, row + 0.5)
        (x0, x1), (y0, y1) = (across, along) if mark_column else (along, across)
        canvas.shape("rect", x0, y0, x1, y1, column, **frame)
