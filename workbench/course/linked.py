"""Controls that drive a figure in a notebook cell."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import ipywidgets
import plotly.graph_objects as go

from workbench.errors import WorkbenchError
from workbench.figures.sheet import picture


class Controls(ipywidgets.interactive):
    """Controls above what a function draws; where no kernel runs, a picture of what was drawn first.

    Attributes:
        result: what the function gave back last.
    """

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None or not isinstance(self.result, go.Figure):
            return bundle
        data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
        try:
            data = {**data, "image/jpeg": base64.b64encode(picture(self.result)).decode()}
        except WorkbenchError:  # only a browser can draw it
            return bundle
        return (data, *rest) if rest else data


def controls(draw: Callable[..., Any], **choices: Any) -> Controls:
    """Draw again whenever a control is moved.

    Args:
        draw: (value of every control by name) -> a figure.
        choices: name -> a list of choices (a dropdown), (least, most) or (least, most, step) (a slider), True or
            False (a box to tick), or a widget of ipywidgets, such as ``Play``.
    """
    return Controls(draw, {"auto_display": True}, **choices)
