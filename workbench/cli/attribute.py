"""What an answer depends on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli import io
from workbench.cli.io import one_face
from workbench.cli.options import DEFAULT_MODEL, BoxText, Device, FaceNumber, Image, ModelName
from workbench.errors import DataError
from workbench.views import get_view

FORMATS = ("png", "svg", "html", "json", "csv", "safetensors")


def attribute(
    image: Image,
    landmark: Annotated[int, typer.Option("--landmark", "-k", help="From 0, as the scheme counts.")],
    out: Annotated[
        Path | None,
        typer.Option(help="A .png, .svg, .html (the explorer), .json, .csv or .safetensors file; CSV is printed."),
    ] = None,
    model: ModelName = DEFAULT_MODEL,
    method: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="occlusion, shapley, captum-occlusion, feature-ablation, kernel-shap, smoothgrad, saliency, "
            "integrated-gradients, smooth-integrated-gradients, grad-cam or layer-integrated-gradients.",
        ),
    ] = "occlusion",
    target: Annotated[str, typer.Option(help="displacement, x, y, or log-sigma where there is one.")] = "displacement",
    fill: Annotated[
        str, typer.Option(help="What covers a part: blur, grey, face (its mean colour), black, white.")
    ] = ("blur"),
    layer: Annotated[str | None, typer.Option(help="Of layer methods: a module's path.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Say whether the map holds: deletion, insertion, agreement, weights.")
    ] = False,
    face: FaceNumber = 1,
    box: BoxText = None,
    device: Device = "auto",
) -> None:
    """Show which places or parts of the face a landmark depends on."""
    from workbench import attribution
    from workbench.explain import to_csv
    from workbench.figures import save
    from workbench.models import load_model

    kind = "csv" if out is None else out.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise DataError(f"{out} cannot be written: use .{', .'.join(FORMATS[:-1])} or .{FORMATS[-1]}.")
    if out is not None and not out.parent.is_dir():
        raise DataError(f"The folder {out.parent} does not exist; create it first.")
    method, target = method.replace("-", "_"), target.replace("-", "_")
    network = load_model(model, device=device)
    attribution.check_landmark(landmark, network)
    seen = one_face(image, box, face)
    expected = attribution.cost(network, method, target, fill=fill, layer=layer)
    typer.echo(f"{expected.passes} passes, about {expected.seconds:.1f} s", err=True)
    with _Bar(method) as bar:
        reading = attribution.attributed(network, seen, landmark, target, method, progress=bar, fill=fill, layer=layer)
    found = reading.shown()
    view = get_view("attribution")
    if out is None:
        typer.echo(to_csv(found.rows()), nl=False)
    elif kind == "html":
        io.save_explorer(view, reading, {"landmark": landmark}, out)
    elif kind == "safetensors":
        found.save(out)
    elif kind in ("json", "csv"):
        io.write_text(out, found.to_json() + "\n" if kind == "json" else to_csv(found.rows()))
    else:
        save(view.figures[0].make(reading), out)
    typer.echo(found.caption if out is None else f"{out}: {found.caption}", err=out is None)
    if check:
        for words, make in (
            ("curves", attribution.curves),
            ("agreement", attribution.agreement),
            ("scrambled weights", attribution.randomised),
        ):
            with _Bar(words) as bar:
                said: Any = make(network, seen, found, progress=bar)
            typer.echo(said.caption, err=out is None)


class _Bar:
    """A bar where somebody looks at the shell."""

    def __init__(self, words: str) -> None:
        from tqdm import tqdm

        self.bar = tqdm(desc=words, unit="pass", disable=not sys.stderr.isatty(), leave=False)

    def __call__(self, done: int, total: int) -> None:
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()
