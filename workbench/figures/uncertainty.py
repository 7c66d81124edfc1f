"""How sure the model is: ellipses, sorted bars, patches and what set their size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain import STATES, Calibration, PatchStates, ellipses, patch_states, sigma_order
from workbench.figures import palette
from workbench.figures.canvas import Canvas, joined
from workbench.figures.legends import Steps, state_legend, weight_legend
from workbench.figures.points import DIM, covered, point_names
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

_CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 37)), np.sin(np.linspace(0, 2 * np.pi, 37))], 1)


def uncertainty(
    reading: Reading,
    stage: int = -1,
    layer: int = -1,
    levels: tuple[float, ...] = (1.0, 2.0, 3.0),
    trajectory: bool = True,
) -> go.Figure:
    """Ellipses of the predicted distribution on the crop, coloured by sigma, and the trajectory from the mean face.

    Args:
        stage, layer: zero-based, negative from the end.
        levels: radii in standard deviations.
        trajectory: draw a thin line from the mean face to each landmark.

    Raises:
        TraceError: the model predicts no uncertainty.
    """
    size, scheme = reading.input_size, reading.scheme
    found = ellipses(reading, levels, stage, layer)
    centres, sigma = found.centres * size, found.sigma * size
    mean = np.sqrt(sigma.prod(1))
    steps = Steps(float(mean.max()), widest=2.4)
    caption = f"{found.caption} · colour: square root of sigma x times sigma y, in pixels of the {size} px crop"
    caption += (" · thin lines come from the mean face" if trajectory else "") + covered(reading)
    canvas = Canvas("How sure the model is", caption + " · photograph dimmed", size=size, strip=48, night=True)
    canvas.photo(reading, opacity=DIM)
    canvas.face(centres, scheme, palette.alpha("#FFFFFF", 0.25), 1.0)
    if trajectory:
        start = reading.mean_shape * size
        lines = joined([np.stack([a, b]) for a, b in zip(start, centres, strict=True)])
        canvas.line(lines, palette.alpha("#FFFFFF", 0.45), 0.8)
    chosen = steps.of(mean)
    for step in range(steps.count):
        members = np.flatnonzero(chosen == step)
        if not len(members):
            continue
        for rank, level in enumerate(sorted(levels, reverse=True)):
            rings = joined([centres[i] + level * sigma[i] * _CIRCLE for i in members])
            share = (rank + 1) / len(levels)
            fill = palette.alpha(steps.colour(step), 0.10 + 0.16 * share)
            canvas.line(rings, steps.colour(step), 0.5 + 0.9 * share, fill="toself", fillcolor=fill)
    words = [f"{w}<br>sigma {s[0]:.2f} x {s[1]:.2f} crop px" for w, s in zip(point_names(reading), sigma, strict=True)]
    canvas.dots(centres, palette.NIGHT_INK, 3.4, hovertext=words, customdata=np.arange(scheme.count))
    weight_legend(canvas, Steps(steps.top, widest=5.0), "sigma, crop px")
    return canvas.figure()


def sigma_bars(reading: Reading, stage: int = -1, layer: int = -1, named: int = 5) -> go.Figure:
    """Every landmark's sigma, the least certain first, coloured by part.

    Args:
        named: how many of the least certain are named.

    Raises:
        TraceError: the model predicts no uncertainty.
    """
    found = sigma_order(reading, stage, layer)
    scheme, top = reading.scheme, float(found.sigma.max())
    count = scheme.count
    worst = ", ".join(f"{scheme.label(int(i))} ({i})" for i in found.index[:named])
    caption = f"{found.caption} · least certain: {worst}{covered(reading)}"
    canvas = Canvas("Who is least certain", caption, width=720, height=250, left=30, bottom=62)
    colours = palette.landmark_colours(scheme)
    canvas.add(
        type="bar", x=np.arange(count), y=found.sigma, width=0.82, hoverinfo="text",
        marker={"color": [colours[i] for i in found.index], "line": {"width": 0}},
        hovertext=[f"<b>{i}</b> {scheme.label(int(i))}<br>sigma {s:.2f} crop px"
                   for i, s in zip(found.index, found.sigma, strict=True)],
        customdata=found.index,
    )  # fmt: skip
    ticks = {"showticklabels": True, "tickfont": {"size": 10, "color": palette.MUTED}}
    canvas.axes(
        0, (-0.8, count - 0.2), (0, 1.08 * top),
        yaxis={**ticks, "showgrid": True, "gridcolor": palette.FAINT, "nticks": 5},
    )  # fmt: skip
    per_pixel = 1.08 * top / 250
    canvas.text(count - 0.5, 1.04 * top, "sigma, crop px", size=11, anchor="right", colour=palette.MUTED)
    for place, i in enumerate(found.index):
        if count <= 70 or place % 2 == 0:
            canvas.text(place, -9 * per_pixel, str(i), size=7.5, anchor="center", colour=palette.MUTED)
    _bar_legend(canvas, reading, count / 720, per_pixel)
    return canvas.figure()


def _bar_legend(canvas: Canvas, reading: Reading, x_unit: float, y_unit: float) -> None:
    parts = [part for part in palette.PART_COLOURS if part in reading.scheme.part_of]
    for k, part in enumerate(parts):
        x = -0.5 + (k * 720 / len(parts)) * x_unit
        for shift, side in enumerate(("image left", "image right")):
            place = x + 10 * shift * x_unit
            canvas.text(place, -39 * y_unit, "■", size=13, colour=palette.shade(part, side))
        canvas.text(x + 25 * x_unit, -39 * y_unit, palette.PART_NAMES[part], size=11)


def patches(reading: Reading, stage: int | None = None) -> go.Figure:
    """The patches of every stage (or one), coloured by what set their size: floor, variance or ceiling.

    Args:
        stage: zero-based, negative from the end; None shows all side by side.

    Raises:
        TraceError: the model reads no patches, or there is no such stage.
    """
    found = patch_states(reading)
    stages, size = len(found.rects), reading.input_size
    shown = list(range(stages)) if stage is None else [check_index("stage", stage, stages)]
    caption = f"{found.caption} · in the {size} px crop · dots: where the patches were centred · photograph dimmed"
    caption += covered(reading)
    canvas = Canvas(
        "Where the model looked", caption, columns=len(shown), width=612 if len(shown) == 1 else 360, size=size,
        strip=34, night=True, heads=True,
    )  # fmt: skip
    for column, index in enumerate(shown):
        canvas.photo(reading, column, opacity=DIM)
        rects = found.rects[index] * size
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
        for state in STATES:
            members = np.flatnonzero(found.states[index] == state)
            if len(members):
                boxes = joined([rects[i, :2] + corners * rects[i, 2:] for i in members])
                canvas.line(boxes, palette.alpha(palette.STATE_COLOURS[state], 0.8), 1.1, column,
                            palette.STATE_DASHES[state])  # fmt: skip
        centres = reading.mean_shape if index == 0 else reading.points(index - 1)
        canvas.dots(centres * size, palette.landmark_colours(reading.scheme), 4.5, column,
                    hovertext=_patch_words(reading, found, index))  # fmt: skip
        side = np.median(rects[:, 2])
        canvas.head(column, f"stage {index + 1} · median side {side:.0f} px")
        state_legend(canvas, found.count(index), column)
    return canvas.figure()


def _patch_words(reading: Reading, found: PatchStates, stage: int) -> list[str]:
    words = []
    for i in range(reading.scheme.count):
        side = found.rects[stage, i, 2] * reading.input_size
        wanted = found.wanted[stage, i]
        rule = "" if np.isnan(wanted) else f"<br>the variance asks for x {wanted:.2f}"
        words.append(f"<b>{i}</b> {reading.scheme.label(i)}<br>{found.states[stage, i]}, side {side:.1f} px{rule}")
    return words


def calibration(result: Calibration) -> go.Figure:
    """Expected against observed coverage of the predicted intervals; the diagonal is perfect."""
    canvas = Canvas("Does sigma match the errors?", result.caption, width=360, left=40, bottom=36)
    ticks = {
        "showticklabels": True, "tickfont": {"size": 10, "color": palette.MUTED}, "tickformat": ".0%",
        "showgrid": True, "gridcolor": palette.FAINT, "tickvals": [0, 0.25, 0.5, 0.75, 1],
    }  # fmt: skip
    canvas.axes(0, (0, 1), (0, 1), xaxis=ticks, yaxis=ticks)
    canvas.line(np.array([[0, 0], [1, 1]]), palette.MUTED, 1, dash="dash")
    curve = np.stack([result.expected, result.observed], 1)
    whole = np.concatenate([[[0, 0]], curve, [[1, 1]]])
    canvas.line(whole, palette.ACCENT, 2.4)
    words = [f"expected {e:.0%}, observed {o:.0%}" for e, o in curve]
    canvas.dots(curve, palette.ACCENT, 6, hovertext=words)
    canvas.text(0.97, 0.05, "interval's expected share →", anchor="right", colour=palette.MUTED)
    canvas.text(0.03, 0.95, "↑ observed share", colour=palette.MUTED)
    return canvas.figure()
