"""N x N matrices whose rows and columns are ordered by facial part."""

from __future__ import annotations

import numpy as np

from workbench.explain import order_by_part
from workbench.figures import palette
from workbench.figures.canvas import SOFT, Panel
from workbench.figures.legends import brackets
from workbench.landmarks import Scheme
from workbench.tracing import check_index

RIM = 34
"""Left of and above a matrix: part colours and names, "query" and "key"."""
_BLACK, _WHITE = "#000000", "#FFFFFF"


def part_matrix(
    panel: Panel, values: np.ndarray, scheme: Scheme, colours: str, span: tuple[float, float], hover: str, *,
    rim: float = RIM, side: float | None = None, ground: str | None = palette.HIDDEN,
) -> None:  # fmt: skip
    """Draw (N, N) values with part colours and names along the top and the left.

    Args:
        values: NaN is left out and shows the ground.
        colours: a map of the palette; ``span`` are the values of its ends.
        hover: Plotly template; ``customdata`` holds row and column landmark, ``z`` the value.
        side: of the matrix in pixels; the panel's width without the rim by default.
    """
    side = panel.width - rim if side is None else side
    order = order_by_part(scheme)
    index, step = order.index, side / scheme.count
    rows, columns = np.meshgrid(index, index, indexing="ij")
    if ground:
        panel.rect(rim, rim, side, side, fill=ground, layer="below")
    panel.add(
        type="heatmap", z=values[np.ix_(index, index)], customdata=np.stack([rows, columns], -1).astype(np.int16),
        x0=rim + step / 2, dx=step, y0=rim + step / 2, dy=step, colorscale=palette.colourscale(colours),
        zmin=span[0], zmax=span[1], showscale=False, hovertemplate=hover + "<extra></extra>", hoverinfo="z",
    )  # fmt: skip
    brackets(panel, order, rim, rim, side)


def query_and_key(panel: Panel) -> None:
    """Says which way rows and columns of an attention matrix run."""
    panel.text(RIM, 0, "key →", colour=SOFT, middle="top")
    panel.text(0, RIM, "← query", colour=SOFT, middle="top", turned=True)


def frame(panel: Panel, scheme: Scheme, landmark: int, column: bool = False) -> None:
    """A frame around a landmark's row, or column, of a matrix that fills the panel, with a mark at its head.

    Raises:
        TraceError: there is no such landmark.
    """
    side = panel.width - RIM
    step = side / scheme.count
    at = RIM + rank_of(scheme, landmark) * step
    for colour, width in ((_BLACK, 3.0), (_WHITE, 1.3)):
        x, y, w, h = float(RIM), at - 0.75, side - 0.75, step + 1.5
        if column:
            x, y, w, h = y, x, h, w
        panel.rect(x, y, w, h, line=width, colour=colour, layer="above")
    middle = at + step / 2
    head = np.array([[RIM - 1, middle], [RIM - 8, middle - 4.5], [RIM - 8, middle + 4.5]])
    panel.polyline(head[:, ::-1] if column else head, close=True, fill=palette.INK, layer="above")


def rank_of(scheme: Scheme, landmark: int) -> int:
    """The row of a landmark. Raises TraceError: there is no such landmark."""
    index = order_by_part(scheme).index
    return int(np.flatnonzero(index == check_index("landmark", landmark, scheme.count))[0])
