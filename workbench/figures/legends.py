"""Legends in the strip below a face: weights by line, parts and states by mark and word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.figures import palette
from workbench.figures.canvas import Canvas, joined, number
from workbench.landmarks import PARTS, Scheme

STEPS = 8
WIDEST = 6.0
_THINNEST = 0.7
_LOW, _HIGH = 0.34, 0.97


@dataclass(frozen=True)
class Steps:
    """Equal steps of a weight from 0 to ``top``; each has one width and one colour, those of its middle."""

    top: float
    name: str = palette.OVER_PHOTO
    count: int = STEPS
    widest: float = WIDEST

    def of(self, values: np.ndarray) -> np.ndarray:
        """The step of every value."""
        if self.top <= 0:
            return np.zeros(np.shape(values), int)
        return np.clip((np.asarray(values) / self.top * self.count).astype(int), 0, self.count - 1)

    def middle(self, step: int) -> float:
        """The weight in the middle of a step."""
        return (step + 0.5) / self.count * self.top

    def width(self, step: int) -> float:
        """In screen pixels, growing in equal steps with the weight."""
        return _THINNEST + (self.widest - _THINNEST) * (step + 0.5) / self.count

    def colour(self, step: int) -> str:
        """From the readable part of the map."""
        return palette.to_hex(palette.sample(self.name, _LOW + (_HIGH - _LOW) * (step + 0.5) / self.count))

    @property
    def words(self) -> str:
        """For the caption."""
        return f"width and colour in {self.count} equal steps from 0 to {number(self.top)}"


def draw_weighted(canvas: Canvas, pieces: list[np.ndarray], values: np.ndarray, steps: Steps, column: int = 0) -> None:
    """Polylines with the width and colour of their values' steps, the strongest on top: one trace a step."""
    chosen = steps.of(values)
    for step in range(steps.count):
        members = [pieces[i] for i in np.flatnonzero(chosen == step)]
        if members:
            canvas.line(joined(members), steps.colour(step), steps.width(step), column, opacity=0.92)


def weight_legend(canvas: Canvas, steps: Steps, words: str, column: int = 0, lead: float = 118) -> None:
    """The widths and colours of all steps with their weights."""
    u = canvas.unit
    assert canvas.size is not None
    middle = canvas.size + canvas.strip / 2
    canvas.text(10 * u, middle, words, column, colour=palette.NIGHT_MUTED if canvas.night else palette.MUTED)
    each = (canvas.size / u - lead - 8) / steps.count
    for step in range(steps.count):
        x = (lead + step * each) * u
        bar = np.array([[x, middle - 6 * u], [x + (each - 12) * u, middle - 6 * u]])
        canvas.line(bar, steps.colour(step), steps.width(step), column)
        label = number(steps.middle(step))
        canvas.text(x + (each - 12) / 2 * u, middle + 9 * u, label, column, size=10, anchor="center")


def part_legend(canvas: Canvas, scheme: Scheme, column: int = 0) -> None:
    """A dark and a light dot for image left and image right of each part, and its name."""
    parts = [part for part in PARTS if part in scheme.part_of]
    u = canvas.unit
    assert canvas.size is not None
    middle = canvas.size + canvas.strip / 2
    room = (canvas.size / u - 20) / len(parts)
    for k, part in enumerate(parts):
        x = (10 + k * room) * u
        pair = np.array([[x + 3 * u, middle], [x + 12 * u, middle]])
        sides = [palette.shade(part, "image left"), palette.shade(part, "image right")]
        canvas.dots(pair, sides, 9, column)
        canvas.text(x + 22 * u, middle, palette.PART_NAMES[part], column, size=11)


def state_legend(canvas: Canvas, counts: dict[str, int], column: int = 0) -> None:
    """The colour, dash, name and number of each patch state."""
    u = canvas.unit
    assert canvas.size is not None
    middle = canvas.size + canvas.strip / 2
    x = 8.0
    for state, count in counts.items():
        bar = np.array([[x * u, middle], [(x + 20) * u, middle]])
        canvas.line(bar, palette.STATE_COLOURS[state], 2.2, column, palette.STATE_DASHES[state])
        words = f"{state} {count}"
        canvas.text((x + 25) * u, middle, words, column, size=11)
        x += 25 + 6.4 * len(words) + 14
