"""What one reading recorded, less what another did: the tensors of both, entry by entry."""

from __future__ import annotations

from dataclasses import replace

from workbench.errors import TraceError
from workbench.reading import Reading
from workbench.tracing import NamedTensor, Trace


def difference(reading: Reading, other: Reading) -> Reading:
    """A reading whose trace holds ``reading``'s tensors minus ``other``'s; the answer is ``reading``'s.

    Its ``trace.meta["difference"]`` says so, for whoever shows it: values may be negative, and zero means no change.

    Raises:
        TraceError: they have no tensor of the same axes and shape in common.
    """
    trace = Trace()
    for name, entry in reading.trace.items():
        if name in other.trace and other.trace[name].shape == entry.shape:
            trace[name] = NamedTensor(entry.tensor - other.trace[name].tensor, entry.axes)
    if not trace:
        raise TraceError(f"{reading.model_name} and {other.model_name} recorded no tensor of the same shape.")
    trace.meta = {**reading.trace.meta, "difference": f"{reading.model_name} less {other.model_name}"}
    return replace(reading, trace=trace)
