"""The tables of all systems: what they show, sizes against the papers', checkpoints with error and speed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from tqdm import tqdm

from workbench.errors import DataError
from workbench.explain import CalibrationReport
from workbench.models.card import ModelCard, error_of, list_models
from workbench.models.systems import SYSTEMS
from workbench.models.zoo import count_preset, load_model

SYSTEMS_PLACE, OVERVIEW_PLACE, MECHANISMS_PLACE = "systems", "overview", "mechanisms"
VERDICTS_PLACE = "verdicts"
"""Names of the places in a Markdown file, between ``<!-- NAME -->`` and ``<!-- /NAME -->``."""


@dataclass(frozen=True)
class Size:
    """A preset's counts beside the printed ones.

    Attributes:
        parameters, multiply_accumulates: counted here.
        printed: (millions, G) as the paper has them, None where it does not say.
        note: why a printed figure is not met, or "".
    """

    system: str
    preset: str
    parameters: int
    multiply_accumulates: int
    printed: tuple[float | None, float | None]
    note: str


def sizes(progress: bool = False) -> list[Size]:
    """Every preset whose size a paper prints."""
    known = [(s, name) for s in SYSTEMS.values() for name in s.printed_sizes]
    return [
        Size(s.name, name, *count_preset(name), s.printed_sizes[name], s.notes.get(name, ""))
        for s, name in tqdm(known, desc="counting", unit="preset", disable=not progress)
    ]


@torch.inference_mode()
def milliseconds(name: str, device: str = "cpu", repeats: int = 15) -> float:
    """Median time of one forward pass over one crop, untraced and warm."""
    model = load_model(name, device=device)
    images = model.prepare(torch.randint(0, 256, (1, 3, model.input_size, model.input_size), dtype=torch.uint8))
    times = []
    for _ in range(repeats + 3):
        start = time.perf_counter()
        model(images)
        if model.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(1000 * (time.perf_counter() - start))
    return median(times[3:])


def overview() -> str:
    """A table of what there is to see inside each system."""
    rows = (f"| **{system.title}** | {system.shows} |" for system in SYSTEMS.values())
    return "\n".join(["| | what there is to see inside |", "|---|---|", *rows])


def markdown(progress: bool = False) -> str:
    """Two tables: the papers' sizes, and the checkpoints with error and time on this machine."""
    lines = [
        "| system | preset | parameters, M | paper | multiply-accumulates, G | paper |",
        "|---|---|---:|---:|---:|---:|",
    ]
    notes: list[str] = []
    for size in sizes(progress):
        mark = ""
        if size.note:
            notes.append(size.note)
            mark = f" [{len(notes)}]"
        parameters, compute = size.parameters / 1e6, size.multiply_accumulates / 1e9
        printed = ["-" if v is None else f"{v:g}" for v in size.printed]
        lines.append(
            f"| {SYSTEMS[size.system].title} | `{size.preset}`{mark} | {parameters:.3f} | {printed[0]} "
            f"| {compute:.3f} | {printed[1]} |"
        )
    lines += ["", *(f"[{i}] {note}  " for i, note in enumerate(notes, 1)), ""] if notes else [""]
    gpu = torch.cuda.is_available()
    lines += [
        f"| checkpoint | system | points | parameters, M | G | error | CPU, ms |{' GPU, ms |' if gpu else ''}",
        f"|---|---|---:|---:|---:|---|---:|{'---:|' if gpu else ''}",
    ]
    for card in tqdm(list_models(), desc="timing", unit="model", disable=not progress):
        row = (
            f"| `{card.name}` | {SYSTEMS[card.system].title} | {card.landmarks} | {card.parameters / 1e6:.2f} "
            f"| {card.multiply_accumulates / 1e9:.2f} | {error_of(card)} | {milliseconds(card.name):.1f} |"
        )
        lines.append(row + (f" {milliseconds(card.name, 'cuda'):.1f} |" if gpu else ""))
    threads = torch.get_num_threads()
    lines += ["", f"CPU times: median forward pass of one crop, {threads} thread{'s' if threads > 1 else ''}."]
    lines += ["", *coverage_of(list_models())]
    return "\n".join(lines)


def mechanism_table() -> str:
    """What the cards tell of each mechanism: the largest cost of each edit, faces plain or under rectangles."""
    lines = [
        "| checkpoint | mechanism | paper | frozen to its mean | scrambled over faces | removed | verdict |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    for card in list_models():
        for row in card.mechanisms:
            costs = " | ".join(_largest(row, edit) for edit in ("frozen", "scrambled", "removed"))
            verdict = f"{row['verdict']} by construction" if row["idle"] else row["verdict"]
            lines.append(f"| `{card.name}` | {row['name']} | {row['equation']} | {costs} | {verdict} |")
    return "\n".join(lines)


def verdict_table() -> str:
    """What the cards say of their mechanisms, in one line a checkpoint."""
    lines = ["| checkpoint | works | weak | idle |", "|---|---|---|---|"]
    for card in list_models():
        if card.mechanisms:
            named = (
                "; ".join(row["name"] for row in card.mechanisms if row["verdict"] == verdict) or "-"
                for verdict in ("works", "weak", "idle")
            )
            lines.append(f"| `{card.name}` | {' | '.join(named)} |")
    return "\n".join(lines)


def _largest(row: dict[str, Any], edit: str) -> str:
    under = row["costs"].get(edit)
    if not under:
        return "-"
    if row["answer"] == "pose":
        return f"{max(cost['moved'] for cost in under.values()):.1f} degrees"
    return f"{max(cost['points'] for cost in under.values()):+.2f}"


def coverage_of(cards: Iterable[ModelCard]) -> list[str]:
    """A table of the last stage's coverage, as predicted and recalibrated, of the cards that tell it."""
    told = [(card.name, CalibrationReport.from_card(card.calibration)) for card in cards if card.calibration]
    if not told:
        return []
    heads = (
        "checkpoint",
        "scalars of the stages",
        "errors within 1 σ",
        "2 σ",
        "3 σ",
        "rank correlation within a landmark",
    )
    lines = [f"| {' | '.join(heads)} |", "|---|---|---:|---:|---:|---:|"]
    for name, report in told:
        last = report.table()[len(report.scales)]
        shares = [f"{last[f'{k} σ']} %, promised {100 * p:.1f} %" for k, p in enumerate(report.promise, 1)]
        scalars = ", ".join(f"{scale:.3f}" for scale in report.scales)
        lines.append(f"| σ of `{name}` | {scalars} | {' | '.join(shares)} | {report.rank_within:.2f} |")
    return [*lines, "", "Coverage: last stage, each axis, as predicted → recalibrated; measured on " + "; ".join(
        dict.fromkeys(report.count_words() for _, report in told)) + "."]  # fmt: skip


def read_places(page: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a Markdown file and the places that it has for tables. Raises DataError without one for the
    systems', the mechanisms' or their verdicts."""
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{page} cannot be read ({getattr(error, 'strerror', None) or 'it is no text'}).") from None
    found = tuple(
        place for place in (OVERVIEW_PLACE, SYSTEMS_PLACE, MECHANISMS_PLACE, VERDICTS_PLACE) if _split(text, place)
    )
    if not {SYSTEMS_PLACE, MECHANISMS_PLACE, VERDICTS_PLACE}.intersection(found):
        begin, end = _markers(SYSTEMS_PLACE)
        raise DataError(f"{page} has no place for the table; put {begin} and {end} where it belongs.")
    return text, found


def write_into(page: Path, progress: bool = False) -> None:
    """Put the tables that a Markdown file has places for into it: :func:`markdown`'s, :func:`overview` and
    :func:`mechanism_table`.

    Raises DataError where that cannot be done.
    """
    text, places = read_places(page)
    makers = {
        SYSTEMS_PLACE: lambda: markdown(progress),
        OVERVIEW_PLACE: overview,
        MECHANISMS_PLACE: mechanism_table,
        VERDICTS_PLACE: verdict_table,
    }
    for place in places:
        before, after = _split(text, place)
        text = f"{before}\n{makers[place]()}\n{after}"
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{page} cannot be written ({error.strerror}).") from None


def around(page: Path, place: str) -> tuple[str, ...]:
    """What stands before and after a place of a Markdown file. Raises DataError for a file without it."""
    try:
        found = _split(page.read_text(encoding="utf-8"), place)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{page} cannot be read ({getattr(error, 'strerror', None) or 'it is no text'}).") from None
    if not found:
        begin, end = _markers(place)
        raise DataError(f"{page} has no place for the table; put {begin} and {end} where it belongs.")
    return found


def write_place(page: Path, place: str, table: str) -> None:
    """Put a table into the place of a Markdown file. Raises DataError where that cannot be done."""
    before, after = around(page, place)
    try:
        page.write_text(f"{before}\n{table}\n{after}", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{page} cannot be written ({error.strerror}).") from None


def _markers(place: str) -> tuple[str, str]:
    return f"<!-- {place} -->", f"<!-- /{place} -->"


def _split(text: str, place: str) -> tuple[str, ...]:
    """What stands before and after a place, markers included; nothing when the text has no such place."""
    begin, end = _markers(place)
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    return (before + begin, end + after) if found and closed else ()
