"""What ATPN learns tracking and pose from: faces with angles, and pictures that are no upright face.

The thesis trains tracking on WIDER FACE and pose on 300W-LP. Where those are not at hand, this makes both from sets
with landmarks: angles by fitting a rigid 3-D face to dense mesh points, coarse angles from the five pose classes of
MTFL, and negatives from other places, scales and arrangements of the same photographs, from pictures without a
face that come with scikit-image, and from textures.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from workbench.data.augment import crop_boxes, crop_matrix, warp
from workbench.data.pack import Packed, pack
from workbench.data.readers import open_dataset
from workbench.data.texts import read_text, table_rows
from workbench.errors import DataError
from workbench.landmarks.geometry import rotation_angles

CLASS_YAW = {1: -60.0, 2: -30.0, 3: 0.0, 4: 30.0, 5: 60.0}
"""Degrees that stand for MTFL's pose classes, left profile to right profile of the picture."""
PICTURES = ("brick", "grass", "gravel", "coins", "motorcycle_left", "page", "text", "moon", "clock_motion", "cell")
HELD_OUT = ("coffee", "chelsea", "rocket", "motorcycle_right", "horse", "color")
"""Pictures of scikit-image without a person: to train with, and to measure with."""
MIRRORED = ((33, 263), (133, 362), (61, 291), (234, 454))
MIDLINE = (10, 152)
"""Vertices of MediaPipe's mesh: eye corners, mouth corners and cheeks in pairs; the middle of forehead and chin."""


@dataclass(frozen=True)
class Faces(Packed):
    """Faces with landmarks, each handed out with a random face of another set that has only a coarse pose.

    Attributes:
        pose: (M, 3) yaw, pitch, roll in radians, NaN where not known.
        turned, turned_pose: the other set, or None.

    An item is image, points, valid, pose, and the same four of the other set's face (its own again where there is no
    other set).
    """

    pose: Tensor | None = None
    turned: Packed | None = None
    turned_pose: Tensor | None = None

    def __getitem__(self, index: int | slice | Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        assert self.pose is not None
        own = (*super().__getitem__(index), self.pose[index])
        if self.turned is None or self.turned_pose is None or not isinstance(index, int):
            return (*own, *own)
        other = int(torch.randint(len(self.turned), ()))
        return (*own, *self.turned[other], self.turned_pose[other])


def rigid_face(meshes: np.ndarray, rounds: int = 3) -> np.ndarray:
    """The mean 3-D face of meshes (M, 478, 3): each is turned, scaled and moved onto the mean, then averaged.

    It stands upright: paired vertices differ in x alone on average, and the line from forehead to chin has no depth,
    which is what pitch 0 means.

    Returns:
        (478, 3), centred, root mean square distance 1.
    """
    x = meshes - meshes.mean(1, keepdims=True)
    x = x / np.sqrt(np.square(x).sum(-1).mean(1))[:, None, None]
    mean = x[0]
    for _ in range(rounds):
        u, _, vt = np.linalg.svd(np.einsum("ni,mnj->mij", mean, x))
        sign = np.linalg.det(u @ vt)
        u[:, :, 2] *= sign[:, None]
        mean = np.einsum("mij,mnj->mni", u @ vt, x).mean(0)
        mean = mean / np.sqrt(np.square(mean).sum(-1).mean())
    right = np.mean([mean[b] - mean[a] for a, b in MIRRORED], axis=0)
    right /= np.linalg.norm(right)
    down = mean[MIDLINE[1]] - mean[MIDLINE[0]]
    down -= right * (right @ down)
    down /= np.linalg.norm(down)
    return mean @ np.stack([right, down, np.cross(right, down)]).T


def weak_perspective(shape: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The rotations of a rigid face seen from afar (scaled orthographic projection, least squares).

    Args:
        shape: (K, 3).
        points: (M, K, 2) pixels, y down.

    Returns:
        (M, 3, 3).
    """
    centred = points - points.mean(1, keepdims=True)
    maps = np.einsum("kn,mnj->mjk", np.linalg.pinv(shape - shape.mean(0)), centred)  # (M, 2, 3)
    u, _, vt = np.linalg.svd(maps, full_matrices=False)
    rows = u @ vt
    return np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], 1)


def mesh_pose(folder: Path) -> dict[str, np.ndarray]:
    """Angles of the faces of a set with a ``dense_mediapipe.npz`` (files, points (M, 478, 3), ok): name -> (3,).

    Radians. The rigid face is that of the set's training part. An empty answer when there is no such file.

    Raises:
        DataError: when the file is not one.
    """
    path = folder / "dense_mediapipe.npz"
    if not path.is_file():
        return {}
    try:
        with np.load(path) as file:
            names, meshes, ok = file["files"].astype(str), file["points"].astype(float), file["ok"].astype(bool)
    except Exception as error:  # a damaged archive raises nearly every kind
        raise DataError(f"{path} holds no mesh points ({error}).") from error
    train = {sample.name for sample in open_dataset(folder, split="train")}
    usable = ok & np.isfinite(meshes).all((1, 2))
    chosen = usable & np.isin(names, list(train))
    if not chosen.any():
        return {}
    angles = rotation_angles(weak_perspective(rigid_face(meshes[chosen]), meshes[usable, :, :2]))
    return dict(zip(names[usable].tolist(), angles, strict=True))


def class_pose(folder: Path, names: tuple[str, ...], points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coarse angles from MTFL's pose classes: yaw by :data:`CLASS_YAW`, roll from the eyes, pitch unknown.

    Args:
        folder: with ``annotations.csv`` that has a column ``pose``.
        names: of the faces.
        points: (M, 5, 2) in pixels.

    Returns:
        (M, 3) radians, NaN for pitch, and the classes (M,).

    Raises:
        DataError: no such column, or a class that is not 1 to 5.
    """
    try:
        header, *rows = table_rows(read_text(folder / "annotations.csv"))
        found = {row[header.index("file")]: row[header.index("pose")] for row in rows}
        classes = np.array([int(found[name]) for name in names])
        yaw = np.deg2rad([CLASS_YAW[c] for c in classes])
    except (KeyError, ValueError, IndexError, csv.Error) as error:
        raise DataError(f"{folder} has no pose class from 1 to 5 for every face ({error}).") from error
    eyes = points[:, 1] - points[:, 0]
    return np.stack([yaw, np.full(len(yaw), np.nan), np.arctan2(eyes[:, 1], eyes[:, 0])], -1), classes


FROM_FIVE = np.array([[-1.171, 0.025, -0.015], [0.020, 0.084, -0.103], [0.009, 0.109, 1.353], [-0.007, 0.046, 0.965]])
"""Least squares over the 300-W training faces: nose offset (x, y), eye distance and 1 -> the 68 points' box,
centre and longer side; all relative to the middle between eyes and mouth and the distance from eyes to mouth."""


def frame_from_five(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the box of 68 landmarks would lie, from eye centres, nose tip and mouth corners.

    Args:
        points: (M, 5, 2).

    Returns:
        Centre (M, 2) and longer side (M,).
    """
    eyes, mouth = points[:, :2].mean(1), points[:, 3:].mean(1)
    middle, unit = (eyes + mouth) / 2, np.linalg.norm(mouth - eyes, axis=-1)
    nose = (points[:, 2] - middle) / unit[:, None]
    width = np.linalg.norm(points[:, 1] - points[:, 0], axis=-1) / unit
    box = np.column_stack([nose, width, np.ones(len(points))]) @ FROM_FIVE
    return middle + box[:, :2] * unit[:, None], box[:, 2] * unit


def open_turned(folder: Path, split: str, size: int, cache: Path | None) -> tuple[Packed, Tensor, np.ndarray]:
    """The MTFL faces of a split with their coarse pose (M, 3) and their classes (M,).

    Their points are (M, 2, 2): two corners of the box in which 68 landmarks would lie.
    """
    packed = pack(open_dataset(folder, split=split), size=size, cache=cache, progress=False)
    points = packed.labelled()
    pose, classes = class_pose(folder, packed.files, points)
    centre, side = frame_from_five(points)
    corners = torch.from_numpy(np.stack([centre - side[:, None] / 2, centre + side[:, None] / 2], 1)).float()
    valid = torch.ones(corners.shape[:2], dtype=torch.bool)
    return Packed(packed.images, corners, valid, packed.files), torch.from_numpy(pose).float(), classes


def box_of(points: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Centre (B, 2) and longer side (B,) of the tight box of the valid points."""
    return crop_boxes(points, valid, 1.0)


def mirrored(matrix: Tensor, flip: Tensor, size: int) -> Tensor:
    """The crop matrices (B, 2, 3), followed by x -> size - x where ``flip`` (B,) holds."""
    out = matrix.clone()
    out[flip, 0] = -out[flip, 0]
    out[flip, 0, 2] += size
    return out


def posed_views(
    images: Tensor, centre: Tensor, side: Tensor, pose: Tensor, size: int, generator: Generator, turn: float = 30.0
) -> tuple[Tensor, Tensor]:
    """Random crops of faces and the angles that then hold: roll follows the turn, yaw and roll the mirror.

    Args:
        images: uint8 (B, 3, P, P).
        centre, side: (B, 2), (B,), of the landmarks' box in stored pixels.
        pose: (B, 3) radians.
        size: of the crops.
        generator: of the randomness.
        turn: largest turn in degrees.

    Returns:
        (B, 3, size, size) in [0, 1] and (B, 3).
    """
    b, device = len(images), images.device

    def between(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand((b, *shape), generator=generator, device=device)

    angle, flip = torch.deg2rad(between(-turn, turn)), between(0, 1) < 0.5
    matrix = crop_matrix(centre + between(-0.08, 0.08, 2) * side[:, None], side * between(1.1, 1.65), size, angle)
    turned = pose + torch.stack([torch.zeros_like(angle), torch.zeros_like(angle), angle], -1)
    signs = torch.where(flip, -1.0, 1.0)
    turned = turned * torch.stack([signs, torch.ones_like(signs), signs], -1)
    return coloured(warp(images, mirrored(matrix, flip, size), size), generator), turned


def coloured(crops: Tensor, generator: Generator) -> Tensor:
    """A fifth in grey, half brighter or darker, as ``augment_batch`` does; (B, 3, S, S) in [0, 1]."""
    b, device = len(crops), crops.device
    one = torch.rand((4, b, 1, 1, 1), generator=generator, device=device)
    crops = torch.where(one[0] < 0.2, crops.mean(1, keepdim=True).expand_as(crops), crops)
    gain = torch.where(one[1] < 0.5, 0.6 + 0.7 * one[2], 1.0)
    return (crops * gain + 0.2 * (one[3] - 0.5) * (one[1] < 0.5)).clamp(0, 1)


KINDS = ("part", "beside", "far", "turned over", "shuffled", "texture", "picture")


def overlap(shift: Tensor, scale: Tensor) -> Tensor:
    """Intersection over union of a unit square and one of side ``scale`` (B,) whose centre is off by ``shift``
    (B, 2)."""
    half = scale[:, None] / 2
    both = torch.minimum(shift + half, shift.new_tensor(0.5)) - torch.maximum(shift - half, shift.new_tensor(-0.5))
    inside = both.clamp_min(0).prod(-1)
    return inside / (1 + scale.square() - inside)


def non_faces(
    images: Tensor, centre: Tensor, side: Tensor, size: int, generator: Generator, pictures: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """One crop of every photograph that is no upright face.

    By chance one of :data:`KINDS`: a part of the face, a place beside it or a view from far (all with less than 0.3 of
    intersection over union with the landmarks' box), the face turned over, its blocks shuffled, a texture, or a place
    in a picture without a face.

    Args:
        images: uint8 (B, 3, P, P).
        centre, side: (B, 2), (B,), of the landmarks' box in stored pixels.
        size: of the crops.
        generator: of the randomness.
        pictures: uint8 (3, h, w), without faces; when empty, textures stand in.

    Returns:
        (B, 3, size, size) in [0, 1] and the index of the kind (B,).
    """
    b, device = len(images), images.device

    def between(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand((b, *shape), generator=generator, device=device)

    kind = torch.randint(len(KINDS), (b,), generator=generator, device=device)
    part, beside, far, over, shuffle, texture, picture = (kind == i for i in range(len(KINDS)))
    scale = torch.where(part, between(0.15, 0.5), torch.where(far, between(2.2, 4.0), between(0.7, 1.4)))
    direction = F.normalize(between(-1, 1, 2), p=torch.inf, dim=-1)
    away = direction * (torch.maximum(scale, torch.ones_like(scale)) * between(0.72, 1.0))[:, None]
    shift = torch.where(beside[:, None], away, between(-0.5, 0.5, 2) * (part | far)[:, None])
    scale = torch.where(over | shuffle, between(1.1, 1.5), scale)
    angle = torch.where(over, torch.pi + between(-1.0, 1.0), between(-0.5, 0.5))
    matrix = crop_matrix(centre + shift * side[:, None], side * scale, size, angle)
    padding = "zeros" if bool(torch.rand((), generator=generator, device=device) < 0.5) else "border"
    crops = warp(images, matrix, size, padding)
    for i in shuffle.nonzero()[:, 0].tolist():
        crops[i] = _shuffled(crops[i], generator)
    for i in texture.nonzero()[:, 0].tolist():
        crops[i] = _texture(size, generator, device)
    for i in picture.nonzero()[:, 0].tolist():
        crops[i] = _place(pictures, size, generator, device) if pictures else _texture(size, generator, device)
    return coloured(crops, generator), kind


def _shuffled(crop: Tensor, generator: Generator) -> Tensor:
    """The blocks of a crop (3, S, S) in another order."""
    n, size = int(torch.randint(3, 6, (), generator=generator, device=crop.device)), crop.shape[-1]
    block = size // n
    tiles = crop[:, : n * block, : n * block].unflatten(2, (n, block)).unflatten(1, (n, block))
    tiles = tiles.permute(1, 3, 0, 2, 4).flatten(0, 1)
    tiles = tiles[torch.randperm(n * n, generator=generator, device=crop.device)].unflatten(0, (n, n))
    out = tiles.permute(2, 0, 3, 1, 4).flatten(3, 4).flatten(1, 2)
    return F.interpolate(out[None], size=(size, size), mode="bilinear", align_corners=False)[0]


def _texture(size: int, generator: Generator, device: torch.device) -> Tensor:
    """Noise of a random fineness over a random colour, (3, S, S)."""
    grid = 2 ** int(torch.randint(0, 7, (), generator=generator, device=device))
    noise = torch.rand((1, 3, grid, grid), generator=generator, device=device)
    colour = torch.rand((3, 1, 1), generator=generator, device=device)
    strength = torch.rand((), generator=generator, device=device)
    smooth = F.interpolate(noise, size=(size, size), mode="bicubic", align_corners=False)[0]
    return (colour + strength * (smooth - 0.5) * 2).clamp(0, 1)


def _place(pictures: list[Tensor], size: int, generator: Generator, device: torch.device) -> Tensor:
    """A random square of a random picture, (3, S, S) in [0, 1]."""
    image = pictures[int(torch.randint(len(pictures), (), generator=generator, device=device))]
    limit = torch.tensor([image.shape[2], image.shape[1]], device=device)
    fraction = torch.rand(4, generator=generator, device=device)
    side = (0.2 + 0.8 * fraction[0]) * limit.min()
    centre = side / 2 + fraction[1:3] * (limit - side)
    matrix = crop_matrix(centre[None], side[None], size, 3.0 * (fraction[3:] - 0.5))
    return warp(image[None].to(device), matrix, size, "border")[0]


def open_pictures(names: tuple[str, ...]) -> list[Tensor]:
    """Pictures that come with scikit-image, uint8 (3, h, w)."""
    import skimage
    from PIL import Image

    out = []
    for name in names:
        path = next((Path(skimage.__file__).parent / "data").glob(f"{name}.*"), None)
        if path is not None:
            with Image.open(path) as image:
                out.append(torch.from_numpy(np.array(image.convert("RGB")).transpose(2, 0, 1).copy()))
    return out
