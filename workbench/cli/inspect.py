"""Reading photographs: landmarks, traces, figures."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli import io
from workbench.cli.io import from_one, meanwhile, one_face, parse_box, parse_face
from workbench.cli.options import (
    DEFAULT_MODEL,
    DEFAULT_PROMPTED,
    AsJson,
    BoxText,
    Device,
    FaceNumber,
    Image,
    ModelName,
)
from workbench.errors import DataError, ImageError, SettingsError, TraceError, UnknownNameError, WorkbenchError
from workbench.views import figures, get_view, offer_of, without

_SHAPES = "A shape saved by the app or by another tool (.json, .csv, .npz, .pts, .xml), or a convention: 98."


def predict(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Photographs, folders of them, or sample:NAME.")
    ],
    model: ModelName = DEFAULT_MODEL,
    shape: Annotated[str | None, typer.Option(help=f"Find these points instead: {_SHAPES}")] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, one line a landmark.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write one JSON file a photograph into this folder.")] = None,
    face: Annotated[str, typer.Option(help="Which face: 1, 2, ..., the most prominent first, or 'all'.")] = "1",
    box: BoxText = None,
    device: Device = "auto",
) -> None:
    """Find the landmarks of one or many photographs.

    A photograph that cannot be read costs one sentence; the others go on, and the exit code is 1 in the end.
    """
    from tqdm import tqdm

    if as_json and as_csv:
        raise UnknownNameError("Choose --json or --csv, not both.")
    if out is not None and not os.path.isdir(out):
        raise ImageError(f"There is no folder {out}; make it first or choose another.")
    corners, which = parse_box(box), parse_face(face)
    pictures = [picture for image in images for picture in io.pictures_of(image)]
    ahead = io.loaded_ahead(pictures, lambda image: list(io.faces_of(image, corners, which)))
    from workbench.models import load_model  # torch, while the first faces are looked for

    network = load_model(model, device=device, optimise=True)
    answer = io.answering(network, shape)
    found: list[dict[str, Any]] = []
    taken: set[str] = set()
    failures = 0
    quiet = len(pictures) < 2 or not sys.stderr.isatty()
    for image, faces in tqdm(ahead, desc="reading", total=len(pictures), unit="photo", disable=quiet):
        try:
            readings = [answer(f) for f in faces()]
            records = [io.as_record(reading, image) for reading in readings]
            if out is not None:
                io.write_records(out, image, records, taken)
        except WorkbenchError as error:
            tqdm.write(f"{image}: {error}", file=sys.stderr)
            failures += 1
            continue
        if as_json or as_csv:
            found += records
        else:
            for reading in readings:
                tqdm.write(io.sentence(reading, image), file=sys.stdout)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    elif as_csv:
        typer.echo(io.as_csv(found), nl=False)
    if failures:
        raise typer.Exit(1)


def trace(
    image: Image,
    out: Annotated[Path, typer.Option(help="A .safetensors file.")],
    model: ModelName = DEFAULT_MODEL,
    face: FaceNumber = 1,
    box: BoxText = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every tensor, not only the attention between landmarks where there is one.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Record one forward pass and keep it."""
    chosen = meanwhile(lambda: one_face(image, box, face))
    from workbench.models import load_model
    from workbench.reading import read

    network = load_model(model, device=device, optimise=True)
    reading = read(network, chosen(), taps=None) if everything else read(network, chosen())
    if not reading.trace:  # a system without relations or structure encodings
        reading = read(network, chosen(), taps=None)
    path = reading.trace.save(out)
    typer.echo(f"{path}: {len(reading.trace)} tensors ({', '.join(reading.trace)})")


def figure(
    context: typer.Context,
    image: Image,
    view: Annotated[str, typer.Option(metavar="NAME", help=f"What to draw: {', '.join(map(io.dashed, figures()))}.")],
    out: Annotated[
        Path, typer.Option(help="A .png, .svg or .json file; or .html, the explorer itself, which works offline.")
    ],
    model: ModelName = DEFAULT_MODEL,
    face: FaceNumber = 1,
    box: BoxText = None,
    static: Annotated[
        bool, typer.Option("--static", help="html: a page with the Plotly figure, not the explorer.")
    ] = False,
    kind: Annotated[str | None, typer.Option(help="Which attention, 'cross' or 'self' in most models.")] = None,
    stage: Annotated[int | None, typer.Option(help="From 1; -1, the last, by default.")] = None,
    layer: Annotated[
        int | None, typer.Option(help="From 1; by default the first for attention, the last for uncertainty.")
    ] = None,
    head: Annotated[int | None, typer.Option(help="From 1; the mean of all by default.")] = None,
    top_k: Annotated[int | None, typer.Option(min=1, help="Strongest lines of each landmark; 3 by default.")] = None,
    threshold: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="Least weight that is drawn.")] = None,
    landmark: Annotated[
        int | None, typer.Option(min=0, help="Only this one, from 0 as the scheme counts; inside: or this channel.")
    ] = None,
    tap: Annotated[
        str | None, typer.Option(help="inside: which tensor (`workbench trace` lists them), by default a telling one.")
    ] = None,
    recalibrated: Annotated[
        bool | None, typer.Option("--recalibrated", help="uncertainty: sigma times the scalars on the model's card.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="self-attention: the place x,y in [0, 1] of the crop.")] = None,
    device: Device = "auto",
) -> None:
    """Draw a view of one reading into a file."""
    shown, drawn = io.figure_named(view)
    given = {name: context.params[name] for name in _OPTIONS if context.params[name] is not None}
    if idle := [_flag(name) for name in given if name not in drawn.options]:
        takes = ", ".join(map(_flag, drawn.options))
        raise SettingsError(
            f"The view {io.dashed(view)} does not depend on {' or '.join(idle)}; leave it out"
            + (f" (it takes {takes})." if takes else ".")
        )
    explorer = out.suffix.lower() == ".html" and not static and shown.standalone and drawn is shown.figures[0]
    given |= {name: from_one(given[name]) for name in ("stage", "layer", "head") if name in given}
    given |= {"at": io.parse_place(given["at"])} if "at" in given else {}
    seen = meanwhile(lambda: one_face(image, box, face))
    from workbench.figures import save
    from workbench.models import load_model
    from workbench.reading import read

    network = load_model(model, device=device, optimise=True)
    if not shown.needs.met_by(offer_of(network)):
        raise TraceError(without(shown, network.name, io.models_for(shown)))
    if landmark is not None and landmark >= network.scheme.count:
        raise UnknownNameError(f"{network.name} has the landmarks 0 to {network.scheme.count - 1}, not {landmark}.")
    reading = read(network, seen(), io.tensor_named(network, tap) if "tap" in drawn.options else shown.recorded)
    if explorer:
        typer.echo(io.save_explorer(shown, reading, given, out))
    else:
        typer.echo(save(drawn.make(reading, **{drawn.options[name]: value for name, value in given.items()}), out))


_OPTIONS = ("kind", "stage", "layer", "head", "top_k", "threshold", "landmark", "tap", "recalibrated", "at")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def shape(
    image: Image,
    points: Annotated[str, typer.Option(help=_SHAPES)],
    out: Annotated[Path | None, typer.Option(help="A .json, .csv, .png, .svg or .html file; JSON is printed.")] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A model that takes structure prompts, or its file.")
    ] = DEFAULT_PROMPTED,
    face: FaceNumber = 1,
    box: BoxText = None,
    device: Device = "auto",
) -> None:
    """Find points of your own, drawn on the face plane, on a photograph."""
    from workbench.explain import to_csv
    from workbench.figures import save
    from workbench.finding import with_spread
    from workbench.models import load_model
    from workbench.shaping import find_shape, shape_json, shape_rows

    kind = "json" if out is None else out.suffix.lower().removeprefix(".")
    if kind not in ("json", "csv", "png", "svg", "html"):
        raise DataError(
            f"{out} cannot be written: use .json or .csv for the landmarks, .png, .svg or .html to see them."
        )
    network = load_model(model, device=device, optimise=True)
    reading = find_shape(network, one_face(image, box, face), io.drawing_from(points, network))
    view = get_view("shape")
    if kind == "html":
        assert out is not None
        typer.echo(io.save_explorer(view, reading, {}, out))
        return
    if kind in ("png", "svg"):
        assert out is not None
        typer.echo(save(view.figures[0].make(reading), out))
        return
    reading = with_spread(network, reading)
    text = shape_json(reading) + "\n" if kind == "json" else to_csv(shape_rows(reading))
    if out is None:
        typer.echo(text, nl=False)
        return
    io.write_text(out, text)
    off = f", {reading.zero_shot} of them off every anchor" if reading.zero_shot else ", all of them trained"
    typer.echo(f"{out}: {reading.scheme.count} points{off}")
