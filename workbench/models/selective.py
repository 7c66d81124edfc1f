"""What a cascade of CHS is built of: selective features, regions around landmarks, and each landmark's own block."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.models.layers import BasicBlock, ConvNorm, Gate
from workbench.tracing import Tap


def sample_rois(features: Tensor, centres: Tensor, count: int) -> Tensor:
    """Each landmark's neighbourhood, with two channels that say where each of its cells lies (3.3).

    Args:
        features: (B, C, h, w).
        centres: (B, N, 2) in [0, 1].
        count: samples on a side, one cell apart, bilinear; beyond the map its border's value holds.

    Returns:
        (B, N, C + 2, count, count); the last two channels are x and y of the sample, -1 to 1 over the crop.
    """
    h, w = features.shape[-2:]
    steps = torch.arange(count, device=centres.device, dtype=centres.dtype) - (count - 1) / 2
    x = centres[..., 0, None, None] + steps / w
    y = centres[..., 1, None, None] + steps[:, None] / h
    grid = 2 * torch.stack(torch.broadcast_tensors(x, y), -1) - 1  # (B, N, count, count, 2)
    # In half precision a place would be rounded by a tenth of a cell.
    cells = F.grid_sample(
        features.to(grid.dtype), grid.flatten(1, 2), "bilinear", padding_mode="border", align_corners=False
    )
    cells = cells.unflatten(2, (-1, count)).transpose(1, 2)
    return torch.cat([cells, grid.movedim(-1, 2).to(cells.dtype)], 2)


class SelectiveFeatures(nn.Module):
    """What one task takes from the extractor's branches (Eq. 1-4).

    Args:
        cin, width, squeeze, cout: channels of a branch, of U_i, of z and of the result.
        branches: B.
        guide: channels of the heatmaps that gate the branches, 0 for the heatmap task itself.
        standardise: see ``CHSConfig``.
    """

    def __init__(
        self, cin: int, width: int, squeeze: int, cout: int, branches: int, guide: int, standardise: bool = False
    ) -> None:
        super().__init__()
        self.reduce = nn.ModuleList(ConvNorm(cin, width, 1) for _ in range(branches))
        self.guides = nn.ModuleList(BasicBlock(cin + guide, width) for _ in range(branches if guide else 0))
        self.filters = nn.ModuleList(ConvNorm(width, width, 3) for _ in range(branches))
        self.squeeze = nn.Linear(width, squeeze)
        self.norm = nn.BatchNorm1d(squeeze, affine=False) if standardise else nn.Identity()
        self.excite = nn.ModuleList(nn.Linear(squeeze, width) for _ in range(branches))
        self.expand = nn.Conv2d(width, cout, 1)
        self.gates = nn.ModuleList(Tap("channel", "y", "x") for _ in self.guides)
        self.weights = Tap("branch", "channel")
        self.attended = Tap("channel", "y", "x")

    def forward(self, maps: Sequence[Tensor], heatmaps: Tensor | None) -> Tensor:
        """Branches (B, cin, h, w) and heatmaps (B, guide, h, w) -> attended features (B, cout, h, w)."""
        if heatmaps is not None:
            plain = maps[0].is_contiguous()
            layout = torch.contiguous_format if plain else torch.channels_last
            heatmaps = heatmaps.to(maps[0].dtype).contiguous(memory_format=layout)
        filtered = []
        for i, (x, reduce, conv) in enumerate(zip(maps, self.reduce, self.filters, strict=True)):
            y = reduce(x)
            if heatmaps is not None:
                y = y * self.gates[i](self.guides[i](torch.cat([x, heatmaps], 1)))
            filtered.append(conv(y))
        z = self.norm(self.squeeze(torch.stack([u.mean((-2, -1)) for u in filtered]).sum(0)))
        weights = self.weights(torch.stack([excite(z) for excite in self.excite], 1).softmax(1))
        scales = weights.to(filtered[0].dtype)[..., None, None].unbind(1)
        parts = [scale * u for scale, u in zip(scales, filtered, strict=True)]
        return self.attended(self.expand(functools.reduce(torch.add, parts)))


class OneLevel(nn.Module):
    """What Table 7 puts in the place of the selective features; the heatmaps are not looked at.

    Args:
        cin, width, squeeze, cout, branches: as for :class:`SelectiveFeatures`.
        kind: "none" adds all branches up; "cbam" gates the last branch by channels, then by places (Woo et al.
            2018); "sk" lets filters of growing dilation compete on it (Li et al. 2019), one filter a branch.
    """

    def __init__(self, cin: int, width: int, squeeze: int, cout: int, branches: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        count = branches if kind == "none" else 1
        self.reduce = nn.ModuleList(ConvNorm(cin, width, 1) for _ in range(count))
        self.filters = nn.ModuleList(ConvNorm(width, width, 3) for _ in range(branches if kind != "cbam" else 1))
        if kind == "cbam":
            self.gate = Gate(width, width // squeeze if width > squeeze else 1)
        if kind == "sk":
            for i, layer in enumerate(self.filters):
                conv = layer[0]  # type: ignore[index]
                conv.dilation, conv.padding = (i + 1, i + 1), (i + 1, i + 1)
            self.squeeze = nn.Linear(width, squeeze)
            self.excite = nn.ModuleList(nn.Linear(squeeze, width) for _ in range(branches))
            self.weights = Tap("branch", "channel")
        self.expand = nn.Conv2d(width, cout, 1)
        self.attended = Tap("channel", "y", "x")

    def forward(self, maps: Sequence[Tensor], heatmaps: Tensor | None) -> Tensor:
        """Branches (B, cin, h, w) -> features (B, cout, h, w)."""
        if self.kind == "none":
            sources = [reduce(x) for reduce, x in zip(self.reduce, maps, strict=True)]
        else:
            sources = [self.reduce[0](maps[-1])] * len(self.filters)
        filtered = [conv(x) for conv, x in zip(self.filters, sources, strict=True)]
        if self.kind == "sk":
            z = self.squeeze(torch.stack([u.mean((-2, -1)) for u in filtered]).sum(0))
            weights = self.weights(torch.stack([excite(z) for excite in self.excite], 1).softmax(1))
            scales = weights.to(filtered[0].dtype)[..., None, None].unbind(1)
            filtered = [scale * u for scale, u in zip(scales, filtered, strict=True)]
        total = functools.reduce(torch.add, filtered)
        if self.kind == "cbam":
            total = self.gate.channel_gate(total) * total
            total = self.gate.spatial_gate(total) * total
        return self.attended(self.expand(total))


class LandmarkBlocks(nn.Module):
    """A basic block and a valid 3x3 convolution for each landmark, as grouped convolutions.

    (B, N, cin, k, k) -> (B, N * cout * (k - 2) ** 2).
    """

    def __init__(self, landmarks: int, cin: int, width: int, cout: int) -> None:
        super().__init__()
        n = landmarks
        self.conv1 = nn.Conv2d(n * cin, n * width, 3, 1, 1, groups=n, bias=False)
        self.bn1 = nn.BatchNorm2d(n * width)
        self.conv2 = nn.Conv2d(n * width, n * width, 3, 1, 1, groups=n, bias=False)
        self.bn2 = nn.BatchNorm2d(n * width)
        self.shortcut = nn.Conv2d(n * cin, n * width, 1, groups=n, bias=False)
        self.bn3 = nn.BatchNorm2d(n * width)
        self.reduce = nn.Conv2d(n * width, n * cout, 3, groups=n)

    def forward(self, rois: Tensor) -> Tensor:
        x = rois.flatten(1, 2)
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)) + self.bn3(self.shortcut(x)), inplace=True)
        return F.relu(self.reduce(y)).flatten(1)


class RoiTaps(nn.Module):
    """Where each cascade looked, x0, y0, width, height in [0, 1], and how far it moved each landmark."""

    def __init__(self) -> None:
        super().__init__()
        self.rects = Tap("landmark", "rect", per_stage=True, observer=True)
        self.centres = Tap("landmark", "xy", per_stage=True)
        self.offsets = Tap("landmark", "channel", per_stage=True)
