"""The rows of the table: each view, what it needs of a model, and who makes its widget and its figures.

Nothing heavy is imported before something is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.axes import (
    BRANCHES,
    CASCADES,
    CHANNELS,
    ENCODINGS,
    FACE_MAP,
    FEATURES,
    LANDMARK_MAPS,
    LANDMARK_PAIRS,
    LANDMARK_TO_MAP,
    LEARNED,
    NODES,
    PLANE_POINTS,
    PRODUCTS,
    RECOVERED,
    RECTS,
    RELATIVE,
    SINGULAR,
    SPATIAL_ATTENTION,
)
from workbench.views.register import PROMPT, Figure, Needs, View, register

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.reading import Reading
    from workbench.widgets.payload import Payload


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


def _occlusion(reading: Reading, selection: Mapping[str, Any]) -> Payload:
    from workbench.widgets.occlusion import occlusion_payload

    return occlusion_payload(reading, selection=selection, live=False)


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
        "Measure",
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
        "occlusion",
        "Occlusion",
        "masks",
        "Look inside",
        "What is covered, and what is made of it",
        "What a network takes for visible, its gates, and the shape that few numbers recover, under an occluder.",
        Needs(parts=("visible",)),
        "map of what is visible",
        _occlusion,
        (_figure("occlusion", "occlusion"),),
        page="occlusion",
        also=(FACE_MAP, CHANNELS, FEATURES, PRODUCTS, RECOVERED, SINGULAR),
    ),
    View(
        "graph",
        "Graph",
        "account_tree",
        "Look inside",
        "What neighbours tell each other",
        "A landmark graph on the face: its edges, learned and on this face, and where each block moves the nodes.",
        Needs(axes=NODES),
        "landmark graph",
        _made_by("workbench.widgets.graph:graph_payload"),
        (_figure("graph", "graph", "layer", "landmark"),),
        page="graph",
        also=(LANDMARK_PAIRS[1], LEARNED, RELATIVE, LANDMARK_MAPS),
    ),
    View(
        "cascade",
        "Cascade",
        "waterfall_chart",
        "Look inside",
        "What each step takes, and moves",
        "What each task takes from the branches, where it looks, how it moves landmarks, and what pruning costs.",
        Needs(axes=BRANCHES, parts=("stages", "heatmaps")),
        "cascade that chooses between branches",
        _made_by("workbench.widgets.cascade:cascade_payload"),
        (_figure("cascade", "cascade", "landmark"),),
        page="cascade",
        also=(FACE_MAP, FEATURES, RECTS, CASCADES),
    ),
    View(
        "pose",
        "Pose",
        "3d_rotation",
        "Look inside",
        "Which way the head is turned",
        "The head's axes on the face, face confidence, and the distance heatmap that gates what both are read from.",
        Needs(parts=("pose", "confidence")),
        "head pose",
        _made_by("workbench.widgets.pose:pose_payload"),
        (_figure("pose", "pose"),),
        page="pose",
        also=(FACE_MAP, CHANNELS, FEATURES),
    ),
    View(
        "tracking",
        "Tracking",
        "movie",
        "Look inside",
        "Whether it keeps hold of a face",
        "Faces followed through a film: how each was found, confidence, pose and jitter over time.",
        Needs(parts=("pose", "confidence")),
        "tracking branch",
        _made_by("workbench.widgets.tracking:tracking_payload"),
        (_figure("tracking", "tracking"),),
        command="track",
    ),
    View(
        "attribution",
        "Attribution",
        "center_focus_strong",
        "Ask why",
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
        "Draw your own",
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
        "effect",
        "Compare",
        "compare",
        "Look inside",
        "How two answers differ",
        "Two models, two faces, or a face with and without a change, side by side, and how their landmarks differ.",
        Needs(),
        "",
        _made_by("workbench.widgets.effect:effect_payload"),
        (_figure("effect", "effect", "landmark"),),
        page="compare",
        command="what-if",
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
        stands_in=True,
    ),
):
    register(_row)
