"""workbench: see why a face-alignment network puts a landmark where it does.

>>> import workbench as wb
>>> reading = wb.read(wb.load_model("dslpt"), wb.sample_face("astronaut"))
>>> wb.figures.relations(reading, stage=-1, layer=0)  # a Plotly figure
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "load_face": "workbench.faces",
    "sample_face": "workbench.faces",
    "sample_names": "workbench.faces",
    "Face": "workbench.faces",
    "load_model": "workbench.models",
    "list_models": "workbench.models",
    "Alignment": "workbench.models",
    "read": "workbench.reading",
    "Reading": "workbench.reading",
    "Trace": "workbench.tracing",
    "record": "workbench.tracing",
    "intervene": "workbench.tracing",
    "edits": "workbench.tracing",
    "effect": "workbench.effects",
    "Effect": "workbench.effects",
    "get_scheme": "workbench.landmarks",
    "user_scheme": "workbench.landmarks",
    "WorkbenchError": "workbench.errors",
}
_ROOMS = (
    "figures",
    "explain",
    "faces",
    "landmarks",
    "models",
    "tracing",
    "widgets",
    "training",
    "evaluation",
    "data",
)
__all__ = [*_PLACES, "figures", "explain", "widgets"]


def __getattr__(name: str) -> Any:
    # Lazy, so that `workbench --help` does not wait for torch.
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    if name in _ROOMS:
        return import_module(f"workbench.{name}")
    raise AttributeError(f"module 'workbench' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES, *_ROOMS})
