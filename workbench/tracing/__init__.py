"""One forward pass, recorded once: taps, the recorder and the trace."""

from workbench.tracing.tap import Tap, record, taps
from workbench.tracing.trace import Named, Trace, within

__all__ = ["Named", "Tap", "Trace", "record", "taps", "within"]
