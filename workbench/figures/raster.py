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
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Affine2D
from PIL import Image

from workbench.errors import WorkbenchError

Colour = tuple[float, float, float, float]

_DASHES: dict[str, Any] = {"solid": "solid", "dot": (0, (1, 2.2)), "dash": (0, (5, 3))}
_SYMBOLS = {"circle": "o", "circle-open": "o", "square": "s", "diamond": "D", "triangle-up": "^"}
_FONTS = ["DejaVu Sans", "sans-serif"]  # the one font that Matplotlib brings along
# A browser's sans is narrower than Matplotlib's own; this keeps lines of text as long as they were planned.
_TEXT_SCALE = 0.84


def render(figure: go.Figure, kind: str, scale: float = 2.0) -> bytes:
    """A figure as "png" or "svg" bytes.

    Args:
        scale: pixels of a PNG for each pixel of the layout.

    Raises:
        WorkbenchError: the figure uses something that only a browser draws.
    """
    layout = figure.layout
    width, height = float(layout.width or 700), float(layout.height or 450)
    paper = _colour(_setting(figure, "paper_bgcolor", "#FFFFFF"))
    page = Figure(figsize=(width / 72, height / 72), dpi=72 * scale, facecolor=paper)
    (FigureCanvasAgg if kind == "png" else FigureCanvasSVG)(page)
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "workbench"}):
        panels = _panels(page, figure, width, height)
        for trace in figure.data:
            _draw_trace(page, panels, trace)
        for image in layout.images:
            _draw_image(panels[_axis_id(image.xref)], image)
        for shape in layout.shapes:
            _draw_shape(panels[_axis_id(shape.xref)], shape)
        room = _room(layout, width, height)
        for note in layout.annotations:
            _draw_note(page, panels, note, room, (width, height))
        out = io.BytesIO()
        metadata = {"Software": "workbench"} if kind == "png" else {"Date": None, "Creator": "workbench"}
        caption = (layout.meta or {}).get("caption") if isinstance(layout.meta, dict) else None
        if caption:
            metadata["Description"] = caption
        page.savefig(out, format=kind, facecolor=paper, metadata=metadata)
    return out.getvalue()


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
        if y.scaleanchor:
            panel.set_aspect("equal", adjustable="box", anchor="C")
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
        size = float(axis.tickfont.size or 11) * _TEXT_SCALE
        which.set_tick_params(length=0, labelsize=size, labelcolor=_colour(axis.tickfont.color or "#000000"), pad=5)
        for label in which.get_ticklabels():
            label.set_fontfamily(_FONTS)
        if axis.showgrid:
            which.grid(True, color=_colour(axis.gridcolor or "#DDDDDD"), linewidth=0.8)
            panel.set_axisbelow(True)


def _draw_trace(page: Figure, panels: dict[str, Axes], trace: Any) -> None:
    kinds = {"scatter": _draw_scatter, "heatmap": _draw_heatmap, "bar": _draw_bar}
    if trace.type not in kinds:
        raise WorkbenchError(
            f"A figure with a '{trace.type}' trace can only be saved as .html or .json; PNG and SVG hold "
            f"{', '.join(kinds)}."
        )
    kinds[trace.type](page, panels[_axis_id(trace.xaxis)], trace)


def _draw_scatter(page: Figure, panel: Axes, trace: Any) -> None:
    x, y = (np.array([np.nan if v is None else v for v in values], float) for values in (trace.x, trace.y))
    opacity = 1.0 if trace.opacity is None else float(trace.opacity)
    mode = trace.mode or "lines"
    if "lines" in mode:
        points = np.stack([x, y], 1)
        if trace.fill == "toself":
            _fill(panel, points, _colour(trace.fillcolor))
        panel.plot(
            x, y, color=_colour(trace.line.color, opacity), linewidth=float(trace.line.width or 2),
            linestyle=_DASHES[trace.line.dash or "solid"], solid_capstyle="butt", solid_joinstyle="round",
            scalex=False, scaley=False, zorder=2,
        )  # fmt: skip
    elif trace.fill not in (None, "none"):
        raise WorkbenchError("Only outlines can be filled in PNG and SVG; save this figure as .html.")
    if "markers" in mode:
        _draw_markers(page, panel, trace, x, y, opacity)
    if "text" in mode:
        for here, there, words in zip(x, y, trace.text, strict=True):
            panel.text(here, there, str(words), ha="center", va="center", fontsize=10, zorder=3)


def _fill(panel: Axes, points: np.ndarray, colour: Colour) -> None:
    """Fill every closed piece between NaN rows."""
    gaps = np.flatnonzero(np.isnan(points[:, 0]))
    for piece in np.split(points, gaps):
        known = piece[~np.isnan(piece[:, 0])]
        if len(known) > 2:
            panel.fill(known[:, 0], known[:, 1], facecolor=colour, edgecolor="none", zorder=2)


def _draw_markers(page: Figure, panel: Axes, trace: Any, x: np.ndarray, y: np.ndarray, opacity: float) -> None:
    marker = trace.marker
    if marker.showscale:
        _colour_bar(page, panel, marker.colorscale, marker.cmin, marker.cmax, marker.colorbar)
    if marker.opacity == 0 or np.isnan(x).all():
        return
    symbol = marker.symbol or "circle"
    if symbol not in _SYMBOLS:
        raise WorkbenchError(f"The marker '{symbol}' can only be drawn in .html; save the figure as that.")
    sizes = np.broadcast_to(np.asarray(6 if marker.size is None else marker.size, float), x.shape)
    colours = marker.color if isinstance(marker.color, list | tuple | np.ndarray) else [marker.color] * len(x)
    paints = [_colour(c, opacity) for c in colours]
    rim = float(marker.line.width or 0)
    hollow = symbol.endswith("-open")
    turns = marker.angle if isinstance(marker.angle, list | tuple | np.ndarray) else None
    edge: Any = paints if hollow else _colour(marker.line.color or "#FFFFFF")
    groups = [(np.arange(len(x)), MarkerStyle(_SYMBOLS[symbol]))]
    if turns is not None:
        groups = [(np.array([i]), _turned(_SYMBOLS[symbol], float(turns[i]))) for i in range(len(x))]
    for index, style in groups:
        panel.scatter(
            x[index], y[index], s=sizes[index] ** 2, marker=style, linewidths=rim,
            c="none" if hollow else [paints[i] for i in index],
            edgecolors=[edge[i] for i in index] if hollow else edge, zorder=2.5,
        )  # fmt: skip


def _turned(symbol: str, angle: float) -> MarkerStyle:
    """A marker turned clockwise on the screen by degrees."""
    return MarkerStyle(symbol, transform=Affine2D().rotate_deg(-angle))


def _draw_heatmap(page: Figure, panel: Axes, trace: Any) -> None:
    z = np.asarray(trace.z, float)
    rows, columns = z.shape
    low = float(np.nanmin(z)) if trace.zmin is None else trace.zmin
    high = float(np.nanmax(z)) if trace.zmax is None else trace.zmax
    x, y = panel.get_xlim(), panel.get_ylim()
    panel.imshow(
        z, cmap=_map(trace.colorscale), vmin=low, vmax=high, interpolation="nearest", aspect="auto",
        extent=(-0.5, columns - 0.5, rows - 0.5, -0.5), zorder=1,
    )  # fmt: skip
    panel.set(xlim=x, ylim=y)
    if trace.showscale is not False:
        _colour_bar(page, panel, trace.colorscale, low, high, trace.colorbar)


def _draw_bar(page: Figure, panel: Axes, trace: Any) -> None:
    del page
    x, y = np.asarray(trace.x, float), np.asarray(trace.y, float)
    colour = trace.marker.color
    paints = [_colour(c) for c in (colour if not isinstance(colour, str) else [colour] * len(x))]
    panel.bar(x, y, width=0.8 if trace.width is None else trace.width, color=paints, zorder=2)


def _colour_bar(page: Figure, panel: Axes, scale: Any, low: float, high: float, bar: Any) -> None:
    box = panel.get_position()
    width = page.get_figwidth() * 72
    rightmost = max(axes.get_position().x1 for axes in page.axes)
    side = page.add_axes((rightmost + 14 / width, box.y0, float(bar.thickness or 12) / width, box.height))
    drawn = page.colorbar(ScalarMappable(Normalize(low, high), _map(scale)), cax=side)
    drawn.outline.set_visible(False)
    colour = _colour(bar.tickfont.color or "#000000")
    size = float(bar.tickfont.size or 10) * _TEXT_SCALE
    side.tick_params(length=0, labelsize=size, labelcolor=colour)
    side.yaxis.set_major_locator(mpl.ticker.MaxNLocator(6))
    for label in side.get_yticklabels():
        label.set_fontfamily(_FONTS)
    words = bar.title.text
    if words:
        side.set_title(words, fontsize=11 * _TEXT_SCALE, pad=8, loc="left", fontfamily=_FONTS)


def _map(scale: Any) -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list("scale", [(p, _colour(c)) for p, c in scale], N=256)


def _draw_image(panel: Axes, image: Any) -> None:
    if not str(image.source).startswith("data:image/"):
        raise WorkbenchError("Only embedded pictures can be saved as PNG or SVG.")
    pixels = Image.open(io.BytesIO(base64.b64decode(str(image.source).partition(",")[2]))).convert("RGB")
    x, y = panel.get_xlim(), panel.get_ylim()
    opacity = 1.0 if image.opacity is None else float(image.opacity)
    panel.imshow(
        np.asarray(pixels), extent=(image.x, image.x + image.sizex, image.y + image.sizey, image.y),
        alpha=opacity, interpolation="antialiased", aspect=panel.get_aspect(), zorder=0.5,
    )  # fmt: skip
    panel.set(xlim=x, ylim=y)


def _draw_shape(panel: Axes, shape: Any) -> None:
    if str(shape.xref or "x").startswith("paper") or shape.type not in ("rect", "line"):
        raise WorkbenchError(f"A '{shape.type}' shape here can only be drawn in .html; save the figure as that.")
    order = 0.3 if shape.layer == "below" else 3
    width = 2.0 if shape.line.width is None else float(shape.line.width)
    edge = _colour(shape.line.color or "#000000") if width else (0.0, 0.0, 0.0, 0.0)
    style: dict[str, Any] = {"linewidth": width, "zorder": order, "clip_on": False}
    if shape.type == "line":
        panel.plot([shape.x0, shape.x1], [shape.y0, shape.y1], color=edge, scalex=False, scaley=False, **style)
        return
    fill = _colour(shape.fillcolor) if shape.fillcolor else (0.0, 0.0, 0.0, 0.0)
    box = Rectangle((shape.x0, shape.y0), shape.x1 - shape.x0, shape.y1 - shape.y0)
    box.set(facecolor=fill, edgecolor=edge, **style)
    panel.add_patch(box)


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
    horizontal = {"left": "left", "right": "right", "center": "center"}[note.xanchor or "center"]
    vertical = {"top": "top", "bottom": "bottom", "middle": "center_baseline"}[note.yanchor or "middle"]
    size = float(note.font.size or 12)
    label = Text(
        x, y, words, fontsize=size * _TEXT_SCALE, fontfamily=_FONTS, fontweight="bold" if bold else "normal",
        color=_colour(note.font.color or "#1B2330"), linespacing=1.36, parse_math=False, transform=spot,
        ha=horizontal, va=vertical, zorder=4,
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
