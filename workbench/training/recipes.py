"""Training recipes: everything that decides what a shipped checkpoint is, in one frozen record each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.errors import UnknownNameError


@dataclass(frozen=True)
class Recipe:
    """How one checkpoint is made.

    Attributes:
        name: also the checkpoint's name.
        preset: model preset in the zoo.
        scheme: landmark scheme of the labels.
        sets: data folders below ``--data``, joined for training.
        labels: None for a set's own labels, or the name of its pseudo-labels ("pseudo98").
        test: the folder whose test part is measured.
        pack: side of the stored crops in pixels.
        warmup_epochs: epochs of heatmap training of the backbone alone.
        epochs: epochs of the model itself, after the warm-up.
        batch, lr_warmup, lr, weight_decay, betas: AdamW with one cycle a phase.
        floor: density floor of the likelihood (None: exact).
        augment: name of the augmentation preset.
        ema: decay of the averaged weights that are kept.
        seed: of everything random.
        start: checkpoint of another scheme that the training starts from, or None.
        precision: Lightning's precision flag.
        grad_clip: norm to which gradients are clipped, 0 for none.
        milestones: epochs at which the rate falls to a tenth, instead of one cycle.
        polish_epochs, lr_polish: a last, lower cycle on milder views with larger occluders (augmentation "polish").
        notes: sentences for the card.
    """

    name: str
    preset: str
    scheme: str
    sets: tuple[str, ...]
    test: str
    labels: str | None = None
    pack: int = 192
    warmup_epochs: int = 24
    epochs: int = 36
    batch: int = 32
    lr_warmup: float = 2e-3
    lr: float = 1e-3
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.95)
    floor: float | None = None
    augment: str = "wide"
    ema: float = 0.997
    seed: int = 20240
    start: str | None = None
    precision: str = "bf16-mixed"
    grad_clip: float = 1.0
    milestones: tuple[int, ...] = ()
    polish_epochs: int = 0
    lr_polish: float = 5e-4
    notes: tuple[str, ...] = ()

    @property
    def total_epochs(self) -> int:
        return self.warmup_epochs + self.epochs + self.polish_epochs


_PAPER = dict[str, Any](
    warmup_epochs=0,
    epochs=100,
    batch=16,
    lr=5e-4,
    floor=1e-9,
    augment="paper",
    pack=256,
    ema=0.0,
    grad_clip=0.0,
    milestones=(80, 90),
)

_ALL = (
    Recipe(
        "dslpt-68",
        "dslpt-68-compact",
        "ibug68",
        ("w300_68",),
        "w300_68",
        polish_epochs=12,
        notes=(
            "Trained from scratch on 2012 faces of AFW, HELEN and LFPW; the test part is LFPW-test.",
            "Laplace likelihood; the variance is that of the distribution, twice its scale squared.",
        ),
    ),
    Recipe(
        "dslpt-98",
        "dslpt-98-compact",
        "wflw98",
        ("w300_68",),
        "w300_68",
        labels="pseudo98",
        start="dslpt-68",
        warmup_epochs=0,
        epochs=4,
        lr=5e-4,
        augment="polish",
        notes=(
            "The 98 points are pseudo-labels made by another network, not human labels: errors against them say how "
            "well that network is imitated.",
            "Starts from dslpt-68; each of the 98 encodings from the nearest of the 68 landmarks.",
        ),
    ),
    Recipe("dslpt-68-paper", "dslpt-68-w18", "ibug68", ("w300_68",), "w300_68", **_PAPER),
    Recipe("dslpt-98-paper", "dslpt-98-w18", "wflw98", ("wflw",), "wflw", **_PAPER),
    Recipe(
        "slpt-98-paper",
        "slpt-98-lite",
        "wflw98",
        ("wflw",),
        "wflw",
        **{**_PAPER, "lr": 1e-3, "epochs": 150, "batch": 32, "milestones": (120, 140)},
    ),
)
RECIPES = {recipe.name: recipe for recipe in _ALL}


def get_recipe(name: str) -> Recipe:
    """A recipe by name. Raises UnknownNameError, naming the ones there are."""
    if name not in RECIPES:
        raise UnknownNameError(f"There is no recipe '{name}'; choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]
