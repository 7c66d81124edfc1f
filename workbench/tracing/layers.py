"""Recorded tensors that are layers of one thing, told by their paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from workbench.axes import Axes, own
from workbench.tracing.trace import NamedTensor

LAYER = "{layer}"


class Axed(Protocol):
    """A recorded tensor (``NamedTensor``) or a tap that would record one: what has named axes."""

    @property
    def axes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Layers:
    """Tensors whose paths differ in one number only.

    Attributes:
        name: the last components of the path that tell it from the others ("cross").
        template: the path with ``{layer}`` for the number ("relation.layers.{layer}.cross"), or as it is.
        paths: by layer.
        axes: their own axes, without batch and stage.
    """

    name: str
    template: str
    paths: tuple[str, ...]
    axes: Axes

    def stack(self, trace: Mapping[str, NamedTensor]) -> np.ndarray:
        """(stage, layer, head, ...) of the first face; stage and head of length 1 where there is none."""
        tensors = []
        for path in self.paths:
            named = trace[path].at(batch=0)
            values = named.numpy()
            values = values if "stage" in named.axes else values[None]
            tensors.append(values if "head" in named.axes else values[:, None])
        return np.stack(tensors, axis=1)


def layers_of(entries: Mapping[str, Axed], wanted: Collection[Axes]) -> list[Layers]:
    """The tensors of certain axes, layers together, in the order of the network.

    Args:
        entries: a trace, or ``taps(model)``.
        wanted: axes without batch and stage; a tensor of any of them counts.
    """
    chosen = {path: own(entry.axes) for path, entry in entries.items() if own(entry.axes) in wanted}
    templates = [(template, axes) for path, axes in chosen.items() for template in _templates(path)]
    count = Counter(templates)
    groups: dict[tuple[str, Axes], list[str]] = {}
    for path, axes in chosen.items():
        # Of several numbers the one that counts most layers; the last one when they are alike.
        best = max(reversed(_templates(path)), key=lambda template: count[template, axes])
        groups.setdefault((best, axes), []).append(path)
    names = _names([template for template, _ in groups])
    return [
        Layers(name, template, tuple(sorted(paths, key=lambda path: _number(path, template))), axes)
        for name, ((template, axes), paths) in zip(names, groups.items(), strict=True)
    ]


def _templates(path: str) -> list[str]:
    """The path with each of its numbers in turn replaced; the path itself when it has none."""
    parts = path.split(".")
    places = [i for i, part in enumerate(parts) if part.isdecimal()]
    return [".".join((*parts[:i], LAYER, *parts[i + 1 :])) for i in places] or [path]


def _number(path: str, template: str) -> int:
    parts = template.split(".")
    return int(path.split(".")[parts.index(LAYER)]) if LAYER in parts else 0


def _names(templates: list[str]) -> list[str]:
    """The shortest ends of the paths that tell them apart."""
    parts = [[part for part in template.split(".") if part != LAYER] for template in templates]
    names = []
    for mine in parts:
        length = 1
        while length < len(mine) and sum(other[-length:] == mine[-length:] for other in parts) > 1:
            length += 1
        names.append(".".join(mine[-length:]))
    return names
