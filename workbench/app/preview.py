"""A first look at the relations: the strongest partner of every landmark, drawn over the crop."""

from __future__ import annotations

from html import escape

from PIL import Image

from workbench.app.gallery import data_url
from workbench.explain import attention_matrix, best_edges
from workbench.figures import palette
from workbench.reading import Reading

_SIDE = 480
_WIDEST = 7.0


def preview_svg(
    reading: Reading, kind: str, stage: int | None, layer: int | None, head: int | None
) -> tuple[str, str]:
    """An SVG of the crop with one line a landmark, to the key that it weighs most, and its caption.

    Args:
        kind: "cross" or "self".
        stage, layer, head: from 0; None is the last stage, the first layer, the mean of the heads.

    Raises:
        TraceError: the reading holds no attention.
    """
    matrix = attention_matrix(
        reading, "self" if kind == "self" else "cross", -1 if stage is None else stage, layer or 0, head
    )
    best = best_edges(matrix)
    points = reading.points() * _SIDE
    top = float(best.weight.max(initial=0.0)) or 1.0
    lines = []
    for query, key, weight in sorted(zip(best.query, best.key, best.weight, strict=True), key=lambda e: e[2]):
        (x0, y0), (x1, y1) = points[query], points[key]
        bend_x, bend_y = (x0 + x1) / 2 - (y1 - y0) * 0.12, (y0 + y1) / 2 + (x1 - x0) * 0.12
        lines.append(
            f'<path d="M{x0:.1f} {y0:.1f}Q{bend_x:.1f} {bend_y:.1f} {x1:.1f} {y1:.1f}" '
            f'stroke="{_colour(weight / top)}" stroke-width="{max(0.5, _WIDEST * weight / top):.2f}"/>'
        )
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}" stroke="#000" stroke-opacity=".55"/>'
        for (x, y), colour in zip(points, palette.landmark_colours(reading.scheme), strict=True)
    )
    title = escape(f"Relations of {reading.face.name}")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}" role="img"><title>{title}</title>'
        f'<image href="{data_url(Image.fromarray(reading.face.crop(_SIDE)))}" width="{_SIDE}" height="{_SIDE}"/>'
        f'<rect width="{_SIDE}" height="{_SIDE}" fill="#101114" fill-opacity=".5"/>'
        f'<g fill="none" stroke-linecap="round">{"".join(lines)}</g>{dots}</svg>'
    )
    words = f"the strongest key of each landmark other than itself · width and colour from 0 to {top:.2f}, the largest"
    return svg, f"`{matrix.caption}` · {words}"


def _colour(share: float) -> str:
    return palette.to_hex(palette.sample("inferno", share))
