"""What is covered and what is made of it, in a row (AODN, Fig. 13), and the spectrum of M."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from workbench.explain.captions import compose
from workbench.explain.occlusion import PHOTO, TITLES, VISIBLE, Occlusion, effective_rank, occlusion_facts
from workbench.explain.occlusion import occlusion as find
from workbench.explain.system_captions import OCCLUSION
from workbench.figures import palette
from workbench.figures.board import SIDE, bars, curve, face_box, small_face
from workbench.figures.canvas import SOFT, Box, Canvas, Panel
from workbench.figures.inside import Span, span_of
from workbench.figures.relations import sheet_title
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.faces import Occluder
    from workbench.reading import Reading


def occlusion(
    reading: Reading,
    rank: int | None = None,
    *,
    baseline: Reading | None = None,
    occluder: Occluder | None = None,
    difference: bool = False,
) -> go.Figure:
    """The row of Fig. 13 with the spectrum of M: photograph, what is visible, gate, face before and after attention.

    Args:
        reading: with the axes that the view records; of the covered crop when there is an occluder.
        rank: the landmarks are those that M would answer, cut to its ``rank`` largest singular values.
        baseline: the same face and model without the occluder.
        occluder: what covers the crop of ``reading``.
        difference: the maps of ``reading`` minus those of ``baseline``.

    Raises:
        TraceError: the model does not tell what is visible, or there is no such rank.
    """
    found = find(reading)
    plain = find(baseline) if baseline is not None else None
    if rank is not None and found.recovered is not None:
        check_index("rank", rank, len(found.recovered))
    mode = "difference" if difference and plain else "with"
    cover: dict[str, Any] = {}
    if occluder is not None:
        cover = {"occluder": occluder.fill, "covered": occluder.width * occluder.height}
    span = _span(found, plain, VISIBLE, mode)
    facts = occlusion_facts(reading, found, "row", span=span[:2], mode=mode, rank=rank, **cover)
    keys = [key for key in TITLES if key in found.tensors]
    boxes = [face_box(TITLES[key]) for key in keys]
    if found.singular is not None:
        name = f"Singular values of M, effective rank {effective_rank(found.singular)} of {len(found.singular)}"
        boxes.append(Box(SIDE + 40, SIDE, name))
    canvas = Canvas(sheet_title(reading), compose(OCCLUSION, facts), boxes)
    points = None if rank is None or found.recovered is None else found.recovered[rank].astype(np.float64)
    for key, panel in zip(keys, canvas.panels, strict=False):
        shown = None if key == PHOTO else _shown(found, plain, key, mode)
        scale = None if shown is None else _span(found, plain, key, mode)
        sheer = "small" if key == VISIBLE and mode == "with" else "large"
        small_face(panel, reading, shown, scale, found.tensors[key], points=points, sheer=sheer, dots=key == PHOTO)
    if found.singular is not None and found.recovered is not None:
        _spectrum(canvas.panels[-1], found.singular, found.recovered * reading.input_size, rank)
    return canvas.figure()


def _shown(found: Occlusion, plain: Occlusion | None, key: str, mode: str) -> np.ndarray:
    values = found.picture(key)
    return values - plain.picture(key) if mode == "difference" and plain else values


def _span(found: Occlusion, plain: Occlusion | None, key: str, mode: str) -> Span:
    """A change about zero; a probability whole; else up to the largest value of both readings."""
    if mode == "difference":
        top = float(np.abs(_shown(found, plain, key, mode)).max()) or 1.0
        return -top, top, palette.DIVERGING
    if key == VISIBLE:
        return 0.0, 1.0, palette.OVER_PHOTO
    both = [found.picture(key), *([plain.picture(key)] if plain else [])]
    return span_of(np.stack(both))


def _spectrum(panel: Panel, singular: np.ndarray, answers: np.ndarray, rank: int | None) -> None:
    """Singular values, and below them how far each rank's answer (R + 1, N, 2) lies from the whole one, in pixels."""
    left, width = 40.0, panel.width - 44
    kept = len(singular) if rank is None else rank
    shade = palette.to_hex(palette.sample(palette.ELSEWHERE, 0.3))
    inside = np.arange(len(singular)) < kept
    rows = np.stack([np.where(inside, singular, 0), np.where(inside, 0, singular)])
    moves = np.linalg.norm(answers - answers[-1], axis=-1).mean(-1)
    said = [f"singular value {k + 1}<br>{v:.4g}<br>without it and all below: {m:.2f} px from the whole answer"
            for k, (v, m) in enumerate(zip(singular, moves[:-1], strict=True))]  # fmt: skip
    bars(panel, rows, left, 4, width, 120, [shade, palette.FAINT], said)
    panel.text(left, 150, "mean px that each rank misses the whole answer by", colour=SOFT)
    places = curve(panel, moves, left, 164, width, 110)
    panel.circle(places[kept], 4, fill=palette.INK)
    panel.text(left, SIDE - 12, "rank 0", colour=SOFT)
    panel.text(left + width, SIDE - 12, f"{len(singular)}", colour=SOFT, anchor="right")
