"""Reading photographs: landmarks, traces, figures."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import io
from workbench.cli.io import from_one, one_face, parse_box, parse_face
from workbench.cli.options import DEFAULT_MODEL, AsJson, BoxText, FaceNumber, Image, ModelName
from workbench.errors import ImageError, SettingsError, TraceError, UnknownNameError, WorkbenchError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.reading import Reading


class View(StrEnum):
    landmarks = "landmarks"
    relations = "relations"
    matrix = "matrix"
    partners = "partners"
    thumbnails = "thumbnails"
    structure = "structure"
    neighbours = "neighbours"
    uncertainty = "uncertainty"
    sigma = "sigma"
    patches = "patches"
    trajectory = "trajectory"
    map = "map"
    self_attention = "self-attention"


class Kind(StrEnum):
    cross = "cross"
    self_ = "self"


def predict(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Photographs, or sample:NAME.")],
    model: ModelName = DEFAULT_MODEL,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, one line a landmark.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write one JSON file a photograph into this folder.")] = None,
    face: Annotated[str, typer.Option(help="Which face: 1, 2, ..., the most prominent first, or 'all'.")] = "1",
    box: BoxText = None,
) -> None:
    """Find the landmarks of one or many photographs.

    A photograph that cannot be read costs one sentence; the others go on, and the exit code is 1 in the end.
    """
    from tqdm import tqdm

    from workbench.models import load_model
    from workbench.reading import read

    if as_json and as_csv:
        raise UnknownNameError("Choose --json or --csv, not both.")
    if out is not None and not out.is_dir():
        raise ImageError(f"There is no folder {out}; make it first or choose another.")
    corners, which = parse_box(box), parse_face(face)
    network = load_model(model)
    found: list[dict[str, Any]] = []
    taken: set[str] = set()
    failures = 0
    for image in tqdm(images, desc="reading", unit="photo", disable=len(images) < 2 or not sys.stderr.isatty()):
        try:
            readings = [read(network, f, taps=()) for f in io.faces_of(image, corners, which)]
            described = [io.describe(reading, image) for reading in readings]
            if out is not None:
                io.write_answers(out, image, described, taken)
        except WorkbenchError as error:
            tqdm.write(f"{image}: {error}", file=sys.stderr)
            failures += 1
            continue
        if as_json or as_csv:
            found += described
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
) -> None:
    """Record one forward pass and keep it."""
    from workbench.models import load_model
    from workbench.reading import read

    chosen, network = one_face(image, box, face), load_model(model)
    reading = read(network, chosen, taps=None) if everything else read(network, chosen)
    if not reading.trace:  # a system without attention between landmarks
        reading = read(network, chosen, taps=None)
    path = reading.trace.save(out)
    typer.echo(f"{path}: {len(reading.trace)} tensors ({', '.join(reading.trace)})")


@dataclass(frozen=True)
class Choice:
    """What a figure shows, counted from zero; None means the mean of all, or no single landmark."""

    kind: str
    stage: int | None
    layer: int | None
    head: int | None
    top_k: int
    threshold: float
    landmark: int | None
    tap: str | None
    place: tuple[float, float]

    def attention(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "stage": self.stage,
            "layer": 0 if self.layer is None else self.layer,
            "head": self.head,
        }

    def moment(self) -> dict[str, Any]:
        return {"stage": self.stage, "layer": -1 if self.layer is None else self.layer}


def figure(
    context: typer.Context,
    image: Image,
    view: Annotated[View, typer.Option(help="What to draw.")],
    out: Annotated[Path, typer.Option(help="A .png, .svg, .html or .json file.")],
    model: ModelName = DEFAULT_MODEL,
    face: FaceNumber = 1,
    box: BoxText = None,
    kind: Annotated[Kind, typer.Option(help="Which attention.")] = Kind.cross,
    stage: Annotated[int, typer.Option(help="From 1; -1 is the last.")] = -1,
    layer: Annotated[
        int | None, typer.Option(help="From 1; by default the first for attention, the last for uncertainty.")
    ] = None,
    head: Annotated[int | None, typer.Option(help="From 1; the mean of all by default.")] = None,
    top_k: Annotated[int, typer.Option(min=1, help="Strongest lines of each landmark.")] = 3,
    threshold: Annotated[float, typer.Option(min=0.0, max=1.0, help="Least weight that is drawn.")] = 0.0,
    landmark: Annotated[
        int | None, typer.Option(min=0, help="Only this landmark, from 0 as the scheme counts; map: or this channel.")
    ] = None,
    tap: Annotated[
        str | None, typer.Option(help="map: which tensor (`workbench trace` lists them), by default a telling one.")
    ] = None,
    at: Annotated[str, typer.Option(help="self-attention: the place x,y in [0, 1] of the crop.")] = "0.5,0.5",
) -> None:
    """Draw a view of one reading into a file."""
    from workbench.figures import save
    from workbench.models import load_model
    from workbench.reading import read

    draw, takes = _VIEWS[view]
    given = [name for name in _CHOICES if getattr(context.get_parameter_source(name), "name", "") != "DEFAULT"]
    if idle := [_flag(name) for name in given if name not in takes]:
        raise SettingsError(
            f"The view {view.value} does not depend on {' or '.join(idle)}; leave it out"
            + (f" (it takes {', '.join(map(_flag, takes))})." if takes else ".")
        )
    place = io.parse_place(at)
    chosen = Choice(
        kind.value, from_one(stage), from_one(layer), from_one(head), top_k, threshold, landmark, tap, place
    )
    network, seen = load_model(model), one_face(image, box, face)
    inside = view in (View.map, View.self_attention)
    reading = read(network, seen, taps=None) if inside else read(network, seen)
    if landmark is not None and landmark >= reading.scheme.count:
        raise UnknownNameError(
            f"{reading.model_name} has the landmarks 0 to {reading.scheme.count - 1}, not {landmark}."
        )
    typer.echo(save(draw(reading, chosen), out))


def _figures() -> Any:
    from workbench import figures

    return figures


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


_CHOICES = ("kind", "stage", "layer", "head", "top_k", "threshold", "landmark", "tap", "at")
_ATTENTION = ("kind", "stage", "layer", "head")
_MOMENT = ("stage", "layer")

# Each view and the options that change it.
_VIEWS: dict[View, tuple[Callable[[Reading, Choice], go.Figure], tuple[str, ...]]] = {
    View.landmarks: (lambda r, c: _figures().landmarks(r), ()),
    View.relations: (
        lambda r, c: _figures().relations(
            r, **c.attention(), top_k=c.top_k, threshold=c.threshold, landmark=c.landmark
        ),
        (*_ATTENTION, "top_k", "threshold", "landmark"),
    ),
    View.matrix: (
        lambda r, c: _figures().matrix(r, **c.attention(), landmark=c.landmark),
        (*_ATTENTION, "landmark"),
    ),
    View.partners: (lambda r, c: _figures().partners(r, **c.attention()), _ATTENTION),
    View.thumbnails: (lambda r, c: _figures().thumbnails(r, kind=c.kind, stage=c.stage), ("kind", "stage")),
    View.structure: (lambda r, c: _figures().structure(r, landmark=c.landmark), ("landmark",)),
    View.neighbours: (
        lambda r, c: _figures().structure_neighbours(r, k=c.top_k, landmark=c.landmark),
        ("top_k", "landmark"),
    ),
    View.uncertainty: (lambda r, c: _figures().uncertainty(r, **c.moment()), _MOMENT),
    View.sigma: (lambda r, c: _figures().sigma_bars(r, **c.moment()), _MOMENT),
    View.patches: (lambda r, c: _figures().patches(r), ()),
    View.trajectory: (lambda r, c: _figures().trajectory(r, landmark=c.landmark), ("landmark",)),
    View.map: (lambda r, c: _map(r, c), ("tap", "stage", "head", "landmark", "top_k")),
    View.self_attention: (lambda r, c: _figures().self_attention(r, _spatial(r), *c.place), ("at",)),
}


def _map(reading: Reading, c: Choice) -> go.Figure:
    from workbench.explain.inside import find, first_choice, inner_maps

    there = inner_maps(reading)
    name = first_choice(there) if c.tap is None else find(there, c.tap).name
    stage = -1 if c.stage is None else c.stage
    return _figures().maps(reading, name, stage, c.head, c.landmark, c.top_k)


def _spatial(reading: Reading) -> str:
    """The last self-attention over places. Raises TraceError when there is none."""
    from workbench.explain.inside import inner_maps

    names = [m.name for m in inner_maps(reading) if m.kind == "spatial_attention"]
    if not names:
        raise TraceError(f"{reading.model_name} has no self-attention over the map; choose an SSFA model.")
    return names[-1]


def shape(
    image: Image,
    points: Annotated[
        str, typer.Option(help='A shape saved by the app, any JSON with {"points": [[x, y], ...]}, or a template: 98.')
    ],
    out: Annotated[Path | None, typer.Option(help="A .json, .csv, .png, .svg or .html file; JSON is printed.")] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="A TUFA model of the shelf or its file.")] = "tufa",
    face: FaceNumber = 1,
    box: BoxText = None,
) -> None:
    """Find points of your own, drawn on the face plane, on a photograph."""
    from workbench.errors import DataError
    from workbench.explain import to_csv
    from workbench.models import load_model
    from workbench.shaping import find_shape, shape_json, shape_rows

    kind = "json" if out is None else out.suffix.lower().removeprefix(".")
    if kind not in ("json", "csv", "png", "svg", "html"):
        raise DataError(
            f"{out} cannot be written: use .json or .csv for the landmarks, .png, .svg or .html to see them."
        )
    network = load_model(model)
    reading = find_shape(network, one_face(image, box, face), io.drawing_from(points, network))
    if kind in ("png", "svg", "html"):
        assert out is not None
        typer.echo(_figures().save(_figures().shape(reading), out))
        return
    text = shape_json(reading) + "\n" if kind == "json" else to_csv(shape_rows(reading))
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{out} could not be written: {(error.strerror or str(error)).lower()}.") from None
    off = f", {reading.zero_shot} of them zero-shot" if reading.zero_shot else ", all of them trained"
    typer.echo(f"{out}: {reading.scheme.count} points{off}")
