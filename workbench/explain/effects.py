"""An effect in numbers for people: by facial part, and how long its arrows have to be drawn to be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.explain.facts import Facts
from workbench.landmarks import PARTS

if TYPE_CHECKING:
    from workbench.effects import EffectReading

TIMES = (1, 2, 5, 10, 20, 50, 100)
"""By what arrows may be lengthened."""
_LONGEST = 0.12
"""Of the crop's side: how long the longest arrow may be drawn unless a person asks for more."""


@dataclass(frozen=True)
class PartEffect:
    """What a change does to one part of the face, or to all of it.

    Attributes:
        part: as ``landmarks.PARTS`` names it; "all" for all landmarks.
        count: landmarks.
        mean, most: displacements in pixels of the photograph.
        percent: the mean in percent of the distance of the outer eye corners; None without.
        sigma: mean change of sqrt(sigma x sigma y) in pixels of the photograph; None without an uncertainty.
    """

    part: str
    count: int
    mean: float
    most: float
    percent: float | None
    sigma: float | None


def by_part(reading: EffectReading) -> list[PartEffect]:
    """The effect on each facial part that the scheme has, and on all landmarks last."""
    effect = reading.effect
    scheme, sigma = effect.scheme, effect.sigma_change
    of = np.array(scheme.part_of)
    out = []
    for part in (*PARTS, "all"):
        chosen = np.ones(scheme.count, bool) if part == "all" else of == part
        if chosen.any():
            moved = effect.displacement[chosen]
            out.append(
                PartEffect(
                    part,
                    int(chosen.sum()),
                    float(moved.mean()),
                    float(moved.max()),
                    None if effect.percent is None else float(effect.percent[chosen].mean()),
                    None if sigma is None else float(sigma[chosen].mean()),
                )
            )
    return out


def visible_times(reading: EffectReading) -> int:
    """By what arrows are lengthened so that the longest can be seen and none leaves the face."""
    longest = float(np.linalg.norm(reading.points() - reading.plain.points(), axis=1).max())
    fitting = [times for times in TIMES if times * longest <= _LONGEST]
    return fitting[-1] if fitting and longest > 0 else 1


def effect_facts(reading: EffectReading, times: int) -> Facts:
    """Facts of ``why_captions.EFFECT``."""
    effect, whole = reading.effect, by_part(reading)[-1]
    yaw, pitch, roll = (None,) * 3 if effect.turn is None else (_digits(v) for v in effect.turn)
    return {
        "tensor": reading.tensor or None,
        "where": reading.where or None,
        "done": reading.done or None,
        "mean": _digits(whole.mean),
        "most": _digits(whole.most),
        "percent": None if whole.percent is None else _digits(whole.percent),
        "sigma": None if whole.sigma is None else _digits(whole.sigma),
        "yaw": yaw,
        "pitch": pitch,
        "roll": roll,
        "times": times,
        "before": reading.from_words,
        "top": whole.most,
    }


def _digits(value: float) -> float:
    """A length as it is told: to a thousandth of a pixel, below which nothing is meant."""
    return round(float(value), 3)
