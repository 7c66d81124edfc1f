"""The captions of what asks for reasons: attributions and edits; rules and facts as in ``caption_tables``."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.explain.captions import Clause

_ANY = {"not": None}
_FLOAT16 = Clause("float16", {"widget": True})

ATTRIBUTION: Sequence[Clause] = (
    Clause("{method}"),
    Clause("how far {landmark} moves", {"target": "displacement"}),
    Clause("x of {landmark}", {"target": "x"}),
    Clause("y of {landmark}", {"target": "y"}),
    Clause("natural logarithm of sigma of {landmark}", {"target": "log_sigma"}),
    Clause("{layer}", {"layer": _ANY}, code=True),
    Clause("windows of {window} px every {stride} px", {"window": _ANY}),
    Clause("{steps} steps", {"steps": _ANY}),
    Clause("{noisy} crops with noise of {noise} % of the range", {"noisy": _ANY}),
    Clause("{samples} drawn coalitions", {"samples": _ANY}),
    Clause("{value}"),
    Clause("covered with {fill}", {"fill": _ANY}),
    Clause("norm over R, G, B and both coordinates", {"slopes": True, "layer": None, "target": "displacement"}),
    Clause("norm over R, G, B", {"slopes": True, "layer": None, "target": {"not": "displacement"}}),
    Clause("norm of both coordinates' maps", {"slopes": True, "layer": _ANY, "target": "displacement"}),
    Clause("sums to {sum} where the whole face covered changes the answer by {total}", {"total": _ANY}),
    Clause(
        "covered whole, the landmark moves by {all} px only: the bare fill is answered with a face much like this "
        "one, so that its parts say little; try another fill or a turned face",
        {"near": True},
    ),
    Clause("px of the {size} px crop", {"target": {"not": "log_sigma"}, "slopes": False}),
    Clause("px of the {size} px crop for RGB from 0 to 1", {"target": {"not": "log_sigma"}, "slopes": True}),
    Clause("{caveat}", {"caveat": _ANY}),
    Clause("colours from {lo} to {hi}", {"hi": _ANY, "most": False}),
    Clause("colours from {lo} to {hi}, which 99 % of the cells do not pass; the rest shares the last", {"most": True}),
    _FLOAT16,
)
"""Facts: method, target, landmark, layer, window, stride, steps, noisy, noise, samples, value, fill, slopes, sum,
total (target of the crop less that of the fill, of a complete method), near and all (see
``Attribution.near_mean``), size, caveat, lo, hi, most (whether colours end at the 99th percentile), widget."""

EFFECT: Sequence[Clause] = (
    Clause("{tensor}", {"tensor": _ANY}, code=True),
    Clause("{where}", {"where": _ANY}),
    Clause("{done}", {"done": _ANY}),
    Clause("no landmark moves", {"most": 0}),
    Clause(
        "landmarks move by {mean} px of the photograph on average, by {most} at most",
        {"most": {"not": 0}, "tensor": _ANY},
    ),
    Clause(
        "landmarks lie {mean} px of the photograph apart on average, {most} at most",
        {"most": {"not": 0}, "tensor": None},
    ),
    Clause("{percent} % of the inter-ocular distance on average", {"percent": _ANY, "most": {"not": 0}}),
    Clause("mean σ changes by {sigma} px", {"sigma": _ANY}),
    Clause("the pose turns by {yaw}, {pitch}, {roll}° (yaw, pitch, roll)", {"yaw": _ANY}),
    Clause("arrows at their true length", {"times": 1, "most": {"not": 0}}),
    Clause("arrows {times} times as long as they are", {"times": {"not": 1}, "most": {"not": 0}}),
    Clause("from dots at {before}", {"most": {"not": 0}}),
    Clause("colours from 0 to {top} px, the largest here", {"most": {"not": 0}}),
)
"""tensor str, where str, done str, what was changed, which part of it and how, None for what is not told; mean, most
float, displacements in pixels of the photograph; percent float, the mean in percent of the outer eye corners' distance
| None; sigma float, mean change of sqrt(sigma x sigma y) in pixels of the photograph | None; yaw, pitch, roll float,
degrees | None; times int, by what arrows are lengthened; before str, what the dots are; top float, where the colours
end."""
