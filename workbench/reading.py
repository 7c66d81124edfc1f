"""A face read by a model: the answer, the trace, and the way back to the photograph."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np
import torch

from workbench.errors import CheckpointError, TraceError, UnknownNameError
from workbench.landmarks import Scheme, user_scheme
from workbench.models.alignment import Alignment
from workbench.tracing import Trace, check_index, record
from workbench.tracing import taps as tap_names

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel


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
        size_rule, size_limits: how patch sizes followed the variance, or None.
        likelihood: what the variance was trained with ("gaussian", "laplace"), or None.
        seconds: the forward pass, with preparation, on ``device``.
    """

    face: Face
    scheme: Scheme
    model_name: str
    input_size: int
    alignment: Alignment
    trace: Trace
    mean_shape: np.ndarray
    size_rule: str | None = None
    size_limits: tuple[float, float] = (0.5, 0.7)
    likelihood: str | None = None
    seconds: float = 0.0
    device: str = "cpu"
    card_title: str = field(default="")

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
        return values.cpu().numpy().astype(np.float64) / self.input_size

    def trajectory(self) -> np.ndarray:
        """(1 + stage * layer, N, 2) normalised: the mean shape, then every intermediate answer in order."""
        stages = self.alignment.stages
        steps = self.alignment.landmarks[None] if stages is None else stages.flatten(0, 1)
        walked = steps[:, 0].cpu().numpy().astype(np.float64) / self.input_size
        return np.concatenate([self.mean_shape[None], walked])

    def sigma(self, stage: int = -1, layer: int = -1) -> np.ndarray:
        """(N, 2) predicted standard deviation, normalised. Raises TraceError without an uncertainty."""
        return self.alignment.sigma(stage, layer)[0].cpu().numpy().astype(np.float64) / self.input_size

    def variance(self, layer: int = -1) -> np.ndarray:
        """(stage, N, 2) predicted variance in patch units squared. Raises TraceError without an uncertainty."""
        if self.alignment.variance is None:
            raise TraceError(f"{self.model_name} predicts no uncertainty; choose a DSLPT model.")
        check_index("layer", layer, self.alignment.variance.shape[1])
        return self.alignment.variance[:, layer, 0].cpu().numpy().astype(np.float64)

    def rects(self) -> np.ndarray:
        """(stage, N, 4) patches as x0, y0, width, height, normalised. Raises TraceError without patches."""
        if self.alignment.rects is None:
            raise TraceError(f"{self.model_name} reads no patches; choose an SLPT or DSLPT model.")
        return self.alignment.rects[:, 0].cpu().numpy().astype(np.float64) / self.input_size

    def attention(self, kind: str) -> np.ndarray:
        """(stage, layer, head, N, N) attention weights, rows are queries.

        Args:
            kind: "cross" or "self".

        Raises:
            TraceError: the trace holds none.
        """
        names = [f"relation.layers.{i}.{kind}" for i in range(self.layers)]
        return np.stack([self.trace[name].at(batch=0).numpy() for name in names], axis=1)

    def structure(self) -> np.ndarray:
        """(N, d) structure encodings. Raises TraceError when the trace holds none."""
        return self.trace["relation.structure"].at(batch=0).numpy()


ATTENTION_TAPS = ("relation.layers.*", "relation.structure")


def read(
    model: FaceModel,
    face: Face,
    taps: str | Iterable[str] | None = ATTENTION_TAPS,
    prompt: np.ndarray | None = None,
) -> Reading:
    """Read a face: one forward pass, recorded.

    Args:
        model: from ``load_model``.
        face: from ``load_face`` or ``sample_face``.
        taps: glob patterns of what to record; None records everything (feature maps and patches too), ``()``
            nothing; by default the attention between landmarks, where the system has any.
        prompt: (N, 2), points of the face plane to find instead of the model's own landmarks (TUFA); see
            ``workbench.shaping.find_shape``.

    Raises:
        CheckpointError: the model answers with values that are not finite.
        UnknownNameError: a pattern matches no tap, or the model finds its own landmarks only.
    """
    size = model.input_size
    if prompt is not None and not hasattr(model, "prompt"):
        raise UnknownNameError(f"{model.name} finds its own landmarks only; choose a TUFA model.")
    asked = () if prompt is None else (torch.from_numpy(np.array(prompt, np.float32)),)
    if taps is ATTENTION_TAPS:  # a system without relation layers is read without recording any
        taps = tuple(p for p in ATTENTION_TAPS if any(fnmatchcase(name, p) for name in tap_names(model)))
    start = time.perf_counter()
    crop = torch.from_numpy(np.ascontiguousarray(face.crop(size).transpose(2, 0, 1)))[None]
    with torch.inference_mode(), record(model, only=taps) as trace:
        alignment = model(model.prepare(crop), *asked)
    if not torch.isfinite(alignment.landmarks).all():
        raise CheckpointError(f"{model.name} answers with values that are not numbers; its weights are damaged.")
    seconds = time.perf_counter() - start
    scheme = model.scheme if prompt is None else user_scheme("points", len(prompt))
    start_shape = model.mean_shape.cpu().numpy() if prompt is None else np.asarray(prompt)
    trace.meta |= {
        "model": model.name,
        "checkpoint": model.checkpoint,
        "scheme": scheme.name,
        "input_size": size,
        "affine": face.affine_to(size).tolist(),
        "face": face.name,
    }
    config = model.config
    return Reading(
        face=face,
        scheme=scheme,
        model_name=model.name,
        input_size=size,
        alignment=alignment,
        trace=trace,
        mean_shape=start_shape.astype(np.float64),
        size_rule=getattr(config, "size_rule", None),
        size_limits=getattr(config, "size_limits", (0.5, 0.7)),
        likelihood=getattr(config, "likelihood", None),
        seconds=seconds,
        device=str(model.device),
        card_title=model.card.title if model.card else model.name,
    )
