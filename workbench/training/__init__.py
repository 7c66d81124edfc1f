"""Recipes, losses and the Lightning module that runs them."""

from workbench.lazy import attach_stub

# What there is stands in __init__.pyi. Lazy: Lightning takes seconds to import; losses and recipes do without it.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
