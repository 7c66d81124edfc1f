"""Models whose attributions can be worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from workbench.landmarks import Scheme
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel
from workbench.models.config import ValidatedConfig
from workbench.tracing import Tap

SIZE = 16


@dataclass(frozen=True)
class ToyConfig(ValidatedConfig):
    system: str = "toy"
    scheme: str = "five"
    landmarks: int = 5
    input_size: int = SIZE


class Linear(FaceModel):
    """Its landmarks lie at a constant plus a weighted sum of the RGB crop: slopes are the weights everywhere."""

    def __init__(self, weight: Tensor, mean_shape: Tensor) -> None:
        super().__init__()
        self.config = ToyConfig()
        self.set_mean_shape(mean_shape)
        self.weight = nn.Parameter(weight)  # (5, 2, 3, S, S)
        self.seen = Tap("channel", "y", "x")
        self.name = "toy"

    def normalise(self, images: Tensor) -> Tensor:
        return images

    def forward(self, images: Tensor) -> Alignment:
        moved = torch.einsum("bchw,nkchw->bnk", self.seen(images), self.weight)
        return Alignment(SIZE * self.mean_shape + moved)


@dataclass(frozen=True)
class Crop:
    """Stands in for a Face whose crop is given."""

    pixels: np.ndarray
    name: str = "toy face"

    def crop(self, size: int) -> np.ndarray:
        assert size == len(self.pixels)
        return self.pixels

    def affine_to(self, size: int) -> np.ndarray:
        return np.eye(2, 3)


def shape() -> Tensor:
    """Two eyes, a nose and the corners of a mouth, [0, 1]."""
    return torch.tensor([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.35, 0.75], [0.65, 0.75]])


def linear(seed: int = 0, **where: Tensor) -> Linear:
    """Random small weights, or those of ``where["weight"]``."""
    made = torch.randn(5, 2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)) / 400
    return Linear(where.get("weight", made), shape()).eval()


def face(seed: int = 0) -> Crop:
    return Crop(np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))


def renamed(scheme: Scheme, **changes: object) -> Scheme:
    return replace(scheme, **changes)  # type: ignore[arg-type]
