"""Recipes, losses and the Lightning module that runs them."""

from __future__ import annotations

from typing import Any

from workbench.training.recipes import RECIPES, Recipe, get_recipe

__all__ = ["RECIPES", "Recipe", "get_recipe", "train"]


def __getattr__(name: str) -> Any:
    # Lightning takes seconds to import; losses and recipes do without it.
    if name == "train":
        from workbench.training.run import train

        return train
    raise AttributeError(f"module 'workbench.training' has no attribute '{name}'")
