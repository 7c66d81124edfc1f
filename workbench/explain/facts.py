"""What the captions of the views say of a reading: the facts that ``caption_tables`` puts into words.

One function a view. Its twin in the view's JavaScript gives the same facts of the same state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.explain.calibration import law
from workbench.explain.captions import Fact
from workbench.explain.relations import Relations, attention_stack, map_facts, relation_kind
from workbench.explain.structure import neighbours, structure_similarity
from workbench.explain.uncertainty import ellipse_mass, scale_facts
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.landmarks import Scheme
    from workbench.reading import Reading

Facts = dict[str, Fact]


def named(scheme: Scheme, landmark: int | None) -> str | None:
    """A landmark as a caption names it, such as "nose bridge 4 of 4 (30)"; None stays None.

    Raises:
        TraceError: the scheme has no such landmark.
    """
    if landmark is None:
        return None
    index = check_index("landmark", landmark, scheme.count)
    return f"{scheme.label(index)} ({index})"


def relations_facts(
    reading: Reading, found: Relations, *, top: float, scale: str = "map", top_k: int | None = 3,
    threshold: float = 0.0, landmark: int | None = None, direction: str = "query", own: bool = False,
    mode: str = "lines",
) -> Facts:  # fmt: skip
    """Facts of ``caption_tables.RELATIONS``.

    Args:
        top: where the scale ends; the others as ``figures.relations`` takes them.
        mode: "lines", "best" (one arrow a landmark), "partners" (the same, to itself too) or "matrix" (alone).

    Raises:
        TraceError: there is no such landmark.
    """
    sizes = attention_stack(reading, found.kind).shape[:3]
    others = reading.scheme.count - (not own)
    return {
        **map_facts(relation_kind(reading, found.kind), found.stage, found.layer, found.head, sizes),
        "mode": mode,
        "part": None,
        "direction": direction,
        "landmark": named(reading.scheme, landmark),
        "topk": 0 if top_k is None or top_k >= others else top_k,
        "own": own,
        "threshold": threshold,
        "top": top,
        "scale": scale,
        "widget": False,
    }


def uncertainty_facts(
    reading: Reading, stage: int | None = -1, layer: int = -1, *, ellipses: bool = True, patches: bool = False,
    path: bool = False, occluder: str | None = None, covered: float = 0.0, compared: bool = False,
) -> Facts:  # fmt: skip
    """Facts of ``caption_tables.UNCERTAINTY``.

    Args:
        stage, layer: zero-based, negative from the end; stage None is the mean face.
        ellipses, patches, path: whether they are drawn.
        occluder, covered: what covers the crop, and its share of it in [0, 1].
        compared: whether an uncovered reading stands beside this one.
    """
    inside = [round(100 * ellipse_mass(k, reading.alignment.likelihood)) for k in (1.0, 2.0, 3.0)]
    return {
        "stage": None if stage is None else stage % reading.stages + 1,
        "stages": reading.stages,
        "layer": None if stage is None else layer % reading.layers + 1,
        "layers": reading.layers,
        **scale_facts(reading, stage),
        "ellipses": ellipses,
        "patches": patches,
        "path": path,
        "law": law(reading.alignment.likelihood),
        "inside1": inside[0],
        "inside2": inside[1],
        "inside3": inside[2],
        "occluder": occluder,
        "covered": float(f"{100 * covered:.2g}") if occluder else None,
        "compared": compared and stage is not None,
        "pinned": None,
    }


def structure_facts(readings: list[Reading], landmark: int | None = None, model: int = 0, near: int = 3) -> Facts:
    """Facts of ``caption_tables.STRUCTURE``.

    Args:
        readings: one or two.
        landmark: of the reading ``model``, whose ``near`` nearest encodings are named.

    Raises:
        TraceError: a reading holds no structure encoding, or has no such landmark.
    """
    shapes = [reading.structure().shape for reading in readings]
    facts: Facts = {"tensor": readings[0].structure_path(), "widget": False}
    for tail, shape in zip(("", "2"), [*shapes, (None, None)], strict=False):
        facts |= {f"count{tail}": shape[0], f"width{tail}": shape[1]}
    scheme = readings[model].scheme
    facts |= {"landmark": named(scheme, landmark), "points": scheme.count, "near": 0}
    if landmark is not None:
        found = neighbours(structure_similarity(readings[model]), near)
        shown = list(zip(found.index[landmark].tolist(), found.value[landmark].tolist(), strict=True))
        facts["near"] = len(shown)
        for k, (other, cosine) in enumerate(shown, 1):
            facts |= {f"near{k}": scheme.label(other), f"cosine{k}": cosine}
    return facts


def self_attention_facts(
    tensor: str, row: int, column: int, size: int, low: float, high: float, *, softmax: bool = True,
    scale: str = "map", prior: tuple[float, float, float] | None = None, share: float = 0.0,
) -> Facts:  # fmt: skip
    """Facts of ``caption_tables.SELF_ATTENTION``.

    Args:
        row, column: the query's cell, from 0, of ``size`` x ``size``.
        low, high: where the scale begins and ends.
        softmax: whether the weights of a query sum to 1.
        prior: sigma and radius of the structure prior in cells, and beta; None where they are not known.
        share: part of the map, in [0, 1], that the prior's mask covers.
    """
    sigma, radius, beta = prior or (None, None, None)
    return {
        "tensor": tensor,
        "row": row,
        "column": column,
        "size": size,
        "every": 1,
        "softmax": softmax,
        "low": low,
        "high": high,
        "scale": scale,
        "widget": False,
        "sigma": sigma,
        "radius": radius,
        "share": round(100 * share),
        "rank": None,
        "departure": None,
        "moved": False,
        "trained_sigma": None,
        "trained_radius": None,
        "beta": beta,
    }
