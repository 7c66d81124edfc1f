"""The patches that the network reads, and what set their size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain import STATES, PatchStates, patch_states
from workbench.figures import marks, palette, style
from workbench.figures.canvas import Box, Canvas, Panel
from workbench.figures.relations import sheet_title
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

_SMALL = 400
_STRIP = 34


def patches(reading: Reading, stage: int | None = None) -> go.Figure:
    """The patches of every stage (or one), coloured by what set their size: floor, variance or ceiling.

    Args:
        stage: zero-based, negative from the end; None shows all side by side.

    Raises:
        TraceError: the model reads no patches, or there is no such stage.
    """
    found = patch_states(reading)
    stages = len(found.rects)
    shown = list(range(stages)) if stage is None else [check_index("stage", stage, stages)]
    side = style.FACE if len(shown) == 1 else _SMALL
    clauses = [found.caption, f"in the {reading.input_size} px crop", "dots: where the patches are centred"]
    if reading.face.painted:
        clauses.append(f"{style.number(float(f'{100 * reading.face.painted:.2g}'))} % of the crop covered by hand")
    titles = [f"stage {k + 1}, median side {_median(reading, found, k)} px" for k in shown]
    boxes = [Box(side, side + _STRIP, title, ground=palette.NIGHT) for title in titles]
    canvas = Canvas(f"Patches, {sheet_title(reading)}", " · ".join(clauses), boxes)
    for panel, k in zip(canvas.panels, shown, strict=True):
        marks.photograph(panel, reading, side, veil=style.DIM)
        draw_patches(panel, found, k, None, side)
        centres = reading.mean_shape if k == 0 else reading.points(k - 1)
        words = marks.point_words(reading, _words(reading, found, k))
        panel.dots(centres * side, palette.landmark_colours(reading.scheme), 2.2, words=words,
                   data=np.arange(reading.scheme.count))  # fmt: skip
        _legend(panel, found.count(k), side + _STRIP / 2)
    return canvas.figure()


def draw_patches(panel: Panel, found: PatchStates, stage: int, landmark: int | None, side: float = style.FACE) -> None:
    """The patches of a stage, or those of all stages of one landmark with the stages' numbers."""

    def one(stage: int, i: int, alpha: float) -> tuple[float, float, str]:
        state = str(found.states[stage, i])
        colour, dash, width = look_of(state)
        x, y, w, h = found.rects[stage, i] * side
        panel.rect(x, y, w, h, line=width, colour=palette.alpha(colour, alpha), dash=dash)
        return x, y, colour

    if landmark is None:
        for i, state in enumerate(found.states[stage]):
            one(stage, i, 0.4 if state == "first" else 0.75)
        return
    for k in range(len(found.rects)):
        x, y, colour = one(k, landmark, 1.0)
        panel.text(x + 2, y - 1, str(k + 1), colour=colour, bold=True, middle="bottom")


def look_of(state: str) -> tuple[str, str, float]:
    """Colour, dash and line width of a patch's state; ``lookOf`` in uncertainty's JavaScript."""
    return palette.STATE_COLOURS[state], palette.STATE_DASHES[state], 2.0 if state == "ceiling" else 1.4


def _legend(panel: Panel, counts: dict[str, int], y: float) -> None:
    """The colour, dash, name and number of each state."""
    x = 12.0
    for state in (s for s in STATES if s in counts):
        colour, dash, width = look_of(state)
        panel.polyline(np.array([[x, y], [x + 24, y]]), colour=colour, width=width, dash=dash)
        words = f"{counts[state]} {state}"
        panel.text(x + 30, y, words, colour=palette.NIGHT_INK)
        x += 48 + style.text_width(words, 11)


def _median(reading: Reading, found: PatchStates, stage: int) -> str:
    return style.number(float(np.median(found.rects[stage, :, 2])) * reading.input_size)


def _words(reading: Reading, found: PatchStates, stage: int) -> list[str]:
    words = []
    for i in range(reading.scheme.count):
        side = style.number(found.rects[stage, i, 2] * reading.input_size)
        wanted = found.wanted[stage, i]
        rule = "" if np.isnan(wanted) else f"<br>the variance asks for × {style.number(wanted)}"
        words.append(f"<br>{found.states[stage, i]}, side {side} px{rule}")
    return words
