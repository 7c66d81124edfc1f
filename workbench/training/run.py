"""From a recipe and a data folder to a checkpoint with its card."""

from __future__ import annotations

import shlex
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.callbacks import (
    LearningRateMonitor,
    ModelCheckpoint,
    TQDMProgressBar,
)
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader, Dataset

from workbench.landmarks import get_scheme
from workbench.models.systems import SYSTEMS, build, preset
from workbench.models.zoo import describe, load_model, save_checkpoint
from workbench.training.averaging import MovingAverage
from workbench.training.folders import set_folder
from workbench.training.module import AlignmentTraining
from workbench.training.recipes import Recipe, get_recipe

TRAININGS = {
    "slpt": "patches:PatchTransformerTraining",
    "dslpt": "patches:PatchTransformerTraining",
    "ssfa": "ssfa:SSFATraining",
    "tufa": "tufa:TUFATraining",
    "scc": "scc:SCCTraining",
    "atpn": "atpn:ATPNTraining",
    "chs": "chs:CHSTraining",
    "aodn": "aodn:AODNTraining",
}
"""Module and class, below this package, that trains a system."""


def training_of(system: str) -> type[AlignmentTraining]:
    """The class that trains a system."""
    module, name = TRAININGS[system].split(":")
    return cast("type[AlignmentTraining]", getattr(import_module(f"workbench.training.{module}"), name))


def train(
    name: str | Recipe,
    data: str | Path,
    out: str | Path,
    *,
    epochs: int | None = None,
    resume: bool = False,
    devices: str | int = "auto",
    accelerator: str = "auto",
    precision: str | None = None,
    logger: str = "csv",
    seed: int | None = None,
    progress: bool = True,
) -> Path:
    """Train a recipe.

    Args:
        name: a recipe or its name.
        data: folder that holds the recipe's data sets.
        out: folder for logs, the resumable state (``last.ckpt``), the packed cache, and the result.
        epochs: of every phase, instead of the recipe's.
        precision, seed: override the recipe.
        resume: go on from ``out/last.ckpt`` when it is there.
        devices, accelerator: as Lightning takes them; several processes also come from ``torchrun``.
        logger: "csv" or "tensorboard".

    Returns:
        ``out/NAME.safetensors``; its card lies beside it.

    Raises:
        UnknownNameError, DataError: an unknown recipe, or data that is not there.
    """
    recipe = get_recipe(name) if isinstance(name, str) else name
    phases = None if epochs is None else tuple(replace(phase, epochs=epochs) for phase in recipe.phases)
    changes: dict[str, Any] = dict(phases=phases, precision=precision, seed=seed)
    recipe = replace(recipe, **{k: v for k, v in changes.items() if v is not None})
    data, out = Path(data), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    L.seed_everything(recipe.seed, verbose=False)
    kind = training_of(preset(recipe.preset).system)
    training, testing = kind.open_data(recipe, data, out)

    torch.manual_seed(recipe.seed)
    model = build(recipe.preset, kind.mean_face(training))
    kind.fit_model(model, training)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    module = kind(model, get_scheme(recipe.scheme), recipe)
    if recipe.start:
        module.inherit(load_model(recipe.start, device="cpu"))

    callbacks: list[L.Callback] = [
        ModelCheckpoint(
            out,
            filename="last",
            save_top_k=1,
            every_n_epochs=1,
            enable_version_counter=False,
            save_on_train_epoch_end=True,
        ),
        LearningRateMonitor("step"),
    ]
    if recipe.ema:
        callbacks.append(MovingAverage(recipe.ema, recipe.starts))
    if progress:
        callbacks.append(TQDMProgressBar(refresh_rate=5))
    log = TensorBoardLogger(out, name="logs") if logger == "tensorboard" else CSVLogger(out, name="logs")
    many = devices not in ("auto", "1", 1)
    trainer = L.Trainer(
        max_epochs=recipe.epochs,
        precision=recipe.precision,  # type: ignore[arg-type]
        accelerator=accelerator,
        devices=devices,
        # The warm-up leaves the relation layers, and what follows leaves the warm-up's head, without a gradient.
        strategy="ddp_find_unused_parameters_true" if many else "auto",
        logger=log,
        callbacks=callbacks,
        enable_progress_bar=progress,
        enable_model_summary=False,
        gradient_clip_val=recipe.grad_clip or None,
        check_val_every_n_epoch=4,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        default_root_dir=out,
    )
    last = out / "last.ckpt"
    trainer.fit(
        module,
        DataLoader(
            cast("Dataset[Any]", training),
            batch_size=recipe.batch,
            shuffle=True,
            drop_last=len(training) > recipe.batch,
        ),
        DataLoader(cast("Dataset[Any]", testing), batch_size=recipe.batch),
        ckpt_path=last if resume and last.is_file() else None,
    )
    return finish(module, recipe, data, out, len(training), int(trainer.global_step))


def finish(module: AlignmentTraining, recipe: Recipe, data: Path, out: Path, faces: int, steps: int) -> Path:
    """Measure the trained model on its test part and write weights and card into ``out``."""
    from workbench.evaluation import evaluate

    model = module.model.eval().cpu().float()
    model.name = recipe.name
    # The weights are measured as they are stored, in half precision.
    path = save_checkpoint(model, out / recipe.name)
    stored = load_model(path, device="cpu")
    folder = set_folder(data, recipe.test)
    report = evaluate(stored, folder, labels=recipe.labels, progress=False)
    metrics = [*report.metrics(), *module.measure(stored, folder)]
    label = f"machine-made pseudo-labels ({recipe.labels})" if recipe.labels else "human labels"
    compact = " compact" if "compact" in recipe.preset else ""
    card = describe(
        model,
        name=recipe.name,
        title=recipe.title or f"{SYSTEMS[model.config.system].title}{compact}, {model.config.landmarks} points",
        preset=recipe.preset,
        data=recipe.data or f"{', '.join(recipe.sets)}: {faces} training faces, {label}",
        licence=recipe.licence,
        recipe=recipe.name,
        command=shlex.join(["workbench", "train", recipe.name, "--data", "DATA", "--out", "OUT"]),
        seed=recipe.seed,
        epochs=recipe.epochs,
        steps=steps,
        metrics=tuple(metrics),
        notes=recipe.notes,
    )
    return save_checkpoint(model, path, card)
