"""The methods, what each is called and costs, and the settings they take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from workbench.attribution.fills import FILLS
from workbench.errors import SettingsError, unknown

PROFILE = 65
"""Places of the path of an integral that are looked at before its steps are shared out."""


class Options(TypedDict, total=False):
    """Keyword arguments of ``attribute``; see :class:`Settings`."""

    fill: str
    window: int | None
    stride: int | None
    steps: int
    samples: int
    noise: float
    noisy: int
    layer: str | None
    seed: int


@dataclass(frozen=True)
class Settings:
    """What a method takes besides face, landmark and target; each takes what it needs.

    Attributes:
        fill: what replaces covered pixels, the baseline of integrals: one of ``fills.FILLS``.
        window, stride: of occlusion, pixels of the crop; an eighth of its side, and half of the window.
        steps: of an integral.
        samples: coalitions that KernelShap draws.
        noise, noisy: deviation of the noise in parts of the range of RGB, and how many noisy crops are averaged.
        layer: path of the module that layer methods look at; None is the last map of the backbone.
        seed: of noise and of drawn coalitions.

    Raises:
        UnknownNameError: no such fill.
        SettingsError: a number that makes no sense.
    """

    fill: str = "blur"
    window: int | None = None
    stride: int | None = None
    steps: int = 128
    samples: int = 128
    noise: float = 0.1
    noisy: int = 8
    layer: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.fill not in FILLS:
            raise unknown("fill", self.fill, FILLS)
        for name in ("window", "stride", "steps", "samples", "noisy"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingsError(f"{name} must be at least 1, not {value}.")
        if not 0 < self.noise <= 1:
            raise SettingsError(f"noise must lie above 0 and not above 1, not {self.noise}.")

    def windows(self, size: int) -> tuple[int, int]:
        """Window and stride in pixels for a crop of side S. Raises SettingsError for a window that is too large."""
        window = self.window or max(1, size // 8)
        stride = self.stride or max(1, window // 2)
        if window > size or stride > window:
            raise SettingsError(
                f"A window of {window} px every {stride} px leaves gaps or does not fit into a crop of {size} px."
            )
        return window, stride


@dataclass(frozen=True)
class Method:
    """One way to attribute an answer.

    Attributes:
        name, title: what it is called, and how captions and pages write it.
        value: what a number of the map is; {moves} stands for the target.
        passes: (settings, side of the crop, parts, slopes) -> passes forward alone, and passes with their gradient.
        parts: whether it values facial parts; else cells of a map.
        slopes: whether it takes gradients, which cost about three forward passes each.
        every: whether one loop answers for all landmarks and targets.
        caveat: what is known to be wrong with it; "" for nothing.
        complete: whether its numbers sum to the difference between the answer and that at the fill.
    """

    name: str
    title: str
    value: str
    passes: Callable[[Settings, int, int, int], tuple[int, int]]
    parts: bool = False
    slopes: bool = False
    every: bool = False
    filled: bool = True
    complete: bool = False
    caveat: str = ""


def positions(size: int, window: int, stride: int) -> list[int]:
    """Left edges of windows along a side; the last one ends at the border or beyond it, as Captum's."""
    count = -(-(size - window) // stride) + 1
    return [k * stride for k in range(count)]


def _windows(settings: Settings, size: int, parts: int, slopes: int) -> tuple[int, int]:
    return len(positions(size, *settings.windows(size))) ** 2 + 1, 0


_EDGES = "integrated gradients draw the edges of the face for every landmark: dark and light are not importance"
_CAM = "Grad-CAM often points to wrong places: a coordinate is no class, and cells far away share its channels"
_SHARES = "a cell's share of the difference"

METHODS: dict[str, Method] = {
    m.name: m
    for m in (
        Method("occlusion", "Occlusion", "mean change while a window covers the cell", _windows, every=True),
        Method(
            "shapley", "Exact Shapley values of facial parts", "Shapley value of the part",
            lambda s, n, p, g: (2**p + 1, 0),
            parts=True, every=True, complete=True,
        ),
        Method("captum_occlusion", "Occlusion (Captum)", "mean change while a window covers the cell", _windows),
        Method(
            "feature_ablation", "Feature ablation of facial parts (Captum)", "change while the part alone is covered",
            lambda s, n, p, g: (p + 1, 0), parts=True,
        ),
        Method(
            "kernel_shap", "KernelShap of facial parts (Captum)", "estimated Shapley value of the part",
            lambda s, n, p, g: (s.samples, 0), parts=True, complete=True,
        ),
        Method(
            "smoothgrad", "SmoothGrad (Captum)", "slope, mean over noisy crops", lambda s, n, p, g: (0, g * s.noisy),
            slopes=True, filled=False,
        ),
        Method("saliency", "Saliency (Captum)", "slope", lambda s, n, p, g: (0, g), slopes=True, filled=False),
        Method(
            "integrated_gradients", "Integrated gradients (Captum)", _SHARES, lambda s, n, p, g: (PROFILE, s.steps),
            slopes=True, complete=True, caveat=_EDGES,
        ),
        Method(
            "smooth_integrated_gradients", "Integrated gradients, smoothed (Captum)",
            f"{_SHARES}, mean of noisy crops",
            lambda s, n, p, g: (0, s.noisy * s.steps), slopes=True, caveat=_EDGES,
        ),
        Method(
            "grad_cam", "Grad-CAM of a layer (Captum)", "channels weighed by their mean slope",
            lambda s, n, p, g: (0, g),
            slopes=True, filled=False, caveat=_CAM,
        ),
        Method(
            "layer_integrated_gradients", "Integrated gradients of a layer (Captum)", _SHARES,
            lambda s, n, p, g: (2, s.steps), slopes=True,
        ),
    )
}  # fmt: skip
BACKWARD = 3
"""What a pass with its gradient costs, in forward passes."""


def get_method(name: str) -> Method:
    """A method by its name. Raises UnknownNameError."""
    if name not in METHODS:
        raise unknown("attribution method", name, METHODS)
    return METHODS[name]
