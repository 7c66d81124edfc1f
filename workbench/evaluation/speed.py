"""How fast models read: every checkpoint and every system at its paper's size, as loaded and optimised."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import ImageOps
from torch import Tensor

from workbench.errors import SettingsError, unknown
from workbench.evaluation.dataset import PRECISIONS
from workbench.faces import sample_names, sample_photo
from workbench.models import list_models, load_model
from workbench.models.base import FaceModel, to_tensor
from workbench.models.optimise import optimise
from workbench.models.systems import SYSTEMS, build, preset
from workbench.models.zoo import pick_device
from workbench.tracing import record


@dataclass(frozen=True)
class Speed:
    """One model's speed; images a second, ratios of runs in turn on one machine.

    Attributes:
        name: of the checkpoint or preset; ``trained``: whether the weights are a checkpoint's or random.
        batch: crops at once.
        plain, quick: images a second as loaded and optimised, in float32.
        traced: time with every tap recorded over time without, optimised.
        moved: largest distance between the answers of both, in pixels of the crop.
        precision: that ``half`` was measured in, "bf16" or "fp16".
        half: images a second, optimised, below autocast, or None; ``half_moved``: the mean distance of its landmarks
            from float32's, in pixels of the crop.
        failed: why there is no figure, or "".
    """

    name: str
    trained: bool
    batch: int
    plain: float = 0.0
    quick: float = 0.0
    traced: float = 0.0
    moved: float = 0.0
    precision: str = "32"
    half: float | None = None
    half_moved: float | None = None
    failed: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def speeds(
    names: list[str] | None = None, batch: int = 1, device: str = "auto", precision: str = "32", repeats: int = 7
) -> Iterator[Speed]:
    """One row a model, as soon as it is measured.

    Args:
        names: of checkpoints or presets; None takes every checkpoint and the first preset, the paper's size, of each
            system, with random weights.
        batch: crops at once.
        device: as ``load_model`` takes it.
        precision: also below autocast, where it is "bf16" or "fp16".
        repeats: timed runs of each after two more.

    Raises:
        SettingsError: fewer crops or runs than one.
        UnknownNameError: no such model, device or precision.
    """
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    if batch < 1 or repeats < 1:
        raise SettingsError("A measurement needs at least one crop and one run.")
    place = pick_device(device)
    shelf = {card.name for card in list_models()}
    chosen = [(name, name in shelf) for name in names or sorted(shelf)]
    if names is None:
        chosen += [(next(iter(system.presets)), False) for system in SYSTEMS.values()]
    for name, trained in chosen:
        try:
            yield _measure(name, trained, batch, place, precision, repeats)
        except torch.OutOfMemoryError:
            yield Speed(name, trained, batch, failed="does not fit into the device's memory")
        if place.type == "cuda":
            torch.cuda.empty_cache()


def _model(name: str, trained: bool, device: torch.device) -> FaceModel:
    if trained:
        return load_model(name, device=device)
    torch.manual_seed(0)
    return build(name, spread_shape(preset(name).landmarks)).to(device).eval()


def spread_shape(count: int) -> Tensor:
    """(N, 2) places spread over the crop, for a model that is no one's: a graph may be built from them."""
    angle = torch.arange(count) * 2.4
    radius = 0.35 * ((torch.arange(count) + 0.5) / count).sqrt()[:, None]
    return 0.5 + radius * torch.stack([angle.cos(), angle.sin()], 1)


def crops(side: int, batch: int) -> Tensor:
    """(B, 3, S, S) uint8: the middle square of the sample portraits, over and over; no detector is asked."""
    pictures = [ImageOps.fit(sample_photo(name), (side, side)) for name in sample_names()[:batch]]
    whole = torch.cat([to_tensor(np.asarray(picture)) for picture in pictures])
    return whole.repeat(-(-batch // len(whole)), 1, 1, 1)[:batch]


@torch.inference_mode()
def _measure(name: str, trained: bool, batch: int, device: torch.device, precision: str, repeats: int) -> Speed:
    plain = _model(name, trained, device)
    quick = optimise(_model(name, trained, device))
    images = plain.prepare(crops(plain.input_size, batch))
    reduced = PRECISIONS[precision]

    def half() -> Any:
        with torch.autocast(device.type, reduced):
            return quick(images)

    def traced() -> None:
        with record(quick):
            quick(images)

    runs: dict[str, Callable[[], Any]] = {"plain": lambda: plain(images), "quick": lambda: quick(images)}
    if batch == 1:
        runs["traced"] = traced
    if reduced:
        runs["half"] = half
    # In turn, so that all meet the same machine.
    times: dict[str, list[float]] = {kind: [] for kind in runs}
    for i in range(repeats + 2):
        for kind, run in runs.items():
            seconds = _seconds(run, device)
            if i >= 2:
                times[kind].append(seconds)
    middle = {kind: median(values) for kind, values in times.items()}
    answer = quick(images).landmarks.float()
    distance = (plain(images).landmarks.float() - answer).norm(dim=-1)
    shift = (half().landmarks.float() - answer).norm(dim=-1).mean() if reduced else None
    return Speed(
        name=name,
        trained=trained,
        batch=batch,
        plain=round(batch / middle["plain"], 2),
        quick=round(batch / middle["quick"], 2),
        traced=round(middle["traced"] / middle["quick"], 3) if "traced" in middle else 0.0,
        moved=float(f"{distance.max().item():.2g}"),
        precision=precision,
        half=round(batch / middle["half"], 2) if reduced else None,
        half_moved=None if shift is None else float(f"{shift.item():.2g}"),
    )


def _seconds(run: Callable[[], Any], device: torch.device) -> float:
    wait = torch.cuda.synchronize if device.type == "cuda" else nullcontext
    wait()
    start = time.perf_counter()
    run()
    wait()
    return time.perf_counter() - start


HEADINGS = ("model", "img/s", "optimised", "ratio", "traced", "moved px", "half img/s", "half moved px")


def place_of(device: torch.device) -> str:
    """The place of the tables in a Markdown file: "speed" stands for ``<!-- speed -->`` and ``<!-- /speed -->``."""
    return "speed" if device.type == "cpu" else f"speed-{device.type}"


def cells(row: Speed) -> tuple[str, ...]:
    """A row in words, in the order of :data:`HEADINGS`; the traced ratio is measured for single crops. Random weights
    tell no distance: what noise finds says nothing of precision."""
    name = row.name if row.trained else f"{row.name} (random weights)"
    if row.failed:
        return (name, row.failed, *[""] * (len(HEADINGS) - 2))
    return (
        name,
        f"{row.plain:.1f}",
        f"{row.quick:.1f}",
        f"{row.quick / row.plain:.2f}",
        f"{row.traced:.2f}" if row.traced else "",
        f"{row.moved:.1g}" if row.trained else "",
        "" if row.half is None else f"{row.half:.1f}",
        "" if row.half_moved is None or not row.trained else f"{row.half_moved:.2g}",
    )


def markdown(rows: Sequence[Speed], where: str) -> str:
    """A table for each batch size, and below it ``where`` they were measured."""
    lines: list[str] = []
    for batch in dict.fromkeys(row.batch for row in rows):
        told = [cells(row) for row in rows if row.batch == batch]
        used = [k for k in range(len(HEADINGS)) if any(cell[k] for cell in told)]
        crops_at_once = "one crop at a time" if batch == 1 else f"{batch} crops at once"
        heads = [head.replace("half", rows[0].precision) for head in HEADINGS]
        lines += [
            f"| {crops_at_once} | {' | '.join(heads[k] for k in used[1:])} |",
            "|---|" + "---:|" * len(used[1:]),
        ]
        lines += [f"| {' | '.join(cell[k] for k in used)} |" for cell in told]
        lines.append("")
    return "\n".join([*lines, where])
