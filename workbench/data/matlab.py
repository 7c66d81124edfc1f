"""Readers of sets whose labels lie in MATLAB files below version 7.3: AFLW-19, COFW68, 300W-LP and AFLW2000-3D."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.cofw import stored_picture
from workbench.data.samples import Sample
from workbench.data.texts import beside
from workbench.errors import DataError
from workbench.landmarks.geometry import rotation_angles

AFLW_TRAIN = 20000
"""Faces of AFLW-19 that train, in the order of its list ``ra``; the other 4386 test."""
WIDEST = 99.0
"""Degrees beyond which a face of AFLW2000-3D is left out of pose errors (31 of 2000)."""
FLIP = np.diag([1.0, -1.0, -1.0])
"""From axes with y up and z towards the camera to ours, and back."""


def read_mat(path: Path) -> dict[str, Any]:
    """The arrays of a MATLAB file. Raises DataError: SciPy is not installed, or the file is another."""
    try:
        loadmat = importlib.import_module("scipy.io").loadmat  # optional: only these readers need it
    except ImportError as error:
        raise DataError(
            "MATLAB files need the package scipy; install the extra: pip install -c constraints.txt -e '.[cofw]'"
        ) from error
    try:
        return loadmat(str(path))
    except Exception as error:  # a damaged file raises nearly every kind
        raise DataError(f"{path} is no MATLAB file below 7.3, or it is damaged ({error}).") from None


def read_aflw19(folder: Path, files: list[Path]) -> Iterator[Sample | str]:
    """AFLW-19 (Zhu et al. 2016): ``AFLWinfo_release.mat`` with ``nameList``, ``data`` (19 x, then 19 y), ``bbox``
    (left, right, top, bottom), ``mask_new`` (0 where a point is hidden) and ``ra``, the order
    whose first 20,000 train.

    Every point has a place, hidden ones too. Test faces all of whose points are seen are ``frontal``.
    """
    path = files[0]
    mat = read_mat(path)
    try:
        names = [str(np.asarray(cell).reshape(-1)[0]) for cell in mat["nameList"].reshape(-1)]
        data, boxes, seen = (np.asarray(mat[k], float) for k in ("data", "bbox", "mask_new"))
        order = np.asarray(mat["ra"], int).reshape(-1) - 1
    except (KeyError, ValueError, IndexError) as error:
        raise DataError(f"{path} is no AFLWinfo_release.mat ({error!r}).") from None
    count = len(names)
    if data.shape != (count, 38) or boxes.shape != (count, 4) or seen.shape != (count, 19):
        raise DataError(f"{path} has arrays {data.shape}, {boxes.shape} and {seen.shape} for {count} names.")
    if sorted(order.tolist()) != list(range(count)):
        raise DataError(f"The order 'ra' of {path} does not hold each of its {count} faces once.")
    images = next((p for n in ("flickr", "images") for p in sorted(folder.rglob(n)) if p.is_dir()), folder)
    for place, i in enumerate(order.tolist()):
        test = place >= AFLW_TRAIN
        x0, x1, y0, y1 = boxes[i].tolist()
        covered = seen[i] == 0
        yield Sample(
            name=f"{names[i]}#{i + 1}",  # one photo may show several labelled faces
            points=np.stack([data[i, :19], data[i, 19:]], -1),
            subset="test" if test else "train",
            path=images / names[i],
            groups=("full", *(() if covered.any() else ("frontal",))) if test else (),
            box=(x0, y0, x1, y1),
            covered=covered,
        )


def read_cofw68(folder: Path, files: list[Path]) -> Iterator[Sample | str]:
    """COFW68 (Ghiasi and Fowlkes 2015): ``test_annotations/N_points.mat`` with ``Points`` (68, 2) and ``Occ`` (1 where
    a point is covered) for picture N of ``COFW_test_color.mat``; ``cofw68_test_bboxes.mat`` (x, y, width, height)."""
    container = next(iter(sorted(folder.rglob("COFW_test_color.mat"))), None)
    boxes = None
    for found in folder.rglob("cofw68_test_bboxes.mat"):
        boxes = np.asarray(read_mat(found).get("bboxes", np.empty((0, 4))), float)
    for path in sorted(files, key=_numbered):
        number = _numbered(path)
        try:
            mat = read_mat(path)
            points, covered = np.asarray(mat["Points"], float), np.asarray(mat["Occ"]).reshape(-1) > 0
            if points.shape != (68, 2) or covered.shape != (68,):
                raise DataError(f"{path} has points {points.shape} and flags {covered.shape}, not (68, 2) and (68,).")
        except (DataError, KeyError) as error:
            yield str(error) if isinstance(error, DataError) else f"{path} has no array {error}."
            continue
        box = None
        if boxes is not None and number <= len(boxes):
            x, y, w, h = boxes[number - 1].tolist()
            box = (x, y, x + w, y + h)
        yield Sample(
            name=path.stem,
            points=points,
            subset="test",
            path=None if container else folder / "COFW_test_color.mat",
            pixels=functools.partial(stored_picture, container, "IsT", number - 1) if container else None,
            box=box,
            covered=covered,
        )


def read_pose(folder: Path, files: list[Path]) -> Iterator[Sample | str]:
    """300W-LP and AFLW2000-3D (Zhu et al. 2016): a ``.mat`` beside each picture with ``Pose_Para`` (pitch, yaw, roll
    in radians first) and ``pt3d_68`` (3, 68) or ``pt2d`` (2, 68).

    Faces of AFLW2000-3D (its ``image*.mat``) test, those of 300W-LP train; IBUG's are ``challenging``, the others
    ``common``. Groups of the test faces are ``yaw-30``, ``yaw-60`` and ``yaw-90`` (the least of these bounds that
    the set's own yaw keeps) and ``within-99`` where no angle goes beyond.
    """
    for path in files:
        if path.stem.endswith("_pts") or "landmarks" in path.relative_to(folder).parts[:-1]:
            continue  # the same landmarks once more
        try:
            mat = read_mat(path)
            points = np.asarray(mat["pt3d_68"] if "pt3d_68" in mat else mat["pt2d"], float)[:2].T
            pitch, yaw, roll = np.asarray(mat["Pose_Para"], float).reshape(-1)[:3].tolist()
        except (DataError, KeyError, ValueError, IndexError) as error:
            yield str(error) if isinstance(error, DataError) else f"{path} lacks pt2d, pt3d_68 or Pose_Para ({error})."
            continue
        test = path.stem.startswith("image")
        groups = []
        if test:
            most = np.rad2deg(np.abs([pitch, yaw, roll]))
            groups += [f"yaw-{bound}" for bound in (30, 60, 90) if most[1] <= bound][:1]
            groups += ["within-99"] if most.max() <= WIDEST else []
        else:
            groups.append("challenging" if any("ibug" in p.lower() for p in path.parts) else "common")
        turned = np.rad2deg(rotation_angles(FLIP @ rotation_of(pitch, yaw, roll) @ FLIP)).tolist()
        yield Sample(
            name=str(path.relative_to(folder).with_suffix("")),
            points=points,
            subset="test" if test else "train",
            path=beside(path),
            groups=tuple(groups),
            pose=(turned[0], turned[1], turned[2]),
        )


def rotation_of(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """The rotation (3, 3) of a ``Pose_Para``: Rx(pitch) Ry(yaw) Rz(roll) in axes with y up and z towards the camera,
    where the three turn the other way round from the usual (3DDFA)."""
    (cx, sx), (cy, sy), (cz, sz) = ((np.cos(a), np.sin(a)) for a in (pitch, yaw, roll))
    rx = np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    ry = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    rz = np.array([[cz, sz, 0], [-sz, cz, 0], [0, 0, 1]])
    return rx @ ry @ rz


def _numbered(path: Path) -> int:
    digits = path.stem.partition("_")[0]
    return int(digits) if digits.isdigit() else 0
