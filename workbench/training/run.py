"""From a recipe and a data folder to a checkpoint with its card."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.callbacks import (
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
    TQDMProgressBar,
)
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader, Dataset

from workbench.data.augment import augment_preset
from workbench.data.pack import Packed, join, pack
from workbench.data.readers import open_dataset
from workbench.errors import DataError
from workbench.landmarks import get_scheme
from workbench.landmarks.shapes import mean_shape
from workbench.models.base import FaceModel
from workbench.models.dslpt import PatchTransformer
from workbench.models.presets import build
from workbench.models.zoo import describe, load_model, save_checkpoint
from workbench.training.module import PatchTransformerTraining
from workbench.training.recipes import Recipe, get_recipe


def set_folder(data: Path, name: str) -> Path:
    """The folder of one data set: ``data/name``, or ``data`` itself when it already is that set."""
    if (data / name).is_dir():
        return data / name
    if data.name == name and data.is_dir():
        return data
    raise DataError(f"The recipe needs the data set '{name}', but there is no folder {data / name}.")


def load_packed(recipe: Recipe, data: Path, names: tuple[str, ...], split: str, cache: Path | None) -> Packed:
    """Read and pack the given sets of a recipe. Raises DataError."""
    scheme = get_scheme(recipe.scheme)
    parts = []
    for name in names:
        dataset = open_dataset(set_folder(data, name), scheme=scheme, split=split, labels=recipe.labels)
        target = cache and cache / f"{name}-{split}-{recipe.labels or 'own'}-{recipe.pack}.safetensors"
        parts.append(pack(dataset, size=recipe.pack, cache=target))
    return join(parts)


def train(
    name: str | Recipe,
    data: str | Path,
    out: str | Path,
    *,
    epochs: int | None = None,
    warmup_epochs: int | None = None,
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
        epochs, warmup_epochs, precision, seed: override the recipe.
        resume: go on from ``out/last.ckpt`` when it is there.
        devices, accelerator: as Lightning takes them; several processes also come from ``torchrun``.
        logger: "csv" or "tensorboard".

    Returns:
        ``out/NAME.safetensors``; its card lies beside it.

    Raises:
        UnknownNameError, DataError: an unknown recipe, or data that is not there.
    """
    recipe = get_recipe(name) if isinstance(name, str) else name
    changes: dict[str, Any] = dict(epochs=epochs, warmup_epochs=warmup_epochs, precision=precision, seed=seed)
    recipe = replace(recipe, **{k: v for k, v in changes.items() if v is not None})
    data, out = Path(data), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    L.seed_everything(recipe.seed, verbose=False)
    scheme = get_scheme(recipe.scheme)
    training = load_packed(recipe, data, recipe.sets, "train", out)
    testing = load_packed(recipe, data, (recipe.test,), "test", out)

    shape = torch.from_numpy(mean_shape(training.labelled()))
    torch.manual_seed(recipe.seed)
    model = build(recipe.preset, shape)
    if recipe.start:
        inherit(model, load_model(recipe.start, device="cpu"))
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    module = PatchTransformerTraining(model, scheme, recipe, augment_preset(recipe.augment))

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
        callbacks.append(EMAWeightAveraging(decay=recipe.ema))
    if progress:
        callbacks.append(TQDMProgressBar(refresh_rate=5))
    log = TensorBoardLogger(out, name="logs") if logger == "tensorboard" else CSVLogger(out, name="logs")
    many = devices not in ("auto", "1", 1)
    trainer = L.Trainer(
        max_epochs=recipe.total_epochs,
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


@torch.no_grad()
def inherit(model: PatchTransformer, source: FaceModel) -> None:
    """Start from a model of another scheme: what does not depend on the landmarks is copied, and each landmark's
    encoding and query come from the source's nearest point on the mean face."""
    nearest = torch.cdist(model.mean_shape, source.mean_shape).argmin(1)
    theirs = source.state_dict()
    for name, tensor in model.state_dict().items():
        if name.endswith(("structure_encoding", "landmark_query")):
            tensor.copy_(theirs[name][:, nearest])
        elif name != "mean_shape":
            tensor.copy_(theirs[name])


def finish(module: PatchTransformerTraining, recipe: Recipe, data: Path, out: Path, faces: int, steps: int) -> Path:
    """Measure the trained model on its test part and write weights and card into ``out``."""
    from workbench.evaluation import evaluate, sigma_under_occlusion

    model = module.model.eval().cpu().float()
    model.name = recipe.name
    # The weights are measured as they are stored, in half precision.
    path = save_checkpoint(model, out / recipe.name)
    stored = load_model(path, device="cpu")
    folder = set_folder(data, recipe.test)
    report = evaluate(stored, folder, labels=recipe.labels, progress=False)
    metrics: list[dict[str, Any]] = list(report.metrics())
    if model.config.likelihood is not None:
        metrics += sigma_under_occlusion(stored, folder, labels=recipe.labels).metrics()
    label = f"machine-made pseudo-labels ({recipe.labels})" if recipe.labels else "human labels"
    card = describe(
        model,
        name=recipe.name,
        title=f"{model.config.system.upper()} compact, {model.config.landmarks} points",
        preset=recipe.preset,
        data=f"{', '.join(recipe.sets)}: {faces} training faces, {label}",
        licence="Training photographs and labels: research, non-commercial (300-W). Weights: research use.",
        recipe=recipe.name,
        command=shlex.join(["workbench", "train", recipe.name, "--data", "DATA", "--out", "OUT"]),
        seed=recipe.seed,
        epochs=recipe.total_epochs,
        steps=steps,
        metrics=tuple(metrics),
        notes=recipe.notes,
    )
    return save_checkpoint(model, path, card)
