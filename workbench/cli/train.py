"""Training a recipe, and taking in published weights."""

from __future__ import annotations

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import Device
from workbench.errors import SettingsError


class Log(StrEnum):
    csv = "csv"
    tensorboard = "tensorboard"


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, such as dslpt-68.")],
    data: Annotated[Path, typer.Option(help="Folder with the recipe's data sets.")],
    out: Annotated[Path, typer.Option(help="Folder for logs, state and result.")],
    epochs: Annotated[int | None, typer.Option(min=0, help="Of every phase, instead of the recipe's.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last finished epoch.")] = False,
    devices: Annotated[str, typer.Option(help="How many, as Lightning takes it; torchrun works too.")] = "auto",
    accelerator: Annotated[str, typer.Option(help="As Lightning takes it: auto, cpu, gpu, mps.")] = "auto",
    device: Device = "auto",
    precision: Annotated[
        str | None, typer.Option(help="32-true, bf16-mixed or 16-mixed, instead of the recipe's.")
    ] = None,
    logger: Annotated[Log, typer.Option(help="Where the curves go.")] = Log.csv,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the recipe's.")] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="Start from a model of the shelf or a checkpoint, or start the backbone from a .pth of it alone "
            "(ImageNet's HRNet-W18 or ResNet, DINO's ViT-S), instead of the recipe's start."
        ),
    ] = None,
    leave_out: Annotated[
        str | None, typer.Option(metavar="I/K", help="Train without fold I of K, for `workbench calibrate --fold`.")
    ] = None,
) -> None:
    """Train a recipe; the checkpoint and its card end up in OUT."""
    from workbench.training import get_recipe

    accelerator, devices = placed(device, accelerator, devices)
    known = get_recipe(recipe)  # before the wait for Lightning
    from workbench.training import train as run

    path = run(
        known,
        data,
        out,
        epochs=epochs,
        resume=resume,
        devices=int(devices) if re.fullmatch(r"-?[0-9]+", devices) else devices,
        accelerator=accelerator,
        precision=precision,
        logger=logger.value,
        seed=seed,
        start=start,
        leave_out=fold_of(leave_out),
    )
    if all(os.environ.get(name, "0") == "0" for name in ("RANK", "LOCAL_RANK")):  # torchrun's, Lightning's
        typer.echo(path)


def placed(device: str, accelerator: str, devices: str) -> tuple[str, str]:
    """What Lightning calls a device that the other commands take, such as cuda:1; "auto" leaves both as they are.

    Raises:
        SettingsError: no such device, or both ways of telling it at once.
    """
    if device == "auto":
        return accelerator, devices
    if accelerator != "auto":
        raise SettingsError(f"Give --device {device} or --accelerator {accelerator}, not both.")
    if found := re.fullmatch(r"cuda(?::([0-9]+))?", device):
        return "gpu", devices if found[1] is None else f"{found[1]},"
    if device in ("cpu", "mps"):
        return device, devices
    raise SettingsError(f"There is no device '{device}' to train on; use auto, cpu, cuda, cuda:1 or mps.")


def fold_of(text: str | None) -> tuple[int, int] | None:
    """ "1/5" -> (1, 5). Raises SettingsError."""
    if text is None:
        return None
    if not (found := re.fullmatch(r"([0-9]+)/([0-9]+)", text)):
        raise SettingsError(f"A fold is written as 1/5, the first of five, not '{text}'.")
    return int(found[1]), int(found[2])


def import_weights(
    file: Annotated[Path, typer.Argument(help="The authors' .pth.")],
    system: Annotated[str, typer.Option(help="Which system it belongs to, such as dslpt.")],
    init_face: Annotated[
        list[Path],
        typer.Option(
            help="An .npz with init_face (N, 2), in pixels of a 256-pixel crop; TUFA: with offset and init, one file "
            "a convention, the model's own first."
        ),
    ],
    out: Annotated[Path, typer.Option(help="A .safetensors file.")],
    graph: Annotated[Path | None, typer.Option(help="SCC: the authors' edges, lines 'i j weight'.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; the file's name by default.")] = None,
) -> None:
    """Turn published weights into a checkpoint of ours, with a card."""
    from workbench.models.importing import import_published
    from workbench.models.systems import get_system
    from workbench.models.zoo import describe, save_checkpoint

    model = import_published(file, system, init_face, graph)
    model.name = name or out.stem
    card = describe(
        model,
        title=f"{get_system(system).title}, {model.config.landmarks} points, imported from {file.name}",
        data="as published by the authors",
        licence="as published by the authors",
    )
    typer.echo(save_checkpoint(model, out, card, half=False))
