"""Write anew what the shipped cards tell of the models themselves: sizes, configuration, taps and parts,
and the notes of their recipes (a card's own notes stay).

    python -m tools.refresh_cards [FOLDER]

Needed after a tap was added, renamed or given other axes; what was measured stays as it is.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from workbench.models import ModelCard, load_model
from workbench.models.zoo import describe
from workbench.paths import share
from workbench.training import get_recipe

OWN = (
    "scheme",
    "landmarks",
    "input_size",
    "parameters",
    "multiply_accumulates",
    "config",
    "taps",
    "parts",
)
"""Fields of a card that are read off the model."""


def refresh(path: Path) -> bool:
    """Update one card (JSON) from the weights beside it; whether anything changed."""
    card = ModelCard.load(path)
    told = describe(load_model(path.with_name(card.weights), device="cpu"))
    notes = get_recipe(card.recipe).notes if card.recipe else ()
    notes += tuple(note for note in card.notes if note not in notes)
    text = replace(card, **{name: getattr(told, name) for name in OWN}, notes=notes).to_json()
    changed = text != path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    return changed


def main(folder: Path) -> None:
    for path in sorted(folder.glob("*.json")):
        sys.stdout.write(f"{path.name}: {'changed' if refresh(path) else 'as it was'}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else share("checkpoints"))
