"""Writes ``workbench/landmarks/means.json``: mean shapes of conventions that no shipped model has learned.

    python -m tools.mean_shapes WEBMORPH_FOLDER

Of the 189 points (WebMorph, DeBruine) the mean over the faces under CC-BY 4.0 (Face Research Lab London Set, DeBruine
and Jones; Canada set; via webmorphR.stim), beside the mean of the 68 points that the shipped TUFA finds on them: an
affine map between those and a plane's 68 points carries the shape onto that plane.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.data.augment import crop_boxes, eval_batch
from workbench.data.pack import Packed, pack
from workbench.data.readers import open_dataset
from workbench.errors import UnknownNameError
from workbench.landmarks.geometry import CROP_FACTOR
from workbench.models.tufa import TUFA
from workbench.models.zoo import load_model
from workbench.paths import share

PASSES = 2  # of finding the own points until their box stands
STORED = 1.375
"""Side of a stored picture in sides of the box of its points, about: where the first pass begins."""
_BATCH = 32
_OWN = "ibug68"
TARGET = share("workbench") / "landmarks" / "means.json"


@dataclass(frozen=True)
class Located:
    """Faces in crops of a model's own.

    Attributes:
        points: (M, N, 2) labels in [0, 1] of these crops, NaN where there are none.
        own: (M, 68, 2) the model's own points in them.
        found: for each prompt (M, P, 2), its points in them.
    """

    points: np.ndarray
    own: np.ndarray
    found: tuple[np.ndarray, ...]


def prompted(model: Any) -> TUFA:
    """The model, if it takes structure prompts and has learned 68 points. Raises UnknownNameError."""
    if not isinstance(model, TUFA):
        raise UnknownNameError(f"{model.name} finds its own landmarks only; zero-shot numbers need a TUFA model.")
    model.key_of(_OWN)
    return model


@torch.inference_mode()
def locate_faces(model: TUFA, faces: Packed, prompts: Sequence[np.ndarray] = ()) -> Located:
    """Crop every face by the model's own points and find some sets of plane points (P, 2) in it."""
    own_prompt = model.prompt(_OWN)
    asked = [torch.from_numpy(np.asarray(p)).float().to(model.device) for p in prompts]
    labels, own = [], []
    found: list[list[np.ndarray]] = [[] for _ in asked]
    for start in range(0, len(faces), _BATCH):
        images, points, valid = (t.to(model.device) for t in faces[slice(start, start + _BATCH)])
        centre = torch.full((len(images), 2), (faces.size - 1) / 2, device=model.device)
        square = (centre, torch.full((len(images),), faces.size / STORED, device=model.device))
        for left in reversed(range(PASSES + 1)):
            out = eval_batch(images, points, valid, model.input_size, frame=square)
            encoded = model.encode(model.prepare(out.images))
            answer = model.decode(encoded, own_prompt)[0][-1]
            if left:
                at = square[0][:, None] + (answer - 0.5) * CROP_FACTOR * square[1][:, None, None]
                square = crop_boxes(at, torch.ones(at.shape[:2], dtype=torch.bool, device=at.device), 1.0)
        for k, prompt in enumerate(asked):
            found[k].append(model.decode(encoded, prompt)[0][-1].double().cpu().numpy())
        truth = torch.where(out.valid[..., None], out.points, torch.nan)
        labels.append(truth.double().cpu().numpy())
        own.append(answer.double().cpu().numpy())
    return Located(np.concatenate(labels), np.concatenate(own), tuple(np.concatenate(part) for part in found))


def main(folder: Path) -> None:
    """Write the file."""
    with open(folder / "annotations.csv", encoding="utf-8") as file:
        free = {row["file"] for row in csv.DictReader(file) if row["licence"] == "CC-BY-4.0"}
    dataset = open_dataset(folder)
    packed = pack(dataset, size=256, progress=False)
    index = [i for i, name in enumerate(packed.files) if Path(name).name in {Path(f).name for f in free}]
    faces = type(packed)(*packed[torch.tensor(index)], tuple(packed.files[i] for i in index))
    found = locate_faces(prompted(load_model("tufa", device="cpu")), faces)
    entry = {
        "source": "mean over the faces under CC-BY 4.0 of webmorphR.stim (Face Research Lab London Set, DeBruine and "
        "Jones; Canada set)",
        "faces": len(faces),
        "points": np.nanmean(found.points, 0).round(5).tolist(),
        "ibug68": found.own.mean(0).round(5).tolist(),
    }
    TARGET.write_text(json.dumps({dataset.scheme.name: entry}) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(faces)} faces -> {TARGET}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
