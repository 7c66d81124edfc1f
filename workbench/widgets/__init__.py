"""Interactive views: one ES module each, shown by Streamlit, a notebook or a file."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES = {
    "Payload": "payload",
    "jupyter": "jupyter_host",
    "module_source": "bundle",
    "mount": "streamlit_host",
    "pack": "payload",
    "standalone_html": "standalone",
    "JupyterWidget": "jupyter_host",
    "relations_payload": "relations",
    "structure_payload": "structure",
    "uncertainty_payload": "uncertainty",
    "picker_payload": "picker",
    "inside_payload": "inside",
    "self_attention_payload": "self_attention",
    "shape_payload": "shape",
    "shape_editor": "shape",
}
__all__ = [*_PLACES]


def __getattr__(name: str) -> Any:
    # Lazy, so that a page does not import anywidget and a notebook does not import Streamlit.
    if name in _PLACES:
        return getattr(import_module(f"workbench.widgets.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'workbench.widgets' has no attribute '{name}'")
