"""The vision transformer of DINO (Caron et al. 2021; ViT-S of Touvron et al. 2021), with DINO's parameter names."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.models.backbones.resnet import PyramidResNet
from workbench.tracing import Tap


class PatchEmbed(nn.Module):
    """Non-overlapping patches, each projected to the model's width by one strided convolution."""

    def __init__(self, patch: int, channels: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, dim, patch, patch)

    def forward(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, d, H / patch, W / patch)."""
        return self.proj(images)


class SelfAttention(nn.Module):
    """Multi-head self-attention with one projection for query, key and value; the weights pass through ``tap``."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"The width {dim} is not a multiple of the {heads} heads.")
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, tap: Tap) -> Tensor:
        """(B, L, d) -> (B, L, d); ``tap`` has the axes head, query, key."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if tap.active:
            scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
            mixed = tap(scores.softmax(-1)) @ v
        else:
            mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).flatten(-2))


class Mlp(nn.Module):
    """Two linear layers with an exact GELU between them."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Pre-normalised self-attention and MLP. The first row and column of its attention are the class token."""

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(dim, eps=1e-6) for _ in range(2))
        self.attn = SelfAttention(dim, heads)
        self.mlp = Mlp(dim, hidden)
        self.self = Tap("head", "query_token", "key_token")

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x), self.self)
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """ViT encoder that keeps its class token to the last block and then drops it.

    Args:
        dim, depth, heads, hidden: width, blocks, heads, width of the MLP.
        patch: side of a patch in input pixels.
        grid: side of the grid of positions that is stored (DINO: 224 / patch); other sizes are interpolated.
        channels: of the input.
    """

    def __init__(
        self, dim: int, depth: int, heads: int, hidden: int, patch: int, grid: int, channels: int = 3
    ) -> None:
        super().__init__()
        self.patch = patch
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid * grid, dim))
        self.patch_embed = PatchEmbed(patch, channels, dim)
        self.blocks = nn.ModuleList(Block(dim, heads, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        for tensor in (self.cls_token, self.pos_embed):
            nn.init.trunc_normal_(tensor, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def positions(self, height: int, width: int) -> Tensor:
        """Position embeddings (1, height * width, d) of a grid of patches, without the class token's.

        The stored square grid is resized bicubically. As in DINO's code 0.1 is added to both sides before the
        scale is formed, so the samples lie a little closer together than the sizes alone would put them.
        """
        stored = self.pos_embed[:, 1:]
        side = math.isqrt(stored.shape[1])
        if (height, width) == (side, side):
            return stored.clone()
        grid = stored.unflatten(1, (side, side)).permute(0, 3, 1, 2)
        scale = ((height + 0.1) / side, (width + 0.1) / side)
        grid = F.interpolate(grid.float(), scale_factor=scale, mode="bicubic")
        return grid.to(stored.dtype).flatten(2).transpose(1, 2)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) -> features (B, L, d) and the patches' positions (1, L, d), L in rows from the top left."""
        x = self.patch_embed(images)
        position = self.positions(*x.shape[-2:])
        x = x.flatten(2).transpose(1, 2) + position
        first = (self.cls_token + self.pos_embed[:, :1]).expand(len(x), -1, -1)
        x = torch.cat([first, x], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 1:], position


class Trunk(PyramidResNet):
    """A convolutional stem for a small transformer that learns from few faces: the trunk of the compact DSLPT."""

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> C4 with C5 brought to its size (B, 384, H/8, W/8), and both maps of the pyramid joined at
        the coarser one's size (B, 128, H/4, W/4)."""
        levels = self.levels(images)
        c4, c5 = levels[2:]
        fine, coarse = self.pyramid(levels)
        tokens = torch.cat([c4, F.interpolate(c5, size=c4.shape[-2:], mode="nearest")], 1)
        return [tokens, torch.cat([F.avg_pool2d(fine, 2), coarse], 1)]
