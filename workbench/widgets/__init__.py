"""Interactive views: one ES module each, shown by Streamlit, a notebook or a file."""

from workbench.lazy import attach_stub

# What there is stands in __init__.pyi. Lazy, so that a page does not import anywidget and a notebook not Streamlit.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
