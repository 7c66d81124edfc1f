"""Does what is shown matter? Every mechanism of a model is frozen, scrambled over faces and removed, and the answers
are compared with those of the untouched model on the same pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from workbench.data.augment import occlude
from workbench.data.pack import Packed
from workbench.errors import DataError
from workbench.evaluation.dataset import batches, load_faces
from workbench.evaluation.occlusion import occluder
from workbench.landmarks.metrics import nme, normaliser_distances
from workbench.models.base import FaceModel, Mechanism
from workbench.models.systems import get_system
from workbench.tracing import Edit, NamedTensor, Trace, intervene, record, taps
from workbench.tracing.edits import Mean, One, Scramble, Uniform, Zero
from workbench.tracing.tap import matching

CONDITIONS: dict[str, float] = {"plain": 0.0, "rectangle 30 %": 0.3, "rectangle 50 %": 0.5}
"""What the faces are shown under -> mean side of a painted rectangle as a part of the crop's."""
EDITS = ("frozen", "scrambled", "removed")
"""Frozen to its mean over the faces shown alike; each face given another one's; removed as its system says."""
WITHOUT: dict[str, Callable[[], Edit]] = {"zero": Zero, "one": One, "uniform": Uniform}
WORKS = {"landmarks": 0.05, "pose": 1.0}
"""Least cost of a mechanism that works: in points of NME, or in degrees that the pose turns."""
RESAMPLES = 2000


@dataclass(frozen=True)
class Cost:
    """What an edit of a mechanism costs.

    Attributes:
        points: change of the mean NME in points (per cent of the inter-ocular distance); NaN where the mechanism is
            there for the pose.
        low, high: 95 % interval of it, from a bootstrap over the same faces with and without the edit.
        moved: mean distance of the answer from the untouched model's: per cent of the inter-ocular distance, or
            degrees of the pose.
        pixels: the same in pixels of the crop; NaN for a pose.
    """

    points: float
    low: float
    high: float
    moved: float
    pixels: float

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out zero, on the side where the edit does harm."""
        return self.low > 0


@dataclass(frozen=True)
class Finding:
    """What was found about one mechanism.

    Attributes:
        mechanism: what its system declares.
        costs: edit -> condition -> cost; an edit is missing where it is none (nothing can be frozen or scrambled that
            is the same for every face).
        varies: deviation over faces against the root mean square of its values.
        verdict: "works", "weak" or "idle", see :func:`verdict`.
    """

    mechanism: Mechanism
    costs: Mapping[str, Mapping[str, Cost]]
    varies: float
    verdict: str

    def row(self, base: Mapping[str, Any]) -> dict[str, Any]:
        """For a model card."""
        costs = {
            edit: {name: {k: _rounded(v) for k, v in asdict(cost).items()} for name, cost in under.items()}
            for edit, under in self.costs.items()
        }
        return {
            **base,
            **asdict(self.mechanism),
            "varies": _rounded(self.varies),
            "verdict": self.verdict,
            "costs": costs,
        }


@dataclass(frozen=True)
class MechanismReport:
    """All mechanisms of a model on one part of a data set."""

    model: str
    data: str
    split: str
    labels: str
    faces: int
    nme: Mapping[str, float]
    """Condition -> NME of the untouched model in per cent."""
    findings: tuple[Finding, ...]

    def rows(self) -> list[dict[str, Any]]:
        """For a model card: plain values."""
        base = {"data": self.data, "split": self.split, "labels": self.labels, "faces": self.faces}
        return [finding.row(base) for finding in self.findings]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        plain = {k: round(v, 4) for k, v in self.nme.items()}
        return {"model": self.model, "nme_percent": plain, "mechanisms": self.rows()}

    def text(self) -> str:
        """A table for a terminal."""
        head = ", ".join(f"{name} {value:.2f} %" for name, value in self.nme.items())
        lines = [f"{self.model} on {self.data} {self.split} ({self.faces} faces), NME: {head}"]
        for f in self.findings:
            lines.append(f"  {f.mechanism.name} ({f.mechanism.tap}): {f.verdict}, varies over faces by {f.varies:.1%}")
            for edit, under in f.costs.items():
                said = "; ".join(f"{name} {_said(cost, f.mechanism)}" for name, cost in under.items())
                lines.append(f"    {edit}: {said}")
        return "\n".join(lines)


def _said(cost: Cost, mechanism: Mechanism) -> str:
    if mechanism.answer == "pose":
        return f"turns by {cost.moved:.2f} degrees"
    return f"{cost.points:+.3f} [{cost.low:+.3f}, {cost.high:+.3f}], moves {cost.pixels:.2f} px"


def _rounded(value: float) -> float | None:
    return None if not np.isfinite(value) else round(float(value), 4)


def verdict(mechanism: Mechanism, costs: Mapping[str, Mapping[str, Cost]]) -> str:
    """The fixed rule. A mechanism *works* when freezing or scrambling it costs at least :data:`WORKS` under one of the
    conditions, with an interval that leaves out zero; what is the same for every face is judged by its removal. It is
    *weak* when some edit costs anything that the interval makes sure of, else *idle*."""
    least = WORKS[mechanism.answer]
    told = [c for edit in ("frozen", "scrambled") for c in costs.get(edit, {}).values()]
    every = [c for under in costs.values() for c in under.values()]
    if mechanism.answer == "pose":
        works, weak = any(c.moved >= least for c in told or every), any(c.moved >= least / 10 for c in every)
    else:
        works = any(c.sure and c.points >= least for c in told or every)
        weak = any(c.sure for c in every)
    return "works" if works else "weak" if weak else "idle"


@torch.inference_mode()
def mechanism_report(
    model: FaceModel,
    data: str | Path,
    *,
    labels: str | None = None,
    split: str | None = "test",
    batch: int = 32,
    seed: int = 0,
    progress: bool = False,
) -> MechanismReport:
    """Intervene on every mechanism that a model's system declares.

    Args:
        model, data, labels, split, progress: as in ``evaluate``.
        batch: faces at a time; a scrambled face gets one of its batch.
        seed: of the rectangles, of the permutations and of the bootstrap.

    Raises:
        DataError: as in ``evaluate``, or fewer than two faces.
    """
    packed = load_faces(model, data, labels, split, progress)
    if len(packed) < 2:
        raise DataError(f"{data} has one face in that part; nothing can be scrambled over faces, so give more.")
    there = _declared(model)
    while len(packed) % batch == 1:  # a face alone has none to change places with
        batch -= 1
    bar = tqdm(
        total=len(CONDITIONS) * (1 + len(EDITS) * len(there)), disable=not progress, desc=model.name, unit="run"
    )
    costs: dict[str, dict[str, dict[str, Cost]]] = {m.name: {} for m in there}
    varies: dict[str, float] = {}
    errors: dict[str, float] = {}
    for condition, side in CONDITIONS.items():

        def shown(side: float = side) -> Iterator[tuple[Tensor, np.ndarray]]:
            return _shown(model, packed, batch, side, seed)

        reference, spread, plain = _reference(model, shown, [m.tap for m in there])
        bar.update()
        errors[condition] = 100 * float(np.nanmean(plain.nme))
        for mechanism in there:
            names = list(matching(model, [mechanism.tap]))
            if condition == "plain":
                varies[mechanism.name] = float(np.mean([spread[name] for name in names]))
            constant = all(spread[name] == 0 for name in names)
            for edit, made in _edits(mechanism, reference, constant, seed).items():
                with intervene(model, {mechanism.tap: made}):
                    changed = _answers(model, shown())
                found = _cost(plain, changed, mechanism, seed)
                costs[mechanism.name].setdefault(edit, {})[condition] = found
                bar.update()
    bar.close()
    return MechanismReport(
        model=model.name,
        data=Path(data).name,
        split=split or "all",
        labels=labels or "own",
        faces=len(packed),
        nme=errors,
        findings=tuple(
            Finding(m, costs[m.name], varies[m.name], "idle" if m.idle else verdict(m, costs[m.name])) for m in there
        ),
    )


def _declared(model: FaceModel) -> list[Mechanism]:
    """The mechanisms of a model's system that this very model has."""
    known = taps(model)
    return [m for m in get_system(model.config.system).mechanisms if any(_fits(name, m.tap) for name in known)]


def _fits(name: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(name, pattern)


def _edits(mechanism: Mechanism, reference: Trace, constant: bool, seed: int) -> dict[str, Edit]:
    edits: dict[str, Edit] = {} if constant else {"frozen": Mean(reference), "scrambled": Scramble("batch", seed)}
    if mechanism.without != "none":
        edits["removed"] = WITHOUT[mechanism.without]()
    return edits


@dataclass(frozen=True)
class _Answers:
    """Of all faces: NME (M,), landmarks (M, N, 2) in crop pixels, inter-ocular distances (M,), pose (M, 3) in
    degrees."""

    nme: np.ndarray
    landmarks: np.ndarray
    eyes: np.ndarray
    pose: np.ndarray | None


def _shown(
    model: FaceModel, packed: Packed, batch: int, side: float, seed: int
) -> Iterator[tuple[Tensor, np.ndarray]]:
    """Batches of crops, RGB in [0, 1], with true landmarks (B, N, 2) in crop pixels, NaN where missing; the same
    rectangles at every call."""
    generator = torch.Generator(model.device).manual_seed(seed)
    for _, crops in batches(model, packed, batch):
        images = crops.images
        if side:
            images, _ = occlude(images, crops.points, generator, occluder(side))
        truth = torch.where(crops.valid[..., None], crops.points * model.input_size, torch.nan)
        yield images, truth.cpu().double().numpy()


def _answers(model: FaceModel, shown: Iterator[tuple[Tensor, np.ndarray]]) -> _Answers:
    errors, points, eyes, poses = [], [], [], []
    for images, truth in shown:
        answer = model(model.prepare(images))
        found = answer.landmarks.cpu().double().numpy()
        distances = normaliser_distances(truth, model.scheme, _normaliser(model), strict=False)
        errors.append(nme(found, truth, distances))
        points.append(found)
        eyes.append(distances)
        if answer.pose is not None:
            poses.append(np.rad2deg(answer.pose.cpu().double().numpy()))
    pose = np.concatenate(poses) if poses else None
    return _Answers(np.concatenate(errors), np.concatenate(points), np.concatenate(eyes), pose)


def _normaliser(model: FaceModel) -> str:
    return "inter_ocular" if model.scheme.eye_corners is not None else "box"


def _reference(
    model: FaceModel, shown: Callable[[], Iterator[tuple[Tensor, np.ndarray]]], patterns: list[str]
) -> tuple[Trace, dict[str, float], _Answers]:
    """One pass over all faces: the mean of every tap as a trace of one face, how much each varies over faces, and the
    untouched answers."""
    total: dict[str, Tensor] = {}
    square: dict[str, float] = {}
    axes: dict[str, tuple[str, ...]] = {}
    constant: dict[str, bool] = {}
    faces = 0
    answers = []
    for images, truth in shown():
        with record(model, only=patterns) as trace:
            answers.append(_answers(model, iter([(images, truth)])))
        for name, entry in trace.items():
            dim = entry.dim("batch")
            value = entry.tensor.float()
            constant[name] = constant.get(name, True) and value.shape[dim] == 1 < len(images)
            value = (
                value
                if value.shape[dim] == len(images)
                else value.expand([len(images) if d == dim else -1 for d in range(value.ndim)])
            )
            total[name] = total.get(name, 0) + value.sum(dim, keepdim=True)
            square[name] = square.get(name, 0.0) + float(value.double().square().mean() * len(images))
            axes[name] = entry.axes
        faces += len(images)
    mean = Trace()
    spread = {}
    for name, value in total.items():
        mean[name] = NamedTensor(value / faces, axes[name])
        power = square[name] / faces
        variance = power - float((value / faces).double().square().mean())
        spread[name] = 0.0 if constant[name] or power == 0 else float(np.sqrt(max(variance, 0.0) / power))
    poses = [a.pose for a in answers if a.pose is not None]
    joined = _Answers(
        np.concatenate([a.nme for a in answers]),
        np.concatenate([a.landmarks for a in answers]),
        np.concatenate([a.eyes for a in answers]),
        np.concatenate(poses) if poses else None,
    )
    return mean, spread, joined


def _cost(plain: _Answers, changed: _Answers, mechanism: Mechanism, seed: int) -> Cost:
    if mechanism.answer == "pose" and plain.pose is not None and changed.pose is not None:
        turn = np.abs(changed.pose - plain.pose)
        moved = float(np.minimum(turn, 360 - turn).mean())
        return Cost(np.nan, np.nan, np.nan, moved, np.nan)
    harm = 100 * (changed.nme - plain.nme)
    harm = harm[np.isfinite(harm)]
    low, high = interval(harm, seed)
    distance = np.linalg.norm(changed.landmarks - plain.landmarks, axis=-1).mean(-1)
    return Cost(float(harm.mean()), low, high, float(np.nanmean(100 * distance / plain.eyes)), float(distance.mean()))


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of paired differences (M,)."""
    rng = np.random.default_rng(seed)
    means = np.array([values[rng.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)])
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
