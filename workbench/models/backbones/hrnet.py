"""HRNetV2-W18 and its lite form (Sun et al. 2019), with the parameter names of the published face models."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.models.layers import BasicBlock, Bottleneck, ConvNorm

WIDTHS = (18, 36, 72, 144)
CHANNELS = sum(WIDTHS)  # 270: the four branches joined at stride 4, "location B" of SSFA


class _Fusion(nn.Module):
    """One high-resolution module: four basic blocks a branch, then every branch receives the sum of all."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*(BasicBlock(w, w) for _ in range(4))) for w in widths)
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(self._path(widths, source, target) for source in range(len(widths)))
            for target in range(len(widths))
        )

    @staticmethod
    def _path(widths: tuple[int, ...], source: int, target: int) -> nn.Module:
        if source == target:
            return nn.Identity()
        if source > target:  # upwards: 1x1, then bilinear to the target's size
            return ConvNorm(widths[source], widths[target], 1, relu=False)
        steps = target - source  # downwards: a chain of strided 3x3, the last without ReLU
        return nn.Sequential(
            *(ConvNorm(widths[source], widths[source], 3, 2) for _ in range(steps - 1)),
            ConvNorm(widths[source], widths[target], 3, 2, relu=False),
        )

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        xs = [branch(x) for branch, x in zip(self.branches, xs, strict=True)]
        out = []
        for target, paths in enumerate(self.fuse_layers):
            assert isinstance(paths, nn.ModuleList)
            size = xs[target].shape[-2:]
            total = paths[0](xs[0])
            for source in range(1, len(xs)):
                y = paths[source](xs[source])
                if source > target:
                    y = F.interpolate(y, size=size, mode="bilinear", align_corners=False)
                total = total + y
            out.append(F.relu(total))
        return out


class HRNet(nn.Module):
    """HRNetV2-W18: four resolutions in parallel, joined at stride 4.

    Args:
        modules: high-resolution modules in stages 2, 3, 4: (1, 4, 3), or (1, 1, 1) for "lite".
        head: applied to the joined (B, 270, H/4, W/4) map.
    """

    count = 1  # maps

    def __init__(self, modules: tuple[int, int, int], head: nn.Module) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = nn.Conv2d(64, 64, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(Bottleneck(64, 64), *(Bottleneck(256, 64) for _ in range(3)))
        self.transition1 = nn.ModuleList([ConvNorm(256, WIDTHS[0]), nn.Sequential(ConvNorm(256, WIDTHS[1], 3, 2))])
        self.stage2 = self._stage(2, modules[0])
        self.transition2 = self._transition(2)
        self.stage3 = self._stage(3, modules[1])
        self.transition3 = self._transition(3)
        self.stage4 = self._stage(4, modules[2])
        self.head = head

    @staticmethod
    def _stage(branches: int, count: int) -> nn.ModuleList:
        return nn.ModuleList(_Fusion(WIDTHS[:branches]) for _ in range(count))

    @staticmethod
    def _transition(branches: int) -> nn.ModuleList:
        new = nn.Sequential(ConvNorm(WIDTHS[branches - 1], WIDTHS[branches], 3, 2))
        return nn.ModuleList([*(nn.Identity() for _ in range(branches)), new])

    def branches(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> four maps of 18, 36, 72, 144 channels at strides 4, 8, 16, 32."""
        x = F.relu(self.bn1(self.conv1(images)), inplace=True)
        x = F.relu(self.bn2(self.conv2(x)), inplace=True)
        x = self.layer1(x)
        xs = [transition(x) for transition in self.transition1]
        for stage, transition in ((self.stage2, self.transition2), (self.stage3, self.transition3)):
            for module in stage:
                xs = module(xs)
            xs = [*xs, transition[-1](xs[-1])]
        for module in self.stage4:
            xs = module(xs)
        return xs

    def features(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 270, H/4, W/4), the branches brought to the finest and concatenated."""
        return self.join(self.branches(images))

    @staticmethod
    def join(branches: list[Tensor]) -> Tensor:
        """The four branches brought to the finest one's size and concatenated."""
        first, *rest = branches
        size = first.shape[-2:]
        return torch.cat(
            [first, *(F.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in rest)], 1
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> [(B, C, H/4, W/4)] after the head."""
        return [self.head(self.features(images))]
