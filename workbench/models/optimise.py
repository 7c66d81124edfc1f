"""Models made quicker for reading: batch normalisation folded into the convolution before it, channels last.

Nothing that a tap shows changes but for rounding: no tap lies between a convolution and its norm. What is gained is
measured by ``workbench bench --all``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from workbench.models.base import FaceModel


def optimise(model: FaceModel, compiled: bool = False) -> FaceModel:
    """Make a model in evaluation mode quicker, in place; from then on it can be read, not trained or saved.

    Args:
        model: its answers and taps stay the same to 1e-4 px.
        compiled: also compile the backbone, where it holds no tap and this machine has a compiler; that takes a
            minute, once.
    """
    model.eval()
    for parent, conv, norm in list(foldable(model)):
        parts = parent._modules
        first, second = parts[conv], parts[norm]
        assert isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d)
        parts[conv], parts[norm] = fuse_conv_bn_eval(first, second), nn.Identity()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.register_forward_pre_hook(_channels_last, with_kwargs=True)
    model.optimised = True
    if compiled:
        _compile(model)
    return model.requires_grad_(False)


def foldable(model: nn.Module) -> Iterator[tuple[nn.Module, str, str]]:
    """(module, name of a convolution, name of its norm) for every pair that can be one convolution.

    A module registers a norm directly after the convolution that feeds it and nothing else; one that normalises
    before it convolves registers its norms first. A test runs every pair and sees that it is so.
    """
    for module in model.modules():
        children = list(module.named_children())
        for (name, first), (after, second) in pairwise(children):
            if (
                isinstance(first, nn.Conv2d)
                and isinstance(second, nn.BatchNorm2d)
                and second.track_running_stats
                and first.out_channels == second.num_features
            ):
                yield module, name, after


def _channels_last(model: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    def laid_out(value: Any) -> Any:
        whole = isinstance(value, Tensor) and value.ndim == 4
        return value.contiguous(memory_format=torch.channels_last) if whole else value

    return tuple(map(laid_out, args)), {name: laid_out(value) for name, value in named.items()}


def _compile(model: FaceModel) -> None:
    """Compile the backbone; it stays as it was where that fails."""
    from workbench.tracing import taps

    backbone = getattr(model, "backbone", None)
    if not isinstance(backbone, nn.Module) or taps(backbone):
        return
    side = model.input_size
    try:
        backbone.compile()
        with torch.inference_mode():
            model(torch.zeros(1, 3, side, side, device=model.device, dtype=model.mean_shape.dtype))
    except Exception:  # no compiler, or one that fails: each has errors of its own
        backbone._compiled_call_impl = None
