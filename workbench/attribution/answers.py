"""A model as a plain function of RGB crops, and the one number of its answer that an attribution explains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from workbench.errors import Cancelled, SettingsError, UnknownNameError, unknown

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel

TARGETS = ("displacement", "x", "y", "log_sigma")
BATCH = 16
"""Crops of one forward pass."""
Progress = Callable[[int, int], object]
"""(forward passes done, all of them); what answers False ends the work."""


@dataclass(frozen=True)
class Answer:
    """What a model says of a batch.

    Attributes:
        points: (B, N, 2) landmarks, pixels of the crop.
        log_sigma: (B, N) natural logarithm of the geometric mean of both predicted deviations in pixels of the crop;
            None without an uncertainty.
    """

    points: Tensor
    log_sigma: Tensor | None

    def target(self, name: str, landmark: int, plain: Tensor) -> Tensor:
        """(B,) what is explained: a coordinate, the log of sigma, or minus the distance from the plain answer.

        Args:
            plain: (2,) where the landmark lies in the plain answer.
        """
        if name == "log_sigma":
            assert self.log_sigma is not None
            return self.log_sigma[:, landmark]
        if name == "displacement":
            return -torch.linalg.vector_norm(self.points[:, landmark] - plain, dim=-1)
        return self.points[:, landmark, "xy".index(name)]


class Meter:
    """Counts forward passes and tells of them.

    Raises:
        Cancelled: whoever is told answers False.
    """

    def __init__(self, total: int, progress: Progress | None = None) -> None:
        self.total, self.done, self.progress = total, 0, progress

    def add(self, passes: int) -> None:
        """So many more are done."""
        self.done += passes
        if self.progress is not None and self.progress(min(self.done, self.total), self.total) is False:
            raise Cancelled("The attribution was cancelled.")


class Asked:
    """A model asked with RGB crops (B, 3, S, S) in [0, 1], which it normalises itself: slopes are those of RGB."""

    def __init__(self, model: FaceModel, meter: Meter | None = None) -> None:
        self.model, self.meter = model, meter or Meter(0)

    def __call__(self, rgb: Tensor) -> Answer:
        self.meter.add(0)
        found = self.model(self.model.prepare(rgb))
        log_sigma = found.sigma().log().mean(-1) if found.variance is not None else None
        self.meter.add(len(rgb))
        return Answer(found.landmarks, log_sigma)

    def under(self, rgb: Tensor, fill: Tensor, masks: Tensor) -> Answer:
        """What it says where parts of one crop are replaced, without gradients.

        Args:
            rgb, fill: (3, S, S) the crop and what replaces it.
            masks: (K, S, S) bool, true where it is replaced.
        """
        found = []
        with torch.inference_mode():
            for some in masks.split(BATCH):
                found.append(self(torch.where(some[:, None].to(rgb.device), fill, rgb)))
        sigma = [one.log_sigma for one in found if one.log_sigma is not None]
        return Answer(torch.cat([one.points for one in found]), torch.cat(sigma) if sigma else None)


def answer_of(model: FaceModel, landmark: int, target: str = "x") -> Callable[[Tensor], Tensor]:
    """A model as the function that autograd and Captum take, with one number of its answer a crop.

    Args:
        model: from ``load_model``.
        landmark: which one.
        target: "x" or "y" in pixels of the crop, or "log_sigma" where the model predicts one.

    Returns:
        RGB crops (B, 3, S, S) in [0, 1], see :func:`rgb_of` -> (B,).

    Raises:
        UnknownNameError: no such landmark or target.
    """
    check_landmark(landmark, model)
    known = [name for name in TARGETS if name != "displacement"]
    if target not in known:
        raise UnknownNameError(f"A plain answer has no '{target}'; choose one of {', '.join(known)}.")
    asked = Asked(model)

    def answer(rgb: Tensor) -> Tensor:
        found = asked(rgb)
        check_target(target, model, found.log_sigma is not None)
        return found.target(target, landmark, rgb.new_zeros(2))

    return answer


def rgb_of(model: FaceModel, face: Face) -> Tensor:
    """(1, 3, S, S) RGB in [0, 1], a face's crop at the model's size and on its device."""
    return crop_of(model, face.crop(model.input_size))[None]


def crop_of(model: FaceModel, crop: object) -> Tensor:
    """(S, S, 3) uint8 -> (3, S, S) in [0, 1] on the model's device."""
    return torch.tensor(crop, device=model.device).permute(2, 0, 1).float() / 255


def check_target(target: str, model: FaceModel, has_sigma: bool = True) -> None:
    """Raises UnknownNameError for a target that does not exist, SettingsError for one that this model lacks."""
    if target not in TARGETS:
        raise unknown("target", target, TARGETS)
    if target == "log_sigma" and not has_sigma:
        raise SettingsError(
            f"{model.name} predicts no sigma; choose another target ({', '.join(TARGETS[:-1])}) or a DSLPT model."
        )


def check_landmark(landmark: int, model: FaceModel) -> int:
    """The landmark. Raises UnknownNameError where the model has none of that number."""
    count = model.scheme.count
    if isinstance(landmark, bool) or not isinstance(landmark, int) or not 0 <= landmark < count:
        raise UnknownNameError(f"{model.name} has the landmarks 0 to {count - 1}, not {landmark}.")
    return landmark
