"""What if a part of a tensor were another."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli import io
from workbench.cli.io import one_face
from workbench.cli.options import DEFAULT_MODEL, AsJson, BoxText, Device, FaceNumber, Image, ModelName
from workbench.errors import DataError, SettingsError
from workbench.views import get_view

FORMATS = ("png", "svg", "html")


def what_if(
    image: Image,
    tap: Annotated[str, typer.Option(help="Which tensor, by its path or a pattern (`workbench trace` lists them).")],
    do: Annotated[str, typer.Option(metavar="NAME", help="knock-out, scramble, uniform, or donor with --from.")],
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="AXIS=N", help="One entry of an axis, from 0, such as head=2; may be given again."),
    ] = None,
    stage: Annotated[int | None, typer.Option(min=1, help="From 1; all of them by default.")] = None,
    donor: Annotated[str | None, typer.Option("--from", help="donor: the face that it is taken from.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .png, .svg or .html file (the explorer); numbers are printed anyway.")
    ] = None,
    model: ModelName = DEFAULT_MODEL,
    as_json: AsJson = False,
    face: FaceNumber = 1,
    box: BoxText = None,
    device: Device = "auto",
) -> None:
    """Change one tensor while a face is read, and show where the landmarks go."""
    from workbench.effects import Question, ask
    from workbench.explain.effects import by_part
    from workbench.figures import save
    from workbench.models import load_model

    kind = "" if out is None else out.suffix.lower().removeprefix(".")
    if out is not None and kind not in FORMATS:
        raise DataError(f"{out} cannot be written: use .{', .'.join(FORMATS[:-1])} or .{FORMATS[-1]}.")
    if (donor is None) == (do == "donor"):
        raise SettingsError("--from names the face that a part is taken from: give it with --do donor, and only then.")
    network, seen = load_model(model, device=device, optimise=True), one_face(image, box, face)
    other = None if donor is None else one_face(donor, None, 1)
    question = Question(tap, do.replace("-", "_"), _entries(at or []), None if stage is None else stage - 1)
    reading = ask(network, seen, question, other)
    view = get_view("effect")
    if out is not None and kind == "html":
        io.save_explorer(view, reading, {}, out)
    elif out is not None:
        save(view.figures[0].make(reading), out)
    if as_json:
        told = {"caption": reading.effect.caption, "parts": [asdict(part) for part in by_part(reading)]}
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(reading.effect.caption)
    for part in by_part(reading):
        typer.echo(f"  {part.part.replace('_', ' '):10} {_numbers(asdict(part))}")


def _numbers(part: dict[str, Any]) -> str:
    said = f"mean {part['mean']:.3f} px, most {part['most']:.3f} px"
    said += "" if part["percent"] is None else f", {part['percent']:.3f} % of the eyes' distance"
    return said if part["sigma"] is None else f"{said}, sigma {part['sigma']:+.3f} px"


def _entries(given: list[str]) -> tuple[tuple[str, int], ...]:
    """AXIS=N as pairs. Raises SettingsError."""
    found = []
    for text in given:
        axis, _, number = text.partition("=")
        if not axis or not number.isdecimal():
            raise SettingsError(f"--at {text} cannot be read: write an axis and an entry from 0, such as head=2.")
        found.append((axis, int(number)))
    return tuple(found)
