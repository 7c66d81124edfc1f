"""What a training recipe is: everything that decides what a checkpoint becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import SettingsError


@dataclass(frozen=True)
class Phase:
    """Some epochs with one learning-rate cycle, one augmentation and one task.

    Attributes:
        epochs: how many.
        lr: peak of the cycle.
        views: augmentation preset.
        task: "model", "heatmaps" (the feature maps alone, through throw-away heads), or one a system defines.
        milestones: epochs of the phase at which the rate falls to a tenth, instead of the cycle.
        frozen: names, or their beginnings, of parts of the model that the phase leaves as they are.
    """

    epochs: int
    lr: float
    views: str = "wide"
    task: str = "model"
    milestones: tuple[int, ...] = ()
    frozen: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one checkpoint is made.

    Attributes:
        name: also the checkpoint's name.
        preset: of the model.
        changes: (name, value) pairs of the preset's configuration that are other here, as in an ablation.
        scheme: landmark scheme of the labels.
        sets: data folders below ``--data``, joined for training.
        test: the folder whose test part is measured.
        phases: what is trained, one after the other.
        labels: None for a set's own labels, or the name of its pseudo-labels ("pseudo98").
        pack: side of the stored crops in pixels.
        batch, weight_decay, betas: of AdamW.
        floor: density floor of the likelihood (None: exact).
        point_norm: 1 or 2, of the point error where there is no likelihood (SLPT; DSLPT's Table 5.17).
        stage_weights: of the stages' losses (SLPT, DSLPT), as published; thesis Eq. 5.9 weighs the stages alike.
        offset_weight: of the soft-argmax's L1 error beside the cross-entropy, in every loss on heatmaps.
        auxiliary_weight: of the heatmap loss that goes on beside the landmarks' after a heatmap warm-up (ATPN).
        ema: decay of the averaged weights that are kept, 0 for none.
        seed: of everything random.
        start: checkpoint that the training starts from, or None.
        precision: Lightning's precision flag.
        grad_clip: norm to which gradients are clipped, 0 for none.
        title: of the checkpoint, where the system's name and the number of points do not tell it from others.
        data: what the card says of the training data, instead of the sets' names and the number of faces.
        licence: terms of data and weights, for the card.
        notes: sentences for the card.
    """

    name: str
    preset: str
    scheme: str
    sets: tuple[str, ...]
    test: str
    phases: tuple[Phase, ...]
    labels: str | None = None
    pack: int = 192
    batch: int = 32
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.95)
    floor: float | None = None
    point_norm: int = 2
    stage_weights: tuple[float, ...] = (0.2, 0.3, 0.5)
    offset_weight: float = 10.0
    auxiliary_weight: float = 0.0
    ema: float = 0.997
    seed: int = 20240
    start: str | None = None
    precision: str = "bf16-mixed"
    grad_clip: float = 1.0
    title: str = ""
    data: str = ""
    licence: str = "Training photographs and labels: research, non-commercial (300-W). Weights: research use."
    notes: tuple[str, ...] = ()
    changes: tuple[tuple[str, Any], ...] = ()

    @property
    def config(self) -> Any:
        """The model's configuration. Raises UnknownNameError, SettingsError for a change that it cannot have."""
        from workbench.models.systems import preset

        plain = preset(self.preset)
        for name, _ in self.changes:
            if not hasattr(plain, name):
                raise SettingsError(f"{plain.system.upper()} has no setting '{name}' that could be changed.")
        return replace(plain, **dict(self.changes))

    @property
    def epochs(self) -> int:
        """Of all phases."""
        return sum(phase.epochs for phase in self.phases)

    @property
    def starts(self) -> tuple[int, ...]:
        """The epochs with which the phases begin."""
        return tuple(sum(phase.epochs for phase in self.phases[:i]) for i in range(len(self.phases)))

    def phase_at(self, epoch: int) -> tuple[Phase, int]:
        """The phase an epoch belongs to (the last one beyond the end) and the epoch it began with."""
        first = 0
        for phase in self.phases:
            if epoch < first + phase.epochs:
                return phase, first
            first += phase.epochs
        return self.phases[-1], first - self.phases[-1].epochs
