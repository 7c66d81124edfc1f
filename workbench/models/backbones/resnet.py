"""ResNet-18/34/50 (He et al. 2016) as multi-level feature extractors; parameter names as in torchvision."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from workbench.models.layers import BasicBlock, Bottleneck, ConvNorm

LAYERS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


class ResNet(nn.Module):
    """The four levels C2..C5.

    Args:
        depth: 18, 34 or 50.
        width: channels of C2 (64 in the paper); the levels have width x (1, 2, 4, 8) x expansion channels.
        small_stem: a strided 3x3 instead of 7x7 + max-pooling, so that C2 has stride 2 (for small crops).
    """

    def __init__(self, depth: int, width: int = 64, small_stem: bool = False) -> None:
        super().__init__()
        block = Bottleneck if depth >= 50 else BasicBlock
        kernel = 3 if small_stem else 7
        self.conv1 = nn.Conv2d(3, width, kernel, 2, kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.pool: nn.Module = nn.Identity() if small_stem else nn.MaxPool2d(3, 2, 1)
        cin, levels = width, []
        for i, count in enumerate(LAYERS[depth]):
            first = block(cin, width << i, 1 if i == 0 else 2)
            cin = (width << i) * block.expansion
            levels.append(nn.Sequential(first, *(block(cin, width << i) for _ in range(count - 1))))
        self.layer1, self.layer2, self.layer3, self.layer4 = levels
        self.channels = tuple((width << i) * block.expansion for i in range(4))

    def levels(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> [C2, C3, C4, C5], each half the size of the one before."""
        x = self.pool(F.relu(self.bn1(self.conv1(images)), inplace=True))
        out = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            out.append(x)
        return out


class MultiLevelResNet(ResNet):
    """C2..C5, each reduced by a 1x1 convolution to a quarter of ``dim`` (thesis Fig. 4.4)."""

    count = 4  # maps

    def __init__(self, depth: int, dim: int) -> None:
        super().__init__(depth)
        self.reduce = nn.ModuleList(nn.Conv2d(c, dim // 4, 1) for c in self.channels)

    def forward(self, images: Tensor) -> list[Tensor]:
        return [reduce(level) for reduce, level in zip(self.reduce, self.levels(images), strict=True)]


class PyramidResNet(ResNet):
    """A slim ResNet-18 with a top-down path (Lin et al. 2017) for 128-pixel crops: our compact backbone.

    Gives two maps whose channels add up to ``dim``: a quarter at stride 2, three quarters at stride 4.
    """

    count = 2  # maps

    def __init__(self, dim: int, width: int = 32) -> None:
        super().__init__(18, width, small_stem=True)
        fine, coarse = dim // 4, dim - dim // 4
        self.laterals = nn.ModuleList(nn.Conv2d(c, coarse, 1) for c in self.channels[1:])
        self.smooth = ConvNorm(coarse, coarse)
        self.down = nn.Conv2d(coarse, fine, 1)
        self.fine = ConvNorm(self.channels[0], fine, 1, relu=False)

    def forward(self, images: Tensor) -> list[Tensor]:
        return self.pyramid(self.levels(images))

    def pyramid(self, levels: list[Tensor]) -> list[Tensor]:
        """C2..C5 -> the two maps."""
        c2, *rest = levels
        top: Tensor | None = None
        for level, lateral in zip(reversed(rest), reversed(self.laterals), strict=True):
            x = lateral(level)
            top = x if top is None else x + F.interpolate(top, size=x.shape[-2:], mode="nearest")
        assert top is not None
        top = self.smooth(top)
        up = F.interpolate(self.down(top), size=c2.shape[-2:], mode="bilinear", align_corners=False)
        return [F.relu(self.fine(c2) + up), top]
