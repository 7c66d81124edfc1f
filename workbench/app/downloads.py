"""Files a person may take along: the answer as numbers, as a picture, and the whole trace."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from workbench.explain import (
    attention_matrix,
    best_edges,
    edges,
    edges_table,
    landmarks_table,
    structure_similarity,
    to_csv,
    to_json,
)
from workbench.explain.tables import EDGE_COLUMNS
from workbench.reading import Reading
from workbench.widgets.payload import landmark_colour


def landmarks_csv(reading: Reading, stage: int = -1, layer: int = -1) -> str:
    """One row a landmark after a stage and layer, in pixels of the photograph and of the crop."""
    return to_csv(landmarks_table(reading, stage, layer))


def landmarks_json(reading: Reading) -> str:
    """The same rows with what they come from: face, model, scheme and the crop's affine."""
    rows = json.loads(to_json(landmarks_table(reading)))
    return json.dumps({**reading.trace.meta, "landmarks": rows}, indent=1, ensure_ascii=False)


def photo_png(reading: Reading) -> bytes:
    """The photograph with its landmarks, at the size it is worked with."""
    picture = reading.face.photo.copy()
    draw = ImageDraw.Draw(picture)
    radius = max(1.5, reading.face.side / 160)
    scheme = reading.scheme
    for (x, y), part, side in zip(reading.to_photo(reading.points()), scheme.part_of, scheme.side_of, strict=True):
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(box, fill=landmark_colour(part, side), outline=(0, 0, 0), width=max(1, round(radius / 4)))
    return png(picture)


def crop_png(reading: Reading) -> bytes:
    """The crop as the network got it, at its own size."""
    return png(Image.fromarray(reading.face.crop(reading.input_size)))


def trace_file(reading: Reading) -> bytes:
    """What was recorded, as a safetensors file."""
    with tempfile.TemporaryDirectory() as folder:
        return reading.trace.save(Path(folder) / "trace.safetensors").read_bytes()


def relations_csv(reading: Reading, where: Mapping[str, Any], lines: Mapping[str, Any]) -> str:
    """The relations that are drawn, strongest first; ``where`` and ``lines`` as ``figures.relations`` takes them."""
    matrix = attention_matrix(reading, where["kind"], where["stage"], where["layer"], where["head"])
    threshold, focus, direction = lines["threshold"], where["landmark"], lines["direction"]
    if lines["best"]:
        drawn = best_edges(matrix, threshold, focus, direction)
    else:
        drawn = edges(matrix, lines["top_k"], threshold, focus, lines["own"], direction)
    return to_csv(edges_table(drawn, reading.scheme), EDGE_COLUMNS)


def similarity_csv(reading: Reading) -> str:
    """Every pair of landmarks once, with the cosine similarity of their structure encodings."""
    values, label = structure_similarity(reading).values, reading.scheme.label
    pairs = ((i, j) for i in range(len(values)) for j in range(i + 1, len(values)))
    return to_csv(
        [
            {"a": i, "a_name": label(i), "b": j, "b_name": label(j), "cosine": round(float(values[i, j]), 6)}
            for i, j in pairs
        ]
    )


def png(picture: Image.Image) -> bytes:
    """A picture as PNG bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def stem(reading: Reading, view: str) -> str:
    """A file name without its ending, such as ``astronaut-dslpt-68-landmarks``."""
    words = f"{Path(reading.face.name).stem}-{reading.model_name}-{view}"
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in words)[:80]
