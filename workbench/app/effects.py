"""What an occluder does to the relations: who is listened to more and who less."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from workbench.app.gallery import data_url
from workbench.explain import attention_matrix
from workbench.faces import Occluder
from workbench.reading import Reading

_EDGES = 12
_SIDE = 320


@dataclass(frozen=True)
class RelationChange:
    """Cross-attention with an occluder against the same without.

    Attributes:
        covered: (N,) which landmarks lie under the occluder, by the answer without it.
        received: (N,) by how much the mean weight on each landmark's patch changed (mean over the N queries).
        edges: (E, 2) the (query, key) pairs whose weight changed most, largest change first.
        change: (E,) by how much.
        before, now: the share of their attention, in [0, 1], that uncovered landmarks give to covered patches.
        caption: the tensor and what was done to it.
    """

    covered: np.ndarray
    received: np.ndarray
    edges: np.ndarray
    change: np.ndarray
    before: float
    now: float
    caption: str

    def sentence(self) -> str:
        """The effect in words."""
        count = int(self.covered.sum())
        if not count:
            return "The occluder covers no landmark; move it onto the face."
        if count == len(self.covered):
            return f"The occluder covers all {count} landmarks, so nobody is left to listen from outside."
        return (
            f"Uncovered landmarks gave the {count} covered patches **{self.before:.1%}** of their attention; "
            f"with the occluder they give **{self.now:.1%}**."
        )


def relation_change(
    reading: Reading, plain: Reading, occluder: Occluder, stage: int | None, layer: int | None
) -> RelationChange:
    """How cross-attention changed under an occluder.

    Args:
        reading, plain: the same face and model with and without the occluder.
        stage: from 0, None the last; layer: from 0, None the mean of all.

    Raises:
        TraceError: the readings hold no attention.
    """
    at = -1 if stage is None else stage
    now, before = (attention_matrix(r, "cross", at, layer, None) for r in (reading, plain))
    covered = occluder.covers(plain.points())
    difference = now.weights - before.weights
    order = np.argsort(-np.abs(difference), axis=None, kind="stable")[:_EDGES]
    edges = np.stack(np.unravel_index(order, difference.shape), axis=1)
    shares = [_share(r.weights, covered) for r in (before, now)]
    caption = f"{now.caption} · with the occluder minus without"
    return RelationChange(
        covered, difference.mean(0), edges, difference[edges[:, 0], edges[:, 1]], shares[0], shares[1], caption
    )


def _share(weights: np.ndarray, covered: np.ndarray) -> float:
    if covered.all() or not covered.any():
        return float(covered.all())
    return float(weights[~covered][:, covered].sum(1).mean())


def change_figure(change: RelationChange, reading: Reading, plain: Reading) -> go.Figure:
    """The face with a dot a landmark, coloured by the change of the weight on its patch, and the relations that
    changed most as lines; one diverging scale centred on zero, thickness and colour by the change."""
    points = plain.points()
    reach = float(np.abs(change.received).max()) or 1.0
    figure = go.Figure()
    widest = float(np.abs(change.change).max()) or 1.0
    for (query, key), value in zip(change.edges, change.change, strict=True):
        figure.add_scatter(
            x=points[[query, key], 0],
            y=points[[query, key], 1],
            mode="lines",
            line={"width": 0.6 + 3.4 * abs(value) / widest, "color": "#d6604d" if value > 0 else "#4393c3"},
            opacity=0.8,
            hoverinfo="skip",
        )
    names = [reading.scheme.label(i) for i in range(reading.scheme.count)]
    figure.add_scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        text=[f"{name} ({i})" for i, name in enumerate(names)],
        customdata=change.received,
        hovertemplate="%{text}<br>mean weight on its patch %{customdata:+.4f}<extra></extra>",
        marker={
            "color": change.received,
            "colorscale": "RdBu_r",
            "cmin": -reach,
            "cmax": reach,
            "size": 9,
            "symbol": np.where(change.covered, "square", "circle"),
            "line": {"width": 1, "color": "#111"},
            "colorbar": {
                "title": {"text": "change of the mean weight on a patch", "side": "top"},
                "orientation": "h",
                "lenmode": "pixels",
                "len": 330,
                "thickness": 8,
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "yanchor": "top",
            },
        },
    )
    axis = {"range": [0, 1], "visible": False, "fixedrange": True, "constrain": "domain"}
    background = Image.fromarray(reading.face.crop(_SIDE))
    figure.update_layout(
        images=[
            {
                "source": data_url(background),
                "xref": "x",
                "yref": "y",
                "x": 0,
                "y": 0,
                "sizex": 1,
                "sizey": 1,
                "sizing": "stretch",
                "opacity": 0.55,
                "layer": "below",
            }
        ],
        xaxis={**axis, "constraintoward": "left"},
        yaxis={**axis, "range": [1, 0], "scaleanchor": "x"},
        showlegend=False,
        margin={"l": 0, "r": 0, "t": 0, "b": 60},
        height=400,
    )
    return figure
