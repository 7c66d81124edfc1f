"""The landmark conventions that the workbench knows, each written down once.

Sources: iBUG 68 points (Sagonas et al., 300-W), 98 points (Wu et al., WFLW), 29 points (Burgos-Artizzu et
al., COFW, in the order of LFPW), 19 points (Zhu et al., AFLW-19), five points (Zhang et al., MTFL) and the
189-point template of WebMorph (DeBruine; the order of its ``.tem`` files).
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np

from workbench.errors import DataError, UnknownNameError
from workbench.landmarks.scheme import Group, Scheme

Mirrored = tuple[int | tuple[int, int], int | tuple[int, int]]
"""An image-left point and its partner, or the first and last of a run of points and of the run that mirrors
it."""


def _span(first: int, last: int) -> tuple[int, ...]:
    """Indices from ``first`` to ``last``, both included, upwards or downwards."""
    step = 1 if last >= first else -1
    return tuple(range(first, last + step, step))


def _scheme(
    name: str,
    count: int,
    pairs: Sequence[Mirrored],
    groups: list[Group],
    eye_corners: tuple[int, int] | None,
    pupils: tuple[tuple[int, ...], tuple[int, ...]] | None,
) -> Scheme:
    flip, left = list(range(count)), []
    for runs in pairs:
        here, there = ((run, run) if isinstance(run, int) else run for run in runs)
        for i, j in zip(_span(*here), _span(*there), strict=True):
            flip[i], flip[j] = j, i
            left.append(i)
    return Scheme(name, count, tuple(groups), tuple(flip), tuple(sorted(left)), eye_corners, pupils)


def _line(name: str, part: str, *indices: int) -> Group:
    return Group(name, part, indices)


def _loop(name: str, part: str, *indices: int) -> Group:
    return Group(name, part, indices, closed=True)


IBUG68 = _scheme(
    "ibug68",
    68,
    [
        ((0, 7), (16, 9)), ((17, 21), (26, 22)), ((31, 32), (35, 34)), ((36, 39), (45, 42)),
        ((40, 41), (47, 46)), ((48, 50), (54, 52)), ((58, 59), (56, 55)), ((60, 61), (64, 63)), (67, 65),
    ],
    [
        _line("jaw", "jaw", *_span(0, 16)),
        _line("image-left brow", "brows", *_span(17, 21)),
        _line("image-right brow", "brows", *_span(22, 26)),
        _line("nose bridge", "nose", *_span(27, 30)),
        _line("nose base", "nose", *_span(31, 35)),
        _loop("image-left eye", "eyes", *_span(36, 41)),
        _loop("image-right eye", "eyes", *_span(42, 47)),
        _loop("outer lip", "outer_lip", *_span(48, 59)),
        _loop("inner lip", "inner_lip", *_span(60, 67)),
    ],
    (36, 45),
    (_span(36, 41), _span(42, 47)),
)  # fmt: skip

WFLW98 = _scheme(
    "wflw98",
    98,
    [
        ((0, 15), (32, 17)), ((33, 37), (46, 42)), ((38, 41), (50, 47)), ((55, 56), (59, 58)),
        ((60, 64), (72, 68)), ((65, 67), (75, 73)), ((76, 78), (82, 80)), ((86, 87), (84, 83)),
        ((88, 89), (92, 91)), (95, 93), (96, 97),
    ],
    [
        _line("jaw", "jaw", *_span(0, 32)),
        _loop("image-left brow", "brows", *_span(33, 41)),
        _loop("image-right brow", "brows", *_span(42, 50)),
        _line("nose bridge", "nose", *_span(51, 54)),
        _line("nose base", "nose", *_span(55, 59)),
        _loop("image-left eye", "eyes", *_span(60, 67)),
        _loop("image-right eye", "eyes", *_span(68, 75)),
        _line("image-left pupil", "eyes", 96),
        _line("image-right pupil", "eyes", 97),
        _loop("outer lip", "outer_lip", *_span(76, 87)),
        _loop("inner lip", "inner_lip", *_span(88, 95)),
    ],
    (60, 72),
    ((96,), (97,)),
)  # fmt: skip

COFW29 = _scheme(
    "cofw29",
    29,
    [(0, 1), (2, 3), (4, 6), (5, 7), (8, 9), (10, 11), (12, 14), (13, 15), (16, 17), (18, 19), (22, 23)],
    [
        _line("chin", "jaw", 28),
        _loop("image-left brow", "brows", 0, 4, 2, 5),
        _loop("image-right brow", "brows", 3, 6, 1, 7),
        _line("nose tip", "nose", 20),
        _line("nose base", "nose", 18, 21, 19),
        _loop("image-left eye", "eyes", 8, 12, 10, 13),
        _loop("image-right eye", "eyes", 11, 14, 9, 15),
        _line("image-left pupil", "eyes", 16),
        _line("image-right pupil", "eyes", 17),
        _loop("outer lip", "outer_lip", 22, 24, 23, 27),
        _loop("inner lip", "inner_lip", 22, 25, 23, 26),
    ],
    (8, 9),
    ((16,), (17,)),
)

AFLW19 = _scheme(
    "aflw19",
    19,
    [
        ((0, 2), (5, 3)),
        ((6, 8), (11, 9)),
        (12, 14),
        (15, 17),
    ],
    [
        _line("chin", "jaw", 18),
        _line("image-left brow", "brows", 0, 1, 2),
        _line("image-right brow", "brows", 3, 4, 5),
        _line("nose", "nose", 12, 13, 14),
        _line("image-left eye", "eyes", 6, 7, 8),
        _line("image-right eye", "eyes", 9, 10, 11),
        _line("mouth", "outer_lip", 15, 16, 17),
    ],
    (6, 11),
    ((7,), (10,)),
)

FIVE = _scheme(
    "five",
    5,
    [(0, 1), (3, 4)],
    [
        _line("nose tip", "nose", 2),
        _line("image-left eye", "eyes", 0),
        _line("image-right eye", "eyes", 1),
        _line("mouth", "outer_lip", 3, 4),
    ],
    None,
    ((0,), (1,)),
)

WEBMORPH189 = _scheme(
    "webmorph189",
    189,
    [
        (0, 1), (2, 10), ((3, 9), (17, 11)), ((18, 22), (27, 23)), ((28, 30), (33, 31)),
        ((34, 38), (43, 39)), ((44, 46), (49, 47)), ((50, 54), (56, 60)), ((61, 65), (66, 70)),
        ((71, 76), (82, 77)), ((83, 84), (86, 85)), ((87, 89), (93, 91)), ((94, 95), (98, 97)),
        ((99, 100), (103, 102)), ((104, 105), (108, 107)), ((109, 111), (112, 114)),
        ((115, 119), (120, 124)), ((125, 128), (133, 130)), ((134, 138), (144, 140)),
        ((145, 150), (157, 152)), ((158, 160), (161, 163)), ((164, 166), (167, 169)),
        ((170, 171), (172, 173)), (176, 178), ((179, 180), (182, 181)), (183, 184), ((185, 186), (187, 188)),
    ],
    [
        _line("jaw", "jaw", *_span(125, 133)),
        _loop("image-left brow", "brows", *_span(71, 76), 84, 83),
        _loop("image-right brow", "brows", *_span(77, 82), 86, 85),
        _line("image-left nose ridge", "nose", *_span(50, 54)),
        _line("image-right nose ridge", "nose", *_span(56, 60)),
        _line("image-left nose wing", "nose", *_span(61, 65)),
        _line("image-right nose wing", "nose", *_span(66, 70)),
        _line("nose base", "nose", 179, 180, 55, 181, 182),
        _loop("image-left eye", "eyes", *_span(18, 22), *_span(30, 28)),
        _loop("image-right eye", "eyes", *_span(23, 27), *_span(33, 31)),
        _loop("image-left iris", "eyes", *_span(2, 9)),
        _loop("image-right iris", "eyes", *_span(10, 17)),
        _line("image-left pupil", "eyes", 0),
        _line("image-right pupil", "eyes", 1),
        _line("image-left eyelid crease", "eyes", *_span(34, 38)),
        _line("image-right eyelid crease", "eyes", *_span(39, 43)),
        _line("image-left under-eye line", "eyes", *_span(44, 46)),
        _line("image-right under-eye line", "eyes", *_span(47, 49)),
        _loop("outer lip", "outer_lip", *_span(87, 93), *_span(108, 104)),
        _loop("inner lip", "inner_lip", *_span(94, 98), *_span(103, 99)),
        _line("hairline", "other", *_span(134, 144)),
        _line("hair outline", "other", *_span(145, 157)),
        _line("image-left ear", "other", *_span(115, 119)),
        _line("image-right ear", "other", *_span(120, 124)),
        _line("image-left ear base", "other", *_span(109, 111)),
        _line("image-right ear base", "other", *_span(112, 114)),
        _line("image-left cheek side", "other", 185, 186),
        _line("image-right cheek side", "other", 187, 188),
        _line("image-left smile line", "other", *_span(158, 160)),
        _line("image-right smile line", "other", *_span(161, 163)),
        _line("image-left cheekbone", "other", *_span(164, 166)),
        _line("image-right cheekbone", "other", *_span(167, 169)),
        _line("image-left philtrum", "other", 170, 171),
        _line("image-right philtrum", "other", 172, 173),
        _line("chin crease", "other", 176, 177, 178),
        _line("chin", "other", 174, 175),
        _line("neck", "other", 183, 184),
    ],
    (18, 27),
    ((0,), (1,)),
)  # fmt: skip

SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in (IBUG68, WFLW98, COFW29, AFLW19, FIVE, WEBMORPH189)}
"""Every built-in scheme by its name."""

ALIASES: dict[str, str] = {
    "68": "ibug68", "300w": "ibug68", "300-w": "ibug68", "ibug": "ibug68",
    "98": "wflw98", "wflw": "wflw98",
    "29": "cofw29", "cofw": "cofw29", "lfpw29": "cofw29",
    "19": "aflw19", "aflw": "aflw19", "aflw-19": "aflw19",
    "5": "five", "mtfl": "five", "mtfl5": "five",
    "189": "webmorph189", "webmorph": "webmorph189",
}  # fmt: skip

WFLW98_TO_IBUG68: tuple[int, ...] = (
    *range(0, 33, 2), *_span(33, 37), *_span(42, 46), *_span(51, 59),
    60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *_span(76, 95),
)  # fmt: skip
"""For each iBUG point the WFLW point at the same place: every other jaw point, the upper edge of the brows
(iBUG points lie slightly lower, along the brow's middle), six of the eight points of an eye."""

_FIVE_FROM: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {
    # nose tip, image-left mouth corner, image-right mouth corner; the eye centres are the scheme's pupils
    "ibug68": ((30,), (48,), (54,)),
    "wflw98": ((54,), (76,), (82,)),
    "cofw29": ((20,), (22,), (23,)),
    "aflw19": ((13,), (15,), (17,)),
    "five": ((2,), (3,), (4,)),
    "webmorph189": ((54, 60), (87,), (93,)),
}


def get_scheme(name: str | int | Scheme) -> Scheme:
    """The built-in scheme of that name, alias (``"300w"``, ``"98"``) or landmark count; a scheme passes
    through.

    Raises:
        UnknownNameError: names the nearest known scheme.
    """
    if isinstance(name, Scheme):
        return name
    key = str(name).strip().lower()
    key = ALIASES.get(key, key)
    if key in SCHEMES:
        return SCHEMES[key]
    near = difflib.get_close_matches(key, [*SCHEMES, *ALIASES], n=1, cutoff=0.4)
    hint = f"did you mean '{ALIASES.get(near[0], near[0])}'" if near else "pick another"
    raise UnknownNameError(f"There is no landmark scheme '{name}'; {hint}? Known: {', '.join(SCHEMES)}.")


def to_five(points: np.ndarray, scheme: str | int | Scheme) -> np.ndarray:
    """Reduce faces to five points: both eye centres, nose tip, both mouth corners, image left first.

    Args:
        points: (..., N, 2), any unit.
        scheme: what the points are. An eye centre is the mean of the scheme's pupil points (for 68 points the
            eye's outline); WebMorph has no nose tip, the middle of its two nearest points stands in.

    Returns:
        (..., 5, 2) in the same unit; a mean over a missing (NaN) point is NaN.

    Raises:
        DataError: when the points do not fit the scheme or the scheme has no such reduction.
    """
    scheme = get_scheme(scheme)
    points = _fitting(points, scheme)
    if scheme.name not in _FIVE_FROM or scheme.pupils is None:
        raise DataError(
            f"Scheme '{scheme.name}' cannot be reduced to five points; use one of {', '.join(_FIVE_FROM)}."
        )
    sources = (*scheme.pupils, *_FIVE_FROM[scheme.name])
    return np.stack([points[..., list(source), :].mean(axis=-2) for source in sources], axis=-2)


def to_ibug68(points: np.ndarray, scheme: str | int | Scheme = "wflw98") -> np.ndarray:
    """The 68 iBUG points (..., 68, 2) inside 98 WFLW points (..., 98, 2), see :data:`WFLW98_TO_IBUG68`.

    Raises:
        DataError: for any other scheme.
    """
    scheme = get_scheme(scheme)
    points = _fitting(points, scheme)
    if scheme.name == "ibug68":
        return points
    if scheme.name != "wflw98":
        raise DataError(f"Only wflw98 holds the 68 iBUG points; '{scheme.name}' does not.")
    return points[..., list(WFLW98_TO_IBUG68), :]


def _fitting(points: np.ndarray, scheme: Scheme) -> np.ndarray:
    points = np.asarray(points)
    if points.ndim < 2 or points.shape[-2:] != (scheme.count, 2):
        raise DataError(f"Scheme '{scheme.name}' has points of shape (..., {scheme.count}, 2), not {points.shape}.")
    return points
