"""The averaged weights that are kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class MovingAverage(WeightAveraging):
    """An exponential moving average of the weights whose decay grows with the steps n of a phase:
    min(decay, (n - 1) / (9 + n)).

    A fixed decay of 0.997 would leave 19 % of the random start in the average of a training of 550 steps, and a branch
    that only a last, short phase trains would stay what chance made it.

    Args:
        decay: the largest.
        starts: the epochs with which the phases begin.
    """

    def __init__(self, decay: float, starts: Iterable[int] = (0,)) -> None:
        self.decay, self.starts, self.steps = decay, frozenset(starts), 0
        super().__init__(multi_avg_fn=self._update)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch in self.starts:
            self.steps = 0

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self.steps += 1

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "steps": self.steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.steps = state_dict.get("steps", 10**6)

    @torch.no_grad()
    def _update(self, averaged: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
        share = 1 - min(self.decay, (self.steps - 1) / (9 + self.steps))
        for mean, value in zip(averaged, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(value.to(mean.dtype), share)
            else:  # counters
                mean.copy_(value)
