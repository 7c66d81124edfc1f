"""Any view of a face under an occluder: its payload with what ``cover_modes.js`` needs to draw and drag one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.reading import Reading
from workbench.widgets.cover import FILLS, patch_of, pixels_of
from workbench.widgets.payload import PHOTO_SIDE, Payload, photo, rounded

MODES: Mapping[str, str] = {
    "with": "the face as it is covered",
    "without": "the face as it is",
    "difference": "covered minus uncovered",
}
"""What a view shows while a face is covered."""
_SCALES = {
    "scale 0 to {top}": "scale −{top} to {top}, centred on no change",
    "{topk} strongest": "{topk} largest changes of",
    "all keys of": "all changes of keys of",
    "all queries on": "all changes of queries on",
    "weights from": "changes from",
    "weighs most": "changes most",
    "weigh it most": "change most on it",
    "softmax over all keys: a row sums to 1": "each a softmax over all keys: the changes of a row sum to 0",
    "largest of {count} landmarks": "largest change of {count} landmarks, by its size",
}
"""Words of a caption that are other ones where differences are shown."""


def covered_payload(
    payload: Payload,
    plain: Reading,
    shown: Reading,
    cover: Mapping[str, Any] | None,
    mode: str = "with",
    lines: bool = True,
) -> Payload:
    """The payload of a view with an occluder to drag.

    Args:
        payload: of the view, with the blob "photo"; of what ``mode`` shows.
        plain, shown: the readings of the face as it is and of the covered one.
        cover: as ``cover.cover_of`` gives it; None (or {}) for no occluder.
        mode: one of :data:`MODES`.
        lines: whether the view draws lines from the uncovered answer.
    """
    side = max(PHOTO_SIDE, plain.input_size)
    meta: dict[str, Any] = {
        **payload["meta"],
        "live": True,
        "fills": dict(FILLS),
        "occluder": cover or None,
        "covered": None,
        "shown": mode if cover else "with",
        "from": None,
    }
    blobs = {**payload["blobs"], "photo": photo(plain.face.crop(side))}
    if cover:
        meta["covered"] = pixels_of(cover, side)
        meta["from"] = rounded(plain.points()) if lines and mode != "without" else None
        meta["caption"] = _caption(payload["meta"]["caption"], cover, mode, lines)
        blobs["cover"] = patch_of(shown.face.crop(side), meta["covered"])
    return {"meta": meta, "blobs": blobs}


def _caption(clauses: list[dict[str, Any]], cover: Mapping[str, Any], mode: str, lines: bool) -> list[dict[str, Any]]:
    """The clauses of a caption with what covers the face and what is shown of that."""
    where = f"{cover['fill']} over {100 * cover['w'] * cover['h']:.2g} % of the crop"
    if mode == "without":
        return [*clauses, _clause(f"{where}, taken away for the moment")]
    last = [_clause("white lines: from the uncovered answer")] if lines else []
    if not lines and mode == "difference":
        last = [_clause("landmarks, bars and percentages: of the covered face")]
    if mode == "with":
        return [*clauses, _clause(where), *last]
    changed = []
    for clause in clauses:
        text = clause["text"]
        for old, new in _SCALES.items():
            text = text.replace(old, new)
        changed.append({**clause, "text": text})
    said = f"covered minus uncovered ({where}); red: more, blue: less, more opaque where larger"
    at = max((k + 1 for k, clause in enumerate(changed) if clause["code"]), default=0)
    return [*changed[:at], _clause(said), *changed[at:], *last]


def _clause(text: str) -> dict[str, Any]:
    return {"text": text, "when": {}, "code": False}
