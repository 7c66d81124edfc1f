"""The captions of the views that show one system's own mechanisms; rules and facts as in ``caption_tables``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.explain.captions import Clause

_ANY = {"not": None}
_FLOAT16 = Clause("float16", {"widget": True})

OCCLUSION: Sequence[Clause] = (
    Clause("alignment.landmarks", {"key": "photo"}, code=True),
    Clause("{tensor}", {"tensor": _ANY}, code=True),
    Clause("all maps of Fig. 13 side by side", {"key": "row"}),
    Clause("probability that a cell shows the face and nothing that covers it", {"key": "visible"}),
    Clause("spatial gate: what each place of the features is multiplied by", {"key": "spatial"}),
    Clause("features before the gates", {"key": "before"}),
    Clause("features after the gates", {"key": "after"}),
    Clause("mean of the absolute values of {channels} channels", {"features": True, "channel": None}),
    Clause("channel {channel} of {channels}", {"features": True, "channel": _ANY}),
    Clause("geometry: mean of the absolute values of {products} products", {"key": "products", "row": None}),
    Clause("geometry: A {row} times B {column} of {products} products", {"key": "products", "row": _ANY}),
    Clause("{rows} × {columns} cells, not smoothed", {"high": _ANY}),
    Clause("more opaque where {opaque}", {"high": _ANY, "key": {"not": "row"}}),
    Clause("every scale from 0 to the largest value here, that of P'' from 0 to 1", {"scale": "row"}),
    Clause("scale {low} to {high}, of a probability", {"high": _ANY, "scale": "whole"}),
    Clause("scale {low} to {high}, the largest here", {"high": _ANY, "scale": "map"}),
    Clause("scale {low} to {high}, the largest of both readings", {"high": _ANY, "scale": "both"}),
    Clause("scale {low} to {high}, the largest change, about 0", {"high": _ANY, "scale": "change"}),
    Clause("with the occluder ({occluder} over {covered} % of the crop)", {"mode": "with"}),
    Clause("without the occluder", {"mode": "without"}),
    Clause("with the occluder ({occluder} over {covered} % of the crop) minus without", {"mode": "difference"}),
    Clause("landmarks as M answers when cut to its {rank} largest singular values of {ranks}", {"rank": _ANY}),
    Clause("lines lead there from the whole answer", {"rank": _ANY}),
    Clause("white lines: from the uncovered answer", {"rank": None, "mode": "difference"}),
    Clause("{landmark} singled out", {"landmark": _ANY}),
    _FLOAT16,
)
"""tensor str | None (the photograph); key "row" (a figure only) | "photo" | "visible" | "spatial" | "before" |
"after" | "products"; features bool; channel int from 0 | None, channels; row, column int of a product | None,
products; rows, columns int, cells; low, high float, of the scale | None; opaque "larger" | "smaller"; scale "row"
| "whole" | "map" | "both" | "change"; mode "plain" | "with" | "without" | "difference"; occluder str (its fill) |
None; covered float, percent of the crop; rank int | None for all of M, ranks; landmark str | None; widget bool."""

_EDGES = {"show": "edges"}
GRAPH: Sequence[Clause] = (
    Clause("{tensor}", code=True),
    Clause("layer {layer} of {layers}", _EDGES),
    Clause("edge weights on this face, a row sums to 1", {**_EDGES, "mode": "face"}),
    Clause("edge weights as learned, the same for every face, a row sums to 1", {**_EDGES, "mode": "learned"}),
    Clause("edge weights on this face less those learned", {**_EDGES, "mode": "change"}),
    Clause("edge weights on this face less 1 / degree", {**_EDGES, "mode": "even"}),
    Clause(
        "a line from each landmark to each neighbour it takes from, bent to the left", {**_EDGES, "landmark": None}
    ),
    Clause("the lines of {landmark}", {**_EDGES, "landmark": _ANY}),
    Clause("its own weight is not drawn", _EDGES),
    Clause("scale {low} to {top}, the largest of all layers", _EDGES),
    Clause("positions after: {step}", {"show": {"not": "edges"}}),
    Clause("where the answer would lie if the network ended there", {"show": {"not": "edges"}}),
    Clause("arrows: from the step before", {"show": "moves", "first": False}),
    Clause("{relative}", {"show": "residuals"}, code=True),
    Clause("arrows: P S - P S*", {"show": "residuals"}),
    Clause("S* is {reference}", {"show": "residuals"}),
    Clause("arrows {arrows} times as long as they are", {"show": {"not": "edges"}, "arrows": {"not": 1}}),
    _FLOAT16,
)
"""show "edges" | "moves" | "residuals"; tensor str, relative str (P's tensor); layer, layers int; mode "face" |
"learned" | "change" | "even"; landmark str | None; low, top float, of the edges' scale; step str, first bool,
whether nothing came before it; arrows float, their factor; reference str, what S* is; widget bool."""

_MAPS = {"high": _ANY}
CASCADE: Sequence[Clause] = (
    Clause("alignment.stages", {"kind": "photo"}, code=True),
    Clause("{tensor}", {"tensor": _ANY}, code=True),
    Clause("everything that the task of {task} sees, side by side", {"kind": "row"}),
    Clause("the task of {task}", {"kind": "gate"}),
    Clause("the task of {task}", {"kind": "after"}),
    Clause("branch {branch} of {branches} before selection: mean of the absolute values of {channels} channels",
           {"kind": "branch"}),
    Clause("by what branch {branch} of {branches} is multiplied: mean of {channels} channels",
           {"kind": "gate", "channel": None}),
    Clause("by what branch {branch} of {branches} is multiplied: channel {channel} of {channels}",
           {"kind": "gate", "channel": _ANY}),
    Clause("features after selection: mean of the absolute values of {channels} channels", {"kind": "after"}),
    Clause("largest of {landmarks} landmarks' heatmaps", {"kind": "heatmaps", "landmark": None}),
    Clause("heatmap of {landmark}", {"kind": "heatmaps", "landmark": _ANY}),
    Clause("the face's outlines as the network draws them", {"kind": "boundary"}),
    Clause("{rows} × {columns} cells, not smoothed, more opaque where larger", _MAPS),
    Clause("scale {low} to {high}, the largest here", {**_MAPS, "kind": {"not": "row"}}),
    Clause("every scale from 0 to the largest value here", {"kind": "row"}),
    Clause("landmarks after all {cascades} cascades", {"kept": None}),
    Clause("landmarks of the model pruned to {kept} of {cascades} cascades", {"kept": _ANY}),
    Clause("lines from the place that the heatmaps give", {"kind": "photo"}),
    _FLOAT16,
)  # fmt: skip
"""kind "row" (a figure only) | "photo" | "branch" | "gate" | "after" | "heatmaps" | "boundary"; tensor str | None (the
photograph); task str; branch from 1, branches int; channel int from 0 | None, channels int; landmark str | None,
landmarks int; rows, columns int, cells; low, high float, of the scale | None; kept int | None for all, cascades int;
widget bool."""

POSE: Sequence[Clause] = (
    Clause("alignment.pose, alignment.confidence", {"key": "photo"}, code=True),
    Clause("{tensor}", {"tensor": _ANY}, code=True),
    Clause("yaw {yaw}°, pitch {pitch}°, roll {roll}°: positive to image right, up, clockwise on the screen"),
    Clause("axes drawn without perspective, all equally long"),
    Clause("face confidence {confidence}, tracked above {threshold}"),
    Clause("H: 1 / √(1 + cells to the nearest landmark), at least {floor}", {"key": "heatmap"}),
    Clause("features before H", {"key": "before"}),
    Clause("features times H, from which pose and confidence are read", {"key": "after"}),
    Clause("features: mean of the absolute values of {channels} channels", {"features": True, "channel": None}),
    Clause("channel {channel} of {channels}", {"features": True, "channel": _ANY}),
    Clause("{rows} × {columns} cells, not smoothed, more opaque where larger", {"high": _ANY}),
    Clause("scale 0 to 1", {"key": "heatmap"}),
    Clause("scale {low} to {high}, the larger of before and after", {"key": "before"}),
    Clause("scale {low} to {high}, the larger of before and after", {"key": "after"}),
    Clause("features on one scale, to the larger of before and after; H from 0 to 1", {"key": "row"}),
    Clause("{landmark} singled out", {"landmark": _ANY}),
    _FLOAT16,
)
"""key "row" (a figure only) | "photo" | "before" | "heatmap" | "after"; tensor str | None (the photograph); yaw,
pitch, roll float, degrees; confidence, threshold, floor float; features bool; channel int from 0 | None, channels
int; rows, columns int, cells; low, high float, of the scale | None; landmark str | None; widget bool."""

_FOUND = {"state": {"not": "lost"}, "yaw": _ANY}
TRACKING: Sequence[Clause] = (
    Clause("alignment.landmarks, alignment.pose, alignment.confidence", code=True),
    Clause("frame {frame} of {frames}, from 0"),
    Clause("the film went on, and was read so far", {"cut": True}),
    Clause("{time} s", {"time": _ANY}),
    Clause("{file}", {"file": _ANY}, code=True),
    Clause("face {face} of {faces}", {"faces": {"not": 1}}),
    Clause("tracked: read where the landmarks of the frame before lay", {"state": "tracked"}),
    Clause("detected: the detector searched this frame", {"state": "detected"}),
    Clause("lost: confidence {confidence} of what was read, tracked above {threshold}",
           {"state": "lost", "read": True}),
    Clause("lost: the detector found no face, so nothing was read", {"state": "lost", "read": False}),
    Clause("not seen so far", {"state": "away"}),
    Clause("confidence {confidence}, tracked above {threshold}", _FOUND),
    Clause("yaw {yaw}°, pitch {pitch}°, roll {roll}°: positive to image right, up, clockwise on the screen", _FOUND),
    Clause("jitter {jitter} % of the face's longer side from midway between the frames before and after",
           {"jitter": _ANY}),
    Clause("square: what the network read", {"read": True}),
    Clause("{tracked} frames of this face tracked, {detected} found by the detector, {lost} lost"),
    Clause("frames shown {shown} pixels wide of {wide}", {"shown": _ANY}),
)  # fmt: skip
"""frame int from 0, frames int; cut bool, whether frames were left out; time float, seconds | None; file str | None;
face int from 1, faces int; state "detected" | "tracked" | "lost" | "away"; read bool; confidence, threshold float;
yaw, pitch, roll float, degrees | None; jitter float, percent | None; tracked, detected, lost int, frames; shown, wide
int, pixels, shown None where frames are shown as they are."""

SYSTEM_TABLES: Mapping[str, Sequence[Clause]] = {
    "occlusion": OCCLUSION,
    "graph": GRAPH,
    "cascade": CASCADE,
    "pose": POSE,
    "tracking": TRACKING,
}
"""The table of each view."""
