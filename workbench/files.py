"""Files as people and accidents leave them: text of any editor, JSON, paths that may be anything, writes that may be
cut."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def from_json(text: str | bytes) -> Any:
    """What JSON says.

    Raises:
        ValueError: no JSON, nested too deeply, a number with too many digits, or words that are no Unicode.
    """
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def decoded(data: bytes) -> str:
    """Text in UTF-8 or UTF-16, with a byte-order mark or without, lines ending in a line feed. Raises ValueError."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as Windows' editors save "Unicode"
    return data.decode("utf-16" if wide else "utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def expanded(path: str | os.PathLike[str]) -> Path:
    """The path with ``~`` put in full; as it is where there is no such home."""
    return Path(os.path.expanduser(path))


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A file beside ``target`` to write to; it takes the place of ``target`` when the block ends without an error, so
    that a write that is cut short leaves what was there."""
    part = target.with_name(f".{target.stem[:80]}.{os.getpid()}.part{target.suffix}")
    try:
        yield part
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
