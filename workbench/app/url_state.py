"""The one selection that all pages share, and how it is written into a link.

Nothing here knows Streamlit. A link is untrusted text: every value is checked against the shelf (which sample
faces and models there are, and how many stages, layers, heads and landmarks a model has). What does not fit is
replaced by its default and named in one sentence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.models.card import ModelCard

FACTOR_RANGE = (0.6, 2.0)
OWN_PHOTO = "own"
_LONGEST = 40
_PATH = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+){0,15}", re.ASCII)


@dataclass(frozen=True)
class Selection:
    """What a person is looking at.

    Attributes:
        sample: name of a sample face, or "" for a photograph of the person's own.
        photo: SHA-256 of the person's own photograph, or "".
        index: which of several detected faces.
        box: a hand-drawn box (x0, y0, x1, y1) in pixels of the photograph, or None for the detector's.
        factor: crop side over box side, or None for the trained default.
        model: name of a model on the shelf.
        stage, layer: counted from 0; None is what a view starts with (the last stage; the layer it cares for).
        head: counted from 0, None the mean of all heads.
        landmark: counted from 0, None when no landmark is singled out.
        kind: of the relations ("cross", "self" ...); "" is what a view starts with.
        tensor: what the Inside page shows, a tap's path; "" is what it begins with.
    """

    sample: str = ""
    photo: str = ""
    index: int = 0
    box: tuple[float, float, float, float] | None = None
    factor: float | None = None
    model: str = ""
    stage: int | None = None
    layer: int | None = None
    head: int | None = None
    landmark: int | None = None
    kind: str = ""
    tensor: str = ""


@dataclass(frozen=True)
class Limits:
    """How far a model's axes reach."""

    stages: int
    layers: int
    heads: int
    landmarks: int

    def allow(self, name: str, value: object) -> bool:
        """Whether a field of a selection may have a value: an index within its axis, None, or what is no index."""
        size: int | None = getattr(self, f"{name}s", None)
        return size is None or value is None or (isinstance(value, int) and 0 <= value < size)

    @classmethod
    def of(cls, card: ModelCard) -> Limits:
        """The limits written in a model card; a system without an axis has 1 there."""
        told = (card.config.get(name, 1) for name in ("stages", "layers", "heads"))
        stages, layers, heads = (value if isinstance(value, int) and value > 0 else 1 for value in told)
        return cls(stages, layers, heads, card.landmarks)


@dataclass(frozen=True)
class Shelf:
    """What can be chosen: sample faces in the order shown, and models by name."""

    samples: tuple[str, ...]
    models: Mapping[str, Limits]
    default_sample: str
    default_model: str

    def default(self) -> Selection:
        return Selection(sample=self.default_sample, model=self.default_model)


def to_link(selection: Selection) -> dict[str, str]:
    """Query parameters for a selection, defaults left out; face, stage, layer and head count from 1 as on the page.

    A person's own photograph is never in a link: only ``photo=own`` says that there was one.
    """
    s = selection
    link: dict[str, str] = {"sample": s.sample} if s.sample else {"photo": OWN_PHOTO}
    if s.sample and s.index:
        link["face"] = str(s.index + 1)
    if s.sample and s.box is not None:
        link["box"] = ",".join(f"{v:g}" for v in (round(v, 1) for v in s.box))
    if s.sample and s.factor is not None:
        link["factor"] = f"{s.factor:g}"
    link["model"] = s.model
    for name, value in (("stage", s.stage), ("layer", s.layer), ("head", s.head)):
        if value is not None:
            link[name] = str(value + 1)
    if s.landmark is not None:
        link["landmark"] = str(s.landmark)
    if s.kind:
        link["kind"] = s.kind
    if s.tensor:
        link["tensor"] = s.tensor
    return link


def from_link(link: Mapping[str, str], shelf: Shelf) -> tuple[Selection, str]:
    """A valid selection from query parameters, and one sentence about what was ignored ("" when nothing was)."""
    reader = _Reader(link)
    default = shelf.default()
    sample = reader.one_of("sample", shelf.samples, default.sample)
    model = reader.one_of("model", tuple(shelf.models), default.model)
    selection = Selection(sample=sample, model=model)
    if "photo" in link and "sample" not in link:
        reader.own_photo_gone = True
    if sample == link.get("sample"):
        selection = replace(
            selection,
            index=reader.counted("face", 99) or 0,
            box=reader.box("box"),
            factor=reader.number("factor", *FACTOR_RANGE),
        )
    limits = shelf.models.get(model, Limits(1, 1, 1, 0))
    return replace(
        selection,
        stage=reader.counted("stage", limits.stages),
        layer=reader.counted("layer", limits.layers),
        head=reader.counted("head", limits.heads),
        landmark=reader.whole("landmark", 0, limits.landmarks - 1),
        kind=reader.path("kind"),
        tensor=reader.path("tensor"),
    ), reader.sentence()


def clamp(selection: Selection, limits: Limits) -> Selection:
    """The same selection with stage, layer, head and landmark inside a model's limits (else their defaults)."""
    axes = ("stage", "layer", "head", "landmark")
    gone: dict[str, Any] = {a: None for a in axes if not limits.allow(a, getattr(selection, a))}
    return replace(selection, **gone)


def told(complaints: str) -> str:
    """The sentence about what a link named in vain; "" for nothing."""
    return complaints and f"Some of this link could not be used, so defaults stand in its place: {complaints}."


class _Reader:
    """Reads typed values out of a link and remembers what was wrong."""

    def __init__(self, link: Mapping[str, str]) -> None:
        self.link = link
        self.complaints: list[str] = []
        self.own_photo_gone = False

    def one_of(self, key: str, choices: Iterable[str], default: str) -> str:
        value = self.link.get(key)
        if value is None or value in choices:
            return default if value is None else value
        self._refuse(key, value, "unknown here")
        return default

    def whole(self, key: str, lowest: int, highest: int) -> int | None:
        """A whole number within bounds; None when it is absent or refused."""
        value = self.link.get(key)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit()) or len(value) > 9:
            self._refuse(key, value, "not a whole number")
            return None
        if not lowest <= int(value) <= highest:
            self._refuse(key, value, f"there are {lowest} to {highest}")
            return None
        return int(value)

    def counted(self, key: str, size: int) -> int | None:
        """What a link counts from 1, counted from 0."""
        value = self.whole(key, 1, size)
        return None if value is None else value - 1

    def number(self, key: str, lowest: float, highest: float) -> float | None:
        value = self.link.get(key)
        if value is None:
            return None
        parsed = _finite(value)
        if parsed is None or not lowest <= parsed <= highest:
            self._refuse(key, value, f"must be {lowest:g} to {highest:g}")
            return None
        return parsed

    def path(self, key: str) -> str:
        """Names joined by dots, as a tap's path or its end; whether a model has such a tap only the page can tell."""
        value = self.link.get(key, "")
        if value and not _PATH.fullmatch(value):
            self._refuse(key, value, "no name of a tensor or of a kind")
            return ""
        return value

    def box(self, key: str) -> tuple[float, float, float, float] | None:
        """Four numbers x0,y0,x1,y1 with x0 < x1 and y0 < y1."""
        value = self.link.get(key)
        if value is None:
            return None
        parts = [_finite(part) for part in value.split(",")[:5]]
        numbers = [round(p, 1) for p in parts if p is not None]  # as the link is written
        if len(parts) != 4 or len(numbers) != 4 or numbers[0] >= numbers[2] or numbers[1] >= numbers[3]:
            self._refuse(key, value, "must be x0,y0,x1,y1")
            return None
        return (numbers[0], numbers[1], numbers[2], numbers[3])

    def sentence(self) -> str:
        said = []
        if self.own_photo_gone:
            said.append(
                "Your own photograph is no longer here and never part of a link, so a sample face is shown: choose "
                "the photograph again."
            )
        return " ".join(filter(None, (*said, told("; ".join(self.complaints)))))

    def _refuse(self, key: str, value: str, reason: str) -> None:
        shown = "".join(c if c.isprintable() else " " for c in value)
        shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
        self.complaints.append(f"{key} “{shown}” ({reason})")


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
