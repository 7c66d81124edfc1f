"""SCC, also published as SDFL: landmarks as the nodes of a graph (Lin et al., TIP 2021).

A backbone's maps become one feature vector a landmark; a graph network over the landmarks' neighbours, with learned
edge weights, turns the vectors into coordinates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from workbench.errors import CheckpointError
from workbench.models.alignment import Alignment
from workbench.models.backbones.hrnet import CHANNELS, HRNet
from workbench.models.backbones.resnet import ResNet
from workbench.models.base import SCHEME_BY_COUNT, FaceModel, Mechanism, System, WeightsImporter
from workbench.models.config import ValidatedConfig
from workbench.models.decoding import centre_of_mass, spatial_softmax
from workbench.models.graph import (
    GraphConv,
    GraphNet,
    adjacency_matrix,
    graph_mask,
    nearest_edges,
    read_edges,
    relative_matrix,
)
from workbench.models.nodes import EVIDENCE, BaseMapping, StructureMapping, map_evidence, resize
from workbench.tracing import Tap


@dataclass(frozen=True)
class SCCConfig(ValidatedConfig):
    """Every hyper-parameter of SCC; the defaults are the published ResNet-34 "structure coherence" model.

    Attributes:
        system: "scc".
        scheme: name of the landmark scheme.
        landmarks: N.
        input_size: side of the crop in pixels.
        backbone: "resnet34"; "hrnet_w18", whose four branches are joined at the coarsest one's size; or
            "resnet18_slim", half as wide and with a small stem, for 128-pixel crops.
        spare_classifier: carry ResNet's classifier for ImageNet, which no step uses, so that the count of the released
            "base" file agrees.
        mapping: "structure" joins three levels, two of them gated by the level above; "base" reads the last alone.
        widths: channels of the three levels, coarse to fine ("base": the first alone); ``joined``: of their union.
        reduction: of the gates' hidden layer.
        cells: side of the node map.
        node_channels: channels of the node map that each landmark owns.
        located: each landmark owns one map of logits instead; its softmax is the node's feature, and the node starts
            at the softmax's centre of mass, from which the graph network moves it (not in the paper, whose network
            gives the coordinates at once: that takes far more faces and epochs).
        evidence: a located node also tells how far its map spreads, how high it peaks, and how far its centre lies
            from the mean face.
        identity: learned channels that tell a located node which landmark it is; 0 for none.
        hidden, blocks: width of the graph network and its residual blocks of two graph convolutions.
        neighbours: of each landmark on the mean face, when no edges are given.
        dynamic: edge weights also depend on the two nodes' features, by queries and keys of ``dynamic_dim``.
        edges: links, self-loops included, of the graph that published weights were trained on; 0 when the weights
            come with their graph.
        pixels: what :meth:`SCC.normalise` makes of a crop: "zscore_bgr" or "imagenet".
        wing_linear, wing_scale, wing_curve: w1, w2, epsilon of the soft wing loss, in pixels of a 256-pixel crop.
        relative_weight: of the relative location loss.
        map_weight, map_sigma: weight of the located nodes' heatmap loss and its targets' deviation in cells.
    """

    system: Literal["scc"] = "scc"
    scheme: str = "wflw98"
    landmarks: int = 98
    input_size: int = 256
    backbone: Literal["resnet34", "hrnet_w18", "resnet18_slim"] = "resnet34"
    spare_classifier: bool = False
    mapping: Literal["structure", "base"] = "structure"
    widths: tuple[int, int, int] = (256, 128, 64)
    joined: int = 256
    reduction: int = 2
    cells: int = 8
    node_channels: int = 4
    located: bool = False
    evidence: bool = False
    identity: int = 0
    hidden: int = 128
    blocks: int = 4
    neighbours: int = 3
    dynamic: bool = False
    dynamic_dim: int = 32
    edges: int = 0
    pixels: Literal["zscore_bgr", "imagenet"] = "zscore_bgr"
    wing_linear: float = 2.0
    wing_scale: float = 20.0
    wing_curve: float = 0.5
    relative_weight: float = 1.0
    map_weight: float = 0.0
    map_sigma: float = 0.8

    @property
    def node_features(self) -> int:
        """Length of a node's feature vector; a located node also tells its centre of mass."""
        if not self.located:
            return self.node_channels * self.cells**2
        return self.cells**2 + 2 + (EVIDENCE if self.evidence else 0) + self.identity


def _backbone(config: SCCConfig) -> HRNet | ResNet:
    if config.backbone == "hrnet_w18":
        return HRNet((1, 4, 3), nn.Identity())
    net = ResNet(34) if config.backbone == "resnet34" else ResNet(18, 32, small_stem=True)
    if config.spare_classifier:
        net.fc = nn.Linear(net.channels[-1], 1000).requires_grad_(False)
        nn.init.zeros_(net.fc.weight)
        nn.init.zeros_(net.fc.bias)
    return net


class SCC(FaceModel):
    """The network: normalised crops (B, 3, S, S) -> :class:`Alignment`, with ``heatmaps`` when nodes are located.

    Args:
        config: hyper-parameters.
        mean_shape: (N, 2) in [0, 1] of the crop.
        edges: directed edges (E, 2), j a neighbour of i, from :func:`~workbench.models.graph.read_edges`; None takes
            the nearest landmarks on the mean face. A checkpoint brings its own graph (the buffer ``adjacency``).

    Raises:
        CheckpointError: a mean face of another shape, or edges that are not those the weights were trained on.
        DataError: edges that are none of this scheme.
    """

    config: SCCConfig
    adjacency: Tensor
    mask: Tensor

    def __init__(self, config: SCCConfig, mean_shape: Tensor, edges: Tensor | None = None) -> None:
        super().__init__()
        self.config = c = config
        self.set_mean_shape(mean_shape)
        given = nearest_edges(self.mean_shape, c.neighbours) if edges is None else edges
        adjacency = adjacency_matrix(given, c.landmarks)
        links = int(graph_mask(adjacency).sum())
        if c.edges and links != c.edges:
            if edges is not None:
                raise CheckpointError(_wrong_graph(c.edges, f"the one given has {links}"))
            adjacency, links = torch.zeros_like(adjacency), c.edges  # a checkpoint may bring its graph yet
        self.backbone = _backbone(c)
        channels = (CHANNELS,) if isinstance(self.backbone, HRNet) else self.backbone.channels[1:]
        outputs = c.landmarks * (1 if c.located else c.node_channels)
        last: dict[str, Any] = dict(cells=c.cells, outputs=outputs, logits=c.located)
        if c.mapping == "structure":
            if len(channels) != 3:
                raise CheckpointError("The structure mapping joins three levels of a ResNet; HRNet takes 'base'.")
            stem = 2 if c.backbone == "resnet18_slim" else 4
            sides = tuple(math.ceil(c.input_size / stem / 2**i) for i in (1, 2, 3))
            self.nodes: nn.Module = StructureMapping(
                channels, sides, widths=c.widths, joined=c.joined, reduction=c.reduction, **last
            )
        else:
            self.nodes = BaseMapping(channels, width=c.widths[0], **last)
        self.maps = Tap("landmark", "y", "x") if c.located else None
        self.features = Tap("node", "channel")
        self.relative = Tap("landmark", "neighbour", observer=True)
        if c.located and c.identity:
            self.identity = nn.Parameter(torch.randn(c.landmarks, c.identity) / math.sqrt(c.identity))
        self.graph = GraphNet(c.node_features, c.hidden, c.blocks, links, c.dynamic_dim if c.dynamic else 0)
        if c.located:  # begin at the centres of mass
            nn.init.zeros_(self.graph.output.weight)
            nn.init.zeros_(self.graph.output.bias)
        self.register_buffer("adjacency", adjacency)
        self.register_buffer("mask", graph_mask(adjacency), persistent=False)
        self.register_load_state_dict_pre_hook(_take_graph)

    def set_graph(self, adjacency: Tensor) -> None:
        """Another graph, bool (N, N) directed; layers whose number of edges changes start with equal weights."""
        self.adjacency = adjacency.bool().to(self.device)
        self.mask = graph_mask(self.adjacency)
        links = int(self.mask.sum())
        for module in self.modules():
            if isinstance(module, GraphConv) and module.logits.shape[1] != links:
                module.logits = nn.Parameter(module.logits.new_ones(1, links))

    def normalise(self, images: Tensor) -> Tensor:
        return super().normalise(images) if self.config.pixels == "imagenet" else zscore_bgr(images)

    def levels(self, images: Tensor) -> list[Tensor]:
        """The backbone's maps that the nodes read, finest first."""
        if isinstance(self.backbone, HRNet):
            branches = self.backbone.branches(images)
            return [torch.cat([resize(x, branches[-1].shape[-1]) for x in branches], 1)]
        return self.backbone.levels(images)[1:]

    def node_map(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, channels, cells, cells); for located nodes one channel of logits a landmark."""
        out: Tensor = self.nodes(self.levels(images))
        return out

    def forward(self, images: Tensor) -> Alignment:
        c, side = self.config, images.shape[-1]
        if c.edges and not self.adjacency.any():
            raise CheckpointError(_wrong_graph(c.edges, "none was given"))
        if self.relative.active:
            self.relative(relative_matrix(self.adjacency)[None])
        node_map = self.node_map(images)
        # Coordinates need full precision, also where the convolutions run in half.
        with torch.autocast(images.device.type, enabled=False):
            node_map = node_map.float()
            if self.maps is None:
                features = self.features(node_map.reshape(len(images), c.landmarks, -1))
                return Alignment(landmarks=self.graph(features, self.mask))
            heatmaps = self.maps(spatial_softmax(node_map))
            centre = centre_of_mass(heatmaps)
            parts = [c.cells * heatmaps.flatten(2), c.cells / 2 * (centre - 0.5)]
            if c.evidence:
                parts.append(map_evidence(heatmaps, centre, self.mean_shape))
            if c.identity:
                parts.append(self.identity.expand(len(images), -1, -1))
            features = self.features(torch.cat(parts, -1))
            return Alignment(landmarks=self.graph(features, self.mask, side * centre), heatmaps=heatmaps)


def zscore_bgr(crops: Tensor) -> Tensor:
    """RGB in [0, 1] (B, 3, S, S) -> BGR, each channel of each crop with mean 0 and deviation 1."""
    bgr = crops.flip(1)
    deviation, mean = torch.std_mean(bgr, (2, 3), correction=0, keepdim=True)
    return (bgr - mean) / deviation.clamp_min(1e-6)  # a channel of one value stays 0, its mean's rounding as well


def _wrong_graph(links: int, found: str) -> str:
    return (
        f"These weights were trained on a graph of {links} links (both directions and self-loops counted), but "
        f"{found}; pass the authors' edge file as the graph."
    )


def _take_graph(model: SCC, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Before weights are loaded: their graph first, since the number of edges decides the logits' shape."""
    given = state.get(f"{prefix}adjacency")
    if given is not None and given.shape == model.adjacency.shape:
        model.set_graph(given)
    elif model.config.edges and not model.adjacency.any():
        raise CheckpointError(_wrong_graph(model.config.edges, "that of the nearest landmarks has another number"))


# The authors' weights

# Ours -> theirs, longest prefix first.
_NAMES = (
    ("nodes.gate3.mlp.", "predictor.map_to_node.att34.fc."),
    ("nodes.gate3.conv.", "predictor.map_to_node.att34.spatial_att.0."),
    ("nodes.gate2.mlp.", "predictor.map_to_node.att234.fc."),
    ("nodes.gate2.conv.", "predictor.map_to_node.att234.spatial_att.0."),
    ("nodes.reduce3.", "predictor.map_to_node.conv_out3_a."),
    ("nodes.reduce2.", "predictor.map_to_node.conv_out2_a."),
    ("nodes.join3.", "predictor.map_to_node.conv34."),
    ("nodes.join2.", "predictor.map_to_node.conv234."),
    ("nodes.down3.", "predictor.map_to_node.conv_out3."),
    ("nodes.down2.", "predictor.map_to_node.conv_out2."),
    ("nodes.out.", "predictor.map_to_node.conv_to_node."),
    ("graph.input.", "predictor.sem_gcn.gconv_input.0."),
    ("graph.blocks.", "predictor.sem_gcn.gconv_layers."),
    ("graph.output.", "predictor.sem_gcn.gconv_output."),
)
_PARTS = ((".first.", ".gconv1."), (".second.", ".gconv2."), (".conv.", ".gconv."), (".norm.", ".bn."))
_LEAVES = ((".weight", ".W"), (".logits", ".e"))


def published_name(name: str, config: SCCConfig) -> str:
    """Our parameter name -> the authors'."""
    if name.startswith("nodes.reduce4."):
        level = "conv_out4" if config.mapping == "structure" else "conv_out"
        return name.replace("nodes.reduce4", f"predictor.map_to_node.{level}")
    theirs = next((new + name[len(ours) :] for ours, new in _NAMES if name.startswith(ours)), name)
    if name.startswith("graph."):
        for ours, new in _PARTS:
            theirs = theirs.replace(ours, new)
        if ".bn." not in theirs:
            for ours, new in _LEAVES:
                theirs = theirs.removesuffix(ours) + new if theirs.endswith(ours) else theirs
    return theirs


def infer_config(state: dict[str, Tensor]) -> SCCConfig:
    """The configuration that a published state dict was made with. Raises CheckpointError for other weights."""
    prefix = "predictor.map_to_node."
    structure = f"{prefix}conv_to_node.1.0.weight" in state
    out = state.get(f"{prefix}conv_to_node.1.0.weight" if structure else f"{prefix}conv_to_node.0.weight")
    first = state.get("predictor.sem_gcn.gconv_input.0.gconv.W")
    logits = state.get("predictor.sem_gcn.gconv_output.e")
    coarse = state.get(f"{prefix}{'conv_out4' if structure else 'conv_out'}.0.weight")
    found = (out, first, logits, coarse)
    if any(t is None for t in found) or [t.ndim for t in found if t is not None] != [4, 3, 2, 4]:
        raise CheckpointError(
            "These are not SCC weights: the node mapping ('predictor.map_to_node') or the graph network "
            "('predictor.sem_gcn') is missing; choose the system they belong to."
        )
    assert out is not None and first is not None and logits is not None and coarse is not None
    cells = SCCConfig.cells
    channels = max(1, first.shape[1] // cells**2)
    landmarks = out.shape[0] // channels
    hrnet, layers = "backbone.conv2.weight" in state, "predictor.sem_gcn.gconv_layers."
    return SCCConfig(
        scheme=SCHEME_BY_COUNT.get(landmarks, f"user{landmarks}"),
        landmarks=landmarks,
        backbone="hrnet_w18" if hrnet else "resnet34",
        spare_classifier=not structure and not hrnet,
        mapping="structure" if structure else "base",
        widths=(coarse.shape[0], *SCCConfig.widths[1:]),
        joined=out.shape[1] if structure else SCCConfig.joined,
        node_channels=channels,
        hidden=first.shape[2],
        blocks=len({k.split(".")[3] for k in state if k.startswith(layers)}),
        edges=logits.shape[1],
    )


def _presets() -> dict[str, SCCConfig]:
    out = {}
    for count in (98, 68, 29):
        config = SCCConfig(scheme=SCHEME_BY_COUNT[count], landmarks=count)
        out[f"scc-{count}-sc"] = config
        out[f"scc-{count}-base"] = replace(config, mapping="base", spare_classifier=True)
        out[f"scc-{count}-hrnet"] = replace(config, mapping="base", backbone="hrnet_w18")
    out["scc-68-compact"] = SCCConfig(
        scheme="ibug68",
        landmarks=68,
        input_size=128,
        backbone="resnet18_slim",
        widths=(96, 64, 48),
        joined=96,
        cells=32,
        located=True,
        evidence=True,
        identity=32,
        neighbours=6,
        dynamic=True,
        pixels="imagenet",
        map_weight=1.0,
    )
    return out


PRESETS = _presets()

SYSTEM = System(
    name="scc",
    title="SCC / SDFL",
    paper="Lin et al., Structure-coherent deep feature learning for robust face alignment (TIP 2021)",
    config=SCCConfig,
    model=SCC,
    presets=PRESETS,
    training="workbench.training.scc:SCCTraining",
    shows="the landmark graph with edge weights that follow each face, channel and spatial gates",
    mechanisms=(
        Mechanism(
            name="edges of the landmark graph",
            tap="graph.*adjacency",
            equation="3.2, SemGCN",
            claim="Neighbours tell a landmark where it must lie, with learned weights.",
            without="uniform",
        ),
        Mechanism(
            name="node features",
            tap="features",
            equation="3.1",
            claim="Each landmark has a feature vector of its own, from which the graph gives its place.",
        ),
        Mechanism(
            name="channel gates",
            tap="nodes.gate?.channel",
            equation="3.1, map to node",
            claim="The coarser level chooses the channels of the finer one.",
            without="one",
        ),
        Mechanism(
            name="spatial gates",
            tap="nodes.gate?.spatial",
            equation="3.1, map to node",
            claim="The coarser level chooses the places of the finer one.",
            without="one",
        ),
    ),
    printed_sizes={"scc-98-sc": (24.68, 5.17), "scc-98-base": (None, None), "scc-98-hrnet": (None, None)},
    published=WeightsImporter(
        infer=infer_config,
        name=published_name,
        own=("mean_shape", "adjacency", "backbone.fc."),
        ignored=("backbone.fc.",),
        graph=read_edges,
    ),
    notes={
        "scc-98-sc": "24.68 M and 5.17 G as CHS's Table 9 quotes them; the authors' own weights count 5.20 G.",
        "scc-98-base": "Not printed; the authors' own weights count 24.22 M and 4.97 G, ImageNet's classifier "
        "(0.51 M) among them, which no step uses.",
        "scc-98-hrnet": "Not printed; the authors' own weights count 11.43 M and 4.44 G. How HRNet's branches are "
        "joined is not written; here they are brought to the coarsest by bilinear interpolation.",
    },
)
