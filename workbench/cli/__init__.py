"""The shell: the same things as in the browser and in a notebook.

Every command is a plain function in one of the modules beside this one; heavy imports wait until a command needs
them, so that ``workbench --help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec

import typer

from workbench.cli import (
    attribute,
    calibrate,
    catalogue,
    evaluate,
    inspect,
    notebooks,
    study,
    sweep,
    track,
    train,
    what_if,
)
from workbench.errors import WorkbenchError

P = ParamSpec("P")

app = typer.Typer(
    help="See why a face-alignment network puts a landmark where it does. Without a command: open the app.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """What a user can mend is one sentence and exit code 2; a closed pipe and Ctrl-C are no accidents."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
            sys.stdout.flush()
        except WorkbenchError as error:
            typer.echo(error, err=True)
            raise typer.Exit(2) from None
        except ModuleNotFoundError as error:
            typer.echo(missing(error), err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None

    return run


def missing(error: ModuleNotFoundError) -> str:
    """Which extra brings a package that is not installed; a module of ours that is missing is a fault."""
    package = (error.name or "").split(".")[0]
    if package in ("lightning", "skimage", "tensorboard"):
        return (
            f"Training needs the package '{package}'; install the extra: pip install -c constraints.txt -e '.[train]'"
        )
    if package in ("jupyterlab", "nbclient", "nbconvert", "nbformat"):
        return (
            f"The lessons need the package '{package}'; install the extra: pip install -c constraints.txt -e "
            "'.[notebook]'"
        )
    if not package or package == "workbench":
        raise error
    return f"The package '{package}' is missing: install again with pip install -c constraints.txt -e ."


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the app; the first free one from 8501 by default.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Any but this machine's own lets others in, without a password.")
    ] = "127.0.0.1",
    browser: Annotated[bool | None, typer.Option("--browser/--no-browser", help="Open a browser window.")] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Open the app when there is no command."""
    if version:
        from workbench import __version__

        typer.echo(__version__)
    elif context.invoked_subcommand is None:
        plainly(_open)(port, host, browser)


def _open(port: int | None, host: str, browser: bool | None) -> None:
    from workbench.launch import open_app

    code = open_app(port, host, browser)
    if code:
        raise typer.Exit(code)


for function in (
    catalogue.models,
    catalogue.samples,
    catalogue.table,
    inspect.predict,
    inspect.trace,
    inspect.figure,
    inspect.shape,
    attribute.attribute,
    what_if.what_if,
    track.track,
    evaluate.evaluate,
    calibrate.calibrate,
    study.study,
    train.train,
    sweep.sweep,
    train.import_weights,
    evaluate.bench,
    notebooks.notebooks,
):
    app.command(function.__name__.replace("_", "-"))(plainly(function))


def main() -> None:
    """Entry point of the console script."""
    app()
