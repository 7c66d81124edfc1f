"""What there is: models and sample faces."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import AsJson


def models(
    presets: Annotated[bool, typer.Option("--presets", help="The presets of all systems instead, counted.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the trained models on the shelf, or the presets a model can be built and trained from."""
    if presets:
        list_presets(as_json)
        return
    from workbench.models.card import error_of, list_models

    cards = list_models()
    if as_json:
        typer.echo(json.dumps([asdict(card) for card in cards], indent=2))
        return
    typer.echo(f"{'name':<17} {'system':<7} {'points':>6} {'input':>6} {'params':>8} {'MACs':>8}  measured")
    for card in cards:
        typer.echo(
            f"{card.name:<17} {card.system:<7} {card.landmarks:>6} {f'{card.input_size} px':>6} "
            f"{card.parameters / 1e6:>6.2f} M {card.multiply_accumulates / 1e9:>6.2f} G  {error_of(card)}"
        )


def list_presets(as_json: bool) -> None:
    """Every preset with its counts and, where a paper prints them, the paper's."""
    from tqdm import tqdm

    from workbench.models import SYSTEMS
    from workbench.models.zoo import count_preset

    rows = []
    known = [(system, name) for system in SYSTEMS.values() for name in system.presets]
    for system, name in tqdm(known, desc="counting", unit="preset", disable=not sys.stderr.isatty()):
        parameters, compute = count_preset(name)
        printed = system.printed_sizes.get(name, (None, None))
        rows.append(
            {
                "preset": name,
                "system": system.name,
                "paper": system.paper,
                "landmarks": system.presets[name].landmarks,
                "input_size": system.presets[name].input_size,
                "parameters": parameters,
                "multiply_accumulates": compute,
                "printed_millions": printed[0],
                "printed_g": printed[1],
                "note": system.notes.get(name, ""),
            }
        )
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    typer.echo(f"{'preset':<26} {'system':<7} {'points':>6} {'input':>6} {'params':>9} {'MACs':>9}  printed")
    for row in rows:
        figures = [(row["printed_millions"], "M"), (row["printed_g"], "G")]
        shown = " / ".join(f"{value} {unit}" for value, unit in figures if value is not None)
        size = f"{row['input_size']} px"
        typer.echo(
            f"{row['preset']:<26} {row['system']:<7} {row['landmarks']:>6} {size:>6} "
            f"{row['parameters'] / 1e6:>7.2f} M {row['multiply_accumulates'] / 1e9:>7.2f} G  {shown or '-'}"
        )


def table(
    write: Annotated[
        Path | None,
        typer.Option(help="A Markdown file to write them into, between its markers; printed without it."),
    ] = None,
) -> None:
    """All systems in Markdown tables: what they show, sizes against the papers', checkpoints with error and time, and
    what their mechanisms do."""
    from workbench.evaluation.table import markdown, mechanism_table, overview, write_into

    shown = sys.stderr.isatty()
    if write is None:
        typer.echo("\n\n".join([overview(), markdown(shown), mechanism_table()]))
    else:
        write_into(write, shown)


def samples(as_json: AsJson = False) -> None:
    """List the sample faces, their licences and credits."""
    from workbench.faces import sample_info, sample_names

    rows = [sample_info(name) for name in sample_names()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"sample:{row['name']:<18} {row['licence']:<16} {row['credit']}")
