"""Pure functions from a reading to a Plotly figure, each captioned with its tensor, scale and treatment."""

from workbench.lazy import attach_stub

# What there is stands in __init__.pyi. Lazy: one figure needs neither the others nor what they draw with.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
