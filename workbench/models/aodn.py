"""AODN: attentive occlusion-adaptive deep network (Sadiq and Shi, Pattern Recognition 2022).

A ResNet-18 without its last level gives Z. Beside each other, a geometry-aware module multiplies two views of Z
channel by channel, and an attention module weighs Z by where and what is visible. Joined, they are flattened and
read through a low-rank matrix M: S = W_fc^T M^T x (Eq. 1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.models.alignment import Alignment
from workbench.models.backbones.resnet import ResNet
from workbench.models.base import SCHEME_BY_COUNT, FaceModel, Mechanism, System
from workbench.models.config import ValidatedConfig
from workbench.models.decoding import spatial_softmax
from workbench.models.layers import BasicBlock, ConvNorm, Gate
from workbench.models.low_rank import by_rank, smooth_basis
from workbench.tracing import Tap

ROOT_FLOOR = 1e-4  # keeps the slope of the signed square root below 50


@dataclass(frozen=True)
class AODNConfig(ValidatedConfig):
    """Every hyper-parameter of AODN and of its losses. The defaults meet the paper's size with 68 points.

    The paper prints r, the input's size and the number of parameters; the widths are those that meet that number,
    the weights of the losses are ours.

    Attributes:
        system: "aodn".
        scheme: name of the landmark scheme.
        landmarks: N.
        input_size: side of the crop in pixels.
        width: channels of the trunk's first level; Z has four times as many.
        small_stem: a trunk for small crops: Z has an eighth of the crop's side instead of a sixteenth.
        geometry: channels of each of the two sub-networks A and B; their outer product has the square of it.
        outer: "position" multiplies at every place; "pooled" averages the products over the map (bilinear pooling)
            and lays the average at every place.
        signed_root, channel_norm: signed square root and L2 norm over the channels after the outer product.
        reduction: r of the channel attention.
        standardise: the channel attention sees its averages and maxima standardised over the faces.
        merge: how the attended map meets the kept signal: "product" (Eq. 2) or "sum" (the ablation of Table 5).
        pool: side and stride of the max-pooling before flattening; 1 for none.
        rank: columns of M, the width of the code.
        point_maps: 0 flattens the hybrid map as the paper does. Else the compact change: a 3x3 convolution to this
            many channels and a 1x1 to one map a landmark, each of which becomes a probability over the face; these
            are flattened, and M starts as the reading of their expected places along smooth changes of the mean
            face (:func:`smooth_basis`), until :meth:`AODN.set_modes` gives it the changes of real faces.
        map_gain: what the point maps are multiplied by on their way to M, whose entries then are of a size that
            suits an optimiser's steps.
        weighs: what P'' multiplies: "kept", the signal beside the gates, or "all", Z before both modules read it.
        point_loss: "squared" is the paper's (Eq. 7); "l1" and "wing" are for training on few faces.
        wing: width and curvature of the wing loss, in parts of the crop.
        beta: weight of the nuclear norm of M (Eq. 8).
        gamma, alpha, lam: of the squared Frobenius norms of M, of the convolutions and of W_fc (Eq. 7).
        eta_spatial, eta_plain: of the L1 norms of P' (the spatial gate) and P'' (the map of sub-network D).
        occlusion_weight: of the cross-entropy between P'' and the part of each cell that no occluder was painted over;
            0 leaves P'' to the landmarks' loss, as the paper does.
        shrinkage: singular values of M that a step takes away, times the learning rate: the proximal step of the
            nuclear norm. Beside an optimiser that makes all gradients alike it lowers the rank, which ``beta`` in the
            loss does not.
        map_weight, map_sigma: of an additional heatmap loss on the point maps (0 for none), and the width of its
            targets in cells of these coarse maps.
        geometry_aware, attentive, low_rank: whether the three modules are there (the ablation of Table 5). Without
            the attention Z itself stands in F's place, without the low-rank module a code of any rank is learned.
    """

    system: Literal["aodn"] = "aodn"
    scheme: str = "ibug68"
    landmarks: int = 68
    input_size: int = 224
    width: int = 64
    small_stem: bool = False
    geometry: int = 16
    outer: Literal["position", "pooled"] = "position"
    signed_root: bool = False
    channel_norm: bool = False
    reduction: int = 8
    standardise: bool = False
    merge: Literal["product", "sum"] = "product"
    pool: int = 2
    rank: int = 96
    point_maps: int = 0
    map_gain: float = 1 / 32
    weighs: Literal["kept", "all"] = "kept"
    point_loss: Literal["squared", "l1", "wing"] = "squared"
    wing: tuple[float, float] = (0.04, 0.01)
    beta: float = 1e-4
    gamma: float = 2.5e-4
    alpha: float = 2.5e-4
    lam: float = 2.5e-4
    eta_spatial: float = 1e-4
    eta_plain: float = 1e-4
    occlusion_weight: float = 0.0
    shrinkage: float = 0.0
    map_weight: float = 0.0
    map_sigma: float = 0.7
    geometry_aware: bool = True
    attentive: bool = True
    low_rank: bool = True

    @property
    def map_size(self) -> int:
        """Side of Z and of every map made from it."""
        return self.input_size // (8 if self.small_stem else 16)


class Trunk(ResNet):
    """ResNet-18 up to its third level: crops (B, 3, S, S) -> Z (B, 4 width, h, w)."""

    def __init__(self, width: int, small_stem: bool) -> None:
        super().__init__(18, width, small_stem)
        del self.layer4

    def forward(self, images: Tensor) -> Tensor:
        x = self.pool(F.relu(self.bn1(self.conv1(images)), inplace=True))
        return self.layer3(self.layer2(self.layer1(x)))


def signed_root(x: Tensor) -> Tensor:
    """sign(x) sqrt(|x|), moved so that the slope at zero stays finite."""
    return x.sign() * ((x.abs() + ROOT_FLOOR).sqrt() - ROOT_FLOOR**0.5)


class Geometry(nn.Module):
    """Geometry-aware module: the outer product of sub-networks A and B (a quadratic kernel's expansion, 2.1)."""

    def __init__(self, config: AODNConfig) -> None:
        super().__init__()
        self.config = config
        self.a = ConvNorm(4 * config.width, config.geometry)
        self.b = ConvNorm(4 * config.width, config.geometry)
        self.map = Tap("product", "y", "x")

    def forward(self, z: Tensor) -> Tensor:
        """Z (B, C, h, w) -> (B, g squared, h, w); channel g i + j is A_i times B_j."""
        a, b = self.a(z), self.b(z)
        if self.config.outer == "position":
            products = (a[:, :, None] * b[:, None]).flatten(1, 2)
        else:
            mean = torch.einsum("bihw,bjhw->bij", a, b) / (a.shape[-2] * a.shape[-1])
            products = mean.flatten(1)[:, :, None, None].expand(-1, -1, *a.shape[-2:])
        if self.config.signed_root:
            products = signed_root(products)
        if self.config.channel_norm:
            products = F.normalize(products, dim=1)
        return self.map(products)


class OcclusionAttention(nn.Module):
    """Attention module (3.1, 3.2): what is visible and where, with the input's own signal kept beside.

    Sub-network C is a residual block and two gates in a row, Z' = Mc Z and Z'' = Ms Z' (Eq. 3-6). Sub-network D maps
    Z to a single channel P'', the probability that a cell shows the face, and weighs the signal with it ("occlusion
    probability assists as adaptive weights of high-level features", Fig. 13). Eq. 2 is F = Z'' (P'' Z). With
    ``weighs`` "all" it is P'' Z that sub-networks A, B and C read, too.
    """

    def __init__(self, config: AODNConfig) -> None:
        super().__init__()
        channels = 4 * config.width
        self.merge, self.weighs = config.merge, config.weighs
        self.block = BasicBlock(channels, channels)
        self.gate = Gate(channels, config.reduction, standardise=config.standardise)
        self.plain_map = nn.Conv2d(channels, 1, 1)
        self.plain = Tap("y", "x")
        self.weighted = Tap("channel", "y", "x")

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Z (B, C, h, w) -> F (B, C, h, w), P' and P'' (B, h, w), both in (0, 1), and what A and B read."""
        plain = self.plain(self.plain_map(z).sigmoid()[:, 0])
        weighed = z * plain[:, None]
        if self.weighs == "all":
            z = weighed
        x = self.block(z)
        x = self.gate.channel_gate(x) * x
        spatial = self.gate.spatial_gate(x)
        attended = spatial * x
        merged = attended * weighed if self.merge == "product" else attended + weighed
        return self.weighted(merged), spatial[:, 0], plain, z


@dataclass(frozen=True)
class AODNReading:
    """What one forward pass computes on its way to the landmarks.

    Attributes:
        points: S, (B, N, 2) in [0, 1] of the crop.
        spatial: P', the spatial gate, (B, h, w); None without the attention.
        plain: P'', the map of sub-network D, (B, h, w); None without the attention.
        code: M^T x, (B, rank).
        logits: (B, N, h, w) of the point maps; None where the hybrid map itself is flattened.
        maps: the point maps, softmax of the logits over the face; None as above.
    """

    points: Tensor
    spatial: Tensor | None
    plain: Tensor | None
    code: Tensor
    logits: Tensor | None = None
    maps: Tensor | None = None


class AODN(FaceModel):
    """Normalised crops (B, 3, S, S) -> :class:`Alignment`, with ``heatmaps`` where the configuration has point maps.

    While ``recovered`` records, it tells the answers of every rank that M could be cut to, see :func:`by_rank`.

    Args:
        config: hyper-parameters.
        mean_shape: (N, 2) in [0, 1] of the crop; an untrained model answers near it.

    Raises:
        CheckpointError: the mean shape does not fit the number of landmarks.
    """

    config: AODNConfig

    def __init__(self, config: AODNConfig, mean_shape: Tensor) -> None:
        super().__init__()
        self.config = c = config
        self.set_mean_shape(mean_shape)
        self.backbone = Trunk(c.width, c.small_stem)
        self.features = Tap("channel", "y", "x")
        self.geometry = Geometry(c) if c.geometry_aware else None
        self.attention = OcclusionAttention(c) if c.attentive else None
        self.hybrid = Tap("channel", "y", "x")
        channels = (c.geometry**2 if c.geometry_aware else 0) + 4 * c.width
        self.reduce: nn.Sequential | None = None
        self.point_maps = Tap("landmark", "y", "x")
        if c.point_maps:
            self.reduce = nn.Sequential(ConvNorm(channels, c.point_maps), nn.Conv2d(c.point_maps, c.landmarks, 1))
            channels = c.landmarks
        side = c.map_size // c.pool
        rank = c.rank if c.low_rank else 2 * c.landmarks
        self.low_rank = nn.Linear(channels * side * side, rank, bias=False)
        self.code = Tap("channel")
        self.recovered = Tap("rank", "landmark", "xy", observer=True)
        self.singular = Tap("rank", observer=True)
        self.fc = nn.Linear(rank, 2 * c.landmarks)
        self._start()

    @torch.no_grad()
    def _start(self) -> None:
        """Answer with the mean face, or, given point maps, with their expected places as far as they are smooth."""
        self.fc.bias.copy_(self.mean_shape.flatten())
        if self.config.point_maps:
            basis = smooth_basis(self.mean_shape, self.fc.in_features // 2)  # (N, K)
            self.set_modes(torch.cat([torch.stack([basis, 0 * basis], 1), torch.stack([0 * basis, basis], 1)], -1))

    @torch.no_grad()
    def set_modes(self, modes: Tensor, sizes: Tensor | None = None) -> None:
        """Let M read the point maps' expected places along these changes of the mean face, and W_fc add them up.

        Args:
            modes: (N, 2, K), orthonormal, K at most the rank.
            sizes: (K,), the singular values that M gets, in the unit of the largest; W_fc makes up for them. None
                gives all the same.
        """
        c, side = self.config, self.config.map_size // self.config.pool
        cells = ((torch.arange(side) + 0.5) / side - 0.5) / c.map_gain
        places = torch.stack([cells.expand(side, side), cells[:, None].expand(side, side)])  # (2, side, side)
        count = modes.shape[-1]
        sizes = torch.ones(count) if sizes is None else sizes
        self.low_rank.weight.zero_()
        self.fc.weight.zero_()
        rows = torch.einsum("nak,ayx->knyx", modes, places).flatten(1)
        self.low_rank.weight[:count] = sizes[:, None] * rows
        self.fc.weight[:, :count] = modes.flatten(0, 1) / sizes
        flat = modes.flatten(0, 1)
        self.fc.bias.copy_(self.mean_shape.flatten() - flat @ (flat.T @ (self.mean_shape - 0.5).flatten()))

    @property
    def structure_matrix(self) -> Tensor:
        """M, (inputs, rank): what the nuclear norm keeps low."""
        return self.low_rank.weight.T

    @torch.no_grad()
    def spectrum(self) -> Tensor:
        """Singular values of M, (rank,), largest first: a property of the weights, the same for every face."""
        return torch.linalg.svdvals(self.structure_matrix.double()).float()

    def read(self, images: Tensor) -> AODNReading:
        """Normalised crops (B, 3, S, S) -> everything on the way to the landmarks."""
        z = self.features(self.backbone(images))
        weighted, spatial, plain = z, None, None
        if self.attention is not None:
            weighted, spatial, plain, z = self.attention(z)
        parts = [weighted] if self.geometry is None else [self.geometry(z), weighted]
        x = self.hybrid(torch.cat(parts, 1))
        logits = maps = None
        if self.reduce is not None:
            logits = self.reduce(x).float()
            maps = self.point_maps(spatial_softmax(logits))
            x = self.config.map_gain * maps
        if self.config.pool > 1:
            x = F.max_pool2d(x, self.config.pool)
        code = self.code(self.low_rank(x.flatten(1)))
        if self.recovered.active or self.singular.active:
            answers, sizes = by_rank(self.structure_matrix, code, self.fc.weight, self.fc.bias)
            self.recovered(answers.unflatten(-1, (-1, 2)))
            self.singular(sizes[None])
        return AODNReading(self.fc(code).unflatten(1, (-1, 2)), spatial, plain, code, logits, maps)

    def forward(self, images: Tensor) -> Alignment:
        found = self.read(images)
        return Alignment(images.shape[-1] * found.points, heatmaps=found.maps, visible=found.plain)


_PAPER = AODNConfig()
_COMPACT = replace(
    _PAPER,
    input_size=128,
    width=32,
    small_stem=True,
    geometry=8,
    signed_root=True,
    pool=1,
    point_maps=96,
    point_loss="l1",
    gamma=0.0,
    alpha=0.0,
    lam=0.0,
    eta_spatial=5e-4,
    standardise=True,
    occlusion_weight=1.0,
    weighs="all",
    shrinkage=5.0,
    map_weight=0.05,
)
PRESETS = {
    **{
        f"aodn-{count}-resnet18": replace(_PAPER, scheme=SCHEME_BY_COUNT[count], landmarks=count)
        for count in (68, 29, 19)
    },
    "aodn-68-compact": _COMPACT,
}

SYSTEM = System(
    name="aodn",
    title="AODN",
    paper="Sadiq and Shi, Attentive occlusion-adaptive deep network for facial landmark detection, 2022",
    config=AODNConfig,
    model=AODN,
    presets=PRESETS,
    training="workbench.training.aodn:AODNTraining",
    shows="channel and spatial attention under occlusion, a map of what is visible, a low-rank recovery of the shape",
    mechanisms=(
        Mechanism(
            name="P'', the map of sub-network D",
            tap="attention.plain",
            equation="Eq. 2, Fig. 13",
            claim="The probability of occlusion weighs the high-level features.",
            without="one",
        ),
        Mechanism(
            name="Ms (P'), the spatial gate",
            tap="attention.gate.spatial",
            equation="Eq. 5-6",
            claim="It tells where in the face something is to be seen.",
            without="one",
        ),
        Mechanism(
            name="Mc, the channel gate",
            tap="attention.gate.channel",
            equation="Eq. 3-4",
            claim="It tells which features are to be trusted.",
            without="one",
        ),
        Mechanism(
            name="geometry-aware features",
            tap="geometry.map",
            equation="2.1",
            claim="Products of two views of the face tell how its parts lie to each other.",
        ),
        Mechanism(
            name="M, the low-rank code",
            tap="code",
            equation="Eq. 1, Eq. 8",
            claim="A few numbers hold the face's shape, so that what is hidden follows from what is seen.",
        ),
    ),
    printed_sizes={"aodn-68-resnet18": (6.46, None)},
)
