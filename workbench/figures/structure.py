"""What the structure encodings know of a face (thesis Fig. 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.explain import neighbours, part_statistic, structure_similarity
from workbench.figures import palette
from workbench.figures.canvas import Canvas
from workbench.figures.legends import Steps, draw_weighted, weight_legend
from workbench.figures.matrices import part_heatmap
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading


def structure(readings: Reading | Sequence[Reading], landmark: int | None = None) -> go.Figure:
    """Cosine similarity of the structure encodings, one panel a reading (68 and 98 side by side).

    Args:
        landmark: frames this landmark's row, of one reading only.

    Raises:
        TraceError: a reading holds no structure encoding.
    """
    several = _several(readings)
    found = [structure_similarity(reading) for reading in several]
    facts = [part_statistic(s, r.scheme).caption for s, r in zip(found, several, strict=True)]
    told = [f"{r.scheme.count} points, {fact}" for r, fact in zip(several, facts, strict=True)]
    caption = " · ".join(
        [found[0].caption if len(found) == 1 else "relation.structure · cosine similarity of the encodings"]
        + (facts if len(facts) == 1 else told)
        + ["they are weights, the same for every photograph", "scale from -1 to 1 about 0, ordered by facial part"]
    )
    width = 520 if len(several) == 1 else 440
    canvas = Canvas(
        "What the structure encodings have in common", caption, columns=len(several), width=width, left=58,
        right=76, heads=len(several) > 1,
    )  # fmt: skip
    for column, (reading, similarity) in enumerate(zip(several, found, strict=True)):
        part_heatmap(
            canvas, similarity.values, reading.scheme, palette.DIVERGING, (-1.0, 1.0), "cosine",
            "%{customdata[0]} and %{customdata[1]}<br>cosine %{z:.3f}", column=column,
            mark=landmark if len(several) == 1 else None, bar=column == len(several) - 1,
        )  # fmt: skip
        if len(several) > 1:
            canvas.head(column, f"{reading.scheme.count} points · {reading.model_name}")
    return canvas.figure()


def structure_neighbours(readings: Reading | Sequence[Reading], k: int = 3, landmark: int | None = None) -> go.Figure:
    """The most similar encodings of each landmark as lines on the mean face (thesis Fig. 5.3, right).

    Args:
        k: how many neighbours of each.
        landmark: only this landmark's, of every reading.

    Raises:
        TraceError: a reading holds no structure encoding, or has no such landmark.
    """
    several = _several(readings)
    found = [neighbours(structure_similarity(reading), k) for reading in several]
    steps = Steps(float(max(f.value.max() for f in found)), palette.ELSEWHERE, widest=4.0)
    chosen = found[0].caption
    if landmark is not None:
        landmark = min(check_index("landmark", landmark, reading.scheme.count) for reading in several)
        name = f"{several[0].scheme.label(landmark)} ({landmark})" if len(several) == 1 else f"landmark {landmark}"
        chosen = f"{chosen.removesuffix(' of each')} of {name}"
    model = f" · {several[0].model_name}, {several[0].scheme.count} points" if len(several) == 1 else ""
    caption = (
        f"relation.structure{model} · {chosen}, by cosine similarity, on the mean face · {steps.words} · "
        "similarities below 0 take the first step"
    )
    canvas = Canvas(
        "The nearest structure encodings", caption, columns=len(several), width=612 if len(several) == 1 else 440,
        size=1.0, strip=48, night=True, heads=len(several) > 1,
    )  # fmt: skip
    for column, (reading, near) in enumerate(zip(several, found, strict=True)):
        points, scheme = reading.mean_shape, reading.scheme
        canvas.face(points, scheme, palette.alpha("#FFFFFF", 0.28), 1.0, column)
        rows = range(scheme.count) if landmark is None else [landmark]
        pieces = [points[[i, j]] for i in rows for j in near.index[i]]
        draw_weighted(canvas, pieces, np.concatenate([near.value[i] for i in rows]), steps, column)
        words = [
            f"<b>{i}</b> {scheme.label(i)}"
            + "".join(
                f"<br>{v:.3f}  {j} {scheme.label(int(j))}" for j, v in zip(near.index[i], near.value[i], strict=True)
            )
            for i in range(scheme.count)
        ]
        canvas.dots(points, palette.landmark_colours(scheme), 7, column, hovertext=words,
                    customdata=np.arange(scheme.count))  # fmt: skip
        if column == 0:
            weight_legend(canvas, steps, "cosine", lead=118 if len(several) == 1 else 64)
        if len(several) > 1:
            canvas.head(column, f"{scheme.count} points · {reading.model_name}")
    return canvas.figure()


def _several(readings: Reading | Sequence[Reading]) -> list[Reading]:
    return list(readings) if isinstance(readings, Sequence) else [readings]
