"""ATPN: landmarks, head pose and face confidence from one small network for video (Xia et al. 2022; thesis ch. 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.errors import CheckpointError, UnknownNameError
from workbench.models.alignment import Alignment
from workbench.models.backbones.mobilenet import MobileNetV3, blocks, coordinates
from workbench.models.base import FaceModel, Mechanism, System
from workbench.models.config import ValidatedConfig
from workbench.models.layers import ConvNorm
from workbench.tracing import Tap

BACKBONE = (
    "k3 e16 c16 re",
    "k3 s2 e64 c24 re",
    "k3 e96 c24 re",
    "k3 e96 c24 re",
    "k5 s2 e72 c40 se re",
    "k5 e120 c40 se re",
    "k5 e120 c40 se re",
    "k5 s2 e240 c80 se hs",
    "k5 e400 c112 se hs",
    "k5 e560 c112 se hs",
    "k5 e448 c112 se hs",
)
BRANCH = (
    "k3 e72 c24 re",
    "k5 s2 e144 c48 se hs",
    "k5 e192 c48 se hs",
    "k5 s2 e208 c56 se hs",
    "k5 e240 c56 se hs",
)
BRANCHES = ("tracking", "pose")


@dataclass(frozen=True)
class ATPNConfig(ValidatedConfig):
    """What the thesis leaves open (widths and counts of blocks) is chosen so that its printed sizes are met.

    Attributes:
        system, scheme, landmarks, input_size: what it is; 112 pixels give the 28x28, 14x14 and 7x7 maps of Fig. 3.2.
        stem, backbone: first channels, and MobileNetV3 blocks, one line each (``Row.parse``); the fourth is the last
            at 28x28.
        width, views, vector: channels of the pyramid, of the three convolutions of a multiview block, and of the
            vector from which the landmarks are read.
        branch: blocks of the tracking and of the pose branch.
        branches: which of "tracking" and "pose" there are.
        floor: least value of the heatmap (Eq. 3.1), reached three cells of the 28x28 grid from a landmark.
        threshold: face confidence above which a face counts as tracked.
        margin: by which part of its width and height the landmarks' box grows on each side for the next frame.
        tracking_loss: "cross_entropy", or "printed" for Eq. 3.5 to the letter.
        pose_loss: "norm" (|P - P'| / 3), "absolute" (mean absolute error), or "printed" for Eq. 3.7 to the letter.
        decay: w1, w2, w3 of Eq. 3.4, 3.6 and 3.8, applied as weight decay to the weights of convolutions and linear
            layers; the thesis gives no value.
        low_level, multiview, coordconv: the modules of the landmark branch (the ablation of Table 3.7): its finest
            map; blocks of several fields, else one 3x3 convolution; places as channels of its convolutions.
    """

    system: str = "atpn"
    scheme: str = "wflw98"
    landmarks: int = 98
    input_size: int = 112
    stem: int = 16
    backbone: tuple[str, ...] = BACKBONE
    width: int = 40
    views: tuple[int, ...] = (20, 10, 10)
    vector: int = 448
    branch: tuple[str, ...] = BRANCH
    branches: tuple[str, ...] = BRANCHES
    floor: float = 0.5
    threshold: float = 0.7
    margin: float = 0.25
    tracking_loss: str = "cross_entropy"
    pose_loss: str = "norm"
    decay: float = 1e-4
    low_level: bool = True
    multiview: bool = True
    coordconv: bool = True


def distance_heatmap(points: Tensor, height: int, width: int, floor: float = 0.5) -> Tensor:
    """Eq. 3.1: max(floor, 1 / sqrt(1 + distance to the nearest landmark)).

    Args:
        points: (B, N, 2) in cells of the grid, cell centres at integers.
        height, width: of the grid.
        floor: so that nothing far from the face is lost.

    Returns:
        (B, height, width) in [floor, 1].
    """
    points = points.float()
    x = torch.arange(width, device=points.device) - points[..., :1]
    y = torch.arange(height, device=points.device) - points[..., 1:]
    square = (x.square()[:, :, None, :] + y.square()[:, :, :, None]).amin(1)
    distance = square.clamp_min(1e-12).sqrt()  # finite slope where a landmark lies on a cell
    return (1 + distance).rsqrt().clamp_min(floor)


class Multiview(nn.Module):
    """Three 3x3 convolutions in sequence, their outputs side by side (fields of 3, 5 and 7), plus the input
    (Fig. 3.3)."""

    def __init__(self, width: int, views: tuple[int, ...]) -> None:
        super().__init__()
        if sum(views) != width:
            raise CheckpointError(
                f"The views of a multiview block must add up to its width {width}, not {sum(views)}."
            )
        self.convs = nn.ModuleList(ConvNorm(a, b) for a, b in zip((width, *views), views, strict=False))

    def forward(self, x: Tensor) -> Tensor:
        seen, y = [], x
        for conv in self.convs:
            y = conv(y)
            seen.append(y)
        return x + torch.cat(seen, 1)


class CoordConv(nn.Module):
    """A convolution that also sees where it is: x and y in [-1, 1] as two more channels."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = ConvNorm(cin + 2, cout, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(torch.cat([x, coordinates(x)], 1))


class LandmarkBranch(nn.Module):
    """Pyramid, multiview blocks, CoordConv down to the coarsest map, one vector, 2N numbers (Fig. 3.2b)."""

    def __init__(self, channels: tuple[int, ...], config: ATPNConfig) -> None:
        super().__init__()
        grid = config.input_size // 2 ** (len(channels) + 1)
        self.first = 0 if config.low_level else 1
        channels = channels[self.first :]
        w, levels = config.width, len(channels)
        self.laterals = nn.ModuleList(ConvNorm(c, w, 1) for c in channels)
        self.up = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(w, w, 2, 2, bias=False), nn.BatchNorm2d(w), nn.ReLU())
            for _ in range(levels - 1)
        )
        self.views = nn.ModuleList(
            Multiview(w, config.views) if config.multiview else ConvNorm(w, w) for _ in channels
        )
        strides = [2 ** (levels - 1 - i) for i in range(levels)]
        conv = CoordConv if config.coordconv else ConvNorm
        self.down = nn.ModuleList(conv(w, w, s + 1 if s > 1 else 3, s) for s in strides)
        joined = levels * w + (2 if config.coordconv else 0)
        self.project = nn.Sequential(
            nn.Conv2d(joined, joined, grid, groups=joined, bias=False),
            nn.BatchNorm2d(joined),
            nn.ReLU(),
            nn.Conv2d(joined, config.vector, 1, bias=False),
            nn.BatchNorm2d(config.vector),
            nn.Hardswish(),
        )
        self.offset = nn.Linear(config.vector, 2 * config.landmarks)
        nn.init.normal_(self.offset.weight, std=1e-3)
        nn.init.zeros_(self.offset.bias)
        self.maps = nn.ModuleList(Tap("channel", "y", "x") for _ in channels)
        self.coordinates = Tap("channel", "y", "x") if config.coordconv else None
        self.state = Tap("channel")

    def pyramid(self, levels: list[Tensor]) -> list[Tensor]:
        """The backbone's maps, fine to coarse -> multiview features (B, width, h, w), fine to coarse."""
        out: list[Tensor] = []
        top: Tensor | None = None
        levels = levels[self.first :]
        for i in reversed(range(len(levels))):
            x = self.laterals[i](levels[i])
            top = x if top is None else x + self.up[i](top)
            out.insert(0, self.maps[i](self.views[i](top)))
        return out

    def forward(self, pyramid: list[Tensor]) -> Tensor:
        """Multiview features -> the offset from the mean face, (B, N, 2), normalised."""
        x = torch.cat([down(level) for down, level in zip(self.down, pyramid, strict=True)], 1)
        if self.coordinates is not None:
            x = torch.cat([x, self.coordinates(coordinates(x))], 1)
        state = self.state(self.project(x).flatten(1))
        with torch.autocast(state.device.type, enabled=False):  # half precision would round to parts of a pixel
            return self.offset(state.float()).unflatten(-1, (-1, 2))


class Branch(nn.Module):
    """MobileNetV3 blocks on the gated features, a mean over the map, a linear layer (Fig. 3.2c, d)."""

    def __init__(self, cin: int, rows: tuple[str, ...], outputs: int) -> None:
        super().__init__()
        self.blocks = blocks(cin, rows)
        self.out = nn.Linear(int(rows[-1].split(" c")[1].split()[0]), outputs)
        self.features = Tap("channel")

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.features(self.blocks(x).mean((2, 3))))


class ATPN(FaceModel):
    """Alignment, tracking and pose network.

    Angles: yaw is positive when the face is turned towards image right, pitch when it looks up, roll when the head is
    turned clockwise on the screen.
    """

    config: ATPNConfig

    def __init__(self, config: ATPNConfig, mean_shape: Tensor) -> None:
        super().__init__()
        self.config = config
        self.set_mean_shape(mean_shape)
        unknown = set(config.branches) - set(BRANCHES)
        if unknown:
            raise UnknownNameError(f"There is no branch '{min(unknown)}'; choose of {', '.join(BRANCHES)}.")
        self.backbone = MobileNetV3(config.stem, config.backbone)
        self.levels = nn.ModuleList(Tap("channel", "y", "x") for _ in self.backbone.channels)
        self.landmark = LandmarkBranch(self.backbone.channels, config)
        self.heatmap, self.gated = Tap("y", "x"), Tap("channel", "y", "x")
        low = self.backbone.channels[0]
        self.tracking = Branch(low, config.branch, 2) if "tracking" in config.branches else None
        self.pose = Branch(low, config.branch, 3) if "pose" in config.branches else None

    def features(self, images: Tensor) -> list[Tensor]:
        """(B, 3, S, S) -> the backbone's maps, strides 4, 8 and 16."""
        return [tap(level) for tap, level in zip(self.levels, self.backbone(images), strict=True)]

    def locate(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Backbone and landmark branch alone: S1 = S0 + offset, (B, N, 2) in [0, 1], and the finest map."""
        levels = self.features(images)
        return self.place(self.landmark.pyramid(levels)), levels[0]

    def place(self, pyramid: list[Tensor]) -> Tensor:
        """S1 (B, N, 2) in [0, 1] from the multiview features."""
        return self.mean_shape + self.landmark(pyramid)

    def attend(self, shape: Tensor, low: Tensor) -> Tensor:
        """Eq. 3.2: the finest features times the heatmap of the landmarks ``shape`` (B, N, 2) in [0, 1]."""
        h, w = low.shape[-2:]
        # Strided odd kernels put cell i over pixel stride * i, so a cell is size * normalised, as a pixel is.
        # Pose and tracking do not teach the landmarks.
        cells = (shape.detach() if self.training else shape) * shape.new_tensor([w, h])
        heat = self.heatmap(distance_heatmap(cells, h, w, self.config.floor))
        return self.gated(low * heat[:, None].to(low.dtype))

    def angles(self, gated: Tensor) -> Tensor:
        """Gated features -> (B, 3) yaw, pitch, roll in radians, within -pi and pi. Needs the pose branch."""
        assert self.pose is not None
        return math.pi * torch.tanh(self.pose(gated).float())

    def face_logits(self, gated: Tensor) -> Tensor:
        """Gated features -> (B, 2) logits of background and face. Needs the tracking branch."""
        assert self.tracking is not None
        return self.tracking(gated).float()

    def forward(self, images: Tensor) -> Alignment:
        """(B, 3, S, S) -> landmarks, and pose and confidence where the model has those branches."""
        shape, low = self.locate(images)
        points = shape * images.shape[-1]
        if self.tracking is None and self.pose is None:
            return Alignment(points)
        gated = self.attend(shape, low)
        return Alignment(
            points,
            pose=None if self.pose is None else self.angles(gated),
            confidence=None if self.tracking is None else F.softmax(self.face_logits(gated), -1)[:, 1],
        )


def _presets() -> dict[str, ATPNConfig]:
    paper = ATPNConfig()
    out = {"atpn-98": paper, "atpn-68": replace(paper, scheme="ibug68", landmarks=68)}
    for name, branches in (("landmarks", ()), ("tracking", ("tracking",))):
        out[f"atpn-98-{name}"] = replace(paper, branches=branches)
    out["atpn-68-compact"] = replace(out["atpn-68"], decay=0.0)
    return out


PRESETS = _presets()
_WIDTHS = "The thesis prints no widths; ours are chosen so that the printed sizes, rounded as they are, are met."
SYSTEM = System(
    name="atpn",
    title="ATPN",
    paper="Xia et al., An efficient multitask neural network for face alignment, head pose estimation and face "
    "tracking (2022)",
    config=ATPNConfig,
    model=ATPN,
    presets=PRESETS,
    training="workbench.training.atpn:ATPNTraining",
    shows="a distance heatmap that gates features, head pose, face confidence, tracking",
    mechanisms=(
        Mechanism(
            name="distance heatmap, for the pose",
            tap="heatmap",
            equation="Eq. 3.1-3.2",
            claim="The landmarks found gate what the pose is read from.",
            without="one",
            answer="pose",
        ),
        Mechanism(
            name="channel gates of the backbone",
            tap="backbone.blocks.*.gate.weights",
            equation="3.2.1",
            claim="Each face weighs the channels that suit it.",
            without="one",
        ),
        Mechanism(
            name="levels joined by the landmark branch",
            tap="landmark.maps.*",
            equation="3.2.2",
            claim="Fine and coarse features together give the landmarks.",
        ),
    ),
    printed_sizes={"atpn-98-landmarks": (1.1, 0.06), "atpn-98-tracking": (1.1 + 0.19, 0.06 + 0.017)},
    notes={
        "atpn-98-landmarks": f"Backbone and landmark branch, 1.1 M and 0.06 G in Table 3.2. {_WIDTHS}",
        "atpn-98-tracking": f"With the tracking branch, 0.19 M and 0.017 G in Table 3.5. {_WIDTHS}",
        "atpn-98": "All three branches; the thesis prints no size of the pose branch.",
        "atpn-68-compact": "The full network at 68 points, small as it is; AdamW decays its weights, not the loss.",
    },
)
