"""What there is: models and sample faces."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from workbench.cli.options import AsJson

if TYPE_CHECKING:
    from workbench.models import Card


def models(as_json: AsJson = False) -> None:
    """List the models on the shelf."""
    from workbench.models import list_models

    cards = list_models()
    if as_json:
        typer.echo(json.dumps([asdict(card) for card in cards], indent=2))
        return
    typer.echo(f"{'name':<12} {'system':<7} {'points':>6} {'input':>6} {'params':>8} {'MACs':>8}  measured")
    for card in cards:
        typer.echo(
            f"{card.name:<12} {card.system:<7} {card.landmarks:>6} {f'{card.input_size} px':>6} "
            f"{card.parameters / 1e6:>6.2f} M {card.multiply_accumulates / 1e9:>6.2f} G  {measured(card)}"
        )


def measured(card: Card) -> str:
    """The first error on a card, with where and against which labels it was measured."""
    row = next((m for m in card.metrics if str(m.get("metric", "")).startswith("NME")), None)
    if row is None:
        return "-"
    labels = "" if row.get("labels", "own") == "own" else f", labels {row['labels']}"
    return f"{row['value']:.2f} % on {row['data']} {row['split']}{labels}"


def samples(as_json: AsJson = False) -> None:
    """List the sample faces, their licences and credits."""
    from workbench.faces import sample_info, sample_names

    rows = [sample_info(name) for name in sample_names()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"sample:{row['name']:<18} {row['licence']:<16} {row['credit']}")
