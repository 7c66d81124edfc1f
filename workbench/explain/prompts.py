"""How the points of a structure prompt are found: where each looks in every layer, and how they lie on the plane.

TUFA: thesis 2024, section 6.2, Fig. 6.3 and 6.8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.axes import LANDMARK_TO_MAP, PLANE_POINTS, own
from workbench.errors import TraceError
from workbench.explain.captions import Fact
from workbench.landmarks.geometry import twins
from workbench.tracing import check_index

if TYPE_CHECKING:
    from workbench.reading import Reading

LATTICE = 10
"""Points along a side of the lattice (Fig. 6.8's is drawn on the image; this one lies on the plane)."""
LATTICE_EDGE = 0.05
FAR = 0.05
"""Distance on the plane, in parts of its side, beyond which a point is drawn as a guess."""


@dataclass(frozen=True)
class Plane:
    """A prompt on the face plane, [0, 1] of its side.

    Attributes:
        after: (N, 2) the points as they enter the prompt.
        before: (N, 2) the mean shape before semantic alignment; None where it is not known.
    """

    after: np.ndarray
    before: np.ndarray | None

    @property
    def shift(self) -> float | None:
        """Mean distance between both, in parts of the side; None where one is not known."""
        return None if self.before is None else float(np.linalg.norm(self.after - self.before, axis=1).mean())


def looks(reading: Reading) -> list[tuple[str, np.ndarray]]:
    """The tensors that say where each landmark looks, in the order of the layers: (path, (head, N, H, W)).

    Raises:
        TraceError: the trace holds none.
    """
    found = [(k, v.at(batch=0).numpy()) for k, v in reading.trace.items() if own(v.axes) in LANDMARK_TO_MAP]
    if not found:
        raise TraceError(f"The trace of {reading.model_name} does not hold where its landmarks look.")
    return found


def look(reading: Reading, landmark: int, layer: int = -1, head: int | None = None) -> np.ndarray:
    """(H, W) where one landmark looks in a layer; the mean of the heads for None. Raises TraceError."""
    layers = looks(reading)
    check_index("layer", layer, len(layers))
    values = layers[layer][1]
    check_index("landmark", landmark, values.shape[1])
    if head is None:
        return np.asarray(values[:, landmark].mean(0))
    check_index("head", head, len(values))
    return np.asarray(values[head, landmark])


def plane_of(reading: Reading) -> Plane:
    """The prompt that a reading was asked with. What it was before semantic alignment is known of conventions, not of
    drawings."""
    own_points = [v for v in reading.trace.values() if own(v.axes) in PLANE_POINTS and v.shape.get("batch") == 1]
    given = own_points[0].at(batch=0).numpy().astype(np.float64) if own_points else reading.mean_shape
    before = getattr(reading, "before", None)
    if before is None and not hasattr(reading, "drawing") and not np.allclose(given, reading.mean_shape, atol=1e-6):
        before = reading.mean_shape
    return Plane(given, before)


def lattice_points(side: int = LATTICE, edge: float = LATTICE_EDGE) -> np.ndarray:
    """(side * side, 2) points of the plane, row by row, from ``edge`` to 1 - ``edge``."""
    ends = np.linspace(edge, 1 - edge, side)
    return np.stack(np.meshgrid(ends, ends), -1).reshape(-1, 2)


def shared_names(one: Reading, other: Reading) -> list[tuple[int, int]]:
    """The landmarks of two readings that are each other's nearest on the plane within one line (eye, brow, jaw), as
    pairs of indices."""
    a, b = (one.scheme, plane_of(one).after), (other.scheme, plane_of(other).after)
    there, back = twins(*a, *b), twins(*b, *a)
    return [(i, j) for i, j in enumerate(there) if j >= 0 and back[j] == i]


def prompts_facts(
    reading: Reading,
    layer: int = -1,
    head: int | None = None,
    landmark: int | None = None,
    *,
    high: float = 0.0,
    scale: str = "map",
    lattice: bool = False,
    beside: Reading | None = None,
) -> Mapping[str, Fact]:
    """Facts of ``caption_tables.PROMPTS``; ``high`` is where the scale ends."""
    layers = looks(reading)
    at = check_index("layer", layer, len(layers))
    path, values = layers[at]
    shift = plane_of(reading).shift
    facts: dict[str, Fact] = {
        "tensor": path,
        "layer": at + 1,
        "layers": len(layers),
        "head": None if head is None else head + 1,
        "heads": len(values),
        "landmark": None if landmark is None else reading.scheme.label(landmark),
        "rows": values.shape[2],
        "columns": values.shape[3],
        "high": high,
        "scale": scale,
        "widget": False,
        "shift": None if shift is None else 100 * shift,
        "lattice": LATTICE if lattice else None,
        "low": LATTICE_EDGE,
        "top": 1 - LATTICE_EDGE,
        "far": 100 * FAR,
    }
    return {**facts, **_beside_facts(reading, beside)}


def _beside_facts(reading: Reading, beside: Reading | None) -> dict[str, Fact]:
    if beside is None:
        return {"other": None, "apart": None, "plane_apart": None}
    pairs = shared_names(reading, beside)
    if not pairs:
        return {"other": beside.scheme.name, "apart": None, "plane_apart": None}
    mine, theirs = (np.array(side) for side in zip(*pairs, strict=True))

    def apart(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.linalg.norm(a[mine] - b[theirs], axis=1).mean()) * reading.input_size

    return {
        "other": beside.scheme.name,
        "apart": apart(reading.points(), beside.points()),
        "plane_apart": apart(plane_of(reading).after, plane_of(beside).after),
    }
