"""A short training without a folder: some steps of a model on faces in memory, for exercises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.data.augment import AugmentedBatch
from workbench.data.pack import Packed
from workbench.errors import DataError, SettingsError
from workbench.models.base import FaceModel
from workbench.training.module import AlignmentTraining
from workbench.training.recipes import Phase, Recipe
from workbench.training.run import training_of

Loss = Callable[[Tensor, AugmentedBatch], Tensor]
"""(what the model takes (B, 3, S, S); points, valid and covered of the same batch) -> one number."""


def train_steps(
    model: FaceModel,
    data: Packed,
    n: int,
    *,
    lr: float = 1e-3,
    batch: int = 16,
    only: str | Sequence[str] = "",
    loss: Loss | None = None,
    views: str = "polish",
    seed: int = 0,
    progress: bool = False,
) -> dict[str, np.ndarray]:
    """Train a model, in place, for some steps; it is ready to read faces afterwards.

    AdamW at a constant rate, one random batch and view a step; nothing is written. ``train`` makes a checkpoint.

    Args:
        model: from ``load_model`` or ``build``, or one of your own with a ``loss``.
        data: faces of the model's scheme, such as ``workbench.data.drawn(64)``.
        n: steps.
        lr: learning rate.
        batch: faces of a step.
        only: beginnings of the names of the parameters that are trained; the rest stays as it is, running statistics
            included. All of them by default.
        loss: of the model; by default that of its system.
        views: augmentation preset.
        seed: of batches and views.
        progress: show a bar.

    Returns:
        "loss", and what else the system's loss tells ("prior" of SSFA): (n,) each, a value a step.

    Raises:
        DataError: faces of another scheme, or a loss that is not finite.
        SettingsError: no parameter of that name, fewer than one step, or a model that was optimised.
    """
    if data.points.shape[1] != model.scheme.count:
        raise DataError(f"{data.points.shape[1]} landmarks are not the {model.scheme.count} of {model.scheme.name}.")
    if n < 1:
        raise SettingsError(f"A training takes at least one step, not {n}.")
    starts = (only,) if isinstance(only, str) else tuple(only)
    learned = [name for name, _ in model.named_parameters() if name.startswith(starts)]
    if not learned:
        parts = ", ".join(dict.fromkeys(name.split(".")[0] for name, _ in model.named_parameters()))
        raise SettingsError(f"No parameter begins with {' or '.join(starts)}; they begin with {parts}.")
    told: dict[str, list[float]] = {"loss": []}
    phase = Phase(epochs=1, lr=lr, views=views)
    recipe = Recipe(name="steps", preset="", scheme=model.scheme.name, sets=(), test="", phases=(phase,), seed=seed)
    kind = AlignmentTraining if loss is not None else training_of(model.config.system)
    module = kind(model, model.scheme, recipe)
    module.log = lambda name, value, **_: told.setdefault(name, []).append(float(value))  # type: ignore[method-assign]
    module.to(model.device)
    were = {name: p.requires_grad for name, p in model.named_parameters()}
    try:
        _prepare(model, starts)
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=lr)
        generator = torch.Generator(model.device).manual_seed(seed)
        draw = torch.Generator().manual_seed(seed)
        for _ in _counted(n, progress):
            chosen = torch.randint(len(data), (min(batch, len(data)),), generator=draw)
            faces = module.view([part.to(model.device) for part in data[chosen]], generator)
            images = module.model_input(faces.images)
            value = loss(images, faces) if loss is not None else module.phase_loss(images, faces)
            if not torch.isfinite(value):
                raise DataError(f"The loss of step {len(told['loss'])} is not finite; take a smaller learning rate.")
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            told["loss"].append(value.item())
    finally:
        for name, p in model.named_parameters():
            p.requires_grad_(were[name])
        model.eval()
    return {name: np.array(values) for name, values in told.items() if len(values) == n}


def _prepare(model: FaceModel, starts: tuple[str, ...]) -> None:
    """Training mode for what is trained; the rest keeps its weights and its running statistics."""
    model.train()
    for path, part in model.named_modules():
        if path and not any(f"{path}.".startswith(start) or start.startswith(f"{path}.") for start in starts):
            part.training = False
    for name, p in model.named_parameters():
        p.requires_grad_(name.startswith(starts))


def _counted(n: int, progress: bool) -> Any:
    from tqdm.auto import tqdm

    return tqdm(range(n), disable=not progress, unit="step")
