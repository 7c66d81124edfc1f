"""The data of "What if": where each landmark goes under a change, and what that is in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench.errors import TraceError
from workbench.explain.captions import as_meta
from workbench.explain.effects import TIMES, by_part, effect_facts, visible_times
from workbench.explain.why_captions import EFFECT
from workbench.figures import palette
from workbench.reading import Reading
from workbench.widgets.payload import PHOTO_SIDE, Payload, face_meta, luts, photo, rounded
from workbench.widgets.selection import Entry, Table, resolve

if TYPE_CHECKING:
    from workbench.effects import EffectReading

SELECTION: Table = (
    Entry("landmark", index="landmark", none="all of them"),
    Entry("times", None, (None, *TIMES), none="what can be seen"),  # by what arrows are lengthened
)


def effect_payload(reading: Reading, selection: Mapping[str, Any] | None = None) -> Payload:
    """What the ``effect`` widget shows: both answers in [0, 1] of the crop, displacements and sigma in pixels of the
    photograph, and means over facial parts.

    Args:
        reading: an ``EffectReading``, of the plain reading's crop.
        selection: entries of :data:`SELECTION` to start from.

    Raises:
        TraceError: another reading, or the selection names what is not there.
    """
    if not hasattr(reading, "effect"):
        raise TraceError("Nothing was changed in this reading: ask for an effect first.")
    changed: EffectReading = reading  # type: ignore[assignment]
    effect, plain = changed.effect, changed.plain
    bounds = {"landmark": effect.scheme.count}
    sigma = None
    if effect.sigma_before is not None and effect.sigma_after is not None:
        sigma = [rounded(values.prod(1) ** 0.5, 4) for values in (effect.sigma_before, effect.sigma_after)]
    times = visible_times(changed)
    meta = {
        "face": face_meta(effect.scheme),
        "before": rounded(plain.points(), 6),
        "after": rounded(changed.points(), 6),
        "moved": rounded(effect.displacement, 4),
        "percent": None if effect.percent is None else rounded(effect.percent, 4),
        "sigma": sigma,
        "parts": [
            {**asdict(part), "text": _name(part.part), "colour": _colour(part.part)} for part in by_part(changed)
        ],
        "auto": times,
        "times": list(TIMES),
        "facts": effect_facts(changed, times),
        "caption": as_meta(EFFECT),
        "title": f"{changed.card_title or changed.model_name}, {changed.face.name}",
        "stem": changed.stem("what-if"),
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, selection, bounds)},
    }
    side = max(PHOTO_SIDE, changed.input_size)
    return {"meta": meta, "blobs": {"photo": photo(changed.face.crop(side)), **luts(palette.ARROWS)}}


def _name(part: str) -> str:
    return "all landmarks" if part == "all" else palette.PART_NAMES[part]


def _colour(part: str) -> str | None:
    return None if part == "all" else palette.shade(part)
