"""What all systems have in common: a scheme, a way to take in pixels, and an entry of the register."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn

from workbench.errors import CheckpointError, ImageError, SettingsError
from workbench.landmarks import Scheme, get_scheme, user_scheme
from workbench.models.alignment import Alignment
from workbench.models.card import ModelCard
from workbench.models.config import ModelConfig

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
SCHEME_BY_COUNT = {5: "five", 19: "aflw19", 29: "cofw29", 68: "ibug68", 98: "wflw98", 189: "webmorph189"}


def normalise(images: Tensor) -> Tensor:
    """RGB in [0, 1], (..., 3, H, W) -> the same, normalised by the ImageNet mean and deviation."""
    mean, std = (images.new_tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    return (images - mean) / std


def to_tensor(crop: np.ndarray) -> Tensor:
    """One crop as ``Face.crop`` gives it, uint8 RGB (S, S, 3) -> (1, 3, S, S), for :meth:`FaceModel.prepare`."""
    return torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))[None]


class FaceModel(nn.Module):
    """A face-alignment network: normalised crops (B, 3, S, S) -> :class:`Alignment`.

    S is ``input_size``; some systems read other sizes too. What a system cannot read raises ImageError.

    Attributes:
        config: the system's frozen configuration.
        name: how it was asked for.
        card: its card, when it came with one.
        checkpoint: SHA-256 of the weights' file, or "".
        mean_shape: (N, 2) in [0, 1] of the crop.
        optimised: made quicker for reading (:mod:`workbench.models.optimise`); such a model is not trained or saved.
    """

    config: ModelConfig
    mean_shape: Tensor
    optimised = False
    fixed_size = True  # whether a layer needs crops of ``input_size``, or of a multiple of something

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self.card: ModelCard | None = None
        self.checkpoint = ""
        self.register_forward_pre_hook(_square, with_kwargs=True)

    def set_mean_shape(self, mean_shape: Tensor) -> None:
        """Keep the mean face (N, 2) in [0, 1] of the crop. Raises CheckpointError for another shape."""
        if mean_shape.shape != (self.config.landmarks, 2):
            raise CheckpointError(
                f"The mean face must have the shape ({self.config.landmarks}, 2) for this model, "
                f"not {tuple(mean_shape.shape)}."
            )
        self.register_buffer("mean_shape", mean_shape.float())

    def train(self, mode: bool = True) -> Self:
        """Raises SettingsError for a model that was optimised: its norms are gone."""
        if mode and self.optimised:
            raise SettingsError(f"{self.name or 'This model'} was optimised for reading; load it without to train it.")
        return super().train(mode)

    @cached_property
    def scheme(self) -> Scheme:
        if self.config.scheme.startswith("user"):
            return user_scheme(self.config.scheme, self.config.landmarks)
        return get_scheme(self.config.scheme)

    @property
    def input_size(self) -> int:
        return self.config.input_size

    @property
    def device(self) -> torch.device:
        return self.mean_shape.device

    def prepare(self, crops: Tensor) -> Tensor:
        """RGB crops (B, 3, S, S), uint8 or float in [0, 1] -> what the network takes, on its device and in the
        type of its weights."""
        images = crops.to(self.device)
        images = images.float() if images.is_floating_point() else images.float() / 255
        return self.normalise(images).to(self.mean_shape.dtype)

    def normalise(self, images: Tensor) -> Tensor:
        """RGB in [0, 1], (B, 3, S, S) -> what the network takes: by ImageNet's mean and deviation here."""
        return normalise(images)

    def __call__(self, *args: Any, **options: Any) -> Any:
        try:
            return super().__call__(*args, **options)
        except RuntimeError as error:
            shape, side = tuple(args[0].shape) if args else (), self.input_size
            fits = not shape or (shape[0] > 0 and shape[2:] == (side, side))
            kind = self.mean_shape.dtype
            if kind != torch.float32 and re.search(r"dtype|weight type", str(error)):
                raise CheckpointError(
                    f"{self.name or type(self).__name__} cannot compute in {str(kind).removeprefix('torch.')} "
                    "throughout; call model.float() first, or read below torch.autocast."
                ) from error
            other = shape and (args[0].device, args[0].dtype) != (self.device, kind)
            if not self.fixed_size or fits or other or isinstance(error, torch.OutOfMemoryError):
                raise
            raise ImageError(
                f"{self.name or type(self).__name__} cannot read a batch of the shape {shape}; it is made for "
                f"(B, 3, {side}, {side})."
            ) from error

    def _repr_html_(self) -> str | None:
        return self.card._repr_html_() if self.card else None

    def forward(self, images: Tensor) -> Alignment:
        raise TypeError(f"{type(self).__name__} does not say how it reads a crop.")


def _square(model: nn.Module, args: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
    """Everything in [0, 1] of the crop counts on its being square."""
    images = args[0] if args else named.get("images")
    shape = () if images is None else tuple(images.shape)
    if images is not None and (len(shape) != 4 or shape[1] != 3 or shape[2] != shape[3]):
        raise ImageError(f"A batch of crops has the shape (B, 3, S, S), square and RGB, not {shape}.")


@dataclass(frozen=True)
class WeightsImporter:
    """How the authors' weights of a system load into ours.

    Attributes:
        infer: state dict of theirs -> the configuration it was made with; raises CheckpointError for other weights.
        name: (our parameter's name, configuration) -> theirs.
        own: our tensors that their files do not hold, by prefix.
        ignored: prefixes of their tensors that nothing of ours needs.
        start: name of the array (N, 2), in 256-pixel crop units, in the ``.npz`` that comes beside the weights.
        before: name of the array beside ``start`` that holds the points before their semantic alignment, or "".
        prompts: (configuration, [(points, the same before alignment or None)]) -> the model, where it takes several
            conventions; the first is its own.
        adapt: (configuration, N) -> the configuration for that many points, where the weights do not tell.
        graph: (file of edges, N) -> edges (E, 2), where a model can be built as ``model(config, mean_shape, edges)``.
    """

    infer: Callable[[dict[str, Tensor]], Any]
    name: Callable[[str, Any], str]
    own: tuple[str, ...] = ("mean_shape",)
    ignored: tuple[str, ...] = ()
    start: str = "init_face"
    before: str = ""
    prompts: Callable[[Any, Sequence[tuple[Tensor, Tensor | None]]], FaceModel] | None = None
    adapt: Callable[[Any, int], Any] | None = None
    graph: Callable[[Any, int], Tensor] | None = None


@dataclass(frozen=True)
class Mechanism:
    """Something that a system computes on its way to an answer and that a view shows.

    Attributes:
        name: as the paper calls it.
        tap: path, or glob pattern of the paths, where it can be recorded and edited.
        equation: of the paper.
        claim: what the paper says it does, in one sentence.
        without: what "removed" means: "zero", "one" (a gate that lets all pass), "uniform" (attention without
            preference) or "none" (it cannot be taken away).
        answer: what it is there for: "landmarks", or "pose".
        idle: why it cannot matter by construction, or "".
    """

    name: str
    tap: str
    equation: str
    claim: str
    without: Literal["zero", "one", "uniform", "none"] = "zero"
    answer: Literal["landmarks", "pose"] = "landmarks"
    idle: str = ""


@dataclass(frozen=True)
class System:
    """One system of the papers: what the rest needs to build, load, train, compare and describe it.

    Attributes:
        name: short name, the ``system`` field of its configurations.
        title: as the paper writes it.
        paper: where it was published.
        config, model: its configuration and its network, built as ``model(config, mean_shape)``.
        presets: named configurations.
        training: "module:class" that trains it, in ``workbench.training``; a name, since models know no training.
        shows: what there is to see inside, for ``docs/systems.md``.
        printed_sizes: preset -> (millions of parameters, G multiply-accumulates) as printed; None where not printed.
        published: how the authors' weights load, when they are public.
        notes: preset -> a sentence, where a printed figure cannot be met.
        prompts: whether its models take structure prompts: they find points of the face plane that nobody labelled.
        mechanisms: what ``workbench evaluate --mechanisms`` measures; a model without the tap is spared it.
    """

    name: str
    title: str
    paper: str
    config: type[Any]
    model: Callable[..., FaceModel]
    presets: Mapping[str, Any]
    training: str
    shows: str
    printed_sizes: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    published: WeightsImporter | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    prompts: bool = False
    mechanisms: tuple[Mechanism, ...] = ()
