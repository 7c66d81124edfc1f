"""The one table of views: what each is called, what it needs of a model, and who makes its widget and its figures.

Navigation, links, empty states, the shell and the tests read it. A view asks for axes of taps and for parts of an
``Alignment``, never for a system or a path. Nothing heavy is imported before something is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.axes import (
    ENCODINGS,
    GENERAL,
    LANDMARK_PAIRS,
    LANDMARK_TO_MAP,
    PLANE_POINTS,
    SPATIAL_ATTENTION,
    Axes,
    own,
)
from workbench.errors import SettingsError, UnknownNameError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.models.base import FaceModel, ModelCard
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

    @property
    def url(self) -> str:
        """The last part of its page's address."""
        return self.page.replace("_", "-")

    @property
    def recorded(self) -> tuple[Axes, ...]:
        """Axes of the taps that a reading for it records: the small ones of all general views, where they suffice."""
        asked = (*self.needs.axes, *self.also)
        return GENERAL if set(asked) <= set(GENERAL) else asked


VIEWS: dict[str, View] = {}
"""By name, in the order of the navigation."""


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
        raise UnknownNameError(f"There is no view '{name}'; choose one of {', '.join(VIEWS)}.")
    return VIEWS[name]


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


# The rows


def _made_by(path: str) -> Callable[..., Any]:
    """The function at "module:name", imported when it is first called."""

    def make(*args: Any, **options: Any) -> Any:
        module, name = path.split(":")
        return getattr(import_module(module), name)(*args, **options)

    return make


def _figure(name: str, maker: str, *options: str, **renamed: str) -> Figure:
    return Figure(name, _made_by(f"workbench.figures:{maker}"), {o: o for o in options} | renamed)


def _picker(reading: Reading, selection: Mapping[str, Any]) -> Payload:
    from workbench.widgets.picker import picker_payload

    return picker_payload(reading.face, landmarks=reading.to_photo(reading.points()), scheme=reading.scheme)


def _uncertainty(reading: Reading, selection: Mapping[str, Any]) -> Payload:
    from workbench.widgets.uncertainty import uncertainty_payload

    return uncertainty_payload(reading, selection=selection, live=False)


def _inside(reading: Reading, selection: Mapping[str, Any]) -> Payload:
    from workbench.widgets.inside import inside_payload

    chosen = {k: v for k, v in selection.items() if k != "tap"}
    return inside_payload(reading, _tensor(reading, selection.get("tap")), chosen)


def _inside_figure(reading: Reading, tap: str | None = None, **parameters: Any) -> go.Figure:
    from workbench.figures import inside

    return inside(reading, _tensor(reading, tap), **parameters)


def _tensor(reading: Reading, tap: str | None) -> str:
    from workbench.explain.inside import find, first_choice, inner_maps

    there = inner_maps(reading)
    return first_choice(there) if tap is None else find(there, tap).name


def _self_attention_figure(reading: Reading, place: tuple[float, float] = (0.5, 0.5)) -> go.Figure:
    from workbench.figures import self_attention
    from workbench.widgets.self_attention import panel_of

    panel = panel_of(reading)
    return self_attention(reading, panel.tensor, *place)


def _shape(reading: Reading, selection: Mapping[str, Any]) -> Payload:
    from workbench.shaping import ShapeReading
    from workbench.widgets.shape import shape_payload

    assert isinstance(reading, ShapeReading)
    return shape_payload(reading.face, reading.plane, reading, live=False)


_WEIGHTS = ("kind", "stage", "layer", "head")

for _row in (
    View(
        "picker",
        "Start",
        "face",
        "Begin",
        "Another face",
        "Choose a face and a model, and see where the landmarks land.",
        Needs(),
        "",
        _picker,
        (_figure("landmarks", "landmarks"),),
        page="start",
        standalone=False,
    ),
    View(
        "inside",
        "Inside",
        "layers",
        "Look inside",
        "What it holds inside",
        "Every tensor that a model records, on the face.",
        Needs(taps=True),
        "taps, so there is nothing to look at inside it",
        _inside,
        (
            Figure(
                "inside",
                _inside_figure,
                {"tap": "tap", "stage": "stage", "head": "head", "landmark": "item", "top_k": "top_k"},
            ),
            _figure("trajectory", "trajectory", "landmark"),
        ),
        page="inside",
    ),
    View(
        "relations",
        "Relations",
        "hub",
        "Look inside",
        "Which landmarks listen to which",
        "The attention between landmarks, on the face and as a matrix.",
        Needs(axes=LANDMARK_PAIRS),
        "attention between landmarks",
        _made_by("workbench.widgets.relations:relations_payload"),
        (
            _figure("relations", "relations", *_WEIGHTS, "top_k", "threshold", "landmark"),
            _figure("matrix", "matrix", *_WEIGHTS, "landmark"),
            _figure("partners", "partners", *_WEIGHTS),
            _figure("thumbnails", "thumbnails", "kind", "stage"),
        ),
        page="relations",
    ),
    View(
        "structure",
        "Structure",
        "grid_on",
        "Look inside",
        "What it knows of a face",
        "What a model knows of a face before it has seen one: the similarity of its structure encodings.",
        Needs(axes=ENCODINGS),
        "structure encodings, one a landmark",
        _made_by("workbench.widgets.structure:structure_payload"),
        (
            _figure("structure", "structure", "landmark"),
            _figure("neighbours", "structure_neighbours", "landmark", top_k="k"),
        ),
        page="structure",
    ),
    View(
        "uncertainty",
        "Uncertainty",
        "blur_on",
        "Look inside",
        "How sure it is",
        "Spreads, patches and paths, and what happens when a part of the face is covered.",
        Needs(parts=("variance", "rects")),
        "uncertainty of its own to show",
        _uncertainty,
        (
            _figure("uncertainty", "uncertainty", "stage", "layer", "recalibrated"),
            _figure("sigma", "sigma_bars", "stage", "layer", "recalibrated"),
            _figure("patches", "patches"),
        ),
        page="uncertainty",
    ),
    View(
        "self_attention",
        "Self-attention",
        "my_location",
        "Look inside",
        "Where a place of the face looks",
        "The self-attention between places of the face, with and without the structure prior in training.",
        Needs(axes=SPATIAL_ATTENTION),
        "self-attention between the places of a feature map",
        _made_by("workbench.widgets.self_attention:self_attention_payload"),
        (Figure("self_attention", _self_attention_figure, {"at": "place"}),),
        page="self_attention",
    ),
    View(
        "attribution",
        "Attribution",
        "center_focus_strong",
        "Look inside",
        "What an answer depends on",
        "Which places and parts of the face hold a landmark where it is, by occlusion, Shapley values or gradients.",
        Needs(),
        "",
        _made_by("workbench.widgets.attribution:attribution_payload"),
        (_figure("attribution", "attribution", "landmark"),),
        page="attribution",
        command="attribute",
    ),
    View(
        "prompts",
        "Prompts",
        "pin_drop",
        "Look inside",
        "How each point of a shape is found",
        "Where each point of a structure prompt looks, layer by layer, and how the prompt lies on the face plane.",
        Needs(axes=LANDMARK_TO_MAP, parts=(PROMPT,)),
        "structure prompts whose points look at the face",
        _made_by("workbench.widgets.prompts:prompts_payload"),
        (_figure("prompts", "prompts", "layer", "head", "landmark"),),
        page="prompts",
        also=PLANE_POINTS,
    ),
    View(
        "shape",
        "Shape",
        "draw",
        "Draw your own",
        "Find points of your own",
        "Draw points of your own on the face plane and see them found on the chosen face.",
        Needs(parts=(PROMPT,)),
        "structure prompts, so it finds its own points only",
        _shape,
        (_figure("shape", "shape"),),
        page="shape",
        command="shape",
    ),
):
    register(_row)
