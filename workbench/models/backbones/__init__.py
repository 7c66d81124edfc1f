"""Feature extractors, each returning a list of ``count`` maps whose channels add up to the width asked for."""

from __future__ import annotations

from torch import nn

from workbench.errors import unknown
from workbench.models.backbones.hrnet import CHANNELS, HRNet
from workbench.models.backbones.resnet import MultiLevelResNet, PyramidResNet

NAMES = ("hrnet_w18", "hrnet_w18_lite", "resnet34", "resnet50", "pyramid18")


def build_backbone(name: str, dim: int, deep_head: bool = False) -> HRNet | MultiLevelResNet | PyramidResNet:
    """A backbone whose maps have ``dim`` channels in all.

    Args:
        name: one of :data:`NAMES`.
        dim: total channels.
        deep_head: SLPT's two-layer HRNet head instead of DSLPT's single 1x1 convolution.

    Raises:
        UnknownNameError: for any other name.
    """
    if name in ("hrnet_w18", "hrnet_w18_lite"):
        return HRNet((1, 4, 3) if name == "hrnet_w18" else (1, 1, 1), hrnet_head(dim, deep_head))
    if name in ("resnet34", "resnet50"):
        return MultiLevelResNet(int(name[-2:]), dim)
    if name == "pyramid18":
        return PyramidResNet(dim)
    raise unknown("backbone", name, NAMES)


def hrnet_head(dim: int, deep: bool) -> nn.Sequential:
    """The 1x1 convolutions after HRNet's joined branches; SLPT and the heatmap baseline use the deep form."""
    if not deep:
        return nn.Sequential(nn.Conv2d(CHANNELS, dim, 1))
    return nn.Sequential(
        nn.Conv2d(CHANNELS, CHANNELS, 1),
        nn.BatchNorm2d(CHANNELS, momentum=0.01),
        nn.ReLU(inplace=True),
        nn.Conv2d(CHANNELS, dim, 1),
    )
