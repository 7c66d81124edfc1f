"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

ModelName = Annotated[
    str, typer.Option("--model", "-m", help="A model of the shelf (see `workbench models`) or a .safetensors file.")
]
Image = Annotated[str, typer.Argument(help="A photograph, or sample:NAME (see `workbench samples`).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BoxText = Annotated[
    str | None, typer.Option("--box", help="x0,y0,x1,y1 around the landmarks, in photo pixels; nothing is searched.")
]
FaceNumber = Annotated[int, typer.Option("--face", min=1, help="Which face, the most prominent first.")]

Device = Annotated[
    str, typer.Option(help="auto (a GPU where there is one, Apple's mps included), cpu, cuda, cuda:1, mps.")
]

DEFAULT_MODEL = "dslpt-68"
DEFAULT_PROMPTED = "tufa"
