"""How sure the model is: ellipses and patches on the face, sorted bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import plotly.graph_objects as go

from workbench.errors import TraceError
from workbench.explain import PatchStates, deviation, order_by_part, patch_states
from workbench.explain.caption_tables import UNCERTAINTY
from workbench.explain.captions import compose
from workbench.explain.facts import uncertainty_facts
from workbench.figures import marks, palette, style
from workbench.figures.canvas import FAINT, HAIR, SOFT, Box, Canvas, Panel
from workbench.figures.patches import draw_patches, look_of
from workbench.figures.relations import sheet_title
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.faces import Occluder
    from workbench.reading import Reading

Unit = Literal["ocular", "pixel"]
Sort = Literal["sigma", "part"]

VEIL = 0.3
LEVELS = (3, 2, 1)
"""Radii of the ellipses in standard deviations, the largest first."""
_STROKES = {1: 0.95, 2: 0.6, 3: 0.35}
_HEAD, _FOOT, _GUTTER, _KEYS = 48, 20, 12, 30


def uncertainty(
    reading: Reading,
    stage: int | None = -1,
    layer: int = -1,
    landmark: int | None = None,
    *,
    ellipses: bool = True,
    patches: bool = False,
    path: bool = False,
    unit: Unit = "ocular",
    sort: Sort = "sigma",
    recalibrated: bool = False,
    baseline: Reading | None = None,
    occluder: Occluder | None = None,
) -> go.Figure:
    """The predicted distributions as the Uncertainty explorer saves them: ellipses on the face and, beside it, bars.

    Args:
        stage, layer: zero-based, negative from the end; stage None is the mean face, before any stage.
        landmark: stands out from the others.
        ellipses: at 1, 2 and 3 standard deviations.
        patches: those of the stage, or of every stage of the one landmark, coloured by what set their size.
        path: the answers from the mean face up to here.
        unit: of the bars: "ocular" percent of the inter-ocular distance, "pixel" pixels of the crop.
        sort: bars by "sigma", the least certain first, or by "part".
        recalibrated: the sigma times its stage's scalar on the card (``Reading.recalibrated``), the baseline's too.
        baseline: the same face and model without the occluder that covers ``reading``; bars and face show both.
        occluder: what covers the crop of ``reading``.

    Raises:
        TraceError: the model predicts no uncertainty, there is no such stage, layer or landmark, the baseline is of
            another model, or the card tells no scalars.
    """
    reading, baseline = _rescaled(reading, baseline, recalibrated)
    scheme = reading.scheme
    spread = deviation(reading, -1 if stage is None else stage, layer)
    landmark = None if landmark is None else check_index("landmark", landmark, scheme.count)
    if baseline and (baseline.model_name, baseline.scheme.count) != (reading.model_name, scheme.count):
        raise TraceError("The baseline must be the same face read by the same model without the occluder.")
    facts = uncertainty_facts(
        reading, stage, layer, ellipses=ellipses, patches=patches, path=path, compared=baseline is not None,
        **_cover(reading, occluder),
    )  # fmt: skip
    boxes = [Box(style.FACE, style.FACE + (_KEYS if patches else 0)), Box(style.SIDE, style.FACE)]
    canvas = Canvas(sheet_title(reading), compose(UNCERTAINTY, facts), boxes)
    face, side = canvas.panels
    points = (reading.mean_shape if stage is None else reading.points(stage, layer)) * style.FACE
    quiet = 1.0 if landmark is None else 0.5
    marks.photograph(face, reading, veil=VEIL)
    if path:
        marks.outline(face, reading.mean_shape * style.FACE, scheme, alpha=0.35, width=1, colour="#FFFFFF")
    marks.outline(face, points, scheme, alpha=(1.0 if landmark is None else 0.4) * 0.5 + 0.1, width=1)
    if patches:
        states, shown = patch_states(reading), 0 if stage is None else stage % reading.stages
        draw_patches(face, states, shown, landmark)
        _patch_key(face, reading, states, shown)
    if path:
        _path(face, reading, stage, layer, landmark, quiet)
    if baseline and stage is not None:
        for start, end in zip(baseline.points(stage, layer) * style.FACE, points, strict=True):
            white = palette.alpha("#FFFFFF", 0.9 if landmark is None else 0.765)
            face.polyline(np.stack([start, end]), colour=white, width=1.4)
    if ellipses and stage is not None:
        _ellipses(face, points, spread * style.FACE, palette.landmark_colours(scheme), landmark)
    _dots(face, reading, points, spread, landmark)
    _bars(side, reading, stage, layer, landmark, unit, sort, baseline, occluder)
    return canvas.figure()


def sigma_bars(
    reading: Reading, stage: int = -1, layer: int = -1, unit: Unit = "ocular", sort: Sort = "sigma",
    recalibrated: bool = False, baseline: Reading | None = None, occluder: Occluder | None = None,
) -> go.Figure:  # fmt: skip
    """The bars alone; arguments and errors as :func:`uncertainty`."""
    reading, baseline = _rescaled(reading, baseline, recalibrated)
    deviation(reading, stage, layer)
    cover = _cover(reading, occluder)
    facts = uncertainty_facts(reading, stage, layer, ellipses=False, compared=baseline is not None, **cover)
    canvas = Canvas(f"Predicted deviation, {sheet_title(reading)}", compose(UNCERTAINTY, facts), [_BARS])
    _bars(canvas.panels[0], reading, stage, layer, None, unit, sort, baseline, occluder)
    return canvas.figure()


_BARS = Box(style.FACE, style.FACE)


def _rescaled(reading: Reading, baseline: Reading | None, recalibrated: bool) -> tuple[Reading, Reading | None]:
    """Both readings alike: recalibrated when asked for, or when ``reading`` is so already."""
    if not (recalibrated or reading.rescaled):
        return reading, baseline
    return reading.recalibrated(), baseline and baseline.recalibrated()


def nice_top(value: float) -> float:
    """The next round number above a value; ``niceTop`` in uncertainty_numbers.js."""
    if not value > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(m * power for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if m * power >= value * 0.9999))


def in_unit(reading: Reading, unit: Unit, plain: Reading | None = None) -> tuple[float, str, str]:
    """What a normalised length is multiplied by, the unit in words and its sign.

    Args:
        plain: whose outer eye corners give the inter-ocular distance; ``reading``'s by default. A scheme without eye
            corners has pixels.
    """
    corners = reading.scheme.eye_corners
    if unit == "ocular" and corners is not None:
        left, right = (plain or reading).points()[list(corners)]
        distance = round(float(np.hypot(*(right - left))), 6)
        if distance > 1e-6:
            return 100 / distance, "% of the inter-ocular distance", "%"
    return float(reading.input_size), f"pixels of the {reading.input_size} px crop", " px"


def _ellipses(panel: Panel, centres: np.ndarray, sigma: np.ndarray, colours: list[str], landmark: int | None) -> None:
    for i, ((x, y), (sx, sy), colour) in enumerate(zip(centres, sigma, colours, strict=True)):
        strength = 1.25 if i == landmark else 1.0 if landmark is None else 0.5
        for k in LEVELS:
            fill = palette.alpha(colour, 0.1 * strength)
            stroke = palette.alpha(colour, min(1.0, _STROKES[k] * strength))
            if k == 1:
                white = palette.alpha("#FFFFFF", 0.22 * strength)
                panel.circle((x, y), k * sx, k * sy, fill=fill, line=2.4, colour=white)
                fill = ""
            panel.circle((x, y), k * sx, k * sy, fill=fill, line=1.3 if k == 1 else 0.9, colour=stroke)


def _dots(panel: Panel, reading: Reading, points: np.ndarray, sigma: np.ndarray, landmark: int | None) -> None:
    scheme, size = reading.scheme, reading.input_size
    colours, every = palette.landmark_colours(scheme), range(scheme.count)
    pixels = [" · ".join(style.number(v) for v in pair) for pair in sigma * size]
    panel.dots(
        points, colours, [4.4 if i == landmark else 1.9 for i in every],
        alpha=[1.0 if landmark in (None, i) else 0.8 for i in every],
        words=marks.point_words(reading, [f"<br>σ x · y {words} px of the crop" for words in pixels]),
        data=np.arange(scheme.count),
    )  # fmt: skip
    if landmark is not None:
        for radius, line in ((4.4, 1.6), (8, 1.2)):
            panel.circle(points[landmark], radius, line=line, colour="#FFFFFF", layer="above")
        marks.tag(panel, f"{scheme.label(landmark)} · {landmark}", points[landmark], style.FACE, style.FACE)


def _path(panel: Panel, reading: Reading, stage: int | None, layer: int, landmark: int | None, quiet: float) -> None:
    walked = reading.trajectory() * style.FACE
    last = 0 if stage is None else 1 + stage % reading.stages * reading.layers + layer % reading.layers
    for i, colour in enumerate(palette.landmark_colours(reading.scheme)):
        mine = i == landmark
        share = 1.0 if mine else 0.85 * quiet
        if last:
            panel.polyline(walked[: last + 1, i], colour=palette.alpha(colour, share), width=2.2 if mine else 1.2)
        panel.circle(walked[0, i], 3.4 if mine else 1.6, line=1, colour=palette.alpha("#FFFFFF", share))
    if landmark is not None:
        for k in range(reading.layers, last + 1, reading.layers):
            panel.circle(walked[k, landmark], 3, fill="#FFFFFF")


def _bars(
    panel: Panel, reading: Reading, stage: int | None, layer: int, landmark: int | None, unit: Unit, sort: Sort,
    baseline: Reading | None, occluder: Occluder | None,
) -> None:  # fmt: skip
    """One bar a landmark, as uncertainty_bars.js draws them, with unit and parts above."""
    scheme = reading.scheme
    factor, words, sign = in_unit(reading, unit, baseline)
    pixels = f" ({pixel_words(100 / factor * reading.input_size)} px)" if sign == "%" else ""
    panel.text(0, 0, f"√(σx σy) in {words}{pixels}", size=13, middle="top", most=panel.width)
    x = 0.0
    for part in order_by_part(scheme).parts:
        panel.rect(x, 26, 11, 11, fill=palette.shade(part))
        panel.text(x + 16, 24, palette.PART_NAMES[part], size=13, colour=SOFT, middle="top")
        x += 34 + style.text_width(palette.PART_NAMES[part], 13)
    values = np.zeros(scheme.count) if stage is None else _spread(reading, stage, layer) * factor
    ghosts = None if baseline is None or stage is None else _spread(baseline, stage, layer) * factor
    order = order_by_part(scheme).index if sort == "part" else np.argsort(-values, kind="stable")
    final = stage is not None and (stage % reading.stages, layer % reading.layers) == (
        reading.stages - 1, reading.layers - 1,
    )  # fmt: skip
    others = [] if final else [_spread(reading, k, -1).max() * factor for k in range(reading.stages)]
    top = nice_top(max(values.max(), *(ghosts if ghosts is not None else [0.0]), *others, 0.0))
    wide, tall = panel.width - _GUTTER - 8, panel.height - _HEAD
    row = (tall - _FOOT) / scheme.count

    def at(value: float) -> float:
        return _GUTTER + max(0.0, value) / top * wide

    for value in style.ticks(0, top, max(3, int(panel.width // 90))):
        panel.rect(at(value) - 0.5, _HEAD, 1, tall - _FOOT + 3, fill=HAIR)
        label = style.number(value) + ("" if value else sign)
        half = style.text_width(label, 11) / 2
        place = min(at(value), panel.width - half) if value else at(value)
        panel.text(place, panel.height - 5, label, colour=SOFT, anchor="center" if value else "left", middle="bottom")
    if stage is None:
        words = "The mean face predicts nothing yet."
        panel.text(_GUTTER + 8, _HEAD + tall / 2, words, size=13, colour=SOFT)
        return
    covered = occluder.covers((baseline or reading).points()) if occluder else np.zeros(scheme.count, bool)
    thick = max(1.5, 0.76 * row)
    colours = palette.landmark_colours(scheme)
    for rank, i in enumerate(order):
        y = _HEAD + rank * row
        alpha = 1.0 if landmark in (None, i) else 0.62

        def strip(first: float, last: float, colour: str, share: float, y: float = y, alpha: float = alpha) -> None:
            long = max(0.5, at(last) - at(first))
            panel.rect(at(first), y + (row - thick) / 2, long, thick, fill=palette.alpha(colour, alpha * share))

        if ghosts is None:
            strip(0, values[i], colours[i], 1)
        else:
            old = ghosts[i]
            strip(0, min(old, values[i]), colours[i], 0.55)
            if values[i] > old:
                strip(old, values[i], colours[i], 1)
            if values[i] < old:
                strip(values[i], old, FAINT, 0.6)
            panel.rect(at(old) - 0.75, y + 0.06 * row, 1.5, 0.88 * row, fill=palette.alpha(palette.INK, alpha))
        if covered[i]:
            panel.rect(2, y + 0.15 * row, 5, 0.7 * row, fill=palette.alpha(palette.INK, alpha))
    said = [f"<b>{i}</b> {scheme.label(int(i))}<br>{style.number(values[i])}{sign}" for i in order]
    spots = np.array([[at(values[i]) / 2, _HEAD + (rank + 0.5) * row] for rank, i in enumerate(order)])
    panel.dots(spots, palette.INK, row / 2, alpha=0.0, rim_width=0, words=said, data=order)
    if landmark is not None:
        rank = int(np.flatnonzero(order == landmark)[0])
        text = f"{style.number(values[landmark])}{sign}  {scheme.label(landmark)} · {landmark}"
        long = 1.06 * style.text_width(text, 12) + 12
        end = at(max(values[landmark], ghosts[landmark] if ghosts is not None else 0.0))
        left = min(end + 6, panel.width - long - 2)
        y = _HEAD + min(max((rank + 0.5) * row - 10, 0), tall - _FOOT - 20)
        ground = palette.alpha(palette.PAPER, 0.94)
        panel.rect(left, y, long, 20, fill=ground, line=1, colour=FAINT, layer="above")
        panel.text(left + 6, y + 10.5, text, size=12, bold=True)


def _spread(reading: Reading, stage: int, layer: int) -> np.ndarray:
    """(N,) square root of sigma x times sigma y, normalised."""
    return np.asarray(np.sqrt(deviation(reading, stage, layer).prod(1)))


def pixel_words(value: float) -> str:
    """A length in pixels of the crop; ``px`` in uncertainty_state.js."""
    return f"{value:.{2 if value < 9.995 else 1}f}"


def _cover(reading: Reading, occluder: Occluder | None) -> dict[str, Any]:
    """What the caption says of what covers the crop."""
    if occluder is not None:
        return {"occluder": occluder.fill, "covered": occluder.width * occluder.height}
    return {"occluder": "paint" if reading.face.painted else None, "covered": reading.face.painted}


def _patch_key(panel: Panel, reading: Reading, found: PatchStates, stage: int) -> None:
    """What set the sizes of a stage's patches, in the line below the face; ``drawKeys`` in uncertainty_bars.js."""
    low, high = (style.number(limit) for limit in reading.alignment.size_limits or ())
    first = pixel_words(float(found.rects[0, 0, 2]) * reading.input_size)
    meaning = {
        "first": f"{first} px, the same for all", "fixed": "half the last side", "floor": f"× {low}",
        "active": f"× {found.rule}", "ceiling": f"× {high}",
    }  # fmt: skip
    if stage == 0:
        states = ["first"]
    else:
        states = ["floor", "active", "ceiling"] if found.rule else ["fixed"]
    x, y = 0.0, style.FACE + _KEYS / 2
    counts = found.count(stage)

    def write(words: str) -> float:
        panel.text(x, y, words, size=13)
        return x + style.text_width(words, 13) + 18

    x = write(f"patches of stage {stage + 1}")
    for state in states:
        colour, dash, width = look_of(state)
        panel.rect(x, y - 7, 28, 14, fill="#33363D")
        panel.polyline(np.array([[x + 3, y], [x + 25, y]]), colour=colour, width=width, dash=dash)
        x += 34
        x = write(f"{counts.get(state, 0)} {state} {meaning[state]}")
    if stage:
        write(found.words)
