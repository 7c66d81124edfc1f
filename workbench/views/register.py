"""The register of views: what a view is, what it needs of a model, and which views a model can be shown in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.axes import GENERAL, Axes, own
from workbench.errors import SettingsError, unknown

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.models.base import FaceModel
    from workbench.models.card import ModelCard
    from workbench.reading import Reading
    from workbench.widgets.payload import Payload

PROMPT = "prompt"
"""Among the parts of a model: it takes structure prompts."""


@dataclass(frozen=True)
class Offer:
    """What a model has for a view: the axes of its taps, and the parts of its answer."""

    axes: frozenset[Axes]
    parts: frozenset[str]


@dataclass(frozen=True)
class Needs:
    """What a view needs of a model.

    Attributes:
        axes: a tap of any of these.
        parts: all of these fields of ``Alignment`` filled, or :data:`PROMPT`.
        taps: a tap of whatever axes.
    """

    axes: tuple[Axes, ...] = ()
    parts: tuple[str, ...] = ()
    taps: bool = False

    def met_by(self, offer: Offer) -> bool:
        """Whether a model with this offer can be shown."""
        return (
            (not self.axes or not offer.axes.isdisjoint(self.axes))
            and offer.parts.issuperset(self.parts)
            and (not self.taps or bool(offer.axes))
        )


@dataclass(frozen=True)
class Figure:
    """A Plotly figure of a view.

    Attributes:
        name: what the shell's ``--view`` calls it.
        make: (reading, parameters) -> figure.
        options: the shell's options that it depends on -> its parameters.
    """

    name: str
    make: Callable[..., go.Figure]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """A way of looking at a reading.

    Attributes:
        name: of its widget, its payload module and its figure's.
        title, icon: in the navigation; the icon is a Material symbol.
        group: heading in the navigation under which its page stands.
        question: what a person comes with, the text of links to it.
        sentence: what it shows.
        needs: of a model.
        lacks: what a model without that has not, the end of "<model> has no ...".
        payload: (reading, entries of the widget's selection) -> what the widget is fed with.
        figures: the first one is the view itself as a picture; the others show parts of it.
        page: name of its script in ``pages/``; "" for a view without a page.
        command: the shell's command that draws its figures.
        standalone: whether its widget says something in a file, where no Python answers.
        also: axes of further taps that a reading for it records, where a model has them.
        stands_in: whether its page takes another model where the chosen one has not what it needs.
    """

    name: str
    title: str
    icon: str
    group: str
    question: str
    sentence: str
    needs: Needs
    lacks: str
    payload: Callable[[Reading, Mapping[str, Any]], Payload]
    figures: tuple[Figure, ...]
    page: str = ""
    command: str = "figure"
    standalone: bool = True
    also: tuple[Axes, ...] = ()
    stands_in: bool = False

    @property
    def url(self) -> str:
        """The last part of its page's address."""
        return self.page.replace("_", "-")

    @property
    def recorded(self) -> tuple[Axes, ...]:
        """Axes of the taps that a reading for it records: the small ones of all general views, where they suffice."""
        asked = (*self.needs.axes, *self.also)
        return GENERAL if set(asked) <= set(GENERAL) else asked


@dataclass(frozen=True)
class Tool:
    """A page that is about no single reading.

    Attributes:
        name, title, icon, group, question, sentence, page: as of a :class:`View`.
    """

    name: str
    title: str
    icon: str
    group: str
    question: str
    sentence: str
    page: str

    @property
    def url(self) -> str:
        """The last part of its page's address."""
        return self.page.replace("_", "-")


GROUPS = ("Begin", "Look inside", "Ask why", "Draw your own", "Measure")
"""Headings of the navigation, each a kind of question that a person has."""
VIEWS: dict[str, View] = {}
"""By name, in the order of the navigation within their groups."""
TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "dataset",
            "Data set",
            "grid_view",
            "Measure",
            "On which faces it fails",
            "A whole run: errors against σ or any other number, and a wall of faces, worst first; a click opens one.",
            "dataset",
        ),
    )
}
"""Pages beside the views, by name."""


def register(view: View) -> View:
    """Add a view to the table.

    Raises:
        SettingsError: its name, or that of one of its figures, is taken.
    """
    taken = {*VIEWS, *(figure.name for known in VIEWS.values() for figure in known.figures)}
    for name in dict.fromkeys((view.name, *(figure.name for figure in view.figures))):
        if name in taken:
            raise SettingsError(f"There is a view or a figure called '{name}' already.")
    VIEWS[view.name] = view
    return view


def get_view(name: str) -> View:
    """A view by its name. Raises UnknownNameError."""
    if name not in VIEWS:
        raise unknown("view", name, VIEWS)
    return VIEWS[name]


def grouped() -> dict[str, list[View | Tool]]:
    """The views that have a page, and the tools, under the headings of the navigation; headings that are not listed
    come last."""
    out: dict[str, list[View | Tool]] = {group: [] for group in GROUPS}
    entries: list[View | Tool] = [*VIEWS.values(), *TOOLS.values()]
    for entry in entries:
        if entry.page:
            out.setdefault(entry.group, []).append(entry)
    return {group: views for group, views in out.items() if views}


def figures(command: str = "figure") -> dict[str, tuple[View, Figure]]:
    """The figures that a command of the shell draws, by name."""
    return {f.name: (view, f) for view in VIEWS.values() if view.command == command for f in view.figures}


def offer_of(source: ModelCard | FaceModel) -> Offer:
    """What a model has, told by its card; by the model itself where its card does not say."""
    from workbench.models import FaceModel, offers
    from workbench.models.systems import get_system

    found = offers(source)
    system = get_system(source.config.system if isinstance(source, FaceModel) else source.system)
    parts = {*found.parts, PROMPT} if system.prompts else found.parts
    return Offer(frozenset(map(own, found.taps.values())), frozenset(parts))


def without(view: View, title: str, others: Iterable[str]) -> str:
    """What is said where a model cannot be shown: what it lacks, and another that has it."""
    other = next(iter(others), None)
    has = "no model on the shelf has" if other is None else f"{other} has"
    return f"{title} has no {view.lacks}; {has}."


def offered(offer: Offer) -> list[View]:
    """The views that a model with this offer can be shown in."""
    return [view for view in VIEWS.values() if view.needs.met_by(offer)]
