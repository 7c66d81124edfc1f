"""A model over a benchmark folder, face by face."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from workbench.data.augment import AugmentedBatch, eval_batch
from workbench.data.pack import Packed, pack
from workbench.data.readers import open_dataset
from workbench.data.samples import FaceDataset, Sample
from workbench.errors import DataError, SettingsError, UnknownNameError
from workbench.evaluation.processes import Processes, processes
from workbench.evaluation.run import PLACES, THUMBS, Run
from workbench.evaluation.stream import PACK_SIZE, Batch, Clock, over
from workbench.landmarks import Scheme
from workbench.landmarks.geometry import CROP_FACTOR, square_crop
from workbench.landmarks.metrics import NORMALISERS, nme, normaliser_distances
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel

GIVEN = {"given_box": "box", "given_diagonal": "diagonal"}
"""Normalisers that take the set's own face box instead of the landmarks' tight one."""
PRECISIONS = {"32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
THUMB = 72
"""Side of the small pictures in pixels."""


def load_faces(
    model: FaceModel,
    data: str | Path,
    labels: str | None,
    split: str | None,
    progress: bool,
    subset: str | None = None,
) -> Packed:
    """The part of a data set that a model's scheme can be measured on. Raises DataError when it is empty."""
    dataset = open_dataset(Path(data), scheme=model.scheme, split=split, subset=subset, labels=labels)
    packed = pack(dataset, size=PACK_SIZE, progress=progress)
    if not len(packed):
        raise DataError(f"{data} has no faces in its '{split}' part; choose another with --split.")
    return packed


def batches(
    model: FaceModel, packed: Packed, batch: int = 32, progress: bool = False
) -> Iterator[tuple[slice, AugmentedBatch]]:
    """The papers' crops (tight landmark box x 1.2) of a packed set, RGB in [0, 1] on the model's device."""
    steps = range(0, len(packed), batch)
    for start in tqdm(steps, desc=f"{model.name}", unit="batch", disable=not progress):
        part = slice(start, min(start + batch, len(packed)))
        images, points, valid = (t.to(model.device) for t in packed[part])
        yield part, eval_batch(images, points, valid, model.input_size)


def evaluate(
    model: FaceModel,
    data: str | Path,
    *,
    labels: str | None = None,
    split: str | None = "test",
    subset: str | None = None,
    normaliser: str = "inter_ocular",
    threshold: float = 0.10,
    factor: float = CROP_FACTOR,
    convention: str | None = None,
    flip: bool = False,
    precision: str = "32",
    thumbnails: bool = False,
    batch: int = 32,
    progress: bool = True,
) -> Run:
    """Measure a model with the papers' crop, taken from the true landmarks.

    Under ``torchrun`` every process measures its share of the faces and all give back the same run of all of them.

    Args:
        model: from ``load_model``.
        data: a benchmark folder, see ``workbench.data.open_dataset``.
        labels: None for the set's own labels, or the name of its pseudo-labels.
        split: "train", "test" or None for all.
        subset: a finer part of it.
        normaliser: "inter_ocular", "inter_pupil", "box" or "diagonal"; "given_box" or "given_diagonal" for the box
            that the set itself gives.
        threshold: of FR and AUC.
        factor: side of the crop over the longer side of the landmarks' tight box; 1.2 in the papers.
        convention: of a model that takes structure prompts, which landmarks to ask it for; None for its own.
        flip: the mean of the answers for the face and for its mirror image.
        precision: "32", or below autocast "bf16" or "fp16", whose finer steps move landmarks an eighth as far.
        thumbnails: keep a small picture of every crop.
        batch: faces a forward pass.

    Raises:
        DataError: the folder is not a benchmark, has other landmarks, or no face in that part that can be measured.
        UnknownNameError: no such normaliser, precision or convention.
        SettingsError: a factor below 1, or a flip without flip pairs.
    """
    asked = _Asked(model, normaliser, factor, convention, flip, precision, thumbnails)
    try:
        dataset = open_dataset(Path(data), scheme=asked.scheme, split=split, subset=subset, labels=labels)
    except DataError as error:
        raise _hinted(error, model, convention) from None
    mates = processes()
    own = [dataset.samples[i] for i in mates.share(len(dataset))]
    clock = Clock()
    words = model.name if progress and mates.first else None
    mine = FaceDataset(**{**vars(dataset), "samples": tuple(own)})
    parts = list(over(mine, asked.read, batch=batch, device=model.device, clock=clock, progress=words))
    together = [part for some in mates.gathered(_host(parts)) for part in some]
    return _joined(together, asked, dataset, threshold, clock, mates)


class _Asked:
    """How a batch is read and what is kept of it."""

    def __init__(
        self,
        model: FaceModel,
        normaliser: str,
        factor: float,
        convention: str | None,
        flip: bool,
        precision: str,
        thumbnails: bool,
    ) -> None:
        self.model, self.factor, self.flip, self.thumbnails = model, float(factor), flip, thumbnails
        self.normaliser, self.precision = normaliser.replace("-", "_"), precision
        self.scheme, self.prompt = model.scheme, None
        self.convention, self.likelihood = "", ""
        if convention is not None:
            self.convention, self.scheme, self.prompt = _prompt(model, convention)
        if self.normaliser not in (*NORMALISERS, *GIVEN):
            raise UnknownNameError(
                f"There is no normaliser '{normaliser}'; use one of {', '.join((*NORMALISERS, *GIVEN))}."
            )
        if precision not in PRECISIONS:
            raise UnknownNameError(f"There is no precision '{precision}'; use one of {', '.join(PRECISIONS)}.")
        if not self.factor >= 1:
            raise SettingsError(f"A crop of {factor} x the landmarks' box cuts the face; give a factor of 1 or more.")
        if flip and not self.scheme.can_flip:
            raise SettingsError(f"Scheme '{self.scheme.name}' does not say what a mirror exchanges; leave --flip out.")

    def read(self, found: Batch) -> dict[str, Any]:
        """Numbers of one batch, a row a measured face."""
        size, model = self.model.input_size, self.model
        if not found.samples:
            return {"skipped": list(found.skipped), "faces": [], "loading": found.seconds}
        start = time.perf_counter()
        frames = _frames([one.points for one in found.samples], self.factor)
        marks = torch.where(found.valid[..., None], found.points.double(), torch.nan).numpy()
        stored = _frames(marks, self.factor)
        truth = (marks - stored[:, None, :2]) / stored[:, None, 2:] + 0.5
        lengths = self._lengths(found.samples, truth, frames)
        known = np.isfinite(lengths)
        skipped = list(found.skipped)
        words = self.normaliser.replace("_", "-")
        why = "the set gives no box" if self.normaliser in GIVEN else "its points are missing or coincide"
        skipped += [
            f"{one.name} has no {words} distance: {why}."
            for one, there in zip(found.samples, known, strict=True)
            if not there
        ]
        if not known.any():
            return {"skipped": skipped, "faces": [], "loading": found.seconds}
        chosen = torch.from_numpy(np.flatnonzero(known))
        samples = [found.samples[i] for i in chosen.tolist()]
        truth, frames, lengths = truth[known], frames[known], lengths[known]
        begun = time.perf_counter()
        images, points, valid = (t[chosen].to(model.device) for t in (found.images, found.points, found.valid))
        crops = eval_batch(images, points, valid, size, self.factor)
        answer, places = self._answer(crops.images)
        done = time.perf_counter()
        rows = self._rows(answer, places, truth, lengths)
        rows |= {"truth": truth, "frame": frames, "length": lengths}
        rows |= _told(samples, truth.shape[1])
        small = _thumbs(crops.images) if self.thumbnails else []
        return {
            "skipped": skipped,
            "faces": samples,
            "rows": rows,
            "thumbs": small,
            "loading": found.seconds,
            "model": done - begun,
            "metrics": begun - start + time.perf_counter() - done,
        }

    def _answer(self, images: Tensor) -> tuple[Alignment, np.ndarray]:
        """The model's answer, and its landmarks (B, N, 2) in [0, 1] of the crop."""
        model, size = self.model, self.model.input_size

        def ask(crops: Tensor) -> Alignment:
            kind = PRECISIONS[self.precision]
            given = model.prepare(crops)
            one = contextlib.nullcontext() if kind is None else torch.autocast(model.device.type, kind)
            with one:
                return model(given) if self.prompt is None else model(given, self.prompt)

        answer = ask(images)
        places = _array(answer.landmarks.float() / size)
        if self.flip:
            mirrored = _array(ask(images.flip(-1)).landmarks.float() / size)[:, list(self.scheme.flip)]
            mirrored[..., 0] = (size - 1) / size - mirrored[..., 0]
            places = (places + mirrored) / 2
        return answer, places

    def _lengths(self, samples: Sequence[Sample], truth: np.ndarray, frames: np.ndarray) -> np.ndarray:
        if self.normaliser not in GIVEN:
            return normaliser_distances(truth, self.scheme, self.normaliser, strict=False)
        sides = np.array([(np.nan,) * 4 if one.box is None else one.box for one in samples], float)
        wide, tall = sides[:, 2] - sides[:, 0], sides[:, 3] - sides[:, 1]
        some = (wide > 0) & (tall > 0)
        found = (
            np.sqrt(np.where(some, wide * tall, np.nan)) if self.normaliser == "given_box" else np.hypot(wide, tall)
        )
        return np.where(some, found, np.nan) / frames[:, 2]

    def _rows(
        self, answer: Alignment, places: np.ndarray, truth: np.ndarray, lengths: np.ndarray
    ) -> dict[str, np.ndarray]:
        size = self.model.input_size
        rows = {"nme": nme(places, truth, lengths), "points": places}
        if answer.stages is not None:
            steps = _array(answer.stages.float() / size)
            rows["stages"] = np.stack(
                [np.stack([nme(layer, truth, lengths) for layer in stage], -1) for stage in steps], 1
            )
        if answer.variance is not None and answer.rects is not None:
            self.likelihood = answer.likelihood or "gaussian"
            rows["sigma"] = _array(answer.sigma().float() / size)
        if answer.rects is not None:
            rects = _array(answer.rects.float() / size)
            where = (truth[None] - rects[..., :2]) / np.maximum(rects[..., 2:], 1e-9)
            held = ((where >= 0) & (where <= 1)).all(-1)
            there = np.isfinite(truth).all(-1)
            rows["inside"] = ((held & there).sum(-1) / there.sum(-1)).T
        if answer.pose is not None:
            rows["pose"] = np.rad2deg(_array(answer.pose))
        if answer.confidence is not None:
            rows["confidence"] = _array(answer.confidence)
        return rows


def _frames(faces: Sequence[np.ndarray] | np.ndarray, factor: float) -> np.ndarray:
    """(M, 3) centre and side of the papers' crop of every face."""
    return np.array([[*centre, side] for centre, side in (square_crop(points, factor) for points in faces)])


def _told(samples: Sequence[Sample], count: int) -> dict[str, np.ndarray]:
    """What the labels tell beside the points."""
    none = np.full(count, -1, np.int8)
    poses = [(np.nan,) * 3 if one.pose is None else one.pose for one in samples]
    return {
        "covered": np.stack([none if one.covered is None else one.covered.astype(np.int8) for one in samples]),
        "pose.truth": np.array(poses, float),
    }


def _joined(
    parts: list[dict[str, Any]],
    asked: _Asked,
    dataset: FaceDataset,
    threshold: float,
    clock: Clock,
    mates: Processes,
) -> Run:
    """All batches of all processes as one run, in the order of the set."""
    samples = [one for part in parts for one in part["faces"]]
    lost = [line for part in parts for line in part["skipped"]]
    if not samples:
        words = asked.normaliser.replace("_", "-")
        raise DataError(
            f"None of the {len(lost)} faces of {dataset.folder} has what the {words} distance needs; choose another "
            "with --normaliser."
            if any(f"has no {words} distance" in line for line in lost)
            else f"No face of {dataset.folder} can be used ({lost[0]})."
        )
    full = [part for part in parts if part["faces"]]
    arrays = {name: np.concatenate([part["rows"][name] for part in full]) for name in full[0]["rows"]}
    small = [one for part in full for one in part["thumbs"]]
    order = np.arange(len(samples))
    if mates.world > 1:
        at = {sample.name: i for i, sample in enumerate(dataset)}
        order = np.argsort([at[sample.name] for sample in samples], kind="stable")
        samples = [samples[i] for i in order]
        arrays = {name: values[order] for name, values in arrays.items()}
        small = [small[i] for i in order] if small else small
        lost.sort()
    if np.isnan(arrays["pose.truth"]).all():
        del arrays["pose.truth"]
    if (arrays["covered"] < 0).all():
        del arrays["covered"]
    if small:
        arrays[THUMBS] = np.frombuffer(b"".join(small), np.uint8)
        arrays[PLACES] = np.cumsum([0, *map(len, small)])
    names = sorted({name for sample in samples for name in sample.groups})
    place = {name: i for i, name in enumerate(names)}
    for name in ("loading", "model", "metrics"):
        setattr(clock, name, sum(part.get(name, 0.0) for part in parts))
    meta = {
        "model": asked.model.name, "checkpoint": asked.model.checkpoint, "system": asked.model.config.system,
        "data": dataset.name, "folder": str(dataset.folder.absolute()), "format": dataset.format,
        "split": dataset.split or "all", "subset": dataset.subset or "", "labels": dataset.labels or "",
        "scheme": asked.scheme.name, "normaliser": asked.normaliser, "threshold": threshold, "factor": asked.factor,
        "flip": asked.flip, "convention": asked.convention, "precision": asked.precision,
        "device": str(asked.model.device), "files": [sample.name for sample in samples], "names": names,
        "groups": [[place[name] for name in sample.groups] for sample in samples],
        "sequences": [sample.sequence for sample in samples], "left_out": [*dataset.skipped, *lost],
        "seconds": {k: round(v, 3) for k, v in asdict(clock).items() if isinstance(v, float)},
        "threads": clock.threads, "likelihood": asked.likelihood, "processes": mates.world,
        "least": getattr(asked.model.config, "threshold", None),
    }  # fmt: skip
    return Run(arrays, meta)


def _host(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Parts that can travel between processes: samples without what reads their pictures."""
    return [{**part, "faces": [_bare(one) for one in part["faces"]]} for part in parts]


def _bare(sample: Sample) -> Sample:
    return Sample(sample.name, np.empty((0, 2)), sample.subset, groups=sample.groups, sequence=sample.sequence)


def _prompt(model: Any, convention: str) -> tuple[str, Scheme, Tensor]:
    """A convention's key, its scheme, and its points on the model's plane. Raises UnknownNameError."""
    from workbench.shaping import conventions

    known = conventions(model)
    key = model.key_of(convention)
    if key not in known:
        raise UnknownNameError(f"{model.name} has learned no '{convention}'; it knows {', '.join(known)}.")
    return key, known[key].scheme, model.prompt(key)


def _hinted(error: DataError, model: Any, convention: str | None) -> DataError:
    """A set of another convention, to a model that knows several."""
    known = [name for name in getattr(model.config, "conventions", ()) if name != model.config.scheme]
    if convention is None and known and hasattr(model, "prompt") and "points a face, but scheme" in str(error):
        return DataError(f"{error} Ask {model.name} for another with --convention: {', '.join(known)}.")
    return error


def _thumbs(crops: Tensor) -> list[bytes]:
    """Small JPEG pictures of crops (B, 3, S, S) in [0, 1]."""
    pixels = (255 * crops).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    out = []
    for one in pixels:
        file = io.BytesIO()
        Image.fromarray(one).resize((THUMB, THUMB), Image.Resampling.BILINEAR, reducing_gap=2.0).save(
            file, "JPEG", quality=70
        )
        out.append(file.getvalue())
    return out


def _array(values: Tensor) -> np.ndarray:
    return values.cpu().double().numpy()
