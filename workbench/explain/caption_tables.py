"""The captions of the views, as tables of clauses (``captions.py``).

The facts that a table needs stand in its docstring, in the order of their appearance. ``widget`` is whether the
reader sees a widget, which holds its tensors as float16; a figure is made of what was recorded. Stages, layers and
heads count from 1; None stands for a mean over all of them or, of a landmark, for all landmarks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.explain.captions import Clause

_ANY = {"not": None}
_FLOAT16 = Clause("float16", {"widget": True})


def _strongest(which: str, landmark: str, own: str, when: Mapping[str, Any]) -> list[Clause]:
    """ "3 strongest keys of each landmark" in all its forms."""
    return [
        Clause(f"{many} {which} {whose}{rest}", {**when, "topk": topk, landmark: name, **itself})
        for many, topk in (("{topk} strongest", {"not": 0}), ("all", 0))
        for whose, name in (("each landmark", None), (f"{{{landmark}}}", _ANY))
        for rest, itself in (
            (("", {own: True}), (" other than itself", {own: False})) if own else ((", itself left out", {}),)
        )
    ]


def _first_keys() -> list[Clause]:
    arrow, best = "to the key it weighs most, other than itself", {"mode": "best"}
    return [
        Clause(f"an arrow from each landmark {arrow}", {**best, "landmark": None}),
        Clause(f"an arrow from {{landmark}} {arrow}", {**best, "landmark": _ANY, "direction": "query"}),
        Clause(
            "arrows to {landmark} from the landmarks that weigh it most, other than itself",
            {**best, "landmark": _ANY, "direction": "key"},
        ),
    ]


LABEL: Sequence[Clause] = (Clause("yellow crosses: the data set's label, each joined to its answer"),)
LABEL_ALONE: Sequence[Clause] = (Clause("yellow crosses: the data set's label"),)
"""What is added where the label of a face is drawn; beside the arrows of an effect the crosses stand alone."""

_SEVERAL = {"not": 1}
RELATION_MAP: Sequence[Clause] = (
    Clause("{tensor}", code=True),
    Clause("stage {stage} of {stages}", {"stage": _ANY, "stages": _SEVERAL}),
    Clause("mean of {stages} stages", {"stage": None, "stages": _SEVERAL}),
    Clause("mean of {layers} layers", {"layer": None, "layers": _SEVERAL}),
    Clause("head {head} of {heads}", {"head": _ANY, "heads": _SEVERAL}),
    Clause("mean of {heads} heads", {"head": None, "heads": _SEVERAL}),
    Clause("idle by construction: all keys bring one value, so no answer depends on these weights", {"idle": True}),
    Clause("1 / degree within 5 %: the training has hardly moved these edges", {"even": True}),
    Clause(
        "mean of heads, skip and self-attention counted alike, rows scaled to sum 1; an approximation: values, "
        "feed-forward blocks and norms are left out",
        {"rolled": True},
    ),
)
"""Which weights: the first clauses of :data:`RELATIONS`."""
RELATION_EDGES: Sequence[Clause] = (
    *_strongest("keys of", "landmark", "own", {"mode": "lines", "direction": "query"}),
    *_strongest("queries on", "landmark", "own", {"mode": "lines", "direction": "key"}),
    *_first_keys(),
    *_strongest("keys in every head of", "landmark", "own", {"mode": "heads", "direction": "query"}),
    *_strongest("queries in every head on", "landmark", "own", {"mode": "heads", "direction": "key"}),
    Clause("weights from {threshold} up", {"threshold": {"not": 0}}),
)
"""Which of them are drawn: the next clauses of :data:`RELATIONS`."""
RELATIONS: Sequence[Clause] = (
    *RELATION_MAP,
    *RELATION_EDGES,
    Clause("one colour a head, width the weight; the matrix is the one that is chosen", {"mode": "heads"}),
    Clause("landmarks of the {part} alone", {"part": _ANY, "landmark": None}),
    Clause("an arrow from each landmark to the key it weighs most", {"mode": "partners"}),
    Clause("landmarks ordered by facial part", {"mode": "matrix"}),
    Clause("row of {landmark} framed", {"mode": "matrix", "direction": "query", "landmark": _ANY}),
    Clause("column of {landmark} framed", {"mode": "matrix", "direction": "key", "landmark": _ANY}),
    Clause("scale 0 to {top}, the largest here", {"scale": "map"}),
    Clause("scale 0 to {top}, the largest of all maps", {"scale": "all"}),
    Clause("diagonal hidden", {"own": False}),
    Clause("diagonal drawn as rings", {"own": True, "mode": "lines"}),
    Clause("diagonal drawn as rings", {"own": True, "mode": "partners"}),
    Clause("diagonal drawn as rings", {"own": True, "mode": "heads"}),
    Clause("diagonal in the matrix", {"own": True, "mode": "best"}),
    Clause("from query to key a line bends to the left", {"mode": {"not": "matrix"}}),
    _FLOAT16,
)
"""tensor str ("relation.layers.0.cross"), stage, stages, layer, layers, head, heads; idle, even, rolled bool; mode
"lines" | "best", of widgets alone "heads", of figures alone "partners" | "matrix"; part str | None for all; direction
"query" | "key"; landmark str ("nose bridge 4 of 4 (30)") | None; topk int, 0 when all partners are drawn; own bool,
whether weights of a landmark on itself are drawn; threshold float, 0 for none; top float, where the scale ends; scale
"map" | "all"; widget bool."""

UNCERTAINTY_STEP: Sequence[Clause] = (
    Clause("alignment.variance", {"stage": _ANY}, code=True),
    Clause("mean_shape", {"stage": None}, code=True),
    Clause("stage {stage} of {stages}", {"stage": _ANY}),
    Clause("layer {layer} of {layers}", {"stage": _ANY}),
    Clause("mean face, before the first stage", {"stage": None}),
    Clause("recalibrated: σ × {scale} in this stage, fitted on {fitted}", {"scale": _ANY}),
)
"""Which answer: the first clauses of :data:`UNCERTAINTY`."""
UNCERTAINTY: Sequence[Clause] = (
    *UNCERTAINTY_STEP,
    Clause(
        "ellipses at 1, 2, 3 σ, σ = √variance × patch side; a {law} has {inside1}, {inside2}, {inside3} % of its mass "
        "inside",
        {"ellipses": True, "stage": _ANY},
    ),
    Clause("patches.rects, v the last layer's variance in patch sides²", {"patches": True}),
    Clause("path: the answers of all layers up to here, joined by straight lines", {"path": True, "stage": _ANY}),
    Clause("{occluder} over {covered} % of the crop", {"occluder": _ANY}),
    Clause(
        "bars: marks at the uncovered σ, blocks before those under the occluder, "
        "white lines: from the uncovered answer",
        {"compared": True},
    ),
    Clause(
        "patches of {pinned}: answer, 1 and 3 σ of each stage's last layer, and the density of a {law} along each "
        "axis, as high as its strip",
        {"pinned": _ANY},
    ),
    Clause("darker colours: image left"),
)
"""stage None for the mean face, stages, layer, layers; scale float, by what a recalibrated sigma is multiplied, fitted
str, on what, both None for one as predicted; ellipses, patches, path bool, whether they are drawn; law
"Gaussian" | "Laplace distribution"; inside1, inside2, inside3 int, percent of its mass within 1, 2, 3 sigma; occluder
str (its fill) | None; covered float, percent of the crop, two digits; compared bool, whether an uncovered reading
stands beside it and a stage is shown; pinned str | None, the landmark whose patches are shown (widgets alone)."""

STRUCTURE_SIMILARITY: Sequence[Clause] = (
    Clause("{tensor}", code=True),
    Clause("cosine similarity of {count} encodings of width {width}", {"count2": None}),
    Clause(
        "cosine similarity of {count} encodings of width {width} and of {count2} encodings of width {width2}",
        {"count2": _ANY},
    ),
)
"""Of which encodings: the first clauses of :data:`STRUCTURE`."""
STRUCTURE: Sequence[Clause] = (
    *STRUCTURE_SIMILARITY,
    Clause("scale -1 to 1 about 0"),
    Clause("weights of the model, the same for every photograph"),
    _FLOAT16,
    *(
        Clause(
            "{landmark} of {points}: " + ", ".join(f"{{near{k}}} {{cosine{k}}}" for k in range(1, near + 1)),
            {"landmark": _ANY, "near": near},
        )
        for near in (1, 2, 3)
    ),
    Clause("point at a landmark or a row for its nearest encodings", {"landmark": None, "widget": True}),
)
"""tensor str; count, width of the first model's encodings, count2, width2 of the second's (None for one model);
widget bool; landmark str | None, points int, how many its model has; near int (0 to 3), near1 ... near3 str and
cosine1 ... cosine3 float: the nearest encodings."""

PRIOR: Sequence[Clause] = (
    Clause("prior mask of its own landmarks: sigma {sigma}, R {radius} cells, {share} % of the map", {"sigma": _ANY}),
)
"""Of the structure prior: a part of :data:`SELF_ATTENTION`."""
SELF_ATTENTION: Sequence[Clause] = (
    Clause("{tensor}", code=True),
    Clause("query y {row}, x {column} of {size} × {size}"),
    Clause("one in {every} rows and columns of queries is sent", {"every": {"not": 1}}),
    Clause("softmax over all keys: a row sums to 1", {"softmax": True}),
    Clause("raw products, not normalised", {"softmax": False}),
    Clause("scale {low} to {high}, the largest here", {"scale": "map"}),
    Clause("scale {low} to {high}, the larger of both maps", {"scale": "both"}),
    Clause("not smoothed, more opaque where larger"),
    Clause("float16", {"widget": True, "rank": None}),
    Clause("from factors of rank {rank}, off by {departure} at most", {"widget": True, "rank": _ANY}),
    *PRIOR,
    Clause("beta {beta}", {"sigma": _ANY}),
    Clause("mask moved by hand: training had sigma {trained_sigma}, R {trained_radius}", {"moved": True}),
)
"""tensor str; row, column int, of the query's cell from 0; size, every int, cells along a side, 1 when all queries are
there; softmax, widget, moved bool; low, high, departure float; scale "map" | "both"; rank int of the factors | None;
sigma, radius, trained_sigma, trained_radius float, in cells; share int, percent of the map under it; beta float."""

_ITEMS = {
    "landmarks": "largest of {count} landmarks",
    "landmark_to_map": "mean of {count} landmarks",
    "patches": "choose a landmark for its patch",
}
INSIDE_TENSOR: Sequence[Clause] = (
    Clause("{tensor}", {"tensor": _ANY}, code=True),
    Clause("{words}", {"tensor": _ANY}),
    Clause("stage {stage} of {stages}", {"stage": _ANY}),
    Clause("head {head} of {heads}", {"heads": _ANY, "head": _ANY}),
    Clause("mean of {heads} heads", {"heads": _ANY, "head": None}),
    Clause("{done}", {"done": {"not": ""}}),
    Clause("channel {channel} of {count}", {"kind": "channels", "channel": _ANY}),
    Clause("mean of the absolute values of {count} channels", {"kind": "channels", "channel": None}),
    *(Clause("{landmark}", {"kind": kind, "landmark": _ANY}) for kind in _ITEMS),
    *(Clause(text, {"kind": kind, "landmark": None}) for kind, text in _ITEMS.items()),
)
"""What of a tensor is shown: a part of :data:`INSIDE`."""
INSIDE: Sequence[Clause] = (
    Clause("alignment.landmarks", {"tensor": None}, code=True),
    Clause("{points} points", {"tensor": None}),
    Clause("this system gives one answer, without stages", {"tensor": None, "trajectory": None}),
    *INSIDE_TENSOR,
    *_strongest("of", "landmark", "", {"kind": "landmark_pairs"}),
    Clause("{rows} × {columns} cells, not smoothed, more opaque where larger", {"rows": _ANY}),
    Clause("scale {low} to {high}, the largest here", {"low": _ANY, "scale": "map"}),
    Clause("scale {low} to {high}, the least and the largest here", {"low": _ANY, "scale": "range"}),
    Clause("scale {low} to {high}, the largest of all its maps", {"low": _ANY, "scale": "all"}),
    Clause("what lies below shares its first colour", {"below": True}),
    Clause("as recorded", {"tensor": _ANY}),
    Clause("float16", {"widget": True, "tensor": _ANY}),
    Clause("landmarks: {trajectory}", {"trajectory": _ANY}),
)
"""tensor str | None (the landmarks alone), points int, trajectory str ("stage 2 of 3, layer 1": the step whose
landmarks are drawn) | None for a system with one answer; words str; stage int | None where there is one, stages; head,
heads (None where there is one); done str, what was computed; kind str; channel int from 0 | None, count int, channels
or landmarks of the tensor; landmark str | None; topk int, 0 for all lines; rows, columns int, cells of a map | None;
low, high float, of the scale | None where there is none; scale "map" | "range" | "all"; below bool, whether values lie
below the scale; widget bool."""

RELATION_CHANGE: Sequence[Clause] = (
    Clause("{map}", code=True),
    Clause("lines: the {count} weights that changed most, by up to {most}"),
    Clause("dots: the mean weight on each landmark, changed by up to {reach}"),
    Clause("red: more, blue: less"),
    Clause("squares: the {covered} landmarks under the occluder", {"covered": {"not": 0}}),
)
"""map str, of which weights ("relation.layers.0.cross · ... · with the occluder minus without"); count, covered int;
most, reach float, where the scales end. A figure only."""

STRUCTURE_NEIGHBOURS: Sequence[Clause] = (
    Clause("{tensor}", code=True),
    Clause("{k} most similar other encodings of each landmark, by cosine similarity", {"landmark": None}),
    Clause("{k} most similar other encodings of {landmark}, by cosine similarity", {"landmark": _ANY}),
    Clause("on the mean face"),
    Clause("weights of the model, the same for every photograph"),
)
"""tensor str; k int; landmark str | None. A figure only."""

THUMBNAILS: Sequence[Clause] = (
    Clause("{tensor}", code=True),
    Clause("stage {stage} of {stages}"),
    Clause("{layers} layers × {heads} heads"),
    Clause("a line from each landmark to the key it weighs most, other than itself", {"faces": True}),
    Clause("rows are queries, columns keys, ordered by facial part", {"faces": False}),
    Clause("scale 0 to {top}, the largest here"),
)
"""tensor str; stage, stages, layers, heads; faces bool, whether lines on faces are drawn rather than matrices; top
float, where the scale ends. A figure only."""

STUDY: Sequence[Clause] = (
    Clause("{model}"),
    Clause("mean of the weights over {words} and over all heads"),
    Clause(
        "matrices: stage {stage} of {stages}, rows are queries, columns keys, ordered by facial part",
        {"stages": _SEVERAL},
    ),
    Clause("matrices: rows are queries, columns keys, ordered by facial part", {"stages": 1}),
    Clause("each row's scale begins at 0 and ends at its largest"),
    Clause("lines: distance between query and key, weighted, over the outer eye corners' distance"),
    Clause("strong: the last stage", {"stages": _SEVERAL}),
    Clause("dashed: weights that are all alike, {uniform}"),
    Clause("idle by construction: {idle}", {"idle": _ANY}),
)
"""model, words str, of which faces; stage, stages int; uniform float, inter-ocular distances; idle
str, layers that no answer depends on | None. A figure only."""
STUDY_TARGETS: Sequence[Clause] = (
    Clause("{model}"),
    Clause("labels of {words} in the coordinates of their patch (white frame), stage {stage} of {stages}"),
    Clause("{bins} × {bins} cells, {reach} % of the patch beyond it on every side; farther labels are not drawn"),
    Clause("each scale ends at its largest count"),
)
"""model, words str; stage, stages, bins int; reach float, per cent. A figure only."""

_DRAWN = {"shape": _ANY}
SHAPE: Sequence[Clause] = (
    Clause("Nothing is drawn yet, so nothing is found.", {"shape": None}),
    Clause("prompter.points → alignment.landmarks", _DRAWN, code=True),
    Clause("{shape} by {model}", {**_DRAWN, "weights": ""}),
    Clause("{shape} by {model} (weights {weights})", {**_DRAWN, "weights": {"not": ""}}),
    Clause("plane in grey: {anchors} anchors of {guide}, after the alignment embedding", {"guide": _ANY}),
    Clause("plane in grey: empty", {**_DRAWN, "guide": None}),
    Clause("all {points} points are anchors that were trained", {**_DRAWN, "off": 0}),
    Clause(
        "{off} of {points} points (diamonds) are none of the {trained} trained anchors ({conventions}): nothing was "
        "measured for them; the nearest anchor is {median} % of the side away (median), at most {farthest} %",
        {**_DRAWN, "off": {"not": 0}, "median": _ANY},
    ),
    Clause("no anchor is known, so nothing says how far to trust a point", {**_DRAWN, "farthest": None}),
    Clause(
        "{guesses} of them (hollow) are guesses: beyond all anchors, or more than {far} % from each",
        {**_DRAWN, "guesses": {"not": 0}},
    ),
    Clause(
        "ring: how far a point moves when the face is mirrored or cropped otherwise, {spread} % of the crop's side "
        "(median; root mean square of 5 views)",
        {**_DRAWN, "spread": _ANY},
    ),
    Clause("in the {size} px crop, nothing smoothed", _DRAWN),
    Clause("a newer drawing is being found", {**_DRAWN, "pending": True}),
)
"""shape str, the drawing's name | None while nothing is drawn; model str, weights str, the first eight digits of the
checkpoint's hash or ""; anchors int, guide str, the convention in grey | None for an empty plane; points int, off int,
how many of them are no anchors; median, farthest float, their distance to the nearest anchor in per cent of the
plane's side | None; trained int, conventions str, the anchors; guesses int, far float, see ``ShapeReading.guesses``;
size int, pixels of the crop; faces int, on how many it was found; spread float, the points' median, see
``finding.spread``, in per cent | None; pending bool, whether the widget waits."""

PROMPTS: Sequence[Clause] = (
    Clause("{tensor}", code=True),
    Clause("layer {layer} of {layers}"),
    Clause("head {head} of {heads}", {"head": _ANY}),
    Clause("mean of {heads} heads", {"head": None}),
    Clause("where {landmark} looks", {"landmark": _ANY}),
    Clause("choose a point to see where it looks", {"landmark": None}),
    Clause("softmax over {rows} × {columns} cells, not smoothed, more opaque where larger", {"landmark": _ANY}),
    Clause("scale 0 to {high}, the largest here", {"landmark": _ANY, "scale": "map"}),
    Clause("scale 0 to {high}, the largest of all layers and heads of this point", {"landmark": _ANY, "scale": "all"}),
    _FLOAT16,
    Clause("paths: from the place on the plane over the answers of {layers} layers"),
    Clause(
        "plane: hollow, the mean shape in the crop; filled, after semantic alignment (6.2.2), which moves points "
        "by {shift} % of the side on average",
        {"shift": _ANY},
    ),
    Clause("plane: the points of the prompt", {"shift": None}),
    Clause(
        "lattice: {lattice} × {lattice} points of the plane from {low} to {top}, each found like a landmark; "
        "dashed, where they are farther than {far} % of its side from every anchor, they are guesses",
        {"lattice": _ANY},
    ),
    Clause("squares: {other}, read with its own prompt", {"other": _ANY}),
    Clause(
        "landmarks of both that are each other's nearest in one line: {apart} px of the crop apart on average, on "
        "the plane {plane_apart} px",
        {"apart": _ANY},
    ),
)
"""tensor str; layer, layers int; head int | None for the mean, heads int;
landmark str | None; rows, columns int, cells
of the layer's map; high float, where the scale ends; scale "map" | "all"; widget bool; shift float, per cent | None
where no alignment is known; lattice int, points along its side | None; low, top float, its ends on the plane; far
float, per cent; other str, a second convention | None; apart, plane_apart float, pixels of the crop | None."""

_CROP = "crop: a square of {factor} × the longer side of the box"
PICKER: Sequence[Clause] = (
    Clause("Photograph {photo} px", {"worked": None}),
    Clause("Photograph {photo} px, worked on at {worked}", {"worked": _ANY}),
    Clause(_CROP, {"side": None}),
    Clause(_CROP + ", {side} × {side} px, bright", {"side": _ANY}),
    Clause("box by hand", {"by_hand": True}),
    Clause("{landmarks} landmarks", {"landmarks": _ANY}),
)
"""photo str ("5000 × 4000"), as it was given; worked str, what is worked on where it is smaller | None; factor
float; side str, of the crop in pixels of the photograph | None; by_hand bool; landmarks int | None. A widget only."""

TABLES: Mapping[str, Sequence[Clause]] = {
    "picker": PICKER,
    "shape": SHAPE,
    "relations": RELATIONS,
    "uncertainty": UNCERTAINTY,
    "structure": STRUCTURE,
    "self_attention": SELF_ATTENTION,
    "inside": INSIDE,
    "prompts": PROMPTS,
}
"""The table of each view."""
