"""Named configurations: the papers' sizes and our compact ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from workbench.errors import UnknownNameError
from workbench.models.dslpt import PatchTransformer, PatchTransformerConfig

SCHEME_BY_COUNT = {5: "five", 19: "aflw19", 29: "cofw29", 68: "ibug68", 98: "wflw98", 189: "webmorph189"}

_SLPT = PatchTransformerConfig(
    system="slpt",
    backbone="hrnet_w18_lite",
    deep_head=True,
    rectangle="shrink",
    sampling="aligned",
    size_rule="halve",
    likelihood=None,
    embed_bias=False,
)
_COMPACT: dict[str, Any] = dict(
    input_size=128,
    backbone="pyramid18",
    dim=128,
    heads=4,
    layers=4,
    ffn=512,
    dropout=0.0,
    patch=5,
    likelihood="laplace",
)


def _points(config: PatchTransformerConfig, count: int) -> PatchTransformerConfig:
    return replace(config, scheme=SCHEME_BY_COUNT[count], landmarks=count)


def _presets() -> dict[str, PatchTransformerConfig]:
    out = {}
    for count in (98, 68, 29, 19):
        dslpt, slpt = _points(PatchTransformerConfig(), count), _points(_SLPT, count)
        out[f"dslpt-{count}-w18"] = dslpt
        out[f"dslpt-{count}-lite"] = replace(dslpt, backbone="hrnet_w18_lite")
        out[f"dslpt-{count}-resnet34"] = replace(dslpt, backbone="resnet34")
        out[f"dslpt-{count}-resnet50"] = replace(dslpt, backbone="resnet50")
        out[f"dslpt-{count}-compact"] = replace(dslpt, **_COMPACT)
        out[f"slpt-{count}-lite"] = slpt
        out[f"slpt-{count}-resnet34"] = replace(slpt, backbone="resnet34", deep_head=False)
    return out


PRESETS = _presets()


def preset(name: str) -> PatchTransformerConfig:
    """A configuration by name. Raises UnknownNameError."""
    if name not in PRESETS:
        raise UnknownNameError(f"There is no preset '{name}'; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]


def build(config: PatchTransformerConfig | str, mean_shape: Tensor) -> PatchTransformer:
    """An untrained model.

    Args:
        config: a configuration or a preset's name.
        mean_shape: (N, 2) in [0, 1] of the crop.
    """
    return PatchTransformer(preset(config) if isinstance(config, str) else config, mean_shape)
