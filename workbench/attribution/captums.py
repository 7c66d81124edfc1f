"""Captum's methods, each given a plain function of a crop; what comes back is a map or one value a part.

Zeiler and Fergus 2014 (occlusion), Lundberg and Lee 2017 (KernelShap), Simonyan et al. 2014 (saliency), Smilkov et al.
2017 (SmoothGrad), Sundararajan et al. 2017 (integrated gradients), Selvaraju et al. 2017 (Grad-CAM).
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench.attribution.answers import BATCH, Asked
from workbench.attribution.parts import Parts
from workbench.attribution.register import PROFILE, Settings
from workbench.errors import SettingsError, UnknownNameError
from workbench.tracing import taps

if TYPE_CHECKING:
    from workbench.models.base import FaceModel

LEAST_SIDE = 7
"""Maps with fewer cells a side than this are no maps of the face."""
_SMALL = 4
"""Crops of one pass with gradients."""
_PIECE = 4
"""Steps of each piece, at first."""
_ROUNDS = 4
"""In which a profile looks closer."""


@dataclass(frozen=True)
class Job:
    """What a method is given.

    Attributes:
        asked: the model, counting.
        rgb, fill: (3, S, S) in [0, 1].
        plain: (N, 2) its answer, pixels of the crop.
        landmark, target: what is explained.
        parts: regions of the crop.
        settings: of the method.
    """

    asked: Asked
    rgb: Tensor
    fill: Tensor
    plain: Tensor
    landmark: int
    target: str
    parts: Parts
    settings: Settings

    def function(self, target: str | None = None, asked: Asked | None = None) -> Callable[[Tensor], Tensor]:
        """(B, 3, S, S) -> (B,), the target of each crop."""
        name, ask = target or self.target, asked or self.asked
        return lambda rgb: ask(rgb).target(name, self.landmark, self.plain[self.landmark])

    @property
    def slopes(self) -> tuple[str, ...]:
        """The targets whose slopes are taken: a distance has none at zero, so that both coordinates' are."""
        return ("x", "y") if self.target == "displacement" else (self.target,)

    @property
    def held(self) -> Tensor:
        """(1, 3, S, S) the crop, ready for slopes."""
        return self.rgb[None].clone().requires_grad_()

    @property
    def mask(self) -> Tensor:
        """(1, 1, S, S) int64, the region of every pixel."""
        return torch.from_numpy(self.parts.mask.astype(np.int64)).to(self.rgb.device)[None, None]


_DRAWING = threading.Lock()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Captum draws from torch's global generator: one at a time does, from a seed, and the generator goes on after
    it as if nothing had been."""
    with _DRAWING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def captum_occlusion(job: Job) -> np.ndarray:
    """(S, S) of ``captum.attr.Occlusion``."""
    from captum.attr import Occlusion

    window, stride = job.settings.windows(job.rgb.shape[-1])
    with torch.no_grad():
        found = Occlusion(job.function()).attribute(
            job.rgb[None], sliding_window_shapes=(3, window, window), strides=(3, stride, stride),
            baselines=job.fill[None], perturbations_per_eval=BATCH,
        )  # fmt: skip
    return _numpy(found[0, 0])


def feature_ablation(job: Job) -> np.ndarray:
    """(P,) of ``captum.attr.FeatureAblation``: each part covered alone."""
    from captum.attr import FeatureAblation

    with torch.no_grad():
        found = FeatureAblation(job.function()).attribute(
            job.rgb[None], baselines=job.fill[None], feature_mask=job.mask, perturbations_per_eval=BATCH
        )
    return _by_part(job, found)


def kernel_shap(job: Job) -> np.ndarray:
    """(P,) of ``captum.attr.KernelShap``."""
    from captum.attr import KernelShap

    present = np.unique(job.parts.mask)  # Captum numbers features without a gap
    compact = torch.from_numpy(np.searchsorted(present, job.parts.mask)).to(job.rgb.device)[None, None]
    explain = KernelShap(job.function())
    explain.interpretable_model = _LeastSquares()
    with torch.no_grad(), _seeded(job.settings.seed):
        found = explain.attribute(
            job.rgb[None], baselines=job.fill[None], feature_mask=compact, n_samples=job.settings.samples,
            perturbations_per_eval=BATCH,
        )  # fmt: skip
    return _by_part(job, found)


class _LeastSquares:
    """KernelShap's linear model with an intercept; Captum's own needs scikit-learn."""

    coefficients: Tensor

    def fit(self, batches: Iterable[tuple[Tensor, ...]], **_: Any) -> dict[str, float]:
        """Weighted least squares over (features, values, weights)."""
        x, y, weight = (torch.cat(parts).double() for parts in zip(*batches, strict=True))
        root = weight.reshape(-1, 1).sqrt()
        design = torch.cat([x.flatten(1), torch.ones(len(x), 1, dtype=x.dtype, device=x.device)], 1)
        found = torch.linalg.lstsq((root * design).cpu(), (root * y.reshape(-1, 1)).cpu(), driver="gelsd").solution
        self.coefficients = found[:-1, 0]
        return {}

    def representation(self) -> Tensor:
        """(1, P) the coefficients."""
        return self.coefficients[None].float()


def saliency(job: Job) -> np.ndarray:
    """(S, S) Euclidean norm of the slopes over R, G, B, and over x and y for a displacement."""
    from captum.attr import Saliency

    return _norm([Saliency(job.function(name)).attribute(job.held, abs=False) for name in job.slopes])


def smoothgrad(job: Job) -> np.ndarray:
    """(S, S) as :func:`saliency`, of the slopes' mean over noisy crops."""
    from captum.attr import NoiseTunnel, Saliency

    found = []
    for name in job.slopes:
        with _seeded(job.settings.seed):
            found.append(
                NoiseTunnel(Saliency(job.function(name))).attribute(
                    job.held, nt_type="smoothgrad", nt_samples=job.settings.noisy, nt_samples_batch_size=_SMALL,
                    stdevs=job.settings.noise, abs=False,
                )
            )  # fmt: skip
    return _norm(found)


def integrated_gradients(job: Job) -> np.ndarray:
    """(S, S) sum over R, G, B of ``captum.attr.IntegratedGradients``, piece by piece along its straight path.

    Answers often leap within a hundredth of the path, which few steps would miss: a profile of forward passes tells
    where, and pieces lie the closer the more changes there. Half of the steps go to these; the others, one after
    another, to the piece whose integral is farthest from the difference of the answers at its ends. The sum of all is
    the integral over the whole path.
    """
    from captum.attr import IntegratedGradients

    way, explain, function = job.rgb - job.fill, IntegratedGradients(job.function()), job.function()

    def along(places: np.ndarray) -> np.ndarray:
        crops = [job.fill + t.view(-1, 1, 1, 1).to(way) * way for t in torch.from_numpy(places).float().split(BATCH)]
        with torch.inference_mode():
            return np.concatenate([_numpy(function(some)) for some in crops])

    places, values = profile(along, PROFILE)

    def integrate(start: int, end: int, steps: int) -> _Piece:
        ends = [(job.fill + float(places[k]) * way)[None] for k in (end, start)]
        found = explain.attribute(ends[0], baselines=ends[1], n_steps=steps, internal_batch_size=_SMALL)[0].detach()
        return _Piece(abs(float(found.sum()) - (values[end] - values[start])), start, end, steps, found)

    least = min(_PIECE, job.settings.steps)
    knots = np.unique(np.searchsorted(places, pieces(places, values, max(1, job.settings.steps // (2 * _PIECE)))))
    held = [integrate(start, end, least) for start, end in pairwise(knots.tolist())]
    left = job.settings.steps - least * len(held)
    while able := [one for one in held if one.steps < left]:  # as many steps again would find the same
        worst = max(able, key=lambda one: one.defect)
        held.remove(worst)
        between = np.arange(worst.start + 1, worst.end)
        if len(between) and left >= 2 * _PIECE:
            middle = (values[worst.start] + values[worst.end]) / 2
            cut = int(between[np.abs(values[between] - middle).argmin()])
            again = [integrate(worst.start, cut, _PIECE), integrate(cut, worst.end, _PIECE)]
        else:
            again = [integrate(worst.start, worst.end, min(2 * worst.steps, left))]
        left -= sum(one.steps for one in again)
        held += again
    return _numpy(torch.stack([one.found for one in held]).sum((0, 1)))


@dataclass(frozen=True, eq=False)
class _Piece:
    """A piece of a path: from which place to which, in how many steps, its integral (3, S, S), and by how much the
    sum of that is not the difference of the answers at both ends."""

    defect: float
    start: int
    end: int
    steps: int
    found: Tensor


def profile(function: Callable[[np.ndarray], np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """``count`` places of [0, 1], ascending, and the function there: half of them even, the others halve, round by
    round, the gaps over which it changes most."""
    places = np.linspace(0, 1, count // 2 + 1)
    values = function(places)
    for some in np.array_split(np.arange(count - len(places)), _ROUNDS):
        widest = np.argsort(-np.abs(np.diff(values)), kind="stable")[: len(some)]
        middles = (places[widest] + places[widest + 1]) / 2
        places, values = np.concatenate([places, middles]), np.concatenate([values, function(middles)])
        order = np.argsort(places)
        places, values = places[order], values[order]
    return places, values


def pieces(places: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """(count + 1,) ends of pieces of [0, 1], in each of which the path changes alike: half of what is shared out is
    the way, half the absolute change of ``values`` (K,) between ``places`` (K,)."""
    change = np.abs(np.diff(values))
    share = np.diff(places) + (change / change.sum() if change.sum() > 0 else np.diff(places))
    held = np.concatenate([[0.0], np.cumsum(share)]) / share.sum()
    return np.asarray(np.interp(np.linspace(0, 1, count + 1), held, places))


def smooth_integrated_gradients(job: Job) -> np.ndarray:
    """(S, S) as :func:`integrated_gradients`, mean over noisy crops."""
    from captum.attr import IntegratedGradients, NoiseTunnel

    with _seeded(job.settings.seed):
        found = NoiseTunnel(IntegratedGradients(job.function())).attribute(
            job.rgb[None], nt_type="smoothgrad", nt_samples=job.settings.noisy, nt_samples_batch_size=1,
            stdevs=job.settings.noise, baselines=job.fill[None], n_steps=job.settings.steps,
            internal_batch_size=_SMALL,
        )  # fmt: skip
    return _numpy(found[0].sum(0))


def grad_cam(job: Job) -> np.ndarray:
    """(h, w) of ``captum.attr.LayerGradCam``, without a ReLU; the norm of both coordinates' for a displacement."""
    from captum.attr import LayerGradCam

    asked, layer = _apart(job)
    maps = [
        LayerGradCam(job.function(name, asked), layer).attribute(job.held, relu_attributions=False)
        for name in job.slopes
    ]
    return _norm(maps) if len(maps) > 1 else _numpy(maps[0][0, 0])


def layer_integrated_gradients(job: Job) -> np.ndarray:
    """(h, w) sum over the channels of ``captum.attr.LayerIntegratedGradients``."""
    from captum.attr import LayerIntegratedGradients

    asked, layer = _apart(job)
    found = LayerIntegratedGradients(job.function(asked=asked), layer).attribute(
        job.rgb[None], baselines=job.fill[None], n_steps=job.settings.steps, internal_batch_size=_SMALL
    )
    return _numpy(found[0].sum(0))


CAPTUM: dict[str, Callable[[Job], np.ndarray]] = {
    f.__name__: f
    for f in (
        captum_occlusion, feature_ablation, kernel_shap, saliency, smoothgrad, integrated_gradients,
        smooth_integrated_gradients, grad_cam, layer_integrated_gradients,
    )
}  # fmt: skip


def layers(model: FaceModel) -> dict[str, tuple[int, int, int]]:
    """The modules that layer methods can look at, in the order in which they run: path -> (C, h, w) of their one map
    of the whole crop, told by a blank one.

    What a module says more than once a pass, or of patches, is no map of the crop.
    """
    own, size = _twin(model), model.input_size
    seen: dict[str, list[tuple[int, ...]]] = {}
    hooks = [m.register_forward_hook(_noting(seen, path)) for path, m in own.named_modules() if path]
    with torch.inference_mode():
        own(own.prepare(torch.full((2, 3, size, size), 0.5)))
    for hook in hooks:
        hook.remove()
    return {
        path: (shapes[0][1], shapes[0][2], shapes[0][3])
        for path, shapes in seen.items()
        if len(shapes) == 1 and len(shapes[0]) == 4 and shapes[0][0] == 2
        and shapes[0][2] == shapes[0][3] >= LEAST_SIDE
    }  # fmt: skip


def _noting(seen: dict[str, list[tuple[int, ...]]], path: str) -> Callable[[nn.Module, Any, Any], None]:
    def note(module: nn.Module, given: Any, out: Any) -> None:
        seen.setdefault(path, []).append(tuple(out.shape) if isinstance(out, Tensor) else ())

    return note


def chosen_layer(model: FaceModel, layer: str | None) -> str:
    """The layer of a name; without one the last map of the backbone.

    Raises:
        UnknownNameError: the model has no such map of the crop.
    """
    known = layers(model)
    if layer is None:
        backbone = [path for path in known if path.startswith("backbone")] or list(known)
        if not backbone:
            raise UnknownNameError(f"{model.name} has no layer that makes one map of the crop.")
        return backbone[-1]
    if layer not in known:
        some = ", ".join(list(known)[-6:])
        raise UnknownNameError(f"{model.name} has no layer '{layer}' that makes one map of the crop; such are {some}.")
    return layer


def _apart(job: Job) -> tuple[Asked, nn.Module]:
    """A twin of the model for Captum's hooks, and the layer in it: whoever else reads with the model meets none.

    Raises:
        SettingsError: the model is recorded or edited, which its twin would not be.
    """
    model = job.asked.model
    if any(tap.active for tap in taps(model).values()):
        raise SettingsError("Layer methods look at the model as it is; leave the intervene or record block first.")
    twin = _twin(model)
    return Asked(twin, job.asked.meter), twin.get_submodule(chosen_layer(model, job.settings.layer))


def _twin(model: FaceModel) -> FaceModel:
    """Modules of its own over the same tensors."""
    shared = {id(t): t for t in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, shared)


def _by_part(job: Job, found: Tensor) -> np.ndarray:
    """(P,) what all pixels of a part were given alike; 0 for a part without pixels."""
    values, mask = _numpy(found[0, 0]), job.parts.mask
    return np.array([values[mask == k][0] if (mask == k).any() else 0.0 for k in range(len(job.parts.names))])


def _norm(found: list[Tensor]) -> np.ndarray:
    """(1, C, h, w) slopes -> (h, w) their Euclidean norm over channels and coordinates."""
    return _numpy(torch.linalg.vector_norm(torch.cat([one[0] for one in found]), dim=0))


def _numpy(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy().astype(np.float64)
