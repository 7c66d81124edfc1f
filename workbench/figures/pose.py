"""Head pose on the face, and the features before and after the distance heatmap (ATPN, Fig. 3.1 and 3.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain.captions import compose
from workbench.explain.pose import AFTER, AXES, BEFORE, HEATMAP, PHOTO, TITLES, Pose, pose_facts
from workbench.explain.pose import pose as find
from workbench.explain.system_captions import POSE
from workbench.figures import marks, palette, style
from workbench.figures.board import SIDE, face_box, small_face
from workbench.figures.canvas import Canvas, Panel
from workbench.figures.inside import Span, span_of
from workbench.figures.relations import sheet_title

if TYPE_CHECKING:
    from workbench.reading import Reading

LONG = 0.27
"""Of an axis, in parts of the face's side."""
COLOURS = ("#0072B2", "#009E73", "#E69F00")


def pose(reading: Reading) -> go.Figure:
    """A row: the head's axes on the photograph, features before, the distance heatmap, features after.

    Args:
        reading: with the axes that the view records.

    Raises:
        TraceError: the model gives no pose or no confidence, or the trace holds no gated features.
    """
    found = find(reading)
    both = np.stack([found.picture(BEFORE), found.picture(AFTER)])
    spans: dict[str, Span] = {HEATMAP: (0.0, 1.0, palette.OVER_PHOTO), BEFORE: span_of(both), AFTER: span_of(both)}
    facts = pose_facts(reading, found, "row", span=(0.0, 1.0))
    canvas = Canvas(sheet_title(reading), compose(POSE, facts), [face_box(title) for title in TITLES.values()])
    for key, panel in zip(TITLES, canvas.panels, strict=True):
        shown = None if key == PHOTO else found.picture(key)
        small_face(panel, reading, shown, spans.get(key), found.tensors[key], dots=key == PHOTO)
        if key == PHOTO:
            _axes(panel, found)
    return canvas.figure()


def _axes(panel: Panel, found: Pose) -> None:
    """The axes from the nose, those that point away from the camera first; their names below."""
    start = found.origin * SIDE
    for k in np.argsort(-found.axes[:, 2], kind="stable"):
        end = start + found.axes[k, :2] * LONG * SIDE
        for colour, width in ((palette.alpha("#000000", 0.65), 5.0), (COLOURS[k], 3.0)):
            marks.arrow(panel, start, end, colour=colour, width=width, bend=0, head=11)
    x = 14.0
    for colour, name in zip(COLOURS, AXES, strict=True):
        panel.rect(x, SIDE + 20, 10, 10, fill=colour)
        panel.text(x + 15, SIDE + 25, name, size=10, colour=palette.NIGHT_INK)
        x += 26 + style.text_width(name, 10)
