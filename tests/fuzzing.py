"""Mutators with a fixed seed: bytes, texts and JSON as no honest program writes them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from workbench.errors import WorkbenchError

SEED = 20240229
ODD_NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 0.5, -0.0, 1e308, 1e-320)
ODD_WORDS = ("", " ", "x" * 5000, "\ud800", "a\0b", "../../etc/passwd", "~nouser", "\u202e", "%s{0}", "naïve", "1e999")


def rng(kind: str) -> random.Random:
    return random.Random(f"{SEED} {kind}")


def mutated(data: bytes, r: random.Random) -> bytes:
    """Bits flipped, parts cut, doubled, overwritten or moved."""
    out = bytearray(data)
    for _ in range(r.choice((1, 1, 2, 5, 20))):
        size = len(out)
        at, length = r.randrange(size + 1), r.choice((1, 2, 4, 16, 200))
        match r.randrange(6):
            case 0 if size:
                out[at % size] ^= 1 << r.randrange(8)
            case 1:
                del out[at : at + length]
            case 2:
                out[at:at] = out[at : at + length]
            case 3:
                out[at : at + length] = r.choice((b"\xff", b"\x00", b"\x7f\xff\xff\xff")) * length
            case 4:
                out[at:at] = r.randbytes(length)
            case _:
                del out[at:]
    return bytes(out)


def value(r: random.Random, depth: int = 3) -> Any:
    """Any value that JSON can hold, and some that are hard to bear."""
    match r.randrange(9):
        case 0:
            return None
        case 1:
            return r.choice((True, False))
        case 2 | 3:
            return r.choice(ODD_NUMBERS)
        case 4 | 5:
            return r.choice(ODD_WORDS)
        case 6 if depth:
            return {r.choice((*ODD_WORDS, "points", "name", "x")): value(r, depth - 1) for _ in range(r.randrange(4))}
        case _:
            return [value(r, depth - 1) for _ in range(r.randrange(4))] if depth else []


def twisted(tree: Any, r: random.Random) -> Any:
    """A JSON tree with one of its values exchanged, left out, or joined by another."""
    if isinstance(tree, dict) and tree and r.random() < 0.9:
        key = r.choice(list(tree))
        out = dict(tree)
        match r.randrange(5):
            case 0:
                del out[key]
            case 1:
                out[r.choice(ODD_WORDS)] = value(r)
            case _:
                out[key] = twisted(tree[key], r) if r.random() < 0.6 else value(r)
        return out
    if isinstance(tree, list) and tree and r.random() < 0.8:
        at = r.randrange(len(tree))
        return [*tree[:at], twisted(tree[at], r), *tree[at + 1 :]]
    return value(r)


def json_text(tree: Any, r: random.Random) -> str:
    """A twisted tree as text; at times too deep, with a number too long, or cut."""
    text = json.dumps(twisted(tree, r))
    match r.randrange(12):
        case 0:
            return text.replace(":", ":" + "[" * 100_000, 1)
        case 1:
            return text.replace(": ", ": " + "9" * 5000 + ', "z": ', 1)
        case 2:
            return mutated(text.encode(), r).decode("utf-8", "surrogateescape")
        case 3:
            return text.replace(": ", ': NaN, "z": ', 1)
        case _:
            return text


def hold(run: Callable[[], object], what: str) -> bool:
    """Whether an input was refused. Nothing but the project's own sentence may end it."""
    try:
        run()
    except WorkbenchError as error:
        sentence = str(error)
        assert sentence and "\n" not in sentence.strip() and "Traceback" not in sentence, (what, ascii(sentence))
        assert sentence.isprintable() or not any("\ud800" <= c <= "\udfff" for c in sentence), (what, ascii(sentence))
        return True
    except Exception as error:
        pytest.fail(ascii(f"{what}: {type(error).__name__}: {str(error)[:200]}"))
    return False


def each(kind: str, count: int) -> Iterator[tuple[int, random.Random]]:
    """(number, generator) of every input of a kind: each has a generator of its own, so that one can be looked at."""
    for i in range(count):
        yield i, rng(f"{kind} {i}")
