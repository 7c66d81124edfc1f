"""What a landmark convention is: how many points, how they are drawn, how a mirror exchanges them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError
from workbench.files import from_json

PARTS = ("jaw", "brows", "eyes", "nose", "outer_lip", "inner_lip", "other")
"""The facial parts that keep one colour each on every page, in drawing order."""

IMAGE_LEFT, IMAGE_RIGHT, CENTRE = "image left", "image right", "centre"


@dataclass(frozen=True)
class Group:
    """One polyline of a face.

    Attributes:
        name: what it shows, such as ``"image-left brow"`` or ``"nose bridge"``.
        part: one of :data:`PARTS`.
        indices: landmark indices in drawing order.
        closed: whether the last point joins the first.
    """

    name: str
    part: str
    indices: tuple[int, ...]
    closed: bool = False

    @property
    def path(self) -> tuple[int, ...]:
        """The indices to draw through; a closed group returns to its first point."""
        return self.indices + self.indices[:1] if self.closed else self.indices


@dataclass(frozen=True)
class Scheme:
    """A landmark convention of ``count`` points. "image left" is the left of the picture, never of the
    person.

    Attributes:
        name: how the scheme is called.
        count: number of landmarks N.
        groups: polylines in drawing order; a point may lie on several, its part is that of the first.
        flip: N indices; point ``i`` of the mirrored face is point ``flip[i]`` of the original.
        left: the points on the image-left half of an upright face (each of a mirrored pair has one).
        eye_corners: the two outer eye corners (image left, image right), or None.
        pupils: for either eye the points whose mean is the pupil, or None.
        labels: a name for every landmark, or empty.

    Raises:
        DataError: when the definition contradicts itself.
    """

    name: str
    count: int
    groups: tuple[Group, ...] = ()
    flip: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    eye_corners: tuple[int, int] | None = None
    pupils: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.count < 1:
            raise DataError(f"Scheme '{self.name}' has {self.count} landmarks; give at least one.")
        self._check_groups()
        self._check_flip()
        named = list(self.eye_corners or ()) + [i for eye in self.pupils or () for i in eye] + list(self.left)
        self._check_range("the eye corners, pupils or image-left points", named)
        if self.eye_corners is not None and len(set(self.eye_corners)) != 2:
            raise DataError(f"Scheme '{self.name}' needs two different outer eye corners.")
        if self.pupils is not None and not (len(self.pupils) == 2 and all(self.pupils)):
            raise DataError(f"Scheme '{self.name}' needs at least one point for each of the two pupils.")
        if self.labels and len(self.labels) != self.count:
            raise DataError(f"Scheme '{self.name}' has {len(self.labels)} labels for {self.count} landmarks.")

    def _check_range(self, what: str, indices: Iterable[int]) -> None:
        wrong = [i for i in indices if not 0 <= i < self.count]
        if wrong:
            raise DataError(
                f"Scheme '{self.name}' has {self.count} landmarks (0 to {self.count - 1}), but {what} name {wrong[0]}."
            )

    def _check_groups(self) -> None:
        for group in self.groups:
            if group.part not in PARTS:
                raise DataError(
                    f"Group '{group.name}' of scheme '{self.name}' has the part '{group.part}'; "
                    f"use one of {', '.join(PARTS)}."
                )
            self._check_range(f"the points of group '{group.name}'", group.indices)

    def _check_flip(self) -> None:
        if not self.flip:
            return
        if len(self.flip) != self.count:
            raise DataError(
                f"Scheme '{self.name}' has {len(self.flip)} flip entries for {self.count} landmarks; "
                "give one for each."
            )
        self._check_range("the flip pairs", self.flip)
        for i, j in enumerate(self.flip):
            if self.flip[j] != i:
                raise DataError(
                    f"The flip pairs of scheme '{self.name}' disagree: {i} mirrors {j}, "
                    f"but {j} mirrors {self.flip[j]}."
                )

    @property
    def can_flip(self) -> bool:
        """Whether the scheme says which points a mirror exchanges."""
        return bool(self.flip)

    def polylines(self) -> list[tuple[int, ...]]:
        """Index paths of all groups in drawing order; closed ones repeat their first point at the end."""
        return [group.path for group in self.groups]

    @cached_property
    def group_of(self) -> tuple[str, ...]:
        """The first group's name for every landmark, ``""`` for points on none."""
        return tuple(group.name if group else "" for group in self._first_groups)

    @cached_property
    def part_of(self) -> tuple[str, ...]:
        """The facial part of every landmark (:data:`PARTS`); ``"other"`` for points on no group."""
        return tuple(group.part if group else "other" for group in self._first_groups)

    @cached_property
    def _first_groups(self) -> tuple[Group | None, ...]:
        first: dict[int, Group] = {}
        for group in self.groups:
            for i in group.indices:
                first.setdefault(i, group)
        return tuple(first.get(i) for i in range(self.count))

    @cached_property
    def side_of(self) -> tuple[str, ...]:
        """``"image left"``, ``"image right"`` or ``"centre"`` for every landmark."""
        left = set(self.left)
        right = {self.flip[i] for i in left} if self.flip else set()
        for i, group in enumerate(self._first_groups):
            if group and i not in left | right:
                if group.name.startswith("image-left"):
                    left.add(i)
                elif group.name.startswith("image-right"):
                    right.add(i)
        return tuple(IMAGE_LEFT if i in left else IMAGE_RIGHT if i in right else CENTRE for i in range(self.count))

    def label(self, index: int) -> str:
        """A readable name of one landmark: its own label, else its group and place, as ``"jaw 3 of 17"``."""
        if self.labels:
            return self.labels[index]
        group = self._first_groups[index]
        if group is None:
            return f"landmark {index}"
        if len(group.indices) == 1:
            return group.name
        return f"{group.name} {group.indices.index(index) + 1} of {len(group.indices)}"

    def to_json(self) -> str:
        """The scheme as a JSON object that :meth:`from_json` reads back exactly."""
        fields: dict[str, Any] = {
            "name": self.name,
            "count": self.count,
            "groups": [
                {"name": g.name, "part": g.part, "indices": list(g.indices), "closed": g.closed} for g in self.groups
            ],
            "flip": self.flip,
            "left": self.left,
            "eye_corners": self.eye_corners,
            "pupils": self.pupils,
            "labels": self.labels,
        }
        return json.dumps(fields)

    @staticmethod
    def from_json(source: str | Path | Mapping[str, Any]) -> Scheme:
        """Read a scheme from JSON text, a file or a decoded object with at least ``name`` and ``count``.

        Raises:
            DataError: when the text is no JSON object or its fields do not make a scheme.
        """
        fields = source if isinstance(source, Mapping) else _decode(source)
        unknown = set(fields) - set(Scheme.__dataclass_fields__)
        if unknown:
            known = ", ".join(Scheme.__dataclass_fields__)
            raise DataError(f"A scheme has no field '{sorted(unknown)[0]}'; its fields are {known}.")
        try:
            pupils, corners = fields.get("pupils"), fields.get("eye_corners")
            return Scheme(
                name=str(fields["name"]),
                count=_ints([fields["count"]])[0],
                groups=_groups(fields.get("groups") or ()),
                flip=_ints(fields.get("flip")),
                left=_ints(fields.get("left")),
                eye_corners=(_ints(corners)[0], _ints(corners)[1]) if corners else None,
                pupils=(_ints(pupils[0]), _ints(pupils[1])) if pupils else None,
                labels=tuple(str(label) for label in fields.get("labels") or ()),
            )
        except DataError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise DataError(
                f"The scheme cannot be read ({error!r}); it needs a name, a count and lists of whole numbers."
            ) from error


def user_scheme(
    name: str,
    points: int | ArrayLike,
    *,
    groups: Sequence[Group] | Mapping[str, Sequence[int]] = (),
    flip: Sequence[int] = (),
    eye_corners: tuple[int, int] | None = None,
    pupils: tuple[Sequence[int], Sequence[int]] | None = None,
    labels: Sequence[str] = (),
) -> Scheme:
    """Define a scheme of one's own.

    Args:
        points: how many landmarks, or one example face (N, 2) in any pixel unit, from which image left and
            image right are told apart.
        groups: polylines, or a mapping from a name to its indices (open, part ``"other"``).
        flip, eye_corners, pupils, labels: as in :class:`Scheme`; without ``flip`` no mirroring is possible.

    Raises:
        DataError: when the parts contradict each other.
    """
    left: tuple[int, ...] = ()
    if isinstance(points, (int, np.integer)):
        count = int(points)
    else:
        shape = np.asarray(points, float)
        if shape.ndim != 2 or shape.shape[1] != 2:
            raise DataError(f"An example face must have the shape (N, 2), not {shape.shape}.")
        count = len(shape)
        if len(flip) == count and all(0 <= j < count for j in flip):
            left = tuple(i for i, j in enumerate(flip) if shape[i, 0] < shape[j, 0])
    if isinstance(groups, Mapping):
        groups = [Group(key, "other", _ints(indices)) for key, indices in groups.items()]
    return Scheme(
        name=name,
        count=count,
        groups=tuple(groups),
        flip=_ints(flip),
        left=left,
        eye_corners=eye_corners,
        pupils=(_ints(pupils[0]), _ints(pupils[1])) if pupils else None,
        labels=tuple(labels),
    )


def _decode(source: str | Path) -> Mapping[str, Any]:
    try:
        fields = from_json(source.read_bytes() if isinstance(source, Path) else source)
    except (OSError, ValueError) as error:
        raise DataError(f"The scheme is not readable JSON ({error}).") from error
    if not isinstance(fields, dict):
        raise DataError("A scheme must be a JSON object with a name and a count.")
    return fields


def _groups(items: Iterable[Mapping[str, Any]]) -> tuple[Group, ...]:
    return tuple(
        Group(str(g["name"]), str(g.get("part", "other")), _ints(g["indices"]), bool(g.get("closed", False)))
        for g in items
    )


def _ints(values: Iterable[int] | None) -> tuple[int, ...]:
    found = () if values is None else tuple(values)
    try:
        whole = tuple(int(value) for value in found)
    except (TypeError, ValueError, OverflowError):
        whole = ()
    if whole != found:
        raise DataError(f"Landmarks are counted with whole numbers, not {found}.")
    return whole
