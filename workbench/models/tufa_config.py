"""The sizes of TUFA: its hyper-parameters, the presets, and what published weights tell of theirs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor

from workbench.errors import CheckpointError
from workbench.landmarks import Scheme, get_scheme, user_scheme
from workbench.models.config import ValidatedConfig


@dataclass(frozen=True)
class TUFAConfig(ValidatedConfig):
    """Every hyper-parameter of TUFA; the defaults are the published ViT-S/16 with 98 points.

    Attributes:
        system: "tufa".
        scheme: the convention that is answered when no prompt is given.
        landmarks: its number of points; 0 takes as many as the mean shape has, and the scheme that has as many.
        input_size: side of the crop in pixels.
        conventions: every convention with a mean shape and a semantic alignment embedding of its own. ``scheme``
            may be left out (published weights): then its mean shape already holds the embedding. A name that starts
            with "user" ends with its number of points ("user478").
        stem: "patches" cuts the crop itself into patches; "pyramid" (compact) runs a slim ResNet first, whose
            16 x 16 map gives the tokens.
        dim, depth, encoder_heads, mlp, patch, grid: the encoder; ``grid`` is the side of the stored positions.
        layers, heads, ffn, dropout: the decoder.
        hidden: of the head.
        axis_order: "yx" puts y before x in the prompt's code, as the published weights need; "xy" is Eq. 6.3.
        wavelength: tau of Eq. 6.1-6.2. ``spread`` multiplies coordinates before the code (1 in the paper).
        fine_layers: how many of the last decoder layers look at the pyramid's 32 x 32 map instead of the tokens.
        pointer: (compact) every layer also points: softmax of its query against the 32 x 32 map, whose expected
            position is added to what the head gives. False in the paper, where the head gives the position.
        anchors: N_a, plane points drawn for every face and step of the training.
        aux_loss: train every decoder layer (True) or the last alone.
        heatmap_weight, heatmap_sigma: weight of the cross-entropy between pointers and Gaussians, and their
            width in cells of the 32 x 32 map; 0 leaves the paper's L1 loss alone.
        loss_scale: what L1 in parts of the crop is multiplied by.
    """

    system: Literal["tufa"] = "tufa"
    scheme: str = "wflw98"
    landmarks: int = 98
    input_size: int = 256
    conventions: tuple[str, ...] = ("wflw98",)
    stem: Literal["patches", "pyramid"] = "patches"
    dim: int = 384
    depth: int = 12
    encoder_heads: int = 6
    mlp: int = 1536
    patch: int = 16
    grid: int = 14
    layers: int = 6
    heads: int = 6
    ffn: int = 1536
    dropout: float = 0.0
    hidden: int = 256
    axis_order: Literal["yx", "xy"] = "yx"
    wavelength: float = 10000.0
    spread: float = 1.0
    fine_layers: int = 0
    pointer: bool = False
    anchors: int = 24
    aux_loss: bool = True
    heatmap_weight: float = 0.0
    heatmap_sigma: float = 1.0
    loss_scale: float = 1.0


def convention(name: str) -> Scheme:
    """The scheme of a convention's name: a built-in one, or "userN" for N points of one's own.

    Raises:
        UnknownNameError: neither.
    """
    if match := re.fullmatch(r"user\D*(\d+)", name):
        return user_scheme(name, int(match.group(1)))
    return get_scheme(name)


def _presets() -> dict[str, TUFAConfig]:
    out: dict[str, TUFAConfig] = {}
    for scheme, count in (("wflw98", 98), ("ibug68", 68), ("cofw29", 29)):
        small = TUFAConfig(scheme=scheme, landmarks=count, conventions=(scheme,))
        out[f"tufa-{count}-s16"] = small
        out[f"tufa-{count}-s8"] = replace(small, patch=8, grid=28)
    joint = ("wflw98", "ibug68", "cofw29")
    out["tufa-98-s16-joint"] = replace(out["tufa-98-s16"], conventions=joint)
    out["tufa-98-s8-joint"] = replace(out["tufa-98-s8"], conventions=joint)
    out["tufa-68-compact"] = TUFAConfig(
        scheme="ibug68",
        landmarks=68,
        input_size=128,
        conventions=("ibug68", "wflw98", "cofw29", "five", "user478"),
        stem="pyramid",
        dim=192,
        depth=2,
        encoder_heads=3,
        mlp=384,
        patch=1,
        grid=16,
        layers=4,
        ffn=512,
        wavelength=100.0,
        spread=16.0,
        fine_layers=1,
        pointer=True,
        heatmap_weight=0.05,
        loss_scale=10.0,
    )
    seen = tuple(name for name in out["tufa-68-compact"].conventions if name != "wflw98")
    out["tufa-68-compact-zero"] = replace(out["tufa-68-compact"], conventions=seen)
    return out


PRESETS = _presets()


def infer_config(state: dict[str, Tensor]) -> TUFAConfig:
    """The configuration of a published state dict, from names and shapes.

    The state dict does not say how many points a face has: the prompt file does, whose points hold the semantic
    alignment embedding already.

    Raises:
        CheckpointError: these are not TUFA's weights.
    """
    proj, position = state.get("Encoder.patch_embed.proj.weight"), state.get("Encoder.pos_embed")
    if proj is None or position is None or proj.ndim != 4 or position.ndim != 3:
        raise CheckpointError(
            "These are not TUFA weights: 'Encoder.patch_embed.proj.weight' or 'Encoder.pos_embed' is missing; "
            "choose the system they belong to."
        )

    def rows(name: str, otherwise: int) -> int:
        return otherwise if name not in state else int(state[name].shape[0])

    def layers(prefix: str) -> int:
        place = prefix.count(".")
        return len({key.split(".")[place] for key in state if key.startswith(prefix)})

    dim = int(proj.shape[0])
    return TUFAConfig(
        scheme="",
        landmarks=0,
        conventions=(),
        dim=dim,
        depth=layers("Encoder.blocks."),
        encoder_heads=dim // 64,
        mlp=rows("Encoder.blocks.0.mlp.fc1.weight", 4 * dim),
        patch=int(proj.shape[-1]),
        grid=math.isqrt(int(position.shape[1]) - 1),
        layers=layers("Decoder.Decoder.layers."),
        heads=dim // 64,
        ffn=rows("Decoder.Decoder.layers.0.linear1.weight", 4 * dim),
        hidden=rows("Linear.0.weight", 256),
    )


_NAMES = (("encoder.", "Encoder."), ("decoder.", "Decoder.Decoder."), ("head.", "Linear."))


def published_name(name: str, config: Any = None) -> str:
    """Our parameter name -> the authors'."""
    for ours, theirs in _NAMES:
        if name.startswith(ours):
            return theirs + name[len(ours) :]
    return name
