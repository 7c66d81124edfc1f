"""What a person reads when something does not work: one sentence, what to do next, never a traceback."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from workbench.app import state
from workbench.errors import CheckpointError, NoFaceError, UnknownNameError, WorkbenchError
from workbench.paths import share

log = logging.getLogger("workbench.app")
P = ParamSpec("P")


@contextmanager
def guard(place: str) -> Iterator[None]:
    """Show errors of the block as a sentence. ``place`` names the block and keeps its buttons apart.

    A :class:`WorkbenchError` speaks for itself. Anything else is a fault of ours: it goes to the server's log with its
    traceback, and the page says so. Streamlit's own reruns and stops pass through.
    """
    try:
        yield
    except WorkbenchError as error:
        complain(str(error), place, error)
    except Exception as error:
        log.exception("Unexpected failure in %s", place)
        complain(
            "This view could not be drawn because of a fault in the workbench; the terminal where it runs says more.",
            place,
            error,
        )


def panel(function: Callable[P, None]) -> Callable[P, None]:
    """A part of a page that reruns by itself (a fragment) and whose errors stay inside it; when it has chosen
    another face or model, everything reruns, so that the strip above it says so."""

    @st.fragment
    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        if state.outdated():
            st.rerun()
        with guard(function.__name__):
            function(*args, **kwargs)

    return guarded


def complain(sentence: str, place: str, error: Exception | None = None) -> None:
    """One sentence and the one button that leads on."""
    with st.container(
        key=f"wb-problem-{place}", border=True, horizontal=True, vertical_alignment="center", gap="medium"
    ):
        st.markdown(f":material/error: {plain(sentence)}")
        if isinstance(error, NoFaceError) and place != "face":
            st.page_link(share("pages") / "start.py", label="Draw a box on Start", icon=":material/crop_free:")
        label, action = _next_step(error)
        st.button(label, key=f"wb_problem_{place}", on_click=action, type="primary")


def plain(text: str) -> str:
    """Text that may hold a file's name, with everything that Markdown would take for markup escaped."""
    return re.sub(r"([\\`*_\[\]<>#$~:|])", r"\\\1", text)


def _next_step(error: Exception | None) -> tuple[str, Callable[[], None]]:
    if isinstance(error, NoFaceError):
        return "Take a sample face instead", _sample
    if isinstance(error, CheckpointError | UnknownNameError):
        return "Go back to the default face and model", _afresh
    if isinstance(error, WorkbenchError):
        return "Take a sample face instead", _sample
    return "Start afresh with a sample face", _afresh


def _sample() -> None:
    from workbench.app import readings

    state.choose_sample(readings.shelf().default_sample)


def _afresh() -> None:
    from workbench.app import readings

    default = readings.shelf().default()
    state.update(**{name: getattr(default, name) for name in default.__dataclass_fields__})
