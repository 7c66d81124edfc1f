"""The numbers behind a figure as rows, for CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from workbench.explain.uncertainty import patch_states

if TYPE_CHECKING:
    from workbench.reading import Reading

Row = dict[str, Any]


def landmarks_table(reading: Reading, stage: int = -1, layer: int = -1) -> list[Row]:
    """One row a landmark after a stage and layer: ``x``, ``y`` in pixels of the photograph, ``crop_x``, ``crop_y`` in
    pixels of the model's input; ``sigma_x``, ``sigma_y`` (crop pixels) and ``patch`` (what set the size of the stage's
    patch) where the model gives them.

    Raises:
        TraceError: there is no such stage or layer.
    """
    scheme, points = reading.scheme, reading.points(stage, layer)
    photo, crop = reading.face.to_original(reading.to_photo(points)), points * reading.input_size
    has_sigma = reading.alignment.variance is not None
    sigma = reading.sigma(stage, layer) * reading.input_size if has_sigma else None
    states = patch_states(reading).states[stage] if reading.alignment.rects is not None else None
    rows = []
    for i in range(scheme.count):
        row: Row = {
            "landmark": i,
            "name": scheme.label(i),
            "part": scheme.part_of[i],
            "side": scheme.side_of[i],
            "x": round(float(photo[i, 0]), 3),
            "y": round(float(photo[i, 1]), 3),
            "crop_x": round(float(crop[i, 0]), 3),
            "crop_y": round(float(crop[i, 1]), 3),
        }
        if sigma is not None:
            row |= {"sigma_x": round(float(sigma[i, 0]), 4), "sigma_y": round(float(sigma[i, 1]), 4)}
        if states is not None:
            row["patch"] = str(states[i])
        rows.append(row)
    return rows


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as comma-separated text with a header; "" for none."""
    names = list(rows[0] if rows else ())
    if not names:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def to_pts(points: ArrayLike) -> str:
    """Landmarks (N, 2) in pixels as a 300-W ``.pts`` file, whose coordinates start at 1."""
    lines = [f"{x + 1:.3f} {y + 1:.3f}" for x, y in np.asarray(points, float)]
    return "\n".join(["version: 1", f"n_points: {len(lines)}", "{", *lines, "}", ""])


def to_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a Markdown table, numbers to the right."""
    names = list(rows[0] if rows else ())
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *([str(row[name]) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def to_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a JSON list."""
    return json.dumps([dict(row) for row in rows], indent=1, ensure_ascii=False)
