"""A figure in a notebook: Plotly's own form for the kernel's page, and a picture beside it for where only pictures
show (nbviewer, GitHub, the lessons as HTML)."""

from __future__ import annotations

import io
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio
from PIL import Image

from workbench.errors import WorkbenchError
from workbench.figures.raster import pixels

WIDTH = 960
"""Widest picture in pixels."""
LARGEST = 100_000
"""Most bytes of a picture."""


class Sheet(go.Figure):
    """A Plotly figure that a notebook also keeps as a picture."""

    _ipython_display_ = None  # Plotly's own would show without the picture

    def _repr_mimebundle_(self, *args: Any, **options: Any) -> dict[str, Any]:
        if "plotly_mimetype" not in pio.renderers.default:  # somebody chose another way of showing figures
            return dict(super()._repr_mimebundle_(*args, **options))
        shown = {**pio.renderers["plotly_mimetype"].to_mimebundle(self.to_dict()), "text/plain": repr(self)}
        try:
            return {**shown, "image/jpeg": picture(self)}
        except WorkbenchError:  # only a browser can draw it
            return shown

    def __repr__(self) -> str:
        return f"<Figure: {(self.layout.meta or {}).get('title', 'untitled')}>"


def picture(figure: go.Figure) -> bytes:
    """A figure as JPEG, at most :data:`WIDTH` wide and :data:`LARGEST` bytes.

    Raises:
        WorkbenchError: the figure uses something that only a browser draws.
    """
    return jpeg(pixels(figure, min(1.0, WIDTH / float(figure.layout.width or 700))))


def jpeg(image: Image.Image) -> bytes:
    """A picture as JPEG of at most :data:`WIDTH` and :data:`LARGEST`, as fine as that allows."""
    image = image.convert("RGB")
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    for quality in (88, 78, 66, 50, 30, 10):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality, optimize=True)
        if file.tell() <= LARGEST:
            break
    return file.getvalue()
