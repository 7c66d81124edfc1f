"""The cards of the shelf: what each checkpoint is and how well it does, told without its weights and without torch."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field, fields
from html import escape
from pathlib import Path
from typing import Any

from workbench.errors import CheckpointError
from workbench.files import from_json
from workbench.models.config import hints_of, is_a
from workbench.paths import own_folder, share

DEFAULT = "dslpt-68"


@dataclass(frozen=True)
class ModelCard:
    """What a checkpoint is, where it comes from and how well it does; stored as JSON beside the weights.

    Attributes:
        name, title, system, preset, scheme, landmarks, input_size: what it is.
        parameters: count; ``multiply_accumulates``: of one forward pass.
        data, licence: what it was trained on and under which terms that came.
        recipe, command, seed, epochs, steps: how it was made.
        metrics: measured errors, each a dict with data, split, faces, metric, value, unit.
        notes: sentences a user should know.
        weights: file name of the weights; ``sha256`` of that file.
        config: the system's configuration.
        taps: path of every tap that records in a plain forward pass -> its axes, without batch and stage; empty where
            the card does not tell (see ``workbench.models.offers``).
        parts: which fields of ``Alignment`` it fills besides the landmarks; "prompt" if it takes structure prompts.
        mechanisms: what interventions on each mechanism do, see ``workbench.evaluation.mechanisms``.
        calibration: of its uncertainty, ``explain.CalibrationReport`` as plain values; empty where none was measured.
        left_out: (i, k) where it was trained without the i-th of k folds of its training faces, or ().
    """

    name: str
    title: str
    system: str
    preset: str
    scheme: str
    landmarks: int
    input_size: int
    parameters: int
    multiply_accumulates: int
    data: str = ""
    licence: str = ""
    recipe: str = ""
    command: str = ""
    seed: int = 0
    epochs: int = 0
    steps: int = 0
    metrics: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    weights: str = ""
    sha256: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    taps: dict[str, list[str]] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    mechanisms: tuple[dict[str, Any], ...] = ()
    calibration: dict[str, Any] = field(default_factory=dict)
    left_out: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"<ModelCard {self.name}: {self.title}; {self.landmarks} landmarks, {self.parameters / 1e6:.1f} M>"

    def _repr_html_(self) -> str:
        rows = {
            "system": f"{self.system}, preset {self.preset}" if self.preset else self.system,
            "reads": f"{self.landmarks} landmarks ({self.scheme}) from crops of {self.input_size} pixels",
            "size": f"{self.parameters / 1e6:.2f} M parameters, {self.multiply_accumulates / 1e9:.2f} G MAC",
            "trained on": self.data,
            "measured": "; ".join(
                f"{m['metric']} {m['value']}{m['unit'] and ' ' + m['unit']} ({m['data']} {m['split']})"
                for m in self.metrics[:3]
            ),
            "taps": ", ".join(self.taps),
            "notes": " ".join(self.notes),
        }
        told = "".join(
            f"<tr><th>{k}</th><td style='text-align:left'>{escape(v)}</td></tr>" for k, v in rows.items() if v
        )
        return f"<table><caption>{escape(self.title)} · <code>{escape(self.name)}</code></caption>{told}</table>"

    def to_json(self) -> str:
        told = {k: v for k, v in asdict(self).items() if v or k not in ("mechanisms", "calibration", "left_out")}
        return json.dumps(told, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, path: Path) -> ModelCard:
        """Read a card. Raises CheckpointError when the file is not one."""
        try:
            raw = from_json(path.read_bytes())
            known = {f.name for f in fields(cls)}
            values: dict[str, Any] = {
                key: tuple(v) if isinstance(v, list) else v for key, v in raw.items() if key in known
            }
            if odd := [k for k, v in values.items() if not is_a(v, hints_of(cls)[k])]:  # type: ignore[arg-type]
                raise TypeError(f"{odd[0]} cannot be {str(values[odd[0]])[:40]}")
            return cls(**values)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise CheckpointError(f"The model card {path.name} cannot be read ({error}).") from None


def shelf() -> Path:
    """The folder of the shipped checkpoints."""
    return share("checkpoints")


def own_shelf() -> Path:
    """The folder of the user's own checkpoints, ``models`` in ``paths.own_folder``; it need not be there."""
    return own_folder() / "models"


def list_models() -> list[ModelCard]:
    """Cards of the shipped checkpoints, by name, then of the user's own with weights beside them; one that cannot be
    read, and an own one that has a shipped one's name, is left out, with a warning in the log."""
    cards: dict[str, ModelCard] = {}
    for folder in (shelf(), own_shelf()):
        for path in sorted(folder.glob("*.json"), key=lambda path: path.stem):
            try:
                card = ModelCard.load(path)
                if folder != shelf() and (card.name in cards or card.name != path.stem):
                    raise CheckpointError(f"{path.name} of your own is called {card.name}, as another; rename both.")
                if folder == shelf() or path.with_suffix(".safetensors").is_file():
                    cards[card.name] = card
            except CheckpointError as error:
                logging.getLogger(__name__).warning("%s", error)
    return list(cards.values())


def weights_of(card: ModelCard) -> Path:
    """Where the weights of a listed card lie: on the shelf, or else among the user's own."""
    shipped = shelf() / card.weights
    own = own_shelf() / f"{card.name}.safetensors"
    return own if not (shelf() / f"{card.name}.json").is_file() and own.is_file() else shipped


def error_of(card: ModelCard) -> str:
    """The first error on a card, with where and against which labels it was measured; "-" when there is none."""
    row = next((m for m in card.metrics if str(m.get("metric", "")).startswith("NME")), None)
    if row is None:
        return "-"
    labels = "" if row.get("labels", "own") == "own" else f", labels {row['labels']}"
    return f"{row['value']:.2f} % on {row['data']} {row['split']}{labels}"
