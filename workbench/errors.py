"""Errors that a person reads: one sentence saying what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class WorkbenchError(ValueError):
    """Anything a user can mend. Pages and the shell print its message and never a traceback."""

    def __init__(self, *told: object) -> None:
        # A file's name may hold bytes that are no text, which no terminal and no page could show.
        super().__init__(*(t.encode("utf-8", "backslashreplace").decode() if isinstance(t, str) else t for t in told))


class ImageError(WorkbenchError):
    """The picture cannot be read or is not usable."""


class NoFaceError(WorkbenchError):
    """No face was found where one was needed."""


class CheckpointError(WorkbenchError):
    """Weights are missing, damaged or belong to another model."""


class DataError(WorkbenchError):
    """A data folder or annotation file is not what its reader expects."""


class UnknownNameError(WorkbenchError):
    """A name (model, scheme, sample, tap, preset) that does not exist."""


def unknown(what: str, name: object, known: Iterable[str]) -> UnknownNameError:
    """The error of a name that is none of the known ones: it names them all, and the one that was likely meant."""
    names = list(known)
    near = get_close_matches(str(name)[:80], names, 1)
    meant = f" Did you mean '{near[0]}'?" if near else ""
    return UnknownNameError(f"There is no {what} '{name}'; choose one of {', '.join(names)}.{meant}")


class SettingsError(WorkbenchError):
    """Settings that do not go together, that this machine cannot meet, or a place that cannot be written."""


class TraceError(WorkbenchError):
    """A trace lacks what a view needs, or its file is damaged."""


class MissingEntryError(TraceError, KeyError):
    """A trace holds no entry of that name."""

    __str__ = Exception.__str__  # a KeyError would print its message's repr


class Cancelled(WorkbenchError):
    """Whoever asked for something long has called it off."""
