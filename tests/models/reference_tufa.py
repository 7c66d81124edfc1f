"""TUFA once more, slowly, under the authors' parameter names: ``torch.nn.MultiheadAttention``, scalar loops for the
prompt's code, explicit matrices for the bicubic resize. It shares nothing with the package."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DIM, HEADS, BLOCKS, LAYERS = 384, 6, 12, 6


def published_shapes(patch: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published state dict with this patch size."""
    d, f = DIM, 4 * DIM
    out: dict[str, tuple[int, ...]] = {
        "Linear.0.weight": (256, d),
        "Linear.0.bias": (256,),
        "Linear.2.weight": (2, 256),
        "Linear.2.bias": (2,),
        "Encoder.cls_token": (1, 1, d),
        "Encoder.pos_embed": (1, 1 + (224 // patch) ** 2, d),
        "Encoder.patch_embed.proj.weight": (d, 3, patch, patch),
        "Encoder.patch_embed.proj.bias": (d,),
    }

    def norm(name: str) -> None:
        out[f"{name}.weight"] = out[f"{name}.bias"] = (d,)

    def linear(name: str, rows: int, columns: int) -> None:
        out[f"{name}.weight"], out[f"{name}.bias"] = (rows, columns), (rows,)

    for i in range(BLOCKS):
        at = f"Encoder.blocks.{i}"
        norm(f"{at}.norm1")
        linear(f"{at}.attn.qkv", 3 * d, d)
        linear(f"{at}.attn.proj", d, d)
        norm(f"{at}.norm2")
        linear(f"{at}.mlp.fc1", f, d)
        linear(f"{at}.mlp.fc2", d, f)
    norm("Encoder.norm")
    for i in range(LAYERS):
        at = f"Decoder.Decoder.layers.{i}"
        for kind in ("self_attn", "multihead_attn"):
            out[f"{at}.{kind}.in_proj_weight"], out[f"{at}.{kind}.in_proj_bias"] = (3 * d, d), (3 * d,)
            linear(f"{at}.{kind}.out_proj", d, d)
        linear(f"{at}.linear1", f, d)
        linear(f"{at}.linear2", d, f)
        for n in (1, 2, 3):
            norm(f"{at}.norm{n}")
    norm("Decoder.Decoder.norm")
    return out


def published_state(patch: int) -> dict[str, Tensor]:
    """A state dict of random values of a sensible size."""
    generator = torch.Generator().manual_seed(patch)
    state = {}
    for name, shape in published_shapes(patch).items():
        values = torch.randn(shape, generator=generator) * (0.3 if "pos_embed" in name else 0.04)
        state[name] = values + 1 if name.endswith("weight") and len(shape) == 1 else values
    return state


def code(x: float, y: float, dim: int = DIM) -> list[float]:
    """The structure prompt of one plane point in [0, 1]: y before x, sine and cosine in turn."""
    half = dim // 2
    values = []
    for coordinate in (2 * y - 1, 2 * x - 1):
        for i in range(half):
            angle = coordinate / 10000 ** (2 * (i // 2) / half)
            values.append(math.sin(angle) if i % 2 == 0 else math.cos(angle))
    return values


def cubic_matrix(old: int, new: int, scale: float, a: float = -0.75) -> Tensor:
    """(new, old): bicubic weights at half-pixel centres, ``scale`` being new over old as it was asked for."""

    def kernel(t: float) -> float:
        t = abs(t)
        if t <= 1:
            return (a + 2) * t**3 - (a + 3) * t**2 + 1
        return a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a if t < 2 else 0.0

    matrix = torch.zeros(new, old)
    for i in range(new):
        at = (i + 0.5) / scale - 0.5
        first = math.floor(at)
        for j in range(first - 1, first + 3):
            matrix[i, min(max(j, 0), old - 1)] += kernel(at - j)
    return matrix


def positions(stored: Tensor, side: int) -> Tensor:
    """(1, 1 + n * n, d) -> (side * side, d)."""
    old = math.isqrt(stored.shape[1] - 1)
    grid = stored[0, 1:].view(old, old, -1)
    matrix = cubic_matrix(old, side, (side + 0.1) / old)
    return torch.einsum("ia,jb,abd->ijd", matrix, matrix, grid).flatten(0, 1)


def attend(state: dict[str, Tensor], names: dict[str, str], q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    layer = nn.MultiheadAttention(DIM, HEADS, batch_first=True).eval()
    layer.load_state_dict({ours: state[theirs] for ours, theirs in names.items()})
    return layer(q, k, v)[0]


@torch.no_grad()
def run(state: dict[str, Tensor], images: Tensor, points: Tensor, patch: int) -> Tensor:
    """Images (B, 3, S, S), plane points (P, 2) in [0, 1] -> (layer, B, P, 2) in [0, 1]."""

    def norm(name: str, x: Tensor, eps: float) -> Tensor:
        x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + eps).sqrt()
        return x * state[f"{name}.weight"] + state[f"{name}.bias"]

    def linear(name: str, x: Tensor) -> Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    side = images.shape[-1] // patch
    columns = F.unfold(images, patch, stride=patch).transpose(1, 2)
    kernel = state["Encoder.patch_embed.proj.weight"].flatten(1)
    position = positions(state["Encoder.pos_embed"], side)
    tokens = columns @ kernel.T + state["Encoder.patch_embed.proj.bias"] + position
    first = state["Encoder.cls_token"][0] + state["Encoder.pos_embed"][0, :1]
    x = torch.cat([first.expand(len(images), 1, -1), tokens], 1)
    for i in range(BLOCKS):
        at = f"Encoder.blocks.{i}"
        names = {"in_proj_weight": "qkv.weight", "in_proj_bias": "qkv.bias"}
        names |= {"out_proj.weight": "proj.weight", "out_proj.bias": "proj.bias"}
        y = norm(f"{at}.norm1", x, 1e-6)
        x = x + attend(state, {k: f"{at}.attn.{v}" for k, v in names.items()}, y, y, y)
        y = linear(f"{at}.mlp.fc1", norm(f"{at}.norm2", x, 1e-6))
        x = x + linear(f"{at}.mlp.fc2", 0.5 * y * (1 + torch.erf(y / math.sqrt(2))))
    memory = norm("Encoder.norm", x, 1e-6)[:, 1:]

    prompt = torch.tensor([code(float(px), float(py)) for px, py in points.double()])
    state_t = torch.zeros(len(images), len(points), DIM)
    out = []
    for i in range(LAYERS):
        at = f"Decoder.Decoder.layers.{i}"
        names = {n: n for n in ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")}
        y = norm(f"{at}.norm1", state_t, 1e-5)
        own = {k: f"{at}.self_attn.{v}" for k, v in names.items()}
        state_t = state_t + attend(state, own, y + prompt, y + prompt, y)
        y = norm(f"{at}.norm2", state_t, 1e-5)
        cross = {k: f"{at}.multihead_attn.{v}" for k, v in names.items()}
        state_t = state_t + attend(state, cross, y + prompt, memory + position, memory)
        y = linear(f"{at}.linear1", norm(f"{at}.norm3", state_t, 1e-5)).clamp_min(0)
        state_t = state_t + linear(f"{at}.linear2", y)
        y = linear("Linear.0", norm("Decoder.Decoder.norm", state_t, 1e-5)).clamp_min(0)
        out.append(linear("Linear.2", y))
    return torch.stack(out)
