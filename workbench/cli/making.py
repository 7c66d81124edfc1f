"""Making and measuring models."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import DEFAULT_MODEL, AsJson, ModelName


class System(StrEnum):
    slpt = "slpt"
    dslpt = "dslpt"
    scc = "scc"
    ssfa = "ssfa"
    tufa = "tufa"


class Log(StrEnum):
    csv = "csv"
    tensorboard = "tensorboard"


def evaluate(
    data: Annotated[Path, typer.Option(help="A benchmark folder.")],
    model: ModelName = DEFAULT_MODEL,
    labels: Annotated[
        str | None, typer.Option(help="Machine-made labels instead of the set's own, such as pseudo98.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, test, a subset's name, or all.")] = "test",
    normaliser: Annotated[str, typer.Option(help="inter_ocular, inter_pupil, box or diagonal.")] = "inter_ocular",
    threshold: Annotated[float, typer.Option(help="Of FR and AUC, as a fraction.")] = 0.10,
    occluded: Annotated[
        bool, typer.Option("--occluded", help="Also sigma and error of points under painted rectangles.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure NME, FR and AUC on a benchmark folder."""
    from workbench.evaluation import SIDES, sigma_under_occlusion
    from workbench.evaluation import evaluate as measure
    from workbench.models import load_model

    network = load_model(model)
    report = measure(
        network,
        data,
        labels=labels,
        split=None if split == "all" else split,
        normaliser=normaliser,
        threshold=threshold,
        progress=sys.stderr.isatty(),
    )
    answer, lines = report.to_dict(), [report.text()]
    if occluded:
        part = None if split == "all" else split
        shown = sys.stderr.isatty()
        under = [
            sigma_under_occlusion(network, data, labels=labels, split=part, side=s, progress=shown) for s in SIDES
        ]
        answer["occluded"] = [one.to_dict() for one in under]
        lines += [one.text() for one in under]
    typer.echo(json.dumps(answer, indent=2) if as_json else "\n".join(lines))


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, such as dslpt-68.")],
    data: Annotated[Path, typer.Option(help="Folder with the recipe's data sets.")],
    out: Annotated[Path, typer.Option(help="Folder for logs, state and result.")],
    epochs: Annotated[int | None, typer.Option(min=0, help="Of every phase, instead of the recipe's.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last finished epoch.")] = False,
    devices: Annotated[str, typer.Option(help="How many, as Lightning takes it; torchrun works too.")] = "auto",
    accelerator: Annotated[str, typer.Option(help="auto, cpu or gpu.")] = "auto",
    precision: Annotated[
        str | None, typer.Option(help="32-true, bf16-mixed or 16-mixed, instead of the recipe's.")
    ] = None,
    logger: Annotated[Log, typer.Option(help="Where the curves go.")] = Log.csv,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the recipe's.")] = None,
) -> None:
    """Train a recipe; the checkpoint and its card end up in OUT."""
    from workbench.training import get_recipe

    known = get_recipe(recipe)  # before the wait for Lightning
    from workbench.training import train as run

    path = run(
        known,
        data,
        out,
        epochs=epochs,
        resume=resume,
        devices=int(devices) if devices.lstrip("-").isdigit() else devices,
        accelerator=accelerator,
        precision=precision,
        logger=logger.value,
        seed=seed,
    )
    if os.environ.get("RANK", "0") == "0":
        typer.echo(path)


def import_weights(
    file: Annotated[Path, typer.Argument(help="The authors' .pth.")],
    system: Annotated[System, typer.Option(help="Which system it belongs to.")],
    init_face: Annotated[Path, typer.Option(help="An .npz with init_face (N, 2), in pixels of a 256-pixel crop.")],
    out: Annotated[Path, typer.Option(help="A .safetensors file.")],
    graph: Annotated[Path | None, typer.Option(help="SCC: the authors' edges, lines 'i j weight'.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; the file's name by default.")] = None,
) -> None:
    """Turn published weights into a checkpoint of ours, with a card."""
    from workbench.models.importing import import_published
    from workbench.models.zoo import describe, save_checkpoint

    model = import_published(file, system.value, init_face, graph)
    model.name = name or out.stem
    card = describe(
        model,
        title=f"{system.value.upper()}, {model.config.landmarks} points, imported from {file.name}",
        data="as published by the authors",
        licence="as published by the authors",
    )
    typer.echo(save_checkpoint(model, out, card, half=False))


def bench(
    image: Annotated[str, typer.Argument(help="A photograph, or sample:NAME.")] = "sample:astronaut",
    model: ModelName = DEFAULT_MODEL,
    repeats: Annotated[int, typer.Option(min=1, help="Timed runs after the warm-up.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Time the way from a photograph to a figure, and what recording costs."""
    from workbench.evaluation.bench import bench as run

    result = run(model, image, repeats)
    if as_json:
        typer.echo(json.dumps(result, indent=2))
        return
    threads = "1 thread" if result["threads"] == 1 else f"{result['threads']} threads"
    typer.echo(f"{result['model']} on {result['device']}, {threads}, warm, medians of {result['repeats']} runs")
    for step, value in result["milliseconds"].items():
        typer.echo(f"  {step:<28} {value:>8.1f} ms")
    typer.echo(f"  {'traced / untraced':<28} {result['traced_over_untraced']:>8.3f}")
