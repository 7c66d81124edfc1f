"""An independent, slow SLPT / DSLPT stage loop written from the equations, under the authors' parameter names.

It shares nothing with the package but the backbone: attention is ``torch.nn.MultiheadAttention``, sampling is four
explicit neighbours a point, the embedding is a convolution over one patch at a time.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def bilinear(feature: Tensor, x: float, y: float) -> Tensor:
    """(C, H, W) at pixel (x, y), clamped to the map -> (C,)."""
    h, w = feature.shape[1:]
    x, y = min(max(x, 0.0), w - 1.0), min(max(y, 0.0), h - 1.0)
    x0, y0 = int(x), int(y)
    x1, y1 = min(x0 + 1, w - 1), min(y0 + 1, h - 1)
    ax, ay = x - x0, y - y0
    top = feature[:, y0, x0] * (1 - ax) + feature[:, y0, x1] * ax
    low = feature[:, y1, x0] * (1 - ax) + feature[:, y1, x1] * ax
    return top * (1 - ay) + low * ay


def rectangle(system: str, x: float, half: float) -> tuple[float, float]:
    """Start and length along one axis."""
    if system == "slpt":
        low, high = min(max(x - half, 0.0), 1.0), min(max(x + half, 0.0), 1.0)
        return low, high - low
    return min(min(max(x - half, 0.0), 1.0), 1 - 2 * half), 2 * half


def attend(state: dict[str, Tensor], prefix: str, heads: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    dim = q.shape[-1]
    layer = nn.MultiheadAttention(dim, heads, batch_first=True).eval()
    layer.load_state_dict({n: state[f"{prefix}.{n}"] for n in layer.state_dict()})
    return layer(q, k, v)[0]


def norm(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"])


def linear(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])


@torch.no_grad()
def run(
    system: str, state: dict[str, Tensor], feature: Tensor, mean_shape: Tensor, layers: int, heads: int
) -> tuple[list[Tensor], list[Tensor]]:
    """Landmarks (layer, N, 2) in [0, 1] and variances (layer, N, 2) of three stages, for one face.

    Args:
        feature: (C, H, W).
        mean_shape: (N, 2) in [0, 1].
    """
    side = feature.shape[-1]
    count = len(mean_shape)
    query, structure = state["Transformer.landmark_query"], state["Transformer.structure_encoding"]
    points, halves = mean_shape.tolist(), [0.125] * count
    landmarks, variances = [], []
    for _ in range(3):
        corners, sizes, embedded = [], [], []
        for (x, y), half in zip(points, halves, strict=True):
            (x0, w), (y0, h) = rectangle(system, x, half), rectangle(system, y, half)
            corners.append((x0, y0))
            sizes.append((w, h))
            patch = torch.zeros(feature.shape[0], 7, 7)
            for j in range(7):
                for i in range(7):
                    u, v = x0 + w * i / 6, y0 + h * j / 6
                    if system == "slpt":
                        patch[:, j, i] = bilinear(feature, u * (side - 1), v * (side - 1))
                    else:
                        patch[:, j, i] = bilinear(feature, u * side - 0.5, v * side - 0.5)
            bias = state.get("feature_extractor.bias")
            embedded.append(F.conv2d(patch[None], state["feature_extractor.weight"], bias).flatten())
        memory = torch.stack(embedded)[None]
        t = torch.zeros_like(memory)
        outputs = []
        for i in range(layers):
            p = f"Transformer.Transformer_block.layers.{i}"
            x = norm(state, f"{p}.norm1", t)
            t = t + attend(state, f"{p}.self_attn", heads, x + query, x + query, x)
            x = norm(state, f"{p}.norm2", t)
            t = t + attend(state, f"{p}.multihead_attn", heads, x + query, memory + structure, memory)
            x = norm(state, f"{p}.norm3", t)
            t = t + linear(state, f"{p}.linear2", linear(state, f"{p}.linear1", x).relu())
            outputs.append(norm(state, "Transformer.Transformer_block.norm", t)[0])
        out = torch.stack(outputs)
        if system == "slpt":
            mean = linear(state, "out_layer", out)
        else:
            hidden = linear(state, "embedding_layer", out).relu()
            mean = linear(state, "out_mean_layer", hidden)
            variances.append(linear(state, "out_std_layer", hidden).sigmoid())
        corner, size = torch.tensor(corners), torch.tensor(sizes)
        landmarks.append(corner + size * mean)
        points = landmarks[-1][-1].tolist()
        if system == "slpt":
            halves = [h / 2 for h in halves]
        else:
            spread = variances[-1][-1].amax(-1).tolist()
            halves = [h * min(max(12 * v, 0.5), 0.7) for h, v in zip(halves, spread, strict=True)]
    return landmarks, variances
