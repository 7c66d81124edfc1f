"""The sheet every figure is drawn on: a title, panels in screen pixels, one caption below.

Its measures are those of the widgets' saved sheets (``layout`` in sheet.js). Every panel has axes of its own whose
units are pixels of the sheet, from its upper left corner, y down.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from workbench.figures import palette, style
from workbench.figures.sheet import Sheet

if TYPE_CHECKING:
    from workbench.reading import Reading

FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
DASHES = {"dot": "2px,3px", "dash": "7px,4px"}
PHOTO_SIDE = 640
SOFT, FAINT, HAIR = (palette.mix(palette.INK, palette.PAPER, 1 - share) for share in (0.68, 0.28, 0.12))
"""Ink on a light page for words that stand back, for outlines and for lines of a grid; ``theme`` in page.js."""

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 12, "color": palette.INK},
        "paper_bgcolor": palette.PAPER,
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {
            "bgcolor": palette.INK,
            "bordercolor": palette.INK,
            "font": {"family": FONT, "size": 12, "color": palette.NIGHT_INK},
            "align": "left",
        },
        "showlegend": False,
        "dragmode": "pan",
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.MUTED, "activecolor": palette.ACCENT},
    }
)


@dataclass(frozen=True)
class Box:
    """Where a panel lies: its size in pixels, a heading above it, and its ground."""

    width: float
    height: float
    title: str = ""
    ground: str | None = None


class Canvas:
    """Collects what a figure shows: a title, panels side by side, a caption.

    Args:
        title: one line.
        caption: as ``explain.captions.compose`` makes it.
        boxes: the panels, from left to right.
    """

    def __init__(self, title: str, caption: str, boxes: Sequence[Box]) -> None:
        row = sum(box.width for box in boxes) + style.GAP * (len(boxes) - 1)
        tall = max(box.height for box in boxes)
        top = style.MARGIN + style.TITLE + 14 + (24 if any(box.title for box in boxes) else 0)
        lines = wrap(caption, row)
        below = 14 + style.LINE * len(lines) + style.MARGIN - 4
        self.data: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {
            "template": TEMPLATE,
            "width": round(row + 2 * style.MARGIN),
            "height": round(top + tall + below),
            "margin": {"l": style.MARGIN, "r": style.MARGIN, "t": top, "b": below, "pad": 0},
            "shapes": [],
            "images": [],
            "meta": {"caption": caption, "title": title},
            "annotations": [
                _paper(f"<b>{escape(title, False)}</b>", 0, top - style.MARGIN, style.TITLE, palette.INK),
                *(
                    _paper(escape(line, False), 0, -tall - 14 - style.LINE * k, style.CAPTION, SOFT)
                    for k, line in enumerate(lines)
                ),
            ],
        }
        self.panels: list[Panel] = []
        x = 0.0
        for k, box in enumerate(boxes):
            tail = str(k + 1) if k else ""
            frame = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "showline": False}
            self.layout[f"xaxis{tail}"] = {
                "domain": [x / row, (x + box.width) / row], "range": [0, box.width], "anchor": f"y{tail}", **frame,
            }  # fmt: skip
            self.layout[f"yaxis{tail}"] = {
                "domain": [1 - box.height / tall, 1], "range": [box.height, 0], "anchor": f"x{tail}",
                "scaleanchor": f"x{tail}", "constrain": "domain", "constraintoward": "top", **frame,
            }  # fmt: skip
            self.layout[f"xaxis{tail}"]["constrain"] = "domain"
            panel = Panel(self, tail, box.width, box.height)
            if box.ground:
                panel.rect(0, 0, box.width, box.height, fill=box.ground, layer="below")
            if box.title:
                self.layout["annotations"].append(_paper(f"<b>{escape(box.title, False)}</b>", x, 22, 13, palette.INK))
            self.panels.append(panel)
            x += box.width + style.GAP

    def figure(self) -> go.Figure:
        """The finished Plotly figure."""
        return Sheet({"data": self.data, "layout": self.layout}, skip_invalid=False)


class Panel:
    """One panel of a canvas; places and lengths are pixels of the sheet from its upper left corner.

    Shapes lie between pictures and traces, in the order in which they are drawn; ``layer="above"`` puts one on top.
    """

    def __init__(self, canvas: Canvas, tail: str, width: float, height: float) -> None:
        self.canvas, self.width, self.height = canvas, width, height
        self.x, self.y = f"x{tail}", f"y{tail}"

    def add(self, **trace: Any) -> None:
        """Add a Plotly trace."""
        self.canvas.data.append({"hoverinfo": "skip", "xaxis": self.x, "yaxis": self.y, **trace})

    def shape(
        self, kind: str, *, colour: str | None = None, width: float = 0, fill: str | None = None, dash: str = "solid",
        opacity: float = 1, layer: str = "between", **place: Any,
    ) -> None:  # fmt: skip
        """A Plotly shape of the kind "path", "rect" or "circle"."""
        line = {"width": width, "color": colour, "dash": DASHES.get(dash, dash)} if colour else {"width": 0}
        shape = {"type": kind, "xref": self.x, "yref": self.y, "layer": layer, "line": line, **place}
        if fill:
            shape["fillcolor"] = fill
        if opacity < 1:
            shape["opacity"] = opacity
        self.canvas.layout["shapes"].append(shape)

    def rect(self, x: float, y: float, width: float, height: float, *, line: float = 0, **more: Any) -> None:
        """A rectangle from its upper left corner; ``line`` is the width of its outline."""
        self.shape("rect", x0=x, y0=y, x1=x + width, y1=y + height, width=line, **more)

    def circle(
        self, middle: Sequence[float] | np.ndarray, rx: float, ry: float | None = None, *, line: float = 0, **more: Any
    ) -> None:
        """A circle, or with ``ry`` an ellipse, around a point."""
        (x, y), ry = middle, rx if ry is None else ry
        self.shape("circle", x0=x - rx, y0=y - ry, x1=x + rx, y1=y + ry, width=line, **more)

    def polyline(self, points: np.ndarray, *, close: bool = False, **more: Any) -> None:
        """Straight lines through (M, 2) points."""
        path = "M" + "L".join(place(point) for point in points) + ("Z" if close else "")
        self.shape("path", path=path, **more)

    def dots(
        self, points: np.ndarray, colours: str | Sequence[str], radius: float | Sequence[float], *,
        alpha: float | Sequence[float] = 1, rim: str = palette.alpha("#000000", 0.65), rim_width: float = 0.8,
        words: Sequence[str] | None = None, symbol: str = "circle", data: Any = None,
    ) -> None:  # fmt: skip
        """Markers at (M, 2) points; ``words`` are what they say when pointed at, ``data`` what a click gives."""
        marker = {
            "color": colours if isinstance(colours, str) else list(colours), "size": 2 * np.asarray(radius, float),
            "opacity": alpha, "line": {"color": rim, "width": rim_width}, "symbol": symbol,
        }  # fmt: skip
        said: dict[str, Any] = {} if words is None else {"hovertext": list(words), "hoverinfo": "text"}
        if data is not None:
            said["customdata"] = data
        self.add(type="scatter", mode="markers", x=points[:, 0], y=points[:, 1], marker=marker, **said)

    def text(
        self, x: float, y: float, words: str, *, size: float = 11, colour: str = palette.INK, anchor: str = "left",
        middle: str = "middle", bold: bool = False, turned: bool = False, most: float | None = None,
    ) -> None:  # fmt: skip
        """Words at a place; ``turned`` to be read from below, ``most`` pixels wide at most."""
        if most is not None and (long := style.text_width(words, size)) > most:
            size *= most / long
        words = escape(words, False)
        self.canvas.layout["annotations"].append(
            {
                "text": f"<b>{words}</b>" if bold else words, "x": x, "y": y, "xref": self.x, "yref": self.y,
                "xanchor": anchor, "yanchor": middle, "showarrow": False, "borderpad": 0,
                "textangle": -90 if turned else 0, "font": {"size": size, "color": colour},
            }
        )  # fmt: skip

    def image(
        self, uri: str, x: float, y: float, width: float, height: float, opacity: float = 1.0, layer: str = "below"
    ) -> None:
        """A picture from its upper left corner, stretched."""
        self.canvas.layout["images"].append(
            {
                "source": uri, "x": x, "y": y, "sizex": width, "sizey": height, "xref": self.x, "yref": self.y,
                "xanchor": "left", "yanchor": "top", "sizing": "stretch", "layer": layer, "opacity": opacity,
            }
        )  # fmt: skip


def place(point: Sequence[float] | np.ndarray) -> str:
    """A point as a path of Plotly's writes it, to a thousandth of a pixel."""
    return f"{_digits(point[0])} {_digits(point[1])}"


def _digits(value: float) -> str:
    return f"{round(float(value), 3) + 0.0:g}" if abs(value) < 1000 else f"{value:.3f}"


def crop_uri(reading: Reading, side: int = PHOTO_SIDE) -> str:
    """The crop as a JPEG data URI of ``side`` pixels."""
    out = io.BytesIO()
    Image.fromarray(reading.face.crop(side)).save(out, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def pixels_uri(pixels: np.ndarray) -> str:
    """(H, W, 3 or 4) uint8 as a PNG data URI."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=6)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def wrap(text: str, width: float) -> list[str]:
    """A caption as lines of at most ``width`` pixels; no line begins with the dot between two clauses."""
    lines: list[str] = []
    for word in text.replace(" · ", "\u00a0· ").split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if not lines or style.text_width(longer, style.CAPTION) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _paper(text: str, x: float, y: float, size: float, colour: str) -> dict[str, Any]:
    """Words whose upper left corner lies x right of and y above the first panel's."""
    return {
        "text": text, "x": 0, "y": 1, "xref": "paper", "yref": "paper", "xshift": x, "yshift": y,
        "xanchor": "left", "yanchor": "top", "align": "left", "showarrow": False, "borderpad": 0,
        "font": {"size": size, "color": colour},
    }  # fmt: skip
