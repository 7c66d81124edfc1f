"""Building blocks that several systems share."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.tracing import Tap


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch normalisation and, by default, ReLU ("same" padding)."""

    def __init__(self, cin: int, cout: int, kernel: int = 3, stride: int = 1, relu: bool = True) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(cout),
        ]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if relu else []))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al. 2016, Fig. 5 left)."""

    expansion = 1

    def __init__(self, cin: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(cin, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(cin, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 with four times the width at the end (He et al. 2016, Fig. 5 right)."""

    expansion = 4

    def __init__(self, cin: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(cin, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _shortcut(cin, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


def _shortcut(cin: int, cout: int, stride: int) -> nn.Module | None:
    return None if stride == 1 and cin == cout else ConvNorm(cin, cout, 1, stride, relu=False)


class Attention(nn.Module):
    """Multi-head scaled dot-product attention (Vaswani et al. 2017, Eq. 1; thesis Eq. 5.1-5.4).

    Parameters are packed as in ``torch.nn.MultiheadAttention`` so that published weights load by name. Without a
    recorder it runs the fused kernel; while ``tap`` records, the weights are computed explicitly, recorded, and
    those very weights multiply the values.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"The width {dim} is not a multiple of the {heads} heads.")
        self.heads, self.dropout = heads, dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dim))
        self.out_proj = nn.Linear(dim, dim)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, tap: Tap) -> Tensor:
        """(B, Nq, d), (B, Nk, d), (B, Nk, d) -> (B, Nq, d); ``tap`` has the axes head, query, key."""
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (
            F.linear(x, w, b).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for x, w, b in zip((query, key, value), weights, biases, strict=True)
        )
        dropout = self.dropout if self.training else 0.0
        if tap.active:
            scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
            attention = tap(scores.softmax(-1))
            mixed = F.dropout(attention, dropout) @ v
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
        return self.out_proj(mixed.transpose(1, 2).flatten(-2))


class RelationLayer(nn.Module):
    """Inherent relation layer of SLPT and DSLPT (thesis 4.2.2, 5.2.1): MSA, MCA and MLP, each pre-normalised.

    Landmark queries Q are added to queries and keys of the self-attention and to the queries of the
    cross-attention; the structure encoding P is added to the keys of the cross-attention only.

    Args:
        dim, heads, ffn, dropout: of every part.
        attention: "both", or for the ablations (Tables 4.6 and 5.14) "msa", "mca" alone or "none".
    """

    def __init__(self, dim: int, heads: int, ffn: int, dropout: float, attention: str = "both") -> None:
        super().__init__()
        msa, mca = attention in ("both", "msa"), attention in ("both", "mca")
        self.self_attn = Attention(dim, heads, dropout) if msa else None
        self.multihead_attn = Attention(dim, heads, dropout) if mca else None
        self.linear1, self.linear2 = nn.Linear(dim, ffn), nn.Linear(ffn, dim)
        self.norm1 = nn.LayerNorm(dim) if msa else None
        self.norm2 = nn.LayerNorm(dim) if mca else None
        self.norm3 = nn.LayerNorm(dim)
        self.drop = nn.Dropout(dropout)
        if msa:
            self.self = Tap("head", "query_landmark", "key_landmark", per_stage=True)
        if mca:
            self.cross = Tap("head", "query_landmark", "key_landmark", per_stage=True)

    def forward(self, state: Tensor, query: Tensor, memory: Tensor, position: Tensor) -> Tensor:
        """T (B, N, d), Q (1, N, d), R (B, M, d), P (1, M, d) -> T (B, N, d)."""
        if self.self_attn is not None and self.norm1 is not None:
            x = self.norm1(state)
            state = state + self.drop(self.self_attn(x + query, x + query, x, self.self))
        if self.multihead_attn is not None and self.norm2 is not None:
            x = self.norm2(state)
            state = state + self.drop(self.multihead_attn(x + query, memory + position, memory, self.cross))
        x = self.norm3(state)
        return state + self.drop(self.linear2(self.drop(F.relu(self.linear1(x)))))


def mark_first_idle(layers: nn.ModuleList) -> None:
    """The first layer's self-attention is idle where the state starts at zero: normalised, it is one and the same
    vector for every landmark, so weights that sum to one give the same mean whatever they are (in the papers too)."""
    for tap in (layer.self for layer in layers[:1]):
        assert isinstance(tap, Tap)
        tap.idle = True


class Gate(nn.Module):
    """Channel and spatial gates in (0, 1), computed from one tensor and applied to that or to another (CBAM).

    Channel: one hidden layer without bias, shared by the average and the maximum over the map; their sum through a
    sigmoid. Spatial: a convolution over the mean and the maximum over the channels, through a sigmoid. SCC computes
    both from the level above (reduction 2); AODN computes the second from its own channel-gated map (reduction 8).

    Args:
        channels: C of the tensor that the gates are computed from.
        reduction: C over the width of the hidden layer.
        kernel: side of the spatial convolution.
        standardise: bring each channel's average and maximum to mean 0 and deviation 1 over the faces, so that the
            channel gate sees how this face differs from others and not what all have in common.
    """

    def __init__(self, channels: int, reduction: int, kernel: int = 7, standardise: bool = False) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels, affine=False) for _ in range(2 if standardise else 0))
        hidden = max(1, channels // reduction)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden, bias=False), nn.ReLU(inplace=True), nn.Linear(hidden, channels, bias=False)
        )
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2)
        self.channel = Tap("channel")
        self.spatial = Tap("y", "x")

    def channel_gate(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, 1, 1)."""
        pooled = [x.mean((2, 3)), x.amax((2, 3))]
        for i, norm in enumerate(self.norms):
            pooled[i] = norm(pooled[i])
        return self.channel((self.mlp(pooled[0]) + self.mlp(pooled[1])).sigmoid())[..., None, None]

    def spatial_gate(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, 1, H, W)."""
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return self.spatial(self.conv(pooled).sigmoid()[:, 0])[:, None]

    def forward(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Both gates of ``source`` (B, C, H, W): (B, C, 1, 1) and (B, 1, H, W)."""
        return self.channel_gate(source), self.spatial_gate(source)
