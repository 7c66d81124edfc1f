"""Caches that all sessions share: bounded by the bytes that they hold, and rid of a photograph when nobody has it.

A photograph of a person's own is one :class:`Picture` in this process, however many sessions have it; sessions hold
it, caches do not. When the last session lets it go, what was made of it goes from every cache.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast
from weakref import WeakSet, WeakValueDictionary, finalize

import numpy as np
import torch
from PIL import Image

T = TypeVar("T")
MEGABYTE = 2**20


class Picture:
    """An upright RGB picture that a person has brought, and the SHA-256 of the file it came from."""

    def __init__(self, digest: str, image: Image.Image) -> None:
        self.digest, self.image = digest, image


_PICTURES: WeakValueDictionary[str, Picture] = WeakValueDictionary()
_PICTURES_LOCK = threading.RLock()


def shared_picture(digest: str, image: Image.Image) -> Picture:
    """The one picture of that digest in this process; it lives as long as a session holds it."""
    with _PICTURES_LOCK:
        known = _PICTURES.get(digest)
        if known is None:
            known = _PICTURES[digest] = Picture(digest, image)
            finalize(known, _forget, digest).atexit = False
        return known


def _forget(digest: str) -> None:
    """Runs wherever the last reference happens to go, perhaps inside a cache: nothing here waits for a lock."""
    for cache in tuple(_CACHES):
        cache.forget(digest)


@dataclass(frozen=True)
class _Entry:
    value: Any
    size: int
    photos: frozenset[str]


class Cache(Generic[T]):
    """Values by key, the ones not used for longest leaving when they hold more bytes than ``budget`` together.

    Threads that want the same key at once wait for one computation. A value larger than the budget is handed on but
    not kept. Values are read-only by convention.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._making: dict[Hashable, Future[T]] = {}
        self._gone: deque[str] = deque()
        _CACHES.add(self)

    def get(self, key: Hashable, make: Callable[[], T], photos: Iterable[str] = ()) -> tuple[T, bool]:
        """The value of a key, made if it is not here, and whether it was made just now.

        Args:
            key: all that the value depends on.
            make: called without the cache's lock; what it raises is raised, and nothing is kept.
            photos: digests of the pictures without which the value is to go.
        """
        while True:
            with self._lock:
                self._purge()
                if (entry := self._entries.get(key)) is not None:
                    self._entries.move_to_end(key)
                    return cast(T, entry.value), False
                waiting = self._making.get(key)
                if waiting is None:
                    mine: Future[T] = Future()
                    self._making[key] = mine
            if waiting is None:
                return self._made(key, make, frozenset(photos), mine), True
            if waiting.exception() is None:
                return waiting.result(), False

    def _made(self, key: Hashable, make: Callable[[], T], photos: frozenset[str], mine: Future[T]) -> T:
        try:
            value = make()
            size = bytes_of(value)
        except BaseException as error:
            with self._lock:
                del self._making[key]
            mine.set_exception(error)  # whoever waited tries for itself
            raise
        with self._lock:
            del self._making[key]
            if size <= self.budget and all(digest in _PICTURES for digest in photos):
                self._entries[key] = _Entry(value, size, photos)
                while self.bytes > self.budget:
                    self._entries.popitem(last=False)
        mine.set_result(value)
        return value

    @property
    def bytes(self) -> int:
        """What the values hold together."""
        return sum(entry.size for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def clear(self) -> None:
        """Let everything go."""
        with self._lock:
            self._entries.clear()

    def forget(self, digest: str) -> None:
        """Let go of what was made of a picture; at once, or where the cache is at work, before its next answer."""
        self._gone.append(digest)
        if self._lock.acquire(blocking=False):
            try:
                self._purge()
            finally:
                self._lock.release()

    def _purge(self) -> None:
        while self._gone:
            digest = self._gone.popleft()
            for key in [key for key, entry in self._entries.items() if digest in entry.photos]:
                del self._entries[key]


_CACHES: WeakSet[Cache[Any]] = WeakSet()


def bytes_of(value: object) -> int:
    """What a value holds: tensors, arrays, pictures, bytes and text, wherever they lie in it, each counted once."""
    seen: set[int] = set()
    total, todo = 0, [value]
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, torch.nn.Module):
            todo += [*one.parameters(), *one.buffers()]
        elif isinstance(one, torch.Tensor):
            storage = one.untyped_storage()
            if storage.data_ptr() not in seen:
                seen.add(storage.data_ptr())
                total += storage.nbytes()
        elif isinstance(one, np.ndarray):
            if isinstance(one.base, np.ndarray):
                todo.append(one.base)
            else:
                total += one.nbytes
        elif isinstance(one, Image.Image):
            total += one.width * one.height * len(one.getbands())
        elif isinstance(one, bytes | bytearray | str):
            total += len(one)
        elif isinstance(one, Mapping):
            todo += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            todo += one
        elif isinstance(one, type) or not hasattr(one, "__dict__"):
            total += 8
        else:
            todo += vars(one).values()
    return total
