"""What a cascade's tasks take from the branches, its steps and its size (CHS, Fig. 1, 4 and 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain.captions import compose
from workbench.explain.cascade import BEFORE, GATE, PHOTO, Cascade, cascade_facts, title
from workbench.explain.cascade import cascade as find
from workbench.explain.system_captions import CASCADE
from workbench.figures import palette, style
from workbench.figures.board import SIDE, bars, curve, face_box, small_face
from workbench.figures.canvas import SOFT, Box, Canvas, Panel
from workbench.figures.relations import sheet_title
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

SHADES = (0.12, 0.5, 0.9)
"""Of the branches, on the map of bars."""


def cascade(reading: Reading, task: int = -1, landmark: int | None = None, *, kept: int | None = None) -> go.Figure:
    """One task in a row: photograph with the steps, gates of the branches, features after selection, heatmaps.

    Beside it stand the branch weights by channel, and the error against size where the card tells it.

    Args:
        task: zero-based, 0 the heatmap task; the last cascade by default.
        landmark: whose heatmap is shown; the largest of all for None.
        kept: cascades that pruning leaves; all for None.

    Raises:
        TraceError: the trace holds no cascade of branches, or there is no such task, landmark or pruning.
    """
    found = find(reading)
    task = check_index("task", task, len(found.tasks))
    kept = None if kept is None else check_index("number of cascades", kept, len(found.steps))
    landmark = None if landmark is None else check_index("landmark", landmark, reading.scheme.count)
    facts = cascade_facts(reading, found, "row", task=task, span=(0.0, 0.0), landmark=landmark, kept=kept)
    gated = found.tasks[task].gates is not None
    hidden = BEFORE if gated else GATE  # a row holds the gates, or without them the branches
    keys = [key for key in found.keys(task) if not key.startswith(hidden)]
    chosen = found.tasks[task]
    boxes = [
        *(face_box(title(key)) for key in keys),
        Box(SIDE + 60, SIDE + style.LEGEND, f"Branch weights, {chosen.name}"),
    ]
    canvas = Canvas(sheet_title(reading), compose(CASCADE, facts), boxes)
    last = len(found.steps) - 1 if kept is None else kept
    for key, panel in zip(keys, canvas.panels, strict=False):
        shown = None if key == PHOTO else found.picture(key, task, None, landmark)
        points = found.steps[last]
        small_face(panel, reading, shown, None, found.tensor(key, task), points=points, dots=key == PHOTO)
        if key == PHOTO:
            for steps in found.steps[: last + 1].transpose(1, 0, 2) * SIDE:
                panel.polyline(steps, colour="#FFFFFF", width=1.4)
    _beside(canvas.panels[-1], found, task, last)
    return canvas.figure()


def _beside(panel: Panel, found: Cascade, task: int, kept: int) -> None:
    """Branch weights by channel, and below them the error against size."""
    weights = found.tasks[task].weights
    shades = [palette.to_hex(palette.sample(palette.ELSEWHERE, at)) for at in SHADES[: len(weights)]]
    shades += [palette.MUTED] * (len(weights) - len(shades))
    said = [
        f"channel {k}<br>" + "<br>".join(f"branch {b + 1}: {v:.3f}" for b, v in enumerate(column))
        for k, column in enumerate(weights.T)
    ]
    bars(panel, weights, 40, 6, panel.width - 44, 120, shades, said, top=1.0)
    for k, (shade, row) in enumerate(zip(shades, weights, strict=True)):
        panel.rect(40 + 100 * k, 138, 10, 10, fill=shade)
        panel.text(56 + 100 * k, 143, f"branch {k + 1}: {style.number(row.mean())}", colour=SOFT)
    if found.sizes is None:
        return
    known = [found.errors.get(k) for k in range(len(found.sizes))]
    name = "NME % by cascades kept, from 0" if all(v is not None for v in known) else "parameters by cascades kept, M"
    values = np.array([v for v in known if v is not None]) if all(v is not None for v in known) else found.sizes / 1e6
    panel.text(0, 178, name, bold=True, size=13)
    spread = float(values.max() - values.min()) or 1.0
    places = curve(panel, values, 40, 194, panel.width - 60, 90, max(0.0, float(values.min()) - 0.3 * spread))
    for k, (size, (x, y)) in enumerate(zip(found.sizes, places, strict=True)):
        panel.circle((x, y), 5 if k == kept else 3.5, fill=palette.INK if k == kept else palette.MUTED)
        anchor = "left" if k == 0 else "right" if k == len(found.sizes) - 1 else "center"
        panel.text(x, 298, f"{k} kept, {style.number(size / 1e6)} M", colour=SOFT, anchor=anchor)
