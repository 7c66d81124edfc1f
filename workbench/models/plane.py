"""TUFA's plane: the code of its points and of places on a grid, and the decoder where both meet (thesis 6.2.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workbench.models.layers import RelationLayer, mark_first_idle
from workbench.tracing import Tap


def encode_points(points: Tensor, dim: int, order: str = "yx", wavelength: float = 1e4, spread: float = 1.0) -> Tensor:
    """Sine and cosine code of plane points (Eq. 6.1-6.3).

    Args:
        points: (..., 2) as (x, y) in [0, 1]; the code is taken of 2 p - 1.
        dim: C, a multiple of four; each axis has C / 2 channels: sine on the even, cosine on the odd ones.
        order: "yx" (published code) or "xy" (text): which axis comes first.
        wavelength: tau.
        spread: multiplies the coordinates.

    Returns:
        (..., C)
    """
    half = dim // 2
    step = torch.arange(0, half, 2, device=points.device, dtype=torch.float32) / half
    angle = spread * (2 * points.float() - 1)[..., None] / wavelength**step  # (..., 2, C / 4)
    code = torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)  # (..., 2, C / 2), interleaved
    first, second = (1, 0) if order == "yx" else (0, 1)
    return torch.cat([code[..., first, :], code[..., second, :]], -1)


def grid_centres(side: int, device: torch.device | None = None) -> Tensor:
    """Centres (side * side, 2) of the cells of a square grid in [0, 1], rows from the top."""
    axis = (torch.arange(side, device=device, dtype=torch.float32) + 0.5) / side
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1)


class GridTap(Tap):
    """A tap whose last axis, a square grid's cells in rows, is recorded as two axes y and x."""

    def forward(self, value: Tensor) -> Tensor:
        if not self.active:
            return value
        side = math.isqrt(value.shape[-1])
        return super().forward(value.unflatten(-1, (side, side))).flatten(-2)


class PromptEncoder(nn.Module):
    """Plane points -> structure prompts E (thesis 6.2.1); it has no parameters."""

    def __init__(self, dim: int, order: str, wavelength: float, spread: float) -> None:
        super().__init__()
        self.dim, self.order, self.wavelength, self.spread = dim, order, wavelength, spread
        self.points = Tap("landmark", "xy")
        self.encoding = Tap("landmark", "encoding")

    def forward(self, points: Tensor) -> Tensor:
        """(1 or B, P, 2) in [0, 1] -> (1 or B, P, d)."""
        return self.encoding(self.code(self.points(points)))

    def code(self, points: Tensor) -> Tensor:
        """The same, unseen by the taps."""
        return encode_points(points, self.dim, self.order, self.wavelength, self.spread)


class DecoderLayer(RelationLayer):
    """MSA (Eq. 6.6-6.8), MCA (Eq. 6.9-6.10) and FFN, each pre-normalised, as in SLPT; the cross-attention of a
    point is a picture."""

    def __init__(self, dim: int, heads: int, ffn: int, dropout: float) -> None:
        super().__init__(dim, heads, ffn, dropout)
        self.self = Tap("head", "query_landmark", "key_landmark")
        self.cross = GridTap("head", "landmark", "y", "x")


class Decoder(nn.Module):
    """The decoder's layers and their shared output norm."""

    def __init__(self, layers: int, dim: int, heads: int, ffn: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(dim, heads, ffn, dropout) for _ in range(layers))
        mark_first_idle(self.layers)
        self.norm = nn.LayerNorm(dim)

    def forward(self, prompt: Tensor, memories: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Prompts (1 or B, P, d) and for every layer memory (B, L, d) with positions (1, L, d) -> (layer, B, P, d)."""
        first = memories[0][0]
        state = first.new_zeros(len(first), prompt.shape[1], prompt.shape[2])
        out = []
        for layer, (memory, position) in zip(self.layers, memories, strict=True):
            state = layer(state, prompt, memory, position)
            out.append(self.norm(state))
        return torch.stack(out)


class Pointer(nn.Module):
    """Where on a map a state points: softmax of its query against the cells, and the cells' mean position."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.query = nn.Linear(dim, dim)
        self.scale = dim**-0.5
        self.map = Tap("landmark", "y", "x")

    def forward(self, states: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """States (layer, B, P, d), keys (B, L, d) -> logits (layer, B, P, L), expected positions (layer, B, P, 2)."""
        logits = (self.query(states) @ keys.transpose(1, 2)).float() * self.scale
        side = math.isqrt(keys.shape[1])
        weights = logits.softmax(-1)
        if self.map.active:
            last = self.map(weights[-1].unflatten(-1, (side, side))).flatten(-2)
            weights = torch.cat([weights[:-1], last[None]])
        return logits, weights @ grid_centres(side, keys.device)


class Shapes(nn.Module):
    """Mean shapes of the other conventions, (N_i, 2) in [0, 1] each, as buffers under the convention's name."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        super().__init__()
        for name, count in counts.items():
            self.register_buffer(name, torch.zeros(count, 2))

    def __getitem__(self, name: str) -> Tensor:
        return self.get_buffer(name)
