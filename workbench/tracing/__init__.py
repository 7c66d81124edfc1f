"""One forward pass, recorded once: taps, the recorder and the trace."""

from workbench.tracing.tap import Tap, record, taps
from workbench.tracing.trace import NamedTensor, Trace, check_index

__all__ = ["NamedTensor", "Tap", "Trace", "check_index", "record", "taps"]
