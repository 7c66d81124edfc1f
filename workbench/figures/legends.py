"""Legends: a colour bar with true units, parts, states of patches."""

from __future__ import annotations

import numpy as np

from workbench.explain.structure import PartOrder
from workbench.figures import palette, style
from workbench.figures.canvas import SOFT, Panel, pixels_uri
from workbench.landmarks import PARTS, Scheme

_TALL, _WIDEST, _ROOM, _BESIDE = 8, 300, 160, 16
_FINE = 4


def scale_bar(
    panel: Panel, x: float, y: float, width: float, name: str, low: float, high: float, text: str = "", *,
    wedge: float = 0.0, mark: tuple[float, str] | None = None, ink: str = palette.INK, soft: str = SOFT,
    above: bool = False,
) -> None:  # fmt: skip
    """A colour bar whose upper left corner is x, y, in a strip of a width; ``drawScale`` in legend.js is the same.

    Args:
        name: a colour map of the palette; ``low`` and ``high`` are the values of its ends.
        text: what is measured, right of the bar or, where there is no room, above it.
        wedge: the bar grows with the value's size to this line width in pixels.
        mark: a value that is pointed at, and its words.
        above: the text stands above even where there is room beside the bar.
    """
    long = style.text_width(text, 11) if text else 0.0
    left = width - _BESIDE - long
    beside = bool(text) and left >= _ROOM and not above
    wide = float(min(_WIDEST, left)) if beside else float(max(60, min(_WIDEST, width)))
    middle = y + _TALL / 2
    tall = wedge if wedge else _TALL
    panel.image(_bar(name, wide, tall, bool(wedge), low < 0), x, middle - tall / 2, wide, tall)

    def at(value: float) -> float:
        return x + (value - low) / (high - low) * wide

    free = -np.inf
    for value in style.ticks(low, high, max(2, int(wide // 60))):
        panel.rect(at(value) - 0.5, y + _TALL, 1, 3, fill=ink)
        label = style.number(value)
        half = style.text_width(label, 11) / 2
        if at(value) - half >= free:
            panel.text(at(value), y + _TALL + 4, label, colour=ink, anchor="center", middle="top")
            free = at(value) + half + 6
    if mark:
        tip = at(mark[0])
        panel.polyline(np.array([[tip, y], [tip - 3.5, y - 5], [tip + 3.5, y - 5]]), close=True, fill=ink)
        half = style.text_width(mark[1], 11) / 2
        panel.text(min(max(x, tip - half), x + width - 2 * half), y - 6, mark[1], colour=ink, middle="bottom")
    elif text and not beside:
        panel.text(x, y - 4, text, colour=ink, middle="bottom", most=width)
    if beside:
        panel.text(x + wide + _BESIDE, middle, text, colour=soft)


def face_scale(
    panel: Panel, name: str, low: float, high: float, text: str, *, wedge: float = 0.0,
    mark: tuple[float, str] | None = None, side: float = style.FACE,
) -> None:  # fmt: skip
    """The colour bar in the strip below a face of ``side`` pixels."""
    ink, soft = palette.NIGHT_INK, palette.NIGHT_MUTED
    y = side + style.LEGEND - 26
    scale_bar(panel, 18, y, panel.width - 28, name, low, high, text, wedge=wedge, mark=mark, ink=ink, soft=soft)


def weight_scale(panel: Panel, top: float, words: str, uniform: int = 0, name: str = palette.OVER_PHOTO) -> None:
    """The colours and widths of lines below a face; ``uniform`` keys mark the weight that each would have alike."""
    mark = (1 / uniform, f"uniform 1/{uniform}") if uniform and top > 1 / uniform else None
    face_scale(panel, name, 0.0, top, words, wedge=style.WIDTH[1], mark=mark)


def brackets(
    panel: Panel,
    order: PartOrder,
    x: float,
    y: float,
    side: float,
    *,
    thick: float = 5,
    ink: str = SOFT,
    names: bool = True,
) -> None:
    """Part colours and, where they fit, their names along the top and the left of a matrix that starts at x, y."""
    count = len(order.index)
    items = []
    for part, start, stop in zip(order.parts, order.starts[:-1], order.starts[1:], strict=True):
        first = start / count * side + 0.75
        long = (stop - start) / count * side - 1.5
        fill = palette.shade(part)
        panel.rect(x + first, y - thick - 3, long, thick, fill=fill)
        panel.rect(x - thick - 3, y + first, thick, long, fill=fill)
        name = palette.PART_NAMES[part]
        texts = (name, name.split(" ")[0])
        items.append((first + long / 2, long, texts, [style.text_width(text, 10) for text in texts]))
    for at, words in place_labels(items, side) if names else ():
        panel.text(x + at, y - thick - 4, words, size=10, colour=ink, anchor="center", middle="bottom")
        panel.text(x - thick - 4, y + at, words, size=10, colour=ink, anchor="right", turned=True)


Label = tuple[float, float, tuple[str, str], list[float]]
"""Wanted middle, length of the bracket, the name and a shorter one, and their widths, all in pixels."""


def place_labels(items: list[Label], side: float, gap: float = 5.0) -> list[tuple[float, str]]:
    """Names along an axis of ``side`` pixels, none on another: (middle, words) of those that find a place.

    The rule of ``placeLabels`` in geometry.js: a name may stick out of its bracket as long as its middle stays near
    the bracket's; where not all fit, all are shortened, then the narrowest brackets go without.
    """

    def lay(kept: list[Label], short: int) -> list[tuple[float, str]] | None:
        at = [item[0] for item in kept]
        half = [item[3][short] / 2 for item in kept]
        for i in range(len(kept)):
            at[i] = max(at[i], at[i - 1] + half[i - 1] + gap + half[i] if i else half[i])
        for i in reversed(range(len(kept))):
            last = i + 1 == len(kept)
            at[i] = min(at[i], side - half[i] if last else at[i + 1] - half[i + 1] - gap - half[i])
        if any(abs(place - item[0]) > item[1] / 4 for place, item in zip(at, kept, strict=True)):
            return None
        return [(place, item[2][short]) for place, item in zip(at, kept, strict=True)]

    found, kept = lay(items, 0), list(items)
    while found is None:
        found = lay(kept, 1)
        if found is None:
            kept.remove(min(kept, key=lambda item: item[1]))
    return found


def part_legend(panel: Panel, scheme: Scheme, x: float, y: float, width: float, ink: str = palette.INK) -> None:
    """A dark and a light dot for image left and image right of each part, and its name."""
    parts = [part for part in PARTS if part in scheme.part_of]
    for k, part in enumerate(parts):
        left = x + k * width / len(parts)
        sides = [palette.shade(part, "image left"), palette.shade(part, "image right")]
        panel.dots(np.array([[left + 4, y], [left + 13, y]]), sides, 4.5, rim_width=0)
        panel.text(left + 23, y, palette.PART_NAMES[part], colour=ink)


def _bar(name: str, wide: float, tall: float, wedge: bool, signed: bool) -> str:
    """A colour map from left to right as a picture; a wedge, or two of a signed scale, are cut out by its opacity."""
    columns, rows = round(_FINE * wide), round(2 * _FINE * tall)
    places = (np.arange(columns) + 0.5) / columns
    pixels = np.full((rows, columns, 4), 255, np.uint8)
    pixels[..., :3] = palette.sample(name, places)
    if wedge:
        half = 0.35 + (tall / 2 - 0.35) * (np.abs(2 * places - 1) if signed else places)
        off = np.abs((np.arange(rows) + 0.5) / rows - 0.5)[:, None] * tall
        pixels[..., 3] = np.round(255 * np.clip((half - off) * rows / tall + 0.5, 0, 1))
    return pixels_uri(pixels)
