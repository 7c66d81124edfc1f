"""A recorded tensor as a figure: a map over the crop, lines on the face, bars, or a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import plotly.graph_objects as go

from workbench.explain import edges, largest_weight
from workbench.explain.caption_tables import INSIDE, SELF_ATTENTION
from workbench.explain.captions import compose
from workbench.explain.facts import self_attention_facts
from workbench.explain.inside import Stack, inside_facts, pick, stack
from workbench.explain.self_attention import attention_from, structure_prior
from workbench.figures import marks, palette, style
from workbench.figures.canvas import HAIR, SOFT, Box, Canvas, Panel, pixels_uri
from workbench.figures.legends import face_scale, scale_bar, weight_scale
from workbench.figures.relations import FACE_BOX, sheet_title

if TYPE_CHECKING:
    from workbench.reading import Reading

OPACITY = 0.7
Span = tuple[float, float, str]
"""Where the colours begin and end, and the colour map."""
_LEAST_SIDE = 512
_VALUE = {"spatial_attention": "attention weight", "landmark_to_map": "attention weight",
          "landmark_pairs": "attention weight"}  # fmt: skip


def inside(
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
        stage, head, item: see ``explain.inside.pick``.
        top_k: lines of each landmark, for weights between landmarks; None for all.
        opacity: of a map over the crop.
        scale: "map" reaches from 0 to the largest value here (see :func:`span_of`); "range" from the least value here,
            for maps over the crop; "all" to the largest of all maps, stages and, for a chosen head, heads.

    Raises:
        TraceError: the reading has no such tensor, stage, head or item.
    """
    held = stack(reading, name)
    kind = held.map.kind
    shown = pick(reading, name, stage, head, item).values
    span: Span | None = None
    if kind == "landmark_pairs":
        whole = pick(reading, name, stage, head).values
        span = (0.0, largest_weight(held.values if scale == "all" else whole, own=False), palette.OVER_PHOTO)
    elif kind == "table":
        span = span_of(held.values if scale == "all" else shown)
    elif kind not in ("bars", "boxes", "points") and shown.ndim == 2:
        every = held.values if head is not None or held.heads == 1 else held.values.mean(1)
        ranged = (*_least_and_largest(shown), palette.OVER_PHOTO)
        span = ranged if scale == "range" else span_of(every if scale == "all" else shown)
    on_crop = kind != "landmark_pairs" and span is not None
    facts = inside_facts(
        reading, held, stage, head, item, span=span and span[:2], scale=scale, top_k=top_k,
        below=on_crop and span is not None and bool((shown < span[0]).any()),
    )  # fmt: skip
    caption, title = compose(INSIDE, facts), sheet_title(reading)
    if kind == "landmark_pairs" and span:
        return _lines(reading, held, whole, (title, caption), item, top_k, span[1])
    if kind == "bars":
        return _bars(held, shown, title, caption)
    if kind == "table" and span:
        return _table(held, shown, title, caption, span)
    canvas = Canvas(title, caption, [FACE_BOX])
    panel = canvas.panels[0]
    rects = _rects(reading, held, stage) if kind == "patches" else None
    if span is None:
        _places(panel, reading, kind, shown if rects is None else rects)
    else:
        rect = None if rects is None or item is None else rects[item]
        draw_map(panel, reading, shown, span, opacity, _VALUE.get(kind, "value"), rect=rect)
    return canvas.figure()


def _rects(reading: Reading, held: Stack, stage: int) -> np.ndarray:
    """(N, 4) the patches whose features a tensor holds, the whole crop for each where they are not known."""
    rects = reading.alignment.rects
    if rects is None or rects.shape[0] != held.stages:
        return np.tile([0.0, 0.0, 1.0, 1.0], (held.values.shape[2], 1))
    return reading.rects()[stage]


def self_attention(
    reading: Reading,
    name: str,
    x: float,
    y: float,
    words: str = "",
    opacity: float = 0.75,
    beside: Sequence[tuple[Reading, str]] = (),
    prior: tuple[float, float, float] | None = None,
) -> go.Figure:
    """Where one place of the face looks, over the crop, with the query's cell framed.

    Args:
        name: key of a tensor with the axes query_y, query_x, key_y, key_x.
        x, y: the place in [0, 1] of the crop.
        words: what tells this model from another, for the title.
        opacity: of the map over the crop.
        beside: other readings and their tensors, whose maps of the same place count in the scale.
        prior: sigma and radius of the model's structure prior in cells of the map, and beta, for the caption; by
            default as its configuration tells.

    Raises:
        TraceError: the reading has no such tensor, or it is not the attention of a square map.
    """
    every = [r.trace[n].at(batch=0).numpy() for r, n in ((reading, name), *beside)]
    maps = [attention_from(weights, x, y) for weights in every]
    shown, size = maps[0], len(maps[0])
    spans = [span_of(values) for values in maps]
    top, signed = max(span[1] for span in spans), any(span[0] < 0 for span in spans)
    span = (-top if signed else 0.0, top, palette.DIVERGING if signed else palette.OVER_PHOTO)
    column, row = (int(np.clip(np.floor(v * size), 0, size - 1)) for v in (x, y))
    softmax = bool(np.allclose(every[0].sum((-2, -1)), 1, atol=1e-3))
    c = reading.config
    if prior is None and "prior_sigma" in c:
        prior = (float(c["prior_sigma"]), float(c["prior_radius"]), float(c.get("beta", 0.0)))
    share = structure_prior(reading.points(), size, prior[0], prior[1]).share if prior else 0.0
    facts = self_attention_facts(
        name, row, column, size, span[0], span[1], softmax=softmax, scale="both" if beside else "map", prior=prior,
        share=share,
    )  # fmt: skip
    title = f"{words.capitalize()}, {sheet_title(reading)}" if words else sheet_title(reading)
    canvas = Canvas(title, compose(SELF_ATTENTION, facts), [FACE_BOX])
    even = 1 / size**2
    mark = (even, f"uniform 1/{size**2}") if softmax and top > even else None
    panel = canvas.panels[0]
    draw_map(panel, reading, shown, span, opacity, "attention weight", veil=0.15, mark=mark)
    cell = style.FACE / size
    for colour, width in ((palette.alpha("#000000", 0.7), 3.0), ("#FFFFFF", 1.5)):
        panel.rect(column * cell, row * cell, cell, cell, line=width, colour=colour, layer="above")
    return canvas.figure()


def span_of(values: np.ndarray) -> Span:
    """Where the colours begin and end, and the colour map.

    Values count as signed when the least lies below -5 % of the largest: then the scale is centred on zero; otherwise
    it begins at zero, and what little lies below shares the first colour.
    """
    least, most = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    top = max(most, -least) or 1.0
    return (-top, top, palette.DIVERGING) if -least > 0.05 * most else (0.0, top, palette.OVER_PHOTO)


def _least_and_largest(values: np.ndarray) -> tuple[float, float]:
    least, most = float(values.min()), float(values.max())
    return least, most if most > least else least + (abs(least) or 1.0)


def draw_map(
    panel: Panel, reading: Reading, values: np.ndarray, span: Span, opacity: float, words: str, *, veil: float = 0.1,
    rect: np.ndarray | None = None, mark: tuple[float, str] | None = None,
) -> None:  # fmt: skip
    """A map (h, w) over the crop, cell by cell, the more opaque the larger; over ``rect`` alone, a patch, opaque."""
    low, high, name = span
    marks.photograph(panel, reading)
    shares = ((values - low) / (high - low)).clip(0, 1)
    fine = -(-_LEAST_SIDE // max(values.shape))  # cells stay cells when a viewer enlarges the picture
    sheer = np.abs(2 * shares - 1) if name == palette.DIVERGING else shares
    alpha = np.ones_like(shares) if rect is not None else 0.3 + 0.7 * np.sqrt(sheer)
    pixels = np.concatenate([palette.sample(name, shares), (255 * alpha)[..., None].astype(np.uint8)], -1)
    x, y, w, h = (0.0, 0.0, 1.0, 1.0) if rect is None else rect
    panel.image(_veil(veil if rect is None else 0.2), 0, 0, style.FACE, style.FACE)
    place = (x * style.FACE, y * style.FACE, w * style.FACE, h * style.FACE)
    panel.image(pixels_uri(pixels.repeat(fine, 0).repeat(fine, 1)), *place, opacity=opacity)
    points = reading.points() * style.FACE
    marks.outline(panel, points, reading.scheme, alpha=0.35, width=1, colour="#FFFFFF")
    panel.dots(points, palette.landmark_colours(reading.scheme), 2.4, rim=marks.LIGHT_RIM,
               words=marks.point_words(reading), data=np.arange(reading.scheme.count))  # fmt: skip
    face_scale(panel, name, low, high, words, mark=mark)


def _veil(alpha: float) -> str:
    """The darkness over a photograph that lies under a map, as a picture: shapes would lie above both."""
    return pixels_uri(np.full((1, 1, 4), (*palette.rgb(marks.VEIL), round(255 * alpha)), np.uint8))


def _lines(
    reading: Reading, held: Stack, weights: np.ndarray, words: tuple[str, str], item: int | None, top_k: int | None,
    top: float,
) -> go.Figure:  # fmt: skip
    if reading.scheme.count != len(weights):
        return _table(held, weights, *words, (0.0, top, palette.OVER_PHOTO))
    canvas = Canvas(*words, [FACE_BOX])
    panel, points = canvas.panels[0], reading.points() * style.FACE
    marks.photograph(panel, reading, veil=style.DIM)
    marks.outline(panel, points, reading.scheme, alpha=0.5, width=1)
    chosen = edges(weights, top_k, landmark=item)
    marks.weighted(panel, points, chosen.query, chosen.key, chosen.weight, top)
    panel.dots(points, palette.landmark_colours(reading.scheme), 2.4, rim=marks.LIGHT_RIM,
               words=marks.point_words(reading), data=np.arange(reading.scheme.count))  # fmt: skip
    weight_scale(panel, top, f"{_VALUE.get(held.map.kind, 'value')}, line width and colour")
    return canvas.figure()


def _bars(held: Stack, values: np.ndarray, title: str, caption: str) -> go.Figure:
    """Bars a channel, those of several branches on one another."""
    rows, count = values.shape
    top = float(np.clip(values, 0, None).sum(0).max())
    low = min(float(np.clip(values, None, 0).sum(0).min()), 0.0)
    top = top if top > low else low + 1.0
    left, width, height = 50.0, 710.0, 300.0
    canvas = Canvas(title, caption, [Box(left + width, height + 28)])
    panel = canvas.panels[0]
    step = width / count

    def at(value: float) -> float:
        return height - (value - low) / (top - low) * (height - 10)

    for value in style.ticks(low, top, 4):
        panel.rect(left, at(value) - 0.5, width, 1, fill=HAIR)
        panel.text(left - 6, at(value), style.number(value), colour=SOFT, anchor="right")
    shades = [palette.to_hex(palette.sample(palette.ELSEWHERE, p)) for p in np.linspace(0.15, 0.95, max(rows, 2))]
    gap = min(2.0, 0.2 * step) if step > 4 else 0.0
    for k in range(count):
        up = down = 0.0
        for row, shade in zip(range(rows), shades, strict=False):
            value = float(values[row, k])
            first = up if value >= 0 else down
            last = first + value
            up, down = (last, down) if value >= 0 else (up, last)
            y0, y1 = sorted((at(first), at(last)))
            panel.rect(left + k * step + gap / 2, y0, max(0.6, step - gap), y1 - y0, fill=shade)
    said = [
        f"channel {k}<br>" + "<br>".join(f"{held.map.axes[0]} {r}: {style.number(values[r, k])}" for r in range(rows))
        for k in range(count)
    ]
    spots = np.stack([left + (np.arange(count) + 0.5) * step, np.full(count, height / 2)], 1)
    panel.dots(spots, palette.INK, max(2.0, step / 2), alpha=0.0, rim_width=0, words=said, data=np.arange(count))
    panel.text(left, height + 8, f"{count} channels", colour=SOFT, middle="top")
    x = left + 120
    for row in range(rows if rows > 1 else 0):
        words = f"{held.map.axes[0]} {row}"
        panel.rect(x, height + 9, 11, 11, fill=shades[row])
        panel.text(x + 16, height + 8, words, colour=SOFT, middle="top")
        x += 40 + style.text_width(words, 11)
    return canvas.figure()


def _table(held: Stack, values: np.ndarray, title: str, caption: str, span: Span) -> go.Figure:
    """Rows and columns as a heatmap."""
    low, high, name = span
    rows, columns = values.shape
    axes = held.map.axes
    names = axes[-2:] if len(axes) > 1 else ("row", "column")
    left = 24.0
    width, height = style.FACE - left, float(np.clip((style.FACE - left) * rows / columns, 120, style.FACE - left))
    canvas = Canvas(title, caption, [Box(style.FACE, left + height + style.LEGEND)])
    panel = canvas.panels[0]
    scale = palette.colourscale(palette.ELSEWHERE if name == palette.OVER_PHOTO else name)
    dx, dy = width / columns, height / rows
    at_row, at_column = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    panel.add(
        type="heatmap", z=values.astype(np.float32), x0=left + dx / 2, dx=dx, y0=left + dy / 2, dy=dy,
        customdata=np.stack([at_row, at_column], -1).astype(np.int32), colorscale=scale, zmin=low, zmax=high,
        showscale=False, hoverinfo="z",
        hovertemplate=f"{names[0]} %{{customdata[0]}}, {names[1]} %{{customdata[1]}}<br>%{{z:.4g}}<extra></extra>",
    )  # fmt: skip
    panel.text(left, left - 8, f"{columns} × {names[1]} →", colour=SOFT)
    panel.text(left - 10, left, f"← {rows} × {names[0]}", colour=SOFT, middle="top", turned=True)
    bar = palette.ELSEWHERE if name == palette.OVER_PHOTO else name
    scale_bar(panel, left, left + height + 22, width, bar, low, high, _VALUE.get(held.map.kind, "value"))
    return canvas.figure()


def _places(panel: Panel, reading: Reading, kind: str, values: np.ndarray) -> None:
    """Recorded patches or positions on the crop, in the landmarks' colours."""
    scheme = reading.scheme
    colours = palette.landmark_colours(scheme)
    marks.photograph(panel, reading, veil=0.2)
    points = reading.points() * style.FACE
    marks.outline(panel, points, scheme, alpha=0.5, width=1)
    for k, row in enumerate(values * style.FACE):
        colour = colours[k] if k < len(colours) else palette.NIGHT_INK
        if kind != "points":
            panel.rect(*row, line=1.1, colour=palette.alpha(colour, 0.6))
            continue
        if k < len(points):
            panel.polyline(np.stack([row, points[k]]), colour=palette.alpha("#FFFFFF", 0.6), width=1)
        panel.circle(row, 4.5, line=2, colour=colour)
    panel.dots(points, colours, 2.4, rim=marks.LIGHT_RIM, words=marks.point_words(reading),
               data=np.arange(scheme.count))  # fmt: skip
