"""The shell: the same things as in the browser and in a notebook. Heavy imports wait until a command needs them."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.errors import ImageError, UnknownNameError, WorkbenchError

if TYPE_CHECKING:
    from workbench.faces import Face
    from workbench.reading import Reading

app = typer.Typer(
    help="See why a face-alignment network puts a landmark where it does.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

LOCAL = "127.0.0.1"
ModelName = Annotated[str, typer.Option("--model", "-m", help="A shipped model's name or a .safetensors file.")]
Image = Annotated[str, typer.Argument(help="A photograph, or sample:NAME.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BoxText = Annotated[str | None, typer.Option("--box", help="x0,y0,x1,y1 around the landmarks, in photo pixels.")]


class View(StrEnum):
    landmarks = "landmarks"
    relations = "relations"
    matrix = "matrix"
    structure = "structure"
    uncertainty = "uncertainty"
    patches = "patches"
    path = "path"


class System(StrEnum):
    slpt = "slpt"
    dslpt = "dslpt"


class Kind(StrEnum):
    cross = "cross"
    self_ = "self"


class Log(StrEnum):
    csv = "csv"
    tensorboard = "tensorboard"


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port of the app.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    host: Annotated[str, typer.Option(help="Address to listen on; the default is this machine only.")] = LOCAL,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Without a command: open the app."""
    if version:
        from workbench import __version__

        typer.echo(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        from workbench.launch import open_app

        if host != LOCAL:
            typer.echo(f"Anybody who can reach {host}:{port} can use this app; it has no password.", err=True)
        raise typer.Exit(open_app(port, browser, host))


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models on the shelf."""
    from dataclasses import asdict

    from workbench.models import list_models

    cards = list_models()
    if as_json:
        typer.echo(json.dumps([asdict(card) for card in cards], indent=2))
        return
    typer.echo(f"{'name':<12} {'system':<7} {'points':>6} {'input':>6} {'params':>8} {'MACs':>8}  measured")
    for c in cards:
        error = next((m for m in c.metrics if m["metric"].startswith("NME")), None)
        measured = "-"
        if error:
            labels = "" if error["labels"] == "own" else f", labels {error['labels']}"
            measured = f"{error['value']:.2f} % on {error['data']} {error['split']}{labels}"
        size = f"{c.input_size} px"
        typer.echo(
            f"{c.name:<12} {c.system:<7} {c.landmarks:>6} {size:>6} {c.parameters / 1e6:>6.2f} M "
            f"{c.multiply_accumulates / 1e9:>6.2f} G  {measured}"
        )


@app.command()
def samples(as_json: AsJson = False) -> None:
    """List the sample faces and their licences."""
    from workbench.faces import sample_info, sample_names

    rows = [sample_info(name) for name in sample_names()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(f"sample:{row['name']:<18} {row['licence']:<16} {row['credit']}")


@app.command()
def predict(
    images: Annotated[list[str], typer.Argument(help="Photographs, or sample:NAME.")],
    model: ModelName = "dslpt-68",
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV: image, face, landmark, x, y, sigma.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write one JSON file a photograph into this folder.")] = None,
    face: Annotated[str, typer.Option(help="Which face: 1, 2, ... or 'all'.")] = "1",
    box: BoxText = None,
) -> None:
    """Find the landmarks of one or many photographs."""
    from tqdm import tqdm

    from workbench.models import load_model
    from workbench.reading import read

    if as_json and as_csv:
        raise UnknownNameError("Choose --json or --csv, not both.")
    if out is not None and not out.is_dir():
        raise ImageError(f"The folder {out} does not exist; create it first.")
    network, corners = load_model(model), parse_box(box)
    rows: list[dict[str, Any]] = []
    taken: set[str] = set()
    failed = 0
    for image in tqdm(images, desc="reading", unit="photo", disable=len(images) < 2 or not sys.stderr.isatty()):
        try:
            answers = [describe(read(network, f, taps=()), image) for f in faces_of(image, corners, face)]
        except WorkbenchError as error:
            typer.echo(f"{image}: {error}", err=True)
            failed += 1
            continue
        rows += answers
        if out is not None:
            write_new(out, Path(image.removeprefix("sample:")).stem, answers, taken)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif as_csv:
        write_csv(rows)
    else:
        for row in rows:
            sure = f", mean sigma {row['mean_sigma']:.2f} px" if "mean_sigma" in row else ""
            x0, y0, x1, y1 = (round(v) for v in row["box"])
            typer.echo(
                f"{row['image']} face {row['face']}: {len(row['landmarks'])} landmarks, box {x0},{y0},{x1},{y1}{sure}"
            )
    if failed:
        raise typer.Exit(1)


@app.command()
def trace(
    image: Image,
    out: Annotated[Path, typer.Option(help="A .safetensors file.")],
    model: ModelName = "dslpt-68",
    face: Annotated[int, typer.Option(help="Which face, from 1.")] = 1,
    box: BoxText = None,
    everything: Annotated[bool, typer.Option("--all", help="Also feature maps and patches.")] = False,
) -> None:
    """Record one forward pass and keep it."""
    from workbench.models import load_model
    from workbench.reading import ATTENTION_TAPS, read

    (chosen,) = faces_of(image, parse_box(box), str(face))
    reading = read(load_model(model), chosen, taps=None if everything else ATTENTION_TAPS)
    path = reading.trace.save(out)
    typer.echo(f"{path}: {', '.join(reading.trace)}")


@app.command()
def figure(
    image: Image,
    view: Annotated[View, typer.Option(help="What to draw.")],
    out: Annotated[Path, typer.Option(help="A .png, .svg, .html or .json file.")],
    model: ModelName = "dslpt-68",
    face: Annotated[int, typer.Option(help="Which face, from 1.")] = 1,
    box: BoxText = None,
    kind: Annotated[Kind, typer.Option(help="Attention to draw.")] = Kind.cross,
    stage: Annotated[int, typer.Option(help="From 1; -1 is the last.")] = -1,
    layer: Annotated[int, typer.Option(help="From 1; -1 is the last.")] = 1,
    head: Annotated[int | None, typer.Option(help="From 1; the mean of all by default.")] = None,
    top_k: Annotated[int, typer.Option(help="Strongest lines a landmark.")] = 3,
    threshold: Annotated[float, typer.Option(help="Least weight that is drawn.")] = 0.0,
    landmark: Annotated[int | None, typer.Option(help="Only this landmark's lines, from 0.")] = None,
) -> None:
    """Draw a view of a reading into a file."""
    from workbench.figures import save

    reading = read_one(image, model, face, box)
    save(VIEWS[view](reading, kind.value, _from_one(stage), _from_one(layer), head, top_k, threshold, landmark), out)
    typer.echo(out)


def _from_one(number: int) -> int:
    """Counting from one, as people do, to counting from zero; negative numbers count from the end."""
    if number == 0:
        raise UnknownNameError("Stages, layers and heads are counted from 1; -1 is the last.")
    return number - 1 if number > 0 else number


def _figures() -> Any:
    from workbench import figures

    return figures


def _draw_relations(r: Reading, kind: str, stage: int, layer: int, head: int | None, *rest: Any) -> Any:
    top_k, threshold, landmark = rest
    pick = None if head is None else _from_one(head)
    return _figures().relations(
        r, kind=kind, stage=stage, layer=layer, head=pick, top_k=top_k, threshold=threshold, landmark=landmark
    )


def _draw_matrix(r: Reading, kind: str, stage: int, layer: int, head: int | None, *rest: Any) -> Any:
    pick = None if head is None else _from_one(head)
    return _figures().matrix(r, kind=kind, stage=stage, layer=layer, head=pick)


VIEWS: dict[View, Callable[..., Any]] = {
    View.landmarks: lambda r, *_: _figures().landmarks(r),
    View.relations: _draw_relations,
    View.matrix: _draw_matrix,
    View.structure: lambda r, *_: _figures().structure(r),
    View.uncertainty: lambda r, *_: _figures().uncertainty(r),
    View.patches: lambda r, *_: _figures().patches(r),
    View.path: lambda r, *_: _figures().path(r),
}


@app.command()
def evaluate(
    data: Annotated[Path, typer.Option(help="A benchmark folder.")],
    model: ModelName = "dslpt-68",
    labels: Annotated[str | None, typer.Option(help="Pseudo-labels instead of the set's own: pseudo98.")] = None,
    split: Annotated[str, typer.Option(help="train, test, a subset's name, or all.")] = "test",
    normaliser: Annotated[str, typer.Option(help="inter_ocular, inter_pupil, box or diagonal.")] = "inter_ocular",
    threshold: Annotated[float, typer.Option(help="Of FR and AUC.")] = 0.10,
    as_json: AsJson = False,
) -> None:
    """Measure NME, FR and AUC on a benchmark folder."""
    from workbench.evaluation import evaluate as measure
    from workbench.models import load_model

    report = measure(
        load_model(model),
        data,
        labels=labels,
        split=None if split == "all" else split,
        normaliser=normaliser,
        threshold=threshold,
        progress=sys.stderr.isatty(),
    )
    typer.echo(json.dumps(report.to_dict(), indent=2) if as_json else report.text())


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, such as dslpt-68.")],
    data: Annotated[Path, typer.Option(help="Folder with the recipe's data sets.")],
    out: Annotated[Path, typer.Option(help="Folder for logs, state and result.")],
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    warmup_epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last finished epoch.")] = False,
    devices: Annotated[str, typer.Option(help="How many, as Lightning takes it; torchrun works too.")] = "auto",
    accelerator: Annotated[str, typer.Option(help="auto, cpu, gpu.")] = "auto",
    precision: Annotated[str | None, typer.Option(help="32-true, bf16-mixed, 16-mixed.")] = None,
    logger: Annotated[Log, typer.Option(help="Where curves go.")] = Log.csv,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
) -> None:
    """Train a recipe; the checkpoint and its card end up in OUT."""
    from workbench.training import train as run

    path = run(
        recipe,
        data,
        out,
        epochs=epochs,
        warmup_epochs=warmup_epochs,
        resume=resume,
        devices=int(devices) if devices.isdigit() else devices,
        accelerator=accelerator,
        precision=precision,
        logger=logger.value,
        seed=seed,
    )
    typer.echo(path)


@app.command("import-weights")
def import_weights(
    file: Annotated[Path, typer.Argument(help="The authors' .pth.")],
    system: Annotated[System, typer.Option(help="Which system it belongs to.")],
    init_face: Annotated[Path, typer.Option(help="An .npz with init_face (N, 2), 256-pixel crop units.")],
    out: Annotated[Path, typer.Option(help="A .safetensors file.")],
    name: Annotated[str | None, typer.Option(help="How the model will be called; the file's name by default.")] = None,
) -> None:
    """Turn published weights into a checkpoint of ours, with a card."""
    from workbench.models.importing import import_published
    from workbench.models.zoo import describe as card_of
    from workbench.models.zoo import save_checkpoint

    model = import_published(file, system.value, init_face)
    model.name = name or out.stem
    card = card_of(
        model,
        title=f"{system.value.upper()}, {model.config.landmarks} points, imported from {file.name}",
        data="as published by the authors",
        licence="as published by the authors",
    )
    typer.echo(save_checkpoint(model, out, card, half=False))


@app.command()
def bench(
    image: Annotated[str, typer.Argument(help="A photograph, or sample:NAME.")] = "sample:astronaut",
    model: ModelName = "dslpt-68",
    repeats: Annotated[int, typer.Option(help="Timed runs after the warm-up.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Time the way from a photograph to a figure, and what recording costs."""
    from workbench.evaluation.bench import bench as run

    result = run(model, image, max(1, repeats))
    if as_json:
        typer.echo(json.dumps(result, indent=2))
        return
    typer.echo(f"{result['model']} on {result['device']}, {result['threads']} threads, medians of {result['repeats']} runs")
    for step, value in result["milliseconds"].items():
        typer.echo(f"  {step:<28} {value:>8.1f} ms")
    typer.echo(f"  {'traced / untraced':<28} {result['traced_over_untraced']:>8.3f}")


def faces_of(image: str, box: tuple[float, ...] | None, which: str) -> Iterator[Face]:
    """The faces of a photograph that were asked for."""
    from workbench.faces import load_face, sample_photo

    name = image.removeprefix("sample:")
    source: Any = sample_photo(name) if image != name else Path(image)
    title = name if image != name else Path(image).stem
    first = load_face(source, box=box, name=title)
    if which == "all":
        yield from (first.with_index(i) for i in range(len(first.boxes))) if first.detections else [first]
        return
    if not which.isdigit() or which == "0":
        raise UnknownNameError(f"--face takes a number from 1 or 'all', not '{which}'.")
    yield first if box is not None else first.with_index(int(which) - 1)


def read_one(image: str, model: str, face: int, box: str | None) -> Reading:
    """One face of one photograph, read with its attention recorded."""
    from workbench.models import load_model
    from workbench.reading import read

    (chosen,) = faces_of(image, parse_box(box), str(face))
    return read(load_model(model), chosen)


def parse_box(text: str | None) -> tuple[float, ...] | None:
    """"x0,y0,x1,y1" -> numbers. Raises ImageError."""
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 4:
        raise ImageError(f"--box takes four numbers x0,y0,x1,y1, not '{text}'.")
    return numbers


def describe(reading: Reading, image: str) -> dict[str, Any]:
    """One answer as plain values, in pixels of the photograph."""
    row: dict[str, Any] = {
        "image": image,
        "face": reading.face.index + 1,
        "model": reading.model_name,
        "scheme": reading.scheme.name,
        "box": [round(float(v), 2) for v in reading.face.box],
        "landmarks": [[round(float(x), 3), round(float(y), 3)] for x, y in reading.landmarks],
    }
    if reading.alignment.variance is not None:
        sigma = reading.sigma() * reading.face.side
        row["sigma"] = [[round(float(x), 4), round(float(y), 4)] for x, y in sigma]
        row["mean_sigma"] = round(float(sigma.mean()), 4)
    return row


def write_new(folder: Path, stem: str, answers: list[dict[str, Any]], taken: set[str]) -> None:
    """One JSON file a photograph; equal names get a number, so that none of this run is lost."""
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name)
    (folder / f"{name}.json").write_text(json.dumps(answers, indent=2) + "\n", encoding="utf-8")


def write_csv(rows: list[dict[str, Any]]) -> None:
    """One line a landmark on standard output."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["image", "face", "landmark", "x", "y", "sigma_x", "sigma_y"])
    for row in rows:
        sigmas = row.get("sigma") or [["", ""]] * len(row["landmarks"])
        for i, ((x, y), (sx, sy)) in enumerate(zip(row["landmarks"], sigmas, strict=True)):
            writer.writerow([row["image"], row["face"], i, x, y, sx, sy])


@contextmanager
def plain_errors() -> Iterator[None]:
    """What a user can mend is one sentence and exit code 2; a closed pipe and Ctrl-C are no accidents."""
    try:
        yield
    except WorkbenchError as error:
        typer.echo(error, err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def main() -> None:
    """Entry point of the console script."""
    with plain_errors():
        app()
