"""A view's own settings as one short parameter of the link, ``set=1~topk-5~mode-best~occluder.x-0.35~.y-0.6``.

Nothing here knows Streamlit or any view. A number first says which writing it is. ``name-value`` pairs follow; a name
that begins with a dot goes on where the one before it began. What is read is plain data of bounded size: whoever uses
it checks it as it checks what a browser commits.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

VERSION = "1"
LONGEST = 6000
"""Characters; what would be longer is left out of the link."""
_MOST = 80
_NAME = re.compile(r"[a-z0-9_]{1,30}(\.[a-z0-9_]{1,30}){0,3}", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,5900}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,12})?(e-?\d{1,3})?", re.ASCII)
_WORDS: dict[str, Any] = {"none": None, "yes": True, "no": False}


class LinkError(ValueError):
    """The parameter cannot be read."""


def encode(options: Mapping[str, Any]) -> str:
    """Settings by name as text that needs no escaping in a link; "" for none.

    Args:
        options: values are None, booleans, numbers, words, lists of numbers, dictionaries of these, or any other JSON.
    """
    parts, before = [VERSION], ""
    for name, value in _flat(options):
        start, dot, rest = name.partition(".")
        parts.append(f"{dot + rest if dot and start == before else name}-{_written(value)}")
        before = start
    text = "~".join(parts)
    return text if 1 < len(parts) <= _MOST and len(text) <= LONGEST else ""


def decode(text: str) -> dict[str, Any]:
    """What :func:`encode` wrote.

    Raises:
        LinkError: it is no such text, or one of another version.
    """
    version, _, rest = text.partition("~")
    if version != VERSION or len(text) > LONGEST:
        raise LinkError("written for another version of the workbench" if version.isdigit() else "not readable")
    out: dict[str, Any] = {}
    before = ""
    for part in rest.split("~")[:_MOST]:
        name, found, value = part.partition("-")
        name = before + name if name.startswith(".") else name
        if not found or not _NAME.fullmatch(name):
            raise LinkError("not readable")
        before = name.partition(".")[0]
        *above, last = name.split(".")
        place = out
        for key in above:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise LinkError("not readable")
        place[last] = _read(value)
    return out


def _flat(options: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in options.items():
        name = f"{start}{key}"
        if not _NAME.fullmatch(name):
            continue
        if isinstance(value, Mapping) and value and all(_NAME.fullmatch(f"{name}.{inner}") for inner in value):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _written(value: Any) -> str:
    for word, meant in _WORDS.items():
        if value is meant:
            return word
    if isinstance(value, int | float) and math.isfinite(value):
        return _number(value)
    if isinstance(value, str) and _WORD.fullmatch(value) and value not in _WORDS:
        return value
    if isinstance(value, list | tuple) and value and all(_plain(v) for v in value):
        return "_".join(map(_number, value)) + ("_" if len(value) == 1 else "")
    packed = json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).encode()
    return "." + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _plain(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}".replace("e+", "e")


def _read(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return _parsed(text)
    if "_" in text and all(_NUMBER.fullmatch(part) for part in text.removesuffix("_").split("_")):
        return [_parsed(part) for part in text.removesuffix("_").split("_")]
    if text.startswith("."):
        try:
            return json.loads(base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))
        except (ValueError, RecursionError):
            raise LinkError("not readable") from None
    if not _WORD.fullmatch(text):
        raise LinkError("not readable")
    return text


def _parsed(text: str) -> int | float:
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
