"""Who listens to whom: lines on the face, the matrix beside it, and first partners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.errors import TraceError
from workbench.explain import (
    Edges,
    Relations,
    attention_matrix,
    attention_stack,
    best_edges,
    edges,
    largest_weight,
)
from workbench.explain import partners as best_partners
from workbench.explain.caption_tables import RELATIONS
from workbench.explain.captions import compose
from workbench.explain.facts import relations_facts
from workbench.explain.relations import relation_kind
from workbench.figures import marks, palette, style
from workbench.figures.canvas import Box, Canvas, Panel
from workbench.figures.legends import scale_bar, weight_scale
from workbench.figures.matrices import RIM, frame, part_matrix, query_and_key
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.explain.relations import Direction, Scale
    from workbench.reading import Reading

FACE_BOX = Box(style.FACE, style.FACE + style.LEGEND, ground=palette.NIGHT)
_CELL = "query %{customdata[0]}, key %{customdata[1]}<br>weight %{z:.4g}"


def relations(
    reading: Reading,
    kind: str | None = None,
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
    """Attention between landmarks as the Relations explorer saves it: lines on the face and, beside it, the matrix.

    Args:
        kind, stage, layer, head: see ``explain.attention_matrix``.
        top_k, threshold, direction: see ``explain.edges``; ``top_k`` from 1, None for all.
        landmark: only this one's lines. The scale stays that of all landmarks, so pictures compare.
        own: draw a landmark's weight on itself, as a ring, and count it in the scale.
        best: instead one arrow from each landmark to its strongest key, see ``explain.best_edges``.
        scale: "map" ends at the largest weight of this matrix, "all" at that of all stages, layers and heads.

    Raises:
        TraceError: the reading holds no such attention, stage, layer, head or landmark.
    """
    found = attention_matrix(reading, kind, stage, layer, head)
    landmark = None if landmark is None else check_index("landmark", landmark, reading.scheme.count)
    if top_k is not None and top_k < 1:
        raise TraceError("A figure draws at least 1 line of each landmark; give top_k from 1, or None for all.")
    if best:
        chosen = best_edges(found, threshold, landmark, direction)
    else:
        chosen = edges(found, top_k, threshold, landmark, own, direction)
    top = _top(reading, found, scale, own)
    facts = relations_facts(
        reading, found, top=top, scale=scale, top_k=top_k, threshold=threshold, landmark=landmark,
        direction=direction, own=own, mode="best" if best else "lines",
    )  # fmt: skip
    canvas = Canvas(sheet_title(reading), compose(RELATIONS, facts), [FACE_BOX, Box(style.FACE, style.FACE)])
    face, side = canvas.panels
    _face(face, reading, found, chosen, top, landmark, heads=best)
    _matrix(side, reading, found, top, own, landmark, direction)
    return canvas.figure()


def matrix(
    reading: Reading,
    kind: str | None = None,
    stage: int | None = -1,
    layer: int | None = 0,
    head: int | None = None,
    landmark: int | None = None,
    direction: Direction = "query",
    own: bool = True,
    scale: Scale = "map",
) -> go.Figure:
    """The N x N attention matrix alone, landmarks ordered by facial part.

    Args:
        landmark: frames its row as a query or, by ``direction``, its column as a key.
        own: show the diagonal and count it in the scale.
        scale: see :func:`relations`.

    Raises:
        TraceError: the reading holds no such attention.
    """
    found = attention_matrix(reading, kind, stage, layer, head)
    landmark = None if landmark is None else check_index("landmark", landmark, reading.scheme.count)
    top = _top(reading, found, scale, own)
    facts = relations_facts(
        reading, found, top=top, scale=scale, landmark=landmark, direction=direction, own=own, mode="matrix"
    )
    box = Box(style.FACE, style.FACE + style.LEGEND)
    canvas = Canvas(f"Attention matrix, {sheet_title(reading)}", compose(RELATIONS, facts), [box])
    _matrix(canvas.panels[0], reading, found, top, own, landmark, direction)
    y = style.FACE + style.LEGEND - 26
    unit = relation_kind(reading, found.kind).unit
    scale_bar(canvas.panels[0], RIM, y, style.FACE - RIM, palette.OVER_PHOTO, 0.0, top, unit)
    return canvas.figure()


def partners(
    reading: Reading,
    kind: str | None = None,
    stage: int | None = -1,
    layer: int | None = 0,
    head: int | None = None,
    exclude_self: bool = False,
) -> go.Figure:
    """One arrow from each landmark to the key of its highest weight (thesis Fig. 4.6); a ring for itself.

    Raises:
        TraceError: the reading holds no such attention.
    """
    found = attention_matrix(reading, kind, stage, layer, head)
    first = best_partners(found, exclude_self)
    top = largest_weight(found.weights, not exclude_self)
    facts = relations_facts(reading, found, top=top, own=not exclude_self, mode="best" if exclude_self else "partners")
    canvas = Canvas(f"First partners, {sheet_title(reading)}", compose(RELATIONS, facts), [FACE_BOX])
    every = np.arange(len(first.key))
    arrows = Edges(every, first.key, first.weight, 1.0, "")
    _face(canvas.panels[0], reading, found, arrows, top, None, heads=True)
    return canvas.figure()


def sheet_title(reading: Reading) -> str:
    """The model and the photograph, as widgets title what they save."""
    return f"{reading.card_title or reading.model_name}, {reading.face.name}"


def points_at(reading: Reading, stage: int | None, side: float = style.FACE) -> np.ndarray:
    """(N, 2) the answer after a stage, of the last for None, in pixels of a face."""
    return (reading.points() if stage is None else reading.points(stage)) * side


def _top(reading: Reading, found: Relations, scale: Scale, own: bool) -> float:
    """Where the scale ends."""
    weights = attention_stack(reading, found.kind) if scale == "all" else found.weights
    return largest_weight(weights, own)


def _face(
    panel: Panel, reading: Reading, found: Relations, chosen: Edges, top: float, landmark: int | None, heads: bool
) -> None:
    scheme, points, some = reading.scheme, points_at(reading, found.stage), landmark is not None
    marks.photograph(panel, reading, veil=style.DIM)
    marks.outline(panel, points, scheme, alpha=0.3 if some else 0.5, width=1)
    marks.weighted(panel, points, chosen.query, chosen.key, chosen.weight, top, heads=heads, cased=some)
    near = {landmark, *chosen.query.tolist(), *chosen.key.tolist()} if some else set()
    every = range(scheme.count)
    panel.dots(
        points, palette.landmark_colours(scheme), [3.6 if i in near else 2.4 for i in every],
        alpha=[1.0 if not some or i in near else 0.5 for i in every], rim=marks.LIGHT_RIM,
        words=marks.point_words(reading, _strongest(reading, found)), data=np.arange(scheme.count),
    )  # fmt: skip
    if landmark is not None:
        marks.chosen(panel, points[landmark], palette.landmark_colours(scheme)[landmark])
        marks.tag(panel, f"{scheme.label(landmark)} · {landmark}", points[landmark], style.FACE, style.FACE)
    weight_scale(panel, top, f"{relation_kind(reading, found.kind).unit}, line width and colour", scheme.count)


def _strongest(reading: Reading, found: Relations) -> list[str]:
    """What each landmark says of its strongest keys."""
    order = np.argsort(-found.weights, axis=1, kind="stable")[:, :4]
    return [
        "<br>listens to"
        + "".join(f"<br>{style.number(found.weights[i, k])}  {k} {reading.scheme.label(int(k))}" for k in order[i])
        for i in range(reading.scheme.count)
    ]


def _matrix(
    panel: Panel, reading: Reading, found: Relations, top: float, own: bool, landmark: int | None,
    direction: Direction,
) -> None:  # fmt: skip
    shown = found.weights if own else np.where(np.eye(len(found.weights), dtype=bool), np.nan, found.weights)
    part_matrix(panel, shown, reading.scheme, palette.OVER_PHOTO, (0.0, top), _CELL)
    query_and_key(panel)
    if landmark is not None:
        frame(panel, reading.scheme, landmark, direction == "key")
