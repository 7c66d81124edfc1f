"""SCC recomputed from the equations under the authors' parameter names, and the names and shapes of their files.

It shares nothing with the package but HRNet's branches: batch normalisation by its formula, gates and graph
convolutions node by node, upsampling by explicit matrices.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]


def norm_shapes(name: str, width: int) -> Shapes:
    leaves = ("weight", "bias", "running_mean", "running_var")
    return {**{f"{name}.{leaf}": (width,) for leaf in leaves}, f"{name}.num_batches_tracked": ()}


def conv_shapes(conv: str, norm: str, cin: int, cout: int, kernel: int, bias: bool = False, stride: int = 1) -> Shapes:
    weight: Shapes = {f"{conv}.weight": (cout, cin, kernel, kernel)}
    return {**weight, **({f"{conv}.bias": (cout,)} if bias else {}), **norm_shapes(norm, cout)}


def resnet34_shapes() -> Shapes:
    out = conv_shapes("backbone.conv1", "backbone.bn1", 3, 64, 7)
    cin = 64
    for level, (count, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 1):
        for i in range(count):
            block = f"backbone.layer{level}.{i}"
            out |= conv_shapes(f"{block}.conv1", f"{block}.bn1", cin, width, 3)
            out |= conv_shapes(f"{block}.conv2", f"{block}.bn2", width, width, 3)
            if cin != width:
                out |= conv_shapes(f"{block}.downsample.0", f"{block}.downsample.1", cin, width, 1)
            cin = width
    return {**out, "backbone.fc.weight": (1000, 512), "backbone.fc.bias": (1000,)}


def hrnet_shapes() -> Shapes:
    out: Shapes = {}

    def add(name: str, cin: int, cout: int, kernel: int) -> None:
        out.update(conv_shapes(f"backbone.{name}.0", f"backbone.{name}.1", cin, cout, kernel))

    def block(name: str, cin: int, widths: tuple[int, ...], kernels: tuple[int, ...]) -> None:
        for i, (width, kernel) in enumerate(zip(widths, kernels, strict=True), 1):
            out.update(conv_shapes(f"backbone.{name}.conv{i}", f"backbone.{name}.bn{i}", cin, width, kernel))
            cin = width

    out.update(conv_shapes("backbone.conv1", "backbone.bn1", 3, 64, 3))
    out.update(conv_shapes("backbone.conv2", "backbone.bn2", 64, 64, 3))
    for i in range(4):
        block(f"layer1.{i}", 64 if i == 0 else 256, (64, 64, 256), (1, 3, 1))
    add("layer1.0.downsample", 64, 256, 1)
    widths = (18, 36, 72, 144)
    add("transition1.0", 256, 18, 3)
    for stage, modules in ((2, 1), (3, 4), (4, 3)):
        new = stage - 1
        add(f"transition{new}.{new}.0", 256 if stage == 2 else widths[new - 1], widths[new], 3)
        for module in range(modules):
            for target in range(stage):
                here = f"stage{stage}.{module}"
                for i in range(4):
                    block(f"{here}.branches.{target}.{i}", widths[target], (widths[target],) * 2, (3, 3))
                for source in range(stage):
                    path = f"{here}.fuse_layers.{target}.{source}"
                    if source > target:
                        add(path, widths[source], widths[target], 1)
                    for step in range(target - source):
                        last = step == target - source - 1
                        add(f"{path}.{step}", widths[source], widths[target if last else source], 3)
    return out


def published_shapes(kind: str, landmarks: int = 98, links: int = 470) -> Shapes:
    """Names and shapes of the authors' "sc", "base" or "hrnet" file."""
    out = hrnet_shapes() if kind == "hrnet" else resnet34_shapes()

    def add(name: str, cin: int, cout: int, kernel: int, bias: bool = False) -> None:
        name = f"predictor.map_to_node.{name}"
        out.update(conv_shapes(f"{name}.0", f"{name}.1", cin, cout, kernel, bias))

    if kind == "sc":
        for name, cin, cout in (("conv_out2_a", 128, 64), ("conv_out3_a", 256, 128), ("conv_out4", 512, 256)):
            add(name, cin, cout, 3)
        for name, width, count in (("conv_out2", 64, 3), ("conv_out3", 128, 2)):
            for i in range(count):
                add(f"{name}.{i}", width, width, 3)
        for name, cin, cout in (("conv34", 384, 128), ("conv234", 192, 64), ("conv_to_node.0", 448, 256)):
            add(name, cin, cout, 1)
        add("conv_to_node.1", 256, 4 * landmarks, 3)
        for name, width in (("att34", 128), ("att234", 64)):
            gate = f"predictor.map_to_node.{name}"
            out[f"{gate}.fc.0.weight"], out[f"{gate}.fc.2.weight"] = (width // 2, width), (width, width // 2)
            out[f"{gate}.spatial_att.0.weight"], out[f"{gate}.spatial_att.0.bias"] = (1, 2, 7, 7), (1,)
    else:
        add("conv_out", 270 if kind == "hrnet" else 512, 256, 3, bias=True)
        add("conv_to_node", 256, 4 * landmarks, 3, bias=True)

    def graph(name: str, cin: int, cout: int) -> None:
        name = f"predictor.sem_gcn.{name}"
        out.update({f"{name}.W": (2, cin, cout), f"{name}.e": (1, links), f"{name}.bias": (cout,)})

    layers = ["gconv_input.0", *(f"gconv_layers.{i}.gconv{j}" for i in range(4) for j in (1, 2))]
    for i, layer in enumerate(layers):
        graph(f"{layer}.gconv", 128 if i else 256, 128)
        out |= norm_shapes(f"predictor.sem_gcn.{layer}.bn", 128)
    graph("gconv_output", 128, 2)
    return out


def random_state(shapes: Shapes, seed: int = 0) -> dict[str, Tensor]:
    """Values of a size that keeps activations alive through all layers."""
    generator = torch.Generator().manual_seed(seed)
    out = {}
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            out[name] = torch.tensor(3)
        elif name.endswith("running_var"):
            out[name] = 0.5 + torch.rand(shape, generator=generator)
        elif name.endswith(("running_mean", "bias")):
            out[name] = 0.1 * torch.randn(shape, generator=generator)
        elif len(shape) == 1:
            out[name] = 0.6 + 0.3 * torch.rand(shape, generator=generator)
        elif name.endswith(".e"):
            out[name] = 1 + torch.randn(shape, generator=generator)
        else:
            fan = shape[1] if name.endswith(".W") else math.prod(shape[1:])
            out[name] = torch.randn(shape, generator=generator) * math.sqrt(1.5 / fan)
    return out


def conv(s: dict[str, Tensor], name: str, x: Tensor, stride: int = 1) -> Tensor:
    weight = s[f"{name}.weight"]
    return F.conv2d(x, weight, s.get(f"{name}.bias"), stride, weight.shape[-1] // 2)


def norm(s: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """By the formula, channels on axis 1."""
    shape = (1, -1) + (1,) * (x.ndim - 2)
    weight, bias, mean, var = (s[f"{name}.{k}"].view(shape) for k in ("weight", "bias", "running_mean", "running_var"))
    return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias


def cbr(s: dict[str, Tensor], name: str, x: Tensor, stride: int = 1) -> Tensor:
    return norm(s, f"{name}.1", conv(s, f"{name}.0", x, stride)).relu()


def interpolation(source: int, target: int) -> Tensor:
    """(target, source) matrix of linear interpolation with half-pixel centres, clamped at the border."""
    out = torch.zeros(target, source)
    for i in range(target):
        x = min(max((i + 0.5) * source / target - 0.5, 0.0), source - 1.0)
        low = int(x)
        high = min(low + 1, source - 1)
        out[i, low] += 1 - (x - low)
        out[i, high] += x - low
    return out


def resize(x: Tensor, side: int) -> Tensor:
    m = interpolation(x.shape[-1], side)
    return torch.einsum("ih,bchw,jw->bcij", m, x, m)


def resnet34(s: dict[str, Tensor], x: Tensor) -> list[Tensor]:
    """The last three levels."""
    x = F.max_pool2d(norm(s, "backbone.bn1", conv(s, "backbone.conv1", x, 2)).relu(), 3, 2, 1)
    levels = []
    for level, count in enumerate((3, 4, 6, 3), 1):
        for i in range(count):
            p = f"backbone.layer{level}.{i}"
            stride = 2 if level > 1 and i == 0 else 1
            y = norm(s, f"{p}.bn1", conv(s, f"{p}.conv1", x, stride)).relu()
            y = norm(s, f"{p}.bn2", conv(s, f"{p}.conv2", y))
            if f"{p}.downsample.0.weight" in s:
                x = norm(s, f"{p}.downsample.1", conv(s, f"{p}.downsample.0", x, stride))
            x = (x + y).relu()
        levels.append(x)
    return levels[1:]


def gated(s: dict[str, Tensor], name: str, source: Tensor, x: Tensor) -> Tensor:
    """Channel gate, then x * spatial gate + x; both gates are computed from ``source``."""
    total = torch.zeros(source.shape[:2])
    for pooled in (source.flatten(2).mean(-1), source.flatten(2).max(-1).values):
        total = total + (pooled @ s[f"{name}.fc.0.weight"].T).relu() @ s[f"{name}.fc.2.weight"].T
    channel = torch.sigmoid(total)
    spatial = torch.sigmoid(conv(s, f"{name}.spatial_att.0", torch.stack([source.mean(1), source.max(1).values], 1)))
    x = x * channel[:, :, None, None]
    return x * spatial + x


def graph_conv(s: dict[str, Tensor], name: str, x: Tensor, edges: list[list[int]]) -> Tensor:
    """(N, cin) -> (N, cout), node by node; ``edges[i]`` are the linked nodes of i in order, itself included."""
    w0, w1 = s[f"{name}.W"]
    logits = s[f"{name}.e"][0].tolist()
    out, position = [], 0
    for i, linked in enumerate(edges):
        values = [math.exp(v) for v in logits[position : position + len(linked)]]
        position += len(linked)
        total = s[f"{name}.bias"].clone()
        for j, value in zip(linked, values, strict=True):
            total = total + value / sum(values) * (x[j] @ (w0 if i == j else w1))
        out.append(total)
    assert position == len(logits)
    return torch.stack(out)


@torch.no_grad()
def run(s: dict[str, Tensor], levels: list[Tensor], edges: list[list[int]]) -> Tensor:
    """Landmarks (N, 2) in pixels of the crop, for one face.

    Args:
        levels: the backbone's last three maps, or its last alone, (1, C, h, h).
        edges: for each node the linked nodes in ascending order, itself included.
    """
    m, g = "predictor.map_to_node", "predictor.sem_gcn"
    if f"{m}.conv34.0.weight" in s:
        out2, out3, out4 = levels
        f4, f3, f2 = cbr(s, f"{m}.conv_out4", out4), cbr(s, f"{m}.conv_out3_a", out3), cbr(s, f"{m}.conv_out2_a", out2)
        g3 = cbr(s, f"{m}.conv34", torch.cat([resize(f4, 16), f3], 1))
        g2 = cbr(s, f"{m}.conv234", torch.cat([resize(g3, 32), f2], 1))
        f3, f2 = gated(s, f"{m}.att34", g3, f3), gated(s, f"{m}.att234", g2, f2)
        for i, stride in enumerate((2, 1)):
            f3 = cbr(s, f"{m}.conv_out3.{i}", f3, stride)
        for i, stride in enumerate((2, 1, 2)):
            f2 = cbr(s, f"{m}.conv_out2.{i}", f2, stride)
        x = cbr(s, f"{m}.conv_to_node.1", cbr(s, f"{m}.conv_to_node.0", torch.cat([f2, f3, f4], 1)))
    else:
        x = cbr(s, f"{m}.conv_to_node", cbr(s, f"{m}.conv_out", levels[-1]))
    nodes = x[0].reshape(len(edges), -1)

    def block(name: str, x: Tensor) -> Tensor:
        return norm(s, f"{name}.bn", graph_conv(s, f"{name}.gconv", x, edges)).relu()

    nodes = block(f"{g}.gconv_input.0", nodes)
    for i in range(4):
        p = f"{g}.gconv_layers.{i}"
        nodes = nodes + block(f"{p}.gconv2", block(f"{p}.gconv1", nodes))
    return graph_conv(s, f"{g}.gconv_output", nodes, edges)
