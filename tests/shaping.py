"""A small untrained TUFA that finds points in milliseconds, and a shelf to put it on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from tests.readings import drawn_shape
from workbench.landmarks import get_scheme, to_five
from workbench.models import save_checkpoint, zoo
from workbench.models.tufa import TUFA, TUFAConfig

CONVENTIONS = ("ibug68", "wflw98", "cofw29", "five")


def tiny_tufa(name: str = "tufa") -> TUFA:
    """68 points, four conventions with mean shapes, one of them moved by its alignment embedding."""
    torch.manual_seed(0)
    config = TUFAConfig(
        scheme="ibug68",
        landmarks=68,
        input_size=64,
        conventions=CONVENTIONS,
        dim=32,
        depth=1,
        encoder_heads=2,
        mlp=32,
        grid=4,
        layers=2,
        heads=2,
        ffn=32,
        hidden=32,
    )
    face = drawn_shape(get_scheme("68"))
    model = TUFA(config, torch.from_numpy(face).float())
    shapes = {key: drawn_shape(get_scheme(key)) for key in ("wflw98", "cofw29")}
    model.set_mean_shapes({**shapes, "five": to_five(face, "68")})
    with torch.no_grad():
        model.alignment["wflw98"].copy_(torch.tensor([0.02, -0.01]).expand(98, 2))
    model.name = name
    return model.eval()


def store(folder: Path, name: str = "tufa") -> Path:
    """Save it with a card."""
    model = tiny_tufa(name)
    return save_checkpoint(model, folder / name, zoo.describe(model, title="Small TUFA"))


def oval(count: int = 12) -> np.ndarray:
    """Points (count, 2) around the middle of the plane."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return 0.5 + 0.3 * np.stack([np.cos(turn), np.sin(turn)], 1)
