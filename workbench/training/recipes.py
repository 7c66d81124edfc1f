"""Training recipes by name."""

from __future__ import annotations

from dataclasses import replace

from workbench.errors import unknown
from workbench.training.compact_recipes import COMPACT
from workbench.training.paper_recipes import PAPER
from workbench.training.recipe import Phase, Recipe

__all__ = ["RECIPES", "Phase", "Recipe", "get_recipe"]

_FROM_TODAYS = ("dslpt-98", "dslpt-68-tied", "slpt-68", "tufa-zero")
"""Shipped weights that began from the dslpt-68 that ships beside them."""
_START = (
    "The shipped weights began from an earlier dslpt-68, whose patches followed the variance; a new training begins "
    "from the one that ships now."
)


def _told(recipe: Recipe) -> Recipe:
    earlier = recipe.start == "dslpt-68" and recipe.name not in _FROM_TODAYS
    return replace(recipe, notes=(*recipe.notes, _START)) if earlier else recipe


RECIPES = {recipe.name: _told(recipe) for recipe in (*COMPACT, *PAPER)}


def get_recipe(name: str) -> Recipe:
    """A recipe by name. Raises UnknownNameError, naming the ones there are."""
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]
