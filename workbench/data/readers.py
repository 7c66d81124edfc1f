"""Readers of the public benchmarks: :data:`READERS`; :func:`open_dataset` recognises a folder by what lies in it.

What cannot be used (a line that is no line of the format, a face without landmarks or with another number of them) is
left out and told of in ``FaceDataset.skipped``, one sentence each; a folder of which nothing is left is a DataError.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from workbench.data.cofw import read_cofw
from workbench.data.listed import WFLW_SUBSETS, read_celeba, read_csv, read_wflw
from workbench.data.matlab import read_aflw19, read_cofw68, read_pose
from workbench.data.points import PROFILE, read_300vw, read_pts, read_tem
from workbench.data.samples import FaceDataset, Sample
from workbench.data.shards import read_shards
from workbench.errors import DataError, UnknownNameError
from workbench.faces.image import hidden
from workbench.files import expanded
from workbench.landmarks import Scheme, get_scheme, user_scheme

LABEL_FILES = {"pseudo98": ("pseudo98_pfld.npz", "wflw98")}


def open_dataset(
    folder: str | Path,
    *,
    scheme: str | Scheme | None = None,
    split: str | None = None,
    subset: str | None = None,
    labels: str | None = None,
) -> FaceDataset:
    """Open a benchmark folder, whatever its format.

    Args:
        folder: the set, laid out as one of :data:`READERS` expects it.
        scheme: of the landmarks; by default the built-in scheme with as many points. Faces with another number of
            points are left out where it is given. "own" takes points of one's own where no scheme has as many.
        split: ``"train"``, ``"test"``, a finer part the format knows, or None for all.
        subset: a finer part the format knows, within the split: ``"occlusion"`` (WFLW), ``"challenging"`` (300-W),
            ``"glasses=1"`` (a table's column). None for all.
        labels: None for the set's own labels; ``"pseudo98"`` for 98 machine-made points in
            ``pseudo98_pfld.npz`` (csv format only).

    Raises:
        DataError: nothing known lies there, no face of it can be used, or the part is empty.
    """
    folder = expanded(folder)
    if not os.path.isdir(folder):
        raise DataError(f"There is no folder {folder}; give the folder that holds the data set.")
    name, samples, problems = _recognise(folder)
    if labels is not None:
        samples = _relabel(folder, name, samples, labels)
        scheme = LABEL_FILES[labels][1] if scheme in (None, "own") else scheme
    known = [s for s in samples if _labelled(s)]
    if not known:
        first = f" {problems[0]}" if problems else ""
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        raise DataError(
            f"{folder} holds no face with landmarks ({len(samples)} without); check its label files.{first}{more}"
        )
    wanted = [s for s in samples if split in (None, s.subset, *s.groups) and subset in (None, *s.groups)]
    if not any(map(_labelled, wanted)):
        parts = sorted({part for s in known for part in (s.subset, *s.groups)})
        asked = split if subset is None or not any(split in (None, s.subset, *s.groups) for s in known) else subset
        raise DataError(f"{folder.name} has no '{asked}' part; it has {', '.join(parts)}.")
    found = _scheme(folder, scheme, [s for s in wanted if _labelled(s)])
    skipped, chosen = list(problems), []
    for sample in wanted:
        if not _labelled(sample):
            skipped.append(f"{sample.name} has no landmark.")
        elif len(sample.points) != found.count:
            skipped.append(f"{sample.name} has {len(sample.points)} points, not the {found.count} of {found.name}.")
        else:
            chosen.append(sample)
    return FaceDataset(folder.name, folder, name, found, tuple(chosen), split, labels, tuple(skipped), subset)


def _labelled(sample: Sample) -> bool:
    return bool(np.isfinite(sample.points).all(-1).any())


def _recognise(folder: Path) -> tuple[str, list[Sample], list[str]]:
    """The format of a folder, its faces, and a sentence for everything that is no face."""
    for reader in READERS.values():
        found = folder.rglob(reader.pattern) if reader.anywhere else folder.glob(reader.pattern)
        files = sorted(path for path in found if path.is_file() and not hidden(path.relative_to(folder)))
        if files:
            rows = list(reader.read(folder, files))
            return reader.name, [r for r in rows if isinstance(r, Sample)], [r for r in rows if isinstance(r, str)]
    wanted = ", ".join(f"{reader.pattern} ({reader.title})" for reader in READERS.values())
    raise DataError(f"{folder} is no data set that can be read; looked for {wanted}.")


@dataclass(frozen=True)
class Reader:
    """How one kind of data set is read.

    Attributes:
        name: the ``format`` of the data sets that it gives.
        title: which data sets have it.
        pattern: of the file names by which a folder is recognised.
        layout: what the folder has to hold.
        read: (folder, files that match) -> its faces, and a sentence for every line or file that is none; raises
            DataError where nothing can be read at all.
        anywhere: whether those files may lie below the folder, or in it alone.
        points: how many, of which scheme.
        splits: which faces train and which test.
        subsets: names that ``--subset`` takes.
        box: the benchmark's own face box, where it has one. Crops come from the landmarks in any case.
        missing: how a point without a place and a covered one are told, and where coordinates start.
        protocol: how the papers measure it.
    """

    name: str
    title: str
    pattern: str
    layout: str
    read: Callable[[Path, list[Path]], Iterable[Sample | str]]
    anywhere: bool = True
    points: str = ""
    splits: str = ""
    subsets: str = ""
    box: str = "none"
    missing: str = ""
    protocol: str = ""


READERS = {
    reader.name: reader
    for reader in (
        Reader(
            name="csv",
            title="a simple table",
            pattern="annotations.csv",
            layout="columns file, [subset,] x0, y0, x1, y1, ...; pictures in crops/ (one face each) or beside",
            read=read_csv,
            anywhere=False,
            points="any number; the built-in scheme with as many, or one of your own",
            splits="column `subset`; rows without one train",
            subsets="names in the column `groups`, apart by spaces; `column=value` for columns of at most 12 values",
            missing="empty, `nan`, `-1 -1` and `0 0` are missing; columns `c0`, `c1`, ... with 1 mark covered points; "
            "coordinates start at 0. `yaw`, `pitch`, `roll` are degrees, `sequence` a video",
            protocol="training folders of ours are such tables",
        ),
        Reader(
            name="wflw",
            title="WFLW",
            pattern="list_98pt_rect_attr_*.txt",
            layout="list_98pt_rect_attr_train.txt and ..._test.txt, pictures in WFLW_images/",
            read=read_wflw,
            points="98, `wflw98`",
            splits="the two lists: 7500 train, 2500 test",
            subsets=", ".join(f"`{name}`" for name in WFLW_SUBSETS) + ", from the six flags of a line",
            box="on the line: x0, y0, x1, y1",
            missing="every number is a place; coordinates start at 0",
            protocol="NME by the inter-ocular distance, FR and AUC at 0.10, the whole test part and its six subsets",
        ),
        Reader(
            name="cofw68",
            title="COFW68",
            pattern="test_annotations/*_points.mat",
            layout="test_annotations/N_points.mat, cofw68_test_bboxes.mat, and COFW_test_color.mat with the pictures "
            "(needs h5py and SciPy)",
            read=read_cofw68,
            points="68, `ibug68`",
            splits="507 test faces",
            box="`cofw68_test_bboxes.mat`: x, y, width, height",
            missing="every number is a place; `Occ` marks covered points; coordinates are used as they are",
            protocol="a model trained on 300-W; NME by the inter-ocular distance, or by the box",
        ),
        Reader(
            name="cofw",
            title="COFW",
            pattern="COFW_*_color.mat",
            layout="COFW_train_color.mat and COFW_test_color.mat, which hold the pictures (needs h5py)",
            read=read_cofw,
            points="29, `cofw29`",
            splits="the two files: 1345 train, 507 test",
            box="`bboxesTr`, `bboxesT`: x, y, width, height",
            missing="every number is a place; the last 29 rows mark covered points; coordinates are used as they are",
            protocol="NME by the inter-ocular or inter-pupil distance; TUFA's test crops at 1.32 (`--factor 1.32`)",
        ),
        Reader(
            name="aflw19",
            title="AFLW-19",
            pattern="AFLWinfo_release.mat",
            layout="AFLWinfo_release.mat, and AFLW's photographs in flickr/ or images/ (needs SciPy)",
            read=read_aflw19,
            points="19, `aflw19`",
            splits="the list `ra`: its first 20,000 faces train, 4386 test",
            subsets="`full`, `frontal` (no hidden point: 1314)",
            box="`bbox`: left, right, top, bottom",
            missing="every number is a place, of hidden points too; `mask_new` 0 counts as covered",
            protocol="NME by the box (`--normaliser given-box`) or its diagonal (`given-diagonal`), AUC at 0.07",
        ),
        Reader(
            name="300vw",
            title="300VW",
            pattern="annot/*.pts",
            layout="a folder a video with annot/000001.pts, ..., and vid.avi (needs PyAV) or frames/000001.jpg, ...",
            read=read_300vw,
            points="68, `ibug68`",
            splits="the challenge's 64 test videos by their number; the other 50 train",
            subsets="`A` (31 videos), `B` (19), `C` (14)",
            missing="every number is a place; coordinates start at 1",
            protocol="NME by the inter-ocular or inter-pupil distance; the share of frames that tracking loses",
        ),
        Reader(
            name="pts",
            title="300-W and its sources",
            pattern="*.pts",
            layout="a .pts file beside each picture, in folders named as in LFPW, HELEN, AFW, iBUG and 300W",
            read=read_pts,
            points=f"68, `ibug68`; MERL-RAV 68; Menpo 68 and {PROFILE}: the model's scheme chooses",
            splits="folders testset, test, ibug and 300w test, others train",
            subsets="300-W: `common`, `challenging`, `full`, `private`; Masked 300W the same and `masked`; MERL-RAV: "
            "`frontal`, `half-profile`, `profile`; Menpo: `semifrontal`, `profile`",
            missing="below folders of 300-W every number is a place; elsewhere `-1 -1` is missing and `-x -y` a "
            "covered point at (x, y), as in MERL-RAV; coordinates start at 1",
            protocol="300-W: NME by the inter-ocular or inter-pupil distance; private and MERL-RAV by the box, "
            "Menpo by its diagonal",
        ),
        Reader(
            name="tem",
            title="WebMorph",
            pattern="*.tem",
            layout="a .tem file beside each picture",
            read=read_tem,
            points="189, `webmorph189`",
            splits="all train",
            missing="every number is a place; coordinates start at 0",
        ),
        Reader(
            name="celeba",
            title="CelebA",
            pattern="list_landmarks*_celeba.txt",
            layout="list_landmarks_align_celeba.txt, list_eval_partition.txt, pictures in img_align_celeba/ (or all "
            "without align)",
            read=read_celeba,
            points="5, `five`",
            splits="`list_eval_partition.txt`: 0 train, 1 validation, 2 test; all train without it",
            missing="every number is a place; coordinates start at 0",
            protocol="NME by the inter-pupil distance; five points do not span the face, so crops need `--factor 2.4`",
        ),
        Reader(
            name="pose",
            title="300W-LP and AFLW2000-3D",
            pattern="*.mat",
            layout="a .mat with Pose_Para and pt2d or pt3d_68 beside each picture (needs SciPy)",
            read=read_pose,
            points="68, `ibug68`; those of a turned jaw follow the head, not its outline",
            splits="AFLW2000-3D (image*.mat) tests, 300W-LP trains",
            subsets="`yaw-30`, `yaw-60`, `yaw-90`, `within-99` (AFLW2000-3D); `common`, `challenging` (300W-LP)",
            missing="every number is a place; coordinates are used as they are. Angles become yaw to image right, "
            "pitch up, roll clockwise, in degrees",
            protocol="mean absolute error of yaw, pitch and roll over `within-99`; NME by the box",
        ),
        Reader(
            name="shards",
            title="tar shards (WebDataset)",
            pattern="*.tar",
            layout="KEY.jpg beside KEY.json or KEY.pts in *.tar; nothing is unpacked",
            read=read_shards,
            anywhere=False,
            points="any number; the built-in scheme with as many, or one of your own",
            splits="`split` of the JSON; else a shard with test or val in its name tests, others train",
            subsets="`groups` of the JSON",
            box="`box` of the JSON: x0, y0, x1, y1",
            missing="null and `-1 -1` are missing, `covered` has a flag a point; coordinates start at 0, in .pts at 1",
            protocol="`workbench.data.write_shards(open_dataset(DIR), OUT)` writes any other set so",
        ),
    )
}
"""The readers by format, in the order in which a folder is tried."""


def _relabel(folder: Path, name: str, samples: list[Sample], labels: str) -> list[Sample]:
    """Exchange the landmarks for machine-made ones; faces that have none get NaN."""
    if labels not in LABEL_FILES:
        raise UnknownNameError(f"There are no labels '{labels}'; known are {', '.join(LABEL_FILES)}.")
    path, scheme = folder / LABEL_FILES[labels][0], get_scheme(LABEL_FILES[labels][1])
    if name != "csv" or not path.is_file():
        raise DataError(f"{folder} has no labels '{labels}'; they would lie in {path.name} beside annotations.csv.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            files, points = archive["files"].tolist(), archive["points"].astype(float)
    except Exception as error:  # a damaged archive raises nearly every kind
        raise DataError(f"{path} is damaged; it needs the arrays 'files' and 'points' ({error}).") from error
    if points.shape != (len(files), scheme.count, 2):
        raise DataError(f"The points of {path} have the shape {points.shape}, not ({len(files)}, {scheme.count}, 2).")
    found = dict(zip(files, points, strict=True))
    absent = np.full((scheme.count, 2), np.nan)
    return [replace(sample, points=found.get(sample.name, absent)) for sample in samples]


def _scheme(folder: Path, scheme: str | Scheme | None, samples: Iterable[Sample]) -> Scheme:
    """The scheme of a set; with one given, at least one face must have as many points."""
    counts = {len(sample.points): sample.name for sample in samples}
    if scheme is not None and scheme != "own":
        scheme = get_scheme(scheme)
        if scheme.count not in counts:
            some = " or ".join(map(str, sorted(counts)))
            raise DataError(f"{folder} has {some} points a face, but scheme '{scheme.name}' has {scheme.count}.")
        return scheme
    if len(counts) > 1:
        (a, first), (b, second) = list(counts.items())[:2]
        raise DataError(f"{folder} mixes schemes: {first} has {a} points, {second} has {b}; say which with a scheme.")
    count = next(iter(counts))
    if count == PROFILE:
        return user_scheme("menpo39", PROFILE)
    try:
        return get_scheme(count)
    except UnknownNameError as error:
        if scheme == "own":
            return user_scheme(f"{folder.name} {count}", count)
        raise DataError(f"{folder} has {count} points a face, which no scheme has; pass a user_scheme.") from error
