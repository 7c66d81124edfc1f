"""Training a recipe, and taking in published weights."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    out: Annotated[Path, typer.Option(help="Folder for logs, state and result.")],
    recipe: Annotated[str | None, typer.Argument(help="A recipe's name, such as dslpt-68.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with the recipe's data sets.")] = None,
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
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="MODEL", help="Instead of a recipe: teach this TUFA the points of --points."),
    ] = None,
    points: Annotated[
        Path | None, typer.Option(help="With --from: a folder of 1 to 500 labelled faces, as evaluate reads them.")
    ] = None,
    faces: Annotated[
        str | None, typer.Option(help="With --from: so many of them, such as 10 or 5%; 50 at most.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="With --from: machine-made labels, such as pseudo98.")] = None,
    name: Annotated[str | None, typer.Option(help="With --from: what to call the new model.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=0, help="With --from: of tuning everything; 0 fits the points' places alone.")
    ] = None,
    leave_out: Annotated[
        str | None, typer.Option(metavar="I/K", help="Train without fold I of K, for `workbench calibrate --fold`.")
    ] = None,
) -> None:
    """Train a recipe, or teach a TUFA a convention from a few faces; the checkpoint and its card end up in OUT."""
    if source is not None or points is not None:
        if source is None or points is None or recipe is not None:
            raise SettingsError("Teaching takes --from MODEL and --points FOLDER, and no recipe.")
        _teach(source, points, out, faces, labels, name, steps, seed or 0, device)
        return
    if recipe is None or data is None:
        raise SettingsError("A training takes a recipe and --data FOLDER, or --from MODEL and --points FOLDER.")
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


def _teach(
    source: str,
    points: Path,
    out: Path,
    faces: str | None,
    labels: str | None,
    name: str | None,
    steps: int | None,
    seed: int,
    device: str,
) -> None:
    """Few-shot, from the shell."""
    from workbench.data import open_dataset
    from workbench.models import load_model
    from workbench.training.few_shot import FewShot, few_shot

    if out.exists() and not out.is_dir():
        raise SettingsError(f"{out} is a file; give a folder for the result.")
    network = load_model(source, device=device)
    there = open_dataset(points, scheme="own", labels=labels)
    taken = faces or str(min(50, sum(s.subset != "test" for s in there.samples) or len(there)))
    with told_as_bar("teaching") as told:
        found = few_shot(
            network, points, taken, labels=labels, steps=steps, seed=seed, told=told, progress=sys.stderr.isatty()
        )
    taught = found.taught if isinstance(found, FewShot) else found
    for sentence in found.left_out if isinstance(found, FewShot) else ():
        typer.echo(f"Left out: {sentence}", err=True)
    out.mkdir(parents=True, exist_ok=True)
    asked = ["workbench", "train", "--from", source, "--points", points.name, "--faces", taken, "--out", "OUT"]
    asked += [
        text
        for flag, value in (("--labels", labels), ("--seed", seed or None))
        if value
        for text in (flag, str(value))
    ]
    path = taught.save(
        out / (name or f"{network.name}-{taught.convention}"),
        data=there.name,
        command=shlex.join(asked),
        metrics=[found.row()] if isinstance(found, FewShot) else (),
    )
    typer.echo(taught.text())
    if isinstance(found, FewShot):
        typer.echo(f"On {found.faces} faces that it was not taught ({found.data} {found.split}):\n{found.text()}")
    typer.echo(path)


@contextmanager
def told_as_bar(words: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal for what tells how many steps of how many are done."""
    from tqdm import tqdm

    with tqdm(desc=words, unit="step", disable=not sys.stderr.isatty()) as bar:

        def told(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        yield told


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
