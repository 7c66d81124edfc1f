"""Which places and parts of a face an answer depends on, and whether a map of them holds."""

from __future__ import annotations

from workbench.attribution.answers import TARGETS, Progress, answer_of, check_landmark, rgb_of
from workbench.attribution.attribute import Cost, attribute, attributed, cost
from workbench.attribution.captums import layers
from workbench.attribution.checks import Agreement, Curves, agreement, curve_passes, curves
from workbench.attribution.fills import FILLS
from workbench.attribution.parts import Parts, facial_parts
from workbench.attribution.randomised import Randomised, randomised
from workbench.attribution.register import METHODS, Method, Settings
from workbench.attribution.result import Attribution, AttributionReading

__all__ = [
    "FILLS",
    "METHODS",
    "TARGETS",
    "Agreement",
    "Attribution",
    "AttributionReading",
    "Cost",
    "Curves",
    "Method",
    "Parts",
    "Progress",
    "Randomised",
    "Settings",
    "agreement",
    "answer_of",
    "attribute",
    "attributed",
    "check_landmark",
    "cost",
    "curve_passes",
    "curves",
    "facial_parts",
    "layers",
    "randomised",
    "rgb_of",
]
