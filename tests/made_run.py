"""A made run: a few drawn faces over and over, with answers scattered by a known sigma, as large as is asked for."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tests.synthetic import write_synthetic
from workbench.data import open_dataset
from workbench.evaluation import Run
from workbench.evaluation.run import PLACES, THUMBS
from workbench.landmarks.geometry import square_crop

DRAWN = 12


def made_run(folder: Path, faces: int, model: str = "dslpt-68", seed: int = 0) -> Run:
    """A run over ``faces`` faces of a set in ``folder / "drawn"``, whose pictures are :data:`DRAWN` drawn ones."""
    place = folder / "drawn"
    if not place.is_dir():
        write_synthetic(place, train=0, test=DRAWN, size=128)
    rng, truths, frames, small, names = np.random.default_rng(seed), [], [], [], []
    for sample in open_dataset(place):
        (x, y), side = square_crop(sample.points)
        truths.append((sample.points - (x, y)) / side + 0.5)
        frames.append((x, y, side))
        crop = sample.image().crop((x - side / 2, y - side / 2, x + side / 2, y + side / 2)).resize((72, 72))
        file = io.BytesIO()
        crop.convert("RGB").resize((72, 72), Image.Resampling.BOX).save(file, "JPEG", quality=60)
        small.append(file.getvalue())
        names.append(sample.name)
    which = np.arange(faces) % DRAWN
    truth = np.stack(truths)[which]
    sigma = rng.gamma(3, 0.004, (faces, 1, 1)) * rng.uniform(0.7, 1.4, (faces, 68, 2))
    points = truth + rng.normal(0, 1, truth.shape) * sigma
    length = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=-1)
    pictures = [small[i] for i in which]
    arrays = {
        "nme": np.linalg.norm(points - truth, axis=-1).mean(1) / length, "points": points, "truth": truth,
        "length": length, "frame": np.array(frames)[which], "sigma": sigma,
        THUMBS: np.frombuffer(b"".join(pictures), np.uint8), PLACES: np.cumsum([0, *map(len, pictures)]),
    }  # fmt: skip
    meta = {
        "model": model, "checkpoint": f"made {model} {seed}", "system": "dslpt", "data": "drawn",
        "folder": str(place.absolute()), "format": "csv", "split": "test", "subset": "", "labels": "",
        "scheme": "ibug68", "normaliser": "inter_ocular", "threshold": 0.1, "factor": 1.2, "flip": False,
        "convention": "", "precision": "32", "device": "cpu", "files": [names[i] for i in which], "names": [],
        "groups": [[]] * faces, "sequences": [""] * faces, "left_out": [], "seconds": {}, "threads": 1,
        "processes": 1, "likelihood": "gaussian", "least": None,
    }  # fmt: skip
    return Run(arrays, meta)
