"""How long it takes from a photograph to a figure, and what recording costs."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch

from workbench import figures
from workbench.axes import GENERAL, LANDMARK_PAIRS
from workbench.evaluation.dataset import evaluate
from workbench.faces import load_face, sample_photo
from workbench.models import load_model
from workbench.models.base import to_tensor
from workbench.reading import paths_of, read
from workbench.tracing import record


def bench(model: str, image: str = "sample:astronaut", repeats: int = 20, device: str = "auto") -> dict[str, Any]:
    """Medians of ``repeats`` warm runs.

    Args:
        model: name or checkpoint.
        image: a photograph or ``sample:NAME``; it is decoded from its bytes in every run.

    Returns:
        model, device, threads, repeats, ``milliseconds`` a step, and ``traced_over_untraced``: the ratio of forward
        passes with and without a recorder, run in turn so that both meet the same machine.
    """
    network = load_model(model, device=device, optimise=True)
    if image.startswith("sample:"):
        buffer = io.BytesIO()
        sample_photo(image.removeprefix("sample:")).save(buffer, "PNG")
        data = buffer.getvalue()
    else:
        data = load_bytes(image)
    general = paths_of(network, GENERAL)
    draw: Callable[[Any], Any] = figures.relations if paths_of(network, LANDMARK_PAIRS) else figures.landmarks
    steps: dict[str, list[float]] = {"load and detect": [], "read and record": [], "figure": [], "all": []}
    for run in range(repeats + 2):
        marks = [time.perf_counter()]
        face = load_face(data)
        marks.append(time.perf_counter())
        reading = read(network, face, GENERAL)
        marks.append(time.perf_counter())
        draw(reading).to_json()
        marks.append(time.perf_counter())
        if run >= 2:
            spans = [b - a for a, b in pairwise(marks)]
            for name, seconds in zip(steps, [*spans, marks[-1] - marks[0]], strict=True):
                steps[name].append(1000 * seconds)
    plain, traced = _pair(network, load_face(data), repeats, general)
    milliseconds = {name: round(median(values), 2) for name, values in steps.items()}
    milliseconds |= {"forward, untraced": round(plain, 2), "forward, traced": round(traced, 2)}
    return {
        "model": network.name,
        "device": str(network.device),
        "threads": torch.get_num_threads(),
        "repeats": repeats,
        "milliseconds": milliseconds,
        "traced_over_untraced": round(traced / plain, 3),
    }


def pace(model: str, data: str | Path, device: str = "auto") -> dict[str, Any]:
    """How fast the test part of a set is evaluated, the model loaded and warm.

    Returns:
        model, device, faces, readers (batches that are read at once), and ``images_a_second``: of loading, model and
        metrics by one thread each, and ``all``, by the clock.
    """
    network = load_model(model, device=device)
    by = "inter_ocular" if network.scheme.eye_corners is not None else "box"
    blank = torch.zeros(1, 3, network.input_size, network.input_size, dtype=torch.uint8)
    with torch.inference_mode():
        network(network.prepare(blank))
    run = evaluate(network, data, normaliser=by, progress=False)
    seconds = {"all" if name == "wall" else name: value for name, value in run.meta["seconds"].items()}
    return {
        "model": network.name,
        "device": str(network.device),
        "faces": len(run),
        "readers": run.meta["threads"],
        "images_a_second": {name: round(len(run) / max(value, 1e-3), 1) for name, value in seconds.items()},
    }


def load_bytes(image: str) -> bytes:
    """The bytes of a picture that can be read. Raises ImageError."""
    load_face(Path(image))
    return Path(image).read_bytes()


def _pair(network: Any, face: Any, repeats: int, general: list[str]) -> tuple[float, float]:
    """Median milliseconds of the forward pass without and with a recorder."""
    images = network.prepare(to_tensor(face.crop(network.input_size)))

    def timed(run: Callable[[], object]) -> float:
        start = time.perf_counter()
        run()
        if network.device.type == "cuda":
            torch.cuda.synchronize()
        return 1000 * (time.perf_counter() - start)

    def recorded() -> None:
        with record(network, only=general or None):
            network(images)

    times: tuple[list[float], list[float]] = ([], [])
    with torch.inference_mode():
        for i in range(repeats + 2):
            pair = timed(lambda: network(images)), timed(recorded)
            if i >= 2:
                for values, value in zip(times, pair, strict=True):
                    values.append(value)
    return median(times[0]), median(times[1])
