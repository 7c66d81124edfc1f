"""What the structure encodings have in common: their similarities, and the nearest ones on the mean face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain import Neighbours, Similarity, neighbours, part_statistic, structure_similarity
from workbench.explain.caption_tables import STRUCTURE, STRUCTURE_NEIGHBOURS
from workbench.explain.captions import compose
from workbench.explain.facts import Facts, named, structure_facts
from workbench.explain.structure import PAIR_KINDS
from workbench.figures import marks, palette, style
from workbench.figures.canvas import FAINT, HAIR, SOFT, Box, Canvas, Panel
from workbench.figures.legends import scale_bar
from workbench.figures.matrices import part_matrix, rank_of
from workbench.landmarks.geometry import twins
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.landmarks import Scheme
    from workbench.reading import Reading

RANKS = ((1.0, 3.4, "most similar"), (0.7, 2.2, "second"), (0.42, 1.4, "third"))
"""Place on the colour map and width in pixels of a line to the nearest, second and third encoding, and its name."""
_FURTHER = (0.3, 1.0, "further")
_RIM, _LIST, _FOOT, _PAD = 22, 196, 32, 26
_MATRIX = style.FACE - _LIST - 18 - _RIM
_TOP = _RIM + _MATRIX + 16
_MEAN_FACE = 480


def structure(readings: Reading | Sequence[Reading], landmark: int | None = None, model: int = 0) -> go.Figure:
    """Similarities and mean faces as the Structure explorer saves them, one panel a reading (68 and 98 side by side).

    Args:
        landmark: of the reading ``model``: frames its row, lists its nearest encodings and draws only its lines; the
            landmark at its place in the other reading is shown likewise.

    Raises:
        TraceError: a reading holds no structure encoding, or has no such landmark.
    """
    several = _several(readings)
    found = [structure_similarity(reading) for reading in several]
    focus: list[int | None] = [None] * len(several)
    if landmark is not None:
        mine = several[check_index("model", model, len(several))]
        landmark = check_index("landmark", landmark, mine.scheme.count)
        for at, other in enumerate(several):
            pairs = twins(mine.scheme, mine.mean_shape, other.scheme, other.mean_shape) if at != model else None
            focus[at] = landmark if pairs is None else (pairs[landmark] if pairs[landmark] >= 0 else None)
    boxes = [Box(style.FACE, _TOP + _MEAN_FACE, model_title(reading)) for reading in several]
    canvas = Canvas("Structure encodings", compose(STRUCTURE, structure_facts(several, landmark, model)), boxes)
    for panel, reading, similarity, chosen in zip(canvas.panels, several, found, focus, strict=True):
        _matrix(panel, reading.scheme, similarity, chosen)
        _mean_face(panel, reading, similarity, 3, chosen, top=_TOP, height=_MEAN_FACE)
    return canvas.figure()


def structure_neighbours(readings: Reading | Sequence[Reading], k: int = 3, landmark: int | None = None) -> go.Figure:
    """The mean face alone, each landmark joined to its ``k`` nearest encodings (thesis Fig. 5.3, right).

    Args:
        landmark: only this one's lines, in every reading.

    Raises:
        TraceError: a reading holds no structure encoding, or has no such landmark.
    """
    several = _several(readings)
    found = [structure_similarity(reading) for reading in several]
    if landmark is not None:
        landmark = min(check_index("landmark", landmark, reading.scheme.count) for reading in several)
    name = named(several[0].scheme, landmark)
    if name and len(several) > 1:
        name = f"landmark {landmark}"
    facts: Facts = {"tensor": several[0].structure_path(), "k": max(1, k), "landmark": name}
    boxes = [Box(style.FACE, style.FACE, model_title(reading)) for reading in several]
    canvas = Canvas("Nearest structure encodings", compose(STRUCTURE_NEIGHBOURS, facts), boxes)
    for panel, reading, similarity in zip(canvas.panels, several, found, strict=True):
        _mean_face(panel, reading, similarity, k, landmark, top=0, height=style.FACE)
    return canvas.figure()


def model_title(reading: Reading) -> str:
    """What tells one panel from the other."""
    return f"{reading.scheme.count} points · {reading.model_name}"


def fit_points(points: np.ndarray, width: float, height: float, pad: float) -> np.ndarray:
    """(N, 2) points as pixels, their bounding box in the middle of width x height less a margin; keeps the aspect."""
    low, high = points.min(0), points.max(0)
    room = np.array([width, height]) - 2 * pad
    side = max(1.0, float((room / np.where(high > low, high - low, 1.0)).min()))
    return np.array([width, height]) / 2 + side * (points - (low + high) / 2)


def _matrix(panel: Panel, scheme: Scheme, similarity: Similarity, landmark: int | None) -> None:
    values = similarity.values
    hover = "%{customdata[0]} and %{customdata[1]}<br>cosine %{z:.3f}"
    part_matrix(panel, values, scheme, palette.DIVERGING, (-1.0, 1.0), hover, rim=_RIM, side=_MATRIX, ground=None)
    if landmark is not None:
        step = _MATRIX / scheme.count
        y = _RIM + rank_of(scheme, landmark) * step
        for colour, width in ((palette.alpha("#FFFFFF", 0.9), 3.0), ("#000000", 1.2)):
            panel.rect(_RIM, y, _MATRIX, step, line=width, colour=colour, layer="above")
        middle = y + step / 2
        head = np.array([[_RIM - 1, middle], [_RIM - 9, middle - 5], [_RIM - 9, middle + 5]])
        panel.polyline(head, close=True, fill=palette.INK, layer="above")
    x = _RIM + _MATRIX + 18
    _list(panel, scheme, similarity, landmark, x, _RIM, style.FACE - x)
    bar = min(style.FACE - x - 12, 190)
    scale_bar(panel, x + 6, _RIM + _MATRIX - 24, bar, palette.DIVERGING, -1, 1, "cosine similarity", ink=SOFT)


def _list(
    panel: Panel, scheme: Scheme, similarity: Similarity, landmark: int | None, x: float, y: float, width: float
) -> None:
    """What is most similar to the landmark; without one, how similar four kinds of pairs are."""
    rows: list[tuple[str, float, str | None]]
    if landmark is None:
        found = part_statistic(similarity, scheme)
        means = (found.adjacent, found.mirrored, found.within, found.rest)
        rows = [(name, mean, None) for name, mean in zip(PAIR_KINDS, means, strict=True) if np.isfinite(mean)]
    else:
        near, colours = neighbours(similarity, 5), palette.landmark_colours(scheme)
        pairs = zip(near.index[landmark], near.value[landmark], strict=True)
        rows = [(scheme.label(int(j)), float(v), colours[j]) for j, v in pairs]
    heading = "Mean similarity of" if landmark is None else scheme.label(landmark)
    panel.text(x, y, heading, size=12, bold=True, middle="top", most=width)
    long = width - 46
    zero = x + 0.25 * long
    for k, (words, value, colour) in enumerate(rows):
        top = y + 24 + 34 * k
        if colour:
            panel.circle((x + 4, top + 7), 4, fill=colour)
        left = x + (13 if colour else 0)
        panel.text(left, top, words, size=12, colour=palette.INK if colour else SOFT, middle="top", most=width - 14)
        panel.rect(x, top + 17, long, 7, fill=HAIR)
        end = min(max(zero + value * long * 0.75, x), x + long)
        paint = palette.to_hex(palette.sample(palette.DIVERGING, (value + 1) / 2))
        panel.rect(min(zero, end), top + 17, abs(end - zero), 7, fill=paint, line=1, colour=FAINT)
        panel.rect(zero - 0.5, top + 15, 1, 11, fill=SOFT)
        panel.text(x + long + 8, top + 14, style.number(value), size=12, middle="top")


def _mean_face(
    panel: Panel, reading: Reading, similarity: Similarity, k: int, landmark: int | None, *, top: float, height: float
) -> None:
    scheme = reading.scheme
    points = fit_points(reading.mean_shape, style.FACE, height - _FOOT, _PAD)
    points = points + np.array([0.0, top])
    near = neighbours(similarity, k)
    rows = list(range(scheme.count)) if landmark is None else [landmark]
    panel.rect(0, top, style.FACE, height, fill=palette.NIGHT, layer="below")
    marks.outline(panel, points, scheme, alpha=0.55, width=1)
    for rank in reversed(range(near.index.shape[1])):
        share, width, _ = _look(rank)
        colour = palette.to_hex(palette.sample(palette.ELSEWHERE, share))
        for i in rows:
            marks.arrow(panel, points[i], points[near.index[i, rank]], colour=colour, width=width)
    beside = {landmark, *near.index[landmark].tolist()} if landmark is not None else set()
    every = range(scheme.count)
    panel.dots(
        points, palette.landmark_colours(scheme), [4.5 if i in beside else 2.6 for i in every],
        alpha=[1.0 if landmark is None or i in beside else 0.7 for i in every],
        rim=palette.alpha("#FFFFFF", 0.75), words=_words(scheme, near), data=np.arange(scheme.count),
    )  # fmt: skip
    if landmark is not None:
        for radius, line in ((6, 2.0), (9, 1.2)):
            panel.circle(points[landmark], radius, line=line, colour="#FFFFFF", layer="above")
        at = points[landmark] - [0, top]
        marks.tag(panel, str(landmark), at, style.FACE, height - _FOOT, top)
    x, y = 16.0, top + height - 16
    for rank in range(min(near.index.shape[1], 4)):
        share, width, name = _look(rank)
        colour = palette.to_hex(palette.sample(palette.ELSEWHERE, share))
        panel.polyline(np.array([[x, y], [x + 26, y]]), colour=colour, width=width)
        panel.text(x + 32, y + 0.5, name, colour=palette.NIGHT_MUTED)
        x += 46 + style.text_width(name, 11)


def _look(rank: int) -> tuple[float, float, str]:
    return RANKS[rank] if rank < len(RANKS) else _FURTHER


def _words(scheme: Scheme, near: Neighbours) -> list[str]:
    return [
        f"<b>{i}</b> {scheme.label(i)}"
        + "".join(f"<br>{v:.3f}  {j} {scheme.label(int(j))}" for j, v in zip(index, values, strict=True))
        for i, (index, values) in enumerate(zip(near.index, near.value, strict=True))
    ]


def _several(readings: Reading | Sequence[Reading]) -> list[Reading]:
    return list(readings) if isinstance(readings, Sequence) else [readings]
