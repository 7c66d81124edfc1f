"""Faces whose landmarks follow different conventions, in one batch (TUFA's joint training, thesis 6.2.1 and 6.3).

Every face carries the points of all conventions side by side, T in all, with those it lacks marked as missing. A
convention is then a run of columns, a mirrored face exchanges columns, and a step of the training draws some columns
of every face, the anchors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from workbench.data.augment import crop_boxes
from workbench.data.pack import Packed, join, pack
from workbench.data.readers import open_dataset
from workbench.data.samples import FaceDataset, Sample
from workbench.errors import DataError, UnknownNameError
from workbench.landmarks import Scheme, get_scheme, user_scheme
from workbench.landmarks.geometry import CROP_FACTOR

DENSE = "user478"
"""Name of the convention of MediaPipe's 478 mesh points."""
_DENSE_FILE, _DENSE_COUNT, _DENSE_FLIP = "dense_mediapipe.npz", 478, "mediapipe478"


@dataclass(frozen=True)
class Source:
    """One data set of a mixture.

    Attributes:
        folder: below the data folder.
        labels: (convention, its labels, share of the anchors); labels as ``open_dataset`` takes them, or "dense" for
            MediaPipe's mesh. The first gives the crop.
        widen: by what the box of the first convention's points is widened before the crop's 1.2: 1 for 68 and 98
            points, 1.1 for 29 (as in the published training), and for five points the ratio of the boxes of 68 and
            five points, its mean over the training faces of 300-W.
        lower: how far the box's centre then moves from the eyes towards the mouth, in sides of the box before it was
            widened; measured likewise.
        draw: faces that an epoch takes of it, 0 for all.
        hold: every ``hold``-th face is kept out of the training, 0 for none (for sets without a test part).
    """

    folder: str
    labels: tuple[tuple[str, str | None, float], ...]
    widen: float = 1.0
    lower: float = 0.0
    draw: int = 0
    hold: int = 0


SOURCES = {
    source.folder: source
    for source in (
        Source("w300_68", (("ibug68", None, 0.55), ("wflw98", "pseudo98", 0.2), (DENSE, "dense", 0.25))),
        Source("helen29", (("cofw29", None, 0.7), ("wflw98", "pseudo98", 0.3)), widen=1.1, hold=7),
        Source("mtfl5", (("five", None, 1.0),), widen=2.02, lower=0.14, draw=500),
        Source("wflw", (("wflw98", None, 1.0),)),
        Source("300w", (("ibug68", None, 1.0),)),
        Source("cofw", (("cofw29", None, 1.0),), widen=1.1),
    )
}
"""Known sources by folder. The crop of five points is derived: 2.02 and 0.14 put the face where 68 points would."""


@dataclass(frozen=True)
class Layout:
    """How conventions lie side by side in T columns.

    Attributes:
        conventions: in order.
        counts: points of each.
        scheme: the joined scheme, whose flip exchanges columns inside each convention.
    """

    conventions: tuple[str, ...]
    counts: tuple[int, ...]
    scheme: Scheme

    @cached_property
    def columns(self) -> dict[str, slice]:
        """Convention -> its columns."""
        ends = np.cumsum(self.counts).tolist()
        starts = [0, *ends[:-1]]
        return {name: slice(a, b) for name, a, b in zip(self.conventions, starts, ends, strict=True)}

    @property
    def total(self) -> int:
        """T."""
        return sum(self.counts)


def make_layout(conventions: Sequence[str], data: Path | None = None) -> Layout:
    """The columns of some conventions.

    Args:
        conventions: names of schemes; :data:`DENSE` needs ``data``.
        data: the folder with ``flip_pairs.json``, which says how the mesh is mirrored.

    Raises:
        UnknownNameError: no such convention. DataError: the mesh's flip pairs are missing.
    """
    flip: list[int] = []
    counts = []
    for name in conventions:
        pairs = _dense_flip(data) if name == DENSE else get_scheme(name).flip
        flip += [len(flip) + i for i in pairs]
        counts.append(len(pairs))
    return Layout(tuple(conventions), tuple(counts), user_scheme("mixed", len(flip), flip=flip))


def _dense_flip(data: Path | None) -> list[int]:
    path = None if data is None else next((p for p in _beside(data, "flip_pairs.json") if p.is_file()), None)
    if path is None:
        raise DataError("The dense mesh needs flip_pairs.json beside the data sets, to know how it is mirrored.")
    try:
        pairs = [int(i) for i in json.loads(path.read_text(encoding="utf-8"))[_DENSE_FLIP]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} has no flip pairs '{_DENSE_FLIP}' ({error!r}).") from error
    if sorted(pairs) != list(range(_DENSE_COUNT)):
        raise DataError(f"The flip pairs '{_DENSE_FLIP}' in {path} are no permutation of {_DENSE_COUNT} points.")
    return pairs


def _beside(data: Path, name: str) -> list[Path]:
    return [data / name, data.parent / name]


def open_mixed(source: Source, folder: Path, layout: Layout, split: str | None) -> FaceDataset:
    """A data set whose faces have the points of every convention (T, 2), NaN where missing.

    Raises:
        DataError: labels that are missing or damaged, or none of whose conventions is asked for.
    """
    wanted = [(name, labels) for name, labels, _ in source.labels if name in layout.columns]
    if not wanted:
        raise DataError(f"{folder.name} has none of the conventions {', '.join(layout.conventions)}.")
    base: FaceDataset | None = None
    points: dict[str, np.ndarray] = {}
    for name, labels in wanted:
        if labels == "dense":
            found = _read_dense(folder)
        else:
            dataset = open_dataset(folder, scheme=name, split=split, labels=labels)
            base = base or dataset
            found = {sample.name: sample.points for sample in dataset}
        for file, values in found.items():
            row = points.setdefault(file, np.full((layout.total, 2), np.nan))
            row[layout.columns[name]] = values
    if base is None:
        raise DataError(f"{folder.name} needs another convention beside the dense mesh, which gives the crop.")
    samples: tuple[Sample, ...] = tuple(replace(sample, points=points[sample.name]) for sample in base)
    return replace(base, scheme=layout.scheme, samples=samples, labels="mixed")


def _read_dense(folder: Path) -> dict[str, np.ndarray]:
    path = folder / _DENSE_FILE
    try:
        with np.load(path, allow_pickle=False) as archive:
            files, points, ok = archive["files"].tolist(), archive["points"][..., :2].astype(float), archive["ok"]
    except Exception as error:  # a damaged archive raises nearly every kind
        raise DataError(f"{path} is missing or damaged; it needs files, points and ok ({error}).") from error
    if points.shape != (len(files), _DENSE_COUNT, 2):
        raise DataError(f"The points of {path} have the shape {points.shape}, not ({len(files)}, {_DENSE_COUNT}, 2).")
    points[~ok] = np.nan
    return dict(zip(files, points, strict=True))


def frames(points: Tensor, valid: Tensor, widen: float, lower: float) -> Tensor:
    """The square that stands for a face's box, from the points of one convention.

    Args:
        points: (M, N, 2); ``valid`` (M, N).
        widen, lower: as in :class:`Source`. ``lower`` needs five points: eyes first, mouth corners last.

    Returns:
        (M, 3): centre x, y and side; the papers' crop is 1.2 times the side.
    """
    centre, side = crop_boxes(points, valid, widen)
    if lower:
        down = points[:, -2:].mean(1) - points[:, :2].mean(1)
        centre = centre + lower * side[:, None] / widen * down / down.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    return torch.cat([centre, side[:, None]], -1)


@dataclass(frozen=True)
class MixedFaces:
    """Faces of several sources; an item is (image, points (T, 2), valid (T,), frame (3,), weights (T,)).

    Attributes:
        packed: all faces, points and marks in T columns.
        layout: what the columns are.
        frame: (M, 3), see :func:`frames`.
        weights: (source, T), the chance of a column to be drawn as an anchor, before missing points are taken out.
        source_of: (M,), which row of ``weights`` a face has.
        parts: (first, faces, faces an epoch) of every source, in the order of the faces.
    """

    packed: Packed
    layout: Layout
    frame: Tensor
    weights: Tensor
    source_of: Tensor
    parts: tuple[tuple[int, int, int], ...]

    def __len__(self) -> int:
        return sum(part[2] for part in self.parts)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """A source of which an epoch takes a part gives a random face of its own (PyTorch's generator)."""
        for first, faces, epoch in self.parts:
            if index < epoch:
                inside = index if epoch == faces else int(torch.randint(faces, ()))
                row = first + inside
                return (*self.packed[row], self.frame[row], self.weights[self.source_of[row]])
            index -= epoch
        raise IndexError(index)

    @property
    def size(self) -> int:
        """Side of a stored crop in pixels."""
        return self.packed.size

    def mean_shapes(self) -> dict[str, np.ndarray]:
        """The mean shape (N, 2) in [0, 1] of every convention: where its points lie on average in the papers' crop
        of the faces that have them.

        Raises:
            DataError: a point that no face has.
        """
        square = self.frame[:, None, :]
        points = (self.packed.points - square[..., :2]) / (CROP_FACTOR * square[..., 2:]) + 0.5
        at = torch.where(self.packed.valid[..., None], points.double(), torch.nan).numpy()
        out = {}
        for name, columns in self.layout.columns.items():
            part = at[:, columns]
            if np.isnan(part).all(0).any():
                raise DataError(f"A landmark of '{name}' is missing in every training face, so it has no mean.")
            out[name] = np.nanmean(part, axis=0)
        return out


def load_mixed(
    data: Path, folders: Sequence[str], layout: Layout, size: int, cache: Path | None = None, progress: bool = True
) -> MixedFaces:
    """The training faces of some sources.

    Args:
        data: the folder with the data sets.
        folders: names from :data:`SOURCES`.
        layout: the conventions that are asked for.
        size: side of the stored crops in pixels.
        cache: a folder for packed faces.

    Raises:
        UnknownNameError: a folder without a source. DataError: data that is not there.
    """
    parts, boxes, spans, origin, rows = [], [], [], [], []
    first = 0
    for number, name in enumerate(folders):
        source = get_source(name)
        folder = next((f for f in (data / name, data) if f.name == name and f.is_dir()), None)
        if folder is None:
            raise DataError(f"The recipe needs the data set '{name}', but there is no folder {data / name}.")
        dataset = open_mixed(source, folder, layout, "train")
        if source.hold:
            kept = tuple(s for i, s in enumerate(dataset.samples) if (i + 1) % source.hold)
            dataset = replace(dataset, samples=kept)
        target = cache and cache / f"{name}-train-mixed{layout.total}-{size}.safetensors"
        packed = pack(dataset, size=size, cache=target, progress=progress)
        lead = layout.columns[next(n for n, _, _ in source.labels if n in layout.columns)]
        boxes.append(frames(packed.points[:, lead], packed.valid[:, lead], source.widen, source.lower))
        spans.append((first, len(packed), min(source.draw or len(packed), len(packed))))
        origin.append(torch.full((len(packed),), number))
        rows.append(anchor_weights(source, layout))
        parts.append(packed)
        first += len(packed)
    return MixedFaces(join(parts), layout, torch.cat(boxes), torch.stack(rows), torch.cat(origin), tuple(spans))


def get_source(name: str) -> Source:
    """A source by its folder. Raises UnknownNameError."""
    if name not in SOURCES:
        raise UnknownNameError(f"There is no mixture for the data set '{name}'; known are {', '.join(SOURCES)}.")
    return SOURCES[name]


def held_out(source: Source, dataset: FaceDataset) -> FaceDataset:
    """The faces of a data set that the training leaves out, see ``Source.hold``."""
    kept = tuple(s for i, s in enumerate(dataset.samples) if (i + 1) % source.hold == 0)
    return replace(dataset, samples=kept, split="held out")


def anchor_weights(source: Source, layout: Layout) -> Tensor:
    """(T,) chances with which a source's columns are drawn: each convention's share, spread over its points."""
    weights = torch.zeros(layout.total)
    for name, _, share in source.labels:
        if name in layout.columns:
            columns = layout.columns[name]
            weights[columns] = share / (columns.stop - columns.start)
    return weights


def draw_anchors(valid: Tensor, weights: Tensor, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Anchors of every face, without repetition (mean shape masking, thesis 6.2.1).

    Args:
        valid: (B, T), the points that a face has.
        weights: (B, T), chance of each.
        count: N_a.
        generator: on the device of ``valid``.

    Returns:
        Columns (B, count), and which of them are labelled (B, count): a face with fewer points than ``count`` is
        filled up with columns that it has no label for, which ask the decoder but are left out of the loss.
    """
    chance = torch.where(valid, weights.clamp_min(1e-4), torch.full_like(weights, 1e-9))
    index = torch.multinomial(chance, min(count, valid.shape[1]), generator=generator)
    return index, valid.gather(1, index)
