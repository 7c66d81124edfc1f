"""One occluder for every page: where it lies, what of it is shown, and the readings with and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.app import explorer, readings
from workbench.app.uncertainty import KEPT as KEPT_OCCLUDER
from workbench.app.uncertainty import occluder_of
from workbench.app.url_state import Selection
from workbench.axes import GENERAL, Axes
from workbench.effects import difference
from workbench.reading import Reading
from workbench.widgets import Payload
from workbench.widgets.covered import MODES, covered_payload

KEPT: Mapping[str, str] = {"occluder": KEPT_OCCLUDER, "shown": "all.shown"}
"""State keys of widgets, and the names under which all pages share them: {x, y, w, h, fill} in [0, 1] of the crop, or
{}; {"mode": one of ``MODES``}."""


@dataclass(frozen=True)
class Covering:
    """What a page reads while a face may be covered.

    Attributes:
        plain: the reading of the face as it is.
        covered: of the covered one; ``plain`` itself without an occluder.
        cover: {x, y, w, h, fill}, or {}.
        mode: one of ``MODES``.
    """

    plain: readings.Shown
    covered: readings.Shown
    cover: dict[str, Any]
    mode: str

    @property
    def key(self) -> tuple[Any, ...]:
        """Of a payload."""
        return (*self.covered.key, *self.plain.key, self.mode if self.cover else "")

    @property
    def shown(self) -> Reading:
        """What the mode shows."""
        if not self.cover or self.mode == "without":
            return self.plain.reading
        if self.mode == "difference" and self.plain.reading.trace:
            return difference(self.covered.reading, self.plain.reading)
        return self.covered.reading

    def payload(self, name: str, build: Callable[[Reading], Payload], lines: bool = True) -> Payload:
        """What a view's widget is fed with, with the occluder to drag; ``lines`` as for ``covered_payload``."""

        def make() -> Payload:
            return covered_payload(
                build(self.shown), self.plain.reading, self.covered.reading, self.cover, self.mode, lines
            )

        return readings.view(f"{name}.covered", self.key, make)

    @property
    def state(self) -> dict[str, Any]:
        """The widget's state keys for it, and where they are kept, as ``explorer.linked`` takes them."""
        return {"occluder": self.cover, "shown": {"mode": self.mode}, "kept_as": KEPT}


def covering(selection: Selection, record: Iterable[str | Axes] = GENERAL, model: str | None = None) -> Covering:
    """The chosen face as it is and, where this session covers it, as it is covered."""
    record = tuple(record)
    plain = readings.reading(selection, model, record)
    kept = explorer.options_of(KEPT["occluder"])
    occluder = occluder_of(kept)
    if occluder is None:
        return Covering(plain, plain, {}, "with")
    mode = str(explorer.options_of(KEPT["shown"]).get("mode"))
    cover = {name: kept[name] for name in ("x", "y", "w", "h", "fill")}
    return Covering(
        plain,
        readings.occluded(selection, occluder, record, model),
        cover,
        mode if mode in MODES else "with",
    )
