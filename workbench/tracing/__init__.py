"""One forward pass, recorded once, or changed on its way: taps, recorder, interventions and the trace."""

from workbench.tracing import edits
from workbench.tracing.tap import Edit, Site, Tap, caption_of, intervene, record, taps
from workbench.tracing.trace import NamedTensor, Trace, check_index

__all__ = [
    "Edit",
    "NamedTensor",
    "Site",
    "Tap",
    "Trace",
    "caption_of",
    "check_index",
    "edits",
    "intervene",
    "record",
    "taps",
]
