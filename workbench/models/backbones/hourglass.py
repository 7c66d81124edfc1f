"""Stacked hourglasses as in AWing: FAN's blocks, coordinate channels, a boundary map beside the landmarks' maps.

Sources: the residual block is the hierarchical, parallel and multi-scale one of Bulat and Tzimiropoulos (2017); the
stack and its coordinate channels follow Wang et al. (AWing, 2019), on which CHS builds (So and Han 2023, 3.3, 4.2).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.models.layers import ConvNorm

BOUNDARY_LEVEL = 0.05  # where a boundary map counts as boundary for the gated coordinates (AWing)


class ParallelBlock(nn.Module):
    """Three 3x3 convolutions in a row, a half, a quarter and a quarter of the width, their outputs side by side.

    Each convolution is preceded by batch normalisation and ReLU; the input is added, through a 1x1 convolution when
    the width changes. (B, cin, h, w) -> (B, cout, h, w).
    """

    def __init__(self, cin: int, cout: int) -> None:
        super().__init__()
        half, quarter = cout // 2, cout // 4
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(cin), nn.BatchNorm2d(half), nn.BatchNorm2d(quarter)
        self.conv1 = nn.Conv2d(cin, half, 3, 1, 1, bias=False)
        self.conv2 = nn.Conv2d(half, quarter, 3, 1, 1, bias=False)
        self.conv3 = nn.Conv2d(quarter, cout - half - quarter, 3, 1, 1, bias=False)
        self.downsample: nn.Module | None = None
        if cin != cout:
            self.downsample = nn.Sequential(
                nn.BatchNorm2d(cin), nn.ReLU(inplace=True), nn.Conv2d(cin, cout, 1, bias=False)
            )

    def forward(self, x: Tensor) -> Tensor:
        first = self.conv1(F.relu(self.bn1(x)))
        second = self.conv2(F.relu(self.bn2(first)))
        third = self.conv3(F.relu(self.bn3(second)))
        joined = torch.cat([first, second, third], 1)
        return joined + (x if self.downsample is None else self.downsample(x))


class ResidualExtractor(nn.Module):
    """CHS's feature extractor: a 7x7 convolution and ``branches`` + 1 residual blocks (So and Han 2023, 3.3).

    The convolution and a pooling after the first block bring a crop to a quarter of its side; each further block
    gives one branch. With ``coordinates`` the convolution sees x, y and the radius beside the colours, as AWing's
    does. (B, 3, S, S) -> ``branches`` maps (B, channels, S / 4, S / 4), shallowest first.
    """

    def __init__(self, channels: int, branches: int, coordinates: bool) -> None:
        super().__init__()
        self.coordinates = coordinates
        self.conv1 = nn.Conv2d(6 if coordinates else 3, channels // 2, 7, 2, 3)
        self.bn1 = nn.BatchNorm2d(channels // 2)
        self.stem = ParallelBlock(channels // 2, channels)
        self.levels = nn.ModuleList(ParallelBlock(channels, channels) for _ in range(branches))

    def forward(self, images: Tensor) -> list[Tensor]:
        x = torch.cat([images, coordinate_channels(images, None)], 1) if self.coordinates else images
        x = F.avg_pool2d(self.stem(F.relu(self.bn1(self.conv1(x)))), 2)
        out = []
        for level in self.levels:
            x = level(x)
            out.append(x)
        return out


class PyramidBranches(nn.Module):
    """Three branches at stride 4 from the compact backbone's two maps.

    The fine map keeps its pixels (2 x 2 of them become channels), the coarse one is taken as it is, and a residual
    block over both is the deepest. [(B, C / 4, 2h, 2w), (B, 3 C / 4, h, w)] -> 3 maps (B, channels, h, w).
    """

    def __init__(self, dim: int, channels: int) -> None:
        super().__init__()
        self.fine = ConvNorm(dim, channels, 1)
        self.coarse = ConvNorm(dim - dim // 4, channels, 1)
        self.deep = ParallelBlock(2 * channels, channels)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        fine, coarse = self.fine(F.pixel_unshuffle(maps[0], 2)), self.coarse(maps[1])
        return [fine, coarse, self.deep(torch.cat([fine, coarse], 1))]


def coordinate_channels(like: Tensor, boundary: Tensor | None) -> Tensor:
    """x, y in [-1, 1] and the radius (largest 1), then x, y where ``boundary`` (B, 1, h, w) exceeds 0.05.

    Returns:
        (B, 3 or 5, h, w) in the type of ``like`` (B, C, h, w).
    """
    b, _, h, w = like.shape
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, h, device=like.device), torch.linspace(-1, 1, w, device=like.device), indexing="ij"
    )
    radius = (x.square() + y.square()).sqrt()
    planes = torch.stack([x, y, radius / radius.max()]).to(like.dtype).expand(b, -1, -1, -1)
    if boundary is None:
        return planes
    return torch.cat([planes, planes[:, :2] * (boundary > BOUNDARY_LEVEL).to(like.dtype)], 1)


class Hourglass(nn.Module):
    """Down and up again over ``depth`` levels, with a side path on each (Newell et al. 2016)."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.side, self.down = ParallelBlock(channels, channels), ParallelBlock(channels, channels)
        self.inner: nn.Module = Hourglass(channels, depth - 1) if depth > 1 else ParallelBlock(channels, channels)
        self.up = ParallelBlock(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.up(self.inner(self.down(F.avg_pool2d(x, 2))))
        return self.side(x) + F.interpolate(y, scale_factor=2.0, mode="nearest")


class HourglassStack(nn.Module):
    """``count`` hourglasses, each of which sees what the one before found.

    Args:
        count: hourglasses.
        channels: width throughout.
        depth: how often an hourglass halves the map; the map's side must be a multiple of 2 ** depth.
        maps: what each predicts; the last is the boundary.
        coordinates: whether AWing's coordinate channels enter each hourglass.
    """

    def __init__(self, count: int, channels: int, depth: int, maps: int, coordinates: bool) -> None:
        super().__init__()
        c = channels
        self.coordinates = nn.ModuleList(
            nn.Conv2d(c + (5 if i else 3), c, 1) for i in range(count if coordinates else 0)
        )
        self.hourglasses = nn.ModuleList(Hourglass(c, depth) for _ in range(count))
        self.tops = nn.ModuleList(
            nn.Sequential(ParallelBlock(c, c), nn.Conv2d(c, c, 1), nn.BatchNorm2d(c), nn.ReLU(inplace=True))
            for _ in range(count)
        )
        self.heads = nn.ModuleList(nn.Conv2d(c, maps, 1) for _ in range(count))
        self.features_back = nn.ModuleList(nn.Conv2d(c, c, 1) for _ in range(count - 1))
        self.maps_back = nn.ModuleList(nn.Conv2d(maps, c, 1) for _ in range(count - 1))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, channels, h, w) -> what every hourglass says, each (B, maps, h, w)."""
        found: list[Tensor] = []
        for i, (hourglass, top, head) in enumerate(zip(self.hourglasses, self.tops, self.heads, strict=True)):
            y = x
            if len(self.coordinates):
                boundary = found[-1][:, -1:].detach() if found else None
                y = self.coordinates[i](torch.cat([x, coordinate_channels(x, boundary)], 1))
            y = top(hourglass(y))
            found.append(head(y))
            if i < len(self.maps_back):
                x = x + self.features_back[i](y) + self.maps_back[i](found[-1])
        return found
