"""SLPT and DSLPT: sparse local patch transformers (Xia, thesis 2024, chapters 4 and 5).

One stage loop serves both. Three switches make the difference: how a patch behaves at the border (``rectangle``),
how its pixels are read (``sampling``) and what sets the next patch's size (``size_rule``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.errors import CheckpointError
from workbench.models.alignment import Alignment
from workbench.models.backbones import build_backbone
from workbench.models.base import SCHEME_BY_COUNT, FaceModel, Mechanism, System, WeightsImporter
from workbench.models.config import ValidatedConfig
from workbench.models.layers import RelationLayer, mark_first_idle
from workbench.models.patches import (
    SIZE_FACTOR,
    PatchTaps,
    PredictionHead,
    patch_rectangles,
    sample_patches,
    size_scale,
)
from workbench.tracing import Tap


@dataclass(frozen=True)
class PatchTransformerConfig(ValidatedConfig):
    """Every hyper-parameter of SLPT and DSLPT; the defaults are DSLPT with HRNetV2-W18 as published.

    Attributes:
        system: "slpt" or "dslpt".
        scheme: name of the landmark scheme.
        landmarks: N.
        input_size: side of the crop in pixels.
        backbone: see ``workbench.models.backbones``; ``deep_head`` selects SLPT's two-layer HRNet head.
        dim, heads, layers, ffn, dropout: the inherent relation layers.
        patch: samples a patch has on a side.
        stages: passes through the shared relation layers.
        half_size: half the side of the first stage's patch, as a part of the crop.
        rectangle: "shrink" cuts a patch at the crop's border, "shift" moves it inside.
        sampling: "aligned" reads pixel u (H - 1), "half_pixel" reads u H - 0.5, clamped.
        size_rule: "halve"; "variance" multiplies by clamp(12 max v) as in the published code; "deviation" by
            clamp(12 max sqrt(v)) as the thesis' text has it (5.2.2).
        size_limits: the clamp of the last two rules.
        likelihood: what the variance is trained with; None for SLPT, which predicts points alone.
        embed_bias: whether the patch embedding has a bias (DSLPT).
        tied_query: one landmark query for all landmarks, to which the structure encoding is added: nothing else then
            tells the layers which landmark is which (ours; the papers give each landmark a query of its own).
        attention: "both", or for the ablations "msa", "mca" or "none". Without MCA the layers start from the patches
            themselves, not from zero (thesis 4.3.5).
        encoding: "structure" is learned; for the ablations "sine", fixed sines of the landmark's index (Vaswani et
            al. 2017, 3.5), or "none".
    """

    system: Literal["slpt", "dslpt"] = "dslpt"
    scheme: str = "wflw98"
    landmarks: int = 98
    input_size: int = 256
    backbone: str = "hrnet_w18"
    deep_head: bool = False
    dim: int = 256
    heads: int = 8
    layers: int = 6
    ffn: int = 1024
    dropout: float = 0.1
    patch: int = 7
    stages: int = 3
    half_size: float = 0.125
    rectangle: Literal["shrink", "shift"] = "shift"
    sampling: Literal["aligned", "half_pixel"] = "half_pixel"
    size_rule: Literal["halve", "variance", "deviation"] = "variance"
    size_limits: tuple[float, float] = (0.5, 0.7)
    likelihood: Literal["gaussian", "laplace"] | None = "gaussian"
    embed_bias: bool = True
    tied_query: bool = False
    attention: Literal["both", "msa", "mca", "none"] = "both"
    encoding: Literal["structure", "sine", "none"] = "structure"


def sines(count: int, dim: int) -> Tensor:
    """Sines and cosines of an index, (count, dim), in turn (Vaswani et al. 2017, 3.5)."""
    rate = torch.exp(torch.arange(0, dim, 2) * (-math.log(10000.0) / dim))
    angle = torch.arange(count)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)[:, :dim]


class Relation(nn.Module):
    """The inherent relation layers and their shared output norm, run once a stage (thesis 5.2.1, 5.2.4)."""

    def __init__(self, config: PatchTransformerConfig) -> None:
        super().__init__()
        c = config
        self.layers = nn.ModuleList(
            RelationLayer(c.dim, c.heads, c.ffn, c.dropout, c.attention) for _ in range(c.layers)
        )
        self.from_patches = c.attention in ("msa", "none")
        if c.attention == "both":
            mark_first_idle(self.layers)
        self.norm = nn.LayerNorm(c.dim)
        self.structure_encoding: Tensor
        if c.encoding == "structure":
            self.structure_encoding = nn.Parameter(torch.empty(1, c.landmarks, c.dim))
            nn.init.xavier_uniform_(self.structure_encoding)
        else:
            fixed = sines(c.landmarks, c.dim) if c.encoding == "sine" else torch.zeros(c.landmarks, c.dim)
            self.register_buffer("structure_encoding", fixed[None], persistent=False)
        self.landmark_query = nn.Parameter(torch.empty(1, 1 if c.tied_query else c.landmarks, c.dim))
        nn.init.xavier_uniform_(self.landmark_query)
        self.tied_query = c.tied_query
        self.structure = Tap("landmark", "encoding")
        self.query = Tap("landmark", "query")

    def forward(self, patches: Tensor, structure: Tensor) -> Tensor:
        """Patch embeddings (B, N, d) -> normalised states of every layer (layer, B, N, d)."""
        state = patches if self.from_patches else torch.zeros_like(patches)
        query = self.query(self.landmark_query + structure if self.tied_query else self.landmark_query)
        out = []
        for layer in self.layers:
            state = layer(state, query, patches, structure)
            out.append(self.norm(state))
        return torch.stack(out)


class PatchTransformer(FaceModel):
    """SLPT or DSLPT, by configuration.

    Calling it on normalised crops (B, 3, S, S) returns an :class:`Alignment` with ``stages``, ``rects`` and, for
    DSLPT, ``variance``.

    Args:
        config: hyper-parameters.
        mean_shape: (N, 2) in [0, 1] of the crop, where the first patches lie.
    """

    config: PatchTransformerConfig
    fixed_size = False

    def __init__(self, config: PatchTransformerConfig, mean_shape: Tensor) -> None:
        super().__init__()
        self.config = c = config
        self.backbone = build_backbone(c.backbone, c.dim, c.deep_head)
        self.maps = nn.ModuleList(Tap("channel", "y", "x") for _ in range(self.backbone.count))
        self.embed = nn.Conv2d(c.dim, c.dim, c.patch, bias=c.embed_bias)
        # No step uses this norm; the published models carry it, so counts agree and their weights load strictly.
        self.embed_norm = nn.LayerNorm(c.dim).requires_grad_(False)
        self.relation = Relation(c)
        self.head = PredictionHead(c.dim, c.likelihood is not None)
        self.patches = PatchTaps()
        self.set_mean_shape(mean_shape)

    def forward(self, images: Tensor) -> Alignment:
        return self.read_maps(self.backbone(images), images.shape[-1])

    def read_maps(self, maps: list[Tensor], side: int) -> Alignment:
        """Feature maps of a batch -> :class:`Alignment` in pixels of a crop of ``side`` pixels."""
        c = self.config
        maps = [tap(m) for tap, m in zip(self.maps, maps, strict=True)]
        batch = maps[0].shape[0]
        structure = self.relation.structure(self.relation.structure_encoding)
        points = self.mean_shape.expand(batch, -1, -1)
        half = points.new_full((batch, c.landmarks, 1), c.half_size)
        stages, variances, rects = [], [], []
        for _ in range(c.stages):
            # In training a stage does not teach the one before where to look; the answer itself depends on it.
            corner, size = patch_rectangles(points.detach() if self.training else points, half, c.rectangle)
            rects.append(self.patches.rects(torch.cat([corner, size], -1)))
            corner, size = rects[-1].split(2, -1)
            patches = self.patches.features(sample_patches(maps, corner, size, c.patch, c.sampling))
            # A valid convolution over the whole patch is a matrix product, which is faster as one.
            embedded = F.linear(patches.flatten(2), self.embed.weight.flatten(1), self.embed.bias)
            mean, variance = self.head(self.relation(embedded, structure))
            stages.append(corner + size * mean)
            points = stages[-1][-1]
            if variance is not None:
                variances.append(variance)
            half = self.patches.next_half(self._next_half(half, None if variance is None else variance[-1]))
        return Alignment(
            landmarks=side * points,
            stages=side * torch.stack(stages),
            variance=torch.stack(variances) if variances else None,
            likelihood=c.likelihood,
            rects=side * torch.stack(rects),
            size_rule=c.size_rule,
            size_factor=SIZE_FACTOR,
            size_limits=c.size_limits,
        )

    def _next_half(self, half: Tensor, variance: Tensor | None) -> Tensor:
        """Half size of the next stage's patches, (B, N, 1)."""
        if self.config.size_rule == "halve" or variance is None:
            return half / 2
        spread = (variance.detach() if self.training else variance).float().amax(-1, keepdim=True)
        return half * size_scale(spread, self.config.size_rule, self.config.size_limits).to(half.dtype)


def _presets(system: str) -> dict[str, PatchTransformerConfig]:
    """The papers' sizes for every published number of points, and our compact one."""
    base = PatchTransformerConfig()
    compact: dict[str, Any] = dict(
        input_size=128, backbone="pyramid18", dim=128, heads=4, layers=4, ffn=512, dropout=0.0, patch=5
    )
    if system == "slpt":
        base = replace(
            base,
            system="slpt",
            backbone="hrnet_w18_lite",
            deep_head=True,
            rectangle="shrink",
            sampling="aligned",
            size_rule="halve",
            likelihood=None,
            embed_bias=False,
        )
        sizes: dict[str, dict[str, Any]] = {
            "lite": {},
            "resnet34": {"backbone": "resnet34", "deep_head": False},
            "compact": {**compact, "deep_head": False},
        }
    else:
        sizes = {
            "w18": {},
            "lite": {"backbone": "hrnet_w18_lite"},
            "resnet34": {"backbone": "resnet34"},
            "resnet50": {"backbone": "resnet50"},
            "compact": {**compact, "likelihood": "laplace", "size_rule": "deviation"},
            "compact-tied": {**compact, "likelihood": "laplace", "size_rule": "deviation", "tied_query": True},
        }
    return {
        f"{system}-{count}-{size}": replace(base, scheme=SCHEME_BY_COUNT[count], landmarks=count, **changes)
        for count in (98, 68, 29, 19)
        for size, changes in sizes.items()
    }


# Ours -> the authors', longest prefix first.
_NAMES = (
    ("relation.layers.", "Transformer.Transformer_block.layers."),
    ("relation.norm.", "Transformer.Transformer_block.norm."),
    ("relation.structure_encoding", "Transformer.structure_encoding"),
    ("relation.landmark_query", "Transformer.landmark_query"),
    ("embed_norm.", "feature_norm."),
    ("embed.", "feature_extractor."),
    ("head.hidden.", "embedding_layer."),
    ("head.variance.", "out_std_layer."),
)


def published_name(name: str, config: PatchTransformerConfig) -> str:
    """Our parameter's name -> the authors'."""
    mean = ("head.mean.", "out_layer." if config.system == "slpt" else "out_mean_layer.")
    for ours, theirs in (*_NAMES, mean):
        if name.startswith(ours):
            return theirs + name[len(ours) :]
    return name


def infer_config(state: dict[str, Tensor], system: str) -> PatchTransformerConfig:
    """The configuration that a published state dict of ``system`` was made with, from names and shapes.

    Raises:
        CheckpointError: other weights.
    """
    query, embed = state.get("Transformer.landmark_query"), state.get("feature_extractor.weight")
    if query is None or embed is None or query.ndim != 3 or embed.ndim != 4:
        raise CheckpointError(
            f"These are not {system.upper()} weights: 'Transformer.landmark_query' or 'feature_extractor.weight' is "
            "missing; choose the system they belong to."
        )
    count, dim = query.shape[1], query.shape[2]
    if "backbone.stage4.0.branches.0.0.conv1.weight" in state:
        backbone = "hrnet_w18" if any(k.startswith("backbone.stage3.1.") for k in state) else "hrnet_w18_lite"
    else:
        backbone = "resnet50" if "backbone.layer1.0.conv3.weight" in state else "resnet34"
    layer = "Transformer.Transformer_block.layers."
    layers = len({k.split(".")[3] for k in state if k.startswith(layer)})
    heads = _presets(system)[f"{system}-98-lite"].heads
    ffn = state.get(f"{layer}0.linear1.weight")
    if not layers or dim % heads or (ffn is not None and ffn.ndim != 2):
        raise CheckpointError(
            f"These are not {system.upper()} weights: they need layers named '{layer}*' and a width that {heads} "
            f"heads divide, and have {layers} and {dim}."
        )
    size = "lite" if system == "slpt" else "w18"
    return replace(
        _presets(system)[f"{system}-98-{size}"],
        scheme=SCHEME_BY_COUNT.get(count, f"user{count}"),
        landmarks=count,
        backbone=backbone,
        deep_head=system == "slpt" and backbone.startswith("hrnet"),
        dim=dim,
        layers=layers,
        ffn=4 * dim if ffn is None else ffn.shape[0],
        patch=embed.shape[-1],
    )


_MECHANISMS = (
    Mechanism(
        name="MCA, between landmarks and patches",
        tap="relation.layers.*.cross",
        equation="thesis Eq. 4.1-4.4",
        claim="Each landmark gathers evidence from the patches of the landmarks it is related to.",
        without="uniform",
    ),
    Mechanism(
        name="MSA, layer 2 and above",
        tap="relation.layers.[1-9].self",
        equation="thesis Eq. 4.1-4.4",
        claim="Landmarks exchange what they have gathered.",
        without="uniform",
    ),
    Mechanism(
        name="MSA, layer 1",
        tap="relation.layers.0.self",
        equation="thesis Eq. 4.1-4.4",
        claim="Landmarks exchange what they have gathered.",
        without="uniform",
        idle="The values of layer 1 are one constant vector, in the papers too: any weights give the same.",
    ),
    Mechanism(
        name="size of the next stage's patches",
        tap="patches.next_half",
        equation="thesis 5.2.2",
        claim="A landmark that is not sure looks at a larger patch.",
        without="none",
    ),
    Mechanism(
        name="structure encoding",
        tap="relation.structure",
        equation="thesis 4.2.2",
        claim="It tells the layers where in a face each patch belongs.",
    ),
    Mechanism(
        name="landmark query",
        tap="relation.query",
        equation="thesis 4.2.2",
        claim="It says which landmark is looked for.",
    ),
)
SLPT = System(
    name="slpt",
    title="SLPT",
    paper="Xia et al., Sparse Local Patch Transformer for Robust Face Alignment and Landmarks Inherent Relation "
    "Learning (CVPR 2022); thesis chapter 4",
    config=PatchTransformerConfig,
    model=PatchTransformer,
    presets=_presets("slpt"),
    training="workbench.training.patches:PatchTransformerTraining",
    shows="attention between landmarks, structure encodings, patches",
    # Its patches halve, whatever the face.
    mechanisms=tuple(m for m in _MECHANISMS if m.tap != "patches.next_half"),
    printed_sizes={"slpt-98-lite": (13.19, 6.12)},
    notes={"slpt-98-lite": "The thesis prints 6.12 G; the authors' own weights count 6.08 G."},
    published=WeightsImporter(partial(infer_config, system="slpt"), published_name),
)
DSLPT = System(
    name="dslpt",
    title="DSLPT",
    paper="Xia et al., Robust Face Alignment via Inherent Relation Learning and Uncertainty Estimation "
    "(TPAMI 2023); thesis chapter 5",
    config=PatchTransformerConfig,
    model=PatchTransformer,
    presets=_presets("dslpt"),
    training="workbench.training.patches:PatchTransformerTraining",
    shows="attention between landmarks, structure encodings, patches, and its own uncertainty",
    mechanisms=_MECHANISMS,
    printed_sizes={"dslpt-98-w18": (19.35, 7.83), "dslpt-98-lite": (13.25, 6.06)},
    notes={
        "dslpt-98-w18": "The thesis prints 7.83 G; the authors' own weights count 7.78 G.",
        "dslpt-98-lite": "The thesis prints 6.06 G; the authors' own weights count 6.02 G.",
    },
    published=WeightsImporter(partial(infer_config, system="dslpt"), published_name),
)
