"""The tap: where a tensor passes on its way through a model and may be looked at.

A :class:`Tap` is an identity module with named axes. Without a recorder it returns its input. Inside
``with record(model) as trace`` every tap of that model leaves its tensor in the trace, keyed by the tap's own
path. The recorders live in a context variable, so threads and sessions that share a model never mix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from workbench.errors import TraceError, UnknownNameError
from workbench.tracing.trace import NamedTensor, Trace


class _Recorder:
    """Collects what the taps of one model see during one ``record`` block."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names
        self.calls: dict[str, list[Tensor]] = {}
        self.axes: dict[str, tuple[str, ...]] = {}

    def wants(self, tap: Tap) -> bool:
        return id(tap) in self.names

    def add(self, tap: Tap, value: Tensor) -> None:
        name = self.names[id(tap)]
        self.axes[name] = tap.axes
        self.calls.setdefault(name, []).append(value.detach().clone())


_RECORDERS: ContextVar[tuple[_Recorder, ...]] = ContextVar("workbench_recorders", default=())


class Tap(nn.Module):
    """Identity with named axes.

    ``Tap("head", "query", "key")`` sees tensors of shape (batch, head, query, key): the batch axis is implied.

    Args:
        axes: names of the axes after the batch axis, in order.
        per_stage: the owning module runs once a stage (shared weights); its calls are stacked on a leading
            ``stage`` axis, even when there was only one.
    """

    def __init__(self, *axes: str, per_stage: bool = False) -> None:
        super().__init__()
        if len(set(axes)) != len(axes) or {"batch", "stage"} & set(axes):
            raise TraceError(
                f"Tap axes must be distinct and leave out 'batch' and 'stage', which are implied: {axes}."
            )
        self.axes = ("batch", *axes)
        self.per_stage = per_stage

    @property
    def recording(self) -> bool:
        """True when the current context records this very tap; layers then compute what they otherwise fuse."""
        return any(recorder.wants(self) for recorder in _RECORDERS.get())

    def forward(self, value: Tensor) -> Tensor:
        for recorder in _RECORDERS.get():
            if not recorder.wants(self):
                continue
            if value.ndim != len(self.axes):
                raise TraceError(
                    f"Tap {recorder.names[id(self)]} expects the axes {self.axes} "
                    f"but saw a tensor of shape {tuple(value.shape)}."
                )
            recorder.add(self, value)
        return value

    def extra_repr(self) -> str:
        return ", ".join(self.axes)


def taps(model: nn.Module) -> dict[str, Tap]:
    """All taps of a model by path, in registration order."""
    return {name: module for name, module in model.named_modules() if isinstance(module, Tap)}


@contextmanager
def record(model: nn.Module, only: str | Iterable[str] | None = None) -> Iterator[Trace]:
    """Record the taps of ``model`` during the block; blocks may be nested, and each records what its model does.

    Args:
        model: the model whose taps are recorded. Other models that run inside the block are not.
        only: glob patterns of tap paths (``"relation.layers.*.cross"``); None records every tap.

    Yields:
        A :class:`Trace` that is filled when the block ends. A tap called more than once, or declared
        ``per_stage``, has its calls stacked on a leading ``stage`` axis.

    Raises:
        UnknownNameError: a pattern matches no tap of the model.
        TraceError: a tap's calls within one block differ in shape.
    """
    available = taps(model)
    chosen = available
    if only is not None:
        patterns = [only] if isinstance(only, str) else list(only)
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in available):
                known = ", ".join(available) or "none"
                raise UnknownNameError(f"No tap matches '{pattern}'; this model has: {known}.")
        chosen = {n: t for n, t in available.items() if any(fnmatchcase(n, p) for p in patterns)}
    recorder = _Recorder({id(tap): name for name, tap in chosen.items()})
    trace = Trace()
    token = _RECORDERS.set((*_RECORDERS.get(), recorder))
    try:
        yield trace
    finally:
        _RECORDERS.reset(token)
    for name, values in recorder.calls.items():
        trace[name] = _stack(name, values, recorder.axes[name], chosen[name].per_stage)


def _stack(name: str, values: list[Tensor], axes: tuple[str, ...], per_stage: bool) -> NamedTensor:
    if len(values) == 1 and not per_stage:
        return NamedTensor(values[0], axes)
    shapes = {tuple(v.shape) for v in values}
    if len(shapes) > 1:
        raise TraceError(f"Tap {name} saw tensors of different shapes in one recording: {sorted(shapes)}.")
    return NamedTensor(torch.stack(values), ("stage", *axes))
