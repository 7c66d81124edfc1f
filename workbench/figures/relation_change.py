"""The relations that an occluder changes most, on the face."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from workbench.explain import RelationChange
from workbench.figures import palette
from workbench.reading import Reading

_SIDE = 320
_WIDEST = 4.0
_MORE, _LESS = "#d6604d", "#4393c3"


def relation_change(reading: Reading, change: RelationChange) -> go.Figure:
    """A dot a landmark, coloured by the change of the mean weight on it, and the relations that changed most as lines;
    one diverging scale centred on zero, a line's width by the size of its change.

    Args:
        reading: of the uncovered face; whose landmarks are drawn.
        change: from ``explain.relation_change``.
    """
    points, scheme = reading.points(), reading.scheme
    reach = float(np.abs(change.received).max()) or 1.0
    widest = float(np.abs(change.change).max()) or 1.0
    figure = go.Figure()
    for (query, key), value in zip(change.edges, change.change, strict=True):
        figure.add_scatter(
            x=points[[query, key], 0],
            y=points[[query, key], 1],
            mode="lines",
            line={"width": max(0.6, _WIDEST * abs(value) / widest), "color": _MORE if value > 0 else _LESS},
            opacity=0.8,
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        text=[f"{scheme.label(i)} ({i})" for i in range(scheme.count)],
        customdata=change.received,
        hovertemplate="%{text}<br>mean weight on it %{customdata:+.4f}<extra></extra>",
        marker={
            "color": change.received,
            "colorscale": "RdBu_r",
            "cmin": -reach,
            "cmax": reach,
            "size": 9,
            "symbol": np.where(change.covered, "square", "circle"),
            "line": {"width": 1, "color": palette.INK},
            "colorbar": {
                "title": {"text": "change of the mean weight on a landmark", "side": "top"},
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
    ground = Image.fromarray(reading.face.crop(_SIDE))
    place = {"xref": "x", "yref": "y", "x": 0, "y": 0, "sizex": 1, "sizey": 1, "sizing": "stretch", "layer": "below"}
    figure.update_layout(
        images=[{**place, "source": ground, "opacity": 0.55}],
        xaxis={**axis, "constraintoward": "left"},
        yaxis={**axis, "range": [1, 0], "scaleanchor": "x"},
        showlegend=False,
        margin={"l": 0, "r": 0, "t": 0, "b": 60},
        height=400,
    )
    return figure
