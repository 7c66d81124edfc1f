"""Figures as files: a page that works offline, PNG and SVG without a browser, Plotly's JSON."""

from __future__ import annotations

from html import escape
from os import PathLike
from pathlib import Path

import plotly.graph_objects as go

from workbench.errors import WorkbenchError
from workbench.figures import style
from workbench.figures.raster import render

KINDS = ("html", "png", "svg", "json")

_CONFIG = {"displaylogo": False, "responsive": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}


def to_bytes(figure: go.Figure, kind: str, scale: float = 2.0) -> bytes:
    """A figure as the contents of a file.

    Args:
        kind: "html" (self-contained, with plotly.js inside), "png", "svg" or "json".
        scale: pixels of a PNG for each pixel of the layout.

    Raises:
        WorkbenchError: an unknown kind, or a figure that PNG and SVG cannot hold.
    """
    if kind in ("png", "svg"):
        return render(figure, kind, scale)
    if kind == "html":
        page = figure.to_html(include_plotlyjs=True, full_html=True, config=_CONFIG)
        title = escape(str((figure.layout.meta or {}).get("title", "workbench")))
        page = page.replace("<html>", '<html lang="en">', 1).replace("</head>", f"<title>{title}</title></head>", 1)
        return page.encode("utf-8")
    if kind == "json":
        return figure.to_json().encode("utf-8")
    raise WorkbenchError(f"A figure cannot be saved as '{kind}'; use one of {', '.join(KINDS)}.")


def face_alone(figure: go.Figure) -> tuple[bytes, str]:
    """The face of a sheet's first panel as SVG, ``style.FACE`` pixels wide, and the caption: for a narrow place that
    sets the words in letters of its own."""
    face = go.Figure(figure)
    notes = [note for note in figure.layout.annotations if note.yref == "y" and note.y < style.FACE]
    face.update_layout(width=style.FACE, height=style.FACE, margin=dict.fromkeys("lrtb", 0), annotations=notes)
    face.update_layout(xaxis_domain=(0, 1), yaxis={"domain": (0, 1), "range": (style.FACE, 0)})
    return to_bytes(face, "svg"), str(figure.layout.meta["caption"])


def save(figure: go.Figure, path: str | PathLike[str], scale: float = 2.0) -> Path:
    """Write a figure; the suffix (.html, .png, .svg, .json) chooses the format.

    Raises:
        WorkbenchError: an unknown suffix, a missing folder, or a place that cannot be written.
    """
    target = Path(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        shown = f"'{target.suffix}'" if target.suffix else "no suffix"
        raise WorkbenchError(f"{target.name} has {shown}; a figure is saved as one of .{', .'.join(KINDS)}.")
    if not target.parent.is_dir():
        raise WorkbenchError(f"There is no folder {target.parent}; make it first or choose another.")
    content = to_bytes(figure, kind, scale)
    try:
        target.write_bytes(content)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WorkbenchError(f"The figure could not be written to {target}: {reason}.") from None
    return target
