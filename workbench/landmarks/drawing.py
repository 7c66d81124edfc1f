"""A drawing: points of one's own on the face plane, with what they are called and where they were taken from."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError
from workbench.files import decoded, from_json
from workbench.landmarks.scheme import Scheme, user_scheme

MOST = 500
"""Points a drawing may have."""
REACH = 0.4
"""How far beyond [0, 1] of the plane a point may lie."""
_LARGEST = 1_000_000  # characters of a file
FORMAT, VERSION = "workbench-shape", 2
"""What a file of ours says of itself; version 1 said nothing and had no looks."""
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Look:
    """How a group of a drawing is shown, on the plane and on faces.

    Attributes:
        colour: "#rrggbb", or "" for the colour of its part.
        fill: whether the outline is filled.

    Raises:
        DataError: another colour.
    """

    colour: str = ""
    fill: bool = False

    def __post_init__(self) -> None:
        if self.colour and not _COLOUR.fullmatch(self.colour):
            raise DataError(f"A group's colour is written as #rrggbb, not '{_short(self.colour)}'.")

    def fields(self) -> dict[str, Any]:
        """What differs from the plain look."""
        return {**({"colour": self.colour} if self.colour else {}), **({"fill": True} if self.fill else {})}


@dataclass(frozen=True, eq=False)
class Drawing:
    """Points on the face plane.

    Attributes:
        scheme: what the points are called and which lines join them.
        points: (N, 2) as (x, y) in [0, 1] of the plane, or up to :data:`REACH` beyond.
        template: the convention that some points were taken from, or "".
        origin: for every point its index in that convention, -1 for a point of one's own.
        looks: one for each of the scheme's groups; none for plain ones.

    Raises:
        DataError: too many points, one that is not finite or lies too far out, or parts that contradict each other.
    """

    scheme: Scheme
    points: np.ndarray
    template: str = ""
    origin: tuple[int, ...] = ()
    looks: tuple[Look, ...] = ()

    def __post_init__(self) -> None:
        points = _points(self.points)
        if len(points) != self.scheme.count:
            raise DataError(
                f"The shape '{_short(self.scheme.name)}' names {self.scheme.count} points but places {len(points)}."
            )
        object.__setattr__(self, "points", points)
        origin = tuple(self.origin) or (-1,) * len(points)
        if len(origin) != len(points) or any(i < -1 for i in origin):
            raise DataError("The origins of a shape are one index of its template for each point, or -1.")
        object.__setattr__(self, "origin", origin)
        if self.looks and len(self.looks) != len(self.scheme.groups):
            raise DataError(f"The shape has {len(self.scheme.groups)} groups but looks for {len(self.looks)}.")
        if not any(look.fields() for look in self.looks):
            object.__setattr__(self, "looks", ())

    def look(self, group: int) -> Look:
        """How the group of that index is shown."""
        return self.looks[group] if self.looks else Look()

    @property
    def digest(self) -> str:
        """SHA-256 of what it holds: equal drawings have equal digests."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """A JSON object that :meth:`from_json` reads back: the scheme's fields, and the points."""
        fields: dict[str, Any] = json.loads(self.scheme.to_json())
        fields = {"format": FORMAT, "version": VERSION, **fields}
        fields |= {"points": self.points.round(6).tolist(), "template": self.template, "origin": list(self.origin)}
        if self.looks:
            fields["looks"] = [look.fields() for look in self.looks]
        return json.dumps(fields, ensure_ascii=False)

    @classmethod
    def from_json(cls, source: str | bytes | Path | Mapping[str, Any]) -> Drawing:
        """Read a drawing from a file, its content, or a decoded object with at least ``points``.

        Raises:
            DataError: it is no drawing.
        """
        fields = dict(source if isinstance(source, Mapping) else _decoded(source))
        if "points" not in fields:
            raise DataError("The shape has no 'points': give a list of [x, y] pairs in [0, 1] of the face plane.")
        version = fields.get("version", 0)
        if fields.get("format") == FORMAT and (not isinstance(version, int) or version > VERSION):
            raise DataError(
                f"The shape was saved by a newer workbench (version {_short(str(version))} of the file, known is "
                f"{VERSION}); update this one."
            )
        points = _points(fields.pop("points"))
        looks = fields.pop("looks", None) or ()
        template, origin = fields.pop("template", ""), fields.pop("origin", None) or ()
        # Other tools keep more beside the points (the picture's name, its size): that is theirs.
        own = {k: v for k, v in fields.items() if k in Scheme.__dataclass_fields__}
        fields = {"name": "shape", "count": len(points), **own}
        try:
            scheme = Scheme.from_json(fields)
            shown = tuple(Look(str(look.get("colour", "")), look.get("fill") is True) for look in looks)
            return cls(scheme, points, str(template)[:80], tuple(int(i) for i in origin), shown)
        except DataError:
            raise
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            raise DataError(
                f"The shape cannot be read ({_short(str(error))}); save one here to see its form."
            ) from None


def drawing(points: ArrayLike, name: str = "shape") -> Drawing:
    """A drawing of bare points (N, 2). Raises DataError as :class:`Drawing` does."""
    values = _points(points)
    return Drawing(user_scheme(name, len(values)), values)


def _decoded(source: str | bytes | Path) -> Mapping[str, Any]:
    try:
        if isinstance(source, Path):
            if not os.path.isfile(source):
                raise DataError(f"There is no shape file at {source}.")
            if source.stat().st_size > _LARGEST:
                raise DataError(f"{source.name} is too large for a shape of at most {MOST} points.")
            source = source.read_bytes()
        text = decoded(source) if isinstance(source, bytes) else source
        if len(text) > _LARGEST:
            raise DataError(f"The file is too large for a shape of at most {MOST} points.")
        fields = from_json(text)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"The shape cannot be read: {(error.strerror or str(error)).lower()}.") from None
    except ValueError:
        raise DataError("The file is no shape: it is not readable JSON; choose one that was saved here.") from None
    if not isinstance(fields, dict):
        raise DataError("The file is no shape: it must be a JSON object with 'points'.")
    return fields


def _points(values: Any) -> np.ndarray:
    """(N, 2) float64, checked."""
    try:
        points = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DataError("The points of a shape must be pairs of numbers [x, y].") from None
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise DataError(f"The points of a shape must be a list of [x, y] pairs, not an array {points.shape}.")
    if len(points) > MOST:
        raise DataError(f"A shape has at most {MOST} points, not {len(points)}.")
    if not np.isfinite(points).all():
        raise DataError(f"Point {int(np.argmin(np.isfinite(points).all(1)))} of the shape is not a finite number.")
    beyond = (points < -REACH) | (points > 1 + REACH)
    if beyond.any():
        first = int(np.argmax(beyond.any(1)))
        x, y = points[first]
        raise DataError(
            f"Point {first} of the shape lies at ({x:.4g}, {y:.4g}), too far off the face plane; "
            f"its coordinates go from {-REACH:g} to {1 + REACH:g}."
        )
    return points


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
