"""A model over a whole set, in constant memory: what its maps are on average, how far its landmarks look, and where
labels lie in its patches (thesis 2024, Fig. 4.9, 5.7 and 5.8)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from workbench.axes import LANDMARK_PAIRS, SPATIAL_ATTENTION
from workbench.data.augment import AugmentedBatch, eval_batch
from workbench.data.pack import Packed, pack
from workbench.data.readers import open_dataset
from workbench.data.samples import FaceDataset
from workbench.errors import DataError, TraceError
from workbench.evaluation.dataset import PACK_SIZE
from workbench.evaluation.moments import Moments
from workbench.evaluation.processes import processes
from workbench.evaluation.study_result import FACE, FORMAT, Study, write
from workbench.explain.self_attention import background_share, landmark_masks
from workbench.landmarks.metrics import nme, normaliser_distances
from workbench.models.alignment import Alignment
from workbench.models.base import FaceModel
from workbench.models.systems import get_system
from workbench.reading import paths_of
from workbench.tracing import NamedTensor, Trace, record, taps

CHUNK = 128
"""Faces that are decoded at a time, whatever the size of the set."""
LARGEST = 500_000
"""Numbers a face of the largest tensor whose mean is kept."""
BINS, REACH = 32, 0.25
"""Of the histogram of labels in a patch: cells along a side, and how far it reaches beyond the patch, in its sides."""


@torch.inference_mode()
def study(
    model: FaceModel,
    data: str | Path,
    *,
    labels: str | None = None,
    split: str | None = "test",
    subset: str | None = None,
    out: str | Path | None = None,
    batch: int = 16,
    progress: bool = True,
) -> Study:
    """Read every face of a set and keep the statistics of what its mechanisms and its weights between landmarks did.

    Under ``torchrun`` every process reads its share of the faces, all give back the same study, the first writes it.

    Args:
        model, data, labels, split, subset: as in ``evaluate``.
        out: a ``.safetensors`` file for the result. Beside it, in ``NAME.part``, the work so far is kept after every
            :data:`CHUNK` faces (of each process); a study that was interrupted goes on there.
        batch: faces a forward pass.

    Raises:
        DataError: the folder is not a benchmark, has other landmarks, or no face in that part that can be measured.
        TraceError: ``out`` cannot be written.
    """
    whole = open_dataset(Path(data), scheme=model.scheme, split=split, subset=subset, labels=labels)
    mates = processes()
    own = tuple(whole.samples[i] for i in mates.share(len(whole)))
    dataset = replace(whole, samples=own, skipped=whole.skipped if mates.first else ())
    target = None if out is None else Path(out)
    if target is not None and (target.suffix != ".safetensors" or not target.parent.is_dir()):
        raise TraceError(f"A study is written as .safetensors into a folder that is there, not to {target}.")
    which = "" if mates.world == 1 else f"-{mates.rank + 1}-of-{mates.world}"
    part = None if target is None else target.with_name(f"{target.stem}.part{which}.safetensors")
    running = _Running(model, dataset, labels)
    if part is not None and part.is_file():
        running.resume(part)
    bar = tqdm(
        total=len(dataset), initial=running.done, desc=model.name, unit="face", disable=not (progress and mates.first)
    )
    for chunk in _chunks(dataset, running.done):
        packed = _measurable(chunk, model)
        running.left_out += packed.skipped
        for start in range(0, len(packed), batch):
            images, points, valid = (t.to(model.device) for t in packed[start : start + batch])
            running.add(eval_batch(images, points, valid, model.input_size), packed.files[start : start + batch])
        running.done += len(chunk)
        bar.update(len(chunk))
        if part is not None and (running.done < len(dataset) or mates.world > 1):
            write(running.state(), running.state().meta, part)
    bar.close()
    if mates.world > 1:
        running.join(mates.gathered(running.kept()), [sample.name for sample in whole])
    found = running.result(whole.part)
    if target is not None and mates.first:
        found.save(target)
    mates.gathered(mates.rank)  # nobody forgets its part before the whole is written
    if part is not None:
        part.unlink(missing_ok=True)
    return found


def _chunks(dataset: FaceDataset, done: int) -> Iterator[FaceDataset]:
    for start in range(done, len(dataset), CHUNK):
        skipped = dataset.skipped if start == 0 else ()
        yield replace(dataset, samples=dataset.samples[start : start + CHUNK], skipped=skipped)


def _measurable(chunk: FaceDataset, model: FaceModel) -> Packed:
    """The chunk's faces that have an inter-ocular distance; none is no error here, for others may follow."""
    nothing = Packed(torch.empty(0, 3, 1, 1), torch.empty(0, 0, 2), torch.empty(0, 0, dtype=torch.bool), ())
    try:
        packed = pack(chunk, size=PACK_SIZE, progress=False)
    except DataError as error:
        return replace(nothing, skipped=(str(error),))
    known = np.isfinite(normaliser_distances(packed.labelled(), model.scheme, strict=False))
    files = np.array(packed.files)
    lost = tuple(f"{name} has no inter-ocular distance: its points are missing or coincide." for name in files[~known])
    return Packed(*packed[torch.from_numpy(known)], tuple(files[known].tolist()), packed.skipped + lost)


class _Running:
    """The sums of a study, which can be kept and taken up again."""

    def __init__(self, model: FaceModel, dataset: FaceDataset, labels: str | None) -> None:
        self.model, self.labels, self.data = model, labels or "own", dataset.name
        self.moments: dict[str, Moments] = {}
        self.axes: dict[str, tuple[str, ...]] = {}
        self.counts: dict[str, np.ndarray] = {}
        self.faces: dict[str, list[float]] = {}
        self.files: list[str] = []
        self.left_out: tuple[str, ...] = ()
        self.done = 0
        names = json.dumps([sample.name for sample in dataset])
        told = f"{FORMAT}\n{model.checkpoint or model.name}\n{dataset.name}\n{dataset.part}\n{self.labels}\n{names}"
        self.key = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        self.pairs, self.places = paths_of(model, LANDMARK_PAIRS), paths_of(model, SPATIAL_ATTENTION)
        system = get_system(model.config.system)
        declared = [path for path in taps(model) if any(fnmatchcase(path, m.tap) for m in system.mechanisms)]
        self.paths = list(dict.fromkeys([*self.pairs, *self.places, *declared]))

    def add(self, crops: AugmentedBatch, files: tuple[str, ...]) -> None:
        """Read one batch and take it in."""
        model = self.model
        with record(model, only=self.paths) as trace:
            answer = model(model.prepare(crops.images))
        points = _array(answer.landmarks.float() / model.input_size)
        truth = np.where(_array(crops.valid)[..., None] > 0, _array(crops.points), np.nan)
        eyes = normaliser_distances(truth, model.scheme)
        self.files += files
        self._face("nme", nme(points, truth, model.scheme))
        self._take("error", 100 * np.linalg.norm(points - truth, axis=-1) / eyes[:, None], ("landmark",))
        if answer.variance is not None:
            stages = range(answer.variance.shape[0])
            sigma = np.stack([_array(answer.sigma(k, -1)).mean(-1) / model.input_size for k in stages], 1)
            self._take("sigma", sigma, ("stage", "landmark"))
            self._face("sigma", sigma[:, -1].mean(-1))
        self._targets(answer, truth)
        apart = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1) / eyes[:, None, None]
        self._take("uniform", apart.mean((1, 2)), ())
        for path, entry in trace.items():
            values, axes = _batch_first(entry, len(points))
            if path in self.places:
                self._leak(path, values, truth)
            elif values[0].size <= LARGEST:
                self._take(f"mean/{path}", values, axes)
            if path in self.pairs:
                weights = np.abs(values)
                shape = (len(points), *(1,) * (values.ndim - 3), *apart.shape[1:])
                reach = (weights * apart.reshape(shape)).sum(-1) / np.maximum(weights.sum(-1), 1e-12)
                self._take(f"distance/{path}", reach.mean(-1), axes[:-2])

    def _take(self, name: str, values: np.ndarray, axes: tuple[str, ...]) -> None:
        self.moments.setdefault(name, Moments.like(values.shape[1:])).add(values)
        self.axes[name] = axes

    def _face(self, name: str, values: np.ndarray) -> None:
        self.faces.setdefault(name, []).extend(values.tolist())

    def _leak(self, path: str, weights: np.ndarray, truth: np.ndarray) -> None:
        """Leaked mass around the true landmarks, as the model's card tells it, and what uniform attention would leak
        among the keys that can be looked at."""
        c, size = self.model.config, weights.shape[-1]
        sigma, radius = float(getattr(c, "prior_sigma", 1.0)), float(getattr(c, "prior_radius", 3.0))
        found, chance = np.full((2, len(weights)), np.nan)
        for k, (one, points) in enumerate(zip(weights, truth, strict=True)):
            masks = landmark_masks(points[np.isfinite(points).all(-1)], size, sigma, radius)
            masks = masks[masks.any((1, 2))]
            if len(masks):
                near, reached = masks.sum(0) > 0, one.sum((0, 1)) > 0
                found[k] = ((masks * background_share(one, near)).sum((1, 2)) / masks.sum((1, 2))).mean()
                chance[k] = (reached & ~near).sum() / reached.sum()
        self._take(f"leak/{path}", found, ())
        self._take("chance", chance, ())
        self._face("leak", found)

    def _targets(self, answer: Alignment, truth: np.ndarray) -> None:
        if answer.rects is None:
            return
        rects = _array(answer.rects) / self.model.input_size  # (stage, B, N, 4)
        place = (truth[None] - rects[..., :2]) / np.maximum(rects[..., 2:], 1e-9)
        known = np.isfinite(place).all(-1)
        inside = np.where(known, ((place >= 0) & (place <= 1)).all(-1), np.nan)
        self._take("inside", inside.swapaxes(0, 1), ("stage", "landmark"))
        cell = np.floor((place + REACH) / (1 + 2 * REACH) * BINS)
        there = known & ((cell >= 0) & (cell < BINS)).all(-1)
        stages, _, landmarks = there.shape
        total = self.counts.setdefault("targets", np.zeros((stages, landmarks, BINS, BINS)))
        s, _, i = np.nonzero(there)
        column, row = cell[there].astype(int).T
        np.add.at(total, (s, i, row, column), 1)

    def state(self) -> Trace:
        """Everything that is needed to go on."""
        trace = Trace()
        for name, m in self.moments.items():
            for what, values in (("count", m.count), ("average", m.mean), ("squares", m.squares)):
                axes = self.axes[name]
                trace[f"{what}:{name}"] = NamedTensor(torch.from_numpy(np.array(values)), axes)
        for name, values in self.counts.items():
            trace[f"counts:{name}"] = NamedTensor(torch.from_numpy(values), ("stage", "landmark", "y", "x"))
        trace.meta = {
            "key": self.key, "done": self.done, "files": self.files, "left_out": list(self.left_out),
            "values": self.faces,
        }  # fmt: skip
        return trace

    def resume(self, part: Path) -> None:
        """Take up what was kept; of other data, other weights or damaged, it is left alone and written over."""
        try:
            kept = Trace.load(part)
        except TraceError:
            return
        if kept.meta.get("key") != self.key:
            return
        for name, entry in kept.items():
            what, _, of = name.partition(":")
            if what == "counts":
                self.counts[of] = entry.numpy()
            elif what == "average":
                of_all = (kept[f"{k}:{of}"].numpy() for k in ("count", "average", "squares"))
                self.moments[of], self.axes[of] = Moments(*of_all), entry.axes
        self.done, self.files = int(kept.meta["done"]), list(kept.meta["files"])
        self.left_out, self.faces = tuple(kept.meta["left_out"]), dict(kept.meta["values"])

    def kept(self) -> dict[str, Any]:
        """What other processes need of this one."""
        return {
            "moments": {k: (m.count, m.mean, m.squares) for k, m in self.moments.items()}, "axes": self.axes,
            "counts": self.counts, "faces": self.faces, "files": self.files, "left_out": self.left_out,
        }  # fmt: skip

    def join(self, parts: list[dict[str, Any]], order: list[str]) -> None:
        """Become the sum of several, faces in the order of the set."""
        self.moments, self.axes, self.counts, self.faces = {}, {}, {}, {}
        self.files, self.left_out = [], tuple(line for part in parts for line in part["left_out"])
        for part in parts:
            self.files += part["files"]
            self.axes |= part["axes"]
            for name, values in part["moments"].items():
                self.moments.setdefault(name, Moments.like(np.shape(values[0]))).merge(Moments(*values))
            for name, values in part["counts"].items():
                self.counts[name] = self.counts.get(name, 0) + values
            for name, values in part["faces"].items():
                self.faces.setdefault(name, []).extend(values)
        place = {name: i for i, name in enumerate(order)}
        rank = sorted(range(len(self.files)), key=lambda i: place[self.files[i]])
        self.files = [self.files[i] for i in rank]
        self.faces = {name: [values[i] for i in rank] for name, values in self.faces.items()}

    def result(self, part: str) -> Study:
        """The study of all that was taken in. Raises DataError for no face at all."""
        if not self.files:
            more = f" {self.left_out[0]}" if self.left_out else ""
            raise DataError(f"{self.data} has no face in its '{part}' part that can be measured.{more}")
        trace = Trace()
        numbers: dict[str, float] = {}
        for name, m in self.moments.items():
            axes = self.axes[name]
            if name in ("uniform", "chance"):
                numbers[name] = round(float(m.mean), 6)
                continue
            trace[name] = _single(m.mean, axes)
            if name.startswith("mean/"):
                trace[name.replace("mean/", "deviation/", 1)] = _single(m.deviation, axes)
        for name, values in self.counts.items():
            trace[name] = _single(values, ("stage", "landmark", "y", "x"))
        for name, listed in self.faces.items():
            trace[f"{FACE}{name}"] = _single(np.array(listed), ("face",))
        trace.meta = {
            "study": FORMAT, "model": self.model.name, "checkpoint": self.model.checkpoint, "data": self.data,
            "split": part, "labels": self.labels, "scheme": self.model.scheme.name,
            "faces": len(self.files), "files": self.files, "left_out": list(self.left_out),
            "bins": BINS, "reach": REACH, **numbers,
            "idle": [path for path, tap in taps(self.model).items() if tap.idle and path in self.paths],
        }  # fmt: skip
        return Study(trace, trace.meta)


def _batch_first(entry: NamedTensor, faces: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Values (B, ...) and their axes without ``batch``; what is the same for every face is repeated."""
    at = entry.dim("batch")
    values = np.moveaxis(entry.numpy(), at, 0)
    if len(values) != faces:
        values = np.broadcast_to(values, (faces, *values.shape[1:]))
    return values, entry.axes[:at] + entry.axes[at + 1 :]


def _single(values: np.ndarray, axes: tuple[str, ...]) -> NamedTensor:
    return NamedTensor(torch.from_numpy(np.asarray(values, np.float32).copy()), axes)


def _array(values: torch.Tensor) -> np.ndarray:
    return values.cpu().double().numpy()
