"""The systems, their shelf, and what they answer with."""

from workbench.lazy import attach_stub

# What there is stands in __init__.pyi. Lazy: the cards of the shelf are told without torch.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
