"""The papers' ablations, trained one trial after the other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import Device
from workbench.cli.train import placed
from workbench.errors import SettingsError


def sweep(
    ablation: Annotated[str | None, typer.Argument(help="An ablation's name; without one they are listed.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with the recipe's data sets.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the trials and the table.")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A recipe of the same system to change, instead of the compact one.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=0, help="Of every phase, instead of the recipe's.")] = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help="May be given several times.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="TRIAL", help="Some trials alone; may be given several times.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Train the trials of a paper's ablation and print its table beside the paper's. Run it again to go on."""
    from workbench.training.ablations import ABLATIONS, get_ablation

    if ablation is None:
        for one in ABLATIONS.values():
            typer.echo(f"{one.name:<18} {one.system} {one.table}: {one.title}, {len(one.trials)} trainings")
        return
    known = get_ablation(ablation)
    if data is None or out is None:
        trials = ", ".join(trial.name for trial in known.trials)
        raise SettingsError(f"A sweep needs --data and --out. The trials of {known.name} are {trials}.")
    accelerator, places = placed(device, "auto", "auto")
    from workbench.explain import to_markdown
    from workbench.training.sweep import keep
    from workbench.training.sweep import sweep as run

    found = run(
        known,
        data,
        out,
        recipe=recipe,
        epochs=epochs,
        seeds=seed or (),
        only=only or (),
        accelerator=accelerator,
        devices=places if places != "auto" else 1,
        progress=sys.stderr.isatty(),
        told=lambda line: typer.echo(line, err=True),
    )
    typer.echo(to_markdown(found.table()))
    typer.echo(f"\n{found.caption()}")
    for path in keep(found, out):
        typer.echo(path)
