"""SSFA: spatial self-attention in a heatmap network, guided by a facial structure prior (Li et al., MIR 2024)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.errors import CheckpointError
from workbench.models.alignment import Alignment
from workbench.models.backbones import hrnet_head
from workbench.models.backbones.hrnet import CHANNELS, WIDTHS, HRNet
from workbench.models.backbones.resnet import PyramidResNet
from workbench.models.base import SCHEME_BY_COUNT, FaceModel, Mechanism, System, WeightsImporter
from workbench.models.config import ValidatedConfig
from workbench.models.decoding import centre_of_mass, quarter_pixel, spatial_softmax
from workbench.tracing import Tap


@dataclass(frozen=True)
class SSFAConfig(ValidatedConfig):
    """Every hyper-parameter of SSFA, its losses included; the defaults are the paper's.

    Attributes:
        system: "ssfa".
        scheme: name of the landmark scheme.
        landmarks: N.
        input_size: side of the crop in pixels.
        backbone: "hrnet_w18" (paper) or "pyramid18", our compact one for small crops.
        width: channels of the pyramid's two maps together; HRNet has its own.
        insertion: where attention is added (3.2, Table 1): "a" behind each of HRNet's four branches, "b" behind their
            concatenation Z, "ab" at both, "none" for the baseline.
        kind: which attention (Table 2): "spatial", "channel", "series" (spatial, then channel), "reversed" (channel,
            then spatial) or "parallel" (the two results added).
        normalise: "softmax" over the keys; "none" takes the raw products, as Eq 1 is printed.
        inner: C', channels of queries and keys; the paper leaves it open.
        centred: queries lose their mean over the map, so that no key can be liked by all of them (the whitened
            pairwise term of Yin et al., ECCV 2020); without it one cell becomes a sink.
        border: rings of keys at the map's edge that nobody attends to, where padding sets cells apart; softmax only.
        bottleneck: channels of the values, followed by a 1x1 convolution back; 0 keeps the paper's C -> C.
        gamma: what the learnable weight of Eq 2 begins with.
        decode: "quarter" (maximum, shifted a quarter cell towards its larger neighbour) or "soft" (expectation).
        loss: "mse" of the heatmaps (Eq 8) or "cross_entropy" of their softmax, with the expectation's L1 error.
        heatmap_sigma: of the target Gaussian, in heatmap cells.
        prior_sigma, prior_radius: sigma and R of the prior mask (Eq 3), in cells of the attention's map.
        beta: weight of the prior loss (Eq 9).
    """

    system: Literal["ssfa"] = "ssfa"
    scheme: str = "wflw98"
    landmarks: int = 98
    input_size: int = 256
    backbone: Literal["hrnet_w18", "pyramid18"] = "hrnet_w18"
    width: int = 128
    insertion: Literal["none", "a", "b", "ab"] = "b"
    kind: Literal["spatial", "channel", "series", "reversed", "parallel"] = "spatial"
    normalise: Literal["softmax", "none"] = "softmax"
    inner: int = 32
    centred: bool = False
    border: int = 0
    bottleneck: int = 0
    gamma: float = 0.0
    decode: Literal["quarter", "soft"] = "quarter"
    loss: Literal["mse", "cross_entropy"] = "mse"
    heatmap_sigma: float = 1.5
    prior_sigma: float = 1.0
    prior_radius: float = 3.0
    beta: float = 0.01


HIDDEN = -1e4  # score of a key that nobody attends to


class Affinity(NamedTuple):
    """Queries and keys (B, C', H, W) of one spatial attention; their products are the matrix of Eq 1."""

    query: Tensor
    key: Tensor


class SpatialAttention(nn.Module):
    """Every position of a map looks at every other (Eq 1-2): Z + gamma * sum over keys of weight times value.

    While ``attention`` records, the (H W) x (H W) weights are computed, recorded, and those very weights multiply the
    values. Otherwise the matrix never exists: softmax runs through the fused kernel, raw products by associativity.
    """

    def __init__(self, channels: int, config: SSFAConfig) -> None:
        super().__init__()
        self.normalise, self.centred, self.border = config.normalise, config.centred, config.border
        values = config.bottleneck or channels
        self.query = nn.Conv2d(channels, config.inner, 1)
        self.key = nn.Conv2d(channels, config.inner, 1)
        self.value = nn.Conv2d(channels, values, 1)
        self.out = nn.Conv2d(values, channels, 1) if config.bottleneck else nn.Identity()
        self.gamma = nn.Parameter(torch.full((1,), config.gamma))
        self.attention = Tap("query_y", "query_x", "key_y", "key_x")
        self.strength = Tap("channel")

    def forward(self, x: Tensor) -> tuple[Tensor, Affinity]:
        """(B, C, H, W) -> the same shape, and what the prior loss needs."""
        pair = self.affinity(x)
        q, k, v = (t.flatten(2).transpose(1, 2) for t in (*pair, self.value(x)))  # (B, H W, channels)
        if self.attention.active:
            scores = q @ k.transpose(1, 2)
            weights = scores.softmax(-1) if self.normalise == "softmax" else scores
            size = x.shape[-2:]
            mixed = self.attention(weights.unflatten(1, size).unflatten(-1, size)).flatten(3).flatten(1, 2) @ v
        elif self.normalise == "softmax":
            mixed = fused_attention(q, k, v)
        else:
            mixed = q @ (k.transpose(1, 2) @ v)
        strength = self.strength(self.gamma.clone()[None])[0]
        return x + strength * self.out(mixed.transpose(1, 2).unflatten(2, x.shape[-2:])), pair

    def affinity(self, x: Tensor) -> Affinity:
        """Queries and keys of a map (B, C, H, W). A border takes one more channel: 1 for every query, and for the keys
        of the border a number that softmax turns into 0."""
        query, key = self.query(x), self.key(x)
        if self.centred:
            query = query - query.mean((2, 3), keepdim=True)
        if self.border and self.normalise == "softmax":
            r = min(self.border, (min(x.shape[2:]) - 1) // 2)  # a tiny map keeps a cell
            edge = F.pad(key.new_zeros(1, 1, x.shape[2] - 2 * r, x.shape[3] - 2 * r), (r, r, r, r), value=HIDDEN)
            query = torch.cat([query, torch.ones_like(query[:, :1])], 1)
            key = torch.cat([key, edge.expand(len(key), -1, -1, -1)], 1)
        return Affinity(query, key)


def fused_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T) v without the matrix: (B, L, C'), (B, L, C'), (B, L, C) -> (B, L, C).

    The fused kernels want one width for queries, keys and values (a multiple of eight on a GPU); zero channels change
    neither the products nor the values.
    """
    channels = v.shape[-1]
    width = -(-max(q.shape[-1], channels) // 8) * 8
    q, k, v = (F.pad(t, (0, width - t.shape[-1])).unsqueeze(1) for t in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, scale=1.0).squeeze(1)[..., :channels]


class ChannelAttention(nn.Module):
    """Every channel of a map looks at every other, by their products over all positions (Fu et al., CVPR 2019).

    With "softmax" a channel's row is softmax(largest product - product), as there; "none" takes the raw products.
    """

    def __init__(self, config: SSFAConfig) -> None:
        super().__init__()
        self.normalise = config.normalise
        self.gamma = nn.Parameter(torch.full((1,), config.gamma))
        self.attention = Tap("query_channel", "key_channel")
        self.strength = Tap("channel")

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        z = x.flatten(2)
        weights = z @ z.transpose(1, 2)
        if self.normalise == "softmax":
            weights = (weights.amax(-1, keepdim=True) - weights).softmax(-1)
        mixed = (self.attention(weights) @ z).view_as(x)
        return x + self.strength(self.gamma.clone()[None])[0] * mixed


class SelfAttention(nn.Module):
    """One attention module in the arrangement that ``config.kind`` names (Table 2)."""

    def __init__(self, channels: int, config: SSFAConfig) -> None:
        super().__init__()
        self.kind = config.kind
        self.spatial = None if config.kind == "channel" else SpatialAttention(channels, config)
        self.channel = None if config.kind == "spatial" else ChannelAttention(config)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Affinity]]:
        """(B, C, H, W) -> the same shape, and the spatial attention's queries and keys where it has one."""
        first = self.channel(x) if self.channel is not None and self.kind in ("reversed", "channel") else x
        if self.spatial is None:
            return first, []
        out, pair = self.spatial(first)
        if self.channel is not None and self.kind != "reversed":
            out = self.channel(out) if self.kind == "series" else out + self.channel(x)
        return out, [pair]


class PyramidHead(nn.Module):
    """Heatmaps at the fine map's size: a 1x1 convolution of each map, the coarse one brought up."""

    def __init__(self, fine: int, coarse: int, landmarks: int) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(fine, landmarks, 1), nn.Conv2d(coarse, landmarks, 1)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """(B, C1, 2H, 2W), (B, C2, H, W) -> (B, N, 2H, 2W)."""
        up = F.interpolate(self.coarse(coarse), size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return self.fine(fine) + up


class SSFA(FaceModel):
    """Heatmap network with self-attention.

    Calling it on normalised crops (B, 3, S, S) returns an :class:`Alignment` with ``heatmaps``.

    Args:
        config: hyper-parameters.
        mean_shape: (N, 2) in [0, 1] of the crop; kept for the views, no step of the network uses it.
    """

    config: SSFAConfig
    fixed_size = False

    def __init__(self, config: SSFAConfig, mean_shape: Tensor) -> None:
        super().__init__()
        self.config = c = config
        self.set_mean_shape(mean_shape)
        if c.backbone == "hrnet_w18":
            self.backbone: HRNet | PyramidResNet = HRNet((1, 4, 3), hrnet_head(c.landmarks, True))
            channels, self.head = CHANNELS, None
        elif "a" in c.insertion:
            raise CheckpointError("Location A lies behind HRNet's branches; the compact backbone has location B only.")
        else:
            self.backbone = PyramidResNet(c.width)
            channels = c.width - c.width // 4
            self.head = PyramidHead(c.width // 4, channels, c.landmarks)
        self.features = Tap("channel", "y", "x")
        self.attention_a = nn.ModuleList(SelfAttention(w, c) for w in WIDTHS) if "a" in c.insertion else None
        self.attention_b = SelfAttention(channels, c) if "b" in c.insertion else None
        self.attended = Tap("channel", "y", "x")
        self.heatmaps = Tap("landmark", "y", "x")

    def forward(self, images: Tensor) -> Alignment:
        return self.decode(self.score(images)[0], images.shape[-1])

    def forward_flipped(self, images: Tensor) -> Alignment:
        """The answer from the mean heatmaps of a crop and its mirror image, as the paper tests (4.2)."""
        pairs = torch.tensor(self.scheme.flip, device=images.device)
        scores, mirrored = self.score(images)[0], self.score(images.flip(-1))[0]
        return self.decode((scores + mirrored.flip(-1)[:, pairs]) / 2, images.shape[-1])

    def score(self, images: Tensor) -> tuple[Tensor, list[Affinity]]:
        """(B, 3, S, S) -> heatmaps before any normalisation (B, N, h, w), and the spatial attentions' parts."""
        pairs: list[Affinity] = []
        fine: Tensor | None = None
        if isinstance(self.backbone, HRNet):
            branches = self.backbone.branches(images)
            for i, attention in enumerate(self.attention_a or ()):
                branches[i], found = attention(branches[i])
                pairs += found
            z = self.backbone.join(branches)
        else:
            fine, z = self.backbone(images)
        z = self.features(z)
        if self.attention_b is not None:
            z, found = self.attention_b(z)
            pairs += found
        z = self.attended(z)
        if isinstance(self.backbone, HRNet):
            return self.backbone.head(z).float(), pairs
        assert self.head is not None
        return self.head(fine, z).float(), pairs

    def decode(self, scores: Tensor, side: int) -> Alignment:
        """Heatmaps (B, N, h, w) -> :class:`Alignment` in pixels of a crop of ``side`` pixels."""
        maps = scores
        if self.config.loss == "cross_entropy":
            maps = spatial_softmax(scores)
        maps = self.heatmaps(maps)
        points = quarter_pixel(maps) if self.config.decode == "quarter" else centre_of_mass(maps)
        return Alignment(landmarks=side * points, heatmaps=maps)


_COMPACT: dict[str, Any] = dict(
    input_size=128,
    backbone="pyramid18",
    inner=32,
    bottleneck=32,
    decode="soft",
    loss="cross_entropy",
    # The paper's 1 and 3 cells of 64, on a map of 32: the same part of the face.
    prior_sigma=0.5,
    prior_radius=1.5,
    beta=0.3,
    centred=True,
    border=1,
    # In some twenty epochs a weight that begins at 0 hardly opens; the attention is to be used.
    gamma=0.5,
)


def _presets() -> dict[str, SSFAConfig]:
    out = {}
    for count in (98, 68, 19):
        paper = SSFAConfig(scheme=SCHEME_BY_COUNT[count], landmarks=count)
        compact = replace(paper, **_COMPACT)
        out[f"ssfa-{count}-baseline"] = replace(paper, insertion="none", beta=0.0)
        out[f"ssfa-{count}-literal"] = paper
        out[f"ssfa-{count}-budget"] = replace(paper, inner=6, bottleneck=7)
        out[f"ssfa-{count}-compact-baseline"] = replace(compact, insertion="none", beta=0.0)
        out[f"ssfa-{count}-compact-free"] = replace(compact, beta=0.0)
        out[f"ssfa-{count}-compact"] = compact
    return out


PRESETS = _presets()


def infer_config(state: dict[str, Tensor]) -> SSFAConfig:
    """The baseline that a published HRNetV2-W18 heatmap model is, from names and shapes.

    Raises:
        CheckpointError: other weights.
    """
    last = state.get("head.3.weight")
    if last is None or last.ndim != 4 or "stage4.0.branches.0.0.conv1.weight" not in state:
        raise CheckpointError(
            "These are not weights of the HRNetV2-W18 heatmap network: 'head.3.weight' or "
            "'stage4.0.branches.0.0.conv1.weight' is missing; choose the system they belong to."
        )
    count = last.shape[0]
    scheme = SCHEME_BY_COUNT.get(count, f"user{count}")
    return replace(PRESETS["ssfa-98-baseline"], scheme=scheme, landmarks=count)


def published_name(name: str, config: Any) -> str:
    """Our parameter name -> the authors'."""
    return name.removeprefix("backbone.")


SYSTEM = System(
    name="ssfa",
    title="SSFA",
    paper="Li et al., Structural Dependence Learning Based on Self-attention for Face Alignment (Machine Intelligence "
    "Research 2024)",
    config=SSFAConfig,
    model=SSFA,
    presets=PRESETS,
    training="workbench.training.ssfa:SSFATraining",
    shows="self-attention over the whole map, with and without the facial structure prior",
    mechanisms=(
        Mechanism(
            name="self-attention between places",
            tap="attention_?.*spatial.attention",
            equation="Eq. 1-2",
            claim="Every place of the map draws on places of the same face that tell of it.",
            without="uniform",
        ),
        Mechanism(
            name="gamma, the attention's weight",
            tap="attention_?.*spatial.strength",
            equation="Eq. 2",
            claim="It weighs what attention adds to the map.",
        ),
    ),
    printed_sizes={
        "ssfa-98-baseline": (9.66, 4.75),
        "ssfa-98-literal": (9.67, 4.99),
        "ssfa-98-budget": (9.67, 4.99),
    },
    published=WeightsImporter(infer_config, published_name),
    notes={
        "ssfa-98-baseline": "The paper prints 4.75 G; HRNet's own weights count 9.66 M and 4.69 G.",
        "ssfa-98-literal": "The printed 9.67 M and 4.99 G leave 0.01 M and 0.24 G for the attention; the values of "
        "Eq 2 alone (270 to 270 channels) take 0.07 M, and the two products of 4096 x 4096 positions about 5 G. The "
        "preset 'ssfa-98-budget' is a bottleneck that meets both figures.",
    },
)
