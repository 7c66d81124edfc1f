"""The sheet every figure is drawn on: title above, panels, one caption below. Faces in crop pixels, y down."""

from __future__ import annotations

import base64
import io
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from workbench.figures import palette

if TYPE_CHECKING:
    from workbench.landmarks import Scheme
    from workbench.reading import Reading

FONT = "Inter, 'Source Sans 3', 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
MARGIN, TOP, GAP = 24, 50, 20
CAPTION_SIZE, LINE = 11, 15
PHOTO_SIDE = 512

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 12, "color": palette.INK},
        "paper_bgcolor": palette.PAPER,
        "plot_bgcolor": palette.PAPER,
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


class Canvas:
    """Collects traces and layout for a row of equal panels.

    Args:
        title: short, in words.
        caption: names the tensor, its scale and what was done.
        columns: panels side by side.
        width, height: of a panel in screen pixels, without its strip.
        size: of a panel in data units along x, 0 to ``size``; None leaves the axes to :meth:`axes`.
        strip: height of a legend strip under each panel, in screen pixels.
        left, right, bottom: room around the panels for labels, in screen pixels.
        night: dark panels.
    """

    def __init__(
        self,
        title: str,
        caption: str,
        *,
        columns: int = 1,
        width: float = 612,
        height: float | None = None,
        size: float | None = None,
        strip: float = 0,
        left: float = 0,
        right: float = 0,
        bottom: float = 0,
        heads: bool = False,
        night: bool = False,
    ) -> None:
        height = width if height is None else height
        self.size, self.night, self.columns = size, night, columns
        self.width, self.height = width, height + strip
        self.unit = (size or width) / width  # data units a screen pixel
        self.strip = strip * self.unit
        row = columns * width + (columns - 1) * GAP
        total = row + 2 * MARGIN + left + right
        lines = _wrap(caption, total - 2 * MARGIN)
        top = TOP + (20 if heads else 0)
        below = 16 + bottom + LINE * len(lines) + 12
        self.data: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {
            "template": TEMPLATE,
            "width": round(total),
            "height": round(height + strip + top + below),
            "margin": {"l": MARGIN + left, "r": MARGIN + right, "t": top, "b": below, "pad": 0},
            "plot_bgcolor": palette.NIGHT if night else palette.PAPER,
            "shapes": [],
            "images": [],
            "meta": {"caption": caption, "title": title},
            "annotations": [
                _paper(f"<b>{title}</b>", x=0, y=1, dx=-left, dy=top - 14, top=True, size=16),
                _paper("<br>".join(lines), x=0, y=0, dx=-left, dy=-bottom - 14, top=True,
                       size=CAPTION_SIZE, colour=palette.MUTED),
            ],
        }  # fmt: skip
        for column in range(columns):
            start = column * (width + GAP) / row
            x, y = _axis_names(column)
            self.layout[f"xaxis{x[1:]}"] = {"domain": [start, start + width / row], "anchor": y, **_BARE}
            self.layout[f"yaxis{y[1:]}"] = {"domain": [0, 1], "anchor": x, **_BARE}
            if size is not None:
                tall, edge = size * (height + strip) / width, 0.5 * size / PHOTO_SIDE
                self.axes(column, (-edge, size - edge), (tall - edge, -edge))
                self.layout[f"yaxis{y[1:]}"] |= {"scaleanchor": x, "constrain": "domain"}
                self.layout[f"xaxis{x[1:]}"] |= {"constrain": "domain"}

    @property
    def ink(self) -> str:
        """Colour of text inside a panel."""
        return palette.NIGHT_INK if self.night else palette.INK

    def axes(self, column: int, x: tuple[float, float], y: tuple[float, float], **kinds: dict[str, Any]) -> None:
        """Set the ranges of a panel; ``xaxis=`` and ``yaxis=`` add Plotly properties."""
        for letter, span in (("x", x), ("y", y)):
            key = f"{letter}axis{_axis_names(column)[0][1:]}"
            self.layout[key] |= {"range": list(span), **kinds.get(f"{letter}axis", {})}

    def add(self, column: int = 0, **trace: Any) -> None:
        """Add a trace to a panel."""
        x, y = _axis_names(column)
        self.data.append({"hoverinfo": "skip", "xaxis": x, "yaxis": y, **trace})

    def line(
        self, points: np.ndarray, colour: str, width: float, column: int = 0, dash: str = "solid", **more: Any
    ) -> None:
        """A polyline through (M, 2) data points; NaN rows are gaps."""
        line = {"color": colour, "width": width, "dash": dash}
        self.add(column, type="scatter", mode="lines", x=points[:, 0], y=points[:, 1], line=line, **more)

    def dots(self, points: np.ndarray, colour: str | list[str], size: float, column: int = 0, **more: Any) -> None:
        """Markers at (M, 2) data points, with a thin light rim; ``hovertext=`` makes them answer."""
        rim = {"color": palette.NIGHT if self.night else palette.PAPER, "width": 0.8}
        marker = {"color": colour, "size": size, "line": rim, **more.pop("marker", {})}
        if "hovertext" in more:
            more["hoverinfo"] = "text"
        self.add(column, type="scatter", mode="markers", x=points[:, 0], y=points[:, 1], marker=marker, **more)

    def text(
        self, x: float, y: float, text: str, column: int = 0, size: float = 10.5, colour: str | None = None,
        anchor: str = "left", middle: str = "middle",
    ) -> None:  # fmt: skip
        """Words at a place of a panel in data units, or beside the panel: Plotly hides words that are bound to
        an axis and lie outside its range, so these are bound to the paper and shifted by pixels."""
        ax, ay = _axis_names(column)
        at_x, at_y = self.layout[f"xaxis{ax[1:]}"], self.layout[f"yaxis{ay[1:]}"]
        across, up = _share(x, at_x["range"]), _share(y, at_y["range"])
        inside_x, inside_y = min(max(across, 0), 1), min(max(up, 0), 1)
        if (inside_x, inside_y) == (across, up):
            place = {"x": x, "y": y, "xref": ax, "yref": ay}
        else:
            first, last = at_x["domain"]
            place = {
                "x": first + inside_x * (last - first), "xref": "paper", "xshift": (across - inside_x) * self.width,
                "y": inside_y, "yref": "paper", "yshift": (up - inside_y) * self.height,
            }  # fmt: skip
        font = {"size": size, "color": colour or self.ink}
        self.layout["annotations"].append(
            {**place, "text": text, "xanchor": anchor, "yanchor": middle, "showarrow": False, "borderpad": 0,
             "font": font}
        )  # fmt: skip

    def head(self, column: int, text: str) -> None:
        """A small heading above a panel (needs ``heads=True``)."""
        start, end = self.layout[f"xaxis{_axis_names(column)[0][1:]}"]["domain"]
        del end
        self.layout["annotations"].append(_paper(text, x=start, y=1, dx=0, dy=5, top=False, size=12))

    def shape(self, kind: str, x0: float, y0: float, x1: float, y1: float, column: int = 0, **more: Any) -> None:
        """A "line" or "rect" in data units of a panel."""
        x, y = _axis_names(column)
        self.layout["shapes"].append(
            {"type": kind, "x0": x0, "y0": y0, "x1": x1, "y1": y1, "xref": x, "yref": y, **more}
        )

    def photo(self, reading: Reading, column: int = 0, opacity: float = 1.0) -> None:
        """The crop under a panel. ``opacity`` dims it towards the panel's ground."""
        assert self.size is not None
        half_pixel = 0.5 * self.size / PHOTO_SIDE
        self.image(crop_uri(reading), -half_pixel, -half_pixel, self.size, self.size, column, opacity=opacity)

    def image(
        self, uri: str, x: float, y: float, width: float, height: float, column: int = 0, opacity: float = 1.0
    ) -> None:
        """A picture under a panel; its top left corner and its extent in data units."""
        ax, ay = _axis_names(column)
        self.layout["images"].append(
            {
                "source": uri, "x": x, "y": y, "sizex": width, "sizey": height, "xref": ax, "yref": ay,
                "xanchor": "left", "yanchor": "top", "sizing": "stretch", "layer": "below", "opacity": opacity,
            }
        )  # fmt: skip

    def face(self, points: np.ndarray, scheme: Scheme, colour: str | None, width: float, column: int = 0) -> None:
        """The scheme's polylines through (N, 2) points: one colour, or by part and side with None."""
        if colour is not None:
            self.line(joined([points[list(p)] for p in scheme.polylines() if len(p) > 1]), colour, width, column)
            return
        by_colour: dict[str, list[np.ndarray]] = {}
        for group in scheme.groups:
            for a, b in zip(group.path, group.path[1:], strict=False):
                side = scheme.side_of[a] if scheme.side_of[a] == scheme.side_of[b] else "centre"
                by_colour.setdefault(palette.shade(group.part, side), []).append(points[[a, b]])
        for shade, pieces in by_colour.items():
            self.line(joined(pieces), shade, width, column)

    def figure(self) -> go.Figure:
        """The finished Plotly figure."""
        return go.Figure({"data": self.data, "layout": self.layout}, skip_invalid=False)


_BARE = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "showline": False}


def joined(pieces: list[np.ndarray]) -> np.ndarray:
    """Polylines (M, 2) one after another with NaN rows between, so that one trace draws them all."""
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for piece in pieces for part in (piece, gap)]) if pieces else gap


def crop_uri(reading: Reading, side: int = PHOTO_SIDE) -> str:
    """The crop as a JPEG data URI of ``side`` pixels."""
    out = io.BytesIO()
    Image.fromarray(reading.face.crop(side)).save(out, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def map_uri(values: np.ndarray, name: str) -> str:
    """(H, W) values of 0 to 1 through a colour map of 256 steps, as a PNG data URI."""
    out = io.BytesIO()
    picture = Image.fromarray(np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)).convert("P")
    picture.putpalette(palette.sample(name, np.linspace(0, 1, 256)).tobytes())
    picture.save(out, "PNG", compress_level=6)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def number(value: float) -> str:
    """Two significant digits, as a person writes it; with an exponent only below 0.0001."""
    if value == 0 or not np.isfinite(value):
        return "0" if value == 0 else "?"
    if abs(value) < 1e-4:
        return f"{value:.1e}".replace("e-0", "e-")
    digits = max(0, 1 - int(np.floor(np.log10(abs(value)))))
    return f"{value:.{digits}f}"


def _axis_names(column: int) -> tuple[str, str]:
    tail = "" if column == 0 else str(column + 1)
    return f"x{tail}", f"y{tail}"


def _share(value: float, span: list[float]) -> float:
    return (value - span[0]) / (span[1] - span[0])


def _wrap(text: str, width: float) -> list[str]:
    text = text.replace(" · ", "\u00a0· ")  # a line never starts with the dot
    return textwrap.wrap(text, max(30, int(width / (0.49 * CAPTION_SIZE))), break_long_words=False) or [""]


def _paper(
    text: str, *, x: float, y: float, dx: float, dy: float, top: bool, size: float, colour: str = palette.INK
) -> dict[str, Any]:
    return {
        "text": text, "x": x, "y": y, "xref": "paper", "yref": "paper", "xshift": dx, "yshift": dy,
        "xanchor": "left", "yanchor": "top" if top else "bottom", "align": "left", "showarrow": False,
        "borderpad": 0, "font": {"size": size, "color": colour},
    }  # fmt: skip
