"""Labelled videos and the tracking loop (thesis Tables 3.3 and 3.4): each frame is cropped from the answer for the one
before it, until the network itself says that the face is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from workbench.data.readers import open_dataset
from workbench.data.samples import Sample
from workbench.errors import DataError
from workbench.faces.crop import CROP_FACTOR, Box
from workbench.landmarks.metrics import failure_rate, nme, normaliser_distances
from workbench.models.base import FaceModel
from workbench.tracking import next_region, read_region


@dataclass(frozen=True)
class TrackingRun:
    """What became of a set's videos.

    Attributes:
        model, data, split, subset: of what.
        sequences: runs of frames without a gap.
        detection_frames: cropped from their label: the first of a sequence, and each after a failure.
        tracking_frames: cropped from the answer for the frame before.
        failures: tracking frames whose confidence fell below the threshold; each is read again as a detection frame.
        errors: NME of every frame as it was read last, fractions.
        detected: the same with every frame cropped from its label.
        threshold: of the confidence.
        left_out: a sentence for every frame that could not be read.
    """

    model: str
    data: str
    split: str
    subset: str
    sequences: int
    detection_frames: int
    tracking_frames: int
    failures: int
    errors: tuple[float, ...]
    detected: tuple[float, ...]
    threshold: float
    left_out: tuple[str, ...] = field(default=(), repr=False)

    @property
    def failure_rate(self) -> float:
        """Failures per tracking frame, a fraction (Table 3.4)."""
        return self.failures / self.tracking_frames if self.tracking_frames else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values; errors as their means in per cent."""
        plain = {k: v for k, v in asdict(self).items() if k not in ("errors", "detected", "left_out")}
        return {
            **plain,
            "failure_rate_percent": round(100 * self.failure_rate, 4),
            "nme_tracking_percent": round(100 * float(np.mean(self.errors)), 4),
            "nme_detection_percent": round(100 * float(np.mean(self.detected)), 4),
            "fr10_tracking_percent": round(100 * float(failure_rate(np.array(self.errors), 0.1)), 4),
            "left_out": len(self.left_out),
        }

    def text(self) -> str:
        """One line for a terminal."""
        d, part = self.to_dict(), " ".join(name for name in (self.split, self.subset) if name)
        return (
            f"{self.model} follows {self.data} {part}: {self.sequences} sequences, "
            f"{self.detection_frames} detection frames, {self.tracking_frames} tracking frames, "
            f"{self.failures} failures ({d['failure_rate_percent']:.2f} %, confidence below {self.threshold:g}); NME "
            f"{d['nme_tracking_percent']:.2f} % inter-ocular in tracking mode, {d['nme_detection_percent']:.2f} % "
            "with every crop from its label"
        )


def follow(
    model: FaceModel,
    data: str | Path,
    *,
    split: str | None = "test",
    subset: str | None = None,
    threshold: float | None = None,
    margin: float | None = None,
    progress: bool = True,
) -> TrackingRun:
    """Follow every video of a set.

    Args:
        model: with a tracking branch.
        data: a set whose faces belong to videos: 300VW, or a table with the column ``sequence``.
        split, subset: as for ``evaluate``.
        threshold, margin: as for :func:`workbench.tracking.track`. A detection frame's crop is the papers' own, 1.2
            times the tight box of its label.

    Raises:
        DataError: no videos, or none that can be read.
        CheckpointError: the model has no tracking branch.
    """
    least = float(getattr(model.config, "threshold", 0.7) if threshold is None else threshold)
    grown = float(getattr(model.config, "margin", 0.25) if margin is None else margin)
    dataset = open_dataset(data, scheme=model.scheme, split=split, subset=subset)
    runs = list(sequences(dataset.samples))
    if not runs:
        raise DataError(
            f"{dataset.name} has no videos to follow: use 300VW, or a table whose column 'sequence' names the video "
            "of each frame."
        )
    left_out, errors, detected = list(dataset.skipped), list[float](), list[float]()
    counts = {"detection": 0, "tracking": 0, "failures": 0}
    bar = tqdm(total=sum(map(len, runs)), desc=f"{model.name} follows", unit="frame", disable=not progress)
    for frames in runs:
        region: Box | None = None
        for sample in frames:
            bar.update()
            try:
                photo = sample.image()
            except DataError as error:
                left_out.append(str(error))
                region = None
                continue
            known = sample.points[np.isfinite(sample.points).all(-1)]
            label = next_region(known, (CROP_FACTOR - 1) / 2)
            plain = read_region(model, photo, label)
            found = plain
            if region is None:
                counts["detection"] += 1
            else:
                counts["tracking"] += 1
                found = read_region(model, photo, region)
                if found[2] < least:
                    counts["failures"] += 1
                    counts["detection"] += 1
                    found = plain
            region = next_region(found[0], grown)
            far = normaliser_distances(sample.points[None], dataset.scheme, strict=False)
            if not np.isfinite(far).all():
                left_out.append(f"{sample.name} lacks the eye corners that its error is divided by.")
                continue
            for points, kept in ((found[0], errors), (plain[0], detected)):
                kept.append(float(nme(points[None], sample.points[None], far)[0]))
    bar.close()
    if not errors:
        raise DataError(f"No frame of {dataset.name} can be measured. {left_out[0] if left_out else ''}")
    return TrackingRun(
        model.name, dataset.name, split or "all", subset or "", len(runs), counts["detection"], counts["tracking"],
        counts["failures"], tuple(errors), tuple(detected), least, tuple(left_out),
    )  # fmt: skip


def sequences(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """Frames of one video that follow one another; where a frame's number is missing, a new sequence begins (300VW
    lacks the labels of some frames)."""
    videos: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.sequence:
            videos.setdefault(sample.sequence, []).append(sample)
    for frames in videos.values():
        frames.sort(key=lambda sample: (_number(sample), sample.name))
        run = frames[:1]
        for before, now in pairwise(frames):
            if _number(now) - _number(before) > 1:
                yield run
                run = []
            run.append(now)
        yield run


def _number(sample: Sample) -> int:
    found = re.findall(r"\d+", Path(sample.name).stem)
    return int(found[-1]) if found else 0
