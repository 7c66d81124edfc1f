"""Where a point of a structure prompt looks, its way over the layers, and the prompt on the face plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain.caption_tables import PROMPTS
from workbench.explain.captions import compose
from workbench.explain.prompts import look, plane_of, prompts_facts
from workbench.figures import marks, palette, style
from workbench.figures.canvas import HAIR, SOFT, Box, Canvas
from workbench.figures.inside import draw_map, span_of
from workbench.figures.relations import FACE_BOX, sheet_title

if TYPE_CHECKING:
    from workbench.reading import Reading

_PLANE, _PAD = 340, 10


def prompts(reading: Reading, layer: int = -1, head: int | None = None, landmark: int | None = None) -> go.Figure:
    """Where one landmark looks in a layer, over the crop, and the prompt on the plane beside it.

    Args:
        reading: whose trace holds where each landmark looks.
        layer: counted from 0, or back from -1.
        head: None for the mean of all.
        landmark: None for the one in the middle of the face.

    Raises:
        TraceError: the reading does not hold that, or has no such layer, head or landmark.
    """
    points, plane = reading.points(), plane_of(reading)
    if landmark is None:
        landmark = int(np.linalg.norm(points - points.mean(0), axis=1).argmin())
    values = look(reading, landmark, layer, head)
    span = span_of(values)
    facts = prompts_facts(reading, layer, head, landmark, high=span[1])
    canvas = Canvas(sheet_title(reading), compose(PROMPTS, facts), [FACE_BOX, Box(_PLANE, _PLANE, "Face plane")])
    face, flat = canvas.panels
    draw_map(face, reading, values, span, 0.75, "attention weight of a cell", veil=0.12)
    path = reading.trajectory()[:, landmark] * style.FACE
    face.polyline(path[:2], colour="#FFFFFF", width=1.8, dash="dot")
    face.polyline(path[1:], colour="#FFFFFF", width=1.8)
    marks.chosen(face, path[-1], palette.landmark_colours(reading.scheme)[landmark])
    scale = _PLANE - 2 * _PAD
    flat.rect(_PAD, _PAD, scale, scale, line=1, colour=HAIR)
    after = plane.after * scale + _PAD
    marks.outline(flat, after, reading.scheme, alpha=0.5, width=1)
    if plane.before is not None:
        before = plane.before * scale + _PAD
        for start, end in zip(before, after, strict=True):
            flat.polyline(np.stack([start, end]), colour=SOFT, width=1)
            flat.circle(start, 2.6, line=1, colour=SOFT)
    flat.dots(after, palette.landmark_colours(reading.scheme), 3, words=marks.point_words(reading))
    flat.circle(after[landmark], 8.5, line=1.5, colour=palette.INK, layer="above")
    return canvas.figure()
