"""Blocks of MobileNetV3 (Howard et al. 2019) and a backbone made of them, each described by a short line of text."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workbench.errors import UnknownNameError
from workbench.tracing import Tap

ACTIVATIONS: dict[str, type[nn.Module]] = {"re": nn.ReLU, "hs": nn.Hardswish}


@dataclass(frozen=True)
class Row:
    """One inverted residual block, a row of Table 1 in Howard et al. 2019.

    Attributes:
        kernel, stride: of the depthwise convolution.
        expand: channels in between.
        out: channels that leave.
        squeeze: whether a squeeze-and-excite gate follows the depthwise convolution.
        activation: "re" (ReLU) or "hs" (hard swish).
    """

    kernel: int
    stride: int
    expand: int
    out: int
    squeeze: bool
    activation: str

    @classmethod
    def parse(cls, text: str) -> Row:
        """Read "k5 s2 e72 c40 se hs": kernel, stride (1 when left out), expansion, channels, gate, activation.

        Raises:
            UnknownNameError: for anything else.
        """
        numbers = {"s": 1}
        flags = {"se": False, "re": False, "hs": False}
        for word in text.split():
            if word in flags:
                flags[word] = True
            elif word[0] in "ksec" and word[1:].isdigit():
                numbers[word[0]] = int(word[1:])
            else:
                raise UnknownNameError(f"'{word}' means nothing in the block '{text}'; write 'k5 s2 e72 c40 se hs'.")
        if not {"k", "e", "c"} <= numbers.keys():
            raise UnknownNameError(f"The block '{text}' needs a kernel, an expansion and channels: 'k5 e72 c40'.")
        activation = "hs" if flags["hs"] else "re"
        return cls(numbers["k"], numbers["s"], numbers["e"], numbers["c"], flags["se"], activation)


def eighths(value: float) -> int:
    """The multiple of eight next to ``value``, at least eight."""
    return max(8, int(value + 4) // 8 * 8)


class Gate(nn.Module):
    """Squeeze-and-excite (Hu et al. 2018) as MobileNetV3 has it: a quarter of the channels, hard sigmoid."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, eighths(channels / 4), 1)
        self.expand = nn.Conv2d(eighths(channels / 4), channels, 1)
        self.weights = Tap("channel")

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same, every channel times its weight in [0, 1]."""
        hidden = self.reduce(x.mean((2, 3), keepdim=True)).relu()
        weights = self.weights(nn.functional.hardsigmoid(self.expand(hidden)).flatten(1))
        return x * weights[..., None, None]


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter depthwise, gate, project by 1x1; a shortcut where sizes allow (Howard et al., Fig. 4)."""

    def __init__(self, cin: int, row: Row) -> None:
        super().__init__()
        act = ACTIVATIONS[row.activation]
        wide, out, k = row.expand, row.out, row.kernel
        self.expand: nn.Module = (
            nn.Identity()
            if wide == cin
            else nn.Sequential(nn.Conv2d(cin, wide, 1, bias=False), nn.BatchNorm2d(wide), act())
        )
        self.depthwise = nn.Sequential(
            nn.Conv2d(wide, wide, k, row.stride, k // 2, groups=wide, bias=False), nn.BatchNorm2d(wide)
        )
        self.gate: nn.Module = Gate(wide) if row.squeeze else nn.Identity()
        self.act = act()
        self.project = nn.Sequential(nn.Conv2d(wide, out, 1, bias=False), nn.BatchNorm2d(out))
        self.shortcut = row.stride == 1 and cin == out

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.act(self.gate(self.depthwise(self.expand(x)))))
        return x + y if self.shortcut else y


def blocks(cin: int, rows: tuple[str, ...]) -> nn.Sequential:
    """Blocks in a row, from ``cin`` channels; see :meth:`Row.parse` for the lines."""
    out = []
    for row in map(Row.parse, rows):
        out.append(InvertedResidual(cin, row))
        cin = row.out
    return nn.Sequential(*out)


class MobileNetV3(nn.Module):
    """A stem at stride 2 and blocks; gives the last map at each stride from 4 on.

    Args:
        stem: channels of the first convolution.
        rows: the blocks, see :meth:`Row.parse`.
    """

    def __init__(self, stem: int, rows: tuple[str, ...]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), nn.Hardswish(inplace=True)
        )
        self.blocks = blocks(stem, rows)
        parsed = [Row.parse(row) for row in rows]
        strided = [i for i, row in enumerate(parsed) if row.stride > 1]
        self.last = [i - 1 for i in strided[1:]] + [len(rows) - 1]
        self.channels = tuple(parsed[i].out for i in self.last)

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, S, S) -> maps at strides 4, 8, 16, ..."""
        x, out = self.stem(images), []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.last:
                out.append(x)
        return out


def coordinates(like: Tensor) -> Tensor:
    """CoordConv's two channels for a map (B, C, h, w): x and y from -1 to 1, (B, 2, h, w) (Liu et al. 2018)."""
    b, _, h, w = like.shape
    x = torch.linspace(-1, 1, w, dtype=like.dtype, device=like.device).view(1, 1, 1, w)
    y = torch.linspace(-1, 1, h, dtype=like.dtype, device=like.device).view(1, 1, h, 1)
    return torch.cat([x.expand(b, 1, h, w), y.expand(b, 1, h, w)], 1)
