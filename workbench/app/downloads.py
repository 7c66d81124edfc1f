"""Files that no widget writes: the landmarks with what they come from, and the whole trace."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from workbench.app.explorer import Item
from workbench.explain import landmarks_table, to_csv, to_json
from workbench.explain.tables import to_pts
from workbench.reading import Reading


def landmarks_items(reading: Reading) -> list[Item]:
    """The landmarks of a reading as CSV, as JSON and as .pts."""
    stem = reading.stem("landmarks")
    return [
        ("Landmarks as CSV", f"{stem}.csv", "text/csv", lambda: to_csv(landmarks_table(reading))),
        ("Landmarks as JSON", f"{stem}.json", "application/json", lambda: landmarks_json(reading)),
        ("Landmarks as .pts", f"{stem}.pts", "text/plain", lambda: to_pts(reading.landmarks)),
    ]


def landmarks_json(reading: Reading) -> str:
    """The rows of the table with what they come from: face, model, scheme and the crop's affine."""
    rows = json.loads(to_json(landmarks_table(reading)))
    return json.dumps({**reading.trace.meta, "landmarks": rows}, indent=1, ensure_ascii=False)


def trace_item(reading: Reading, label: str = "Trace as safetensors") -> Item:
    """What was recorded."""

    def make() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            return reading.trace.save(Path(folder) / "trace.safetensors").read_bytes()

    return label, f"{reading.stem('trace')}.safetensors", "application/octet-stream", make
