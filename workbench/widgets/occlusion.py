"""The Occlusion view's data: what is visible, what the gates do, and what each rank of M answers; with and without an
occluder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import TraceError
from workbench.explain.occlusion import TITLES, Occlusion, effective_rank, occlusion, under
from workbench.explain.system_captions import OCCLUSION
from workbench.reading import Reading
from workbench.widgets.board import board, exact, packed
from workbench.widgets.cover import FILLS, cover_of, patch_of, pixels_of
from workbench.widgets.payload import PHOTO_SIDE, Payload, inter_ocular, photo, rounded
from workbench.widgets.selection import Entry, Table, resolve

SELECTION: Table = (
    Entry("map", "visible"),  # what the large face shows
    Entry("mode", "with", ("with", "without", "difference")),
    Entry("landmark", index="landmark", none="all of them"),
    Entry("channel", index="channel", none="all of them"),  # of the features before and after
    Entry("product", index="product", none="all of them"),  # geometry channel A_i B_j as i A + j
    Entry("rank", index="rank", none="all of M"),  # 0 is the mean face alone
    Entry("points", True),
)
"""The other state key is ``occluder``, as in the Uncertainty view."""


def occlusion_payload(
    reading: Reading,
    occluder: Any = None,
    baseline: Reading | None = None,
    selection: Mapping[str, Any] | None = None,
    live: bool = True,
) -> Payload:
    """What the ``occlusion`` widget shows.

    Args:
        reading: with the axes that the view records; of the covered crop when there is an occluder.
        occluder: what covers the crop: the widget's state value, a ``workbench.faces.Occluder``, or None.
        baseline: the same face and model without the occluder.
        selection: entries of :data:`SELECTION` to start from.
        live: whether Python answers when the person moves the occluder; else the widget offers none.

    Raises:
        TraceError: the model does not tell what is visible, baseline and reading do not belong together, or the
            selection or the occluder names what is not there.
    """
    cover = cover_of(occluder)
    plain = reading if baseline is None or cover is None else baseline
    if plain.model_name != reading.model_name:
        raise TraceError("The baseline must be the same face read by the same model without the occluder.")
    found = occlusion(reading)
    bare = found if plain is reading else occlusion(plain)
    meta, blobs = board(plain, "occlusion", OCCLUSION)
    sets: dict[str, Any] = {"with": _set("with", reading, found, blobs)}
    if bare is not found:
        sets["without"] = _set("without", plain, bare, blobs)
    bounds: dict[str, Any] = {
        "map": [*found.tensors, *(["products"] if found.products is not None else [])],
        "landmark": reading.scheme.count,
        "channel": len(found.gate) if found.gate is not None else 0,
        "product": 0 if found.products is None else found.products.shape[0] ** 2,
        "rank": 0 if found.recovered is None else len(found.recovered),
    }
    side = max(PHOTO_SIDE, reading.input_size)
    if cover is not None:
        blobs["cover"] = patch_of(reading.face.crop(side), pixels_of(cover, side))
        blobs["photo"] = photo(plain.face.crop(side))
    meta |= {
        "tensors": found.tensors,
        "titles": TITLES,
        "products": "" if found.products is None else found.products_tensor,
        "gate": found.gate_tensor,
        "lowRank": found.low_rank,
        "singular": None if found.singular is None else [float(f"{v:.6g}") for v in found.singular],
        "effective": None if found.singular is None else effective_rank(found.singular),
        "sets": sets,
        "ocular": inter_ocular(plain),
        "under": _under(found, bare, cover) if bare is not found and cover else {},
        "occluder": cover,
        "covered": pixels_of(cover, side) if cover else None,
        "fills": dict(FILLS),
        "live": live,
        "bounds": bounds,
        "state": {"selection": resolve(SELECTION, selection, bounds), "occluder": cover or {}},
    }
    return {"meta": meta, "blobs": blobs}


def _set(name: str, reading: Reading, found: Occlusion, blobs: dict[str, bytes]) -> dict[str, Any]:
    """One reading: its maps, gate, products and the answers of all ranks."""
    arrays = dict(found.maps)
    if found.products is not None:
        arrays["products"] = found.products.reshape(-1, *found.products.shape[2:])
    told, more = packed(name, arrays)
    blobs |= more
    if found.recovered is not None:
        blobs[f"{name}.recovered"] = exact(found.recovered)
    gate = None if found.gate is None else [round(float(v), 5) for v in found.gate]
    return {"maps": told, "gate": gate, "points": rounded(reading.points())}


def _under(found: Occlusion, plain: Occlusion, cover: Mapping[str, Any]) -> dict[str, list[float]]:
    """Means of each map under the occluder without and with it, then beside it without and with it."""
    box = (cover["x"], cover["y"], cover["w"], cover["h"])
    return {
        key: [round(v, 4) for v in (before.inside, after.inside, before.outside, after.outside)]
        for key, (after, before) in under(found, plain, box).items()
    }
