"""HRNetV2-W18's published tensor names and a plain, functional run of it, written from the names alone."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

WIDTHS = (18, 36, 72, 144)
MODULES = {2: 1, 3: 4, 4: 3}


def _conv(name: str, cin: int, cout: int, kernel: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (cout, cin, kernel, kernel)


def _norm(name: str, channels: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (channels,)
    yield f"{name}.num_batches_tracked", ()


def _pair(name: str, cin: int, cout: int, kernel: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _conv(f"{name}.0", cin, cout, kernel)
    yield from _norm(f"{name}.1", cout)


def shapes(landmarks: int) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor of the published heatmap model."""
    out: list[tuple[str, tuple[int, ...]]] = []
    out += [*_conv("conv1", 3, 64, 3), *_norm("bn1", 64), *_conv("conv2", 64, 64, 3), *_norm("bn2", 64)]
    for block in range(4):
        p, cin = f"layer1.{block}", 64 if block == 0 else 256
        for i, (a, b, k) in enumerate(((cin, 64, 1), (64, 64, 3), (64, 256, 1)), 1):
            out += [*_conv(f"{p}.conv{i}", a, b, k), *_norm(f"{p}.bn{i}", b)]
        if block == 0:
            out += _pair(f"{p}.downsample", 64, 256, 1)
    out += [*_pair("transition1.0", 256, 18, 3), *_pair("transition1.1.0", 256, 36, 3)]
    out += [*_pair("transition2.2.0", 36, 72, 3), *_pair("transition3.3.0", 72, 144, 3)]
    for stage, modules in MODULES.items():
        for module in range(modules):
            p = f"stage{stage}.{module}"
            for branch, width in enumerate(WIDTHS[:stage]):
                for block in range(4):
                    for i in (1, 2):
                        name = f"{p}.branches.{branch}.{block}"
                        out += [*_conv(f"{name}.conv{i}", width, width, 3), *_norm(f"{name}.bn{i}", width)]
            for target in range(stage):
                for source in range(stage):
                    name = f"{p}.fuse_layers.{target}.{source}"
                    if source > target:
                        out += _pair(name, WIDTHS[source], WIDTHS[target], 1)
                    for step in range(target - source):
                        last = step == target - source - 1
                        out += _pair(f"{name}.{step}", WIDTHS[source], WIDTHS[target if last else source], 3)
    out += [("head.0.weight", (270, 270, 1, 1)), ("head.0.bias", (270,)), *_norm("head.1", 270)]
    out += [("head.3.weight", (landmarks, 270, 1, 1)), ("head.3.bias", (landmarks,))]
    return dict(out)


def random_state(landmarks: int, seed: int = 0) -> dict[str, Tensor]:
    """Weights of a sensible size under the published names."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes(landmarks).items():
        noise = torch.randn(shape, generator=generator)
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros((), dtype=torch.int64)
        elif len(shape) == 4:
            state[name] = noise / (shape[1] * shape[2] * shape[3]) ** 0.5
        elif name.endswith(("running_var", "bn1.weight", "bn2.weight", "bn3.weight", "1.weight")):
            state[name] = 0.7 + 0.1 * noise.clamp(-2, 2)
        else:
            state[name] = 0.1 * noise
    return state


@torch.no_grad()
def run(s: dict[str, Tensor], x: Tensor) -> Tensor:
    """Images (B, 3, H, W) -> heatmaps (B, N, H/4, W/4)."""

    def conv(name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = s[f"{name}.weight"]
        return F.conv2d(x, weight, s.get(f"{name}.bias"), stride, weight.shape[-1] // 2)

    def norm(name: str, x: Tensor) -> Tensor:
        mean, var, weight, bias = (
            s[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias

    def pair(name: str, x: Tensor, stride: int = 1) -> Tensor:
        return norm(f"{name}.1", conv(f"{name}.0", x, stride))

    def block(name: str, x: Tensor, count: int) -> Tensor:
        y = x
        for i in range(1, count + 1):
            y = norm(f"{name}.bn{i}", conv(f"{name}.conv{i}", y))
            y = y.relu() if i < count else y
        return (y + (pair(f"{name}.downsample", x) if f"{name}.downsample.0.weight" in s else x)).relu()

    def grow(x: Tensor, like: Tensor) -> Tensor:
        return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)

    for i in (1, 2):
        x = norm(f"bn{i}", conv(f"conv{i}", x, 2)).relu()
    for i in range(4):
        x = block(f"layer1.{i}", x, 3)
    maps = [pair("transition1.0", x).relu(), pair("transition1.1.0", x, 2).relu()]
    for stage, modules in MODULES.items():
        if stage > 2:
            maps.append(pair(f"transition{stage - 1}.{stage - 1}.0", maps[-1], 2).relu())
        for module in range(modules):
            p = f"stage{stage}.{module}"
            for b in range(stage):
                for i in range(4):
                    maps[b] = block(f"{p}.branches.{b}.{i}", maps[b], 2)
            fused = []
            for target in range(stage):
                parts = []
                for source in range(stage):
                    name, y = f"{p}.fuse_layers.{target}.{source}", maps[source]
                    if source > target:
                        y = grow(pair(name, y), maps[target])
                    for step in range(target - source):
                        y = pair(f"{name}.{step}", y, 2)
                        y = y if step == target - source - 1 else y.relu()
                    parts.append(y)
                fused.append(sum(parts).relu())
            maps = fused
    z = torch.cat([grow(m, maps[0]) for m in maps], 1)
    return conv("head.3", norm("head.1", conv("head.0", z)).relu())
