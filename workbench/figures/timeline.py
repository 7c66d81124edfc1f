"""A tracked face over time: how it was found, confidence, head pose, jitter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.errors import DataError
from workbench.explain.timeline import Timeline
from workbench.explain.timeline import timeline as arrays_of
from workbench.figures import palette, style
from workbench.figures.canvas import HAIR, SOFT, Box, Canvas, Panel

if TYPE_CHECKING:
    from workbench.tracking import FilmReading, TrackedFrame

STATE_COLOURS = {"tracked": "#009E73", "detected": "#E69F00", "lost": "#7F868F"}
"""Of a frame; one before a further face turned up stays empty."""
ANGLE_COLOURS = {"yaw": "#0072B2", "pitch": "#D55E00", "roll": "#CC79A7"}
_LEFT, _WIDE = 46.0, 900.0
_STRIP, _CONFIDENCE, _ANGLES, _JITTER = (24.0, 16.0), (76.0, 90.0), (206.0, 130.0), (376.0, 90.0)
"""Top and height of each part."""


def timeline(frames: Sequence[TrackedFrame], title: str = "Tracking", threshold: float = 0.7) -> go.Figure:
    """States, confidence, angles and jitter of tracked frames, one below the other.

    Args:
        frames: as ``workbench.tracking.track`` yields them.
        title: above the figure.
        threshold: confidence above which a face counts as tracked.

    Raises:
        DataError: there is no frame.
    """
    found = arrays_of(frames)
    canvas = Canvas(title, found.caption(threshold), [Box(_LEFT + _WIDE + 8, 496)])
    panel = canvas.panels[0]
    _states(panel, found)
    _lines(panel, _CONFIDENCE, {"confidence": (found.confidence, palette.INK)}, 0.0, 1.0, threshold)
    most = max(30.0, 10 * np.ceil(np.nanmax(np.abs(found.angles), initial=0.0) / 10))
    angles = {name: (found.angles[:, k], colour) for k, (name, colour) in enumerate(ANGLE_COLOURS.items())}
    _lines(panel, _ANGLES, angles, -most, most, 0.0)
    top = float(np.nanmax(found.jitter, initial=0.0)) * 1.1 or 1.0
    _lines(panel, _JITTER, {"jitter, % of the face": (found.jitter, "#56B4E9")}, 0.0, top)
    said = [
        f"frame {k}: {state}<br>confidence {found.confidence[k]:.3f}"
        + ("" if np.isnan(found.angles[k, 0]) else "<br>" + ", ".join(
            f"{name} {value:.0f}°" for name, value in zip(ANGLE_COLOURS, found.angles[k], strict=True)))
        for k, state in enumerate(found.states)
    ]  # fmt: skip
    spots = np.stack([_x(np.arange(len(said)), len(said)), np.full(len(said), _STRIP[0] + 8)], 1)
    panel.dots(spots, palette.INK, 8, alpha=0.0, rim_width=0, words=said, data=np.arange(len(said)))
    bottom = _JITTER[0] + _JITTER[1] + 14
    for value in style.ticks(0, max(1, len(said) - 1), 8):
        panel.text(float(_x(np.array(value), len(said))), bottom, style.number(value), colour=SOFT, anchor="center")
    panel.text(_LEFT + _WIDE, bottom + 14, "frame", colour=SOFT, anchor="right")
    return canvas.figure()


def tracking(reading: FilmReading, face: int = 0) -> go.Figure:
    """The timeline of one face of a film that was followed. Raises DataError: there is no such face."""
    if not 0 <= face < len(reading.faces):
        raise DataError(f"There are {len(reading.faces)} faces in this film, from 0; face {face} is not among them.")
    title = f"Tracking, {reading.film}, {reading.card_title or reading.model_name}"
    return timeline(reading.faces[face], title, reading.threshold)


def _x(frame: np.ndarray, count: int) -> np.ndarray:
    """The middle of a frame's column."""
    return _LEFT + (frame + 0.5) * _WIDE / count


def _states(panel: Panel, found: Timeline) -> None:
    """One column a frame, coloured by how its face was found; a mark above where the detector ran."""
    y, tall = _STRIP
    x = _LEFT
    for state, colour in STATE_COLOURS.items():
        panel.rect(x, 0, 10, 10, fill=colour)
        panel.text(x + 15, 5, state, colour=SOFT)
        x += 40 + style.text_width(state, 11)
    panel.text(x, 5, "▾ the detector ran", colour=SOFT)
    step = _WIDE / len(found.states)
    for k, (state, ran) in enumerate(zip(found.states, found.searched, strict=True)):
        if state not in STATE_COLOURS:
            continue
        panel.rect(_LEFT + k * step, y, step + 0.3, tall, fill=STATE_COLOURS[state])
        if ran:
            at = _LEFT + (k + 0.5) * step
            panel.polyline(np.array([[at - 4, y - 7], [at + 4, y - 7], [at, y - 1]]), close=True, fill=palette.INK)


def _lines(
    panel: Panel, place: tuple[float, float], lines: dict[str, tuple[np.ndarray, str]], low: float, high: float,
    mark: float | None = None,
) -> None:  # fmt: skip
    """Curves over the frames on one axis, broken where there is no value; ``mark`` is a dashed line."""
    top, tall = place

    def at(value: float) -> float:
        return top + tall - (value - low) / (high - low) * tall

    for value in style.ticks(low, high, 4):
        panel.rect(_LEFT, at(value) - 0.5, _WIDE, 1, fill=HAIR)
        panel.text(_LEFT - 6, at(value), style.number(value), colour=SOFT, anchor="right")
    if mark is not None:
        panel.polyline(np.array([[_LEFT, at(mark)], [_LEFT + _WIDE, at(mark)]]), colour=SOFT, width=1, dash="dash")
    x = _LEFT
    for name, (values, colour) in lines.items():
        panel.text(x, top - 12, name, colour=colour, bold=True)
        x += 24 + style.text_width(name, 11) * 1.1
        columns = _x(np.arange(len(values)), len(values))
        known = np.flatnonzero(np.isfinite(values))
        for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
            points = np.array([[columns[k], at(float(values[k]))] for k in run])
            if len(points) > 1:
                panel.polyline(points, colour=colour, width=1.6)
            elif len(points):
                panel.circle(points[0], 2, fill=colour)
