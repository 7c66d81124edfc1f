"""Several processes over one set (``torchrun``): who takes which faces, and what all have found together."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist

from workbench.errors import SettingsError

T = TypeVar("T")
_ALONE = ContextVar("alone", default=False)


@dataclass(frozen=True)
class Processes:
    """Attributes:
    rank: which one this is, from 0; process 0 tells and writes.
    world: how many there are.
    """

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this one tells and writes."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """The faces of this process among ``count``: every ``world``-th. Nobody's is repeated to fill up a batch, so
        that none is counted twice."""
        return range(self.rank, count, self.world)

    def gathered(self, found: T) -> list[T]:
        """What every process has found, in the order of their ranks."""
        if self.world == 1:
            return [found]
        parts: list[T | None] = [None] * self.world
        dist.all_gather_object(parts, found)
        return [part for part in parts if part is not None]


@contextmanager
def alone() -> Iterator[None]:
    """In here this process shares with nobody, whatever ``torchrun`` has started beside it."""
    token = _ALONE.set(True)
    try:
        yield
    finally:
        _ALONE.reset(token)


def processes() -> Processes:
    """The processes that ``torchrun`` has started; one by itself otherwise, and within ``alone``. They talk by gloo.

    Raises SettingsError: they do not find each other.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1 or "RANK" not in os.environ or _ALONE.get():
        return Processes()
    if not dist.is_initialized():
        try:
            dist.init_process_group("gloo")
            atexit.register(_part)
        except (RuntimeError, ValueError) as error:
            raise SettingsError(f"The {world} processes do not find each other ({error}).") from None
    return Processes(dist.get_rank(), dist.get_world_size())


def _part() -> None:
    """Leave together: gloo's threads must not outlive the interpreter."""
    if dist.is_initialized():
        dist.destroy_process_group()


def device_of(device: str) -> str:
    """ "auto" -> a GPU of this process's own where several processes share a machine; others stay as they are."""
    local = os.environ.get("LOCAL_RANK")
    if device == "auto" and local is not None and torch.cuda.is_available():
        return f"cuda:{int(local) % torch.cuda.device_count()}"
    return device
