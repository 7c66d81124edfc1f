"""Whether a predicted spread keeps its promise: the reliability curve, and errors against sigma."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from workbench.explain import Calibration, CalibrationReport
from workbench.figures import palette, style
from workbench.figures.canvas import HAIR, SOFT, Box, Canvas, Panel

_SIDE, _LEFT, _FOOT = 216, 40, 40


def calibration(result: Calibration | CalibrationReport) -> go.Figure:
    """Expected against observed coverage of the predicted intervals; the diagonal is perfect.

    Of a report both curves of the last stage: as predicted, and recalibrated on faces that the scalar has not seen.
    """
    report = result if isinstance(result, CalibrationReport) else None
    caption = result.caption if isinstance(result, Calibration) else f"last stage, {result.count_words()}"
    canvas, panel = _square("Coverage: promised and observed", caption)
    for share in (0, 0.25, 0.5, 0.75, 1):
        _grid(panel, share, f"{share:.0%}")
    panel.polyline(_at(np.array([[0.0, 0.0], [1.0, 1.0]])), colour=SOFT, width=1, dash="dash")
    curves: list[tuple[str, ArrayLike, str, str]] = [("observed", result.observed, palette.ACCENT, "solid")]
    if report:
        curves = [("as predicted", report.observed, palette.PART_COLOURS["outer_lip"], "dot")]
        curves.append(("recalibrated", report.recalibrated, palette.ACCENT, "solid"))
    for k, (name, values, colour, dash) in enumerate(curves):
        curve = np.stack([np.asarray(result.expected), np.asarray(values)], 1)
        panel.polyline(_at(np.concatenate([[[0, 0]], curve, [[1, 1]]])), colour=colour, width=2.2, dash=dash)
        words = [f"{name}: expected {e:.0%}, observed {o:.0%}" for e, o in curve]
        panel.dots(_at(curve), colour, 3, rim=palette.PAPER, words=words, data=curve)
        if report:
            _key(panel, k, name, colour, dash)
    _axes(panel, "promised share →", "↑ observed share")
    return canvas.figure()


def error_against_sigma(report: CalibrationReport) -> go.Figure:
    """Root mean square error against root mean square sigma, in groups of points with like sigma; the diagonal is
    perfect."""
    bins = np.asarray(report.bins)
    caption = f"last stage, recalibrated, {len(bins)} equal groups by σ · root mean squares, % of the crop"
    canvas, panel = _square("Error where it says σ", caption)
    marks = style.ticks(0, float(bins.max()) * 1.02, 4)
    top = max(marks[-1], float(bins.max()) * 1.05)
    for value in marks:
        _grid(panel, value / top, f"{style.number(value)}%")
    panel.polyline(_at(np.array([[0.0, 0.0], [1.0, 1.0]])), colour=SOFT, width=1, dash="dash")
    panel.polyline(_at(bins / top), colour=palette.ACCENT, width=2.2)
    words = [f"σ {style.number(s)} %, error {style.number(e)} %" for s, e in bins]
    panel.dots(_at(bins / top), palette.ACCENT, 3.5, rim=palette.PAPER, words=words, data=bins)
    _axes(panel, "predicted σ →", "↑ error")
    return canvas.figure()


def _square(title: str, caption: str) -> tuple[Canvas, Panel]:
    canvas = Canvas(title, caption, [Box(_LEFT + _SIDE + 10, _SIDE + _FOOT)])
    return canvas, canvas.panels[0]


def _at(points: np.ndarray) -> np.ndarray:
    """[0, 1] with y up -> the panel's pixels."""
    return np.asarray(points * [_SIDE, -_SIDE] + [_LEFT, _SIDE])


def _grid(panel: Panel, share: float, words: str) -> None:
    x, y = _at(np.array([share, share]))
    panel.rect(x - 0.5, 0, 1, _SIDE, fill=HAIR)
    panel.rect(_LEFT, y - 0.5, _SIDE, 1, fill=HAIR)
    panel.text(x, _SIDE + 6, words, colour=SOFT, anchor="center", middle="top")
    if share:
        panel.text(_LEFT - 6, y, words, colour=SOFT, anchor="right")


def _axes(panel: Panel, across: str, up: str) -> None:
    panel.text(_LEFT + _SIDE, _SIDE + 22, across, colour=SOFT, anchor="right", middle="top")
    panel.text(_LEFT + 6, 4, up, colour=SOFT, middle="top")


def _key(panel: Panel, row: int, name: str, colour: str, dash: str) -> None:
    y = _SIDE - 36 + 18 * row
    panel.polyline(np.array([[_LEFT + 112, y], [_LEFT + 136, y]]), colour=colour, width=2.2, dash=dash)
    panel.text(_LEFT + 141, y, name, colour=SOFT)
