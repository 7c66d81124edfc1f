"""Draws the part of Plotly that our figures use with Matplotlib, so that PNG and SVG need no browser.

Positions follow Plotly's own rules: one screen pixel is one point, domains lie inside the margins, shapes and
annotations refer to an axis or to the paper.
"""

from __future__ import annotations

import base64
import io
import re
from html import unescape
from typing import Any

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Ellipse, Patch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D
from PIL import Image

from workbench.errors import WorkbenchError
from workbench.figures.style import TEXT_SCALE

Colour = tuple[float, float, float, float]

_DASHES: dict[str, Any] = {"solid": "solid", "dot": (0, (1, 2.2)), "dash": (0, (5, 3))}
_SYMBOLS = {"circle": "o", "circle-open": "o", "square": "s", "diamond": "D", "diamond-open": "D"}
_FONTS = ["DejaVu Sans", "sans-serif"]  # the one font that Matplotlib brings along
_LAYERS = {"below": 0.3, "between": 1.2, "above": 3.0}
_BASELINES = {"top": 0.8, "middle": 0.32, "bottom": -0.2}
"""How far the letters' foot lies below an annotation's place, in parts of their size; as in recorder.js."""
_STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "workbench"}
_ONE = 1e-5  # what is drawn later lies above


def render(figure: go.Figure, kind: str, scale: float = 2.0) -> bytes:
    """A figure as "png" or "svg" bytes.

    Args:
        scale: pixels of a PNG for each pixel of the layout.

    Raises:
        WorkbenchError: the figure uses something that only a browser draws.
    """
    with mpl.rc_context(_STYLE):
        page = _drawn(figure, kind, scale)
        out = io.BytesIO()
        metadata = {"Software": "workbench"} if kind == "png" else {"Date": None, "Creator": "workbench"}
        meta = figure.layout.meta
        caption = (meta or {}).get("caption") if isinstance(meta, dict) else None
        if caption:
            metadata["Description"] = caption
        page.savefig(out, format=kind, facecolor=page.get_facecolor(), metadata=metadata)
    return out.getvalue()


def pixels(figure: go.Figure, scale: float = 1.0) -> Image.Image:
    """A figure as a picture, RGB; arguments and errors as of :func:`render`."""
    with mpl.rc_context(_STYLE):
        canvas: Any = _drawn(figure, "png", scale).canvas
        canvas.draw()
        return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _drawn(figure: go.Figure, kind: str, scale: float) -> Figure:
    layout = figure.layout
    width, height = float(layout.width or 700), float(layout.height or 450)
    paper = _colour(_setting(figure, "paper_bgcolor", "#FFFFFF"))
    page = Figure(figsize=(width / 72, height / 72), dpi=72 * scale, facecolor=paper)
    (FigureCanvasAgg if kind == "png" else FigureCanvasSVG)(page)
    panels = _panels(page, figure, width, height)
    for k, trace in enumerate(figure.data):
        _draw_trace(panels, trace, k)
    for image in layout.images:
        _draw_image(panels[_axis_id(image.xref)], image)
    for k, shape in enumerate(figure.to_plotly_json()["layout"].get("shapes", ())):  # thousands, as plain values
        order = _LAYERS[shape.get("layer", "above")] + _ONE * k
        _draw_shape(panels[_axis_id(shape.get("xref"))], shape, order)
    room = _room(layout, width, height)
    for note in layout.annotations:
        _draw_note(page, panels, note, room, (width, height))
    return page


def _setting(figure: go.Figure, name: str, default: str) -> str:
    """A layout property, else the template's, else the default."""
    return figure.layout[name] or figure.layout.template.layout[name] or default


def _room(layout: Any, width: float, height: float) -> tuple[float, float, float, float]:
    """Left, bottom, width, height of the plot area in pixels from the lower left corner."""
    m = layout.margin
    left, right, top, bottom = (
        float(v if v is not None else d) for v, d in ((m.l, 80), (m.r, 80), (m.t, 100), (m.b, 80))
    )
    return left, bottom, width - left - right, height - top - bottom


def _axis_id(name: str | None) -> str:
    """ "x2" or "y2" -> "2"; "x" -> ""."""
    return re.sub(r"^[xy]", "", (name or "x").split(" ")[0])


def _panels(page: Figure, figure: go.Figure, width: float, height: float) -> dict[str, Axes]:
    left, bottom, wide, tall = _room(figure.layout, width, height)
    ground = _setting(figure, "plot_bgcolor", "#FFFFFF")
    panels: dict[str, Axes] = {}
    for key in figure.layout:
        if not str(key).startswith("xaxis"):
            continue
        tail = str(key)[5:]
        x, y = figure.layout[key], figure.layout[f"yaxis{tail}"]
        if x.range is None or y.range is None:
            if not any(_axis_id(trace.xaxis) == tail for trace in figure.data):
                continue
            raise WorkbenchError("A figure without fixed axis ranges can only be saved as .html or .json.")
        (x0, x1), (y0, y1) = x.domain or (0, 1), y.domain or (0, 1)
        box = ((left + x0 * wide) / width, (bottom + y0 * tall) / height,
               (x1 - x0) * wide / width, (y1 - y0) * tall / height)  # fmt: skip
        panel = page.add_axes(box, facecolor=_colour(ground))
        panel.set_xlim(*x.range)
        panel.set_ylim(*y.range)
        _ticks(panel, x, y)
        panels[tail] = panel
    return panels


def _ticks(panel: Axes, x: Any, y: Any) -> None:
    for spine in panel.spines.values():
        spine.set_visible(False)
    for which, axis in ((panel.xaxis, x), (panel.yaxis, y)):
        if not axis.showticklabels:
            which.set_ticks([])
            continue
        if axis.tickvals is not None:
            which.set_ticks(list(axis.tickvals))
        else:
            which.set_major_locator(mpl.ticker.MaxNLocator(axis.nticks or 6))
        if axis.tickformat == ".0%":
            which.set_major_formatter(mpl.ticker.PercentFormatter(1, decimals=0))
        size = float(axis.tickfont.size or 11) * TEXT_SCALE
        which.set_tick_params(length=0, labelsize=size, labelcolor=_colour(axis.tickfont.color or "#000000"), pad=5)
        for label in which.get_ticklabels():
            label.set_fontfamily(_FONTS)
        if axis.showgrid:
            which.grid(True, color=_colour(axis.gridcolor or "#DDDDDD"), linewidth=0.8)
            panel.set_axisbelow(True)


def _draw_trace(panels: dict[str, Axes], trace: Any, k: int) -> None:
    kinds = {"scatter": _draw_scatter, "heatmap": _draw_heatmap, "bar": _draw_bar}
    if trace.type not in kinds:
        raise WorkbenchError(
            f"A figure with a '{trace.type}' trace can only be saved as .html or .json; PNG and SVG hold "
            f"{', '.join(kinds)}."
        )
    kinds[trace.type](panels[_axis_id(trace.xaxis)], trace, 2 + _ONE * k)


def _draw_scatter(panel: Axes, trace: Any, order: float) -> None:
    x, y = (np.array([np.nan if v is None else v for v in values], float) for values in (trace.x, trace.y))
    opacity = 1.0 if trace.opacity is None else float(trace.opacity)
    mode = trace.mode or "lines"
    if trace.fill not in (None, "none"):
        raise WorkbenchError("A filled line can only be drawn in .html; save the figure as that.")
    if "lines" in mode:
        panel.plot(
            x, y, color=_colour(trace.line.color, opacity), linewidth=float(trace.line.width or 2),
            linestyle=_dashes(trace.line.dash), solid_capstyle="butt", solid_joinstyle="round",
            scalex=False, scaley=False, zorder=order,
        )  # fmt: skip
    if "markers" in mode:
        _draw_markers(panel, trace, x, y, opacity, order)
    if "text" in mode:
        for here, there, words in zip(x, y, trace.text, strict=True):
            panel.text(here, there, str(words), ha="center", va="center", fontsize=10, zorder=3)


def _draw_markers(panel: Axes, trace: Any, x: np.ndarray, y: np.ndarray, opacity: float, order: float) -> None:
    marker = trace.marker
    shares = np.broadcast_to(np.asarray(1 if marker.opacity is None else marker.opacity, float), x.shape) * opacity
    if not shares.any():
        return
    symbol = marker.symbol or "circle"
    if symbol not in _SYMBOLS:
        raise WorkbenchError(f"The marker '{symbol}' can only be drawn in .html; save the figure as that.")
    sizes = np.broadcast_to(np.asarray(6 if marker.size is None else marker.size, float), x.shape)
    colours = marker.color if isinstance(marker.color, list | tuple | np.ndarray) else [marker.color] * len(x)
    paints = [_colour(c, share) for c, share in zip(colours, shares, strict=True)]
    rim = float(marker.line.width or 0)
    hollow = symbol.endswith("-open")
    edges = paints if hollow else [_colour(marker.line.color or "#FFFFFF", share) for share in shares]
    panel.scatter(
        x, y, s=sizes**2, marker=MarkerStyle(_SYMBOLS[symbol]), linewidths=rim, c="none" if hollow else paints,
        edgecolors=edges, zorder=order,
    )  # fmt: skip


def _draw_heatmap(panel: Axes, trace: Any, order: float) -> None:
    z = np.asarray(trace.z, float)
    rows, columns = z.shape
    low = float(np.nanmin(z)) if trace.zmin is None else trace.zmin
    high = float(np.nanmax(z)) if trace.zmax is None else trace.zmax
    x0, dx, y0, dy = (float(d if v is None else v) for v, d in
                      ((trace.x0, 0), (trace.dx, 1), (trace.y0, 0), (trace.dy, 1)))  # fmt: skip
    x, y = panel.get_xlim(), panel.get_ylim()
    extent = (x0 - dx / 2, x0 + (columns - 0.5) * dx, y0 + (rows - 0.5) * dy, y0 - dy / 2)
    panel.imshow(
        _mapped(trace.colorscale, (z - low) / (high - low)), interpolation="nearest", aspect="auto", extent=extent,
        zorder=1 + order * _ONE,
    )  # fmt: skip
    panel.set(xlim=x, ylim=y)


def _mapped(scale: Any, places: np.ndarray) -> np.ndarray:
    """Places of 0 to 1 on Plotly's pairs of position and colour as (..., 4) of 0 to 1, NaN transparent."""
    stops = np.array([position for position, _ in scale], float)
    colours = np.array([_colour(colour) for _, colour in scale])
    known = np.nan_to_num(np.clip(places, 0, 1))
    after = np.clip(np.searchsorted(stops, known, "right"), 1, len(stops) - 1)
    wide = stops[after] - stops[after - 1]
    share = np.where(wide > 0, (known - stops[after - 1]) / np.where(wide > 0, wide, 1), 1.0)[..., None]
    out = colours[after - 1] * (1 - share) + colours[after] * share
    out[np.isnan(places)] = 0
    return out


def _draw_bar(panel: Axes, trace: Any, order: float) -> None:
    x, y = np.asarray(trace.x, float), np.asarray(trace.y, float)
    colour = trace.marker.color
    paints = [_colour(c) for c in (colour if not isinstance(colour, str) else [colour] * len(x))]
    panel.bar(x, y, width=0.8 if trace.width is None else trace.width, color=paints, zorder=order)


def _draw_image(panel: Axes, image: Any) -> None:
    if not str(image.source).startswith("data:image/"):
        raise WorkbenchError("Only embedded pictures can be saved as PNG or SVG.")
    pixels = Image.open(io.BytesIO(base64.b64decode(str(image.source).partition(",")[2]))).convert("RGBA")
    x, y = panel.get_xlim(), panel.get_ylim()
    opacity = 1.0 if image.opacity is None else float(image.opacity)
    panel.imshow(
        np.asarray(pixels), extent=(image.x, image.x + image.sizex, image.y + image.sizey, image.y),
        alpha=opacity, interpolation="antialiased", aspect="auto", zorder=0.5 if image.layer == "below" else 3.5,
    )  # fmt: skip
    panel.set(xlim=x, ylim=y)


def _draw_shape(panel: Axes, shape: dict[str, Any], order: float) -> None:
    kind, line, none = shape["type"], shape.get("line", {}), (0.0, 0.0, 0.0, 0.0)
    if str(shape.get("xref", "x")).startswith("paper") or kind not in ("rect", "circle", "line", "path"):
        raise WorkbenchError(f"A '{kind}' shape here can only be drawn in .html; save the figure as that.")
    width, opacity = float(line.get("width", 2)), float(shape.get("opacity", 1))
    patch: Patch
    if kind == "path":
        patch = PathPatch(_path(shape["path"]))
    else:
        x0, y0, x1, y1 = (float(shape[name]) for name in ("x0", "y0", "x1", "y1"))
        if kind == "line":
            patch = PathPatch(Path([(x0, y0), (x1, y1)]))
        elif kind == "rect":
            patch = Rectangle((x0, y0), x1 - x0, y1 - y0)
        else:
            patch = Ellipse(((x0 + x1) / 2, (y0 + y1) / 2), x1 - x0, y1 - y0)
    fill, dash = shape.get("fillcolor"), line.get("dash")
    patch.set(
        facecolor=_colour(fill, opacity) if fill else none,
        edgecolor=_colour(line.get("color", "#000000"), opacity) if width else none,
        linewidth=width, linestyle=_dashes(dash, width), zorder=order,
        joinstyle="miter" if kind == "rect" else "round",
        capstyle="round" if dash in (None, "solid") else "butt",
    )  # fmt: skip
    panel.add_artist(patch)


def _path(text: str) -> Path:
    """A path of M, L, Q and Z, in capital letters, numbers apart by blanks or letters."""
    points: list[tuple[float, float]] = []
    codes: list[int] = []
    for letter, numbers in re.findall(r"([A-Z])([^A-Z]*)", text):
        found = [float(v) for v in re.split(r"[\s,]+", numbers.strip()) if v]
        pairs = list(zip(found[::2], found[1::2], strict=True))
        if letter not in "MLQZ":
            raise WorkbenchError(f"A path with '{letter}' can only be drawn in .html; save the figure as that.")
        code = {"M": Path.MOVETO, "L": Path.LINETO, "Q": Path.CURVE3, "Z": Path.CLOSEPOLY}[letter]
        points += pairs or points[:1]
        codes += [int(code)] * max(1, len(pairs))
    return Path(points, codes)


def _dashes(dash: str | None, width: float = 1.0) -> Any:
    """A dash by its name, or as lengths in pixels ("4px,3px")."""
    if dash is None or dash in _DASHES:
        return _DASHES[dash or "solid"]
    return (0, [float(part.removesuffix("px")) / max(width, 0.1) for part in dash.split(",")])


def _draw_note(
    page: Figure, panels: dict[str, Axes], note: Any, room: tuple[float, ...], paper: tuple[float, float]
) -> None:
    if note.showarrow:
        raise WorkbenchError("Arrows of annotations can only be drawn in .html; save the figure as that.")
    x, y = float(note.x), float(note.y)
    dx, dy = float(note.xshift or 0), float(note.yshift or 0)
    if note.xref == "paper":
        x, y = room[0] + x * room[2], room[1] + y * room[3]
        spot = Affine2D().scale(1 / paper[0], 1 / paper[1]) + page.transFigure
        x, y = x + dx, y + dy
    else:
        spot = panels[_axis_id(note.xref)].transData
    words, bold = _plain(note.text or "")
    turned = -float(note.textangle or 0)
    horizontal = {"left": "left", "right": "right", "center": "center"}[note.xanchor or "center"]
    where, size = note.yanchor or "middle", float(note.font.size or 12)
    if turned or "\n" in words:
        vertical = "center" if where == "middle" else where
    else:  # letters with and without descenders stand on one line
        vertical = "baseline"
        spot = spot + Affine2D().translate(0, -_BASELINES[where] * size * page.dpi / 72)
    label = Text(
        x, y, words, fontsize=size * TEXT_SCALE, fontfamily=_FONTS, fontweight="bold" if bold else "normal",
        color=_colour(note.font.color or "#1B2330"), linespacing=1.36, parse_math=False, transform=spot,
        rotation=turned, ha=horizontal, va=vertical, zorder=4,
    )  # fmt: skip
    page.add_artist(label)
    label.set_transform(spot)


def _plain(text: str) -> tuple[str, bool]:
    """Plotly's markup as plain lines, and whether all of it is bold."""
    bold = text.startswith("<b>") and text.endswith("</b>")
    return unescape(re.sub(r"<[^>]+>", "", text.replace("<br>", "\n"))), bold


def _colour(value: str | None, opacity: float = 1.0) -> Colour:
    """ "#RRGGBB", "rgb(...)" or "rgba(...)" -> four numbers of 0 to 1."""
    if not value:
        return (0.0, 0.0, 0.0, opacity)
    found = re.fullmatch(r"rgba?\(([^)]*)\)", value)
    if found:
        parts = [float(part) for part in found.group(1).split(",")]
        r, g, b = (part / 255 for part in parts[:3])
        return (r, g, b, (parts[3] if len(parts) > 3 else 1.0) * opacity)
    r, g, b, a = mpl.colors.to_rgba(value)
    return (r, g, b, a * opacity)
