"""Tar shards as WebDataset has them: pictures and labels of one key side by side, read where they lie."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from workbench.data.samples import FaceDataset, Sample
from workbench.data.texts import as_text, pts_numbers, without
from workbench.errors import DataError
from workbench.faces.image import endings, formats, to_rgb
from workbench.files import from_json, replacing

LARGEST_LABEL = 4_000_000
"""Bytes of a label; a larger one is none."""
LABELS = ("json", "pts")
_KNOWN = ("points", "covered", "box", "groups", "split", "pose", "sequence")


def read_shards(folder: Path, files: list[Path]) -> Iterator[Sample | str]:
    """Faces of ``*.tar`` files: members ``KEY.jpg`` (or another picture) beside ``KEY.json`` or ``KEY.pts``.

    A JSON label holds ``points`` [[x, y], ...] in pixels that start at 0, null for a missing one, and may hold
    ``covered`` (a flag a point), ``box`` [x0, y0, x1, y1], ``groups``, ``split``, ``pose`` [yaw, pitch, roll] and
    ``sequence``. Coordinates of ``.pts`` start at 1. Without ``split`` a shard with "test" or "val" in its name tests.
    """
    for path in files:
        yield from _shard(path)


def _shard(path: Path) -> Iterator[Sample | str]:
    split = "test" if any(word in path.stem.lower() for word in ("test", "val")) else "train"
    try:
        with tarfile.open(path, "r:") as tar:
            for key, members in _grouped(tar):
                where = f"{path}: {key}"
                try:
                    yield _sample(tar, path, key, members, split)
                except DataError as error:
                    yield f"{error}" if str(error).startswith(str(path)) else f"{where}: {error}"
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        yield f"{path} is no tar file that can be read to its end ({error}); compressed ones have to be unpacked."


def _grouped(tar: tarfile.TarFile) -> Iterator[tuple[str, dict[str, tarfile.TarInfo]]]:
    """Members that follow one another with one key: what stands before the first point of a name."""
    key, members = "", dict[str, tarfile.TarInfo]()
    for member in tar:
        if not member.isfile():
            continue
        place, _, name = member.name.rpartition("/")
        stem, _, ending = name.partition(".")
        now = f"{place}/{stem}" if place else stem
        if now != key and members:
            yield key, members
            members = {}
        key = now
        members[ending.lower()] = member
    if members:
        yield key, members


def _sample(tar: tarfile.TarFile, path: Path, key: str, members: Mapping[str, tarfile.TarInfo], split: str) -> Sample:
    picture = next((m for ending, m in members.items() if f".{ending}" in endings()), None)
    label = next((ending for ending in LABELS if ending in members), None)
    if picture is None or label is None:
        kinds = ", ".join(members)
        raise DataError(f"{path}: {key} holds {kinds}, but a face needs a picture and a .json or .pts.")
    if members[label].size > LARGEST_LABEL:
        raise DataError(f"{path}: the label of {key} has {members[label].size} bytes, more than any label.")
    file = tar.extractfile(members[label])
    text = as_text(b"" if file is None else file.read(), f"{path}: {key}.{label}")
    told: dict[str, Any]
    told = {"points": pts_numbers(text, f"{path}: {key}.pts") - 1} if label == "pts" else _told(text, f"{path}: {key}")
    points = np.asarray(told["points"], float)
    return Sample(
        name=f"{path.stem}/{key}",
        points=without(points, -1) if label == "json" else points,
        subset=str(told.get("split", split)),
        groups=tuple(map(str, told.get("groups", ()))),
        box=told.get("box"),
        pixels=partial(read_member, path, picture.offset_data, picture.size),
        covered=told.get("covered"),
        pose=told.get("pose"),
        sequence=str(told.get("sequence", "")),
    )


def _told(text: str, where: str) -> dict[str, Any]:
    """What a JSON label says, checked. Raises DataError."""
    try:
        found = from_json(text)
    except ValueError as error:
        raise DataError(f"{where}.json is no JSON ({error}).") from None
    if isinstance(found, list):
        found = {"points": found}
    if not isinstance(found, dict) or "points" not in found:
        raise DataError(f"{where}.json needs 'points'; it may hold {', '.join(_KNOWN)}.")
    out: dict[str, Any] = {}
    points = [[None, None] if p is None else p for p in found["points"]] if isinstance(found["points"], list) else []
    try:
        out["points"] = np.array(points, float).reshape(-1, 2)
        if len(out["points"]) != len(points) or not points:
            raise ValueError("it is not a list of pairs")
        for name, count in (("box", 4), ("pose", 3)):
            if found.get(name) is not None:
                values = tuple(float(v) for v in found[name])
                if len(values) != count or not np.isfinite(values).all():
                    raise ValueError(f"'{name}' needs {count} numbers")
                out[name] = values
        if found.get("covered") is not None:
            out["covered"] = np.array(found["covered"], bool)
            if out["covered"].shape != (len(points),):
                raise ValueError(f"'covered' needs a flag for each of {len(points)} points")
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{where}.json is no label ({error}).") from None
    groups = found.get("groups") or ()
    out["groups"] = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else ()
    out |= {name: found[name] for name in ("split", "sequence") if isinstance(found.get(name), str)}
    return out


def read_member(path: Path, offset: int, size: int) -> np.ndarray:
    """A picture inside a tar file, uint8 RGB (H, W, 3). Raises OSError for a damaged one."""
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(size)
    if len(data) < size:
        raise OSError(f"{path} ends before its picture does")
    with Image.open(io.BytesIO(data), formats=formats()) as picture:
        return np.asarray(to_rgb(picture))


def write_shards(dataset: FaceDataset | Iterable[Sample], folder: str | Path, per: int = 1000) -> list[Path]:
    """Write faces into ``shard-000000.tar``, ..., ``per`` faces each, pictures as JPEG of quality 95.

    Returns:
        The files. ``open_dataset(folder)`` reads them.

    Raises:
        DataError: a picture that cannot be read, or a folder that cannot be written.
    """
    place, out = Path(folder), list[Path]()
    samples = list(dataset)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for start in tqdm(range(0, len(samples), per), desc="writing", unit="shard", disable=len(samples) <= per):
            target = place / f"shard-{start // per:06}.tar"
            with replacing(target) as aside, tarfile.open(aside, "w") as tar:
                for number, sample in enumerate(samples[start : start + per], start):
                    for ending, data in (("jpg", _jpeg(sample)), ("json", _label(sample))):
                        member = tarfile.TarInfo(f"{number:08}.{ending}")
                        member.size = len(data)
                        tar.addfile(member, io.BytesIO(data))
            out.append(target)
    except OSError as error:
        raise DataError(f"The shards cannot be written to {folder} ({error}).") from None
    return out


def _jpeg(sample: Sample) -> bytes:
    file = io.BytesIO()
    sample.image().save(file, "JPEG", quality=95)
    return file.getvalue()


def _label(sample: Sample) -> bytes:
    told: dict[str, Any] = {
        "points": [None if np.isnan(p).any() else p for p in sample.points.tolist()],
        "split": sample.subset,
        "name": sample.name,
        "groups": list(sample.groups),
        "box": None if sample.box is None else list(sample.box),
        "pose": None if sample.pose is None else list(sample.pose),
        "covered": None if sample.covered is None else sample.covered.tolist(),
        "sequence": sample.sequence,
    }
    return json.dumps({k: v for k, v in told.items() if v not in (None, "", [])}).encode()
