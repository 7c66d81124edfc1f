"""What an intervention does to an answer; questions to a part of a tensor."""

from workbench.effects.difference import difference
from workbench.effects.effect import Effect, between, effect
from workbench.effects.what_if import ACTS, EffectReading, Question, acts, ask, compare, head_effects, parts

__all__ = [
    "ACTS",
    "Effect",
    "EffectReading",
    "Question",
    "acts",
    "ask",
    "between",
    "compare",
    "difference",
    "effect",
    "head_effects",
    "parts",
]
