"""Measuring models: error on a benchmark folder, and time."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import DEFAULT_MODEL, AsJson, ModelName
from workbench.errors import CheckpointError

if TYPE_CHECKING:
    from workbench.models.base import FaceModel
    from workbench.training.module import AlignmentTraining


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
    mechanisms: Annotated[
        bool,
        typer.Option("--mechanisms", help="Also what each mechanism does: frozen, scrambled over faces and removed."),
    ] = False,
    card: Annotated[
        bool, typer.Option("--card", help="Also what else the model's card tells (needs the train extra).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure NME, FR and AUC on a benchmark folder."""
    from workbench.evaluation import SIDES, mechanism_report, sigma_under_occlusion
    from workbench.evaluation import evaluate as measure
    from workbench.models import load_model

    # The report tells of the faces that were left out.
    warnings.filterwarnings("ignore", message=".* faces were left out")
    network = load_model(model, device="cpu" if card else "auto")
    training = _training_of(network) if card else None  # a model without one is refused before the wait
    report = measure(
        network,
        data,
        labels=labels,
        split=None if split == "all" else split,
        normaliser=normaliser,
        threshold=threshold,
        progress=sys.stderr.isatty(),
    )
    if report.left_out:
        more = len(report.left_out) - 1
        typer.echo(f"Left out: {report.left_out[0]}" + (f" And {more} more." if more else ""), err=True)
    answer, lines = report.to_dict(), [report.text()]
    if occluded:
        part = None if split == "all" else split
        shown = sys.stderr.isatty()
        under = [
            sigma_under_occlusion(network, data, labels=labels, split=part, side=s, progress=shown) for s in SIDES
        ]
        answer["occluded"] = [one.to_dict() for one in under]
        lines += [one.text() for one in under]
    if mechanisms:
        part = None if split == "all" else split
        found = mechanism_report(network, data, labels=labels, split=part, progress=sys.stderr.isatty())
        answer |= found.to_dict()
        lines.append(found.text())
    if training is not None:
        from workbench.training.folders import set_folder

        rows = training.measure(network, set_folder(data.absolute(), training.recipe.test))
        answer["card"] = rows
        lines += [_line(row) for row in rows]
    typer.echo(json.dumps(answer, indent=2) if as_json else "\n".join(lines))


def _line(row: dict[str, Any]) -> str:
    """A card's row for a terminal."""
    labels = f", labels {row['labels']}" if row["labels"] else ""
    value = f"{row['value']:g} {row['unit']}".strip()
    return f"{row['metric']}: {value} ({row['data']} {row['split']}, {row['faces']} faces{labels})"


def _training_of(network: FaceModel) -> AlignmentTraining:
    """What has trained a model, by the recipe on its card. Raises CheckpointError without one."""
    from workbench.training import get_recipe, run

    if network.card is None or not network.card.recipe:
        raise CheckpointError(f"{network.name} has no card that names its recipe; leave out --card.")
    kind = run.training_of(network.config.system)
    return kind(network, network.scheme, get_recipe(network.card.recipe))


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
