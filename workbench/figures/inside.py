"""A recorded tensor as a figure: a map over the crop, lines on the face, bars, or a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import plotly.graph_objects as go

from workbench.explain import edges, largest_weight
from workbench.explain.inside import Map, pick, stack
from workbench.explain.self_attention import attention_from
from workbench.figures import palette
from workbench.figures.canvas import Canvas, map_uri, number
from workbench.figures.legends import Steps, draw_weighted, weight_legend
from workbench.figures.matrices import part_heatmap
from workbench.figures.points import DIM
from workbench.figures.relations import bent

if TYPE_CHECKING:
    from workbench.reading import Reading

OPACITY = 0.7
_LEAST_SIDE = 512


def maps(
    reading: Reading,
    name: str,
    stage: int = -1,
    head: int | None = None,
    item: int | None = None,
    top_k: int | None = 3,
    opacity: float = OPACITY,
    scale: Literal["map", "range", "all"] = "map",
) -> go.Figure:
    """What a reading holds under ``name``, drawn as its axes ask for.

    Args:
        name: key of the trace.
        stage, head, item: see ``explain.maps.pick``.
        top_k: lines of each landmark, for attention between landmarks and for graphs; None for all.
        opacity: of a map over the crop.
        scale: "map" reaches from 0 to the largest value here (see :func:`span_of`); "range" from the least value here,
            for maps over the crop; "all" to the largest of all maps, stages and, for a chosen head, heads.

    Raises:
        TraceError: the reading has no such tensor, stage, head or item.
    """
    held = stack(reading, name)
    found, reach = held.map, ", the largest of all its maps" if scale == "all" else ""
    shown = pick(reading, name, stage, head, item)
    if found.kind in ("landmark_pairs", "graph"):
        whole = pick(reading, name, stage, head).values
        top = largest_weight(held.values if scale == "all" else whole, own=False)
        return _lines(reading, found, whole, shown.caption, item, top_k, (top, reach))
    if found.kind == "bars":
        return _bars(found, shown.values, shown.caption)
    if found.kind == "table":
        return _table(found, shown.values, shown.caption, span_of(held.values) if scale == "all" else None, reach)
    if found.kind in ("boxes", "points"):
        return _places(reading, found, shown.values, shown.caption)
    if shown.values.ndim == 3:  # patches, none chosen
        return _table(found, shown.values.reshape(len(shown.values), -1), shown.caption)
    if scale == "range":
        reach, span = ", the least and the largest here", (*_least_and_largest(shown.values), palette.OVER_PHOTO)
    else:
        every = held.values if head is not None or held.heads == 1 else held.values.mean(1)
        span = span_of(every if scale == "all" else shown.values)
    return over_crop(reading, shown.values, shown.caption, found.words.capitalize(), opacity, span=span, reach=reach)


def _least_and_largest(values: np.ndarray) -> tuple[float, float]:
    least, most = float(values.min()), float(values.max())
    return least, most if most > least else least + (abs(least) or 1.0)


def span_of(values: np.ndarray) -> tuple[float, float, str]:
    """Where the colours begin and end, and the colour map.

    Values count as signed when the least lies below -5 % of the largest: then the scale is centred on zero; otherwise
    it begins at zero, and what little lies below shares the first colour.
    """
    least, most = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    top = max(most, -least) or 1.0
    return (-top, top, palette.DIVERGING) if -least > 0.05 * most else (0.0, top, palette.OVER_PHOTO)


def over_crop(
    reading: Reading,
    values: np.ndarray,
    caption: str,
    title: str,
    opacity: float = OPACITY,
    place: int | None = None,
    span: tuple[float, float, str] | None = None,
    reach: str = "",
) -> go.Figure:
    """A map (h, w) over the crop, cell by cell, with its scale.

    Args:
        place: flat index of a cell to frame, such as the query.
        span: ends and colour map of the scale, :func:`span_of` the values by default.
        reach: what the caption says of a given ``span``.
    """
    low, high, name = span or span_of(values)
    h, w = values.shape
    said = f"{caption} · {h} x {w} cells, not smoothed · scale {number(low)} to {number(high)}{reach}"
    if low < 0 and name == palette.DIVERGING:
        said += ", centred on zero"
    elif values.min() < low:
        said += ", values below share its first colour"
    size = reading.input_size
    canvas = Canvas(title, f"{said} · opacity {opacity:.0%}", size=size, night=True, right=70)
    canvas.photo(reading)
    shares = ((values - low) / (high - low)).clip(0, 1)
    fine = -(-_LEAST_SIDE // max(h, w))  # cells stay cells when a viewer enlarges the picture
    canvas.image(map_uri(np.kron(shares, np.ones((fine, fine))), name), 0, 0, size, size, opacity=opacity)
    points = reading.points() * size
    canvas.face(points, reading.scheme, palette.alpha("#FFFFFF", 0.35), 1.0)
    canvas.dots(points, palette.landmark_colours(reading.scheme), 5)
    if place is not None:
        row, column = divmod(place, w)
        x, y, wide, tall = column / w * size, row / h * size, size / w, size / h
        canvas.shape("rect", x, y, x + wide, y + tall, line={"color": "#FFFFFF", "width": 2})
    _colour_bar(canvas, low, high, name)
    return canvas.figure()


def self_attention(
    reading: Reading,
    name: str,
    x: float,
    y: float,
    words: str = "",
    opacity: float = OPACITY,
    beside: Sequence[tuple[Reading, str]] = (),
) -> go.Figure:
    """Where one place of the face looks, over the crop, with the query's cell framed.

    Args:
        name: key of a tensor with the axes query_y, query_x, key_y, key_x.
        x, y: the place in [0, 1] of the crop.
        words: what tells this model from another, for the title.
        opacity: of the map over the crop.
        beside: other readings and their tensors, whose maps of the same place count in the scale.

    Raises:
        TraceError: the reading has no such tensor, or it is not the attention of a square map.
    """
    maps = [attention_from(r.trace[n].at(batch=0).numpy(), x, y) for r, n in ((reading, name), *beside)]
    shown, size = maps[0], len(maps[0])
    span = span_of(np.concatenate([m.ravel() for m in maps]))
    reach = ", the largest of the maps side by side" if beside else ""
    column, row = (int(np.clip(np.floor(v * size), 0, size - 1)) for v in (x, y))
    caption = f"{name} · {reading.model_name} · query y {row}, x {column} of {size} x {size}"
    title = f"Where this place looks{', ' if words else ''}{words}"
    return over_crop(reading, shown, caption, title, opacity, row * size + column, span, reach)


def _colour_bar(canvas: Canvas, low: float, high: float, name: str) -> None:
    bar = {"thickness": 10, "outlinewidth": 0, "x": 1.02, "xpad": 0, "title": {"text": "value", "font": {"size": 11}},
           "tickfont": {"size": 10, "color": palette.MUTED}}  # fmt: skip
    canvas.add(
        type="scatter", mode="markers", x=[None], y=[None],
        marker={"color": [low], "cmin": low, "cmax": high, "colorscale": palette.colourscale(name),
                "showscale": True, "colorbar": bar},
    )  # fmt: skip


def _lines(
    reading: Reading,
    found: Map,
    weights: np.ndarray,
    caption: str,
    item: int | None,
    top_k: int | None,
    scale: tuple[float, str],
) -> go.Figure:
    """Lines on the face; ``scale`` is its end and what the caption says of it."""
    if reading.scheme.count != len(weights):
        return _table(found, weights, caption)
    chosen = edges(weights, top_k, landmark=item)
    steps = Steps(scale[0])
    said = f"{caption} · {chosen.caption} · {steps.words}{scale[1]} · photograph dimmed"
    size = reading.input_size
    canvas = Canvas(found.words.capitalize(), said, size=size, strip=48, night=True)
    canvas.photo(reading, opacity=DIM)
    points = reading.points() * size
    canvas.face(points, reading.scheme, palette.alpha("#FFFFFF", 0.3), 1.0)
    pieces = [bent(points[q], points[k]) for q, k in zip(chosen.query, chosen.key, strict=True)]
    draw_weighted(canvas, pieces, chosen.weight, steps)
    canvas.dots(points, palette.landmark_colours(reading.scheme), 6)
    weight_legend(canvas, steps, "weight")
    return canvas.figure()


def relations_matrix(reading: Reading, name: str, stage: int = -1, head: int | None = None) -> go.Figure:
    """Attention between landmarks, or a graph's weights, as a matrix by facial part; raises as :func:`maps`."""
    shown = pick(reading, name, stage, head)
    low, high, _ = span_of(shown.values)
    caption = f"{shown.caption} · scale {number(low)} to {number(high)} · landmarks ordered by facial part"
    canvas = Canvas("Row by column", caption, width=520, left=58, right=76, bottom=34)
    words = "row %{customdata[0]}, column %{customdata[1]}<br>%{z:.4f}"
    part_heatmap(canvas, shown.values, reading.scheme, palette.ELSEWHERE, (low, high), "weight", words)
    return canvas.figure()


def _bars(found: Map, values: np.ndarray, caption: str) -> go.Figure:
    """Bars a channel, those of several branches on one another."""
    rows, count = values.shape
    top = max(float(np.clip(values, 0, None).sum(0).max()), 1e-12)
    low = min(float(np.clip(values, None, 0).sum(0).min()), 0.0)
    canvas = Canvas(
        found.words.capitalize(), f"{caption} · {count} channels", width=760, height=300, left=40, bottom=24
    )
    ticks = {"showticklabels": True, "tickfont": {"size": 10, "color": palette.MUTED}}
    grid = {**ticks, "showgrid": True, "gridcolor": palette.FAINT}
    canvas.axes(0, (-0.7, count - 0.3), (1.05 * low, 1.05 * top), xaxis=ticks, yaxis=grid)
    shades = [palette.to_hex(palette.sample(palette.ELSEWHERE, p)) for p in np.linspace(0.15, 0.95, max(rows, 2))]
    ends = np.cumsum(values, 0)
    for row in reversed(range(rows)):  # the whole stack first, its lower parts over it
        words = [f"{found.axes[0]} {row}, channel {k}: {values[row, k]:.4g}" for k in range(count)]
        canvas.add(
            type="bar", x=list(range(count)), y=ends[row], marker={"color": shades[row], "line": {"width": 0}},
            hoverinfo="text", hovertext=words,
        )  # fmt: skip
        if rows > 1:
            label = f"{found.axes[0]} {row}"
            canvas.text(count - 0.5, top * (1.04 - 0.07 * row), label, size=11, colour=shades[row], anchor="right")
    canvas.layout["barmode"] = "overlay"
    return canvas.figure()


def _table(
    found: Map, values: np.ndarray, caption: str, span: tuple[float, float, str] | None = None, reach: str = ""
) -> go.Figure:
    """Rows and columns as a heatmap."""
    low, high, name = span or span_of(values)
    rows, columns = values.shape
    names = found.axes[-2:] if found.kind != "patches" and len(found.axes) > 1 else ("row", "column")
    said = f"{caption} · {rows} x {columns} values, rows {names[0]}, columns {names[-1]} · scale {number(low)} to "
    said += f"{number(high)}{reach}"
    height = float(np.clip(620 * rows / columns, 120, 620))
    canvas = Canvas(found.words.capitalize(), said, width=620, height=height, left=40, right=76, bottom=24)
    ticks = {"showticklabels": True, "tickfont": {"size": 10, "color": palette.MUTED}}
    canvas.axes(0, (-0.5, columns - 0.5), (rows - 0.5, -0.5), xaxis=ticks, yaxis=ticks)
    bar = {"title": {"text": "value", "font": {"size": 11}}, "thickness": 10, "outlinewidth": 0, "x": 1.02, "xpad": 0,
           "tickfont": {"size": 10, "color": palette.MUTED}}  # fmt: skip
    scale = palette.colourscale(palette.ELSEWHERE if name == palette.OVER_PHOTO else name)
    canvas.add(type="heatmap", z=values.astype(np.float32), colorscale=scale, zmin=low, zmax=high, showscale=True,
               colorbar=bar, hoverinfo="x+y+z")  # fmt: skip
    return canvas.figure()


def _places(reading: Reading, found: Map, values: np.ndarray, caption: str) -> go.Figure:
    """Recorded patches or positions on the crop, in the landmarks' colours."""
    size, scheme = reading.input_size, reading.scheme
    colours = palette.landmark_colours(scheme)
    canvas = Canvas(found.words.capitalize(), f"{caption} · photograph dimmed", size=size, night=True)
    canvas.photo(reading, opacity=DIM)
    points = reading.points() * size
    canvas.face(points, scheme, palette.alpha("#FFFFFF", 0.3), 1.0)
    for k, row in enumerate(values * size):
        colour = colours[k] if k < len(colours) else palette.NIGHT_INK
        if found.kind == "boxes":
            x, y, w, h = row
            canvas.shape("rect", x, y, x + w, y + h, line={"color": colour, "width": 1.2})
        else:
            ring = {"symbol": "circle-open", "line": {"width": 2}}
            canvas.dots(row[None], colour, 8, marker=ring)
    return canvas.figure()
