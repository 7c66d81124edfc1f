"""What an attribution leaves: a small frozen result that says what it is, and a reading that carries it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.attribution.fills import FILLS
from workbench.attribution.parts import Parts
from workbench.attribution.register import METHODS, Method, Settings
from workbench.errors import DataError, TraceError
from workbench.explain.captions import Fact, compose
from workbench.explain.facts import named
from workbench.explain.why_captions import ATTRIBUTION
from workbench.landmarks import Scheme
from workbench.reading import Reading

UNITS = {"displacement": "px", "x": "px", "y": "px", "log_sigma": "log sigma"}
NEAR = 0.1
"""With everything covered, a landmark that moves by less than this share of the crop says little about parts: a
bare grey is answered with about the mean face, and a frontal face lies near it."""


@dataclass(frozen=True)
class Attribution:
    """What the places of a crop, or parts of the face, do to one number of a model's answer.

    Positive values hold the answer up: the target of the crop as it is, less that without the place. For
    "displacement" that is how far the landmark moves from where it lies, so that positive values hold it in place.

    Attributes:
        scheme, model, face: what was looked at.
        landmark, target, method: what is explained, and how.
        settings: of the method.
        input_size: side S of the crop in pixels.
        map: (h, w), cell by cell over the whole crop; where parts are valued, (S, S) with each part's value.
        parts: the crop's regions.
        values: (P,) the value of each part where the method values parts, else the mean of the absolute map in each.
        sum: of all numbers of a method whose numbers sum to ``total``.
        total: target of the crop less that of the fill; None where no fill takes part.
        seconds: what it took.
        layer: path of the module that a layer method looked at.
    """

    scheme: Scheme
    model: str
    face: str
    landmark: int
    target: str
    method: str
    settings: Settings
    input_size: int
    map: np.ndarray
    parts: Parts
    values: np.ndarray
    sum: float | None
    total: float | None
    seconds: float
    layer: str = ""

    @property
    def how(self) -> Method:
        """The method's entry in the register."""
        return METHODS[self.method]

    @property
    def completeness_error(self) -> float | None:
        """The sum of all numbers less what they should sum to, in the target's unit; None where none is
        promised."""
        return None if self.sum is None or self.total is None else self.sum - self.total

    @property
    def unit(self) -> str:
        """Of the map: pixels of the crop or the log of sigma; of a slope, that for a change of RGB from 0 to 1."""
        return UNITS[self.target]

    @property
    def on_crop(self) -> np.ndarray:
        """(S, S) the map with every pixel's cell."""
        at = [np.arange(self.input_size) * side // self.input_size for side in self.map.shape]
        return np.asarray(self.map[np.ix_(*at)])

    @property
    def caption(self) -> str:
        """What the map is, in words."""
        return compose(ATTRIBUTION, self.facts())

    def facts(self, lo: float | None = None, hi: float | None = None, most: bool = False) -> dict[str, Fact]:
        """Facts of ``why_captions.ATTRIBUTION``; ``lo`` and ``hi`` are where a picture's colours begin and
        end, at the 99th percentile for ``most``."""
        how, s = self.how, self.settings
        window, stride = s.windows(self.input_size)
        return {
            "method": how.title,
            "value": how.value,
            "target": self.target,
            "landmark": named(self.scheme, self.landmark),
            "size": self.input_size,
            "fill": FILLS[s.fill] if how.filled else None,
            "window": window if "occlusion" in self.method else None,
            "stride": stride,
            "steps": s.steps if "integrated" in self.method else None,
            "noisy": s.noisy if "smooth" in self.method else None,
            "noise": 100 * s.noise,
            "samples": s.samples if self.method == "kernel_shap" else None,
            "layer": self.layer or None,
            "slopes": how.slopes and not how.filled,
            "sum": self.sum,
            "total": self.total if how.complete else None,
            "near": self.near_mean,
            "all": self.total,
            "caveat": how.caveat or None,
            "lo": lo,
            "hi": hi,
            "most": most,
            "widget": False,
        }

    @property
    def near_mean(self) -> bool:
        """Whether the answer to the bare fill lies so near the plain one that covering says little of this face."""
        moved = self.target == "displacement" and self.how.parts
        return bool(moved and self.total is not None and self.total < NEAR * self.input_size)

    def rows(self) -> list[dict[str, Any]]:
        """The numbers: one row a part where parts are valued, else one a cell, in crop pixels from its upper left."""
        if self.how.parts:
            return [{"part": n, "value": float(v)} for n, v in zip(self.parts.names, self.values, strict=True)]
        tall, wide = (self.input_size / side for side in self.map.shape)
        return [
            {"x": c * wide, "y": r * tall, "width": wide, "height": tall, "value": float(v)}
            for (r, c), v in np.ndenumerate(self.map)
        ]

    def to_json(self) -> str:
        """All of it as JSON."""
        s = self.settings
        out = {
            "model": self.model, "face": self.face, "scheme": self.scheme.name, "landmark": self.landmark,
            "name": self.scheme.label(self.landmark), "target": self.target, "method": self.method,
            "unit": self.unit, "settings": vars(s), "layer": self.layer, "input_size": self.input_size,
            "caption": self.caption, "sum": self.sum, "total": self.total,
            "completeness_error": self.completeness_error, "seconds": round(self.seconds, 3),
            "parts": {n: float(v) for n, v in zip(self.parts.names, self.values, strict=True)},
            "map": self.map.astype(np.float32).tolist(),
        }  # fmt: skip
        return json.dumps(out, indent=1)

    def save(self, path: Path) -> Path:
        """Write map, parts and regions as safetensors, the rest into its header. Raises DataError."""
        from safetensors.numpy import save

        meta = json.loads(self.to_json())
        del meta["map"]
        held = {
            "map": np.ascontiguousarray(self.map, np.float32),
            "values": np.ascontiguousarray(self.values, np.float32),
            "regions": np.ascontiguousarray(self.parts.mask),
        }
        try:
            path.write_bytes(save(held, {"attribution": json.dumps(meta)}))
        except OSError as error:
            raise DataError(f"{path} could not be written: {(error.strerror or str(error)).lower()}.") from None
        return path


@dataclass(frozen=True, kw_only=True, repr=False)
class AttributionReading(Reading):
    """A reading with what was attributed of it.

    Attributes:
        chosen: the landmark that is shown first.
        attributions: by landmark; one, or all where one loop gives all, or none yet.
    """

    chosen: int | None = None
    attributions: dict[int, Attribution]

    def shown(self, landmark: int | None = None) -> Attribution:
        """The attribution of a landmark, by default the chosen one. Raises TraceError where there is none."""
        wanted = self.chosen if landmark is None else landmark
        if wanted not in self.attributions:
            raise TraceError(f"Nothing was attributed for landmark {wanted}; compute it first.")
        return self.attributions[wanted]


def carrying(reading: Reading, attributions: dict[int, Attribution], chosen: int | None) -> AttributionReading:
    """A reading that carries attributions."""
    held = {name: getattr(reading, name) for name in Reading.__dataclass_fields__}
    return AttributionReading(**held, chosen=chosen, attributions=attributions)
