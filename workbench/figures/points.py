"""Where the landmarks are and how they got there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain import trajectory as walked
from workbench.figures import marks, palette, style
from workbench.figures.canvas import Box, Canvas
from workbench.figures.legends import part_legend
from workbench.figures.relations import sheet_title
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

_STRIP = 34


def landmarks(reading: Reading, numbers: bool = False) -> go.Figure:
    """The answer on the crop: one colour a facial part, darker at the image left.

    Args:
        numbers: write every landmark's index beside it.
    """
    scheme = reading.scheme
    points = reading.points() * style.FACE
    caption = (
        f"alignment.landmarks · {scheme.count} landmarks of {scheme.name} by {reading.model_name} · "
        f"on the {reading.input_size} px crop that the model was given · darker colours: image left"
    )
    canvas = Canvas(f"Landmarks, {sheet_title(reading)}", caption, [Box(style.FACE, style.FACE + _STRIP)])
    panel = canvas.panels[0]
    marks.photograph(panel, reading)
    marks.outline(panel, points, scheme, alpha=1, width=2.2)
    colours = palette.landmark_colours(scheme)
    panel.dots(points, colours, 3.5, words=marks.point_words(reading), data=np.arange(scheme.count))
    if numbers:
        for i, (x, y) in enumerate(points):
            panel.text(x + 5, y - 6, str(i), size=9, colour=palette.NIGHT_INK)
    part_legend(panel, scheme, 8, style.FACE + _STRIP / 2, style.FACE - 16)
    return canvas.figure()


def trajectory(reading: Reading, landmark: int | None = None) -> go.Figure:
    """The trajectory of every landmark from the mean face over all layers of all stages.

    Args:
        landmark: only this one's trajectory; the others stay as faint dots.

    Raises:
        TraceError: there is no such landmark.
    """
    scheme, found = reading.scheme, walked(reading)
    if landmark is not None:
        landmark = check_index("landmark", landmark, scheme.count)
    points = found.points * style.FACE
    shown = range(scheme.count) if landmark is None else [landmark]
    longest = int(np.argmax(found.length))
    caption = (
        f"{found.caption} · straight lines join the answers, nothing between them was computed · longest: "
        f"{scheme.label(longest)} ({longest}), {style.number(found.length[longest] * reading.input_size)} px of the "
        f"{reading.input_size} px crop"
    )
    box = Box(style.FACE, style.FACE + _STRIP, ground=palette.NIGHT)
    canvas = Canvas(f"From the mean face to the answer, {sheet_title(reading)}", caption, [box])
    panel = canvas.panels[0]
    marks.photograph(panel, reading, veil=style.DIM)
    marks.outline(panel, points[0], scheme, alpha=0.5, width=1, colour="#FFFFFF")
    marks.outline(panel, points[-1], scheme, alpha=0.28, width=1, colour="#FFFFFF")
    shares = np.linspace(0.45, 0.95, reading.stages)  # the readable part of the map
    colours = [palette.to_hex(colour) for colour in palette.sample(palette.OVER_PHOTO, shares)]
    for k, colour in enumerate(colours):
        first = k * reading.layers
        for i in shown:
            panel.polyline(points[first : first + reading.layers + 1, i], colour=colour, width=2)
    panel.dots(points[0], palette.alpha("#FFFFFF", 0.75), 1.7, rim_width=0)
    panel.dots(points[-1], palette.landmark_colours(scheme), 3.2, words=marks.point_words(reading),
               data=np.arange(scheme.count))  # fmt: skip
    middle = style.FACE + _STRIP / 2
    panel.circle((16, middle), 2.5, fill="#FFFFFF")
    panel.text(26, middle, "mean face", colour=palette.NIGHT_INK)
    x = 110.0
    for k, colour in enumerate(colours):
        panel.polyline(np.array([[x, middle], [x + 24, middle]]), colour=colour, width=2)
        panel.text(x + 30, middle, f"stage {k + 1}", colour=palette.NIGHT_INK)
        x += 92
    panel.circle((x + 4, middle), 3.2, fill=palette.PART_COLOURS["eyes"])
    panel.text(x + 14, middle, "answer, by part", colour=palette.NIGHT_INK)
    return canvas.figure()
