"""Teaching TUFA a new convention from a few faces (Xia, thesis 2024, 6.3.4; the protocol of Table 6.9).

The convention gets a mean shape and a semantic alignment embedding of its own. The mean shape is carried onto the
plane as for a zero-shot test; then the embedding alone is fitted, on faces that are encoded once, and at last
everything is tuned. Meanwhile the faces also carry what the untaught model finds of its own conventions on them, so
that those are not forgotten (ours; the thesis does not look back).
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from workbench.data.mixed import Layout
from workbench.data.readers import open_dataset
from workbench.errors import DataError, SettingsError, UnknownNameError, WorkbenchError
from workbench.evaluation.papers import printed
from workbench.evaluation.prompted import mean_shapes, prompted, square_around
from workbench.evaluation.zero_shot import distances
from workbench.faces import Face
from workbench.finding import Found, encode_face, find_on
from workbench.landmarks import Scheme, get_scheme, user_scheme
from workbench.landmarks.drawing import REACH
from workbench.landmarks.geometry import CROP_FACTOR, affine, apply
from workbench.landmarks.library import place
from workbench.models.base import FaceModel
from workbench.models.systems import build
from workbench.models.tufa import TUFA
from workbench.models.zoo import describe, save_checkpoint
from workbench.training.recipe import Phase, Recipe

MOST_FACES = 500
"""Faces that a convention is taught from at once."""
FIT_STEPS = 60
"""Of the embedding alone."""
_PACK, _WIDER = 192, 4 / 3
_BATCH = 16
_SHARE = 0.6  # of the anchors that belong to what is taught

Told = Callable[[int, int], None]
"""Hears how many steps of how many are done; what it raises ends the training."""


@dataclass(frozen=True)
class Taught:
    """A model that has learned a convention, and what it has cost.

    Attributes:
        model: a new one; the model that it comes from is as it was.
        convention: the name that it has there, for ``model.prompt`` and ``find_shape``.
        scheme: of the taught points.
        teacher: name of the model that it comes from.
        faces: how many it was taught from; ``steps``, of the tuning.
        before, after: (M,) error on those faces by the placed mean shape, and taught; per cent of the distance of the
            outer eye corners as the teacher finds them.
        moved: how far the teacher's own landmarks have moved on those faces, same unit.
        loss: one value a step of the tuning.
        seconds: of all.
    """

    model: TUFA
    convention: str
    scheme: Scheme
    teacher: str
    faces: int
    steps: int
    before: np.ndarray
    after: np.ndarray
    moved: float
    loss: np.ndarray
    seconds: float
    seed: int

    def text(self) -> str:
        """One line for a terminal or a page."""
        return (
            f"{self.convention}: {self.scheme.count} points from {_count_words(self.faces)}, {self.steps} steps in "
            f"{self.seconds:.0f} s: "
            f"{np.mean(self.before):.2f} -> {np.mean(self.after):.2f} % of the eyes' distance on these faces; "
            f"{self.teacher}'s own landmarks moved by {self.moved:.2f} %"
        )

    def save(
        self,
        path: str | Path,
        *,
        data: str = "",
        licence: str = "",
        command: str = "",
        metrics: Sequence[dict[str, Any]] = (),
    ) -> Path:
        """Write the weights and their card.

        Args:
            path: a ``.safetensors`` file in a folder that is there.
            data, licence, command: for the card.
            metrics: rows of what was measured on other faces.

        Raises:
            CheckpointError: it cannot be written.
        """
        target = Path(path).with_suffix(".safetensors")
        self.model.name = target.stem
        terms = licence or "Faces and labels: on their owners' terms. Weights: no freer than the teacher's."
        own = [
            {
                "data": data or "own faces", "split": "the taught ones", "labels": f"{self.convention}, {how}",
                "faces": self.faces, "metric": "NME inter-ocular", "value": round(float(np.mean(value)), 4),
                "unit": "%",
            }
            for how, value in (("before", self.before), ("taught", self.after))
        ]  # fmt: skip
        card = describe(
            self.model,
            title=f"{self.teacher} with {self.convention}, taught from {_count_words(self.faces)}",
            data=f"{data or 'own faces'}: {_count_words(self.faces)}, {self.scheme.count} points, on top of "
            f"{self.teacher}'s",
            licence=terms,
            command=command,
            seed=self.seed,
            steps=self.steps,
            metrics=(*metrics, *own),
            notes=(
                f"Starts from {self.teacher}; taught a convention by few-shot tuning of everything.",
                "Errors on the taught faces say how well they are remembered, not how well others are read.",
                f"On those faces the teacher's own landmarks moved by {self.moved:.2f} % of the eyes' distance.",
            ),
        )
        return save_checkpoint(self.model, target, card)


def teach(
    model: FaceModel,
    faces: Sequence[Face],
    points: Sequence[ArrayLike],
    scheme: Scheme | None = None,
    *,
    steps: int | None = None,
    lr: float = 1e-4,
    seed: int = 0,
    told: Told = lambda done, of: None,
) -> Taught:
    """A new model that knows one convention more, from a few labelled faces.

    Args:
        model: one that takes structure prompts; it stays as it is.
        faces: 1 to :data:`MOST_FACES`; each is cropped anew around what the model finds on it.
        points: for each (N, 2) in pixels of ``face.photo``, NaN where missing.
        scheme: of the points; by default the built-in one of as many, or points of one's own.
        steps: of the tuning; by default 60 to 240, the more the more faces.
        lr: its peak; the embedding's is ten times as large.
        seed: of everything random.
        told: hears of the progress.

    Raises:
        UnknownNameError: the model takes no prompts.
        DataError: no face, too many, labels that do not fit together, or a loss that is not finite.
        SettingsError: fewer steps than none, an optimised model, or tuning without Lightning.
    """
    begun = time.perf_counter()
    teacher = prompted(model)
    if teacher.optimised:
        raise SettingsError(f"{teacher.name} was optimised for reading; load it without to teach it.")
    labels, scheme = _labels(faces, points, scheme)
    if steps is not None and steps < 0:
        raise SettingsError(f"A training takes no {steps} steps.")
    steps = min(240, 40 + 20 * math.ceil(math.sqrt(8 * len(faces)))) if steps is None else steps
    own = teacher.prompt().detach().cpu().double().numpy()
    faces, found = _cropped(teacher, faces, own)
    inside = np.stack([f.to_crop(p, 1000) / 1000 for f, p in zip(faces, labels, strict=True)])
    start = _placed(inside, found.points, own, scheme)
    eyes = _eyes(found.points, teacher)
    key = convention_key(scheme)
    student = with_convention(teacher, key, start)
    before = 100 * _error(_answers(student, faces, key), inside, eyes)
    of = FIT_STEPS + steps
    _fit(student, key, faces, inside, seed, lambda done: told(done, of))
    loss = _tune(student, teacher, key, faces, inside, steps, lr, seed, lambda done: told(FIT_STEPS + done, of))
    student.eval().requires_grad_(True)
    answers = _answers(student, faces, key)
    there = find_on(student, [encode_face(student, f) for f in faces], own).points
    return Taught(
        student, key, scheme, teacher.name, len(faces), steps, before, 100 * _error(answers, inside, eyes),
        float(100 * np.mean(np.linalg.norm(there - found.points, axis=-1) / eyes[:, None])), np.array(loss),
        time.perf_counter() - begun, seed,
    )  # fmt: skip


@dataclass(frozen=True)
class FewShot:
    """The error of a convention that was taught from some faces, on others (Table 6.9).

    Attributes:
        model, data, split, labels, convention: what was measured.
        taught: how it was taught.
        faces: measured ones.
        zero_shot, error: by the mean shape of the taught faces alone, and taught; per cent of the distance of the
            outer eye corners.
        left_out: a sentence for every face that could not be used.
    """

    model: str
    data: str
    split: str
    labels: str
    convention: str
    taught: Taught
    faces: int
    zero_shot: float
    error: float
    left_out: tuple[str, ...] = ()

    def text(self) -> str:
        """One line for a terminal."""
        known = {row.variant: row.value for row in printed() if (row.system, row.table) == ("TUFA", "Table 6.9")}
        paper = known.get(f"few-shot {self.taught.faces} images")
        beside = "" if paper is None else f"; the thesis, WFLW from {self.taught.faces}: {paper:g} %"
        return (
            f"{_count_words(self.taught.faces):>9}: NME {self.error:.2f} % taught, {self.zero_shot:.2f} % "
            f"zero-shot ({self.taught.steps} steps, {self.taught.seconds:.0f} s{beside})"
        )

    def row(self) -> dict[str, Any]:
        """For a card or a table."""
        return {
            "data": self.data, "split": self.split, "labels": f"{self.convention}, {self.labels}, taught from "
            f"{_count_words(self.taught.faces)}", "faces": self.faces, "metric": "NME inter-ocular",
            "value": round(self.error, 4), "unit": "%",
        }  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            **self.row(), "zero_shot": self.zero_shot, "steps": self.taught.steps, "seconds": self.taught.seconds,
            "moved": self.taught.moved, "left_out": list(self.left_out),
        }  # fmt: skip


def few_shot(
    model: FaceModel,
    data: str | Path,
    count: int | str,
    *,
    labels: str | None = None,
    convention: str | Scheme | None = None,
    split: str = "test",
    steps: int | None = None,
    seed: int = 0,
    told: Told = lambda done, of: None,
    progress: bool = False,
) -> FewShot | Taught:
    """Teach a convention from some faces of a set's training part, drawn at random, and measure it on another part.

    Args:
        model: one that takes structure prompts.
        data: a folder that ``open_dataset`` reads; of a set without the part ``split`` the faces that are not taught
            are measured.
        count: of faces, or "5%" of the training part.
        labels, convention: as ``open_dataset`` takes labels and scheme; points of one's own where no scheme fits.
        split: what is measured.
        steps, told: as for :func:`teach`. seed: also of the drawn faces.

    Returns:
        What was measured, or how it was taught where no face is left to measure.

    Raises:
        DataError: as for :func:`teach`, or more faces than there are.
    """
    network = prompted(model)
    everything = open_dataset(Path(data), scheme=convention or "own", labels=labels)
    scheme = everything.scheme
    measured = [s for s in everything.samples if split in (s.subset, *s.groups)]
    names = {s.name for s in measured}
    there = [s for s in everything.samples if s.name not in names]
    wanted = _count(count, len(there))
    order = np.random.default_rng(seed).permutation(len(there))
    shown = [there[i] for i in order[:wanted]]
    measured = measured or [there[i] for i in sorted(order[wanted:])]
    mean, own, _ = mean_shapes(network, shown, scheme, False)
    faces, points, left_out = [], [], []
    for sample in shown:
        try:
            centre, side = square_around(sample.points, mean)
            (x, y), half = centre.tolist(), side / CROP_FACTOR / 2
            picture = sample.image().convert("RGB")
            faces.append(Face(picture, (x - half, y - half, x + half, y + half), name=sample.name))
            points.append(sample.points)
        except WorkbenchError as error:
            left_out.append(f"{sample.name}: {error}")
    if not faces:
        raise DataError(f"No face of {data} can be taught from. {left_out[0]}")
    taught = teach(network, faces, points, scheme, steps=steps, seed=seed, told=told)
    if not measured:
        return taught
    prompt = taught.model.prompt(taught.convention).detach().cpu().numpy()
    placed = place(mean, own, network.prompt().detach().cpu().numpy())
    apart, _ = distances(network, measured, scheme, mean, placed, progress)
    after, left = distances(taught.model, measured, scheme, mean, prompt, progress)
    before, then = (100 * float(np.nanmean(np.nanmean(one, axis=1))) for one in (apart, after))
    return FewShot(
        network.name, everything.name, split if names else "the others",
        f"machine-made ({labels})" if labels else "human", scheme.name, taught, len(apart), before, then,
        (*everything.skipped, *left_out, *left),
    )  # fmt: skip


def _count(count: int | str, there: int) -> int:
    """A number of faces, or a share as "5%", of those that are there. Raises DataError."""
    found = re.fullmatch(r"([0-9]{1,6})(%?)", str(count).strip())
    if not found or not int(found[1]):
        raise DataError(f"A number of faces is written as 10, or as 5%, not '{str(count)[:40]}'.")
    number = math.ceil(int(found[1]) * there / 100) if found[2] else int(found[1])
    if number > there:
        raise DataError(f"{number} faces are asked for, and {there} are there to be taught from.")
    return number


def _count_words(faces: int) -> str:
    return f"{faces} face" if faces == 1 else f"{faces} faces"


def convention_key(scheme: Scheme) -> str:
    """What a scheme is called among a model's conventions: its name where it is a built-in one, otherwise "user", the
    letters of its name and its number of points."""
    try:
        known = get_scheme(scheme.name)
    except UnknownNameError:
        known = None
    if known == scheme:
        return scheme.name
    words = "-".join(re.findall("[a-z]+", scheme.name.lower()))[:32]
    return f"user{f'-{words}-' if words not in ('', 'user') else ''}{scheme.count}"


@torch.no_grad()
def with_convention(model: TUFA, key: str, shape: ArrayLike) -> TUFA:
    """A copy of a model that knows one convention more, or has a known one anew: a mean shape (N, 2) on its plane,
    and an embedding of zeros."""
    values = np.asarray(shape, np.float32)
    kept = tuple(name for name in model.config.conventions if name != key)
    config = replace(model.config, conventions=(*kept, key)) if key != model.config.scheme else model.config
    copy = build(config, model.mean_shape.cpu())
    assert isinstance(copy, TUFA)
    state = {k: v for k, v in model.state_dict().items() if key == model.config.scheme or not k.endswith(f".{key}")}
    copy.load_state_dict({**copy.state_dict(), **{k: v.cpu() for k, v in state.items()}})
    copy.set_mean_shapes({key: values})
    if key in copy.alignment:
        copy.alignment[key].zero_()
    copy.name = model.name
    return copy.to(model.device).eval()


def mirror_pairs(points: np.ndarray, mirror: np.ndarray, most: float = 0.03) -> tuple[int, ...]:
    """Which point each becomes in a mirror image, from where they lie on the plane.

    Args:
        points: (N, 2); ``mirror`` (2, 3), the plane's mirror map.
        most: distance up to which a mirrored point may miss its twin.

    Returns:
        The pairs, or nothing where a point has no twin.
    """
    apart = np.linalg.norm(apply(mirror, points)[:, None] - points[None], axis=-1)
    twin = apart.argmin(1)
    fits = (twin[twin] == np.arange(len(points))).all() and apart[np.arange(len(points)), twin].max() <= most
    return tuple(twin.tolist()) if fits else ()


def _labels(
    faces: Sequence[Face], points: Sequence[ArrayLike], scheme: Scheme | None
) -> tuple[list[np.ndarray], Scheme]:
    if not 1 <= len(faces) <= MOST_FACES:
        raise DataError(f"A convention is taught from 1 to {MOST_FACES} faces, not {len(faces)}.")
    labels = [np.asarray(one, np.float64) for one in points]
    if len(labels) != len(faces) or len({one.shape for one in labels}) > 1:
        raise DataError("Every face needs the same points, (N, 2) each in pixels of its photograph.")
    shape = labels[0].shape
    if len(shape) != 2 or shape[1] != 2 or not shape[0]:
        raise DataError(f"Points of a face are (N, 2) numbers, not {shape}.")
    missing = np.isnan(np.stack(labels)).any(-1).all(0)
    if missing.any():
        raise DataError(f"Point {int(missing.argmax())} is marked on no face, so it cannot be learned.")
    if scheme is None:
        try:
            scheme = get_scheme(len(labels[0]))
        except UnknownNameError:
            scheme = user_scheme(f"{len(labels[0])} points", len(labels[0]))
    if scheme.count != shape[0]:
        raise DataError(f"The convention '{scheme.name}' has {scheme.count} points, the faces have {shape[0]}.")
    return labels, scheme


def _cropped(model: TUFA, faces: Sequence[Face], own: np.ndarray) -> tuple[list[Face], Found]:
    """The faces in the papers' crops around the model's own landmarks, and those once more found there."""
    first = find_on(model, [encode_face(model, f) for f in faces], own).points
    out = []
    for face, points in zip(faces, first, strict=True):
        try:
            out.append(replace(face.refine(face.to_photo(points * 1000, 1000)), detections=(), index=0))
        except WorkbenchError:
            out.append(face)
    return out, find_on(model, [encode_face(model, f) for f in out], own)


def _placed(inside: np.ndarray, found: np.ndarray, own: np.ndarray, scheme: Scheme) -> np.ndarray:
    """(N, 2) the mean of the labels on the plane, as in a zero-shot test."""
    return np.clip(place(np.nanmean(inside, 0), found.mean(0), own), -REACH, 1 + REACH)


def _eyes(found: np.ndarray, model: TUFA) -> np.ndarray:
    """(M,) between the outer eye corners, or of a model without them the longer side of the landmarks' box."""
    if model.scheme.eye_corners is None:
        return np.asarray(np.ptp(found, axis=1).max(-1))
    left, right = model.scheme.eye_corners
    return np.asarray(np.linalg.norm(found[:, left] - found[:, right], axis=-1))


def _answers(model: TUFA, faces: Sequence[Face], key: str) -> np.ndarray:
    prompt = model.prompt(key).detach().cpu().double().numpy()
    return find_on(model, [encode_face(model, f) for f in faces], prompt).points


def _error(found: np.ndarray, truth: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    return np.asarray(np.nanmean(np.linalg.norm(found - truth, axis=-1), axis=1) / eyes)


def _fit(
    model: TUFA, key: str, faces: Sequence[Face], inside: np.ndarray, seed: int, told: Callable[[int], None]
) -> None:
    """The embedding alone, by the gradient through the frozen network, on some of the faces at a time."""
    encoded = [encode_face(model, f).memory for f in faces]
    truth = torch.from_numpy(inside).float().to(model.device)
    valid = torch.isfinite(truth).all(-1)
    truth = torch.where(valid[..., None], truth, 0.0)
    shape = model.shape_of(key).detach()
    point = torch.zeros_like(shape, requires_grad=True)
    optimizer = torch.optim.Adam([point], lr=0.01)
    cycle = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, FIT_STEPS)
    draw = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for step in range(FIT_STEPS):
        rows = torch.randperm(len(faces), generator=draw)[:_BATCH]
        memory = _plain(type(encoded[0]).join([encoded[i] for i in rows.tolist()]))
        found = model.decode(memory, shape + point / 2)[0][-1]
        used = valid[rows.to(valid.device)]
        apart = (found - truth[rows.to(truth.device)]).abs().sum(-1)
        loss = (apart * used).sum() / used.sum().clamp_min(1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        cycle.step()
        with torch.no_grad():  # it stays where a drawing may be
            point.copy_(2 * ((shape + point / 2).clamp(-REACH, 1 + REACH) - shape))
        told(step + 1)
    if key in model.alignment:
        model.alignment[key].data.copy_(point.detach())
    else:
        model.set_mean_shapes({key: (shape + point.detach() / 2).cpu()})


def _plain(memory: Any) -> Any:
    """What was encoded in inference mode, as tensors that a gradient may pass by."""
    return replace(
        memory,
        memory=memory.memory.clone(),
        position=memory.position.clone(),
        fine=None if memory.fine is None else memory.fine.clone(),
        fine_position=None if memory.fine_position is None else memory.fine_position.clone(),
    )


def _tune(
    model: TUFA, teacher: TUFA, key: str, faces: Sequence[Face], inside: np.ndarray, steps: int, lr: float, seed: int,
    told: Callable[[int], None],
) -> list[float]:  # fmt: skip
    """Everything, on random views of the faces with the points of all conventions."""
    if not steps:
        return []
    try:
        from workbench.training.tufa import TUFATraining
    except ModuleNotFoundError as error:  # the app does without Lightning
        raise SettingsError(
            f"Tuning everything needs the package '{error.name}' of the extra 'train'; without it steps must be 0."
        ) from None

    layout = _layout(model, teacher, key)
    images, points, valid, frame = _stored(teacher, layout, key, faces, inside)
    weights = torch.full((layout.total,), (1 - _SHARE) / max(1, layout.total - len(inside[0])))
    weights[layout.columns[key]] = _SHARE / len(inside[0])
    phase = Phase(epochs=1, lr=lr, views="polish")
    recipe = Recipe(name="few-shot", preset="", scheme=model.scheme.name, sets=(), test="", phases=(phase,), seed=seed)
    module = TUFATraining(model, model.scheme, recipe)
    module.layout = layout
    model.train()
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):  # a handful of faces says nothing of the statistics of all
            part.eval()
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    fast = [p for name, p in model.named_parameters() if name == f"alignment.{key}"]
    rest = [p for name, p in model.named_parameters() if name != f"alignment.{key}"]
    optimizer = torch.optim.AdamW([{"params": rest, "lr": lr}, {"params": fast, "lr": 10 * lr}], weight_decay=0.01)
    cycle = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min(1.0, (s + 1) / (0.1 * steps)) * max(0.02, 0.5 * (1 + math.cos(math.pi * s / steps)))
    )
    generator, draw = torch.Generator(model.device).manual_seed(seed), torch.Generator().manual_seed(seed)
    losses = []
    for step in range(steps):
        rows = torch.randperm(max(_BATCH, len(faces)), generator=draw)[:_BATCH] % len(faces)
        chosen = [t[rows].to(model.device) for t in (images, points, valid, frame)]
        batch = module.view((*chosen, weights.to(model.device).expand(len(rows), -1)), generator)
        loss = module.model_loss(module.model_input(batch.images), batch)
        if not torch.isfinite(loss):
            raise DataError(f"The loss of step {step} is not finite; look for points far outside the photographs.")
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        cycle.step()
        losses.append(loss.item())
        told(step + 1)
    return losses


def _layout(model: TUFA, teacher: TUFA, key: str) -> Layout:
    """The columns of the taught convention and of what must not be forgotten."""
    own = teacher.prompt().detach().cpu().double().numpy()
    mirror = (
        affine(own, own[list(model.scheme.flip)]) if model.scheme.can_flip else np.array([[-1.0, 0, 1], [0, 1, 0]])
    )
    names = dict.fromkeys((key, model.config.scheme, *model.config.conventions))
    flips: dict[str, tuple[int, ...]] = {}
    for name in names:
        try:
            pairs = get_scheme(name).flip
        except UnknownNameError:
            pairs = mirror_pairs(model.prompt(name).detach().cpu().double().numpy(), mirror)
        if pairs or name == key:
            flips[name] = tuple(pairs)
    joined: list[int] = []
    for name, pairs in flips.items():
        joined += [len(joined) + j for j in (pairs or range(len(model.prompt(name))))]
    counts = tuple(len(model.prompt(name)) for name in flips)
    # Without twins for what is taught no face is mirrored.
    scheme = user_scheme("mixed", sum(counts), flip=joined if flips[key] else ())
    return Layout(tuple(flips), counts, scheme)


@torch.inference_mode()
def _stored(
    teacher: TUFA, layout: Layout, key: str, faces: Sequence[Face], inside: np.ndarray
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Crops wide enough for views, the points of all columns in their pixels, which are valid, and the frames."""
    images, points, frames = [], [], []
    encoded = [encode_face(teacher, f) for f in faces]
    rows = np.full((len(faces), layout.total, 2), np.nan)
    for name, columns in layout.columns.items():
        if name == key:
            rows[:, columns] = inside
        else:
            rows[:, columns] = find_on(teacher, encoded, teacher.prompt(name).cpu().double().numpy()).points
    for face, row in zip(faces, rows, strict=True):
        wide = replace(face, factor=face.factor * _WIDER)
        images.append(torch.from_numpy(wide.crop(_PACK)).permute(2, 0, 1))
        points.append(wide.to_crop(face.to_photo(row * 1000, 1000), _PACK))
        x0, y0, x1, y1 = face.box
        low, high = wide.to_crop(np.array([[x0, y0], [x1, y1]]), _PACK)
        frames.append([*(low + high) / 2, (high - low).max()])
    at = torch.from_numpy(np.stack(points)).float()
    valid = torch.isfinite(at).all(-1)
    at = torch.where(valid[..., None], at, 0.0)
    return torch.stack(images), at, valid, torch.tensor(np.array(frames)).float()
