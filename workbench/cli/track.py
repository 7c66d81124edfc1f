"""Following a face through a video."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

FORMATS = ("json", "csv")


def track(
    video: Annotated[
        Path, typer.Argument(help="A video, an animated GIF, WebP or PNG, or a folder of pictures in order.")
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="A model with a tracking branch.")] = "atpn",
    out: Annotated[Path | None, typer.Option(help="A .json or .csv file; CSV is printed without it.")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
) -> None:
    """Follow the most prominent face: landmarks, head pose and confidence of every frame (ATPN)."""
    from itertools import islice

    from tqdm import tqdm

    from workbench.errors import DataError
    from workbench.models import load_model
    from workbench.tracking import read_video
    from workbench.tracking import track as follow

    kind = "csv" if out is None else out.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise DataError(f"{out} cannot be written: use a .json or .csv file.")
    if out is not None and not out.parent.is_dir():
        raise DataError(f"The folder {out.parent} does not exist; create it first.")
    pictures = islice(read_video(video), frames)
    shown = tqdm(follow(pictures, load_model(model)), unit="frame", disable=not sys.stderr.isatty())
    rows = [_row(frame) for frame in shown]
    if not rows:
        raise DataError(f"{video} holds no frame; give another video.")
    text = json.dumps(rows, indent=2) if kind == "json" else _csv(rows)
    if out is None:
        typer.echo(text, nl=False)
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise DataError(f"{out} could not be written: {(error.strerror or str(error)).lower()}.") from None
        found = sum(row["state"] != "lost" for row in rows)
        typer.echo(f"{out}: {len(rows)} frames, a face in {found}, searched for in {sum(r['searched'] for r in rows)}")


def _row(frame: Any) -> dict[str, Any]:
    """One frame in plain values: angles in degrees, landmarks in pixels of the frame."""
    from math import degrees

    pose = [None] * 3 if frame.pose is None else [round(degrees(v), 2) for v in frame.pose.tolist()]
    return {
        "frame": frame.index,
        "state": frame.state,
        "searched": frame.searched,
        "confidence": round(float(frame.confidence), 4),
        "yaw": pose[0],
        "pitch": pose[1],
        "roll": pose[2],
        "landmarks": None if frame.landmarks is None else frame.landmarks.round(2).tolist(),
    }


def _csv(rows: list[dict[str, Any]]) -> str:
    """One line a frame, landmarks as x0, y0, x1, ... (empty where the face is lost)."""
    count = max((len(row["landmarks"]) for row in rows if row["landmarks"]), default=0)
    facts = [name for name in rows[0] if name != "landmarks"]
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow([*facts, *(f"{axis}{i}" for i in range(count) for axis in "xy")])
    for row in rows:
        points = [v for point in row["landmarks"] or [] for v in point]
        table.writerow([*(row[name] for name in facts), *(points or [""] * (2 * count))])
    return file.getvalue()
