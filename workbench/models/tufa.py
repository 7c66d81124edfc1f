"""TUFA: task-agnostic unified face alignment (Xia, thesis 2024, chapter 6).

A landmark is a point on a plane, the flattened face. The structure prompt encoder turns plane points into queries, a
transformer decoder finds each of them on the face at hand. A convention is nothing but a set of plane points: its
mean shape plus the semantic alignment embedding that was learned for it, so any number of points can be asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from workbench.errors import CheckpointError, DataError, UnknownNameError
from workbench.landmarks import get_scheme
from workbench.landmarks.geometry import affine, apply
from workbench.models.alignment import Alignment
from workbench.models.backbones.vit import Trunk, VisionTransformer
from workbench.models.base import SCHEME_BY_COUNT, FaceModel, Mechanism, System, WeightsImporter
from workbench.models.plane import Decoder, Pointer, PromptEncoder, Shapes, grid_centres
from workbench.models.tufa_config import PRESETS, TUFAConfig, convention, infer_config, published_name

TRUNK = 128  # channels of the compact trunk's pyramid, which is that of the compact DSLPT


@dataclass(frozen=True)
class Encoded:
    """Faces as the decoder sees them.

    Attributes:
        memory: (B, L, d), with ``position`` (1, L, d).
        fine: (B, L', d) of the pyramid's finer map, with ``fine_position`` (1, L', d); None without one.
    """

    memory: Tensor
    position: Tensor
    fine: Tensor | None = None
    fine_position: Tensor | None = None

    @classmethod
    def join(cls, parts: Sequence[Encoded]) -> Encoded:
        """Several faces in one batch."""
        first = parts[0]
        fine = None if first.fine is None else torch.cat([part.fine for part in parts if part.fine is not None])
        memory = torch.cat([part.memory for part in parts])
        return cls(memory, first.position, fine, first.fine_position)


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

    def encode(self, images: Tensor) -> Encoded:
        """What the decoder looks at in crops (B, 3, S, S), normalised: the prompt has no part in it, so a face is
        encoded once for any number of drawings."""
        c = self.config
        source, fine = self.backbone(images) if c.stem == "pyramid" else (images, None)
        memory, position = self.encoder(source)
        if self.fine is None:
            return Encoded(memory, position)
        finer = self.fine(fine).flatten(2).transpose(1, 2)
        return Encoded(memory, position, finer, self.codes(math.isqrt(finer.shape[1])).to(finer.dtype)[None])

    def decode(self, encoded: Encoded, prompt: Tensor) -> tuple[Tensor, Tensor | None]:
        """Find plane points in faces that were encoded; as :meth:`locate`."""
        c, e = self.config, encoded
        queries = self.prompter(prompt if prompt.ndim == 3 else prompt[None])
        memories = [(e.memory, e.position)] * c.layers
        keys: Tensor | None = None
        if e.fine is not None and e.fine_position is not None:
            memories = memories[: c.layers - c.fine_layers] + [(e.fine, e.fine_position)] * c.fine_layers
            keys = e.fine + e.fine_position
        states = self.decoder(queries.to(memories[-1][0].dtype), memories)
        points = self.head(states).float()
        if self.pointer is None or keys is None:
            return points, None
        logits, pointed = self.pointer(states, keys)
        return points + pointed, logits

    def locate(self, images: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor | None]:
        """Find plane points in crops.

        Args:
            images: (B, 3, S, S), normalised.
            prompt: (P, 2) for all, or (B, P, 2), in [0, 1] of the plane.

        Returns:
            (layer, B, P, 2) in [0, 1] of the crop, and with a pointer its logits (layer, B, P, L) on a square grid.
        """
        return self.decode(self.encode(images), prompt)

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
