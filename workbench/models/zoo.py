"""The shelf of models: names, cards, loading and saving."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.utils.flop_counter import FlopCounterMode

from workbench.errors import CheckpointError, SettingsError, UnknownNameError
from workbench.files import from_json, replacing
from workbench.models.base import FaceModel
from workbench.models.card import DEFAULT, ModelCard, list_models, shelf, weights_of
from workbench.models.importing import IMPORTABLE, Start, import_published
from workbench.models.optimise import optimise as quicker
from workbench.models.systems import build, get_system, preset
from workbench.tracing import record

FORMAT = "workbench-model-1"
_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.int64, torch.bool)


def load_model(
    source: str | PathLike[str],
    *,
    system: str | None = None,
    init_face: Start | Sequence[Start] = None,
    graph: str | PathLike[str] | None = None,
    device: str | torch.device = "auto",
    optimise: bool | Literal["compile"] = False,
) -> FaceModel:
    """A trained model, ready to read faces (evaluation mode).

    Args:
        source: a name from :func:`list_models` ("ssfa" takes that system's own), one of our ``.safetensors``
            files, or the authors' own ``.pth``.
        system: which system an authors' file belongs to, one of ``IMPORTABLE``.
        init_face: the authors' initial mean face, (N, 2) in 256-pixel crop units, as a file or an array; for TUFA
            also a list of them, one a convention.
        graph: the authors' file of landmark edges (SCC), lines ``i j weight``.
        device: "auto" takes a GPU when there is one, Apple's ("mps") included.
        optimise: norms folded into convolutions, channels last: the same answers to 1e-4 px, sooner, but nothing to
            train or save. "compile" also compiles the backbone where this machine can, which takes a minute.

    Raises:
        UnknownNameError: no such name, with the nearest ones.
        CheckpointError: a file that is missing, damaged or does not fit.
    """
    path = Path(source)
    kind = path.suffix.lower()
    if system is not None:
        model: FaceModel = import_published(path, system, init_face, graph)
        model.name, model.checkpoint = path.stem, file_hash(path)
    elif kind == ".safetensors":
        model = load_checkpoint(path)
    elif kind in (".pth", ".pt", ".bin", ".tar", ".ckpt"):
        raise CheckpointError(
            f"To load {path.name}, say which system it belongs to (system=..., one of {', '.join(IMPORTABLE)}) "
            "and pass init_face."
        )
    else:
        model = load_checkpoint(_find(str(source)))
    model = model.to(pick_device(device)).eval()
    return quicker(model, compiled=optimise == "compile") if optimise else model


def pick_device(device: str | torch.device = "auto") -> torch.device:
    """ "auto" -> the GPU when there is one (CUDA's, then Apple's), else the CPU.

    Raises UnknownNameError for a device that is not here.
    """
    if device == "auto":
        for kind, there in (("cuda", torch.cuda.is_available), ("mps", torch.backends.mps.is_available)):
            if there():
                return torch.device(kind)
        return torch.device("cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError):
        raise UnknownNameError(f"The device '{device}' is not available here; use 'cpu' or 'auto'.") from None
    return chosen


def _find(name: str) -> Path:
    cards = list_models()
    exact = [card for card in cards if card.name == name]
    # A system's own model is the one with the shortest name, but for the shelf's first choice.
    of_system = [c for c in cards if c.system == name and weights_of(c).parent == shelf()]
    of_system.sort(key=lambda c: (c.name != DEFAULT, len(c.name), c.name))
    if exact or of_system:
        return weights_of((exact or of_system)[0])
    if re.fullmatch(r"[\w-]+", name) and (own := shelf() / f"{name}.json").is_file():
        ModelCard.load(own)  # says what is wrong with it
    names = [card.name for card in cards]
    near = get_close_matches(name, names, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names) or 'none yet'}."
    raise UnknownNameError(f"There is no model '{name}'; {hint}")


def load_checkpoint(path: Path) -> FaceModel:
    """Read one of our files: safetensors with the configuration in the header. Raises CheckpointError."""
    if not os.path.isfile(path):
        raise CheckpointError(f"There is no checkpoint at {path}.")
    try:
        with safe_open(str(path), framework="pt") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise CheckpointError(
                    f"{path.name} is a safetensors file but not a workbench checkpoint; "
                    "use 'workbench import-weights' to make one from published weights."
                )
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            raw = from_json(header["config"])
    except CheckpointError:
        raise
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path.name} is damaged and cannot be read ({error}).") from None
    odd = next((k for k, v in state.items() if v.dtype not in _DTYPES), None)
    if odd:
        raise CheckpointError(
            f"{odd} in {path.name} is stored as {state[odd].dtype}, which is no type of weights here."
        )
    try:
        system = get_system(raw["system"])
        known = {f.name for f in fields(system.config)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items() if k in known}
        model = system.model(system.config(**values), state["mean_shape"])
        model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
        if model.scheme.count != model.config.landmarks:
            raise SettingsError(f"{model.config.landmarks} landmarks are not those of {model.config.scheme}")
    except (RuntimeError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[-1].strip()
        raise CheckpointError(f"{path.name} does not fit its own configuration ({first}).") from None
    bad = next((k for k, v in state.items() if v.is_floating_point() and not torch.isfinite(v).all()), None)
    if bad:
        raise CheckpointError(f"{path.name} holds values that are not finite (in {bad}); the file is damaged.")
    card = path.with_suffix(".json")
    model.card = ModelCard.load(card) if card.is_file() else None
    model.name = model.card.name if model.card else path.stem
    model.checkpoint = file_hash(path)
    return model


def save_checkpoint(
    model: FaceModel, path: str | PathLike[str], card: ModelCard | None = None, half: bool = True
) -> Path:
    """Write ``path`` (safetensors) and, with a card, the JSON beside it.

    Args:
        half: store weights as float16; running statistics and the mean shape stay float32.

    Raises:
        CheckpointError: another suffix, a missing folder, a place that cannot be written, or an optimised model.
    """
    if model.optimised:
        raise CheckpointError(f"{model.name or 'This model'} was optimised for reading; load it without to save it.")
    target = Path(path)
    if target.suffix not in ("", ".safetensors"):
        raise CheckpointError(f"Weights are written as .safetensors, so {target.name} needs another name.")
    target = target.with_suffix(".safetensors")
    if not target.parent.is_dir():
        raise CheckpointError(f"The folder {target.parent} does not exist; create it first.")
    keep = ("running_", "mean_shape")
    state = {
        k: (v.half() if half and v.is_floating_point() and not any(w in k for w in keep) else v).detach().cpu()
        for k, v in model.state_dict().items()
    }
    header = {"format": FORMAT, "config": json.dumps(asdict(model.config))}  # type: ignore[call-overload]
    try:
        with replacing(target) as part:
            save_file({k: v.contiguous() for k, v in state.items()}, str(part), metadata=header)
        if card is not None:
            card = replace(card, weights=target.name, sha256=file_hash(target), config=asdict(model.config))  # type: ignore[call-overload]
            with replacing(target.with_suffix(".json")) as part:
                part.write_text(card.to_json(), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{target} could not be written ({error}).") from None
    return target


def update_card(source: str | PathLike[str], **changes: Any) -> Path:
    """Change fields of the card beside a model's weights; a name or a ``.safetensors`` file, as ``load_model`` takes.

    Raises:
        UnknownNameError, CheckpointError: no such model, or no card that can be read or written.
    """
    path = Path(source) if Path(source).suffix == ".safetensors" else _find(str(source))
    card = path.with_suffix(".json")
    text = replace(ModelCard.load(card), **changes).to_json()
    try:
        with replacing(card) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{card} could not be written ({error}).") from None
    return card


def file_hash(path: str | PathLike[str]) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def count_parameters(model: FaceModel) -> int:
    """Number of parameters, buffers left out."""
    return sum(p.numel() for p in model.parameters())


@torch.no_grad()
def count_multiply_accumulates(model: FaceModel) -> int:
    """Multiply-accumulates of one crop: convolutions and matrix products, those inside attention included."""
    was_training = model.training
    model.eval()
    image = torch.zeros(1, 3, model.input_size, model.input_size, device=model.device)
    # Recording makes the attention products explicit; the fused kernel is not counted on a CPU.
    with FlopCounterMode(display=False) as counter, record(model):
        model(image)
    model.train(was_training)
    return counter.get_total_flops() // 2


@cache
def count_preset(name: str) -> tuple[int, int]:
    """Parameters and multiply-accumulates of a preset, counted where it can without computing."""
    shape = torch.linspace(0.1, 0.9, 2 * preset(name).landmarks).view(2, -1).T
    for device in ("meta", "cpu"):
        try:
            with torch.device(device):
                model = build(name, shape.to(device))
                return count_parameters(model), count_multiply_accumulates(model)
        except (RuntimeError, NotImplementedError):  # a system whose graph depends on the mean face's values
            if device == "cpu":
                raise
    raise AssertionError("unreachable")


@dataclass(frozen=True)
class Offers:
    """What there is to see of a model.

    Attributes:
        taps: path of a tap that records in a plain forward pass -> its axes, without batch and stage.
        parts: which fields of ``Alignment`` the model fills besides the landmarks, and "prompt" if it takes structure
            prompts (TUFA): points of the face plane beside its own.
    """

    taps: Mapping[str, Sequence[str]]
    parts: tuple[str, ...]


def offers(source: ModelCard | FaceModel) -> Offers:
    """What a model offers to look at: from its card, without its weights, or from the model itself.

    Of a card that does not tell, an older file, the weights beside the shipped cards are loaded and asked.

    Raises:
        CheckpointError: such a card, and no weights.
    """
    if isinstance(source, FaceModel):
        if source.card is None or source.card.sha256 != source.checkpoint or not source.card.taps:
            return _ask(source)
        source = source.card  # of these very weights
    return Offers(source.taps, source.parts) if source.taps else _ask_file(weights_of(source))


@cache
def _ask_file(path: Path) -> Offers:
    return _ask(load_checkpoint(path).eval())


@torch.inference_mode()
def _ask(model: FaceModel) -> Offers:
    """One forward pass over a black crop, in evaluation mode, recorded."""
    was_training = model.training
    model.eval()
    image = torch.zeros(1, 3, model.input_size, model.input_size, device=model.device, dtype=model.mean_shape.dtype)
    with record(model) as trace:
        answer = model(image)
    model.train(was_training)
    axes = {name: [a for a in entry.axes if a not in ("batch", "stage")] for name, entry in trace.items()}
    parts = [f.name for f in fields(answer) if f.name != "landmarks" and getattr(answer, f.name) is not None]
    return Offers(axes, (*parts, *(["prompt"] if hasattr(model, "prompt") else [])))


def describe(model: FaceModel, **known: Any) -> ModelCard:
    """A card with what can be read off the model itself, completed by ``known``."""
    c, seen = model.config, _ask(model)
    facts: dict[str, Any] = dict(
        name=model.name,
        title=model.name,
        system=c.system,
        preset="",
        scheme=c.scheme,
        landmarks=c.landmarks,
        input_size=c.input_size,
        parameters=count_parameters(model),
        multiply_accumulates=count_multiply_accumulates(model),
        config=asdict(c),  # type: ignore[call-overload]
        taps={name: list(axes) for name, axes in seen.taps.items()},
        parts=seen.parts,
    )
    return ModelCard(**{**facts, **known})
