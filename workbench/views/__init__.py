"""The one table of views: what each is called, what it needs of a model, and who makes its widget and its figures.

Navigation, links, empty states, the shell and the tests read it. A view asks for axes of taps and for parts of an
``Alignment``, never for a system or a path.
"""

from __future__ import annotations

from workbench.views import rows  # noqa: F401  (fills the register)
from workbench.views.register import (
    GROUPS,
    PROMPT,
    TOOLS,
    VIEWS,
    Figure,
    Needs,
    Offer,
    Tool,
    View,
    figures,
    get_view,
    grouped,
    offer_of,
    offered,
    register,
    without,
)

__all__ = [
    "GROUPS",
    "PROMPT",
    "TOOLS",
    "VIEWS",
    "Figure",
    "Needs",
    "Offer",
    "Tool",
    "View",
    "figures",
    "get_view",
    "grouped",
    "offer_of",
    "offered",
    "register",
    "without",
]
