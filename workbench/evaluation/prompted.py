"""Faces of a set in crops of one's own choice, encoded once for a model that takes structure prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import numpy as np
import torch
from tqdm import tqdm

from workbench.data.mixed import SOURCES
from workbench.data.samples import Sample
from workbench.errors import DataError, UnknownNameError, WorkbenchError
from workbench.faces import Face
from workbench.landmarks import Scheme
from workbench.landmarks.geometry import CROP_FACTOR, square_crop
from workbench.landmarks.metrics import normaliser_distances
from workbench.models.base import FaceModel
from workbench.models.tufa import TUFA

BATCH = 16
_FIVE = SOURCES["mtfl5"]

Square = tuple[np.ndarray, float]
"""Centre (2,) and side of a crop, pixels of the picture."""


class PromptedFaces:
    """A batch of crops, encoded once."""

    def __init__(self, model: TUFA, samples: list[Sample], faces: list[Face], left_out: list[str]) -> None:
        self.model, self.samples, self.faces, self.left_out = model, samples, faces, left_out
        crops = np.stack([face.crop(model.input_size) for face in faces])
        images = torch.from_numpy(crops).permute(0, 3, 1, 2).to(model.device).float() / 255
        with torch.inference_mode():
            self.encoded = model.encode(model.prepare(images))

    def found(self, prompt: torch.Tensor | None = None, inside: bool = False) -> np.ndarray:
        """(B, P, 2) where plane points lie, in pixels of each picture, or ``inside`` its crop of side 1; without a
        prompt the model's own convention."""
        with torch.inference_mode():
            prompt = self.model.prompt() if prompt is None else prompt.to(self.model.device)
            points = self.model.decode(self.encoded, prompt)[0][-1].float().cpu().numpy().astype(np.float64)
        if inside:
            return points
        size = self.model.input_size
        return np.stack([face.to_photo(p * size, size) for face, p in zip(self.faces, points, strict=True)])

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Points (B, N, 2) of the pictures in crops of side 1."""
        size = self.model.input_size
        return np.stack([f.to_crop(p, size) / size for f, p in zip(self.faces, points, strict=True)])


def read_faces(
    model: TUFA, samples: Sequence[Sample], square: Callable[[Sample], Square], progress: bool, words: str
) -> Iterator[PromptedFaces]:
    """The faces of samples in batches, each cropped to the square that ``square`` gives for its sample."""
    for first in tqdm(range(0, len(samples), BATCH), desc=words, unit="batch", disable=not progress):
        kept, faces, left_out = [], [], []
        for sample in samples[first : first + BATCH]:
            try:
                centre, side = square(sample)
                (x, y), half = centre.tolist(), side / CROP_FACTOR / 2
                box = (x - half, y - half, x + half, y + half)
                faces.append(Face(sample.image().convert("RGB"), box, name=sample.name))
                kept.append(sample)
            except WorkbenchError as error:
                left_out.append(f"{sample.name}: {error}")
        if kept:
            yield PromptedFaces(model, kept, faces, left_out)


def square_around(points: np.ndarray, mean: np.ndarray | None) -> Square:
    """Where the crop of a face lies that has only these labels: as far around them as the crop lies around the mean
    shape (N, 2), itself in a crop of side 1. Without one, 1.2 times their box; of five points as in training."""
    known = np.isfinite(points).all(1)
    centre, side = square_crop(points, 1.0)
    if mean is not None:
        middle, extent = square_crop(np.where(known[:, None], mean, np.nan), 1.0)
        return centre - (middle - 0.5) * side / extent, side / extent
    if len(points) == 5:
        return centre + np.array([0.0, _FIVE.lower * side]), CROP_FACTOR * _FIVE.widen * side
    return centre, CROP_FACTOR * side


def mean_shapes(
    model: TUFA, samples: Sequence[Sample], scheme: Scheme, progress: bool
) -> tuple[np.ndarray, np.ndarray, int]:
    """The mean shapes of the labels (N, 2) and of the model's own landmarks (K, 2) in its crops, and of how many
    faces: the crop around what the model found in a first look."""
    labels, own = [], []
    first: dict[str, np.ndarray] = {}
    for faces in read_faces(model, samples, lambda s: square_around(s.points, None), progress, "first look"):
        first |= {s.name: p for s, p in zip(faces.samples, faces.found(), strict=True)}
    again = [s for s in samples if s.name in first]
    for faces in read_faces(model, again, lambda s: square_crop(first[s.name]), progress, "mean shape"):
        own.append(faces.found(inside=True))
        labels.append(faces.inside(np.stack([s.points for s in faces.samples])))
    if not labels:
        raise DataError(f"No face has labels of '{scheme.name}' to take a mean shape of.")
    mean = np.concatenate(labels)
    if np.isnan(mean).all(0).any():
        raise DataError(f"A point of '{scheme.name}' is missing in every face, so it has no mean.")
    return np.nanmean(mean, 0), np.concatenate(own).mean(0), len(mean)


def eye_distance(faces: PromptedFaces, scheme: Scheme, truth: np.ndarray) -> np.ndarray:
    """(B,) between the outer eye corners: the labels', or, of a scheme that names none, those that the model finds."""
    if scheme.eye_corners is not None:
        return normaliser_distances(truth, scheme, "inter_ocular")
    return normaliser_distances(faces.found(), faces.model.scheme, "inter_ocular")


def prompted(model: FaceModel) -> TUFA:
    """A model that takes structure prompts, as one. Raises UnknownNameError for any other."""
    if not hasattr(model, "decode") or not hasattr(model, "prompt"):
        raise UnknownNameError(f"{model.name} finds its own landmarks only; zero-shot needs a TUFA.")
    return cast("TUFA", model)
