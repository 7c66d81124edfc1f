"""A model over a whole set: its mean weights between landmarks, how far they reach, and labels in their patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from workbench.errors import TraceError
from workbench.explain import order_by_part
from workbench.explain.caption_tables import STUDY, STUDY_TARGETS
from workbench.explain.captions import compose
from workbench.explain.relations import RelationKind, relation_kinds
from workbench.figures import palette, style
from workbench.figures.canvas import HAIR, SOFT, Box, Canvas, Panel, pixels_uri
from workbench.figures.legends import brackets, scale_bar
from workbench.landmarks import Scheme, get_scheme
from workbench.tracing import Trace, check_index

if TYPE_CHECKING:
    from workbench.evaluation.study import Study

_CELL, _GAP, _LEFT, _TOP = 176, 14, 34, 34
_CHART, _AXIS = 300, 40
_COLOURS = (palette.ACCENT, *(palette.PART_COLOURS[part] for part in ("outer_lip", "eyes", "nose")))
_PATCH = 250


def study(found: Study, stage: int = -1) -> go.Figure:
    """The mean weights of every layer, and how far they reach in every stage (thesis Fig. 4.9 and 5.7).

    Args:
        found: of a model with weights between landmarks.
        stage: whose matrices are drawn.

    Raises:
        TraceError: the model has no such weights, or there is no such stage.
    """
    scheme, kinds = get_scheme(found.meta["scheme"]), _kinds(found)
    layers = max(len(kind.paths) for kind in kinds)
    maps = {path: _mean(found, path, stage) for kind in kinds for path in kind.paths}
    tops = [max(float(maps[path].max()) for path in kind.paths) for kind in kinds]
    stages = max(len(values) for values in found.distances().values())
    facts = {
        "words": found.words(), "model": found.meta["model"], "stage": check_index("stage", stage, stages) + 1,
        "stages": stages, "uniform": found.meta["uniform"],
        "idle": ", ".join(f"layer {i + 1} of {kind.title}" for kind in kinds for i in kind.idle) or None,
    }  # fmt: skip
    wide, tall = layers * (_CELL + _GAP) - _GAP, len(kinds) * (_CELL + _GAP) - _GAP
    foot = 44 + 16 * (max(0, len(kinds) - 1) // 2)
    boxes = [Box(_LEFT + wide, _TOP + tall + foot), Box(_AXIS + _CHART, _TOP + tall + foot)]
    canvas = Canvas(f"Mean weights, {found.meta['model']}, {found.words()}", compose(STUDY, facts), boxes)
    grid, chart = canvas.panels
    for row, (kind, top) in enumerate(zip(kinds, tops, strict=True)):
        y = _TOP + row * (_CELL + _GAP)
        grid.text(10, y + _CELL / 2, kind.title, colour=SOFT, anchor="center", turned=True)
        for column, path in enumerate(kind.paths):
            x = _LEFT + column * (_CELL + _GAP)
            _matrix(grid, maps[path], scheme, top, x, y)
            if not row:
                grid.text(x + _CELL / 2, 4, f"layer {column + 1}", colour=SOFT, anchor="center", middle="top")
        share = (wide - 2 * _GAP * (len(kinds) - 1)) / len(kinds)
        at = _LEFT + row * (share + 2 * _GAP)
        scale_bar(grid, at, _TOP + tall + 16, share, palette.OVER_PHOTO, 0.0, top, f"{kind.title}, mean weight")
    _reach(chart, found, kinds, stages, tall)
    return canvas.figure()


def study_targets(found: Study, landmark: int | None = None, stage: int = -1) -> go.Figure:
    """Where the labels lie in the patches of three landmarks (thesis Fig. 5.8).

    Args:
        found: of a model that reads patches.
        landmark: the first of them; None takes the one whose labels leave their patch most often, one in the middle,
            and the best. With one given it stands alone.
        stage: of the patches; the last by default.

    Raises:
        TraceError: the model reads no patches, or there is no such stage or landmark.
    """
    if "targets" not in found.tensors:
        raise TraceError(f"{found.meta['model']} reads no patches; choose a study of a model that does.")
    counts, inside = (found.tensors[name].numpy() for name in ("targets", "inside"))
    stage = check_index("stage", stage, len(counts))
    scheme, bins, reach = get_scheme(found.meta["scheme"]), found.meta["bins"], found.meta["reach"]
    order = np.argsort(inside[stage], kind="stable")
    chosen = [int(order[0]), int(order[len(order) // 2]), int(order[-1])]
    if landmark is not None:
        chosen = [check_index("landmark", landmark, scheme.count)]
    facts = {
        "words": found.words(), "model": found.meta["model"], "stage": stage + 1, "stages": len(counts),
        "bins": bins, "reach": 100 * reach,
    }  # fmt: skip
    boxes = [Box(_PATCH, _PATCH + 34, f"{scheme.label(i)}: {100 * inside[stage, i]:.1f} % inside") for i in chosen]
    canvas = Canvas(f"Labels in their patches, {found.meta['model']}", compose(STUDY_TARGETS, facts), boxes)
    for panel, i in zip(canvas.panels, chosen, strict=True):
        values = counts[stage, i]
        top = float(values.max()) or 1.0
        pixels = palette.sample(palette.OVER_PHOTO, values / top).repeat(8, 0).repeat(8, 1)
        panel.image(pixels_uri(pixels), 0, 0, _PATCH, _PATCH)
        edge, side = _PATCH * reach / (1 + 2 * reach), _PATCH / (1 + 2 * reach)
        panel.rect(edge, edge, side, side, line=1.6, colour="#FFFFFF", layer="above")
        scale_bar(panel, 0, _PATCH + 10, _PATCH, palette.OVER_PHOTO, 0.0, top, "labels a cell")
    return canvas.figure()


def _kinds(found: Study) -> list[RelationKind]:
    means = Trace()
    means.meta = {"idle": found.meta["idle"]}
    for name, entry in found.tensors.items():
        if name.startswith("mean/"):
            means[name.removeprefix("mean/")] = entry
    kinds = relation_kinds(means)
    if not kinds:
        raise TraceError(f"{found.meta['model']} has no weights between landmarks; its study has other numbers.")
    return kinds


def _mean(found: Study, path: str, stage: int) -> np.ndarray:
    """(N, N) the mean over faces and heads."""
    entry = found.tensors[f"mean/{path}"]
    if "stage" in entry.axes:
        check_index("stage", stage, entry.shape["stage"])
        entry = entry.at(stage=stage)
    return (entry.mean("head") if "head" in entry.axes else entry).numpy()


def _matrix(panel: Panel, values: np.ndarray, scheme: Scheme, top: float, x: float, y: float) -> None:
    order = order_by_part(scheme)
    shown = values[np.ix_(order.index, order.index)]
    names = [scheme.label(int(i)) for i in order.index]
    step = _CELL / scheme.count
    panel.add(
        type="heatmap", z=shown, x0=x + step / 2, dx=step, y0=y + step / 2, dy=step, showscale=False,
        colorscale=palette.colourscale(palette.OVER_PHOTO), zmin=0, zmax=top,
        customdata=[[f"{q} → {k}" for k in names] for q in names],
        hovertemplate="%{customdata}<br>mean weight %{z:.4f}<extra></extra>", hoverinfo="z",
    )  # fmt: skip
    brackets(panel, order, x, y, _CELL, names=False)


def _reach(panel: Panel, found: Study, kinds: list[RelationKind], stages: int, tall: float) -> None:
    """Mean distance by layer: one line a kind and stage, the last one strongest, and what uniform weights would do."""
    distances, uniform = found.distances(), float(found.meta["uniform"])
    layers = max(len(kind.paths) for kind in kinds)
    highest = max(uniform, *(float(v.mean(-1).max()) for v in distances.values()))
    marks = style.ticks(0, highest * 1.05, 5)
    top = max(marks[-1], highest * 1.08)

    def at(layer: float, value: float) -> tuple[float, float]:
        return _AXIS + (layer + 0.5) / layers * _CHART, _TOP + tall * (1 - value / top)

    panel.text(_AXIS, 4, "mean distance of what is looked at, inter-ocular", colour=SOFT, middle="top")
    for value in marks:
        y = at(0, value)[1]
        panel.rect(_AXIS, y - 0.5, _CHART, 1, fill=HAIR)
        panel.text(_AXIS - 6, y, style.number(value), colour=SOFT, anchor="right")
    for layer in range(layers):
        panel.text(at(layer, 0)[0], _TOP + tall + 6, f"layer {layer + 1}", colour=SOFT, anchor="center", middle="top")
    level = at(0, uniform)[1]
    panel.polyline(np.array([[_AXIS, level], [_AXIS + _CHART, level]]), colour=SOFT, width=1.2, dash="dash")
    panel.text(_AXIS + 4, level - 8, f"uniform {style.number(uniform)}", colour=SOFT)
    for k, kind in enumerate(kinds):
        colour = _COLOURS[k % len(_COLOURS)]
        values = np.stack([distances[path].mean(-1) for path in kind.paths])  # (layer, stage)
        for stage in range(values.shape[1]):
            last = stage == values.shape[1] - 1
            line = np.array([at(i, v) for i, v in enumerate(values[:, stage])])
            panel.polyline(line, colour=palette.alpha(colour, 1 if last else 0.4), width=2.4 if last else 1.2)
            words = [
                f"{kind.title}, layer {i + 1}, stage {stage + 1} of {stages}: {v:.3f}"
                for i, v in enumerate(values[:, stage])
            ]
            panel.dots(
                line, palette.alpha(colour, 1 if last else 0.4), 3 if last else 2, rim=palette.PAPER, words=words
            )
        y = _TOP + tall + 30 + 16 * (k // 2)
        x = _AXIS + (k % 2) * _CHART / 2
        panel.polyline(np.array([[x, y], [x + 18, y]]), colour=colour, width=2.4)
        panel.text(x + 23, y, kind.title, colour=SOFT)
