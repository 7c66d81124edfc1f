"""Errors that a person reads: one sentence saying what is wrong and what to do."""

from __future__ import annotations


class WorkbenchError(ValueError):
    """Anything a user can mend. Pages and the shell print its message and never a traceback."""


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


class SettingsError(WorkbenchError):
    """Settings that do not go together, that this machine cannot meet, or a place that cannot be written."""


class TraceError(WorkbenchError):
    """A trace lacks what a view needs, or its file is damaged."""


class MissingEntryError(TraceError, KeyError):
    """A trace holds no entry of that name."""

    __str__ = Exception.__str__  # a KeyError would print its message's repr


class Cancelled(WorkbenchError):
    """Whoever asked for something long has called it off."""
