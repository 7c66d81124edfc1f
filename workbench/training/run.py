"""From a recipe and a data folder to a checkpoint with its card."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import (
    LearningRateMonitor,
    ModelCheckpoint,
    TQDMProgressBar,
)
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader, Dataset

from workbench.data.pack import Packed
from workbench.errors import CheckpointError, SettingsError
from workbench.evaluation.processes import alone
from workbench.landmarks import get_scheme
from workbench.models.importing import load_trunk
from workbench.models.systems import SYSTEMS, build, get_system
from workbench.models.zoo import describe, load_model, save_checkpoint
from workbench.training.averaging import MovingAverage
from workbench.training.folders import set_folder
from workbench.training.module import RECIPE_KEY, AlignmentTraining
from workbench.training.recipes import Recipe, get_recipe

TRUNK_FILES = (".pth", ".pt", ".bin", ".tar", ".ckpt")
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


def training_of(system: str) -> type[AlignmentTraining]:
    """The class that trains a system, by ``System.training``. Raises UnknownNameError for no system."""
    module, name = get_system(system).training.split(":")
    return cast("type[AlignmentTraining]", getattr(import_module(module), name))


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
    start: str | None = None,
    leave_out: tuple[int, int] | None = None,
    progress: bool = True,
    whole: bool = True,
) -> Path:
    """Train a recipe.

    Args:
        name: a recipe or its name.
        data: folder that holds the recipe's data sets.
        out: folder for logs, the resumable state (``last.ckpt``), the packed cache, and the result.
        epochs: of every phase, instead of the recipe's.
        precision, seed: override the recipe.
        start: a model to start from instead of the recipe's, or a file of published weights of the backbone alone.
        leave_out: (i, k), train without the i-th (from 1) of k folds of the training faces.
        resume: go on from ``out/last.ckpt`` when it is there.
        devices, accelerator: as Lightning takes them; below ``torchrun``, "auto" takes part in its processes.
        logger: "csv" or "tensorboard".
        whole: whether the card tells more than the error: what a system measures of itself, what each mechanism
            does, how far an uncertainty can be trusted.

    Returns:
        ``out/NAME.safetensors``; its card lies beside it. Of several processes the first one measures and writes.

    Raises:
        UnknownNameError, DataError: an unknown recipe, or data that is not there.
        SettingsError: settings that this machine cannot meet, or an ``out`` that cannot be written.
        CheckpointError: a ``start`` that does not fit, or ``resume`` and a state that is damaged or of another recipe.
    """
    recipe = get_recipe(name) if isinstance(name, str) else name
    phases = None if epochs is None else tuple(replace(phase, epochs=epochs) for phase in recipe.phases)
    changes: dict[str, Any] = dict(phases=phases, precision=precision, seed=seed, start=start)
    recipe = replace(recipe, **{k: v for k, v in changes.items() if v is not None})
    data, out = Path(data), Path(out)
    trainer = _trainer(recipe, out, devices, accelerator, logger, progress)
    last = out / "last.ckpt"
    resume = resume and last.is_file()
    if resume:
        _check_state(last, recipe)
    given: dict[str, Any] = {"epochs": epochs, "seed": seed, "precision": precision, "start": start}
    extra = [text for name, value in given.items() if value is not None for text in (f"--{name}", str(value))]
    L.seed_everything(recipe.seed, verbose=False)
    kind = training_of(recipe.config.system)
    training, testing = kind.open_data(recipe, data, out)
    if leave_out is not None:
        if not isinstance(training, Packed):
            raise SettingsError(f"The faces of {recipe.name} are a mixture of sets and have no folds.")
        training, _ = training.divided(*leave_out)
        extra += ["--leave-out", f"{leave_out[0]}/{leave_out[1]}"]

    torch.manual_seed(recipe.seed)
    model = build(recipe.config, kind.mean_face(training))
    kind.fit_model(model, training)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    module = kind(model, get_scheme(recipe.scheme), recipe)
    if recipe.start and Path(recipe.start).suffix.lower() in TRUNK_FILES:
        load_trunk(model, recipe.start)
    elif recipe.start:
        module.inherit(load_model(recipe.start, device="cpu"))
    trainer.fit(
        module,
        DataLoader(
            cast("Dataset[Any]", training),
            batch_size=recipe.batch,
            shuffle=True,
            drop_last=len(training) > recipe.batch,
        ),
        DataLoader(cast("Dataset[Any]", testing), batch_size=recipe.batch),
        ckpt_path=last if resume else None,
        weights_only=True,
    )
    if not trainer.is_global_zero:
        return out / f"{recipe.name}.safetensors"
    with alone():  # the others have ended
        steps = int(trainer.global_step)
        return finish(module, recipe, data, out, len(training), steps, extra, leave_out or (), whole)


def _trainer(
    recipe: Recipe, out: Path, devices: str | int, accelerator: str, logger: str, progress: bool
) -> L.Trainer:
    """Lightning's trainer for a recipe. Raises SettingsError."""
    place = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise SettingsError(f"The folder {out} cannot be written; choose another one for the result.")
    if not 0 <= recipe.seed < 2**32:
        raise SettingsError(f"A seed is a whole number from 0 to {2**32 - 1}, not {recipe.seed}.")
    if recipe.precision not in PRECISIONS:
        raise SettingsError(f"There is no precision '{recipe.precision}'; choose one of {', '.join(PRECISIONS)}.")
    world, local = (int(os.environ.get(name, 0)) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    if devices == "auto":
        cuda = torch.cuda.device_count() if accelerator in ("auto", "gpu", "cuda") else 0
        devices = local or max(1, cuda)
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
    many = world > 1 or devices not in ("1", 1)
    try:
        return L.Trainer(
            max_epochs=recipe.epochs,
            precision=recipe.precision,  # type: ignore[arg-type]
            accelerator=accelerator,
            devices=devices,
            num_nodes=max(1, world // local) if local else 1,
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
    except (MisconfigurationException, ValueError, TypeError) as error:
        said = str(error).strip().splitlines()[0]
        raise SettingsError(
            f"This machine cannot train with accelerator '{accelerator}', devices '{devices}' and precision "
            f"'{recipe.precision}': {said}"
        ) from None


def _check_state(path: Path, recipe: Recipe) -> None:
    """That a resumable state is whole and of this recipe. Raises CheckpointError."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception:  # torch raises many kinds on a file that was cut short
        raise CheckpointError(f"{path} is damaged; start afresh without --resume.") from None
    theirs = state.get(RECIPE_KEY, recipe.name)
    if theirs != recipe.name:
        raise CheckpointError(f"{path} is a training of '{theirs}', not of '{recipe.name}'; choose another folder.")


def finish(
    module: AlignmentTraining,
    recipe: Recipe,
    data: Path,
    out: Path,
    faces: int,
    steps: int,
    extra: Sequence[str] = (),
    left_out: tuple[int, ...] = (),
    whole: bool = True,
) -> Path:
    """Measure the trained model on its test part and write weights and card into ``out``; ``extra`` are the options
    that the training was asked for besides the recipe. An uncertainty of its own is calibrated on that part too;
    ``whole`` as for :func:`train`."""
    from workbench.evaluation import calibrate, evaluate, mechanism_report

    model = module.model.eval().cpu().float()
    model.name = recipe.name
    # The weights are measured as they are stored, in half precision.
    path = save_checkpoint(model, out / recipe.name)
    stored = load_model(path, device="cpu")
    folder = set_folder(data, recipe.test)
    report = evaluate(stored, folder, labels=recipe.labels, progress=False)
    metrics = [*report.metrics(), *(module.measure(stored, folder) if whole else ())]
    # One face alone has none to change places with, and no two halves.
    whole = whole and len(report.nme) > 1
    shown = mechanism_report(stored, folder, labels=recipe.labels) if whole else None
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
        command=shlex.join(["workbench", "train", recipe.name, "--data", "DATA", "--out", "OUT", *extra]),
        seed=recipe.seed,
        epochs=recipe.epochs,
        steps=steps,
        metrics=tuple(metrics),
        mechanisms=tuple(shown.rows()) if shown else (),
        notes=(*recipe.notes, *(f"Other than its preset: {k} = {v!r}." for k, v in recipe.changes)),
        left_out=left_out,
    )
    if "variance" in card.parts and whole:
        told = calibrate(stored, folder, labels=recipe.labels).to_card()
        card = replace(card, calibration=told)
    return save_checkpoint(model, path, card)
