"""One forward pass, recorded once, or changed on its way: taps, recorder, interventions and the trace."""

from workbench.tracing import edits
from workbench.tracing.layers import Axed, Layers, layers_of
from workbench.tracing.tap import Edit, Site, Tap, caption_of, intervene, record, taps
from workbench.tracing.trace import NamedTensor, Trace, check_index

__all__ = [
    "Axed",
    "Edit",
    "Layers",
    "NamedTensor",
    "Site",
    "Tap",
    "Trace",
    "caption_of",
    "check_index",
    "edits",
    "intervene",
    "layers_of",
    "record",
    "taps",
]
