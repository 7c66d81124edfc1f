"""The Shape editor's drawing as one word of a link: rounded as the widget commits it, and compressed."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

_GRID = 100_000
_LARGEST = 200_000  # characters of a drawing taken apart
_MARK = "z"


def pack_state(state: Mapping[str, Any]) -> str:
    """A drawing in the widget's form (``widgets.shape.EMPTY`` tells its keys) as a word; "" for none."""
    if not state or not state.get("at"):
        return ""
    ids = list(state["ids"])
    fields = [
        state["name"],
        state["template"],
        [round(_GRID * x) for point in state["points"] for x in point],
        0 if ids == list(range(len(ids))) else ids,
        list(state["origin"]),
        [
            [g["name"], g["part"], int(g["closed"]), list(g["ids"]), g.get("colour") or "", int(g.get("fill") is True)]
            for g in state["groups"]
        ],
        state["at"],
        state.get("numbers"),
        state.get("root", 0),
    ]
    packed = zlib.compress(json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode(), 9)
    return _MARK + base64.b64encode(packed, altchars=b"_.").decode().rstrip("=")


def unpack_state(word: str) -> dict[str, Any]:
    """The drawing again; what it holds is checked where a browser's drawing is, in ``drawing_of``.

    Raises:
        ValueError: the word is none that :func:`pack_state` wrote.
    """
    if not word.startswith(_MARK):
        raise ValueError("no drawing")
    try:
        packed = base64.b64decode(word[1:] + "=" * (-len(word[1:]) % 4), altchars=b"_.", validate=True)
        text = zlib.decompressobj().decompress(packed, _LARGEST)
        name, template, flat, ids, origin, groups, at, numbers, *root = json.loads(text)  # older links have no root
        points = [[x / _GRID, y / _GRID] for x, y in zip(flat[::2], flat[1::2], strict=True)]
        out = {
            "name": str(name),
            "template": str(template),
            "points": points,
            "ids": ids or list(range(len(points))),
            "origin": [int(i) for i in origin],
            "groups": [
                {
                    "name": str(g[0]),
                    "part": str(g[1]),
                    "closed": bool(g[2]),
                    "ids": [int(i) for i in g[3]],
                    **({"colour": str(g[4])[:7]} if len(g) > 4 and g[4] else {}),
                    **({"fill": True} if len(g) > 5 and g[5] else {}),
                }
                for g in groups
            ],
            "at": int(at),
            "tab": "",
            "root": int(root[0]) if root else 0,
        }
        return out if numbers is None else {**out, "numbers": bool(numbers)}
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, zlib.error, RecursionError) as error:
        raise ValueError("no drawing") from error
