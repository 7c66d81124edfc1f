"""Whether a map holds: deletion and insertion against plain baselines, and agreement with attention and edits.

Deletion and insertion: Petsiuk et al. 2018 (RISE). What a map says is worth something where covering what it ranks
first moves the answer sooner than covering what lies nearest to the landmark, or anything at random.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from workbench.attribution.answers import Answer, Asked, Meter, Progress, crop_of
from workbench.attribution.fills import FILLS, filled
from workbench.attribution.result import Attribution
from workbench.axes import LANDMARK_PAIRS, SPATIAL_ATTENTION
from workbench.explain.relations import relation_kinds
from workbench.reading import paths_of, read
from workbench.tracing import NamedTensor, Site, intervene, layers_of, taps

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.models.base import FaceModel
    from workbench.reading import Reading

FRACTIONS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
"""Of the crop, covered or shown."""
CELLS = 16
"""Cells a side of the crop that are covered as one, for every order alike."""
TOP = 10
NEAR_BY = 0.04
"""Radius in parts of the crop within which a place counts to a landmark."""


@dataclass(frozen=True)
class Curves:
    """How far the answer moves while the crop is covered, or shown again, in an order.

    Attributes:
        landmark, target, unit: what is measured: the absolute change of the target.
        fractions: (F,) of the crop.
        deletion, insertion: order -> (F,) change of the answer; "this map", "nearness" (nearest to the landmark first)
            and "random" (mean of several orders).
        spread: order -> (2, F) least and largest of the random orders, by "deletion" and "insertion".
        caption: the result in words.
    """

    landmark: int
    target: str
    unit: str
    fractions: np.ndarray
    deletion: Mapping[str, np.ndarray]
    insertion: Mapping[str, np.ndarray]
    spread: Mapping[str, np.ndarray]
    caption: str
    seconds: float

    def area(self, curve: np.ndarray) -> float:
        """Mean of a curve over the fractions (trapezia)."""
        return float(np.trapezoid(curve, self.fractions))


ORDERS = ("this map", "nearness", "random")


def curve_passes(draws: int = 3) -> int:
    """Forward passes of :func:`curves`."""
    return 2 * (2 + draws) * len(FRACTIONS)


def curves(
    model: FaceModel, face: Face, of: Attribution, draws: int = 3, seed: int = 0, progress: Progress | None = None
) -> Curves:
    """Deletion and insertion curves of a map, with nearness and random orders as baselines.

    Cells of 1/16 of the crop are ranked by the mean of the absolute map, covered first to last (deletion) or shown on
    the covered crop (insertion), with the fill that the map was made with.

    Args:
        draws: random orders.
        progress: as ``attribute`` takes it.

    Raises:
        Cancelled: ``progress`` answered False.
    """
    start, size = time.perf_counter(), model.input_size
    plain = read(model, face, taps=()).points() * size
    crop = face.crop(size)
    rgb, fill = crop_of(model, crop), crop_of(model, filled(crop, of.settings.fill, plain))
    ranks = orders(of, plain[of.landmark], draws, seed)
    asked = Asked(model, Meter(curve_passes(draws), progress))
    anchor = torch.as_tensor(plain[of.landmark], dtype=torch.float32, device=rgb.device)
    with torch.inference_mode():
        whole = float(Asked(model)(rgb[None]).target(of.target, of.landmark, anchor)[0])

    def changes(order: np.ndarray, show: bool) -> np.ndarray:
        masks = torch.from_numpy(np.stack([_covered(order, f, size) ^ show for f in FRACTIONS]))
        found = asked.under(rgb, fill, masks).target(of.target, of.landmark, anchor)
        return np.abs(found.cpu().numpy().astype(np.float64) - whole)

    found = {name: np.stack([[changes(o, show) for show in (False, True)] for o in some])
             for name, some in ranks.items()}  # fmt: skip
    mean = {name: values.mean(0) for name, values in found.items()}
    spread = np.stack([found["random"].min(0), found["random"].max(0)])
    deletion = {name: values[0] for name, values in mean.items()}
    insertion = {name: values[1] for name, values in mean.items()}
    sides = {"deletion": spread[:, 0], "insertion": spread[:, 1]}
    out = Curves(of.landmark, of.target, of.unit, np.array(FRACTIONS), deletion, insertion, sides, "", 0.0)
    return replace(out, caption=_words(out, of), seconds=time.perf_counter() - start)


def orders(of: Attribution, landmark: np.ndarray, draws: int, seed: int) -> dict[str, list[np.ndarray]]:
    """The cells (CELLS^2,) of a crop in each order, first to last.

    Args:
        landmark: (2,) pixels of the crop.
    """
    cell = of.input_size / CELLS
    at = (np.arange(CELLS) + 0.5) * cell - 0.5
    x, y = np.meshgrid(at, at)
    near = np.hypot(x - landmark[0], y - landmark[1]).ravel()
    score = _cells(np.abs(of.on_crop))
    rng = np.random.default_rng(seed)
    return {
        "this map": [np.lexsort((rng.random(len(near)), -score))],  # cells of one value in a random order
        "nearness": [np.argsort(near, kind="stable")],
        "random": [rng.permutation(len(near)) for _ in range(draws)],
    }


def _cells(values: np.ndarray) -> np.ndarray:
    """(S, S) -> (CELLS^2,) mean in each cell."""
    of = np.arange(len(values)) * CELLS // len(values)
    index = of[:, None] * CELLS + of[None]
    count = np.bincount(index.ravel(), minlength=CELLS**2)
    return np.asarray(np.bincount(index.ravel(), weights=values.ravel(), minlength=CELLS**2) / np.maximum(count, 1))


def _covered(order: np.ndarray, fraction: float, size: int) -> np.ndarray:
    """(S, S) bool: the first cells of an order."""
    cells = np.zeros(CELLS**2, bool)
    cells[order[: round(fraction * len(order))]] = True
    of = np.arange(size) * CELLS // size
    return np.asarray(cells.reshape(CELLS, CELLS)[np.ix_(of, of)])


def _words(found: Curves, of: Attribution) -> str:
    mine, near, chance = (found.area(found.deletion[name]) for name in ORDERS)
    back = [found.area(found.insertion[name]) for name in ORDERS]
    better = "sooner than" if mine > near else "no sooner than"
    returns = "sooner than" if back[0] < back[1] else "no sooner than"
    return (
        f"Covering what this map ranks first changes the answer by {mine:.3g} {found.unit} on average over the curve "
        f"(nearest first {near:.3g}, at random {chance:.3g}): {better} nearness alone. Shown first on the covered "
        f"crop, {back[0]:.3g} remain ({back[1]:.3g}, {back[2]:.3g}): back {returns} by nearness. Covered with "
        f"{FILLS[of.settings.fill]}, cells of 1/{CELLS} of the crop."
    )


# Agreement


@dataclass(frozen=True)
class Agreement:
    """How alike several rankings of the other landmarks are, for one landmark.

    Attributes:
        names: of the M rankings: "attribution", "nearness", and where the model has attention "attention" and "edit".
        scores: name -> (N,) of every landmark, NaN at the landmark itself.
        spearman: (M, M) rank correlation.
        overlap: (M, M) share of the first ``top`` that two rankings have in common.
        top: how many count as first.
        chance: expected overlap of two random rankings.
        caption: the result in words.
    """

    landmark: int
    names: tuple[str, ...]
    scores: Mapping[str, np.ndarray]
    spearman: np.ndarray
    overlap: np.ndarray
    top: int
    chance: float
    caption: str
    seconds: float


def agreement(
    model: FaceModel, face: Face, of: Attribution, top: int = TOP, progress: Progress | None = None
) -> Agreement:
    """Whether attention, the effect of an edit and an attribution name the same landmarks.

    Of each other landmark: "attention" is the weight that the landmark gives it, mean over heads, layers and stages
    (between places of a map: of the cells around it); "edit" how far the landmark moves when that weight is set to
    zero in every layer (as ``wb.effect`` with ``DropEdges``; between places: all weights on those cells);
    "attribution" the mean of the absolute map around it; "nearness" minus its distance.

    Args:
        top: how many count as first.
        progress: as ``attribute`` takes it.

    Raises:
        Cancelled: ``progress`` answered False.
    """
    start, k = time.perf_counter(), of.landmark
    paths = attention_paths(model)
    reading = read(model, face, taps=paths)
    points = reading.points()
    near = -np.linalg.norm(points - points[k], axis=1)
    around = _around(points, of.input_size)
    scores = {"attribution": np.array([np.abs(of.on_crop)[mask].mean() for mask in around])}
    done = ""
    if paths:
        scores["attention"], edit = _attended(reading, paths, k)
        scores["edit"] = _edited(model, face, paths, edit, k, len(points), progress)
        done = f" Attention and edits: {', '.join(paths[:2])}{' and more' if len(paths) > 2 else ''}."
    scores["nearness"] = near
    others = np.arange(len(points)) != k
    names, top = tuple(scores), min(top, len(points) - 1)
    values = np.stack([scores[name][others] for name in names])
    rho = np.array([[spearman(a, b) for b in values] for a in values])
    first = [set(np.argsort(-v, kind="stable")[:top].tolist()) for v in values]
    shared = np.array([[len(a & b) / max(1, top) for b in first] for a in first])
    said = [f"{name} {rho[0, m]:.2f}" for m, name in enumerate(names) if m]
    caption = f"Rank correlation of the map with {', '.join(said)}, over the {len(points) - 1} other landmarks." + (
        done or " This model has no attention that could be compared."
    )
    return Agreement(
        k, names, {n: np.where(others, v, np.nan) for n, v in scores.items()}, rho, shared, top,
        top / max(1, len(points) - 1), caption, time.perf_counter() - start,
    )  # fmt: skip


def attention_paths(model: FaceModel) -> tuple[str, ...]:
    """The taps that say what a landmark listens to: between landmarks (cross-attention alone where there is some),
    else between places of a map."""
    kinds = relation_kinds(taps(model))
    if kinds:
        return kinds[0].paths if kinds[0].title == "MCA" else tuple(path for kind in kinds for path in kind.paths)
    return tuple(paths_of(model, SPATIAL_ATTENTION))


class _DropFor:
    """Element b of the batch loses the weights that one landmark is told by."""

    caption = "the weights on one landmark set to zero"

    def __init__(self, keep: np.ndarray) -> None:
        self.keep = torch.from_numpy(keep)
        self.first = 0

    def __call__(self, value: NamedTensor, site: Site) -> torch.Tensor:
        keep = self.keep[self.first : self.first + len(value.tensor)].to(value.tensor)
        extra = value.tensor.ndim - keep.ndim
        return value.tensor * keep.reshape(len(keep), *[1] * extra, *keep.shape[1:])


def _attended(reading: Reading, paths: tuple[str, ...], landmark: int) -> tuple[np.ndarray, _DropFor]:
    """(N,) what a landmark gives to each, and the edit that takes it away, one of them for each element of a batch."""
    points, count = reading.points(), reading.scheme.count
    found = layers_of(reading.trace, (*LANDMARK_PAIRS, *SPATIAL_ATTENTION))
    weights = np.mean([one.stack(reading.trace).mean((0, 1, 2)) for one in found], axis=0)
    if weights.ndim == 2:
        keep = np.ones((count, count, count), np.float32)
        keep[np.arange(count), landmark, np.arange(count)] = 0
        return weights[landmark], _DropFor(keep)
    side = weights.shape[-1]
    around = _around(points, side)
    column, row = np.clip((points[landmark] * side).astype(int), 0, side - 1)
    keep = np.stack([1 - mask.astype(np.float32) for mask in around])
    return np.array([weights[row, column][mask].mean() for mask in around]), _DropFor(keep)


def _edited(
    model: FaceModel, face: Face, paths: tuple[str, ...], edit: _DropFor, landmark: int, count: int,
    progress: Progress | None,
) -> np.ndarray:  # fmt: skip
    """(N,) how far a landmark moves under each element of an edit, pixels of the crop."""
    rgb = crop_of(model, face.crop(model.input_size))[None]
    asked, size, moved = Asked(model, Meter(count, progress)), 16, []
    with torch.inference_mode():
        plain = Asked(model)(rgb).points[0, landmark]
        for first in range(0, count, size):
            edit.first, some = first, min(size, count - first)
            with intervene(model, dict.fromkeys(paths, edit)):
                found: Answer = asked(rgb.expand(some, -1, -1, -1))
            moved.append((found.points[:, landmark] - plain).norm(dim=-1))
    return torch.cat(moved).cpu().numpy().astype(np.float64)


def _around(points: np.ndarray, size: int) -> list[np.ndarray]:
    """(S, S) bool for each landmark: the cells whose centres lie within :data:`NEAR_BY` of it, at least its own."""
    centre = (np.arange(size) + 0.5) / size
    out = []
    for x, y in points:
        away = np.hypot(centre[None] - x, centre[:, None] - y)
        out.append((away <= NEAR_BY) | (away == away.min()))
    return out


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation of two lists; equal values share the mean of their ranks; 0 where one is constant."""
    x, y = _ranks(a), _ranks(b)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y / scale) if scale > 0 else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    _, index, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[index.ravel()])
