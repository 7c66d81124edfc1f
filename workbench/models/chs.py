"""CHS: cascaded face alignment with heatmap-guided selective features (So and Han, Sensors 2023).

One feature extractor feeds every task. Task 0 is a stack of hourglasses that draws a heatmap for each landmark and
one of the face's boundaries; each further task is a cascaded coordinate regression (CCR) that looks at 5 x 5 cells
around every landmark found so far, with kernels of its own for each landmark, and moves it. What a task sees of the
extractor's branches is chosen by its own selective feature module, for the CCRs guided by the heatmaps (Eq. 1-4).

Where the text leaves widths open, Table 9 fixes them. Without a CCR the network counts as much as AWing's (24.15 M,
26.80 G at 98 points): FAN's blocks at width 256, coordinate channels, and an extractor whose last block is not
widened because the selective features do that (24.23 M, 26.97 G). The difference of two rows is one CCR, 32.47 M and
3.72 G: selective features of width 64 (a basic block from 128 + 98 + 1 channels), a basic block 130 -> 128 and a
valid 3x3 convolution to 4 channels for each landmark, and one linear layer 36 N -> 2 N (32.68 M, 3.60 G). Every row
of the table is met within one per cent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench.errors import CheckpointError, SettingsError, UnknownNameError
from workbench.models.alignment import Alignment
from workbench.models.backbones.hourglass import (
    HourglassStack,
    PyramidBranches,
    ResidualExtractor,
)
from workbench.models.backbones.resnet import PyramidResNet
from workbench.models.base import FaceModel, Mechanism, System
from workbench.models.config import ValidatedConfig
from workbench.models.decoding import centre_of_mass, quarter_pixel, spatial_softmax
from workbench.models.selective import LandmarkBlocks, OneLevel, RoiTaps, SelectiveFeatures, sample_rois
from workbench.tracing import Tap


@dataclass(frozen=True)
class CHSConfig(ValidatedConfig):
    """Every hyper-parameter of CHS and of its losses; the defaults are the paper's for WFLW.

    Attributes:
        system: "chs".
        scheme: name of the landmark scheme.
        landmarks: N.
        input_size: side of the crop in pixels.
        extractor: "residual" (the paper's, maps at stride 4) or "pyramid18" (a slim ResNet with a top-down path,
            maps brought to stride 4).
        branches, channels: B and the channels of each branch.
        hourglasses, hourglass_channels, hourglass_depth: the heatmap network.
        coordinates: whether AWing's coordinate channels enter the first convolution and the hourglasses.
        select_channels, squeeze: width of U_i and of z in the selective features.
        cascades: CCR stages.
        standardise: the CCRs' z of the selective features is standardised over the faces, so that the branch weights
            follow what tells this face from others.
        jitter: in training the first CCR starts from places moved by a normal deviate, whose deviation is drawn
            between 0 and this many cells for every face; else y_0 is so near that no CCR needs the heatmaps.
        roi: cells on a side of what a CCR sees of a landmark's neighbourhood.
        roi_channels: width of the attended features that a CCR samples.
        landmark_channels, landmark_out: widths of each landmark's own block and of its last convolution.
        connection: which gradients pass through the sums y_t = y_(t-1) + dy_t and the heatmaps handed on (Fig. 5):
            "task" none, "full" all, "ccr" those between CCRs only.
        decode: y_0 is the maximum moved a quarter cell towards its larger neighbour ("argmax"), or the expected
            position ("soft").
        heatmap_loss: "awing", where the maps are heatmaps themselves, or "entropy", where they are logits.
        heatmap_sigma: of the target Gaussians, in cells.
        awing: alpha, omega, epsilon, theta of the adaptive Wing loss; ``awing_weight`` near the landmarks.
        wing: w and epsilon of the small Wing loss, in pixels of the crop.
        alpha: fixed weight of task 0, of the middle CCRs, and of the last.
        adaptive: whether the tasks' adaptive weights are trained; else they stay one (Table 6).
        selection: "guided" is the paper's; for the ablations "unguided" (no heatmaps), "none" (the branches' sum),
            "cbam" or "sk" on a single level (Table 7).
    """

    system: Literal["chs"] = "chs"
    scheme: str = "wflw98"
    landmarks: int = 98
    input_size: int = 256
    extractor: Literal["residual", "pyramid18"] = "residual"
    branches: int = 3
    channels: int = 128
    hourglasses: int = 4
    hourglass_channels: int = 256
    hourglass_depth: int = 4
    coordinates: bool = True
    select_channels: int = 64
    squeeze: int = 32
    cascades: int = 4
    standardise: bool = False
    jitter: float = 0.0
    roi: int = 5
    roi_channels: int = 128
    landmark_channels: int = 128
    landmark_out: int = 4
    connection: Literal["task", "full", "ccr"] = "ccr"
    decode: Literal["argmax", "soft"] = "argmax"
    heatmap_loss: Literal["awing", "entropy"] = "awing"
    heatmap_sigma: float = 1.5
    awing: tuple[float, float, float, float] = (2.1, 14.0, 1.0, 0.5)
    awing_weight: float = 10.0
    wing: tuple[float, float] = (8.0, 10.0)
    alpha: tuple[float, float, float] = (1.0, 1.0, 3.0)
    adaptive: bool = True
    selection: Literal["guided", "unguided", "none", "cbam", "sk"] = "guided"


def selection(config: CHSConfig, cout: int, guide: int, standardise: bool = False) -> nn.Module:
    """What one task takes from the branches, by the configuration."""
    c = config
    if c.selection in ("guided", "unguided"):
        guide = guide if c.selection == "guided" else 0
        return SelectiveFeatures(c.channels, c.select_channels, c.squeeze, cout, c.branches, guide, standardise)
    return OneLevel(c.channels, c.select_channels, c.squeeze, cout, c.branches, c.selection)


class Cascade(nn.Module):
    """One coordinate regression: selective features, ROIs, landmark blocks, one linear layer to all offsets."""

    def __init__(self, config: CHSConfig) -> None:
        super().__init__()
        c = config
        self.roi = c.roi
        self.guided = c.selection == "guided"
        self.select = selection(c, c.roi_channels, c.landmarks + 1, c.standardise)
        self.blocks = LandmarkBlocks(c.landmarks, c.roi_channels + 2, c.landmark_channels, c.landmark_out)
        self.offset = nn.Linear(c.landmarks * c.landmark_out * (c.roi - 2) ** 2, 2 * c.landmarks)
        nn.init.normal_(self.offset.weight, std=1e-3)
        nn.init.zeros_(self.offset.bias)

    def forward(self, maps: Sequence[Tensor], heatmaps: Tensor, centres: Tensor) -> Tensor:
        """Branches, heatmaps (B, N + 1, h, w) and ROI centres (B, N, 2) -> offsets (B, N, 2), all in [0, 1].

        The linear layer's unit is half an ROI, so that 1 reaches its edge.
        """
        features = self.select(maps, heatmaps if self.guided else None)
        # Gradients are cut in training only, as the paper has it: looking at the answer wants its own derivative.
        rois = sample_rois(features, (centres.detach() if self.training else centres).float(), self.roi)
        moved = self.offset(self.blocks(rois)).float().unflatten(1, (-1, 2))
        return moved * (self.roi / 2 / features.shape[-1])


@dataclass(frozen=True)
class TaskAnswers:
    """What the tasks say, as the losses want it.

    Attributes:
        maps: of each hourglass (B, N + 1, h, w), the boundary last; heatmaps, or logits under "entropy".
        heatmaps: (B, N + 1, h, w), those of the last hourglass that guide the cascades.
        points: y_0, y_1, ..., each (B, N, 2) in [0, 1].
    """

    maps: list[Tensor]
    heatmaps: Tensor
    points: list[Tensor]


class CHS(FaceModel):
    """Cascaded face alignment with heatmap-guided selective features.

    Calling it on normalised crops (B, 3, S, S) returns an :class:`Alignment` with ``heatmaps`` (B, N, h, w) and
    ``stages`` (cascades + 1, 1, B, N, 2), of which the first is read off the heatmaps.

    Args:
        config: hyper-parameters.
        mean_shape: (N, 2) in [0, 1] of the crop; carried along, the network does not start from it.

    Raises:
        CheckpointError: the mean face has another shape.
    """

    config: CHSConfig

    def __init__(self, config: CHSConfig, mean_shape: Tensor) -> None:
        super().__init__()
        self.config = c = config
        self.set_mean_shape(mean_shape)
        self.backbone: nn.Module
        self.branches: nn.Module
        if c.extractor == "residual":
            self.backbone, self.branches = ResidualExtractor(c.channels, c.branches, c.coordinates), nn.Identity()
        elif c.branches == 3:
            self.backbone, self.branches = PyramidResNet(128), PyramidBranches(128, c.channels)
        else:
            raise CheckpointError(f"The extractor pyramid18 has three branches, not {c.branches}.")
        self.maps = nn.ModuleList(Tap("channel", "y", "x") for _ in range(c.branches))
        self.select = selection(c, c.hourglass_channels, 0)
        self.stack = HourglassStack(
            c.hourglasses, c.hourglass_channels, c.hourglass_depth, c.landmarks + 1, c.coordinates
        )
        self.cascades = nn.ModuleList(Cascade(c) for _ in range(c.cascades))
        self.heatmaps = Tap("landmark", "y", "x")
        self.boundary = Tap("y", "x")
        self.guide = Tap("channel", "y", "x")
        self.rois = RoiTaps()
        self.sizes = Tap("cascade", observer=True)
        # Counted now: optimising folds some away.
        each = [sum(p.numel() for p in cascade.parameters()) for cascade in self.cascades]
        rest = sum(p.numel() for p in self.parameters()) - sum(each)
        self._kept = [rest + sum(each[:k]) for k in range(len(each) + 1)]

    def forward(self, images: Tensor, cascades: int | None = None) -> Alignment:
        """Normalised crops (B, 3, S, S) -> :class:`Alignment`; ``cascades`` stops after that many CCRs."""
        answers = self.tasks(images, cascades)
        stages = images.shape[-1] * torch.stack(answers.points)[:, None]
        return Alignment(landmarks=stages[-1, -1], stages=stages, heatmaps=answers.heatmaps[:, :-1])

    def tasks(self, images: Tensor, cascades: int | None = None) -> TaskAnswers:
        """All that the tasks say about crops (B, 3, S, S).

        Raises:
            UnknownNameError: more cascades than there are.
        """
        c = self.config
        count = self._checked(cascades)
        if self.sizes.active:
            self.sizes(self.mean_shape.new_tensor([self.parameters_kept()]))
        maps = [tap(m) for tap, m in zip(self.maps, self.branches(self.backbone(images)), strict=True)]
        found = self.stack(self.select(maps, None))
        heatmaps = self.as_heatmaps(found[-1].float())
        heatmaps = torch.cat([self.heatmaps(heatmaps[:, :-1]), self.boundary(heatmaps[:, -1])[:, None]], 1)
        point = self.decode(heatmaps[:, :-1])
        points, guide = [point], heatmaps
        if self.training and c.connection != "full":
            point, guide = point.detach(), heatmaps.detach()
        guide = self.guide(guide)
        if self.training and c.jitter:
            scale = c.jitter / heatmaps.shape[-1] * torch.rand(len(point), 1, 1, device=point.device)
            point = point + scale * torch.randn_like(point)
        for cascade in list(self.cascades)[:count]:
            if self.training and c.connection == "task":
                point = point.detach()
            side = c.roi / heatmaps.shape[-1]
            self.rois.rects(F.pad(point - side / 2, (0, 2), value=side))
            point = self.rois.centres(point)
            point = point + self.rois.offsets(cascade(maps, guide, point))
            points.append(point)
        return TaskAnswers(found, heatmaps, points)

    def as_heatmaps(self, maps: Tensor) -> Tensor:
        """What an hourglass says (B, N + 1, h, w) -> maps whose peaks are near one, the boundary last."""
        c = self.config
        if c.heatmap_loss == "awing":
            return maps
        probability = spatial_softmax(maps[:, :-1])
        return torch.cat([probability * (2 * math.pi * c.heatmap_sigma**2), maps[:, -1:].sigmoid()], 1)

    def decode(self, heatmaps: Tensor) -> Tensor:
        """y_0 (B, N, 2) in [0, 1]; a maximum has the gradient of the expected position."""
        if self.config.decode == "soft":
            return centre_of_mass(heatmaps)
        points = quarter_pixel(heatmaps.detach())
        if not heatmaps.requires_grad:
            return points
        soft = centre_of_mass(heatmaps)
        return points + (soft - soft.detach())

    def prune(self, cascades: int) -> CHS:
        """A smaller model that stops after ``cascades`` CCRs, with copies of this one's weights (3.3, Fig. 6).

        Raises:
            UnknownNameError: more cascades than there are.
            SettingsError: the model was optimised, so that its weights are no longer those of the file.
        """
        if self.optimised:
            raise SettingsError(f"{self.name or 'This model'} was optimised for reading; load it without to prune it.")
        smaller = CHS(replace(self.config, cascades=self._checked(cascades)), self.mean_shape)
        own = smaller.state_dict()
        smaller.load_state_dict({k: v for k, v in self.state_dict().items() if k in own})
        smaller.name = self.name
        return smaller.to(self.device).train(self.training)

    def parameters_kept(self) -> list[int]:
        """How many parameters the model has that :meth:`prune` leaves, for 0 to all cascades."""
        return list(self._kept)

    def _checked(self, cascades: int | None) -> int:
        count = len(self.cascades) if cascades is None else cascades
        if not 0 <= count <= len(self.cascades):
            most = len(self.cascades)
            raise UnknownNameError(f"This model has {most} cascades; choose from 0 to {most}, not {count}.")
        return count


_COMPACT: dict[str, Any] = dict(
    input_size=128,
    extractor="pyramid18",
    channels=48,
    hourglasses=1,
    hourglass_channels=64,
    hourglass_depth=3,
    select_channels=24,
    cascades=2,
    standardise=True,
    jitter=2.0,
    roi_channels=32,
    landmark_channels=16,
    decode="soft",
    heatmap_loss="entropy",
    heatmap_sigma=1.0,
    wing=(8.0, 2.0),
)


def _presets() -> dict[str, CHSConfig]:
    out = {}
    for count, scheme in ((98, "wflw98"), (68, "ibug68"), (29, "cofw29"), (19, "aflw19")):
        config = CHSConfig(scheme=scheme, landmarks=count)
        for cascades in (4, 2, 1, 0):
            out[f"chs-{count}-{cascades}ccr"] = replace(config, cascades=cascades)
        out[f"chs-{count}-compact"] = replace(config, **_COMPACT)
    return out


PRESETS = _presets()

SYSTEM = System(
    name="chs",
    title="CHS",
    paper="So, Han: Heatmap-Guided Selective Feature Attention for Robust Cascaded Face Alignment, Sensors 2023",
    config=CHSConfig,
    model=CHS,
    presets=PRESETS,
    training="workbench.training.chs:CHSTraining",
    shows="selective features with their gates and branch weights, cascaded regressions that can be pruned",
    mechanisms=(
        Mechanism(
            name="heatmaps that guide the cascades",
            tap="guide",
            equation="Eq. 1",
            claim="Heatmaps show each cascade where to look for features.",
        ),
        Mechanism(
            name="gates of the guided selective features",
            tap="cascades.*.select.gates.*",
            equation="Eq. 1",
            claim="What the heatmaps point at passes, the rest is held back.",
            without="one",
        ),
        Mechanism(
            name="branch weights of the cascades",
            tap="cascades.*.select.weights",
            equation="Eq. 2-4",
            claim="Each face takes its features from the branches, and so the scales, that suit it.",
            without="uniform",
        ),
        Mechanism(
            name="branch weights of the heatmap task",
            tap="select.weights",
            equation="Eq. 2-4",
            claim="Each face takes its features from the branches, and so the scales, that suit it.",
            without="uniform",
        ),
    ),
    printed_sizes={
        "chs-98-4ccr": (154.04, 41.69),
        "chs-98-2ccr": (89.09, 34.25),
        "chs-98-1ccr": (56.62, 30.52),
        "chs-98-0ccr": (24.15, 26.80),
    },
)
