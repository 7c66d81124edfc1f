"""Whether a model's sigma keeps its promise."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import DEFAULT_MODEL, AsJson, Device, ModelName

if TYPE_CHECKING:
    from workbench.explain import CalibrationReport


def calibrate(
    data: Annotated[Path, typer.Option(help="A benchmark folder.")],
    model: ModelName = DEFAULT_MODEL,
    labels: Annotated[
        str | None, typer.Option(help="Machine-made labels instead of the set's own, such as pseudo98.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, test, a subset's name, or all.")] = "test",
    fold: Annotated[
        list[str] | None,
        typer.Option(
            help="A checkpoint of `workbench train --leave-out`; give one a fold. The scalars are then fitted on the "
            "training faces that each has not seen."
        ),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Another benchmark folder whose test part the scalars are also fitted on.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Put it onto the model's card, beside its weights.")] = False,
    as_json: AsJson = False,
    device: Device = "auto",
) -> None:
    """Measure the coverage of a model's sigma, and fit the scalar of each stage that mends it."""
    from workbench.evaluation import calibrate as measure
    from workbench.models import load_model
    from workbench.models.zoo import update_card

    warnings.filterwarnings("ignore", message=".* faces were left out")
    report = measure(
        load_model(model, device=device),
        data,
        labels=labels,
        split=None if split == "all" else split,
        folds=[load_model(one, device=device) for one in fold or ()],
        compare=compare,
        progress=sys.stderr.isatty(),
    )
    if write:
        typer.echo(f"Written: {update_card(model, calibration=report.to_card())}", err=True)
    typer.echo(json.dumps(report.to_card(), indent=2) if as_json else _told(report))


def _told(report: CalibrationReport) -> str:
    """The report for a terminal."""

    def shares(values: tuple[float, ...] | list[float]) -> str:
        return " ".join(f"{100 * value:6.1f}" for value in values)

    lines = [
        f"Coverage of 1, 2, 3 sigma in %, each axis: {report.data} {report.split}, {report.faces} faces",
        f"{'':<28} {'as predicted':^20}   {'recalibrated':^20}   mean sigma, mean error per axis, % of crop",
        f"{'promise, ' + report.likelihood:<28} {shares(report.promise)}   {shares(report.promise)}",
    ]
    lines += [
        f"{row.where:<28} {shares(row.observed)}   {shares(row.recalibrated)}   {row.sigma:.2f}  {row.error:.2f}"
        for row in report.rows
    ]
    lines.append(f"sigma times {', '.join(f'{s:.3f}' for s in report.scales)}; fitted on {report.fitted}")
    lines.append(f"recalibrated coverage: {report.measured}")
    lines += [
        f"fitted on {one['data']} ({one['faces']} faces): sigma times {', '.join(f'{s:.3f}' for s in one['scales'])}; "
        f"here that covers, stage by stage, {' | '.join(shares(c) for c in one['coverage'])}"
        for one in report.elsewhere
    ]
    lines.append(f"rank correlation of sigma and error: {report.rank:.3f}, within a landmark {report.rank_within:.3f}")
    return "\n".join([*lines, report.verdict()])
