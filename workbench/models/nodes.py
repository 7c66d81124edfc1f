"""From a backbone's maps to SCC's nodes: one feature map (or one map of places) a landmark."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.models.layers import ConvNorm, Gate


def resize(x: Tensor, side: int) -> Tensor:
    """Maps (B, C, h, w) -> (B, C, side, side), bilinear; unchanged where they have that side."""
    same = x.shape[-2:] == (side, side)
    return x if same else F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)


def _descend(width: int, halvings: int) -> nn.Sequential:
    """From a level down to the node map: a strided convolution a halving, and a plain one after the first."""
    strides = [2] * halvings
    strides.insert(1, 1)
    return nn.Sequential(*(ConvNorm(width, width, 3, s) for s in strides))


class StructureMapping(nn.Module):
    """Joins three levels; the two finer ones are gated by what they and the level above see together.

    Args:
        channels: of the three levels, fine to coarse; ``sides``: of the two finer ones, in cells.
        widths: channels that the levels are reduced to, coarse to fine; ``joined``: of their union.
        reduction: of the gates' hidden layer.
        cells: side of the node map.
        outputs: channels of the node map.
        logits: whether these are logits, or features behind a normalisation and a ReLU.
    """

    def __init__(
        self,
        channels: tuple[int, ...],
        sides: tuple[int, ...],
        *,
        widths: tuple[int, int, int],
        joined: int,
        reduction: int,
        cells: int,
        outputs: int,
        logits: bool,
    ) -> None:
        super().__init__()
        w4, w3, w2 = widths
        c2, c3, c4 = channels
        self.cells = cells
        self.reduce4, self.reduce3, self.reduce2 = ConvNorm(c4, w4), ConvNorm(c3, w3), ConvNorm(c2, w2)
        self.join3, self.join2 = ConvNorm(w4 + w3, w3, 1), ConvNorm(w3 + w2, w2, 1)
        self.gate3, self.gate2 = Gate(w3, reduction), Gate(w2, reduction)
        self.down3, self.down2 = (
            _descend(w, max(0, round(math.log2(side / cells)))) for w, side in ((w3, sides[1]), (w2, sides[0]))
        )
        self.out = nn.Sequential(
            ConvNorm(w4 + w3 + w2, joined, 1),
            nn.Conv2d(joined, outputs, 3, padding=1) if logits else ConvNorm(joined, outputs),
        )

    def forward(self, levels: list[Tensor]) -> Tensor:
        """[(B, C2, 4s, 4s), (B, C3, 2s, 2s), (B, C4, s, s)] -> (B, channels, cells, cells)."""
        fine, middle, coarse = levels
        f4, f3, f2 = self.reduce4(coarse), self.reduce3(middle), self.reduce2(fine)
        g3 = self.join3(torch.cat([resize(f4, f3.shape[-1]), f3], 1))
        g2 = self.join2(torch.cat([resize(g3, f2.shape[-1]), f2], 1))
        parts = (
            self.down2(_gated(f2, *self.gate2(g2))),
            self.down3(_gated(f3, *self.gate3(g3))),
            f4,
        )
        out: Tensor = self.out(torch.cat([resize(p, self.cells) for p in parts], 1))
        return out


def _gated(x: Tensor, channel: Tensor, spatial: Tensor) -> Tensor:
    x = x * channel
    return x * spatial + x


class BaseMapping(nn.Module):
    """Two convolutions (with bias, as published) on the last level alone; arguments as above."""

    def __init__(self, channels: tuple[int, ...], *, width: int, cells: int, outputs: int, logits: bool) -> None:
        super().__init__()
        self.cells = cells
        self.reduce4 = self._conv(channels[-1], width)
        self.out = nn.Conv2d(width, outputs, 3, padding=1) if logits else self._conv(width, outputs)

    @staticmethod
    def _conv(cin: int, cout: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))

    def forward(self, levels: list[Tensor]) -> Tensor:
        """[..., (B, C, s, s)] -> (B, channels, cells, cells)."""
        out: Tensor = self.out(resize(self.reduce4(levels[-1]), self.cells))
        return out


EVIDENCE = 5  # numbers that `map_evidence` gives a node


def map_evidence(heatmaps: Tensor, centre: Tensor, mean_shape: Tensor) -> Tensor:
    """What a node's map says of its own reliability.

    Args:
        heatmaps: (B, N, h, h), each a distribution.
        centre: (B, N, 2), its centre of mass in [0, 1].
        mean_shape: (N, 2) in [0, 1].

    Returns:
        (B, N, 5): logarithms of the deviations along x and y in cells, logarithm of the peak, and the centre's offset
        from the mean face in units of a tenth of the crop.
    """
    side = heatmaps.shape[-1]
    place = (torch.arange(side, device=heatmaps.device) + 0.5) / side
    spread = [
        (heatmaps.sum(2 + i) * (place - centre[..., axis, None]).square()).sum(-1) for axis, i in ((0, 0), (1, 1))
    ]
    deviation = 0.5 * (side**2 * torch.stack(spread, -1) + 0.05).log()
    peak = (heatmaps.amax((2, 3)) + 1e-4).log()[..., None]
    return torch.cat([deviation, peak / 2, 10 * (centre - mean_shape)], -1)
