"""One drawing on many faces: each face is encoded once, and a drawing that changes asks the decoder alone (TUFA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from PIL import Image

from workbench.axes import LANDMARK_TO_MAP
from workbench.errors import CheckpointError, DataError, UnknownNameError
from workbench.landmarks.geometry import affine, apply
from workbench.models.base import to_tensor
from workbench.reading import paths_of
from workbench.tracing import record

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel
    from workbench.models.tufa import Encoded
    from workbench.shaping import ShapeReading

MOST_FACES = 24
"""On how many faces a drawing is found at once."""
MOVED = 0.04
"""How far the other crops of a face are moved, in parts of their side; they are as much tighter and wider, too."""


@dataclass(frozen=True)
class EncodedFace:
    """A face as a model's decoder sees it; good for any drawing.

    Attributes:
        face: whose crop was encoded.
        memory: a batch of one.
        model: the name of the model that made it.
    """

    face: Face
    memory: Encoded
    model: str

    @property
    def nbytes(self) -> int:
        """For a cache that counts."""
        tensors = (self.memory.memory, self.memory.fine)
        return sum(t.numel() * t.element_size() for t in tensors if t is not None)


@dataclass(frozen=True)
class Found:
    """A drawing as it was found on K faces.

    Attributes:
        path: (K, 1 + layer, N, 2) in [0, 1] of each crop: the plane's points, then every layer's answer.
        looks: (K, N, h, w) cross-attention of every point, the mean over the heads of the layers that look at the same
            h x w cells; None when it was not asked for.
        looked: the tensors that ``looks`` is the mean of.
    """

    path: np.ndarray
    looks: np.ndarray | None = None
    looked: tuple[str, ...] = ()

    @property
    def points(self) -> np.ndarray:
        """(K, N, 2) the last layer's answer."""
        return np.asarray(self.path[:, -1])


@torch.inference_mode()
def encode_face(model: FaceModel, face: Face) -> EncodedFace:
    """Encode a face. Raises UnknownNameError for a model that takes no structure prompts."""
    network = _prompted(model)
    crop = to_tensor(face.crop(model.input_size))
    return EncodedFace(face, network.encode(model.prepare(crop)), model.name)


@torch.inference_mode()
def find_on(model: FaceModel, faces: Sequence[EncodedFace], points: ArrayLike, looks: bool = False) -> Found:
    """Find plane points (N, 2) on faces that were encoded.

    Args:
        looks: also where each point looks; the attention is then computed explicitly, which takes longer.

    Raises:
        DataError: no face, or one of another model; CheckpointError: answers that are not finite.
    """
    network = _prompted(model)
    if not faces or any(face.model != model.name for face in faces):
        raise DataError(f"There is no face that {model.name} has encoded; encode at least one.")
    asked = np.asarray(points, np.float32)
    memory = type(faces[0].memory).join([face.memory for face in faces])
    paths = _cross(model) if looks else []
    with record(model, only=paths) as trace:
        found, _ = network.decode(memory, torch.from_numpy(asked).to(model.device))
    path = found.permute(1, 0, 2, 3).double().cpu().numpy()
    if not np.isfinite(path).all():
        raise CheckpointError(f"{model.name} answers with values that are not numbers; its weights are damaged.")
    start = np.broadcast_to(asked.astype(np.float64), (len(faces), 1, *asked.shape))
    path = np.concatenate([start, path], 1)
    if not looks or not paths:
        return Found(path)
    maps = {name: trace[name].mean("head").numpy() for name in paths}
    shape = next(iter(maps.values())).shape[-2:]
    same = [name for name, value in maps.items() if value.shape[-2:] == shape]
    mean = np.mean([maps[name] for name in same], axis=0)
    return Found(path, mean, tuple(same))


@dataclass(frozen=True)
class OtherViews:
    """The same face, seen otherwise: its mirror image first, then crops that are moved, tighter and wider.

    Attributes:
        faces: V views, encoded.
        back: (V, 2, 3) from [0, 1] of each to [0, 1] of the face's own crop.
        mirror: (2, 3) the plane's mirror map, by least squares from the model's own points onto their twins.
    """

    faces: tuple[EncodedFace, ...]
    back: np.ndarray
    mirror: np.ndarray

    @property
    def nbytes(self) -> int:
        """For a cache that counts."""
        return sum(face.nbytes for face in self.faces)


def other_views(model: FaceModel, face: Face) -> OtherViews:
    """Encode the mirror image and four other crops of a face: moved by :data:`MOVED` to each side, tighter and wider.

    Raises:
        DataError: parts of the crop are painted, which another crop would not show.
        UnknownNameError: the model takes no structure prompts.
    """
    own, flip = _prompted(model).prompt().detach().cpu().double().numpy(), model.scheme.flip
    if face.painted:
        raise DataError("A face with a painted crop has no other views.")
    mirror = affine(own, own[list(flip)]) if model.scheme.can_flip else np.array([[-1.0, 0, 1], [0, 1, 0]])
    size = model.input_size
    flipped = face.with_crop(np.ascontiguousarray(face.crop(size)[:, ::-1]))
    # Not by `with_box` and `with_factor`: a crop at their limits is looked at from a little beyond them, too.
    box, step = np.array(face.box), np.array([MOVED * face.side, 0] * 2)
    middle = np.tile((box[:2] + box[2:]) / 2, 2)
    boxes = [box - step, box + step, *(middle + (box - middle) * (1 + way * MOVED) for way in (-1, 1))]
    crops = [replace(face, box=tuple(one.tolist()), _pixels=None, _painted=None) for one in boxes]
    corners = np.array([[0.0, 0], [1, 0], [0, 1]])
    back = [np.array([[-1, 0, (size - 1) / size], [0, 1, 0]])]  # pixel centres stand at integers
    back += [affine(corners, face.to_crop(one.to_photo(corners * size, size), size) / size) for one in crops]
    return OtherViews(tuple(encode_face(model, one) for one in (flipped, *crops)), np.stack(back), mirror)


def spread(model: FaceModel, views: OtherViews, points: ArrayLike, found: np.ndarray) -> np.ndarray:
    """How far the answers move when a face is seen otherwise: a confidence that needs no label.

    Args:
        points: (N, 2) of the plane; the mirror image is asked for their mirror image.
        found: (N, 2) the answer on the face's own crop, in [0, 1] of it.

    Returns:
        (N,) root mean square distance over the views, in parts of the crop's side.
    """
    asked = np.asarray(points, np.float64)
    first, *rest = views.faces
    answers = [find_on(model, [first], apply(views.mirror, asked)).points, find_on(model, rest, asked).points]
    moved = np.stack([apply(m, one) for m, one in zip(views.back, np.concatenate(answers), strict=True)])
    return np.asarray(np.sqrt(((moved - found) ** 2).sum(-1).mean(0)))


def with_spread(model: FaceModel, reading: ShapeReading) -> ShapeReading:
    """A reading that also tells the spread of its points: five forward passes.

    Raises:
        DataError: parts of the crop are painted. UnknownNameError: the model takes no structure prompts.
    """
    views = other_views(model, reading.face)
    return replace(reading, spread=spread(model, views, reading.drawing.points, reading.points()))


def tween(start: np.ndarray, end: np.ndarray, steps: int = 12) -> list[np.ndarray]:
    """Shapes (N, 2) from one to another, both included, at equal steps along straight lines of the plane."""
    return [start + (end - start) * t for t in np.linspace(0.0, 1.0, steps)]


def average_face(model: FaceModel, faces: Sequence[EncodedFace], side: int = 256) -> np.ndarray:
    """The mean (side, side, 3) uint8 of faces on the plane, each brought there by the affine map of least squares that
    takes the model's own landmarks, found on it, onto their plane points."""
    own = _prompted(model).prompt().detach().cpu().double().numpy()
    total = np.zeros((side, side, 3))
    for face, points in zip(faces, find_on(model, faces, own).points, strict=True):
        back = affine(own * side, points * side)  # from the plane's pixels to the crop's
        picture = Image.fromarray(face.face.crop(side))
        warped = picture.transform(
            (side, side), Image.Transform.AFFINE, tuple(back.ravel()[:6]), Image.Resampling.BICUBIC
        )
        total += np.asarray(warped, float)
    return (total / len(faces)).round().astype(np.uint8)


def _cross(model: FaceModel) -> list[str]:
    return paths_of(model, LANDMARK_TO_MAP)


def _prompted(model: FaceModel) -> Any:
    if not hasattr(model, "encode") or not hasattr(model, "prompt"):
        raise UnknownNameError(
            f"{model.name} finds its own landmarks only; choose a model that takes structure prompts."
        )
    return model
