"""Configurations of the systems: frozen, and checked when they are made."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import UnionType
from typing import Any, Literal, Protocol, Union, get_args, get_origin, get_type_hints

from workbench.errors import SettingsError, UnknownNameError


class ModelConfig(Protocol):
    """What a system's frozen configuration tells at least."""

    @property
    def system(self) -> str: ...
    @property
    def scheme(self) -> str: ...
    @property
    def landmarks(self) -> int: ...
    @property
    def input_size(self) -> int: ...


def one_of(what: str, value: object, choices: Iterable[object]) -> None:
    """Raises UnknownNameError unless ``value`` is among the choices."""
    known = tuple(choices)
    if value not in known:
        raise UnknownNameError(f"There is no {what} {value!r}; it is one of {', '.join(map(repr, known))}.")


class ValidatedConfig:
    """Base of the configurations: switches must be among their ``Literal`` choices, and counts must make sense.

    Raises:
        UnknownNameError: a switch that does not exist.
        SettingsError: a value of another type, or a count below one.
    """

    def __post_init__(self) -> None:
        for name, hint in hints_of(type(self)).items():  # type: ignore[arg-type]  # a class is hashable
            value = getattr(self, name)
            if is_a(value, hint):
                continue
            choices = [c for part in (hint, *get_args(hint)) if get_origin(part) is Literal for c in get_args(part)]
            if choices:
                one_of(name, value, choices)
            raise SettingsError(f"{name} cannot be {value!r}.")
        for name in _COUNTS:
            value = getattr(self, name, 1)
            if isinstance(value, int) and value < 1:
                raise SettingsError(f"{name} must be at least 1, not {value}.")
        for name in hints_of(type(self)):  # type: ignore[arg-type]
            value = getattr(self, name)
            if isinstance(value, int) and value > LARGEST:
                raise SettingsError(f"{name} may be at most {LARGEST}, more than any machine computes.")


hints_of = cache(get_type_hints)  # a class has many presets, all made at import


def is_a(value: object, hint: Any) -> bool:
    """Whether a value is what an annotation says, as far as configurations go."""
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        if not isinstance(value, tuple):
            return False
        inner = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        return len(inner) == len(value) and all(map(is_a, value, inner))
    if get_origin(hint) is dict:
        return isinstance(value, dict)
    if get_origin(hint) in (Union, UnionType):
        return any(is_a(value, part) for part in get_args(hint))
    if hint in (int, float):
        return not isinstance(value, bool) and isinstance(value, (int, hint))
    return isinstance(value, hint)


LARGEST = 2**16
"""The most that any number of a configuration that counts something may be."""
_COUNTS = ("input_size", "dim", "heads", "layers", "stages", "patch")
