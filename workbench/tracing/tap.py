"""The tap: where a tensor passes on its way through a model, and may be looked at or changed.

A :class:`Tap` is an identity module with named axes. Without a recorder or an edit it returns its input. Inside
``with record(model) as trace`` every tap of that model leaves its tensor in the trace, keyed by the tap's own path;
inside ``with intervene(model, {path: edit})`` it hands on what the edit makes of it. Both live in one context
variable, so threads and sessions that share a model never mix.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import TraceError, UnknownNameError
from workbench.tracing.trace import NamedTensor, Trace


@dataclass(frozen=True)
class Site:
    """Where an edit is applied.

    Attributes:
        path: of the tap.
        call: how often the tap was called before in this forward pass; the stage, for a module that runs once a stage.
    """

    path: str
    call: int


Edit = Callable[[NamedTensor, Site], Tensor]
"""What an intervention does to a tap's tensor: the same shape comes back. Ready-made ones are in ``edits``; what an
edit calls itself is its ``caption``, or its name."""


class _Watch:
    """What recorders and interventions share: the taps of one model that they act on, by identity."""

    def __init__(self, model: nn.Module, names: dict[int, str]) -> None:
        self.root = id(model)
        self.names = names

    def wants(self, tap: Tap) -> bool:
        return id(tap) in self.names

    def begin(self) -> None:
        """A forward pass of the model begins."""


class _Recorder(_Watch):
    """Collects what the taps of one model see during one ``record`` block, pass by pass."""

    def __init__(self, model: nn.Module, names: dict[int, str], known: set[int]) -> None:
        super().__init__(model, names)
        self.known = known
        self.axes: dict[str, tuple[str, ...]] = {}
        self.passes: list[dict[str, list[Tensor]]] = []
        self.edits: dict[str, list[str]] = {}

    def begin(self) -> None:
        self.passes.append({})

    def add(self, tap: Tap, value: Tensor) -> None:
        name = self.names[id(tap)]
        self.axes[name] = tap.axes
        if not self.passes:  # a part of the model was called by itself
            self.begin()
        self.passes[-1].setdefault(name, []).append(value.detach().clone())

    def note(self, tap: Tap, path: str, caption: str) -> None:
        """An edit was applied, whether or not the tap is recorded: what comes after it is changed too."""
        if id(tap) in self.known and caption not in self.edits.setdefault(path, []):
            self.edits[path].append(caption)


class _Intervention(_Watch):
    """The edits of one ``intervene`` block."""

    def __init__(self, model: nn.Module, names: dict[int, str], edits: dict[str, list[Edit]]) -> None:
        super().__init__(model, names)
        self.edits = edits
        self.calls: dict[str, int] = {}

    def begin(self) -> None:
        self.calls.clear()

    def apply(self, tap: Tap, value: Tensor) -> tuple[Tensor, str, list[str]]:
        path = self.names[id(tap)]
        call = self.calls.get(path, 0)
        self.calls[path] = call + 1
        captions = []
        for edit in self.edits[path]:
            changed = edit(NamedTensor(value, tap.axes), Site(path, call))
            if not isinstance(changed, Tensor) or changed.shape != value.shape:
                shape = tuple(changed.shape) if isinstance(changed, Tensor) else type(changed).__name__
                raise TraceError(
                    f"The edit of {path} must give back the shape {tuple(value.shape)} of {', '.join(tap.axes)}, "
                    f"not {shape}."
                )
            value = changed.to(value.device, value.dtype)
            captions.append(caption_of(edit))
        return value, path, captions


def caption_of(edit: Edit) -> str:
    """What an edit says of itself."""
    return str(getattr(edit, "caption", None) or getattr(edit, "__name__", type(edit).__name__))


_ACTIVE: ContextVar[tuple[_Watch, ...]] = ContextVar("workbench_taps", default=())


class Tap(nn.Module):
    """Identity with named axes.

    ``Tap("head", "query_landmark", "key_landmark")`` sees tensors of shape (batch, head, N, N): the batch axis is
    implied.

    Args:
        axes: names of the axes after the batch axis, in order.
        per_stage: the owning module runs once a stage (shared weights); its calls are stacked on a leading
            ``stage`` axis, even when there was only one.
        observer: the model does not use what the tap hands on (it shows a quantity computed for looking only), so
            that an edit is refused.

    Attributes:
        idle: whether no answer can depend on the weights that pass, by the way the network is built (every key brings
            the same value); the module that builds it so sets this, and a test scrambles it.
    """

    def __init__(self, *axes: str, per_stage: bool = False, observer: bool = False) -> None:
        super().__init__()
        if len(set(axes)) != len(axes) or {"batch", "stage"} & set(axes):
            raise TraceError(
                f"Tap axes must be distinct and leave out 'batch' and 'stage', which are implied: {axes}."
            )
        self.axes = ("batch", *axes)
        self.per_stage = per_stage
        self.idle = False
        self.observer = observer

    @property
    def active(self) -> bool:
        """True when the current context records or edits this very tap; layers then compute what they otherwise
        fuse."""
        return any(watch.wants(self) for watch in _ACTIVE.get())

    def forward(self, value: Tensor) -> Tensor:
        watching = [watch for watch in _ACTIVE.get() if watch.wants(self)]
        if watching and value.ndim != len(self.axes):
            raise TraceError(
                f"Tap {watching[0].names[id(self)]} expects the axes {self.axes} "
                f"but saw a tensor of shape {tuple(value.shape)}."
            )
        for watch in watching:  # edits come first, the outer before the inner: what is recorded is what is used
            if isinstance(watch, _Intervention):
                value, path, captions = watch.apply(self, value)
                for recorder in _ACTIVE.get():
                    if isinstance(recorder, _Recorder):
                        for caption in captions:
                            recorder.note(self, path, caption)
        for watch in watching:
            if isinstance(watch, _Recorder):
                watch.add(self, value)
        return value

    def extra_repr(self) -> str:
        return ", ".join(self.axes)


def taps(model: nn.Module) -> dict[str, Tap]:
    """All taps of a model by path, in registration order."""
    return {name: module for name, module in model.named_modules() if isinstance(module, Tap)}


def matching(model: nn.Module, patterns: Iterable[str]) -> dict[str, Tap]:
    """The taps of a model whose path matches one of some glob patterns, in registration order.

    Raises:
        UnknownNameError: a pattern matches no tap.
    """
    available, wanted = taps(model), list(patterns)
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in available):
            known = ", ".join(available) or "none"
            raise UnknownNameError(f"No tap matches '{pattern}'; this model has: {known}.")
    return {n: t for n, t in available.items() if any(fnmatchcase(n, p) for p in wanted)}


@contextmanager
def record(model: nn.Module, only: str | Iterable[str] | None = None) -> Iterator[Trace]:
    """Record the taps of ``model`` during the block; blocks may be nested, and each records what its model does.

    Several forward passes, of batches of any size, are joined along the batch axis. What is the same for every face
    (a batch axis of 1 with equal values in all passes) stays one entry.

    Args:
        model: the model whose taps are recorded. Other models that run inside the block are not.
        only: glob patterns of tap paths (``"relation.layers.*.cross"``); None records every tap.

    Yields:
        A :class:`Trace` that is filled when the block ends. A tap called more than once in a forward pass, or
        declared ``per_stage``, has its calls stacked on a leading ``stage`` axis. Under :func:`intervene` the trace
        holds the edited values, and ``trace.meta["edits"]`` tells them: path -> captions.

    Raises:
        UnknownNameError: a pattern matches no tap of the model.
        TraceError: a tap's calls differ in more than the number of faces.
    """
    available = taps(model)
    chosen = available if only is None else matching(model, [only] if isinstance(only, str) else only)
    recorder = _Recorder(model, {id(tap): n for n, tap in chosen.items()}, {id(tap) for tap in available.values()})
    trace = Trace()
    with _active(model, recorder):
        yield trace
    names = dict.fromkeys(name for calls in recorder.passes for name in calls)
    for name in names:
        trace[name] = _joined(name, recorder, chosen[name].per_stage)
    if recorder.edits:
        trace.meta["edits"] = recorder.edits


@contextmanager
def intervene(model: nn.Module, edits: Mapping[str, Edit | Iterable[Edit]]) -> Iterator[None]:
    """Change what the taps of ``model`` hand on during the block; beside :func:`record`, and nestable like it.

    ``with intervene(model, {"relation.layers.*.cross": Uniform()}): model(images)``. Gradients pass through an edit
    that is made of differentiable operations. The outer block's edits come first.

    Args:
        model: the model that is changed, in this context only: other threads and sessions see it as it is.
        edits: glob pattern of tap paths -> an edit or several, applied in order; patterns are applied in order too.

    Raises:
        UnknownNameError: a pattern matches no tap of the model.
        TraceError: a tap only observes, so that an edit would change nothing; or an edit gives back another shape.
    """
    chosen: dict[str, list[Edit]] = {}
    names: dict[int, str] = {}
    for pattern, given in edits.items():
        wanted: list[Any] = [given] if callable(given) else list(given)
        for name, tap in matching(model, [pattern]).items():
            if tap.observer:
                raise TraceError(f"{name} only shows something: the model does not use it, so it cannot be edited.")
            chosen.setdefault(name, []).extend(wanted)
            names[id(tap)] = name
    with _active(model, _Intervention(model, names, chosen)):
        yield


@contextmanager
def _active(model: nn.Module, watch: _Watch) -> Iterator[None]:
    _count_passes(model)
    token = _ACTIVE.set((*_ACTIVE.get(), watch))
    try:
        yield
    finally:
        _ACTIVE.reset(token)


_COUNTING = threading.Lock()


def _count_passes(model: nn.Module) -> None:
    """Let the model's forward passes be told apart. The hook stays: it holds no state and changes nothing, and to
    take it away while another thread calls the model would not be safe."""
    with _COUNTING:
        if _begin_pass not in model._forward_pre_hooks.values():
            model.register_forward_pre_hook(_begin_pass)


def _begin_pass(model: nn.Module, _: Any) -> None:
    for watch in _ACTIVE.get():
        if watch.root == id(model):
            watch.begin()


def _joined(name: str, recorder: _Recorder, per_stage: bool) -> NamedTensor:
    """What a tap saw in all passes, joined along the batch axis."""
    found = [_stacked(name, calls[name], per_stage) for calls in recorder.passes if name in calls]
    axes = recorder.axes[name]
    axes = ("stage", *axes) if found[0].ndim > len(axes) else axes
    batch = axes.index("batch")
    rest = {(t.ndim, *(size for dim, size in enumerate(t.shape) if dim != batch)) for t in found}
    if len(rest) > 1:
        shapes = sorted({tuple(t.shape) for t in found})
        raise TraceError(f"Tap {name} saw tensors of different shapes in one recording: {shapes}.")
    if len(found) == 1 or all(t.shape[batch] == 1 and torch.equal(t, found[0]) for t in found):
        return NamedTensor(found[0], axes)
    return NamedTensor(torch.cat(found, batch), axes)


def _stacked(name: str, values: list[Tensor], per_stage: bool) -> Tensor:
    if len(values) == 1 and not per_stage:
        return values[0]
    shapes = {tuple(v.shape) for v in values}
    if len(shapes) > 1:
        raise TraceError(f"Tap {name} saw tensors of different shapes in one recording: {sorted(shapes)}.")
    return torch.stack(values)
