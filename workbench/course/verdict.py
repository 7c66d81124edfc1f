"""How an exercise answers: *right*, or a hint; never the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from html import escape
from typing import Any

import numpy as np

from workbench.errors import WorkbenchError


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check says; true where the answer is right."""

    right: bool
    words: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        colour, sign = ("#0a7a4b", "✓") if self.right else ("#9a5b00", "→")
        return f'<span style="color:{colour}"><b>{sign}</b> {escape(self.words)}</span>'


class Pending(Exception):
    """There is no answer yet."""


def exercise(judge: Callable[..., str]) -> Callable[..., Verdict]:
    """A check from a function that looks at an answer and gives back a hint, or "" where it is right.

    An answer of None is one that is still to come; what cannot be used at all is told with the first line of the
    judge's docstring, which says what is asked for.
    """

    @wraps(judge)
    def check(answer: Any = None, *more: Any) -> Verdict:
        asked = (judge.__doc__ or "").splitlines()[0]
        try:
            if answer is None:
                raise Pending
            hint = judge(answer, *more)
        except Pending:
            return Verdict(False, f"Nothing to check yet: write your answer in place of None. {asked}")
        except (TypeError, ValueError, IndexError, KeyError, AttributeError, RuntimeError, WorkbenchError) as error:
            said = (str(error).splitlines() or [type(error).__name__])[0]
            return Verdict(False, f"This answer cannot be checked ({type(error).__name__}: {said}). {asked}")
        return Verdict(not hint, hint or "Right.")

    return check


def called(function: Callable[..., Any], *given: Any) -> Any:
    """What the answer, a function, gives back. Raises Pending for the stub, which gives None."""
    if not callable(function):
        raise TypeError("a function is asked for; hand it over by its name, without calling it")
    found = function(*given)
    if found is None:
        raise Pending
    return found


def numbers(answer: Any, shape: tuple[int, ...] = ()) -> np.ndarray:
    """The answer as an array of a shape. Raises ValueError, in words that are a hint."""
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu().numpy()
    found = np.array(answer, dtype=float, order="C")
    if found.shape != shape:
        asked = "one number" if shape == () else f"the shape {shape}"
        raise ValueError(f"{asked} is asked for, not the shape {found.shape}" if found.shape else f"{asked}, please")
    if not np.isfinite(found).all():
        raise ValueError("some values are not finite")
    return found


def near(answer: Any, truth: Any, relative: float = 0.02, absolute: float = 1e-6) -> bool:
    """Whether every value of the answer is that of the truth, within a tolerance."""
    truth = np.asarray(truth, dtype=float)
    return bool(np.allclose(numbers(answer, truth.shape), truth, rtol=relative, atol=absolute))
