"""TUFA: task-agnostic unified face alignment (Xia, thesis 2024, chapter 6).

A landmark is a point on a plane, the flattened face. The structure prompt encoder turns plane points into queries, a
transformer decoder finds each of them on the face at hand. A convention is nothing but a set of plane points: its
mean shape plus the semantic alignment embedding that was learned for it, so any number of points can be asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from workbench.errors import CheckpointError, DataError, UnknownNameError
from workbench.landmarks import Scheme, get_scheme, user_scheme
from workbench.landmarks.geometry import affine, apply
from workbench.models.alignment import Alignment
from workbench.models.backbones.vit import Trunk, VisionTransformer
from workbench.models.base import SCHEME_BY_COUNT, FaceModel, Mechanism, System, ValidatedConfig, WeightsImporter
from workbench.models.plane import Decoder, Pointer, PromptEncoder, Shapes, grid_centres

TRUNK = 128  # channels of the compact trunk's pyramid, which is that of the compact DSLPT


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


class TUFA(FaceModel):
    """TUFA, by configuration.

    Calling it on normalised crops (B, 3, S, S) returns an :class:`Alignment` whose ``stages`` (1, layer, B, N, 2)
    hold every decoder layer's answer and, with a pointer, ``heatmaps`` (B, N, S / 4, S / 4) those of the last layer.

    Args:
        config: hyper-parameters.
        mean_shape: (N, 2) in [0, 1] of the crop, of the model's own scheme.

    Raises:
        CheckpointError: the mean shape has another number of points.
    """

    config: TUFAConfig

    def __init__(self, config: TUFAConfig, mean_shape: Tensor) -> None:
        super().__init__()
        if not config.landmarks and mean_shape.ndim == 2:
            count = len(mean_shape)
            config = replace(config, scheme=SCHEME_BY_COUNT.get(count, f"user{count}"), landmarks=count)
        self.config = c = config
        pyramid = c.stem == "pyramid"
        if pyramid:
            self.backbone = Trunk(TRUNK)
        width = dict(dim=c.dim, depth=c.depth, heads=c.encoder_heads, hidden=c.mlp, patch=c.patch, grid=c.grid)
        self.encoder = VisionTransformer(**width, channels=3 * TRUNK if pyramid else 3)
        self.prompter = PromptEncoder(c.dim, c.axis_order, c.wavelength, c.spread)
        self.fine = nn.Conv2d(TRUNK, c.dim, 1) if pyramid else None
        self.decoder = Decoder(c.layers, c.dim, c.heads, c.ffn, c.dropout)
        self.head = nn.Sequential(nn.Linear(c.dim, c.hidden), nn.ReLU(), nn.Linear(c.hidden, 2))
        self.pointer = Pointer(c.dim) if c.pointer else None
        counts = {name: c.landmarks if name == c.scheme else convention(name).count for name in c.conventions}
        self.alignment = nn.ParameterDict({name: nn.Parameter(torch.zeros(n, 2)) for name, n in counts.items()})
        self.mean_shapes = Shapes({name: n for name, n in counts.items() if name != c.scheme})
        self.set_mean_shape(mean_shape)
        if pyramid:
            # Positions start as the prompts' own code, so that a query lies near the cells around its plane point.
            with torch.no_grad():
                self.encoder.pos_embed[0, 1:] = self.codes(c.grid)
        if c.pointer:
            for tensor in self.head[2].parameters():
                nn.init.zeros_(tensor)

    def codes(self, side: int) -> Tensor:
        """The prompt code (side * side, d) of a grid's cell centres."""
        return self.prompter.code(grid_centres(side, self.device))

    def key_of(self, name: str) -> str:
        """A convention's name or alias -> its key here. Raises UnknownNameError, naming those that are known."""
        known = tuple(dict.fromkeys((self.config.scheme, *self.config.conventions)))
        if name in known:
            return name
        try:
            key = get_scheme(name).name
        except UnknownNameError:
            key = ""
        if key not in known:
            raise UnknownNameError(f"This TUFA model has learned no '{name}'; it knows {', '.join(known)}.")
        return key

    def shape_of(self, name: str) -> Tensor:
        """The mean shape (N, 2) in [0, 1] of a convention, before semantic alignment."""
        key = self.key_of(name)
        shape = self.mean_shape if key == self.config.scheme else self.mean_shapes[key]
        if not bool((shape != 0).any()):
            raise DataError(f"The convention '{key}' has no mean shape in this model yet; train it, or set one.")
        return shape

    def prompt(self, name: str | None = None) -> Tensor:
        """A convention's plane points (N, 2) in [0, 1]: its mean shape plus half its semantic alignment embedding
        (which belongs to the range [-1, 1], thesis 6.2.2). None is the model's own scheme.

        Raises:
            UnknownNameError: the model has not learned that convention.
        """
        key = self.key_of(name or self.config.scheme)
        shape = self.shape_of(key)
        return shape + self.alignment[key] / 2 if key in self.alignment else shape

    @torch.no_grad()
    def set_mean_shapes(self, shapes: Mapping[str, ArrayLike | Tensor]) -> None:
        """Store mean shapes (N, 2) in [0, 1] by convention. Raises UnknownNameError, DataError for another shape."""
        for name, values in shapes.items():
            key = self.key_of(name)
            target = self.mean_shape if key == self.config.scheme else self.mean_shapes[key]
            given = torch.as_tensor(np.asarray(values), dtype=target.dtype)
            if given.shape != target.shape:
                raise DataError(f"The mean shape of '{key}' must be {tuple(target.shape)}, not {tuple(given.shape)}.")
            target.copy_(given)

    def place(self, points: ArrayLike, template: ArrayLike, scheme: str | None = None) -> Tensor:
        """Put a user's points on the plane.

        The template's landmarks are brought onto the plane points of their convention by the affine map of least
        squares (thesis 6.3, the zero-shot test); the same map carries the user's points.

        Args:
            points: (P, 2), in the template's units.
            template: (N, 2), one face of a known convention, such as a drawing or a photograph's landmarks.
            scheme: the template's convention; None is the model's own.

        Returns:
            (P, 2) float32 in [0, 1] of the plane, ready for ``forward``.
        """
        target = self.prompt(scheme).detach().cpu().numpy()
        values = np.asarray(points, float)
        if values.ndim != 2 or values.shape[1] != 2 or not np.isfinite(values).all():
            raise DataError(f"Points for the plane must be finite and of shape (P, 2), not {values.shape}.")
        return torch.from_numpy(apply(affine(template, target), values)).float()

    def locate(self, images: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor | None]:
        """Find plane points in crops.

        Args:
            images: (B, 3, S, S), normalised.
            prompt: (P, 2) for all, or (B, P, 2), in [0, 1] of the plane.

        Returns:
            (layer, B, P, 2) in [0, 1] of the crop, and with a pointer its logits (layer, B, P, L) on a square grid.
        """
        c = self.config
        queries = self.prompter(prompt if prompt.ndim == 3 else prompt[None])
        source, fine = self.backbone(images) if c.stem == "pyramid" else (images, None)
        memory, position = self.encoder(source)
        memories = [(memory, position)] * c.layers
        keys: Tensor | None = None
        if self.fine is not None:
            memory = self.fine(fine).flatten(2).transpose(1, 2)
            position = self.codes(math.isqrt(memory.shape[1])).to(memory.dtype)[None]
            memories = memories[: c.layers - c.fine_layers] + [(memory, position)] * c.fine_layers
            keys = memory + position
        states = self.decoder(queries.to(memory.dtype), memories)
        points = self.head(states).float()
        if self.pointer is None or keys is None:
            return points, None
        logits, pointed = self.pointer(states, keys)
        return points + pointed, logits

    def forward(self, images: Tensor, prompt: Tensor | None = None) -> Alignment:
        """Crops (B, 3, S, S) and plane points (P, 2) in [0, 1] (None: the model's own scheme) -> ``Alignment``.

        Raises:
            DataError: a prompt of another shape, empty, or not finite.
        """
        if prompt is None:
            prompt = self.prompt()
        elif prompt.ndim not in (2, 3) or prompt.shape[-1] != 2 or not prompt.numel():
            raise DataError(f"A prompt holds plane points (P, 2) in [0, 1], not a tensor {tuple(prompt.shape)}.")
        elif not bool(torch.isfinite(prompt).all()):
            raise DataError("A prompt must hold finite plane points.")
        points, logits = self.locate(images, prompt.to(self.device))
        stages = images.shape[-1] * points[None]
        heatmaps = None
        if logits is not None:
            side = math.isqrt(logits.shape[-1])
            heatmaps = logits[-1].softmax(-1).unflatten(-1, (side, side))
        return Alignment(landmarks=stages[-1, -1], stages=stages, heatmaps=heatmaps)


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


def with_prompts(config: TUFAConfig, prompts: Sequence[tuple[Tensor, Tensor | None]]) -> TUFA:
    """A model with published prompts, (plane points, the mean shape before their alignment or None), each (N, 2) in
    [0, 1]; the first is its own convention. The embedding is twice the difference (it belongs to [-1, 1]).

    Raises:
        CheckpointError: two of one number of points, or a mean shape of another number.
    """
    names = [SCHEME_BY_COUNT.get(len(points), f"user{len(points)}") for points, _ in prompts]
    if len(set(names)) < len(names):
        raise CheckpointError(f"Two prompt files have one number of points ({', '.join(names)}); pass one of each.")
    if any(init is not None and init.shape != points.shape for points, init in prompts):
        raise CheckpointError("A prompt file's arrays 'init' and 'offset' must have one shape.")
    # Its own points without a mean shape hold the embedding already, and need none of their own.
    apart = tuple(name for name, (_, init) in zip(names, prompts, strict=True) if init is not None or name != names[0])
    first, before = prompts[0]
    config = replace(config, scheme=names[0], landmarks=len(first), conventions=apart)
    model = TUFA(config, first if before is None else before)
    for name, (points, init) in zip(names, prompts, strict=True):
        if name in apart:
            model.set_mean_shapes({name: points if init is None else init})
            if init is not None:
                model.alignment[name].data.copy_(2 * (points - init))
    return model


_NAMES = (("encoder.", "Encoder."), ("decoder.", "Decoder.Decoder."), ("head.", "Linear."))


def published_name(name: str, config: Any = None) -> str:
    """Our parameter name -> the authors'."""
    for ours, theirs in _NAMES:
        if name.startswith(ours):
            return theirs + name[len(ours) :]
    return name


SYSTEM = System(
    name="tufa",
    title="TUFA",
    paper="Xia et al., Task-agnostic Unified Face Alignment via Structure Prompts and Semantic Alignment (2024)",
    config=TUFAConfig,
    model=TUFA,
    presets=PRESETS,
    prompts=True,
    mechanisms=(
        Mechanism(
            name="cross-attention to the face",
            tap="decoder.layers.*.cross",
            equation="Eq. 6.6-6.10",
            claim="Each point looks for itself in the features of the face.",
            without="uniform",
        ),
        Mechanism(
            name="self-attention between points, layer 2 and above",
            tap="decoder.layers.[1-9].self",
            equation="Eq. 6.6",
            claim="The points of a shape exchange what they have found.",
            without="uniform",
        ),
        Mechanism(
            name="self-attention between points, layer 1",
            tap="decoder.layers.0.self",
            equation="Eq. 6.6",
            claim="The points of a shape exchange what they have found.",
            without="uniform",
            idle="The values of layer 1 are one constant vector, in the papers too: any weights give the same.",
        ),
        Mechanism(
            name="structure prompt",
            tap="prompter.encoding",
            equation="Eq. 6.1-6.5",
            claim="A point's place on the mean face says what is looked for.",
        ),
        Mechanism(
            name="self-attention of the encoder",
            tap="encoder.blocks.*.self",
            equation="6.2.1",
            claim="Places of the picture tell each other what they hold.",
            without="uniform",
        ),
    ),
    training="workbench.training.tufa:TUFATraining",
    shows="a plane of landmarks to draw on: any points, found on any face; where each point looks",
    printed_sizes={
        "tufa-98-s16": (36.0, 8.043),
        "tufa-98-s8": (36.03, 35.17),
    },
    published=WeightsImporter(
        infer_config, published_name, ("mean_shape", "alignment."), start="offset", before="init", prompts=with_prompts
    ),
    notes={
        "tufa-98-s16": "The thesis prints 36.00 M and 8.043 G; the authors' own weights count 35.97 M and 8.03 G.",
        "tufa-98-s8": "The thesis prints 36.03 M and 35.17 G; the authors' own weights count 35.97 M and 35.11 G.",
        "tufa-68-compact": (
            "Not a plain ViT: a slim ResNet is the stem of the two-block encoder, the last decoder layers see a finer "
            "map, and every layer points at that map before it regresses."
        ),
    },
)
