"""A model over a whole set: statistics to keep, and their pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import io
from workbench.cli.options import DEFAULT_MODEL, Device, ModelName

KINDS = (".png", ".svg", ".html")


def study(
    data: Annotated[Path, typer.Argument(help="A benchmark folder.")],
    model: ModelName = DEFAULT_MODEL,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A .safetensors file for the statistics. An interrupted study goes on from NAME.part beside it."
        ),
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="Machine-made labels instead of the set's own, such as pseudo98.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, test, a subset's name, or all.")] = "test",
    subset: Annotated[
        str | None, typer.Option(help="A finer part of the split, such as occlusion, challenging or glasses=1.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Mean weights and how far they reach, as .png, .svg or .html (Fig. 4.9, 5.7).")
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(help="Labels in the coordinates of their patches, as .png, .svg or .html (Fig. 5.8)."),
    ] = None,
    faces: Annotated[Path | None, typer.Option(help="A .csv with one row a face.")] = None,
    device: Device = "auto",
) -> None:
    """Read a whole set and tell what the model does on average: mean weights, reach, leaks, labels in patches."""
    from workbench import figures
    from workbench.errors import DataError
    from workbench.evaluation.processes import device_of, processes
    from workbench.evaluation.study import study as run
    from workbench.explain import to_csv
    from workbench.models import load_model

    for path, kinds in ((figure, KINDS), (targets, KINDS), (faces, (".csv",)), (out, (".safetensors",))):
        if path is not None and path.suffix.lower() not in kinds:
            raise DataError(f"{path} cannot be written here; use {' or '.join(kinds)}.")
    mates = processes()
    network = load_model(model, device=device_of(device), optimise=True)
    part = None if split == "all" else split
    found = run(network, data, labels=labels, split=part, subset=subset, out=out, progress=sys.stderr.isatty())
    if not mates.first:
        return
    typer.echo(found.text())
    left_out = found.meta["left_out"]
    if left_out:
        more = len(left_out) - 1
        typer.echo(f"Left out: {left_out[0]}" + (f" And {more} more." if more else ""), err=True)
    if figure is not None:
        typer.echo(figures.save(figures.study(found), figure))
    if targets is not None:
        typer.echo(figures.save(figures.study_targets(found), targets))
    if faces is not None:
        io.write_text(faces, to_csv(found.rows()))
        typer.echo(faces)
    if out is not None:
        typer.echo(out)
