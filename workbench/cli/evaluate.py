"""Measuring models: error on a benchmark folder, and time."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import DEFAULT_MODEL, AsJson, Device, ModelName
from workbench.errors import CheckpointError, SettingsError

if TYPE_CHECKING:
    from workbench.evaluation import Run
    from workbench.models.base import FaceModel
    from workbench.training.module import AlignmentTraining


def evaluate(
    data: Annotated[Path, typer.Option(help="A benchmark folder.")],
    model: ModelName = DEFAULT_MODEL,
    labels: Annotated[
        str | None, typer.Option(help="Machine-made labels instead of the set's own, such as pseudo98.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, test, a subset's name, or all.")] = "test",
    subset: Annotated[
        str | None, typer.Option(help="A finer part of the split, such as occlusion, challenging or glasses=1.")
    ] = None,
    normaliser: Annotated[
        str,
        typer.Option(help="inter_ocular, inter_pupil, box, diagonal, given_box, given_diagonal (the set's own)."),
    ] = "inter_ocular",
    threshold: Annotated[float, typer.Option(help="Of FR and AUC, as a fraction.")] = 0.10,
    factor: Annotated[
        float, typer.Option(help="Side of the crop over the landmarks' tight box; TUFA's 29 points take 1.32.")
    ] = 1.2,
    convention: Annotated[
        str | None, typer.Option(help="TUFA: which of its conventions to ask for, such as cofw29 or wflw98.")
    ] = None,
    flip: Annotated[bool, typer.Option("--flip", help="The mean of a face and its mirror image.")] = False,
    details: Annotated[
        bool, typer.Option("--details", help="Also by subset, normaliser, part, stage, visibility, pose and landmark.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="A .safetensors file that keeps everything, face by face.")] = None,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails", help="Keep small pictures of the faces in it, for the page Data set.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(help="Another model, or a run that was kept: paired differences with 95 % bootstrap intervals."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="A .html page with all of it, beside the papers' numbers; no photograph in it.")
    ] = None,
    photographs: Annotated[
        bool, typer.Option("--photographs", help="Small pictures of the best and worst faces in the report.")
    ] = False,
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
    zero_shot: Annotated[
        bool,
        typer.Option(
            "--zero-shot",
            help="TUFA: a convention by its mean shape alone, also one that no scheme has (--convention 73); of a set "
            "with five points, drawn points and a linear map.",
        ),
    ] = False,
    few_shot: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FACES",
            help="TUFA: teach the convention from so many faces of the training part, such as 10 or 5%, and measure "
            "it; may be given several times (Table 6.9).",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=0, help="With --few-shot: of tuning everything, as `train --from` takes it.")
    ] = None,
    tracking: Annotated[
        bool,
        typer.Option(
            "--tracking", help="ATPN: follow the set's videos from answer to answer, and count what is lost (300VW)."
        ),
    ] = False,
    device: Device = "auto",
    precision: Annotated[str, typer.Option(help="32, bf16 or fp16.")] = "32",
    batch: Annotated[int, typer.Option(min=1, help="Faces a forward pass.")] = 32,
    as_json: AsJson = False,
) -> None:
    """Measure a model on a benchmark folder: NME, FR and AUC, and with --details whatever the papers' tables hold."""
    from workbench.errors import DataError
    from workbench.evaluation import SIDES, Run, mechanism_report, sigma_under_occlusion, statistics
    from workbench.evaluation import evaluate as measure
    from workbench.evaluation.processes import device_of, processes
    from workbench.evaluation.report import html_report, save_report
    from workbench.models import load_model

    # The report tells of the faces that were left out.
    warnings.filterwarnings("ignore", message=".* faces were left out")
    if out is not None and (out.suffix != ".safetensors" or not out.parent.is_dir()):
        raise DataError(f"A run is written as .safetensors into a folder that is there, not to {out}.")
    if report is not None and (report.suffix.lower() != ".html" or not report.parent.is_dir()):
        raise DataError(f"A report is written as .html into a folder that is there, not to {report}.")
    if zero_shot:
        _zero_shot(load_model(model, device=device, optimise=True), data, labels, split, convention, as_json)
        return
    if few_shot:
        _few_shot(load_model(model, device=device), data, labels, split, convention, few_shot, steps, as_json)
        return
    if tracking:
        _tracking(load_model(model, device=device, optimise=True), data, split, subset, as_json)
        return
    mates = processes()
    network = load_model(model, device="cpu" if card else device_of(device), optimise=not card)
    training = _training_of(network) if card else None  # a model without one is refused before the wait
    other = _other(against, device_of(device))
    shown, part = sys.stderr.isatty() and mates.first, None if split == "all" else split

    def run_of(one: FaceModel) -> Run:
        return measure(
            one, data, labels=labels, split=part, subset=subset, normaliser=normaliser, threshold=threshold,
            factor=factor, convention=convention, flip=flip, precision=precision,
            thumbnails=thumbnails or photographs, batch=batch, progress=shown,
        )  # fmt: skip

    found = run_of(network)
    beside = other if other is None or isinstance(other, Run) else run_of(other)
    compared = None if beside is None else statistics.compare(found, beside)
    if not mates.first:
        return
    _left_out(found.left_out, out)
    answer, lines = found.to_dict(), [found.text()]
    if details:
        made = statistics.tables(found)
        answer["tables"] = made
        for name, rows in made.items():
            lines += ["", statistics.TABLES[name][0], *(f"  {line}" for line in statistics.lines(rows))]
    if compared is not None and beside is not None:
        answer["against"] = compared
        title = f"{network.name} (a) against {beside.model} (b)"
        lines += ["", title, *(f"  {line}" for line in statistics.lines(compared))]
    if occluded:
        under = [
            sigma_under_occlusion(network, data, labels=labels, split=part, side=s, progress=shown) for s in SIDES
        ]
        answer["occluded"] = [one.to_dict() for one in under]
        lines += [one.text() for one in under]
    if mechanisms:
        edited = mechanism_report(network, data, labels=labels, split=part, progress=shown)
        answer |= edited.to_dict()
        lines.append(edited.text())
    if training is not None:
        from workbench.training.folders import set_folder

        rows = training.measure(network, set_folder(data.absolute(), training.recipe.test))
        answer["card"] = rows
        lines += [_line(row) for row in rows]
    typer.echo(json.dumps(answer, indent=2) if as_json else "\n".join(lines))
    if out is not None:
        typer.echo(found.save(out), err=as_json)
    if report is not None:
        page = html_report(found, network.card, beside, compared, photographs)
        typer.echo(save_report(report, page), err=as_json)


def _zero_shot(
    network: FaceModel, data: Path, labels: str | None, split: str, convention: str | None, as_json: bool
) -> None:
    from workbench.data import open_dataset
    from workbench.evaluation import drawn_shapes, zero_shot

    shown, part = sys.stderr.isatty(), None if split == "all" else split
    five = convention is None and labels is None and open_dataset(data).scheme.name == "five"
    found = (
        drawn_shapes(network, data, split=split, progress=shown)
        if five
        else zero_shot(network, data, labels=labels, split=part, convention=convention, progress=shown)
    )
    typer.echo(json.dumps({**found.to_dict(), "rows": found.rows()}, indent=2) if as_json else found.text())
    _left_out(getattr(found, "left_out", ()), None)


def _few_shot(
    network: FaceModel,
    data: Path,
    labels: str | None,
    split: str,
    convention: str | None,
    counts: list[str],
    steps: int | None,
    as_json: bool,
) -> None:
    from workbench.cli.train import told_as_bar
    from workbench.errors import DataError
    from workbench.training.few_shot import Taught
    from workbench.training.few_shot import few_shot as run

    rows: list[dict[str, Any]] = []
    for count in counts:
        with told_as_bar(f"{count} faces") as told:
            found = run(
                network, data, count, labels=labels, convention=convention, split=split, steps=steps, told=told
            )
        if isinstance(found, Taught):
            raise DataError(f"{data} has no face that is left to be measured; teach from fewer.")
        if not as_json:
            if not rows:
                typer.echo(
                    f"{network.name}, {found.convention} on {found.data} {found.split} ({found.labels} labels, "
                    f"{found.faces} faces), taught from"
                )
            typer.echo(found.text())
        rows.append(found.to_dict())
        _left_out(found.left_out, None)
    if as_json:
        typer.echo(json.dumps({"model": network.name, "rows": rows}, indent=2))


def _tracking(network: FaceModel, data: Path, split: str, subset: str | None, as_json: bool) -> None:
    from workbench.evaluation import follow

    part = None if split == "all" else split
    found = follow(network, data, split=part, subset=subset, progress=sys.stderr.isatty())
    typer.echo(json.dumps(found.to_dict(), indent=2) if as_json else found.text())
    _left_out(found.left_out, None)


TOLD = 20
"""Faces left out that the shell names; a kept run names all."""


def _left_out(sentences: tuple[str, ...], out: Path | None) -> None:
    if sentences:
        more = len(sentences) - TOLD
        typer.echo(f"Left out ({len(sentences)}):", err=True)
        for sentence in sentences[:TOLD]:
            typer.echo(f"  {sentence}", err=True)
        if more > 0:
            typer.echo(f"  And {more} more{'' if out else '; a run kept with --out names all'}.", err=True)


def _other(against: str | None, device: str) -> FaceModel | Run | None:
    """What to compare with: a run that was kept, or a model."""
    from workbench.errors import DataError
    from workbench.evaluation import Run
    from workbench.models import load_model

    if against is None:
        return None
    if against.endswith(".safetensors"):
        try:
            return Run.load(against)
        except DataError as error:
            if "is no run;" not in str(error):
                raise
    return load_model(against, device=device)


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
    data: Annotated[
        Path | None, typer.Option(help="A benchmark folder: images a second of an evaluation instead.")
    ] = None,
    device: Device = "auto",
    every: Annotated[
        bool,
        typer.Option("--all", help="Every checkpoint and each system at paper size, with and without optimise."),
    ] = False,
    batch: Annotated[
        list[int] | None, typer.Option(min=1, help="With --all: crops at once; may be given again. 1 by default.")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="With --all: also in bf16 or fp16, and how far that moves landmarks.")
    ] = "32",
    write: Annotated[
        Path | None, typer.Option(help="With --all: a Markdown file to write the tables into, between its markers.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Time the way from a photograph to a figure, and what recording costs."""
    if not every and (write or batch or precision != "32"):
        raise SettingsError("--write, --batch and --precision go with --all.")
    if every:
        _bench_all(device, batch or [1], precision, repeats, as_json, write)
        return
    from workbench.evaluation.bench import bench as run
    from workbench.evaluation.bench import pace

    if data is not None:
        found = pace(model, data, device)
        rows = (f"  {name:<28} {value:>8.1f} images/s" for name, value in found["images_a_second"].items())
        head = f"{found['model']} on {found['device']}, {found['faces']} faces, {found['readers']} batches at a time"
        typer.echo(json.dumps(found, indent=2) if as_json else "\n".join([head, *rows]))
        return
    result = run(model, image, repeats, device)
    if as_json:
        typer.echo(json.dumps(result, indent=2))
        return
    threads = "1 thread" if result["threads"] == 1 else f"{result['threads']} threads"
    typer.echo(f"{result['model']} on {result['device']}, {threads}, warm, medians of {result['repeats']} runs")
    for step, value in result["milliseconds"].items():
        typer.echo(f"  {step:<28} {value:>8.1f} ms")
    typer.echo(f"  {'traced / untraced':<28} {result['traced_over_untraced']:>8.3f}")


def _bench_all(
    device: str, batches: list[int], precision: str, repeats: int, as_json: bool, write: Path | None
) -> None:
    """A table that grows by a row as each model is measured."""
    import torch

    from workbench.evaluation.speed import HEADINGS, cells, markdown, place_of, speeds
    from workbench.evaluation.table import around, write_place
    from workbench.models.zoo import pick_device

    place = pick_device(device)
    what = torch.cuda.get_device_name(place) if place.type == "cuda" else f"{torch.get_num_threads()} threads"
    where = f"{place.type}, {what}, torch {torch.__version__}, medians of {repeats} runs"
    marked = place_of(place)
    if write is not None:
        around(write, marked)  # a file without the place is told of before the measuring
    rows = []
    for batch in batches:
        if not as_json:
            typer.echo(f"{where}, batch {batch}")
            typer.echo("".join(f"{head:>14}" if i else f"{head:<36}" for i, head in enumerate(HEADINGS)))
        for row in speeds(None, batch, device, precision, repeats):
            rows.append(row)
            if not as_json:
                typer.echo("".join(f"{cell:>14}" if i else f"{cell:<36}" for i, cell in enumerate(cells(row))))
    if write is not None:
        write_place(write, marked, markdown(rows, f"`workbench bench --all`: {where}."))
    if as_json:
        about = {"device": place.type, "what": what, "torch": torch.__version__, "repeats": repeats}
        typer.echo(json.dumps({**about, "rows": [row.to_dict() for row in rows]}, indent=2))
