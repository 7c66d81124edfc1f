"""Who looks at whom: lines on the face, partners, the matrix, and a grid of all heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import plotly.graph_objects as go

from workbench.explain import (
    Relations,
    attention_matrix,
    attention_stack,
    best_edges,
    edges,
    largest_weight,
    order_by_part,
)
from workbench.explain import (
    partners as best_partners,
)
from workbench.figures import palette
from workbench.figures.canvas import Canvas, joined, map_uri, number
from workbench.figures.legends import Steps, draw_weighted, weight_legend
from workbench.figures.matrices import part_heatmap
from workbench.figures.points import DIM

if TYPE_CHECKING:
    from workbench.explain.relations import Direction, Kind, Scale
    from workbench.reading import Reading

_TITLES = {"cross": "Which patches each landmark looks at", "self": "Which landmarks each landmark looks at"}
_BEND = 0.1


def relations(
    reading: Reading,
    kind: Kind = "cross",
    stage: int | None = -1,
    layer: int | None = 0,
    head: int | None = None,
    top_k: int | None = 3,
    threshold: float = 0.0,
    landmark: int | None = None,
    direction: Direction = "query",
    own: bool = False,
    best: bool = False,
    scale: Scale = "map",
) -> go.Figure:
    """Attention as lines over the crop, width and colour by weight.

    Args:
        kind, stage, layer, head: see ``explain.attention_matrix``.
        top_k, threshold, direction: see ``explain.edges``.
        landmark: only this one's lines. The scale stays that of all landmarks, so pictures compare.
        own: draw a landmark's look at itself, as a ring, and count it in the scale.
        best: instead one arrow from each landmark to its strongest key, see ``explain.best_edges``.
        scale: "map" ends at the largest weight of this matrix, "all" at that of all stages, layers and heads.

    Raises:
        TraceError: the reading holds no such attention.
    """
    matrix = attention_matrix(reading, kind, stage, layer, head)
    if best:
        chosen = best_edges(matrix, threshold, landmark, direction)
    else:
        chosen = edges(matrix, top_k, threshold, landmark, own, direction)
    points = (reading.points() if stage is None else reading.points(stage)) * reading.input_size
    top, reach = _reach(reading, matrix, scale, own)
    steps = Steps(top)
    caption = (
        f"{matrix.caption} · {chosen.caption} · {steps.words}{reach} · "
        "a line bends to the left on its way from query to key · photograph dimmed"
    )
    canvas = _dark_face(reading, _TITLES[kind], caption, points)
    itself = chosen.query == chosen.key
    pieces = [bent(points[q], points[k]) for q, k in zip(chosen.query[~itself], chosen.key[~itself], strict=True)]
    draw_weighted(canvas, pieces, chosen.weight[~itself], steps)
    if best:
        _arrow_heads(canvas, pieces, chosen.weight[~itself], steps)
    _rings(canvas, points[chosen.query[itself]], chosen.weight[itself], steps)
    _answering_dots(canvas, reading, matrix, landmark, points)
    weight_legend(canvas, steps, "attention weight")
    return canvas.figure()


def partners(
    reading: Reading,
    kind: Kind = "cross",
    stage: int | None = -1,
    layer: int | None = 0,
    head: int | None = None,
    exclude_self: bool = False,
) -> go.Figure:
    """One arrow from each landmark to the key of its highest weight (thesis Fig. 4.6); a ring for itself.

    Raises:
        TraceError: the reading holds no such attention.
    """
    matrix = attention_matrix(reading, kind, stage, layer, head)
    found = best_partners(matrix, exclude_self)
    points = (reading.points() if stage is None else reading.points(stage)) * reading.input_size
    steps = Steps(float(found.weight.max()), widest=5.0)
    caption = f"{matrix.caption} · {found.caption} · {steps.words} · photograph dimmed"
    canvas = _dark_face(reading, "Each landmark's first partner", caption, points)
    own = np.arange(len(found.key)) == found.key
    pieces = [bent(points[i], points[k]) for i, k in enumerate(found.key) if not own[i]]
    weights = found.weight[~own]
    draw_weighted(canvas, pieces, weights, steps)
    _arrow_heads(canvas, pieces, weights, steps)
    _rings(canvas, points[own], found.weight[own], steps)
    _answering_dots(canvas, reading, matrix, None, points)
    weight_legend(canvas, steps, "attention weight")
    return canvas.figure()


def matrix(
    reading: Reading,
    kind: Kind = "cross",
    stage: int | None = -1,
    layer: int | None = 0,
    head: int | None = None,
    landmark: int | None = None,
    direction: Direction = "query",
    own: bool = True,
    scale: Scale = "map",
) -> go.Figure:
    """The N x N attention matrix, landmarks ordered by facial part.

    Args:
        landmark: frames its row as a query or, by ``direction``, its column as a key.
        own: show the diagonal and count it in the scale.
        scale: see :func:`relations`.

    Raises:
        TraceError: the reading holds no such attention.
    """
    found = attention_matrix(reading, kind, stage, layer, head)
    top, reach = _reach(reading, found, scale, own)
    shown = found.weights if own else np.where(np.eye(len(found.weights), dtype=bool), np.nan, found.weights)
    averaged = found.stage is None or found.layer is None or found.head is None
    softmax = "each row is a mean of softmaxes over its keys" if averaged else "each row is a softmax over its keys"
    caption = (
        f"{found.caption} · {softmax}: it sums to 1 · linear scale from 0 to "
        f"{number(top)}{reach}{'' if own else ' · diagonal hidden'} · landmarks ordered by facial part"
    )
    canvas = Canvas("Attention, query by key", caption, width=520, left=58, right=76, bottom=34)
    part_heatmap(
        canvas, shown, reading.scheme, palette.ELSEWHERE, (0.0, top), "weight",
        "query %{customdata[0]} looks at key %{customdata[1]}<br>weight %{z:.4f}", mark=landmark,
        mark_column=direction == "key", names=("query", "key, in the order of the rows"),
    )  # fmt: skip
    return canvas.figure()


def _reach(reading: Reading, matrix: Relations, scale: Scale, own: bool) -> tuple[float, str]:
    """Where the scale ends, and what the caption says of it."""
    if scale == "all":
        kind: Kind = "self" if matrix.kind == "self" else "cross"
        return largest_weight(attention_stack(reading, kind), own), ", the largest of all maps"
    return largest_weight(matrix.weights, own), ""


def thumbnails(
    reading: Reading,
    kind: Kind = "cross",
    stage: int = -1,
    style: Literal["faces", "matrices"] = "faces",
) -> go.Figure:
    """All heads of all layers at a glance, on one common scale.

    Every cell carries ``customdata`` (layer, head), zero-based, for a click.

    Args:
        style: "faces" draws each landmark's first other partner on the outline; "matrices" the N x N weights.

    Raises:
        TraceError: the reading holds no such attention.
    """
    stack = attention_stack(reading, kind)
    stages, layers, heads = stack.shape[:3]
    stage = attention_matrix(reading, kind, stage, 0, 0).stage or 0
    grid = stack[stage]
    tensor = f"relation.layers.*.{kind} · stage {stage + 1} of {stages} · {layers} layers x {heads} heads"
    cell, gap = min(132, 900 // heads), 8
    width, height = heads * (cell + gap) - gap, layers * (cell + gap) - gap
    draw = _mini_faces if style == "faces" else _mini_matrices
    top, done = _common_scale(grid, style)
    canvas = Canvas(
        "Layers and heads", f"{tensor} · {done}", width=width, height=height, size=width, left=52,
        strip=0 if style == "matrices" else 40, night=True, heads=True, right=70 if style == "matrices" else 0,
    )  # fmt: skip
    canvas.layout["plot_bgcolor"] = palette.PAPER
    corners = [(h * (cell + gap), y * (cell + gap)) for y in range(layers) for h in range(heads)]
    for x, y in corners:
        canvas.shape("rect", x, y, x + cell, y + cell, fillcolor=palette.NIGHT, line={"width": 0}, layer="below")
    draw(canvas, reading, grid, top, cell, corners)
    for h in range(heads):
        canvas.text(h * (cell + gap) + cell / 2, -9, f"head {h + 1}", size=11, anchor="center", colour=palette.MUTED)
    for y in range(layers):
        middle = y * (cell + gap) + cell / 2
        canvas.text(-8, middle, f"layer {y + 1}", size=11, anchor="right", colour=palette.MUTED)
    names = [(y, h) for y in range(layers) for h in range(heads)]
    canvas.add(
        type="scatter", mode="markers", x=[x + cell / 2 for x, _ in corners], y=[y + cell / 2 for _, y in corners],
        marker={"size": cell, "symbol": "square", "opacity": 0, "color": palette.NIGHT}, hoverinfo="text",
        customdata=names, hovertext=[_cell_words(grid[y, h], y, h) for y, h in names],
    )  # fmt: skip
    return canvas.figure()


def bent(start: np.ndarray, end: np.ndarray, points: int = 9) -> np.ndarray:
    """A gentle arc (points, 2) from start to end, to the left as one walks, so that both directions show."""
    along = end - start
    left = np.array([along[1], -along[0]]) * _BEND
    t = np.linspace(0, 1, points)[:, None]
    return start + t * along + 4 * t * (1 - t) * left * 0.5


def _dark_face(reading: Reading, title: str, caption: str, points: np.ndarray) -> Canvas:
    canvas = Canvas(title, caption, size=reading.input_size, strip=48, night=True)
    canvas.photo(reading, opacity=DIM)
    canvas.face(points, reading.scheme, palette.alpha("#FFFFFF", 0.30), 1.0)
    return canvas


def _rings(canvas: Canvas, points: np.ndarray, weights: np.ndarray, steps: Steps) -> None:
    """Landmarks that look at themselves."""
    if len(points):
        rims = [steps.colour(int(s)) for s in steps.of(weights)]
        canvas.dots(points, rims, 15, marker={"symbol": "circle-open", "line": {"width": 2}})


def _answering_dots(
    canvas: Canvas, reading: Reading, matrix: Relations, landmark: int | None, points: np.ndarray
) -> None:
    """Dots by part that list their strongest keys; a chosen one wears a ring."""
    scheme = reading.scheme
    order = np.argsort(-matrix.weights, axis=1, kind="stable")[:, :4]
    words = [
        f"<b>{i}</b> {scheme.label(i)}<br>looks at"
        + "".join(f"<br>{matrix.weights[i, k]:.3f}  {k} {scheme.label(int(k))}" for k in order[i])
        for i in range(scheme.count)
    ]
    canvas.dots(points, palette.landmark_colours(scheme), 6, hovertext=words, customdata=np.arange(scheme.count))
    if landmark is not None:
        ring = {"symbol": "circle-open", "line": {"width": 2.4}}
        canvas.dots(points[[landmark]], palette.NIGHT_INK, 15, marker=ring)


def _arrow_heads(canvas: Canvas, pieces: list[np.ndarray], weights: np.ndarray, steps: Steps) -> None:
    """Triangles near the end of each line, turned along it."""
    if not pieces:
        return
    tips, angles = [], []
    for piece in pieces:
        along = piece[-1] - piece[-2]
        unit = along / max(float(np.hypot(*along)), 1e-9)
        reach = min(7 * canvas.unit, 0.4 * float(np.hypot(*(piece[-1] - piece[0]))))
        tips.append(piece[-1] - unit * reach)
        angles.append(float(np.degrees(np.arctan2(unit[0], -unit[1]))))
    chosen = steps.of(weights)
    marker = {"symbol": "triangle-up", "angle": angles, "line": {"width": 0}}
    sizes = [6 + 0.9 * steps.width(int(s)) for s in chosen]
    canvas.dots(np.array(tips), [steps.colour(int(s)) for s in chosen], 0, marker={**marker, "size": sizes})


def _common_scale(grid: np.ndarray, style: str) -> tuple[float, str]:
    if style == "faces":
        off = grid - np.eye(grid.shape[-1]) * 2
        top = float(off.max())
        return top, f"each landmark's strongest key other than itself · common scale, {Steps(top).words}"
    top = float(np.quantile(grid, 0.995))
    cut = f"weights above {number(top)} (the 0.5% largest) share the last colour"
    return top, f"rows are queries, ordered by facial part · common linear scale from 0; {cut}"


def _mini_faces(
    canvas: Canvas, reading: Reading, grid: np.ndarray, top: float, cell: int, corners: list[tuple[int, int]]
) -> None:
    points = reading.points()
    low, span = points.min(0), float(np.ptp(points, axis=0).max())
    fitted = (points - low - np.ptp(points, axis=0) / 2) / span * (cell - 18) + cell / 2
    outline = [fitted[list(p)] for p in reading.scheme.polylines() if len(p) > 1]
    steps = Steps(top, widest=3.0)
    pieces, weights, faces = [], [], []
    for weights_here, corner in zip(grid.reshape(-1, *grid.shape[2:]), corners, strict=True):
        found = best_partners(weights_here, exclude_self=True)
        at = fitted + np.array(corner)
        faces += [line + np.array(corner) for line in outline]
        pieces += [at[[i, k]] for i, k in enumerate(found.key)]
        weights.append(found.weight)
    canvas.line(joined(faces), palette.alpha("#FFFFFF", 0.25), 0.8)
    draw_weighted(canvas, pieces, np.concatenate(weights), steps)
    night = canvas.size or 0
    tall = canvas.layout["yaxis"]["range"][0]
    canvas.shape("rect", 0, tall - 36, night, tall, fillcolor=palette.NIGHT, line={"width": 0}, layer="below")
    size, canvas.size = canvas.size, tall - 38  # the strip lies below the grid, not below a square
    _grid_legend(canvas, steps, float(size or 0), tall - 18)
    canvas.size = size


def _grid_legend(canvas: Canvas, steps: Steps, width: float, middle: float) -> None:
    canvas.text(10, middle, "attention weight", colour=palette.NIGHT_MUTED)
    each = min(74.0, (width - 126) / steps.count)
    for step in range(steps.count):
        x = 118 + step * each
        canvas.line(np.array([[x, middle - 6], [x + each - 12, middle - 6]]), steps.colour(step), steps.width(step))
        canvas.text(x + (each - 12) / 2, middle + 8, number(steps.middle(step)), size=10, anchor="center")


def _mini_matrices(
    canvas: Canvas, reading: Reading, grid: np.ndarray, top: float, cell: int, corners: list[tuple[int, int]]
) -> None:
    order = order_by_part(reading.scheme).index
    for values, (x, y) in zip(grid.reshape(-1, *grid.shape[2:]), corners, strict=True):
        shares = (values[np.ix_(order, order)] / top).repeat(2, 0).repeat(2, 1)
        canvas.image(map_uri(shares, palette.ELSEWHERE), x, y, cell, cell)
    bar = {"title": {"text": "weight", "font": {"size": 11}}, "thickness": 10, "outlinewidth": 0, "x": 1.02,
           "xpad": 0, "tickfont": {"size": 10, "color": palette.MUTED}}  # fmt: skip
    scale = palette.colourscale(palette.ELSEWHERE)
    canvas.add(
        type="scatter", mode="markers", x=[None], y=[None],
        marker={"color": [0.0], "cmin": 0, "cmax": top, "colorscale": scale, "showscale": True, "colorbar": bar},
    )  # fmt: skip


def _cell_words(weights: np.ndarray, layer: int, head: int) -> str:
    own = float(np.diag(weights).mean())
    return (
        f"layer {layer + 1}, head {head + 1}<br>highest weight {weights.max():.3f}<br>mean weight on itself {own:.3f}"
    )
