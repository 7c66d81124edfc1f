"""A face read by a model: the answer, the trace, and the way back to the photograph."""

from __future__ import annotations

import io
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch
from PIL import Image, ImageDraw

from workbench.axes import ENCODINGS, LANDMARK_PAIRS, READ, Axes, own
from workbench.errors import CheckpointError, TraceError, UnknownNameError
from workbench.landmarks import Scheme, user_scheme
from workbench.models.alignment import Alignment
from workbench.models.base import to_tensor
from workbench.models.zoo import load_model, pick_device
from workbench.tracing import Trace, check_index, layers_of, record
from workbench.tracing import taps as tap_names

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel


@dataclass(frozen=True)
class Encodings:
    """A model's structure encodings, the same for every face.

    Attributes:
        scheme: of its landmarks.
        mean_shape: (N, 2) normalised.
        vectors: (N, d).
        tensor: the path of the tap that told them.
        model: its name.
    """

    scheme: Scheme
    mean_shape: np.ndarray
    vectors: np.ndarray
    tensor: str
    model: str


@dataclass(frozen=True)
class Reading:
    """What one model saw in one face. All arrays are NumPy; "normalised" means [0, 1] of the crop.

    Attributes:
        face: the photograph and its crop.
        scheme: of the landmarks.
        model_name, input_size: of the model that read it.
        alignment: the model's answer for this one face (batch axis of length 1), in crop pixels.
        trace: what its taps recorded.
        mean_shape: (N, 2) normalised, where the first patches lay.
        config: the model's configuration as plain values.
        calibration: what its card tells of its uncertainty (``explain.CalibrationReport.to_card``), or nothing.
        metrics: the errors that its card tells, as the card holds them.
        rescaled: whether :meth:`sigma` is the recalibrated one.
        seconds: the forward pass, with preparation, on ``device``.
    """

    face: Face
    scheme: Scheme
    model_name: str
    input_size: int
    alignment: Alignment
    trace: Trace
    mean_shape: np.ndarray
    config: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    device: str = "cpu"
    card_title: str = field(default="")
    calibration: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[Mapping[str, Any], ...] = ()
    rescaled: bool = False

    def __repr__(self) -> str:
        holds = f"{len(self.landmarks)} landmarks, {len(self.trace)} recorded tensors"
        return f"<{type(self).__name__} of {self.face.name} by {self.model_name}: {holds}>"

    def _repr_png_(self) -> bytes:
        """The crop with the landmarks, for a notebook."""
        side, file = 384, io.BytesIO()
        picture = Image.fromarray(self.face.crop(side))
        pen = ImageDraw.Draw(picture)
        for x, y in self.points() * side:
            pen.ellipse((x - 2.5, y - 2.5, x + 2.5, y + 2.5), fill="white", outline="black")
        picture.save(file, "PNG")
        return file.getvalue()

    @property
    def landmarks(self) -> np.ndarray:
        """(N, 2) pixels of the photograph as it was given, turned upright."""
        return self.face.to_original(self.to_photo(self.points()))

    @property
    def stages(self) -> int:
        """How many stages the system has (1 for a single-shot system)."""
        return 1 if self.alignment.stages is None else self.alignment.stages.shape[0]

    @property
    def layers(self) -> int:
        """How many layers a stage has."""
        return 1 if self.alignment.stages is None else self.alignment.stages.shape[1]

    def stem(self, view: str) -> str:
        """A file name without its ending, such as ``astronaut-model-relations``."""
        words = f"{Path(self.face.name).stem}-{self.model_name}-{view}"
        return "".join(c if c.isalnum() or c in "-_" else "-" for c in words)[:80]

    def to_photo(self, normalised: np.ndarray) -> np.ndarray:
        """(..., 2) normalised -> pixels of ``face.photo``, which is smaller than a very large original."""
        return self.face.to_photo(np.asarray(normalised) * self.input_size, size=self.input_size)

    def points(self, stage: int = -1, layer: int = -1) -> np.ndarray:
        """(N, 2) normalised, after the given stage and layer."""
        stages = self.alignment.stages
        if stages is not None:
            check_index("stage", stage, stages.shape[0])
            check_index("layer", layer, stages.shape[1])
        values = self.alignment.landmarks[0] if stages is None else stages[stage, layer, 0]
        return values.cpu().double().numpy() / self.input_size

    def trajectory(self) -> np.ndarray:
        """(1 + stage * layer, N, 2) normalised: the mean shape, then every intermediate answer in order."""
        stages = self.alignment.stages
        steps = self.alignment.landmarks[None] if stages is None else stages.flatten(0, 1)
        walked = steps[:, 0].cpu().double().numpy() / self.input_size
        return np.concatenate([self.mean_shape[None], walked])

    def sigma(self, stage: int = -1, layer: int = -1) -> np.ndarray:
        """(N, 2) predicted standard deviation, normalised. Raises TraceError without an uncertainty."""
        found = self.alignment.sigma(stage, layer)[0].cpu().double().numpy() / self.input_size
        return found * self.scale(stage)

    def scale(self, stage: int = -1) -> float:
        """By what the sigma of a stage is multiplied: 1 as predicted, the card's scalar once recalibrated."""
        return float(self.calibration["scales"][stage]) if self.rescaled else 1.0

    def recalibrated(self) -> Reading:
        """The same reading with its sigma multiplied by the card's scalar of each stage.

        Raises:
            TraceError: the model predicts no uncertainty, or its card tells no such scalars.
        """
        variance = self.alignment.variance
        if variance is None or len(self.calibration.get("scales", ())) != len(variance):
            raise TraceError(
                f"The card of {self.model_name} tells no calibration, so its sigma stays as predicted; "
                "`workbench calibrate --write` measures one."
            )
        return replace(self, rescaled=True)

    def variance(self, layer: int = -1) -> np.ndarray:
        """(stage, N, 2) predicted variance in patch units squared. Raises TraceError without an uncertainty."""
        if self.alignment.variance is None:
            raise TraceError(f"{self.model_name} predicts no uncertainty; choose a model that predicts one.")
        check_index("layer", layer, self.alignment.variance.shape[1])
        return self.alignment.variance[:, layer, 0].cpu().double().numpy()

    def rects(self) -> np.ndarray:
        """(stage, N, 4) patches as x0, y0, width, height, normalised. Raises TraceError without patches."""
        if self.alignment.rects is None:
            raise TraceError(f"{self.model_name} reads no patches; choose a model that does.")
        return self.alignment.rects[:, 0].cpu().double().numpy() / self.input_size

    def attention(self, kind: str) -> np.ndarray:
        """(stage, layer, head, N, N) weights between landmarks, rows are queries; axes that the system does not have
        are of length 1.

        Args:
            kind: one of ``explain.relation_kinds(reading)``, such as "cross" or "self".

        Raises:
            TraceError: the trace holds none of that kind.
        """
        found = {layers.name: layers for layers in layers_of(self.trace, LANDMARK_PAIRS)}
        if kind not in found:
            raise TraceError(
                f"The trace of {self.model_name} holds no {kind or 'single'}-attention between landmarks; it holds "
                f"{', '.join(found) or 'none at all'}."
            )
        return found[kind].stack(self.trace)

    def structure(self) -> np.ndarray:
        """(N, d) structure encodings. Raises TraceError when the trace holds none."""
        return self.trace[self.structure_path()].at(batch=0).numpy()

    def encodings(self) -> Encodings:
        """The structure encodings with what they belong to. Raises TraceError when the trace holds none."""
        return Encodings(self.scheme, self.mean_shape, self.structure(), self.structure_path(), self.model_name)

    def structure_path(self) -> str:
        """The tensor of :meth:`structure`. Raises TraceError when the trace holds none."""
        for name, entry in self.trace.items():
            if own(entry.axes) in ENCODINGS:
                return name
        raise TraceError(f"The trace of {self.model_name} holds no structure encodings; choose another model.")


def encodings_of(model: FaceModel) -> Encodings:
    """A model's structure encodings, told by a blank crop, for they do not depend on the face.

    Raises:
        TraceError: it has none.
    """
    paths = paths_of(model, ENCODINGS)
    if not paths:
        raise TraceError(f"{model.name} has no structure encodings; choose another model.")
    blank = torch.zeros(1, 3, model.input_size, model.input_size, dtype=torch.uint8)
    with torch.inference_mode(), record(model, only=paths[:1]) as trace:
        model(model.prepare(blank))
    vectors = trace[paths[0]].at(batch=0).numpy()
    shape = model.mean_shape.cpu().double().numpy()
    return Encodings(model.scheme, shape, vectors, paths[0], model.name)


@overload
def read(
    model: FaceModel | str | PathLike[str],
    face: Face | str | PathLike[str] | Image.Image | np.ndarray,
    taps: str | Iterable[str | Axes] | None = ...,
    prompt: np.ndarray | None = ...,
    device: str | torch.device | None = ...,
) -> Reading: ...
@overload
def read(
    model: FaceModel | str | PathLike[str],
    face: list[Any] | tuple[Any, ...],
    taps: str | Iterable[str | Axes] | None = ...,
    prompt: np.ndarray | None = ...,
    device: str | torch.device | None = ...,
) -> list[Reading]: ...
def read(
    model: FaceModel | str | PathLike[str],
    face: Any,
    taps: str | Iterable[str | Axes] | None = READ,
    prompt: np.ndarray | None = None,
    device: str | torch.device | None = None,
) -> Reading | list[Reading]:
    """Read a face: one forward pass, recorded.

    Args:
        model: from ``load_model``, or what that takes: a name or a checkpoint's path.
        face: from ``load_face`` or ``sample_face``; a sample's name; a photograph as ``load_face`` takes it; or a list
            of these, which gives a list of readings.
        taps: what to record: glob patterns of paths, and tuples of axes for every tap that declares them (a system
            may have none); None records everything (feature maps and patches too), ``()`` nothing; by default the
            tensors of the axes ``workbench.axes.READ``.
        prompt: (N, 2), points of the face plane to find instead of the model's own landmarks; see
            ``workbench.shaping.find_shape``.
        device: where to read; a model that is handed over moves there. None leaves it where it is, and takes a GPU
            for a name where there is one.

    Raises:
        CheckpointError: the model answers with values that are not finite.
        UnknownNameError: a name that does not exist, a pattern that matches no tap, a device that is not here, or a
            prompt for a model that finds its own landmarks only.
        ImageError, NoFaceError: a photograph that cannot be read, or holds no face.
    """
    if isinstance(model, str | PathLike):
        model = shelf_model(str(model), str(device or "auto"))
    elif device is not None:
        model = model.to(pick_device(device))
    if isinstance(face, list | tuple):
        return [_read(model, _face(one), taps, prompt) for one in face]
    return _read(model, _face(face), taps, prompt)


@lru_cache(4)
def shelf_model(name: str, device: str = "auto") -> FaceModel:
    """A model by its name, kept; whoever changes a model loads one of their own."""
    return load_model(name, device=device)


def _face(source: Any) -> Face:
    from workbench.faces import Face, load_face, sample_face, sample_names

    if isinstance(source, Face) or (hasattr(source, "crop") and hasattr(source, "affine_to")):
        return source
    word = isinstance(source, str) and (source in sample_names() or not Path(source).suffix)
    return sample_face(source) if word and not Path(source).is_file() else load_face(source)


def _read(model: FaceModel, face: Face, taps: str | Iterable[str | Axes] | None, prompt: np.ndarray | None) -> Reading:
    size = model.input_size
    if prompt is not None and not hasattr(model, "prompt"):
        raise UnknownNameError(
            f"{model.name} finds its own landmarks only; choose a model that takes structure prompts."
        )
    asked = () if prompt is None else (torch.from_numpy(np.array(prompt, np.float32)),)
    start = time.perf_counter()
    crop = to_tensor(face.crop(size))
    with torch.inference_mode(), record(model, only=_patterns(model, taps)) as trace:
        alignment = model(model.prepare(crop), *asked)
    if not torch.isfinite(alignment.landmarks).all():
        raise CheckpointError(f"{model.name} answers with values that are not numbers; its weights are damaged.")
    seconds = time.perf_counter() - start
    scheme = model.scheme if prompt is None else user_scheme("points", len(prompt))
    start_shape = model.mean_shape.cpu().double().numpy() if prompt is None else np.asarray(prompt)
    trace.meta |= {
        "model": model.name,
        "checkpoint": model.checkpoint,
        "scheme": scheme.name,
        "input_size": size,
        "affine": face.affine_to(size).tolist(),
        "face": face.name,
        "idle": [path for path, tap in tap_names(model).items() if tap.idle and path in trace],
    }
    return Reading(
        face=face,
        scheme=scheme,
        model_name=model.name,
        input_size=size,
        alignment=alignment,
        trace=trace,
        mean_shape=start_shape.astype(np.float64),
        config=asdict(model.config),  # type: ignore[call-overload]
        seconds=seconds,
        device=str(model.device),
        card_title=model.card.title if model.card else model.name,
        calibration=model.card.calibration if model.card else {},
        metrics=model.card.metrics if model.card else (),
    )


def _patterns(model: FaceModel, wanted: str | Iterable[str | Axes] | None) -> list[str] | None:
    """Globs as they are, axes as the paths of the taps that declare them."""
    if wanted is None:
        return None
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    globs = [pattern for pattern in wanted if isinstance(pattern, str)]
    return globs + paths_of(model, [axes for axes in wanted if not isinstance(axes, str)])


def paths_of(model: FaceModel, axes: Collection[Axes]) -> list[str]:
    """The taps of a model that declare one of these axes."""
    return [path for path, tap in tap_names(model).items() if own(tap.axes) in axes]
