"""From a model and a face to an attribution."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack
from weakref import WeakKeyDictionary

import numpy as np
import torch

from workbench.attribution.answers import Asked, Meter, Progress, check_landmark, check_target, crop_of
from workbench.attribution.captums import CAPTUM, Job, chosen_layer
from workbench.attribution.fills import filled
from workbench.attribution.parts import Parts, facial_parts
from workbench.attribution.register import BACKWARD, Method, Options, Settings, get_method
from workbench.attribution.result import Attribution, AttributionReading, carrying
from workbench.attribution.sweeps import (
    Sweep,
    coalition_masks,
    coalitions,
    digest,
    occlusion_maps,
    remembered,
    shapley_values,
    sweep,
    turn,
    window_masks,
)
from workbench.reading import read

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel

_SPEED_BATCH = 4
_MOST_PARTS = 6


@dataclass(frozen=True)
class Cost:
    """What an attribution takes.

    Attributes:
        passes: forward passes of one crop.
        seconds: expected, from one pass that was timed.
    """

    passes: int
    seconds: float


def cost(
    model: FaceModel, method: str = "occlusion", target: str = "displacement", **options: Unpack[Options]
) -> Cost:
    """What :func:`attribute` will take on this machine: passes, times one that is timed now (once for each model).

    Raises:
        UnknownNameError, SettingsError: as :func:`attribute`.
    """
    how, settings = get_method(method), Settings(**options)
    check_target(target, model)
    forward, back = how.passes(settings, model.input_size, _MOST_PARTS, 2 if target == "displacement" else 1)
    return Cost(forward + back, (forward + BACKWARD * back) * seconds_of_a_pass(model))


_SPEEDS: WeakKeyDictionary[FaceModel, float] = WeakKeyDictionary()
_SPEEDS_LOCK = threading.Lock()


def seconds_of_a_pass(model: FaceModel) -> float:
    """Seconds of a forward pass for one crop, in a batch; timed once for each model."""
    with _SPEEDS_LOCK:
        if model not in _SPEEDS:
            blank = torch.full((_SPEED_BATCH, 3, model.input_size, model.input_size), 0.5)
            with torch.inference_mode():
                model(model.prepare(blank[:1]))
                start = time.perf_counter()
                model(model.prepare(blank))
            _SPEEDS[model] = (time.perf_counter() - start) / _SPEED_BATCH
        return _SPEEDS[model]


def attribute(
    model: FaceModel,
    face: Face,
    landmark: int,
    target: str = "displacement",
    method: str = "occlusion",
    *,
    progress: Progress | None = None,
    **options: Unpack[Options],
) -> Attribution:
    """What places or parts of a face do to one number of a model's answer.

    Values are the target of the crop as it is, less that without the place, in pixels of the crop; slopes are those
    of the answer with respect to RGB in [0, 1]. "displacement" is minus the distance from the plain answer, so that
    positive values hold the landmark where it is. A distance has no slope at zero: Saliency, SmoothGrad and Grad-CAM
    show the Euclidean norm of both coordinates' maps instead; integrals run over it as it is.

    Args:
        model: from ``load_model``.
        face: from ``load_face`` or ``sample_face``.
        landmark: from 0, as the scheme counts.
        target: "displacement", "x", "y", or "log_sigma" where the model predicts one.
        method: a name of ``attribution.METHODS``. "occlusion" and "shapley" are loops of our own that answer for all
            landmarks and targets; they are remembered, so that another landmark costs nothing.
        progress: told (passes done, all); what answers False, or raises, ends the work.
        options: of :class:`workbench.attribution.Settings`.

    Raises:
        UnknownNameError: no such method, target, landmark, fill or layer.
        SettingsError: the model predicts no sigma, or a setting makes no sense.
        Cancelled: ``progress`` answered False.
    """
    return attributed(model, face, landmark, target, method, progress=progress, **options).shown(landmark)


def attributed(
    model: FaceModel,
    face: Face,
    landmark: int,
    target: str = "displacement",
    method: str = "occlusion",
    *,
    progress: Progress | None = None,
    **options: Unpack[Options],
) -> AttributionReading:
    """A reading that carries :func:`attribute`'s result, of all landmarks where one loop gives all; arguments and
    errors as there."""
    start = time.perf_counter()
    how, settings = get_method(method), Settings(**options)
    landmark = check_landmark(landmark, model)
    settings.windows(model.input_size)
    check_target(target, model)
    reading = read(model, face, taps=())
    check_target(target, model, reading.alignment.variance is not None)
    crop = face.crop(model.input_size)
    rgb = crop_of(model, crop)
    plain = reading.points() * model.input_size
    parts = facial_parts(model.scheme, plain, model.input_size)
    cover = filled(crop, settings.fill, plain)
    fill = crop_of(model, cover)
    layer = chosen_layer(model, settings.layer) if method in ("grad_cam", "layer_integrated_gradients") else ""
    total = how.passes(settings, model.input_size, len(parts.names), 2 if target == "displacement" else 1)
    asked = Asked(model, Meter(sum(total), progress))
    with turn(model, progress):
        if how.every:
            key = (method, digest(crop, cover, parts.mask), settings.windows(model.input_size))
            found = remembered(model, key, lambda: _swept(asked, how, rgb, fill, parts, settings))
            maps, values, totals = _from_sweep(found, how, target, parts)
        else:
            still = torch.as_tensor(plain, dtype=rgb.dtype, device=rgb.device)
            job = Job(asked, rgb, fill, still, landmark, target, parts, settings)
            made = CAPTUM[method](job)
            whole = None
            if how.filled:
                with torch.no_grad():
                    ends = job.function(asked=Asked(model))(torch.stack([rgb, fill]))
                whole = float(ends[0] - ends[1])
            maps, values, totals = _from_captum(made, how, parts, landmark, whole)
    seconds = time.perf_counter() - start
    made_of = {
        at: Attribution(
            scheme=model.scheme, model=model.name, face=face.name, landmark=at, target=target, method=method,
            settings=settings, input_size=model.input_size, map=maps[at], parts=parts, values=values[at],
            sum=None if not how.complete else float(values[at].sum() if how.parts else maps[at].sum()),
            total=totals[at], seconds=seconds, layer=layer,
        )
        for at in maps
    }  # fmt: skip
    return carrying(reading, made_of, landmark)


Found = tuple[dict[int, np.ndarray], dict[int, np.ndarray], dict[int, float | None]]
"""By landmark: the map, the value of each part, and the target of the crop less that of the fill."""


def _swept(
    asked: Asked, how: Method, rgb: torch.Tensor, fill: torch.Tensor, parts: Parts, settings: Settings
) -> Sweep:
    if how.parts:
        return sweep(asked, rgb, fill, coalition_masks(parts))
    window, stride = settings.windows(rgb.shape[-1])
    return sweep(asked, rgb, fill, window_masks(rgb.shape[-1], window, stride), window, stride)


def _from_sweep(found: Sweep, how: Method, target: str, parts: Parts) -> Found:
    change = found.change(target)
    if how.parts:
        values = shapley_values(coalitions(len(parts.names)), -change)
        each = {k: values[:, k] for k in range(values.shape[1])}
        return {k: v[parts.mask] for k, v in each.items()}, each, {k: float(change[0, k]) for k in each}
    maps = dict(enumerate(occlusion_maps(found, change)))
    return maps, {k: parts.mean(np.abs(m)) for k, m in maps.items()}, dict.fromkeys(maps)


def _from_captum(made: np.ndarray, how: Method, parts: Parts, landmark: int, whole: float | None) -> Found:
    if how.parts:
        return {landmark: made[parts.mask]}, {landmark: made}, {landmark: whole}
    return {landmark: made}, {landmark: parts.mean(np.abs(made))}, {landmark: whole}
