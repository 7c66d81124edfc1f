"""Following a face through a video."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import Device

FORMATS = ("json", "csv")


def track(
    video: Annotated[
        Path, typer.Argument(help="A video, an animated GIF, WebP or PNG, or a folder of pictures in order.")
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="A model with a tracking branch.")] = "atpn",
    out: Annotated[Path | None, typer.Option(help="A .json or .csv file; CSV is printed without it.")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    film: Annotated[
        Path | None, typer.Option(help="A .gif or .webp file: the frames with all that was found drawn on them.")
    ] = None,
    fps: Annotated[float, typer.Option(help="Frames a second of the film; the source's own pace is not kept.")] = 12.5,
    timeline: Annotated[
        Path | None,
        typer.Option(help="A .png, .svg, .html or .json file: states, confidence, angles and jitter over time."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Follow the most prominent face: landmarks, head pose and confidence of every frame (ATPN)."""
    from dataclasses import replace
    from itertools import islice

    from PIL import Image
    from tqdm import tqdm

    from workbench.errors import DataError
    from workbench.explain.tables import to_csv
    from workbench.explain.timeline import flat, row
    from workbench.figures import export
    from workbench.figures.film import SUFFIXES, mark_frame, save_film
    from workbench.figures.timeline import timeline as draw
    from workbench.models import load_model
    from workbench.tracking import read_frames
    from workbench.tracking import track as follow

    kind = "csv" if out is None else out.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise DataError(f"{out} cannot be written: use a .json or .csv file.")
    if out is not None and not out.parent.is_dir():
        raise DataError(f"The folder {out.parent} does not exist; create it first.")
    for place, kinds in ((film, SUFFIXES), (timeline, tuple(f".{k}" for k in export.KINDS))):
        if place is not None and (place.suffix.lower() not in kinds or not place.parent.is_dir()):
            raise DataError(f"{place} cannot be written: use a {' or '.join(kinds)} file in a folder that is there.")
    pictures, network = islice(read_frames(video), frames), load_model(model, device=device, optimise=True)
    shown = tqdm(follow(pictures, network), unit="frame", disable=not sys.stderr.isatty())
    rows, marked, kept, bare = [], [], [], Image.new("RGB", (1, 1))
    for frame in shown:
        rows.append(row(frame))
        marked += [mark_frame(frame, network.scheme)] if film is not None else []
        kept.append(replace(frame, photo=bare))  # a long video's pictures would not fit
    if not rows:
        raise DataError(f"{video} holds no frame; give another video.")
    if film is not None:
        typer.echo(save_film(marked, film, fps), err=True)
    if timeline is not None:
        least = float(getattr(network.config, "threshold", 0.7))
        typer.echo(export.save(draw(kept, f"{video.name}, {network.name}", least), timeline), err=True)
    text = json.dumps(rows, indent=2) if kind == "json" else to_csv(flat(rows))
    if out is None:
        typer.echo(text, nl=False)
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise DataError(f"{out} could not be written: {(error.strerror or str(error)).lower()}.") from None
        found = sum(one["state"] != "lost" for one in rows)
        typer.echo(
            f"{out}: {len(rows)} frames, a face in {found}, searched for in {sum(one['searched'] for one in rows)}"
        )
