"""Where the landmarks are and how they got there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain import trajectory as walked
from workbench.figures import palette
from workbench.figures.canvas import Canvas, joined
from workbench.figures.legends import Steps, part_legend
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

DIM = 0.55


def landmarks(reading: Reading, numbers: bool = False) -> go.Figure:
    """The answer on the crop: one colour a facial part, darker at the image left.

    Args:
        numbers: write every landmark's index beside it.
    """
    scheme, size = reading.scheme, reading.input_size
    points = reading.points() * size
    caption = (
        f"alignment.landmarks · {scheme.count} points of {scheme.name} by {reading.model_name} · "
        f"in the {size} px crop the model was given, nothing smoothed · "
        "dark shade: image left, light shade: image right"
    )
    canvas = Canvas("Landmarks", caption, size=size, strip=34)
    canvas.photo(reading)
    canvas.face(points, scheme, None, 2.2)
    canvas.dots(points, palette.landmark_colours(scheme), 7, hovertext=point_names(reading))
    if numbers:
        for i, (x, y) in enumerate(points):
            canvas.text(x + 5 * canvas.unit, y - 6 * canvas.unit, str(i), size=8.5, colour=palette.NIGHT_INK)
    part_legend(canvas, scheme)
    return canvas.figure()


def trajectory(reading: Reading, landmark: int | None = None) -> go.Figure:
    """The trajectory of every landmark from the mean face over all layers of all stages.

    Args:
        landmark: only this one's trajectory; the others stay as faint dots.

    Raises:
        TraceError: there is no such landmark.
    """
    size, scheme = reading.input_size, reading.scheme
    found = walked(reading)
    if landmark is not None:
        landmark = check_index("landmark", landmark, reading.scheme.count)
    points = found.points * size
    shown = range(scheme.count) if landmark is None else [landmark]
    steps = Steps(1.0, count=reading.stages)
    longest = int(np.argmax(found.length))
    caption = (
        f"{found.caption} · lines join the answers, nothing between them was computed · "
        f"longest trajectory: {scheme.label(longest)}, {found.length[longest] * size:.1f} px of the {size} px crop · "
        "photograph dimmed"
    )
    canvas = Canvas("From the mean face to the answer", caption, size=size, strip=34, night=True)
    canvas.photo(reading, opacity=DIM)
    canvas.face(points[0], scheme, palette.alpha("#FFFFFF", 0.5), 1.0)
    canvas.face(points[-1], scheme, palette.alpha("#FFFFFF", 0.28), 1.0)
    for stage in range(reading.stages):
        first = stage * reading.layers
        pieces = [points[first : first + reading.layers + 1, i] for i in shown]
        canvas.line(joined(pieces), steps.colour(stage), 2.0)
    canvas.dots(points[0], palette.alpha("#FFFFFF", 0.75), 3.4)
    canvas.dots(points[-1], palette.landmark_colours(scheme), 6.5, hovertext=point_names(reading))
    _stage_legend(canvas, steps, reading.stages)
    return canvas.figure()


def _stage_legend(canvas: Canvas, steps: Steps, stages: int) -> None:
    u = canvas.unit
    assert canvas.size is not None
    middle = canvas.size + canvas.strip / 2
    canvas.dots(np.array([[16 * u, middle]]), palette.alpha("#FFFFFF", 0.75), 5)
    canvas.text(26 * u, middle, "mean face", size=11)
    for stage in range(stages):
        x = 112 + 100 * stage
        bar = np.array([[x * u, middle], [(x + 26) * u, middle]])
        canvas.line(bar, steps.colour(stage), 2.0)
        canvas.text((x + 33) * u, middle, f"stage {stage + 1}", size=11)
    x = 112 + 100 * stages
    canvas.dots(np.array([[(x + 4) * u, middle]]), palette.PART_COLOURS["eyes"], 7)
    canvas.text((x + 14) * u, middle, "answer, by part", size=11)


def covered(reading: Reading) -> str:
    """What a caption says of a crop that was painted over."""
    share = reading.face.painted
    return f" · {share:.1%} of the crop covered by hand" if share else ""


def point_names(reading: Reading) -> list[str]:
    """What a landmark says when pointed at: index, name, place in the photograph."""
    return [
        f"<b>{i}</b> {reading.scheme.label(i)}<br>photo x {x:.1f}, y {y:.1f} px"
        for i, (x, y) in enumerate(reading.landmarks)
    ]
