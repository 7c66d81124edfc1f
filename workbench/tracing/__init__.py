"""One forward pass, recorded once: taps, the recorder and the trace."""

from workbench.tracing.layers import Axed, Layers, layers_of
from workbench.tracing.tap import Tap, record, taps
from workbench.tracing.trace import NamedTensor, Trace, check_index

__all__ = ["Axed", "Layers", "NamedTensor", "Tap", "Trace", "check_index", "layers_of", "record", "taps"]
